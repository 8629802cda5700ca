"""The table of results, as Markdown."""

from pairs import ratios
from pairs.targets import NAMES, PEERS

RIVALS = NAMES | {"plain": "plain", "raw": "raw read"}
FLOORS = ("null", "raw", "plain")
HEAD = ("workload", "figure", "Milena", "floor", "ours / floor", "bar", "Apache Kafka", "ours / Kafka", "bar", "floor / Kafka")


def table(workloads, results):
    """One row for each figure of each workload that was measured."""
    lines = [_row(HEAD), _row(["---"] * 2 + ["---:"] * (len(HEAD) - 2))]
    for workload in workloads:
        pairs = results.pairs(workload)
        for n, metric in enumerate(workload.metrics if pairs else ()):
            lines.append(_row([workload.title if n == 0 else "", *_figures(pairs, metric)]))
    return "\n".join(lines) + "\n"


def peers(workloads, results):
    """Ours beside each small peer that was measured."""
    lines = [_row(("workload", "figure", "Milena", "peer", "", "ours / peer")), _row(["---"] * 2 + ["---:", "---", "---:", "---:"])]
    for workload in workloads:
        pairs = results.pairs(workload)
        for metric in workload.metrics if pairs else ():
            for peer in PEERS:
                theirs = ratios.spread(ratios.figures_of(pairs, peer, metric))
                if theirs is None:
                    continue
                ours = ratios.spread(ratios.figures_of(pairs, ratios.OURS, metric))
                ratio = _spread(ratios.spread(ratios.ratios(pairs, peer, metric)), "x")
                lines.append(_row((workload.title, f"{metric.name}, {metric.unit}", number(ours.median), RIVALS[peer], number(theirs.median), ratio)))
    return "\n".join(lines) + "\n"


def tally(workloads, results):
    """(bars met, bars judged, [what misses])."""
    met, judged, missing = 0, 0, []
    for workload in workloads:
        pairs = results.pairs(workload)
        for metric in workload.metrics if pairs else ():
            for verdict in ratios.verdicts(pairs, metric):
                judged += 1
                met += verdict.met
                if not verdict.met:
                    missing.append(f"{workload.title}: {metric.name}{_against(verdict)} {_miss(verdict)}{_reach(pairs, metric, verdict)}")
    return met, judged, missing


def _floor(pairs, metric):
    return next((rival for rival in FLOORS if ratios.figures_of(pairs, rival, metric)), None)


def _reach(pairs, metric, verdict):
    """What to add to a missed bar that the floor misses as well."""
    floor = _floor(pairs, metric) if verdict.rival == "kafka" else None
    reached = ratios.spread(ratios.ratios(pairs, "kafka", metric, of=floor)) if floor else None
    if reached is None or ratios.meets(reached.median, verdict.limit, metric.more_is_better):
        return ""
    return f"; beyond the floor, which reaches {number(reached.median)}"


def _figures(pairs, metric):
    floor = _floor(pairs, metric)
    verdicts = {verdict.rival: verdict for verdict in ratios.verdicts(pairs, metric)}
    ours = _spread(ratios.spread(ratios.figures_of(pairs, ratios.OURS, metric)))
    if None in verdicts:
        ours += f"<br>{_bar(verdicts[None], metric)}"
    cells = [f"{metric.name}, {metric.unit}", ours]
    for rival in (floor, "kafka"):
        theirs = ratios.spread(ratios.figures_of(pairs, rival, metric)) if rival else None
        note = f" ({RIVALS[rival]})" if theirs and rival in ("raw", "plain") else ""
        cells += [
            (number(theirs.median) + note) if theirs else "",
            _spread(ratios.spread(ratios.ratios(pairs, rival, metric)), "x") if theirs else "",
            _bar(verdicts[rival], metric) if rival and rival in verdicts else "",
        ]
    cells.append(_ratio(ratios.spread(ratios.ratios(pairs, "kafka", metric, of=floor))) if floor else "")
    return cells


def _bar(verdict, metric):
    sign = "≥" if metric.more_is_better else "≤"
    unit = f" {metric.unit}" if verdict.rival is None else "x"
    return f"{sign} {number(verdict.limit)}{unit} {'met' if verdict.met else '**' + _miss(verdict) + '**'} ({verdict.agreeing}/{verdict.pairs})"


def _miss(verdict):
    if verdict.value is None:
        return "not measured"
    return f"{number(verdict.value.median)} instead of {number(verdict.limit)}"


def _against(verdict):
    return "" if verdict.rival is None else f" against {RIVALS[verdict.rival]}"


def _spread(spread, suffix=""):
    if spread is None:
        return ""
    return f"**{number(spread.median)}{suffix}** [{number(spread.low)}–{number(spread.high)}]"


def _ratio(spread):
    return "" if spread is None else f"{number(spread.median)}x"


def number(value):
    """Three digits that matter."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _row(cells):
    return "| " + " | ".join(cells) + " |"
