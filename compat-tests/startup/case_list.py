"""All cases by name, and how each is judged."""

from functools import partial

from cases import (
    METADATA,
    adopted,
    listed_twice,
    made_again_meanwhile,
    marker,
    meta_properties,
    meta_properties_lost,
    metadata_emptied,
    metadata_moved,
    metadata_named,
    metadata_named_elsewhere,
    metadata_named_outside,
    metadata_removed,
    metadata_twice,
    nested,
    newer_file,
    partition_metadata,
    partition_moved,
    partition_twice,
    renamed_directories,
    same_directory_id,
    through_a_link,
    torn_tail,
    unknown_files,
)
from sites import REFUSE, START
from states import start_in


def all_cases():
    """(name, number of directories, ending, case)"""
    for ending in ("stop", "kill"):
        for name, count, case in _cases():
            yield name, count, ending, case
    for name, count, case in _newer_files():
        yield name, count, "stop", case
    for name, content in (
        ("another epoch", '{"version":0,"brokerEpoch":7}'),
        ("a newer version", '{"version":9}'),
        ("no JSON", "yes"),
        ("none", None),
    ):
        for number in (0, 1):
            yield f"clean-shutdown marker of {number}: {name}", 2, "stop", partial(marker, number=number, content=content)


def _cases():
    for number in range(3):
        yield f"metadata.log.dir is set, {number} named first", 3, partial(metadata_named, number=number)
    yield "metadata.log.dir names another directory", 2, metadata_named_elsewhere
    yield "metadata.log.dir names a new directory", 1, metadata_named_outside
    yield "the metadata log was moved", 2, metadata_moved
    for count in (1, 2):
        yield "the metadata log was removed", count, metadata_removed
        yield "the metadata log was emptied", count, metadata_emptied
    yield "the metadata log lies in two directories", 2, metadata_twice
    for text, content in (
        ("gone", None),
        ("empty", b""),
        ("half", b"version: 0\ntopic"),
        ("damaged", b"\0" * 43),
        ("newer", b"version: 1\ntopic_id: " + b"A" * 22),
    ):
        for partition in ("orders-0", "empty-0", "empty-1"):
            yield f"partition.metadata of {partition} is {text}", 2, partial(partition_metadata, partition=partition, content=content)
    yield "a partition is adopted", 2, partial(adopted, partition="orders-0")
    for number in (0, 1):
        for name, pattern, replacement in (
            ("another cluster", r"cluster\.id=.*", "cluster.id=AAAAAAAAAAAAAAAAAAAAAA"),
            ("another node", r"node\.id=.*", "node.id=77"),
            ("a newer version", r"version=1", "version=2"),
        ):
            yield f"{number} is of {name}", 2, partial(meta_properties, number=number, pattern=pattern, replacement=replacement, must=REFUSE)
        for name, content in (("gone", None), ("empty", ""), ("damaged", "version=1\nnode.id=one\n")):
            yield f"meta.properties of {number} is {name}", 2, partial(meta_properties_lost, number=number, content=content)
    yield "two directories have one id", 2, same_directory_id
    yield "unknown files", 2, unknown_files
    yield "stray, future and deleted directories", 2, renamed_directories
    yield "a partition lies in two directories", 2, partition_twice
    yield "a partition was moved", 2, partition_moved
    yield "torn tails", 2, torn_tail
    yield "a directory is listed twice", 2, listed_twice
    yield "a directory within another", 2, nested
    yield "links to the directories", 2, through_a_link
    yield "a topic is made again while a disk is away", 2, made_again_meanwhile


def _newer_files():
    for name in (
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "replication-offset-checkpoint",
        "orders/leader-epoch-checkpoint",
    ):
        yield f"{name} of a newer version", 2, partial(newer_file, name=name, pattern=r"^0\n", replacement="9\n")
    yield "quorum-state of a newer version", 2, partial(
        newer_file, name=f"{METADATA}/quorum-state", pattern=r'"data_version":\d', replacement='"data_version":9'
    )


def check(templates, count, ending, case):
    """One case: a start in it, and a start after it, each judged."""
    with templates.site(count, ending) as site:
        with case(site) as broken:
            before = site.inventory()
            outcome = start_in(site, broken)
            site.end(ending)
            site.check_inodes(before, broken.away)
        site.check_start(must=START)
        site.end("stop")
        return outcome
