"""Runs build/release/bench/load, the load generator, and reads what it found."""

import json
import shlex
import subprocess

from lib import cache

from pairs import ROOT

PROGRAM = ROOT / "build/release/bench/load"
TIMEOUT = 600.0


class LoadFailed(RuntimeError):
    """The generator ended with an error, or met errors in the answers."""


def run(command, broker, topic):
    """The figures of one run, {key: number}, nested keys joined by dots. `command` as in the table of workloads."""
    mode, *options = shlex.split(command)
    line = [str(PROGRAM), mode, "--broker", broker.address, "--pid", str(broker.pid), "--topic", topic, *options]
    log = cache.logs_dir("bench") / "load.log"
    with open(log, "ab") as errors:
        errors.write(f"\n$ {shlex.join(line)}\n".encode())
        errors.flush()
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=TIMEOUT)
    if done.returncode:
        raise LoadFailed(f"`{shlex.join(line)}` ended with {done.returncode}; see {log}")
    figures = flat(json.loads(done.stdout))
    if figures.get("errors"):
        raise LoadFailed(f"`{shlex.join(line)}` met {figures['errors']} errors")
    return figures


def flat(values, prefix=""):
    """{"a": {"b": 1}} as {"a.b": 1}; what is no number is left out."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[prefix + key] = value
    return found
