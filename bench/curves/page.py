"""The tables of the curves, and docs/SCALING.md, where they stand between marks."""

from pairs import ROOT
from pairs.docs import replaced
from pairs.markdown import number

PAGE = ROOT / "docs/SCALING.md"


def table(labels, rows):
    """A Markdown table with a column for each row of figures, so that a curve reads from left to right."""
    lines = ["| " + " | ".join([label, *(number(row[key]) for row in rows)]) + " |" for key, label in labels.items()]
    return "\n".join([lines[0], "|---" + "|---:" * len(rows) + "|", *lines[1:]]) + "\n"


def about(machine, load, seconds):
    """The line above a table: where and when it was measured."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, Linux {machine['kernel']}, commit {machine['commit']}; "
        f"load of the machine when it began {load:.1f}; {seconds:.0f} s.\n\n"
    )


def write(parts):
    """Puts the parts, {name: text}, between the page's marks and leaves the others as they are."""
    text = PAGE.read_text()
    for name, part in parts.items():
        text = replaced(text, name, part)
    PAGE.write_text(text)
