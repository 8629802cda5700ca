#!/usr/bin/env python3
"""Hostile input: after every attack the broker lives, a bystander was served all along, and memory is where it was.

The F-numbers are the lines of the catalogue in README.md. Where the outcome is a Kafka error code, the expected one is
what Apache Kafka answers: run with --target kafka to see that it still does.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker  # noqa: E402
from lib.report import Report, Skipped  # noqa: E402

import batches  # noqa: E402
import connections  # noqa: E402
import framing  # noqa: E402
import groups  # noqa: E402
import names  # noqa: E402
import primitives  # noqa: E402
import semantics  # noqa: E402
import startup  # noqa: E402
from ground import Ground  # noqa: E402

MODULES = [framing, primitives, batches, names, semantics, groups, connections, startup]


def attack(ground, check):
    ground.begin()
    check(ground)
    ground.check_aftermath()


def skip(reason):
    raise Skipped(reason)


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    parser.add_argument("--show", action="store_true", help="print every observed outcome at the end")
    arguments = parser.parse_args()
    report = Report("hostile input", arguments.only)
    with broker.from_arguments(arguments, "hostile", {"group.initial.rebalance.delay.ms": 500}) as target:
        ground = Ground(target)
        for module in MODULES:
            for name, check in module.CHECKS.items():
                if target.is_kafka and name in module.NOT_FOR_KAFKA:
                    report.run(name, skip, module.NOT_FOR_KAFKA[name])
                else:
                    report.run(name, attack, ground, check)
                    ground.revive()
        ground.close()
        if arguments.show:
            for name, outcome in ground.seen.items():
                print(f"  {name}: {outcome}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
