"""The results file: for each workload the figures of every pair, and where and when they were measured.

{"machine": {...}, "workloads": {NAME: {"measured": when, "machine": {...}, "order": [...], "pairs": [{contestant: {key: number}}]}}}
A later run replaces the workloads that it measured and keeps the others, so that a part can be measured again.
"""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

from lib import kafka_jars

from pairs import ROOT


class Results:
    """What was measured, on disk after every workload."""

    def __init__(self, path):
        self.path = Path(path)
        self._workloads = json.loads(self.path.read_text())["workloads"] if self.path.exists() else {}

    def add(self, workload, pairs):
        """Takes the pairs of one workload: a list of {contestant: {key: number}}."""
        stamp = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        self._workloads[workload.name] = {"measured": stamp, "machine": machine(), "pairs": pairs}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps({"workloads": self._workloads}, indent=1, sort_keys=True) + "\n")
        scratch.rename(self.path)

    def pairs(self, workload):
        """The pairs of a workload; empty if it was not measured."""
        return self._workloads.get(workload.name, {}).get("pairs", [])

    def machines(self):
        """What was measured where: {description: names of workloads}."""
        found = {}
        for name, entry in self._workloads.items():
            about = entry["machine"] | {"measured": entry["measured"][:10]}
            found.setdefault(tuple(about.items()), []).append(name)
        return [dict(about) | {"workloads": names} for about, names in found.items()]


def machine():
    """What a reader has to know about this machine, {name: value}."""
    return {
        "processor": _from("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_gb": round(int(_from("/proc/meminfo", "MemTotal").split()[0]) * 1024 / 1e9),
        "kernel": platform.release(),
        "system": _from("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
        "read_ahead_kb": _read_ahead(),
        "kafka": kafka_jars.VERSION,
        "commit": subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
    }


def _from(path, key, separator=":"):
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip()
    return "unknown"


def _read_ahead():
    device = os.stat("/tmp").st_dev
    for base in (f"/sys/dev/block/{os.major(device)}:{os.minor(device)}", f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/.."):
        path = Path(base, "queue/read_ahead_kb")
        if path.exists():
            return int(path.read_text())
    return 0
