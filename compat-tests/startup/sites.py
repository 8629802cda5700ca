"""A site: one to three disks with one broker's data on them, what was acknowledged there, and the broker itself.

A site is filled once for each number and kind of disks and each way to end, and then copied: each check has its own.
"""

import contextlib
import os
import re
import select
import shutil
import time
from pathlib import Path

from lib import api, broker

from disks import NOBODY, Disk, Mounted
from inventory import Inventory, differences
from journal import KAFKA_STORAGE_ERROR, OFFLINE, SERVED, Journal, name_of

START_SECONDS = 10.0
COMPLAINT_SECONDS = 3.0  # a line about a disk that failed may come a moment after the answers
PARTITIONS = 6
START, REFUSE = "start", "refuse"
GROUP = "readers"
PROPERTIES = {"offsets.topic.num.partitions": 3, "transaction.state.log.num.partitions": 3, "log.segment.bytes": 1 << 20}


class Node(broker.Milena):
    """The broker of a site: several log directories, and perhaps another user. What it says is kept start by start."""

    def __init__(self, binary, directories, properties):
        super().__init__(binary, "startup", dict(properties))
        self.directories = list(directories)
        self.as_nobody = False
        self._said_before = 0

    def command(self):
        properties = {"log.dirs": ",".join(map(str, self.directories)), **self.properties}
        overrides = [argument for item in properties.items() for argument in ("--override", "=".join(map(str, item)))]
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if self.as_nobody else []
        return [*user, str(self.binary), "--port", str(self.port), *overrides]

    def try_start(self):
        """Starts it; True if it serves, False if it refused with exit code 1 and one line."""
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        self.spawn()
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        assert ready, f"neither serves nor ends after {START_SECONDS:.0f} s:\n{self.said()}"
        if os.read(self.process.stdout.fileno(), 4096).startswith(b"BROKERS="):
            return True
        code = self.process.wait(START_SECONDS)
        assert code == 1, f"exit code {code}:\n{self.said()}"
        refusals = [line for line in self.said().splitlines() if line.startswith("milena: ")]
        assert len(refusals) == 1, f"a refusal is one line:\n{self.said()}"
        return False

    def said(self):
        """What it has written since the last start."""
        with open(self.log, "rb") as log:
            log.seek(self._said_before)
            return log.read().decode(errors="replace")

    def complains_of(self, names):
        """Whether a refusal, a warning or an error names one of `names`."""
        lines = [line for line in self.said().splitlines() if line.startswith("milena: ") or re.match(r"\S+ \S+ [WE] ", line)]
        return any(name in line for line in lines for name in names)


class Site:
    def __init__(self, home, binary, disks, journal, properties):
        self.home = Path(home)
        self.disks = disks
        self.journal = journal
        self.properties = {**PROPERTIES, **properties}
        self.node = Node(binary, [disk.path for disk in disks], self.properties)
        self.places = {}  # partition: number of its disk, before anything happens
        self.offline = set()  # partitions, as the last check found them

    @contextlib.contextmanager
    def closing(self):
        """Ends the broker and removes everything at the end; what the broker said is kept after a failure."""
        try:
            yield
        except BaseException:
            self.node.keep = True
            raise
        finally:
            if self.node.process is not None and self.node.alive():
                self.node.kill()
            self.node.__exit__(None)
            for disk in self.disks:
                disk.remove()
            for home in (self.home, self.node.home):
                shutil.rmtree(home, ignore_errors=True)

    def inventory(self):
        return Inventory([disk.path for disk in self.disks])

    def metadata_disk(self):
        """The number of the disk with the metadata log."""
        return self.inventory().partitions()["__cluster_metadata-0"]

    def live_topics(self):
        """Ids of all topics that exist, the internal ones too."""
        inventory = self.inventory()
        internal = {inventory.topic_id(disk, name) for name, disk in inventory.partitions().items() if name.startswith("__")}
        return set(self.journal.ids.values()) | internal

    def directory_id(self, number):
        text = (self.disks[number].path / "meta.properties").read_text()
        return re.search(r"^directory\.id=(\S+)$", text, re.M)[1]

    # ---- filling and copying

    def fill(self):
        """Topics over all disks, a topic that is deleted again, and a group's offsets. The broker runs afterwards."""
        assert self.node.try_start(), self.node.said()
        with self.client() as client:
            self.journal.create(client, "orders", PARTITIONS)
            self.journal.create(client, "empty", len(self.disks))
            doomed = Journal()
            doomed.create(client, "gone", len(self.disks))
            for place in doomed.values:
                doomed.write(client, place)
            for partition in range(PARTITIONS):
                self.journal.write(client, ("orders", partition))
            self.journal.commit(client, GROUP, {("orders", 0): 3, ("orders", 1): 5})
            client.delete_topic("gone")

    def end(self, ending):
        if not self.node.alive():
            return
        if ending == "kill":
            self.node.kill()
        else:
            assert self.node.stop() == 0, self.node.said()

    def client(self):
        return api.Client(self.node.address)

    # ---- what must be true

    def check_start(self, names=(), may_be_offline=(), must=None):
        """Starts the broker and judges it: True if it serves.

        `names`: a complaint must name one of them. `may_be_offline`: partitions; the others must be served. `must`:
        START or REFUSE, if only one of them will do.
        """
        if self.node.try_start():
            assert must != REFUSE, f"it should have refused to start:\n{self.node.said()}"
            self.check_served(names, may_be_offline)
            return True
        assert must != START, f"it refused to start:\n{self.node.said()}"
        assert self.node.complains_of(names), f"the refusal names none of {names}:\n{self.node.said()}"
        return False

    def check_served(self, names=(), may_be_offline=()):
        with self.client() as client:
            told = {name_of(place): outcome for place, outcome in self.journal.read(client).items()}
            wrong = {name: outcome for name, outcome in told.items() if outcome not in (SERVED, OFFLINE)}
            assert not wrong, f"acknowledged records are not served: {wrong}\n{self.node.said()}"
            self.offline = {name for name, outcome in told.items() if outcome == OFFLINE}
            needless = self.offline - set(may_be_offline)
            assert not needless, f"offline without need: {sorted(needless)}\n{self.node.said()}"
            complained = not self.offline or wait_until(lambda: self.node.complains_of(names), COMPLAINT_SECONDS)
            assert complained, f"{sorted(self.offline)} are offline, and no warning names any of {names}:\n{self.node.said()}"
            self.journal.check_groups(client, may_be_offline=any(name.startswith("__") for name in may_be_offline))

    def partitions_on(self, numbers):
        """Names of the partitions on these disks, as they lay there when `places` was noted."""
        return {name for name, at in self.places.items() if at in numbers}

    def check_inodes(self, before, untouched=()):
        """Nothing happened to the disks that no start has a right to."""
        wrong = differences(before, self.inventory(), self.live_topics(), untouched)
        assert not wrong, "\n".join(wrong[:20]) + f"\n{self.node.said()}"

    def write_where_served(self, may_be_offline=()):
        """A record more to each partition that is served. Only one that may be offline can refuse it."""
        with self.client() as client:
            for place in self.journal.values:
                if name_of(place) not in self.offline:
                    error = self.journal.try_write(client, place)
                    refused = error == KAFKA_STORAGE_ERROR and name_of(place) in may_be_offline
                    assert error == 0 or refused, f"{name_of(place)} is served, and answers a produce with error {error}:\n{self.node.said()}"

    def check_topic_can_be_made(self, topic):
        """What is still there takes new topics. They are not part of the journal."""
        with self.client() as client:
            fresh = Journal()
            fresh.create(client, topic, 2)
            for place in fresh.values:
                fresh.write(client, place)
            assert set(fresh.read(client).values()) == {SERVED}, f"a new topic is not served: {fresh.read(client)}"


class Templates:
    """Filled sites, made when first asked for."""

    def __init__(self, home, binary):
        self._home = Path(home)
        self.binary = binary
        self._made = {}
        self._copies = 0

    @contextlib.contextmanager
    def site(self, count, ending, kind="plain", properties=None):
        """A copy of the site with `count` disks of a kind, as it stood after that ending; mounted."""
        properties = properties or {}
        key = (count, ending, kind, *sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self._make(len(self._made), count, ending, kind, properties)
        template = self._made[key]
        home = self.new_home()
        disks = [disk.copy_to(home / disk.path.name) for disk in template.disks]
        site = Site(home, self.binary, disks, template.journal.copy(), properties)
        with site.closing():
            for disk in disks:
                if kind != "plain":
                    disk.mount()
            site.places = site.inventory().partitions()
            yield site

    def new_home(self):
        """A directory that nobody uses yet."""
        self._copies += 1
        home = self._home / f"site-{self._copies}"
        home.mkdir()
        return home

    def _make(self, number, count, ending, kind, properties):
        home = self._home / f"template-{number}"
        home.mkdir()
        disks = [Disk(home / f"d{n}") if kind == "plain" else Mounted(home / f"d{n}", kind) for n in range(count)]
        for disk in disks:
            disk.create()
        site = Site(home, self.binary, disks, Journal(), properties)
        site.fill()
        site.end(ending)
        site.node.__exit__(None)  # its log and its empty home
        places = site.inventory().partitions()
        assert {places[f"orders-{n}"] for n in range(PARTITIONS)} == set(range(count)), f"not every disk has data: {places}"
        if kind != "plain":
            for disk in disks:
                disk.unmount()
        return site


def wait_until(what, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
