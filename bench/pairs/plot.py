"""The plot of results: for every figure with a rival the ratio to the floor and to Apache Kafka, on one logarithmic axis.

Written as SVG by hand, on a white ground, so that it reads the same everywhere.
"""

import math
from xml.sax.saxutils import escape

from pairs import ratios
from pairs.markdown import FLOORS, number

WIDTH, LABELS, RIGHT = 1040, 430, 90
ROW, TOP, BOTTOM = 34, 64, 30
LABEL = 60  # of a ratio, at most
COLOURS = {"floor": "#2b6cb0", "kafka": "#c05621"}
INK, GRID, BAR = "#1a202c", "#e2e8f0", "#1a202c"


def svg(workloads, results):
    """The whole document."""
    rows = list(_rows(workloads, results))
    values = [value for _, _, kinds in rows for middle, limit in kinds.values() for value in (middle.low, middle.high, limit) if value]
    low, high = _decades(values)
    height = TOP + ROW * len(rows) + BOTTOM

    def x(value):
        return LABELS + (WIDTH - LABELS - RIGHT) * (math.log10(value) - low) / (high - low)

    body = [_text(16, 26, "Milena beside the floor and Apache Kafka: median of the ratios inside the pairs, logarithmic", 15, bold=True)]
    body += _legend()
    for exponent in range(low, high + 1):
        at = x(10**exponent)
        body.append(_line(at, TOP - 6, at, height - BOTTOM, INK if exponent == 0 else GRID))
        body.append(_text(at, height - 10, f"{10.0**exponent:g}x", 11, anchor="middle"))
    for n, (label, better, kinds) in enumerate(rows):
        middle_y = TOP + ROW * n + ROW / 2
        body.append(_text(LABELS - 10, middle_y + 4, f"{label} {better}", 11, anchor="end"))
        for kind, (value, limit) in kinds.items():
            body += _whisker(x, middle_y + (-6 if kind == "floor" else 6), value, limit, COLOURS[kind])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _rows(workloads, results):
    """(label, direction, {"floor" or "kafka": (spread, limit or None)}) of every figure that has a ratio."""
    for workload in workloads:
        pairs = results.pairs(workload)
        for metric in workload.metrics if pairs else ():
            limits = {bar.rival: bar.limit for bar in metric.bars}
            kinds = {}
            for rival in (*FLOORS, "kafka"):
                value = ratios.spread(ratios.ratios(pairs, rival, metric))
                if value and value.low > 0:
                    kinds["kafka" if rival == "kafka" else "floor"] = (value, limits.get(rival))
            if kinds:
                yield f"{workload.name}: {metric.name}", "▶" if metric.more_is_better else "◀", kinds


def _decades(values):
    if not values:
        return -1, 1
    return math.floor(math.log10(min(values))), max(math.ceil(math.log10(max(values))), 1)


def _whisker(x, y, value, limit, colour):
    parts = [_line(x(value.low), y, x(value.high), y, colour, 2), f'<circle cx="{x(value.median):.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>']
    after = x(value.high)
    if limit and after < x(limit) < after + LABEL:
        after = x(limit)
    parts.append(_text(after + 8, y + 4, f"{number(value.median)}x", 10, colour))
    if limit:
        parts.append(_line(x(limit), y - 6, x(limit), y + 6, BAR, 2))
    return parts


def _legend():
    at = TOP - 22
    return [
        f'<circle cx="20" cy="{at - 4}" r="4" fill="{COLOURS["floor"]}"/>', _text(30, at, "ours / floor (null broker, raw read, plain)", 11),
        f'<circle cx="300" cy="{at - 4}" r="4" fill="{COLOURS["kafka"]}"/>', _text(310, at, "ours / Apache Kafka", 11),
        _line(450, at - 10, 450, at + 2, BAR, 2), _text(458, at, "the bar;  ◀ less is better, ▶ more is better;  whiskers: least and most of the pairs", 11),
    ]  # fmt: skip


def _line(x1, y1, x2, y2, colour, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _text(x, y, text, size, colour=INK, anchor="start", bold=False):
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'
