"""The first start in directories where things of others lie, and with a directory of its own for the metadata."""

import contextlib

from lib import records

from cases import properties
from disks import Disk
from journal import Journal
from sites import REFUSE, START, Site

FOREIGN = ("photos-2024", "my-project-7", "notes-1.0123456789abcdef0123456789abcdef-delete", "backup.tar.swap", "orders-0")


@contextlib.contextmanager
def _new_site(templates, count):
    home = templates.new_home()
    disks = [Disk(home / f"d{n}") for n in range(count)]
    for disk in disks:
        disk.create()
    site = Site(home, templates.binary, disks, Journal(), {})
    with site.closing():
        yield site


def foreign_folders(templates, ending):
    """Folders of others, one of them in the place that a partition of a new topic would take."""
    with _new_site(templates, 1) as site:
        for name in FOREIGN:
            folder = site.disks[0].path / name
            folder.mkdir()
            (folder / "picture.jpg").write_bytes(b"picture")
            (folder / f"{0:020}.timeindex").write_bytes(b"of somebody else") if name != "orders-0" else None
        before = site.inventory()
        assert site.node.try_start(), site.node.said()
        with site.client() as client:
            site.journal.create(client, "payments", 2)
            for place in list(site.journal.values):
                site.journal.write(client, place)
            client.create_topic("orders")  # may be refused, may be served; must not cost the folder
            client.produce("orders", 0, records.batch([b"perhaps"]))
        site.end(ending)
        site.check_inodes(before)
        site.check_start(must=START)
        site.end("stop")
        site.check_inodes(before)
        return "all served"


def metadata_apart(templates, ending):
    """metadata.log.dir from the beginning: it is found there later, in any order of log.dirs, and missed without the key."""
    with _new_site(templates, 3) as site:
        paths = [disk.path for disk in site.disks]
        site.node.directories = paths[1:]
        with properties(site, {"metadata.log.dir": paths[0]}):
            site.fill()
            site.end(ending)
            assert site.metadata_disk() == 0, "the metadata log lies elsewhere"
            assert "orders-0" in site.inventory().partitions(1) | site.inventory().partitions(2), "partitions lie where only metadata should be"
            site.node.directories = [paths[2], paths[1]]
            site.check_start(must=START)
            site.end(ending)
        before = site.inventory()
        site.check_start([str(path) for path in paths[1:]], must=REFUSE)
        site.check_inodes(before, untouched=[0])
        with properties(site, {"metadata.log.dir": paths[0]}):
            site.check_start(must=START)
            site.end("stop")
        return "all served"


CHECKS = {"folders of others": foreign_folders, "metadata.log.dir apart from log.dirs": metadata_apart}
