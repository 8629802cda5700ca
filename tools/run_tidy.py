#!/usr/bin/env python3
"""Runs clang-tidy on every source file of ours that the build folder named on the command line compiles.

More arguments: only files whose path contains one of them. Only findings in files of ours count: the analyzer walks
into Asio's coroutines, and loses its way there. A file that was clean is skipped until something that clang-tidy reads
for it changes: BUILD/tidy holds a hash of all that for each such file.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


@functools.cache
def digest(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).digest()


def included_files(entry):
    """The source file itself and all headers, the precompiled one too; None if the compiler does not find them all."""
    done = subprocess.run([*shlex.split(entry["command"]), "-M", "-MF", "-"], cwd=entry["directory"],
                          capture_output=True, text=True, check=False)
    return shlex.split(done.stdout.replace("\\\n", ""))[1:] if done.returncode == 0 else None


def hash_of_all_read(entry):
    files = included_files(entry)
    if files is None:
        return None
    read = [entry["command"].encode(), digest(ROOT / ".clang-tidy")]
    read += [digest(os.path.join(entry["directory"], file)) for file in files]
    return hashlib.sha256(b"".join(read)).hexdigest()


def in_our_files(findings):
    return any(line.startswith(f"{ROOT}/") and ": error: " in line for line in findings.splitlines())


def tidy(entry, database, stamp):
    """What happened to one file, and the findings in it if there are any."""
    now = hash_of_all_read(entry)
    if now and stamp.exists() and stamp.read_text() == now:
        return "unchanged", None
    done = subprocess.run(["clang-tidy-19", "-p", database, "--quiet", entry["file"]], capture_output=True, text=True,
                          check=False)
    if done.returncode and (in_our_files(done.stdout) or not done.stdout):
        return "failed", done.stdout or done.stderr
    if now:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(now)
    return "clean", None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="files at once (all processors)")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("words", nargs="*", help="only files whose path contains one of them")
    options = parser.parse_args()

    stamps = options.build.resolve() / "tidy"
    stamps.mkdir(exist_ok=True)
    ours = {}  # by path; one entry for a file that several targets compile
    for entry in json.loads((options.build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if file.is_relative_to(ROOT) and not file.is_relative_to(ROOT / "build"):
            ours[str(file.relative_to(ROOT))] = entry
    (stamps / "compile_commands.json").write_text(json.dumps(list(ours.values())))
    wanted = sorted(f for f in ours if not options.words or any(word in f for word in options.words))

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda file: tidy(ours[file], stamps, stamps / f"{file}.clean"), wanted)
        for number, (file, (outcome, findings)) in enumerate(zip(wanted, results), 1):
            print(f"[{number}/{len(wanted)}] {file}: {outcome}", flush=True)
            if findings is not None:
                failed += 1
                print(findings, flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
