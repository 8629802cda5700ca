#!/usr/bin/env python3
"""Compares record batches with Kafka's own classes, in three ways: what Kafka writes and we read, what we write and
Kafka reads, and what both make of produce payloads that are mostly broken.

run.py [--count N] [--seed N] [--compare PATH]   needs Maven, a JDK 17 and build/release/batch-compare
run.py --write                                   renew protocol/golden/batch*.txt, which ctest checks without Java
"""
import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
GOLDEN = ROOT / "protocol/golden"


def build():
    subprocess.run(["mvn", "-q", "compile", "dependency:copy-dependencies", "-DoutputDirectory=target/libs"],
                   cwd=HERE, check=True)


def run(command, text=""):
    done = subprocess.run([str(word) for word in command], cwd=HERE, input=text, stdout=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{command} failed")
    return done.stdout


def kafka(*arguments, text=""):
    return run(["java", "-cp", "target/classes:target/libs/*", "milena.batches.Main", *arguments], text)


def different(lines, texts):
    """Lines `HEX TEXT` whose TEXT is not the other side's."""
    pairs = list(zip(lines.splitlines(), texts.splitlines(), strict=True))
    return [f"{line}\n  reads {text}" for line, text in pairs if line.split(" ", 1)[1] != text]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compare", default=ROOT / "build/release/batch-compare")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    build()

    def ours(*words, text=""):
        return run([arguments.compare, *words], text)

    if arguments.write:
        (GOLDEN / "batches_kafka_4_3_1.txt").write_text(kafka("random", 1, 100))
        (GOLDEN / "batch_verdicts_kafka_4_3_1.txt").write_text(kafka("judge", text=ours("cases", 1, 200)))
        return 0
    theirs = kafka("random", arguments.seed, arguments.count)
    own = ours("random", arguments.seed, arguments.count)
    failures = {
        "of Kafka's batches read differently": different(theirs, ours("describe", text=theirs)),
        "of our batches read differently": different(own, kafka("describe", text=own)),
        "lines of disagreement over payloads": ours(
            "judge", text=kafka("judge", text=ours("cases", arguments.seed, arguments.count))).splitlines(),
    }
    for what, found in failures.items():
        print("\n".join(found[:20] + [f"seed {arguments.seed}, {arguments.count} batches: {len(found)} {what}"]))
    return 1 if any(failures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
