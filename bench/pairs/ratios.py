"""From the figures of all pairs to medians, ratios and verdicts.

A ratio is formed inside one pair, because what disturbs a shared machine disturbs both halves; the median over the pairs
is judged, its extremes are shown.
"""

import statistics
from dataclasses import dataclass

OURS = "milena"


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """A bar and how it went: `value` is a ratio with a rival, else the figure; None where nothing was measured."""

    rival: str | None
    limit: float
    value: Spread | None
    met: bool
    agreeing: int  # pairs that meet the bar on their own
    pairs: int


def spread(values):
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def figures_of(pairs, contestant, metric):
    """The metric of a contestant in each pair, in its unit; a floor that ours brought along counts as a contestant."""
    own, brought = metric.key, f"{contestant}.{metric.key}"
    return [
        metric.factor * (pair[contestant][own] if contestant in pair else pair[OURS][brought])
        for pair in pairs
        if own in pair.get(contestant, {}) or brought in pair[OURS]
    ]


def ratios(pairs, rival, metric, of=OURS):
    """Ours (or `of`'s) over the rival's, pair by pair. A rival's zero makes no ratio."""
    mine, theirs = figures_of(pairs, of, metric), figures_of(pairs, rival, metric)
    return [a / b for a, b in zip(mine, theirs) if b] if len(mine) == len(theirs) else []


def meets(value, limit, more_is_better):
    return value >= limit if more_is_better else value <= limit


def verdicts(pairs, metric):
    """One verdict for each bar of the metric."""
    found = []
    for bar in metric.bars:
        values = ratios(pairs, bar.rival, metric) if bar.rival else figures_of(pairs, OURS, metric)
        middle = spread(values)
        met = middle is not None and meets(middle.median, bar.limit, metric.more_is_better)
        agreeing = sum(meets(value, bar.limit, metric.more_is_better) for value in values)
        found.append(Verdict(bar.rival, bar.limit, middle, met, agreeing, len(values)))
    return found
