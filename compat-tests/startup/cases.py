"""Mistakes of operators and things found in log directories: each is made, started in, and taken back.

A case is a context manager over a site like a state, but what it puts there is seen: it too must survive the start.
"""

import contextlib
import re
import shutil

from lib import records

from disks import run
from inventory import whole_batches
from journal import name_of
from sites import REFUSE, START
from states import Broken, directories

METADATA = "__cluster_metadata-0"
HEX = "0123456789abcdef" * 2
UNKNOWN_TOPIC = "kvmWmrqFQnyhyYBEoRrqgA"
SEGMENT = f"{0:020}.log"


# ---- where the metadata lies


@contextlib.contextmanager
def metadata_named(site, number):
    """metadata.log.dir names the directory where it lies, whatever the order of log.dirs."""
    paths = [disk.path for disk in site.disks]
    with properties(site, {"metadata.log.dir": paths[0]}), directories(site, [paths[number], *paths[:number], *paths[number + 1 :]]):
        yield Broken(must=START)


@contextlib.contextmanager
def metadata_named_elsewhere(site):
    """metadata.log.dir names a directory where it does not lie."""
    with properties(site, {"metadata.log.dir": site.disks[1].path}):
        yield Broken([str(site.disks[1].path)], must=REFUSE)


@contextlib.contextmanager
def metadata_named_outside(site):
    """metadata.log.dir names a new directory that is none of log.dirs."""
    outside = site.home / "outside"
    outside.mkdir()
    with properties(site, {"metadata.log.dir": outside}):
        yield Broken([str(outside)], must=REFUSE)


@contextlib.contextmanager
def metadata_moved(site):
    """The metadata log was moved to another log directory by hand."""
    old, new = site.disks[0].path / METADATA, site.disks[1].path / METADATA
    old.rename(new)
    yield Broken([str(site.disks[0].path), str(site.disks[1].path)])
    if site.node.process.returncode == 1:
        new.rename(old)


@contextlib.contextmanager
def metadata_removed(site):
    with moved_away(site, site.disks[0].path / METADATA):
        yield Broken([str(disk.path) for disk in site.disks], must=REFUSE)


@contextlib.contextmanager
def metadata_emptied(site):
    """Its directory is there, with nothing in it."""
    directory = site.disks[0].path / METADATA
    with moved_away(site, directory):
        directory.mkdir()
        yield Broken([str(site.disks[0].path)], must=REFUSE)


@contextlib.contextmanager
def metadata_twice(site):
    copy = site.disks[1].path / METADATA
    run("cp", "-a", site.disks[0].path / METADATA, copy)
    yield Broken([str(site.disks[1].path)], must=REFUSE)
    shutil.rmtree(copy)


# ---- partition.metadata


@contextlib.contextmanager
def partition_metadata(site, partition, content):
    """A partition's partition.metadata is gone (None), or holds something else."""
    number = site.places[partition]
    path = site.disks[number].path / partition / "partition.metadata"
    batches = site.inventory().has_batches(number, partition)
    good = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    newer = content is not None and content.startswith(b"version: 1")  # refused, not repaired
    yield Broken([str(path.parent)], offline={partition} if batches or newer else set(), must=START)
    path.write_bytes(good)


@contextlib.contextmanager
def adopted(site, partition):
    """The command that the log names brings a partition back."""
    number = site.places[partition]
    path = site.disks[number].path / partition / "partition.metadata"
    good = path.read_bytes()
    path.unlink()
    site.check_start([str(path.parent)], {partition}, START)
    site.end("stop")
    assert f"--adopt {partition}" in site.node.said(), f"the log names no command:\n{site.node.said()}"
    run(site.node.binary, "verify", site.disks[number].path, "--adopt", partition)
    assert path.read_bytes().strip() == good.strip(), f"adopted as {path.read_bytes()!r}, it was {good!r}"
    yield Broken(must=START)


# ---- directories of others


@contextlib.contextmanager
def meta_properties(site, number, pattern, replacement, must):
    """meta.properties says something else."""
    path = site.disks[number].path / "meta.properties"
    good = path.read_text()
    path.write_text(re.sub(pattern, replacement, good))
    assert path.read_text() != good
    yield Broken([str(disk.path) for disk in site.disks], must=must)  # which of them is the wrong one, nobody can know
    path.write_text(good)


@contextlib.contextmanager
def meta_properties_lost(site, number, content):
    path = site.disks[number].path / "meta.properties"
    good = path.read_text()
    path.unlink() if content is None else path.write_text(content)
    yield Broken([str(site.disks[number].path)], offline=site.partitions_on({number}))
    path.write_text(good)


@contextlib.contextmanager
def same_directory_id(site):
    """One directory's meta.properties was copied over another's."""
    good = (site.disks[1].path / "meta.properties").read_text()
    shutil.copy(site.disks[0].path / "meta.properties", site.disks[1].path / "meta.properties")
    yield Broken([str(disk.path) for disk in site.disks], must=REFUSE)
    (site.disks[1].path / "meta.properties").write_text(good)


@contextlib.contextmanager
def newer_file(site, name, pattern, replacement):
    """A file of a version that is not known yet: it is neither believed nor written anew."""
    number = 1 if name.startswith("orders") else 0
    partition = next(p for p in sorted(site.places) if p.startswith("orders") and site.places[p] == number) if number else None
    path = site.disks[number].path / name.replace("orders", str(partition))
    good = path.read_text()
    path.write_text(re.sub(pattern, replacement, good, count=1))
    newer = path.read_text()
    assert newer != good
    yield Broken([str(path), str(path.parent), str(site.disks[number].path)], offline={partition} if partition else set())
    assert path.read_text() == newer, f"{path} was written anew: {path.read_text()!r}"
    path.write_text(good)


@contextlib.contextmanager
def marker(site, number, content):
    """The clean-shutdown marker of one directory is of another epoch, of a newer version, damaged, or gone (None)."""
    path = site.disks[number].path / ".kafka_cleanshutdown"
    path.unlink(missing_ok=True) if content is None else path.write_text(content)
    yield Broken(must=START)


# ---- things that lie there


@contextlib.contextmanager
def unknown_files(site):
    """Files and folders of others, at every level, some with names like ours."""
    folders = [disk.path / name for disk in site.disks for name in ("photos-2024", "my-project-7", "lost+found-2", ".snapshots", "a-b-c-")]
    for folder in folders:
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "picture.jpg").write_bytes(b"picture")
        (folder / SEGMENT).write_bytes(records.batch([b"looks like a segment"]))
    inside = [site.disks[at].path / partition for partition, at in site.places.items()]
    for folder in [disk.path for disk in site.disks] + inside:
        for name in ("README.md", "backup.tar", "notes.log", "1.index", "00000000000000000000.log.bak"):
            (folder / name).write_bytes(b"of somebody else")
        (folder / "subfolder").mkdir()
        (folder / "subfolder" / SEGMENT).write_bytes(b"of somebody else")
        (folder / "link").symlink_to("/etc/hostname")
    yield Broken(must=START)


@contextlib.contextmanager
def renamed_directories(site):
    """Directories with Kafka's suffixes: strays, partitions that move, deletions, and some that only look like these."""
    for disk, partition in [(site.disks[at], name) for name, at in site.places.items() if name.startswith("orders-")]:
        for state in ("stray", "future", "delete"):
            run("cp", "-a", disk.path / partition, disk.path / f"{partition}.{HEX}-{state}")
        for state in ("stray", "delete"):
            other = disk.path / f"old-{partition[-1]}.{HEX}-{state}"
            run("cp", "-a", disk.path / partition, other)
            (other / "partition.metadata").write_text(f"version: 0\ntopic_id: {UNKNOWN_TOPIC}")
        photos = disk.path / f"photos-1.{HEX}-delete"
        photos.mkdir(exist_ok=True)
        (photos / "picture.jpg").write_bytes(b"picture")
    yield Broken(must=START)


@contextlib.contextmanager
def partition_twice(site):
    """One partition lies in two directories."""
    number = site.places["orders-0"]
    original, copy = site.disks[number].path / "orders-0", site.disks[1 - number].path / "orders-0"
    run("cp", "-a", original, copy)
    yield Broken([str(original), str(copy), str(site.disks[0].path), str(site.disks[1].path)], offline={"orders-0"}, new_topics=False)
    for found in site.disks[1 - number].path.glob("orders-0*"):
        shutil.rmtree(found)


@contextlib.contextmanager
def partition_moved(site):
    """One partition was moved to another directory by hand."""
    number = site.places["orders-0"]
    (site.disks[number].path / "orders-0").rename(site.disks[1 - number].path / "orders-0")
    yield Broken([str(site.disks[number].path), str(site.disks[1 - number].path)], offline={"orders-0"})
    if "orders-0" in site.offline or site.node.process.returncode == 1:
        (site.disks[1 - number].path / "orders-0").rename(site.disks[number].path / "orders-0")


@contextlib.contextmanager
def torn_tail(site):
    """Half a batch at the end of every segment, as a crash leaves it."""
    for (topic, index), values in site.journal.values.items():
        if values:
            path = site.disks[site.places[f"{topic}-{index}"]].path / f"{topic}-{index}" / SEGMENT
            with open(path, "r+b") as log:
                log.seek(whole_batches(path.read_bytes()))
                log.write(records.batch([b"torn" * 100], base_offset=len(values))[:-7])
    clean = (site.disks[0].path / ".kafka_cleanshutdown").exists()  # then nobody expects this, and it may be taken for damage
    yield Broken([str(disk.path) for disk in site.disks], offline=set(site.places) if clean else set(), must=START)
    for name, at in site.places.items():
        if name in site.offline:
            path = site.disks[at].path / name / SEGMENT
            with open(path, "r+b") as log:
                log.truncate(whole_batches(path.read_bytes()))


@contextlib.contextmanager
def listed_twice(site):
    paths = [disk.path for disk in site.disks]
    with directories(site, [*paths, f"{paths[0]}/"]):
        yield Broken([str(paths[0])])


@contextlib.contextmanager
def nested(site):
    """log.dirs names a directory and one that lies within it."""
    inner = site.disks[0].path / "inner"
    with directories(site, [*[disk.path for disk in site.disks], inner]):
        yield Broken([str(inner)], new_topics=False)
    if inner.exists():
        shutil.rmtree(inner)


@contextlib.contextmanager
def through_a_link(site):
    """log.dirs names links to the directories."""
    links = [site.home / f"link-{n}" for n in range(len(site.disks))]
    for link, disk in zip(links, site.disks):
        link.symlink_to(disk.path)
    with directories(site, links):
        yield Broken(must=START)


@contextlib.contextmanager
def made_again_meanwhile(site):
    """While a disk is away, a topic on it is deleted and made again; then the disk is back with the old partitions."""
    number = 1
    site.disks[number].replace("not a directory\n")
    try:
        assert site.node.try_start(), site.node.said()
        with site.client() as client:
            client.delete_topic("orders")
            for place in [place for place in site.journal.values if place[0] == "orders"]:
                del site.journal.values[place]
            site.journal.committed.clear()
            site.journal.create(client, "orders", 6)
            for place in site.journal.values:
                if name_of(place) not in site.partitions_on({number}) or place[0] == "orders":
                    site.journal.write(client, place)
        site.end("stop")
    finally:
        site.disks[number].put_back()
    yield Broken(must=START)


@contextlib.contextmanager
def properties(site, changed):
    before = dict(site.node.properties)
    site.node.properties.update(changed)
    try:
        yield
    finally:
        site.node.properties = before


@contextlib.contextmanager
def moved_away(site, path):
    """Something lies outside all log directories meanwhile."""
    aside = site.home / "moved-away"
    path.rename(aside)
    try:
        yield
    finally:
        if path.exists():
            shutil.rmtree(path)
        aside.rename(path)
