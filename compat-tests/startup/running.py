"""A disk dies or turns read-only under a running broker: the others serve, and afterwards nothing acknowledged is lost."""

from lib.wire import Closed

from disks import FLUSH_FIRST, NO_FLUSH
from journal import KAFKA_STORAGE_ERROR, is_up, name_of
from sites import START, wait_until

NOTICED_SECONDS = 10.0


def all_cases(count):
    """(name, kind of disks, properties, how)"""
    for number in range(count):
        for kind in ("ext4", "xfs") if count == 2 else ("ext4",):
            yield f"{number} dies ({kind})", kind, {}, number, lambda disk: disk.shut_down(FLUSH_FIRST)
        yield f"{number} turns read-only (ext4)", "ext4", {}, number, lambda disk: disk.abort()
        yield f"{number} loses what was not synced (ext4, fsync)", "ext4", {"milena.durability": "fsync"}, number, lambda disk: disk.shut_down(
            NO_FLUSH
        )


def check(templates, count, kind, properties, number, fail):
    """The disk fails while the broker runs; it is used, killed, mended and started."""
    with templates.site(count, "stop", kind, properties) as site:
        before = site.inventory()
        names = [str(site.disks[number].path), site.directory_id(number)]
        site.check_start(must=START)
        with site.client() as client:
            site.journal.create(client, "fresh", count)  # so that there is something young on the disk
            for place in list(site.journal.values):
                site.journal.write(client, place)
        site.places = site.inventory().partitions()
        fail(site.disks[number])
        outcome = _use(site, number, names)
        site.end("kill")
        site.disks[number].remount()
        site.check_inodes(before)
        site.check_start(must=START)
        with site.client() as client:
            site.journal.settle(client)
        site.write_where_served()
        site.end("stop")
        return outcome


def _use(site, number, names):
    """Writes to every partition until the broker has noticed; what is left must serve."""
    with_metadata = site.places["__cluster_metadata-0"] == number
    noticed = wait_until(lambda: _write_to_all(site, number), NOTICED_SECONDS)
    if len(site.disks) == 1:  # nothing is left to serve
        wait_until(lambda: not site.node.alive(), NOTICED_SECONDS)
        assert not site.node.alive(), f"still there {NOTICED_SECONDS:.0f} s after its only disk has failed:\n{site.node.said()}"
    if not is_up(site.node.address):
        assert with_metadata, f"the whole broker went down with a disk that is not the metadata's:\n{site.node.said()}"
        code = site.node.process.wait(10)
        assert code == 1, f"exit code {code}:\n{site.node.said()}"
        assert site.node.complains_of(names), f"it ended and named none of {names}:\n{site.node.said()}"
        return "the broker ended"
    assert noticed, f"after {NOTICED_SECONDS:.0f} s a partition there still takes writes:\n{site.node.said()}"
    site.check_served(names, site.partitions_on({number}))
    return f"{len(site.offline)} offline"


def _write_to_all(site, number):
    """One record to each partition: whether all of that disk are refused. Those elsewhere must take it."""
    refused = True
    try:
        with site.client() as client:
            for place in site.journal.values:
                here = site.places.get(name_of(place)) == number
                error = site.journal.try_write(client, place)
                if error is None:
                    return not site.node.alive()
                if here:
                    assert error in (0, KAFKA_STORAGE_ERROR), f"{name_of(place)} answers with error {error}:\n{site.node.said()}"
                    refused = refused and error == KAFKA_STORAGE_ERROR
                else:
                    assert error == 0, f"{name_of(place)} lies elsewhere and answers with error {error}:\n{site.node.said()}"
    except (OSError, Closed):
        return not site.node.alive()
    return refused
