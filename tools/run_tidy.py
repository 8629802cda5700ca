#!/usr/bin/env python3
"""Runs clang-tidy on every source file of ours that the build folder named on the command line compiles.

More arguments: only files whose path contains one of them. Only findings in files of ours count: the analyzer walks
into Asio's coroutines, and loses its way there.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys


def main():
    build = pathlib.Path(sys.argv[1])
    root = pathlib.Path(__file__).resolve().parent.parent
    ours = [e["file"] for e in json.loads((build / "compile_commands.json").read_text())
            if pathlib.Path(e["file"]).is_relative_to(root) and not pathlib.Path(e["file"]).is_relative_to(root / "build")]
    wanted = sorted(set(ours)) if len(sys.argv) < 3 else [f for f in ours if any(w in f for w in sys.argv[2:])]

    def tidy(file):
        return file, subprocess.run(["clang-tidy-19", "-p", build, "--quiet", file], capture_output=True, text=True,
                                    check=False)

    def in_our_files(findings):
        return any(line.startswith(f"{root}/") and ": error: " in line for line in findings.splitlines())

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (file, done) in enumerate(pool.map(tidy, wanted), 1):
            print(f"[{number}/{len(wanted)}] {os.path.relpath(file, root)}", flush=True)
            if done.returncode and (in_our_files(done.stdout) or not done.stdout):
                failed += 1
                print(done.stdout)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
