"""docs/PERFORMANCE.md: everything in it that is a number comes from a results file and stands between two marks."""

import json
import re

from pairs import ROOT, markdown, plot

PAGE = ROOT / "docs/PERFORMANCE.md"
PLOT = ROOT / "docs/performance.svg"
EVIDENCE = ROOT / "docs/performance.json"


def write(workloads, results):
    """Replaces the generated parts of the page, and writes the plot and the figures of every pair beside it."""
    if not results.path.exists():
        raise SystemExit(f"no results at {results.path}: run bench/compare.py first")
    text = PAGE.read_text()
    met, judged, missing = markdown.tally(workloads, results)
    parts = {
        "machine": _machines(results),
        "verdict": f"{met} of {judged} bars are met.\n" + "".join(f"* missed: {one}\n" for one in missing),
        "table": markdown.table(workloads, results),
        "peers": markdown.peers(workloads, results),
        "commands": _commands(workloads),
    }
    for name, part in parts.items():
        text = replaced(text, name, part)
    PAGE.write_text(text)
    PLOT.write_text(plot.svg(workloads, results))
    EVIDENCE.write_text(json.dumps(json.loads(results.path.read_text()), separators=(",", ":"), sort_keys=True) + "\n")


def replaced(text, name, part):
    """The page with the part between `<!-- NAME: generated -->` and `<!-- NAME: end -->` exchanged."""
    marks = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
    pattern = re.escape(marks[0]) + ".*?" + re.escape(marks[1])
    exchanged, count = re.subn(pattern, lambda _: marks[0] + part + marks[1], text, flags=re.DOTALL)
    if count != 1:
        raise RuntimeError(f"the page has {count} places for {name}")
    return exchanged


def _machines(results):
    lines = []
    for about in results.machines():
        names = about.pop("workloads")
        about = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in about.items())
        lines.append(f"* {about} ({len(names)} workloads)\n")
    return "".join(lines)


def _commands(workloads):
    lines = ["| name | what `bench/load` does |\n|---|---|\n"]
    for workload in workloads:
        steps = [f"`{command}`" for command in (workload.prepare, workload.load) if command] or [f"see `{workload.measure}` in `bench/pairs/measures.py`"]
        if workload.plain:
            steps.append(f"against `{workload.plain}`")
        lines.append(f"| `{workload.name}` | {', then '.join(steps)} |\n")
    return "".join(lines)
