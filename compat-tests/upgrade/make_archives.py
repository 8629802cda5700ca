#!/usr/bin/env python3
"""Makes the archives of a release: run it once with the binary of that release, and commit what it leaves in data/.

compat-tests/upgrade/make_archives.py --milena path/to/milena --release 1.0
"""

import itertools
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker  # noqa: E402

import archives  # noqa: E402


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--release", required=True, help="what the archives are named after")
    arguments = parser.parse_args()
    for count, ending in itertools.product(archives.DIRECTORIES, archives.ENDINGS):
        with archives.Build(arguments.milena, count).prepared() as target:
            written, notes, inspected = archives.fill(target, ending)
            archives.store(f"{arguments.release}-{count}-{ending}", target, written, notes, inspected)
    for path in sorted(archives.DATA.iterdir()):
        print(f"{path.stat().st_size:>8} {path.name}")


if __name__ == "__main__":
    sys.exit(main())
