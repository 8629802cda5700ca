#!/usr/bin/env python3
"""Directories of other builds: what an older one wrote opens here with everything in it, and the other way round.

Forwards: every archive in data/ is opened by this build, which must serve what the inspection beside it says, and can
go on with what was half done: members of groups, an idempotent producer, an open transaction.
Backwards (--old PATH): that older build opens what this one has written, and serves all of it or refuses in one line.
"""

import itertools
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib import broker  # noqa: E402
from lib.report import Report  # noqa: E402

import archives  # noqa: E402
import features  # noqa: E402
import inspection  # noqa: E402


def expect_all(target, inspected):
    different = inspection.difference(inspected, inspection.inspect(target))
    assert not different, "\n".join(different[:20]) + f"\n{target.log_tail()}"


def forwards(binary, archive):
    with archives.AtThatTime(binary, archive.directories, archive.time).prepared() as target:
        archive.extract(target.data)
        target.start()
        expect_all(target, archive.inspection)
        inspection.go_on(target, archive.notes, archive.time)
        later = inspection.inspect(target)
        archives.end(target, "kill")
        target.start()
        expect_all(target, later)
        archives.end(target, "stop")


def backwards(binary, old, count, ending):
    """What the older build does with a directory of this one."""
    with archives.Build(binary, count).prepared() as new:
        written, notes, inspected = archives.fill(new, ending)
        with archives.Build(old, count).prepared() as target:
            shutil.copytree(new.data, target.data)
            try:
                target.start()
            except RuntimeError:
                lines = target.log_tail().splitlines()
                refusals = [line for line in lines if line.startswith("milena: ")]
                assert (
                    target.process.returncode == 1 and len(refusals) == 1
                ), f"no refusal in one line: {target.process.returncode}\n{target.log_tail()}"
                print(f"           {refusals[0]}")
                return
            expect_all(target, inspected)
            inspection.go_on(target, notes, written)


def unknown_level(binary, feature, level):
    """A metadata log that uses what this build does not know is refused by name, and left as it is."""
    with broker.Milena(binary, "upgrade").prepared() as target:
        target.start()
        assert target.stop() == 0, target.log_tail()
        features.append_level(target.data, feature, level)
        log = next((target.data / "__cluster_metadata-0").glob("*.log"))
        before = log.read_bytes()
        target.spawn()
        code = target.process.wait(10)
        refusals = [line for line in target.log_tail().splitlines() if line.startswith("milena: ")]
        assert code == 1 and len(refusals) == 1, f"exit code {code}:\n{target.log_tail()}"
        assert feature in refusals[0] and f"level {level}" in refusals[0], refusals[0]
        assert log.read_bytes().startswith(before), "the metadata log was changed"


def kept_levels(binary):
    """Features that only add kinds of groups are kept: one warning names them, and clients are not told of them."""
    with broker.Milena(binary, "upgrade").prepared() as target:
        target.start()
        for feature in sorted(features.KEPT):
            target.stop()
            features.append_level(target.data, feature, 1)
            target.start()
        features.check_kept(target)


def main():
    parser = broker.parser(__doc__)
    parser.add_argument("--only", help="checks whose name contains one of these, separated by commas")
    parser.add_argument("--old", help="the binary of an older build, for the way back")
    arguments = parser.parse_args()
    if arguments.target != "milena":
        print("upgrade: nothing to do for another broker than our own")
        return 0
    report = Report("upgrade", arguments.only)
    for archive in archives.all_archives():
        report.run(f"{archive.name} is opened", forwards, arguments.milena, archive)
    for feature, level in (("metadata.version", 33), ("group.version", 2), ("later.version", 1)):
        report.run(f"{feature} {level} is refused", unknown_level, arguments.milena, feature, level)
    report.run("features that only add groups are kept", kept_levels, arguments.milena)
    if arguments.old:
        for count, ending in itertools.product(archives.DIRECTORIES, archives.ENDINGS):
            report.run(f"the older build on {count} after {ending}", backwards, arguments.milena, arguments.old, count, ending)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
