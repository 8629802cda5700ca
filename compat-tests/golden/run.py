#!/usr/bin/env python3
"""Compares the codec with Kafka's own classes: random instances of every message at every version, encoded by
Kafka, must come back from wire-roundtrip byte for byte.

run.py [--rounds N] [--seed N] [--roundtrip PATH]   compare; needs Maven, a JDK 17 and build/release/wire-roundtrip
run.py --write                                      renew protocol/golden/kafka_4_4_0.txt, which ctest checks without Java
"""
import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VECTORS = ROOT / "protocol/golden/kafka_4_4_0.txt"


def build():
    subprocess.run(["mvn", "-q", "compile", "dependency:copy-dependencies", "-DoutputDirectory=target/libs"],
                   cwd=HERE, check=True)


def golden(seed, rounds):
    """Lines `MESSAGE VERSION HEX` from Kafka's classes."""
    command = ["java", "-cp", "target/classes:target/libs/*", "milena.golden.GoldenMessages", str(seed), str(rounds)]
    return subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout


def compare(roundtrip, seed, rounds):
    lines = golden(seed, rounds)
    ours = subprocess.run([roundtrip], input=lines, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    lines = lines.splitlines()
    if len(lines) != len(ours):
        return [f"{len(lines)} lines in, {len(ours)} lines out"]
    return [f"{line}\n  came back as {again}" for line, again in zip(lines, ours) if line.rsplit(" ", 1)[1] != again]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="instances of each message and version")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--roundtrip", default=ROOT / "build/release/wire-roundtrip")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    build()
    if arguments.write:
        VECTORS.write_text(golden(seed=1, rounds=2))
        return 0
    different = compare(arguments.roundtrip, arguments.seed, arguments.rounds)
    print("\n".join(different[:20]))
    print(f"seed {arguments.seed}, {arguments.rounds} instances each: {len(different)} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
