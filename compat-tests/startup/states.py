"""Every state in which a start may find its log directories: each is entered, started in, and mended again.

A state is a context manager over a site. On entry it changes what the next start finds and yields a Broken; on exit
everything is again as it was.
"""

import contextlib
import itertools
import os
from dataclasses import dataclass, field
from functools import partial

from disks import run
from sites import START


@dataclass
class Broken:
    """What a start in that state may and must do."""

    names: list = field(default_factory=list)  # a complaint names one of these
    away: set = field(default_factory=set)  # numbers of the disks that cannot be reached: nothing may happen there
    offline: set = field(default_factory=set)  # partitions that may be offline; the others must be served
    must: str | None = None  # START or REFUSE, if only one of them will do
    may_begin_anew: bool = False  # nothing that the start can see tells that there ever was anything
    new_topics: bool = True  # what is left takes new topics, and they outlive the state


@contextlib.contextmanager
def as_it_was(site):
    yield Broken(must=START)


@contextlib.contextmanager
def order(site, numbers):
    """log.dirs names the directories in another order."""
    with directories(site, [site.disks[n].path for n in numbers]):
        yield Broken(must=START)


@contextlib.contextmanager
def added(site, position, exists):
    """A new directory, empty or not there yet, at that position of log.dirs."""
    new = site.home / "new"
    if exists:
        new.mkdir()
    paths = [disk.path for disk in site.disks]
    with directories(site, [*paths[:position], new, *paths[position:]]):
        yield Broken(must=START, new_topics=False)  # it is taken away again, with what was put there


@contextlib.contextmanager
def left_out(site, numbers):
    """log.dirs does not name some of the directories."""
    names = _names(site, numbers)
    if site.metadata_disk() in numbers:
        names += [str(disk.path) for disk in site.disks]
    with directories(site, [disk.path for n, disk in enumerate(site.disks) if n not in numbers]):
        yield Broken(names, away=set(numbers), offline=site.partitions_on(numbers))


@contextlib.contextmanager
def replaced(site, number, content):
    """Something else stands where a directory was: nothing at all (None), an empty directory (""), or a file."""
    broken = _away(site, number, must_start=bool(content))
    broken.may_begin_anew = len(site.disks) == 1 and not content
    site.disks[number].replace(content)
    try:
        yield broken
    finally:
        site.disks[number].put_back()


@contextlib.contextmanager
def unmounted(site, number):
    """The file system is not there; the empty directory below it is."""
    broken = _away(site, number)
    broken.may_begin_anew = len(site.disks) == 1
    site.disks[number].unmount()
    try:
        yield broken
    finally:
        site.disks[number].mount()


@contextlib.contextmanager
def read_only(site, number):
    broken = _away(site, number, must_start=True)
    site.disks[number].read_only()
    try:
        yield broken
    finally:
        site.disks[number].remount()


@contextlib.contextmanager
def dead(site, number):
    broken = _away(site, number, must_start=True)
    site.disks[number].shut_down()
    try:
        yield broken
    finally:
        site.disks[number].remount()


@contextlib.contextmanager
def forbidden(site, number, mode):
    """The broker is nobody, and this directory is root's."""
    broken = _away(site, number, must_start=True)
    if mode & 0o005:
        broken.away = set()  # what lies below it can be reached
    path = site.disks[number].path
    with as_nobody(site):
        os.chown(path, 0, 0)
        path.chmod(mode)
        try:
            yield broken
        finally:
            run("chown", "nobody:", path)
            path.chmod(0o755)


@contextlib.contextmanager
def forbidden_inside(site, number, what):
    """The broker is nobody, and something within this directory is root's."""
    disk = site.disks[number]
    broken = _away(site, number)
    broken.away = set()
    partition = next(name for name, at in site.places.items() if at == number and name.startswith("orders-"))
    path = {
        "meta.properties": disk.path / "meta.properties",
        "partition": disk.path / partition,
        "segment": disk.path / partition / f"{0:020}.log",
        "partition.metadata": disk.path / partition / "partition.metadata",
    }[what]
    with as_nobody(site):
        os.chown(path, 0, 0)
        path.chmod(0)
        try:
            yield broken
        finally:
            run("chown", "nobody:", path)
            path.chmod(0o755 if path.is_dir() else 0o644)


@contextlib.contextmanager
def directories(site, paths):
    """Another log.dirs."""
    before, site.node.directories = site.node.directories, list(paths)
    try:
        yield
    finally:
        site.node.directories = before


@contextlib.contextmanager
def as_nobody(site):
    """The broker runs as nobody, and everything is nobody's."""
    for disk in site.disks:
        disk.give_to_nobody()
    site.node.as_nobody = True
    try:
        yield
    finally:
        site.node.as_nobody = False


def _names(site, numbers):
    """What names a directory: its path or its id."""
    return [name for n in numbers for name in (str(site.disks[n].path), site.directory_id(n))]


def _away(site, number, must_start=False):
    """One disk is away. The others serve, unless it was the one with the metadata."""
    must = START if must_start and site.metadata_disk() != number else None
    return Broken(_names(site, [number]), away={number}, offline=site.partitions_on({number}), must=must, new_topics=False)


def all_states(count):
    """(name, kind of disks, state) of every state of `count` directories."""
    yield from _of_the_list(count)
    for number in range(count):
        yield from _of_one(count, number)


def _of_the_list(count):
    yield "as it was", "plain", as_it_was
    for numbers in itertools.permutations(range(count)):
        if numbers != tuple(range(count)):
            yield f"order {','.join(map(str, numbers))}", "plain", partial(order, numbers=numbers)
    for position in range(count + 1):
        yield f"an empty directory added at {position}", "plain", partial(added, position=position, exists=True)
        yield f"a directory to be made added at {position}", "plain", partial(added, position=position, exists=False)
    for size in range(1, count):
        for numbers in itertools.combinations(range(count), size):
            yield f"{','.join(map(str, numbers))} left out", "plain", partial(left_out, numbers=numbers)


def _of_one(count, n):
    yield f"{n} is empty", "plain", partial(replaced, number=n, content="")
    yield f"{n} is gone", "plain", partial(replaced, number=n, content=None)
    yield f"{n} is a file", "plain", partial(replaced, number=n, content="not a directory\n")
    for kind in ("ext4", "xfs") if count == 2 else ("ext4",):
        yield f"{n} is not mounted ({kind})", kind, partial(unmounted, number=n)
        yield f"{n} is read-only ({kind})", kind, partial(read_only, number=n)
        yield f"{n} is dead ({kind})", kind, partial(dead, number=n)
    yield f"{n} cannot be entered", "plain", partial(forbidden, number=n, mode=0o700)
    yield f"{n} cannot be written", "plain", partial(forbidden, number=n, mode=0o755)
    for what in ("meta.properties", "partition", "segment", "partition.metadata"):
        yield f"{n}: {what} cannot be read", "plain", partial(forbidden_inside, number=n, what=what)


def check(templates, count, ending, kind, state):
    """One state: a start in it, and a start after it, each judged."""
    with templates.site(count, ending, kind) as site:
        before = site.inventory()
        with state(site) as broken:
            outcome = start_in(site, broken)
            site.end(ending)
        site.check_inodes(before, broken.away)
        site.check_start(must=START)
        site.end("stop")
        site.check_inodes(before)
        return outcome


def start_in(site, broken):
    """The start in a state, and what is still possible after it; in words."""
    if broken.may_begin_anew:  # a first start, as far as anybody can see; what was there before must survive it
        return "begun anew" if site.node.try_start() else "refused"
    if not site.check_start(broken.names, broken.offline, broken.must):
        return "refused"
    site.write_where_served(broken.offline)
    if broken.new_topics:
        site.check_topic_can_be_made("new")
    return f"{len(site.offline)} offline" if site.offline else "all served"
