#!/usr/bin/env python3
"""Checks that the table of configuration keys tells the truth about the code.

A key that docs/CONFIGURATION.md calls in force is named by some production source outside the tables; one that it calls
without effect or meaning is named by none but those that only check or inherit it. Prints each key that breaks a rule.
"""

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

# The names of these are put together from a prefix and the rest (broker/coordinators/internal_topics.cc).
COMPOSED = {f"{topic}.{rest}" for topic in ("offsets.topic", "transaction.state.log") for rest in ("num.partitions", "replication.factor")}

# These name keys without giving them an effect: the tables, checks of values against each other, what topics and groups
# inherit, and the list of names that are no keys.
ONLY_NAMED_IN = {
    "broker/config/cross_checks.cc", "broker/config/broker_keys.cc", "broker/config/group_keys.cc", "controller/config/topic_configs.cc",
    "broker/config/in_force.cc",
}  # fmt: skip


def effects():
    """{key: effect} of docs/CONFIGURATION.md."""
    found = {}
    for line in (ROOT / "docs/CONFIGURATION.md").read_text().splitlines():
        cells = line.split(" | ")
        if line.startswith("| `") and len(cells) >= 7:
            found[cells[0].strip("| `")] = cells[5]
    return found


def sources():
    for room in ("base", "storage", "coordinator", "controller", "broker"):
        for path in (ROOT / room).rglob("*"):
            is_source = path.suffix in (".cc", ".h") and not path.name.endswith(("_test.cc", "_fuzz.cc"))
            if is_source and "testing" not in path.parts and not path.name.startswith("keys_"):
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def main():
    named = {}  # key -> the files that name it
    for file, text in sources():
        for name in set(re.findall(r'"([a-z0-9]+(?:\.[a-z0-9_]+)*)"', text)):
            named.setdefault(name, set()).add(file)
    problems = []
    table = effects()
    for key, effect in table.items():
        files = named.get(key, set())
        if effect.startswith("in force") and not files and key not in COMPOSED:
            problems.append(f"{key} is to be in force, and nothing asks for it")
        if effect.startswith("no ") and files - ONLY_NAMED_IN:
            problems.append(f"{key} is to have no effect, and {', '.join(sorted(files - ONLY_NAMED_IN))} asks for it")
    print("\n".join(problems) or f"{len(table)} keys do what the table says")
    return 1 if problems or len(table) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
