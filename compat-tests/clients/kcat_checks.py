"""kcat (Debian's, with the librdkafka of its time): produce and consume in every way its manual names, no groups."""

import json
import re
import subprocess
import time

from lib import api, cache, records

NAME = "kcat"


def run(report, target):
    cache.need_command("kcat", "kcat")
    kcat = Kcat(target)
    for name, check in CHECKS.items():
        report.run(f"kcat: {name}", check, kcat)


class Kcat:
    """Runs kcat against one broker."""

    def __init__(self, target):
        self.target = target

    def __call__(self, *arguments, stdin=None, expect=0):
        """kcat's stdout; AssertionError if the exit code is not `expect`."""
        command = ["kcat", "-b", self.target.address, *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-500:]}{done.stderr[-1500:]}"
        return done.stdout

    def produce(self, topic, text, *arguments):
        return self("-P", "-t", topic, *arguments, stdin=text)

    def consume(self, topic, *arguments):
        """The lines of the whole partition 0, unless the arguments say otherwise."""
        return self("-C", "-q", "-e", "-t", topic, "-p", 0, *arguments).splitlines()

    def client(self):
        return api.Client(self.target.address)


def readme(kcat):
    """The commands of the README's first lines, as they stand there, at this broker's address."""
    text = (cache.ROOT / "README.md").read_text()
    (commands,) = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "kcat" in block]
    script = commands.replace("localhost:9092", kcat.target.address)
    done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.splitlines()[-1] == "key: Dear Milena", done.stdout


def fresh_topic(kcat):
    kcat.produce("kcat-fresh", "one\ntwo\nthree ✉\n", "-p", 0)
    assert kcat.consume("kcat-fresh") == ["one", "two", "three ✉"]
    got = kcat.consume("kcat-fresh", "-f", "%t %p %o %s\\n")
    assert got == ["kcat-fresh 0 0 one", "kcat-fresh 0 1 two", "kcat-fresh 0 2 three ✉"], got


def keys(kcat):
    kcat.produce("kcat-keys", "k1:v1\nk2:v2\n:empty key\n", "-K", ":", "-p", 0)
    got = kcat.consume("kcat-keys", "-f", "%k=%s (%K %S)\\n")
    assert got == ["k1=v1 (2 2)", "k2=v2 (2 2)", "=empty key (0 9)"], got


def headers(kcat):
    kcat.produce("kcat-headers", "letter\n", "-p", 0, "-H", "from=Franz", "-H", "to=Milena", "-H", "empty=", "-H", "null")
    (got,) = map(json.loads, kcat.consume("kcat-headers", "-J"))
    assert got["headers"] == ["from", "Franz", "to", "Milena", "empty", "", "null", None], got
    assert kcat.consume("kcat-headers", "-f", "%h\\n") == ["from=Franz,to=Milena,empty=,null=NULL"]


def tombstones(kcat):
    kcat.produce("kcat-tombstones", "k1:v1\nk1:\n", "-K", ":", "-Z", "-p", 0)
    first, second = map(json.loads, kcat.consume("kcat-tombstones", "-J"))
    assert (first["key"], first["payload"]) == ("k1", "v1"), first
    assert (second["key"], second["payload"]) == ("k1", None), second


def json_output(kcat):
    before = int(time.time() * 1000)
    kcat.produce("kcat-json", "k:v\n", "-K", ":", "-p", 0)
    (got,) = map(json.loads, kcat.consume("kcat-json", "-J"))
    stamp = got.pop("ts")
    assert got == {"topic": "kcat-json", "partition": 0, "offset": 0, "tstype": "create", "broker": 1, "key": "k", "payload": "v"}, got
    assert before <= stamp <= time.time() * 1000, f"time stamp {stamp}, produced after {before}"


def codecs(kcat):
    lines = [f"{n} " + "letters " * 40 for n in range(100)]
    for codec, number in records.CODECS.items():
        topic = f"kcat-{codec}"
        kcat.produce(topic, "\n".join(lines) + "\n", "-p", 0, "-z", codec, "-X", "linger.ms=100")
        with kcat.client() as client:
            stored = records.codecs_in(client.fetch(topic, 0, 0)["records"])
        assert stored == {number}, f"{codec}: stored with codecs {stored}"
        assert kcat.consume(topic) == lines, f"{codec}: read back something else"


def acks(kcat):
    for setting in ("0", "1", "all"):
        kcat.produce(f"kcat-acks-{setting}", "one\n", "-p", 0, "-X", f"acks={setting}")
        deadline = time.monotonic() + 10
        while kcat.consume(f"kcat-acks-{setting}") != ["one"]:
            assert time.monotonic() < deadline, f"acks={setting}: nothing there"


def idempotence(kcat):
    lines = [str(n) for n in range(5000)]
    kcat.produce("kcat-idempotent", "\n".join(lines) + "\n", "-p", 0, "-X", "enable.idempotence=true", "-X", "batch.num.messages=100")
    assert kcat.consume("kcat-idempotent") == lines


def large_records(kcat):
    largest = "x" * 999_000
    kcat.produce("kcat-large", "small\n" + largest + "\nsmall again\n", "-p", 0)
    assert kcat.consume("kcat-large") == ["small", largest, "small again"]
    assert kcat.consume("kcat-large", "-X", "fetch.message.max.bytes=1000") == ["small", largest, "small again"], "with a small fetch"


def starting_offsets(kcat):
    kcat.produce("kcat-offsets", "".join(f"{n}\n" for n in range(10)), "-p", 0)
    assert kcat.consume("kcat-offsets", "-o", "beginning", "-c", 2) == ["0", "1"]
    assert kcat.consume("kcat-offsets", "-o", 7) == ["7", "8", "9"]
    assert kcat.consume("kcat-offsets", "-o", -3) == ["7", "8", "9"]
    assert kcat.consume("kcat-offsets", "-o", "end") == []


def offsets_by_time(kcat):
    with kcat.client() as client:
        client.make_topic("kcat-times")
        times = [1_600_000_000_000 + 1000 * n for n in range(5)]
        for stamp in times:
            client.produce("kcat-times", 0, records.batch([str(stamp).encode()], timestamp=stamp))
    for asked, wanted in ((times[0], 0), (times[2] - 1, 2), (times[2], 2), (times[2] + 1, 3), (times[4] + 1, -1), (-1, 5), (-2, 0)):
        got = kcat("-Q", "-t", f"kcat-times:0:{asked}")
        assert got == f"kcat-times [0] offset {wanted}\n", f"at {asked}: {got}"
    assert kcat.consume("kcat-times", "-o", f"s@{times[1]}", "-o", f"e@{times[3]}") == [str(times[1]), str(times[2])]


def metadata(kcat):
    with kcat.client() as client:
        client.make_topic("kcat-listed", 3)
    listed = json.loads(kcat("-L", "-J"))
    assert listed["brokers"] == [{"id": 1, "name": kcat.target.address}], listed["brokers"]
    assert listed["controllerid"] == 1
    (topic,) = [topic for topic in listed["topics"] if topic["topic"] == "kcat-listed"]
    one = {"leader": 1, "replicas": [{"id": 1}], "isrs": [{"id": 1}]}
    assert topic["partitions"] == [{"partition": n, **one} for n in range(3)], topic
    text = kcat("-L", "-t", "kcat-listed")
    assert 'topic "kcat-listed" with 3 partitions:' in text and "partition 2, leader 1, replicas: 1, isrs: 1" in text, text


def partitioner(kcat):
    with kcat.client() as client:
        client.make_topic("kcat-spread", 4)
    kcat.produce("kcat-spread", "".join(f"k{n}:v{n}\n" for n in range(200)), "-K", ":")
    got = kcat("-C", "-q", "-e", "-t", "kcat-spread", "-f", "%p %k\\n").splitlines()
    assert len(got) == 200 and len({line.split()[0] for line in got}) == 4, f"{len(got)} records"
    assert len(set(got)) == 200, "one key in two partitions"


CHECKS = {
    "the README's example": readme,
    "produce and consume on a fresh topic": fresh_topic,
    "keys": keys,
    "headers": headers,
    "tombstones": tombstones,
    "JSON output": json_output,
    "every codec": codecs,
    "acks": acks,
    "idempotent producer": idempotence,
    "large records": large_records,
    "starting offsets": starting_offsets,
    "offsets by time": offsets_by_time,
    "metadata": metadata,
    "keys spread over partitions": partitioner,
}
