"""What lies in the log directories, inode by inode, and what a start may do to it.

A start may unlink or rewrite what `_fate` lists, append to a log, cut a tail that is no whole batch, rename a
directory to -stray whose topic is gone, and remove a -delete directory of such a topic. Everything else has the same
inode, the same bytes and the same name afterwards; so has all of a directory that the start was not given.
"""

import re
import struct
from dataclasses import dataclass

_BATCH_HEADER = struct.Struct(">qiibI")
_BATCH_LENGTH_MIN = 49

PARTITION = re.compile(r"^(?P<topic>[A-Za-z0-9._-]+)-(?P<index>\d+)$")
RENAMED = re.compile(r"^(?P<partition>[A-Za-z0-9._-]+-\d+)\.[0-9a-fA-F]{32}-(?P<state>delete|stray|future)$")
_OFFSET = r"^\d{20}(-\d{10})?"  # what names of segments, indexes and snapshots begin with
_LOG = re.compile(_OFFSET + r"\.log$")
_REBUILT = re.compile(_OFFSET + r"\.(index|timeindex|txnindex|snapshot)$|^milena-index-checksums$")
_LEFTOVER = re.compile(_OFFSET + r"\.(log|index|timeindex|txnindex|snapshot|checkpoint)\.(cleaned|swap|deleted|part|tmp)$")
_METADATA_SNAPSHOT = re.compile(_OFFSET + r"\.checkpoint$")
_PARTITION_METADATA = re.compile(rb"^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?$")
_MARKERS = {".kafka_cleanshutdown", ".milena-io-failed", ".milena-last-seen", ".milena-followed-metadata",
            ".milena-boot-id", ".lock"}
# Written anew beside the old one and renamed over it: of a log directory, of a partition.
_OF_DIRECTORY = {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint", ".milena-log-dirs"}
_OF_PARTITION = {"leader-epoch-checkpoint", "quorum-state"}
_BEGUN = {f"{name}.tmp" for name in (*_OF_DIRECTORY, *_OF_PARTITION, "meta.properties", "partition.metadata")}

SAME, APPENDED, STAYS, FREE = "same inode and bytes", "no batch is lost", "a file of that name stays", "anything"


@dataclass
class Entry:
    disk: int
    path: str  # within its disk
    inode: int
    data: bytes | None  # None: no file

    @property
    def parts(self):
        return self.path.split("/")

    def __str__(self):
        return f"disk {self.disk}: {self.path}"


class Inventory:
    """Every entry of the disks as they stand. `roots`: their paths, in the order of their numbers."""

    def __init__(self, roots):
        self._by_inode = {}
        self._by_path = {}
        for number, root in enumerate(roots):
            for path in root.rglob("*"):
                self._add(number, root, path)

    def _add(self, number, root, path):
        relative = str(path.relative_to(root))
        if relative.split("/")[0] == "lost+found":
            return
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        entry = Entry(number, relative, path.lstat().st_ino, data)
        self._by_inode[number, entry.inode] = entry
        self._by_path[number, relative] = entry

    def entries(self):
        return self._by_inode.values()

    def find(self, disk, path):
        return self._by_path.get((disk, path))

    def same_inode(self, entry):
        return self._by_inode.get((entry.disk, entry.inode))

    def partitions(self, disk=None):
        """{"orders-0": disk} of the live partitions."""
        return {
            entry.path: entry.disk
            for entry in self.entries()
            if len(entry.parts) == 1 and entry.data is None and PARTITION.match(entry.path) and disk in (None, entry.disk)
        }

    def below(self, disk, directory):
        """What lies in a directory."""
        return [entry for entry in self.entries() if entry.disk == disk and entry.path.startswith(f"{directory}/")]

    def topic_id(self, disk, directory):
        """The topic id in a directory's partition.metadata; None without a valid one."""
        entry = self.find(disk, f"{directory}/partition.metadata")
        found = _PARTITION_METADATA.match(entry.data or b"") if entry else None
        return found[1].decode() if found else None

    def has_batches(self, disk, directory):
        return any(
            entry.disk == disk and len(entry.parts) == 2 and entry.parts[0] == directory and _LOG.match(entry.parts[1]) and whole_batches(entry.data)
            for entry in self.entries()
        )


def whole_batches(data):
    """The bytes of a segment up to the end of its last whole batch."""
    at = 0
    while at + _BATCH_HEADER.size <= len(data):
        _, length, _, magic, _ = _BATCH_HEADER.unpack_from(data, at)
        if magic != 2 or length < _BATCH_LENGTH_MIN or at + 12 + length > len(data):
            break
        at += 12 + length
    return at


def differences(before, after, live_topics, untouched=()):
    """What happened between two inventories that no start has a right to, a line each.

    `live_topics`: ids of the topics that exist, as partition.metadata has them. `untouched`: numbers of disks where
    nothing at all may have happened.
    """
    wrong = []
    for entry in before.entries():
        fate = SAME if entry.disk in untouched else _fate(entry, before, live_topics)
        deleted = before.topic_id(entry.disk, entry.parts[0]) not in (None, *live_topics)
        wrong += _judge(entry, after, fate, may_move=deleted and entry.disk not in untouched)
    for disk in untouched:
        wrong += [f"{entry} was made" for entry in after.entries() if entry.disk == disk and before.same_inode(entry) is None]
    return wrong


def _fate(entry, before, live_topics):
    """What a start may do to an entry."""
    top, *below = entry.parts
    if not below:
        if top in _MARKERS or top in _BEGUN:
            return FREE
        if top in _OF_DIRECTORY:
            return STAYS
    renamed = RENAMED.match(top)
    if renamed and renamed["state"] == "delete":
        topic = before.topic_id(entry.disk, top)
        if not before.below(entry.disk, top):  # what an interrupted removal has left
            return FREE
        return FREE if topic is not None and topic not in live_topics else SAME
    if len(below) != 1 or not PARTITION.match(top):
        return SAME
    return _fate_in_partition(entry, before, top, below[0])


def _fate_in_partition(entry, before, directory, name):
    if _REBUILT.match(name) or _LEFTOVER.match(name) or name in _BEGUN:
        return FREE
    if name in _OF_PARTITION or _METADATA_SNAPSHOT.match(name):
        return STAYS
    if _LOG.match(name):
        return APPENDED
    if name == "partition.metadata" and not before.has_batches(entry.disk, directory):
        return STAYS
    return SAME


def _judge(entry, after, fate, may_move):
    if fate == FREE:
        return []
    if fate == STAYS and after.find(entry.disk, entry.path) is not None:
        return []
    found = after.same_inode(entry)
    if found is None or (found.data is None) != (entry.data is None):  # or a new one has its inode's number
        return [f"{entry} was removed"]
    if found.path != entry.path and not (may_move and _set_apart(entry, found)):
        return [f"{entry} was renamed to {found.path}"]
    if fate == APPENDED and entry.data is not None:
        kept = entry.data[: whole_batches(entry.data)]
        return [] if (found.data or b"").startswith(kept) else [f"{entry} has lost some of its {len(kept)} bytes of batches"]
    return [] if fate == STAYS or found.data == entry.data else [f"{entry} was changed"]


def _set_apart(entry, found):
    """Whether the directory of a partition, and nothing below it, was given a name with -stray or -delete."""
    renamed = RENAMED.match(found.parts[0])
    return (
        renamed is not None
        and renamed["state"] in ("stray", "delete")
        and renamed["partition"] == entry.parts[0]
        and found.parts[1:] == entry.parts[1:]
    )
