#!/usr/bin/env python3
"""The arithmetic and the rendering of the paired runner, on figures made up here."""

import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pairs import docs, generator, markdown, plot, ratios  # noqa: E402
from pairs.measures import MEASURES  # noqa: E402
from pairs.results import Results  # noqa: E402
from pairs.targets import PEERS  # noqa: E402
from pairs.workloads import WORKLOADS, Metric, Workload, bars, find  # noqa: E402

COST = Metric("cost", "broker CPU", "s/GB", bars(null=1.5, kafka=0.1, absolute=3))
SPEED = Metric("speed", "throughput", "MB/s", bars(raw=0.7), more_is_better=True)
WORKLOAD = Workload("made-up", "a made-up workload", (COST, SPEED))


def pair(ours, floor, kafka, speed=80.0):
    return {"milena": {"cost": ours, "speed": speed, "raw.speed": 100.0}, "null": {"cost": floor}, "kafka": {"cost": kafka}}


# The second pair was disturbed: both halves of it cost ten times as much.
PAIRS = [pair(1.2, 1.0, 20.0), pair(14.0, 10.0, 200.0), pair(1.6, 1.0, 10.0)]


class Ratios(unittest.TestCase):
    def test_a_ratio_is_formed_inside_a_pair_so_a_disturbance_of_both_halves_falls_out(self):
        self.assertEqual([round(one, 3) for one in ratios.ratios(PAIRS, "null", COST)], [1.2, 1.4, 1.6])

    def test_the_median_is_judged_and_the_pairs_that_agree_are_counted(self):
        floor, kafka, own = ratios.verdicts(PAIRS, COST)
        self.assertEqual((floor.met, floor.agreeing, floor.pairs), (True, 2, 3))
        self.assertEqual((kafka.met, kafka.agreeing), (True, 2))
        self.assertEqual((own.rival, own.met, own.value.median), (None, True, 1.6))

    def test_more_is_better_turns_the_bar_around(self):
        self.assertTrue(ratios.verdicts(PAIRS, SPEED)[0].met)
        slow = [pair(1.0, 1.0, 1.0, speed=60.0)]
        self.assertFalse(ratios.verdicts(slow, SPEED)[0].met)

    def test_a_floor_that_ours_measured_itself_is_a_rival(self):
        self.assertEqual(ratios.ratios(PAIRS, "raw", SPEED), [0.8, 0.8, 0.8])

    def test_what_was_not_measured_meets_no_bar(self):
        verdict = ratios.verdicts([{"milena": {"cost": 1.0}}], COST)[0]
        self.assertEqual((verdict.met, verdict.value), (False, None))


class Shown(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.path = Path(scratch.name) / "results.json"
        self.results = Results(self.path)
        self.results.add(WORKLOAD, PAIRS)

    def test_results_survive_the_run_and_a_later_run_keeps_the_others(self):
        other = Workload("other", "another", (COST,))
        Results(self.path).add(other, PAIRS[:1])
        again = Results(self.path)
        self.assertEqual((again.pairs(WORKLOAD), again.pairs(other)), (PAIRS, PAIRS[:1]))

    def test_the_table_has_a_row_for_each_figure_with_as_many_cells_as_its_head(self):
        lines = markdown.table([WORKLOAD], self.results).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.count("|") for line in lines}, {len(markdown.HEAD) + 1})
        self.assertIn("**1.4x** [1.2–1.6] | ≤ 1.5x met (2/3)", lines[2])

    def test_a_small_peer_that_was_measured_has_its_row(self):
        self.results.add(WORKLOAD, [one | {"kfake": {"cost": 4.0}} for one in PAIRS])
        head, _, *rows = markdown.peers([WORKLOAD], self.results).splitlines()
        self.assertEqual(rows, ["| a made-up workload | broker CPU, s/GB | 1.6 | kfake | 4 | **0.4x** [0.3–3.5] |"])

    def test_the_tally_names_what_misses_and_by_how_much(self):
        self.results.add(WORKLOAD, [pair(2.0, 1.0, 20.0)])
        met, judged, missing = markdown.tally([WORKLOAD], self.results)
        self.assertEqual((met, judged, missing), (3, 4, ["a made-up workload: broker CPU against null broker 2 instead of 1.5"]))

    def test_the_plot_is_a_document_with_a_dot_for_each_ratio(self):
        document = xml.dom.minidom.parseString(plot.svg([WORKLOAD], self.results))
        legend = 2
        self.assertEqual(len(document.getElementsByTagName("circle")), legend + 3)

    def test_a_generated_part_of_the_page_is_exchanged_and_the_rest_stays(self):
        page = "a\n<!-- table: generated -->\nold\n<!-- table: end -->\nb\n"
        self.assertEqual(docs.replaced(page, "table", "new \\1\n"), page.replace("old", "new \\1"))
        with self.assertRaises(RuntimeError):
            docs.replaced(page, "plot", "new")


class Table(unittest.TestCase):
    def test_names_are_unique_and_every_measure_and_rival_exists(self):
        self.assertEqual(len({one.name for one in WORKLOADS}), len(WORKLOADS))
        for one in WORKLOADS:
            self.assertIn(one.measure, MEASURES)
            self.assertLessEqual(set(one.rivals), {"null", "kafka", "plain", *PEERS})
            self.assertEqual("plain" in one.rivals, bool(one.plain))

    def test_an_unknown_workload_is_refused(self):
        with self.assertRaises(ValueError):
            find(["no-such"])

    def test_nested_figures_are_joined_by_dots(self):
        self.assertEqual(generator.flat({"mode": "latency", "latency_us": {"p50": 7}}), {"latency_us.p50": 7})


if __name__ == "__main__":
    unittest.main()
