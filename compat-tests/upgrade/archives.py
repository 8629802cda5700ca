"""The stored directories: one archive for each release and ending, and beside it what the broker served that wrote it.

`data/RELEASE-DIRECTORIES-ENDING.tar.xz` holds the log directories d0, d1, ..., the `.json` beside it the time, the notes
of `content` and the inspection. A broker that opens one is given that time, so that nothing has expired meanwhile.
"""

import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from lib import broker, cache

import content
import inspection

DATA = Path(__file__).resolve().parent / "data"
ENDINGS = ("stop", "kill")
DIRECTORIES = (1, 2)
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@dataclass
class Archive:
    name: str
    directories: int
    time: float  # when it was finished
    notes: dict
    inspection: dict

    @staticmethod
    def read(name):
        return Archive(name=name, **json.loads((DATA / f"{name}.json").read_text()))

    def extract(self, directory):
        """The log directories, as the broker left them."""
        with tarfile.open(DATA / f"{self.name}.tar.xz") as tar:
            tar.extractall(directory, filter="data")


def all_archives():
    return [Archive.read(path.stem) for path in sorted(DATA.glob("*.json"))]


def end(target, ending):
    if ending == "kill":
        target.kill()
    else:
        assert target.stop() == 0, target.log_tail()


def fill(target, ending):
    """Starts the broker, writes everything and ends it: (time, notes, inspection)."""
    target.start()
    notes = content.write(target)
    inspected = inspection.inspect(target)
    written = time.time()
    end(target, ending)
    return written, notes, inspected


def store(name, target, written, notes, inspected):
    DATA.mkdir(exist_ok=True)
    with tarfile.open(DATA / f"{name}.tar.xz", "w:xz", preset=9) as tar:
        for path in target.directories():
            tar.add(path, path.name, filter=_anonymous)
    value = {"directories": target.count, "time": written, "notes": notes, "inspection": inspected}
    (DATA / f"{name}.json").write_text(json.dumps(value, separators=(",", ":"), sort_keys=True) + "\n")


def _anonymous(entry):
    if entry.name.endswith(".lock"):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


class Build(broker.Milena):
    """A broker of some build, with so many log directories."""

    def __init__(self, binary, count):
        super().__init__(binary, "upgrade", content.PROPERTIES)
        self.count = count

    def directories(self):
        return [self.data / f"d{n}" for n in range(self.count)]

    def command(self):
        """Without --data, which names one directory."""
        properties = {**self.properties, "log.dirs": ",".join(map(str, self.directories()))}
        overrides = [argument for item in properties.items() for argument in ("--override", "=".join(map(str, item)))]
        return [str(self.binary), "--port", str(self.port), *overrides]


class AtThatTime(Build):
    """One whose wall clock goes on from a given time."""

    def __init__(self, binary, count, written):
        super().__init__(binary, count)
        self._written = written

    def command(self):
        cache.need_debian_packages("libfaketime")
        clock = time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(self._written + 1))
        settings = [f"LD_PRELOAD={_FAKETIME}", f"FAKETIME={clock}", "TZ=UTC", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        return ["env", *settings, *super().command()]
