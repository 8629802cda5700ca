"""What happens to one consumer group of a stock client, and what must hold: the same for every client.

Six partitions are written to all the time. Three members share them, one leaves, one dies without a word, a new one
comes, the broker is killed with -9 and comes back. Throughout, every record is read at least once, and the committed
offsets as the broker tells them never go back.

Members are processes that print lines: `owns 0,3` (all the partitions that are theirs now, `owns -` for none),
`record PARTITION OFFSET`, `committed PARTITION NEXT_OFFSET`, `note TEXT`, and `left` once they have closed after SIGTERM.
"""

import contextlib
import signal
import subprocess
import threading
import time

from lib import api, cache, records

PARTITIONS = 6
RECORDS_PER_SECOND = 120

# Sessions as short as a broker lets them be: a dead member is noticed in seconds.
PROPERTIES = {
    "group.initial.rebalance.delay.ms": 1000,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 1000,
    "group.consumer.heartbeat.interval.ms": 1000,
}


class Feed(threading.Thread):
    """Appends small records to every partition in turn, through restarts of the broker, until stopped."""

    def __init__(self, address, topic):
        super().__init__(daemon=True)
        self._address, self._topic = address, topic
        self._stopped = threading.Event()
        self.ends = dict.fromkeys(range(PARTITIONS), 0)  # partition: offset behind the last acknowledged record

    def run(self):
        number = 0
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, api.Closed), api.Client(self._address, timeout=5.0) as client:
                while not self._stopped.wait(1 / RECORDS_PER_SECOND):
                    number += 1
                    partition = number % PARTITIONS
                    answer = client.produce(self._topic, partition, records.batch([b"record %d" % number]))
                    if answer["error_code"] == 0:
                        self.ends[partition] = answer["base_offset"] + 1
            self._stopped.wait(0.1)

    def stop(self):
        self._stopped.set()
        self.join(10)


class OffsetWatch(threading.Thread):
    """Asks the broker for the group's committed offsets again and again; `went_back` tells every step backwards."""

    def __init__(self, address, group, topic):
        super().__init__(daemon=True)
        self._address, self._group, self._topic = address, group, topic
        self._stopped = threading.Event()
        self.committed = {}
        self.went_back = []

    def run(self):
        while not self._stopped.is_set():
            with contextlib.suppress(OSError, api.Closed), api.Client(self._address, timeout=5.0) as client:
                while not self._stopped.is_set():
                    self._look(client)
                    self._stopped.wait(0.2)
            self._stopped.wait(0.1)

    def _look(self, client):
        asked = [{"group_id": self._group, "topics": [{"name": self._topic, "partition_indexes": list(range(PARTITIONS))}]}]
        group = client.call("OffsetFetch", groups=asked)["groups"][0]
        if group["error_code"]:  # it is still loading
            return
        for partition in group["topics"][0]["partitions"]:
            index, offset, before = partition["partition_index"], partition["committed_offset"], self.committed.get(partition["partition_index"], -1)
            if partition["error_code"]:
                continue
            if offset < before:
                self.went_back.append(f"partition {index}: {before} -> {offset}")
            self.committed[index] = offset

    def stop(self):
        self._stopped.set()
        self.join(10)


class Member:
    """One process of the client under test."""

    def __init__(self, name, command, environment, read, log):
        self.name = name
        self.owns = set()
        self.left = False
        self.records = 0
        self._read = read  # {partition: offsets read by anybody}
        self._log = open(log, "ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, env=environment, text=True)
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self):
        for line in self._process.stdout:
            word, *rest = line.split()
            if word == "record":
                self._read[int(rest[0])].add(int(rest[1]))
                self.records += 1
                continue
            self._log.write(f"{time.strftime('%X')} {self.name}: {line}".encode())
            self._log.flush()
            if word == "owns":
                self.owns = set() if rest == ["-"] else {int(partition) for partition in rest[0].split(",")}
            elif word == "left":
                self.left = True

    def ended(self):
        return self._process.poll() is not None

    def leave(self):
        """SIGTERM: it must close and say so within 30 s."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within 30 s of SIGTERM") from None
        self._close()
        assert self.left, f"{self.name} ended with {code} and did not say that it left"

    def die(self):
        """kill -9, if it still runs."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self):
        self._reader.join(10)
        self._process.stdout.close()
        self._log.close()
        self.owns = set()


class Scenario:
    """Runs the whole story for one client."""

    def __init__(self, target, client):
        self._target = target
        self._client = client
        self._topic = f"matrix-{client.name}"
        self._group = f"group-{client.name}"
        self._members = []
        self._names = iter("abcd")
        self._read = {partition: set() for partition in range(PARTITIONS)}
        self._log = cache.logs_dir("clients") / f"groups-{client.name}.log"
        self.times = []  # (step, seconds)

    def run(self):
        self._log.unlink(missing_ok=True)
        with api.Client(self._target.address) as client:
            client.make_topic(self._topic, PARTITIONS)
        self._feed, self._watch = Feed(self._target.address, self._topic), OffsetWatch(self._target.address, self._group, self._topic)
        self._feed.start()
        self._watch.start()
        try:
            self._story()
        except AssertionError as error:
            raise AssertionError(f"{error}\nlog: {self._log}") from None
        finally:
            for member in self._members:
                member.die()
            self._feed.stop()
            self._watch.stop()
        self._log.unlink()

    def _story(self):
        with self._step("three members share"):
            for _ in range(3):
                self._join()
            self._until_divided([2, 2, 2], 60)
        with self._step("one leaves"):
            self._members.pop(0).leave()
            self._until_divided([3, 3], 30)
        with self._step("one dies"):
            self._members.pop(0).die()
            self._until_divided([6], 60)
        with self._step("one comes"):
            self._join()
            self._until_divided([3, 3], 60)
        with self._step("the broker is killed"):
            self._target.kill()
            time.sleep(1)
            self._target.start()
            self._until_divided([3, 3], 90)
        with self._step("all is read"):
            self._feed.stop()
            self._until(lambda: not self._unread(), 60, lambda: f"never read: {self._unread()}")
            for member in self._members:
                member.leave()
            self._members.clear()
            wanted = self._feed.ends
            self._until(lambda: self._watch.committed == wanted, 5, lambda: f"committed {self._watch.committed}, ends {wanted}")
        assert not self._watch.went_back, f"committed offsets went back: {self._watch.went_back[:10]}"

    def _join(self):
        name = f"member-{next(self._names)}"
        arguments = [self._target.address, self._topic, self._group, name, self._client.strategy]
        self._members.append(Member(name, [*self._client.command, *arguments], self._client.environment, self._read, self._log))

    def _until_divided(self, sizes, seconds):
        """Until the members own disjoint sets of these sizes, and every partition is read beyond what was written when that came to be."""
        self._until(lambda: self._is_divided(sizes), seconds, self._told)
        goal = dict(self._feed.ends)
        self._until(lambda: self._is_divided(sizes) and all(max(self._read[p], default=-1) >= goal[p] for p in goal), seconds,
                    lambda: f"{self._told()}; read up to { {p: max(self._read[p], default=-1) for p in goal} }, not beyond {goal}")  # fmt: skip
        if self._client.shape is not None:
            self._client.shape([member.owns for member in self._members])

    def _is_divided(self, sizes):
        owned = [member.owns for member in self._members]
        return sorted(map(len, owned)) == sizes and len(set().union(*owned)) == PARTITIONS

    def _told(self):
        return "; ".join(f"{member.name} owns {sorted(member.owns)}" for member in self._members)

    def _unread(self):
        """{partition: acknowledged offsets that nobody has read}, without the complete ones."""
        missing = {p: sorted(set(range(end)) - self._read[p]) for p, end in self._feed.ends.items()}
        return {p: offsets for p, offsets in missing.items() if offsets}

    def _until(self, holds, seconds, told):
        deadline = time.monotonic() + seconds
        while not holds():
            gone = [member.name for member in self._members if member.ended()]
            assert not gone, f"{gone} ended by itself"
            assert self._target.alive(), f"the broker is gone: {self._target.log_tail()}"
            assert time.monotonic() < deadline, f"not within {seconds} s: {told()}"
            time.sleep(0.05)

    @contextlib.contextmanager
    def _step(self, name):
        started = time.monotonic()
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None
        self.times.append((name, time.monotonic() - started))


def ranges(sets):
    """The range assignor gives every member neighbours."""
    for owned in sets:
        assert max(owned) - min(owned) == len(owned) - 1, f"no range: {sets}"


def round_robin(sets):
    """The roundrobin assignor deals the partitions out one by one."""
    for owned in sets:
        assert len({partition % len(sets) for partition in owned}) == 1, f"not dealt out in turn: {sets}"
