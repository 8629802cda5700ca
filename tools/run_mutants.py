#!/usr/bin/env python3
"""Builds milena-sim with one planted bug after the other (base/mutant.h), and runs it until it finds the bug.

Prints a table: the mutant, the seed that killed it, what the simulator said. Exits 1 if one is still alive after
--seeds seeds. One build folder for all: the first build is a whole one, and each mutant compiles only the files
that it is planted in.
"""
import argparse
import pathlib
import re
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "mutants"
MUTANTS = {
    "broker": {
        "ack_before_flush": "acks=all is answered before the high watermark has passed",
        "forget_commit_at_load": "one committed offset of five is not loaded at a start",
        "forget_generation_at_load": "classic groups begin with generation 1 again after a start",
        "assign_unreleased": "a partition is assigned before its owner has let go of it (KIP-848)",
        "lose_fetch_wake": "a small record does not wake the fetches that wait for it",
    },
}


def build(mutant, jobs):
    configure = ["cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++-19",
                 "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 -g1",
                 f"-DMILENA_MUTANT={mutant}"]
    for command in (configure, ["ninja", "-C", BUILD, f"-j{jobs}", "milena-sim"]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"{mutant}: the build failed\n{done.stdout[-4000:]}")


def killer(seeds):
    """The seed that finds the bug, and what it says; or None, and why not."""
    command = [BUILD / "milena-sim", "--seeds", str(seeds), "--stop"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=900)
    except subprocess.TimeoutExpired:
        return None, "no end within 15 minutes"
    found = re.search(r"^seed (\d+): (.*)", done.stdout, re.M)
    if done.returncode == 1 and found:
        return found[1], found[2]
    if done.returncode < 0:
        return "?", f"ended by {signal.Signals(-done.returncode).name}: {done.stdout.strip()[-200:]}"
    return None, "alive"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--group", default="broker", choices=sorted(MUTANTS))
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("mutants", nargs="*", help="only these")
    options = parser.parse_args()
    names = options.mutants or list(MUTANTS[options.group])
    alive = 0
    print(f"{'mutant':<26}{'seed':>6}  message", flush=True)
    for name in names:
        if not any((ROOT / file).read_text().count(f'is_mutant("{name}")') for file in sources()):
            sys.exit(f"no source has the planted bug {name}")
        build(name, options.jobs)
        seed, message = killer(options.seeds)
        alive += seed is None
        print(f"{name:<26}{seed or '-':>6}  {message}", flush=True)
    return 1 if alive else 0


def sources():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cc"], cwd=ROOT, check=True, text=True,
                            capture_output=True)
    return listed.stdout.split()


if __name__ == "__main__":
    sys.exit(main())
