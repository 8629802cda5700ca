#!/usr/bin/env python3
"""The oracle's own test: every wrong that it exists for is found, and nothing that a start may do."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import records  # noqa: E402

from inventory import Inventory, differences, whole_batches  # noqa: E402

TOPIC, GONE = "A" * 22, "B" * 22
SEGMENT = "00000000000000000000"


class DifferencesTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="inventory-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.batch = records.batch([b"one", b"two"])
        self.partition = self.make("orders-0", TOPIC, self.batch)
        self.make("empty-0", TOPIC, b"")
        self.make("gone-0." + "0" * 32 + "-delete", GONE, self.batch)
        (self.root / "photos-2024").mkdir()
        (self.root / "photos-2024" / "a.jpg").write_bytes(b"picture")
        (self.root / "meta.properties").write_text("version=1\n")
        (self.root / "recovery-point-offset-checkpoint").write_text("0\n0\n")
        (self.root / ".kafka_cleanshutdown").write_text("{}")
        self.before = self.scan()

    def make(self, name, topic, log):
        directory = self.root / name
        directory.mkdir()
        (directory / "partition.metadata").write_text(f"version: 0\ntopic_id: {topic}")
        (directory / f"{SEGMENT}.log").write_bytes(log)
        (directory / f"{SEGMENT}.index").write_bytes(b"")
        return directory

    def scan(self):
        return Inventory([self.root])

    def found(self, **options):
        return differences(self.before, self.scan(), {TOPIC}, **options)

    def replace(self, path, data):
        beside = path.with_name("beside")
        beside.write_bytes(data)
        beside.rename(path)

    def test_nothing_happened(self):
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(untouched=[0]), [])

    def test_what_a_start_may_do(self):
        (self.root / ".kafka_cleanshutdown").unlink()
        self.replace(self.root / "recovery-point-offset-checkpoint", b"0\n1\norders 0 2\n")
        (self.partition / f"{SEGMENT}.index").unlink()
        with open(self.partition / f"{SEGMENT}.log", "ab") as log:
            log.write(self.batch)
        shutil.rmtree(self.root / ("gone-0." + "0" * 32 + "-delete"))
        self.replace(self.root / "empty-0" / "partition.metadata", b"version: 0\ntopic_id: " + TOPIC.encode())
        self.assertEqual(self.found(), [])
        self.assertNotEqual(self.found(untouched=[0]), [])

    def test_a_torn_tail_may_go(self):
        with open(self.partition / f"{SEGMENT}.log", "ab") as log:
            log.write(self.batch[:-1])
        self.before = self.scan()
        with open(self.partition / f"{SEGMENT}.log", "ab") as log:
            log.truncate(len(self.batch))
        self.assertEqual(self.found(), [])

    def test_stray(self):
        self.partition.rename(self.root / ("orders-0." + "1" * 32 + "-stray"))
        self.assertEqual(differences(self.before, self.scan(), {GONE}), [])
        self.assertNotEqual(self.found(), [])

    def test_a_removed_partition(self):
        shutil.rmtree(self.partition)
        self.assertTrue(any("orders-0" in line and "removed" in line for line in self.found()))

    def test_a_lost_batch(self):
        with open(self.partition / f"{SEGMENT}.log", "ab") as log:
            log.truncate(len(self.batch) - 1)
        self.assertIn("lost", "".join(self.found()))

    def test_a_new_partition_in_the_place_of_the_old(self):
        data = (self.partition / "partition.metadata").read_bytes()
        self.replace(self.partition / "partition.metadata", data)
        self.assertIn("removed", "".join(self.found()))

    def test_an_empty_directory_of_a_deleted_partition_may_go(self):
        left = self.root / ("gone-1." + "3" * 32 + "-delete")
        left.mkdir()
        self.before = self.scan()
        left.rmdir()
        self.assertEqual(self.found(), [])

    def test_a_deleted_partition_of_a_live_topic(self):
        old = self.root / ("orders-0." + "2" * 32 + "-delete")
        shutil.copytree(self.partition, old)
        self.before = self.scan()
        shutil.rmtree(old)
        self.assertIn("-delete", "".join(self.found()))

    def test_a_foreign_folder_is_removed(self):
        shutil.rmtree(self.root / "photos-2024")
        self.assertIn("photos-2024", "".join(self.found()))

    def test_a_foreign_folder_is_renamed(self):
        (self.root / "photos-2024").rename(self.root / ("photos-2024." + "3" * 32 + "-stray"))
        self.assertIn("renamed", "".join(self.found()))

    def test_a_foreign_file_is_changed(self):
        (self.root / "photos-2024" / "a.jpg").write_bytes(b"another")
        self.assertIn("changed", "".join(self.found()))

    def test_whole_batches(self):
        self.assertEqual(whole_batches(self.batch), len(self.batch))
        self.assertEqual(whole_batches(self.batch * 2 + bytes(100)), 2 * len(self.batch))
        self.assertEqual(whole_batches(self.batch + self.batch[:-1]), len(self.batch))
        self.assertEqual(whole_batches(b""), 0)


if __name__ == "__main__":
    unittest.main()
