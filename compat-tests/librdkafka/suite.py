"""librdkafka and its test suite, built once in the cache from the source that an npm package carries."""

import re
import shutil
from pathlib import Path

from lib import cache, kafka_jars

PACKAGE = "@confluentinc/kafka-javascript@1.10.1"
VERSION = "2.15.1"

_DEBIAN_PACKAGES = [
    "build-essential", "pkg-config", "libssl-dev", "zlib1g-dev", "libzstd-dev", "liblz4-dev", "libsasl2-dev", "libcurl4-openssl-dev",
    "rapidjson-dev",
]  # fmt: skip


def tests_dir():
    """The suite's tests/ directory, with test-runner built; the library is in ../src."""
    return cache.made_once(f"librdkafka-{VERSION}", _make) / "tests"


def test_numbers():
    """The numbers of the tests that talk to a broker, in order; not those with a mock broker or run only when told to."""
    declared = re.findall(r"^ +_TEST\(\s*(\d{4})(_\w+),\s*([^,)]+)", (tests_dir() / "test.c").read_text(), re.MULTILINE)
    left_out = re.compile(r"\bTEST_F_(LOCAL|MANUAL|KNOWN_ISSUE)\b")
    return sorted({number for number, name, flags in declared if not left_out.search(flags) and "_mock" not in name})


def source(number):
    """The text of the test with this number."""
    return "".join(path.read_text(errors="replace") for path in tests_dir().glob(f"{number}*.c*"))


def kafka_path():
    """What the suite wants as KAFKA_PATH: Kafka's tools, and the script that starts any class, also the suite's own."""
    path = cache.scratch_dir("kafka-path")
    for part in [kafka_jars.libs(), *kafka_jars.tools()]:
        link = path / part.relative_to(kafka_jars.home())
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(part)
    starter = path / "bin/kafka-run-class.sh"
    starter.write_text(f'#!/bin/sh\nexec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$CLASSPATH:{kafka_jars.libs()}/*" "$@"\n')
    starter.chmod(0o755)
    _compile_java(tests_dir() / "java")
    return path


def pauser():
    """The library that makes the suite pause, to be preloaded (pause.c)."""
    library = cache.scratch_dir("librdkafka-pause") / "pause.so"
    source = Path(__file__).with_name("pause.c")
    cache.run_logged(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], cache.logs_dir("setup") / "librdkafka-build.log")
    return library


def _compile_java(directory):
    """The programs that the suite runs beside itself, such as a transactional producer."""
    sources = sorted(directory.glob("*.java"))
    if all(source.with_suffix(".class").exists() for source in sources):
        return
    log = cache.logs_dir("setup") / "librdkafka-build.log"
    cache.run_logged(["javac", "-cp", f"{kafka_jars.libs()}/*", "-d", directory, *sources], log)


def _make(directory):
    cache.need_debian_packages(*_DEBIAN_PACKAGES)
    cache.need_command("npm", "npm")
    log = cache.logs_dir("setup") / "librdkafka-build.log"
    cache.run_logged(["npm", "pack", "--silent", PACKAGE], log, cwd=directory)
    (archive,) = directory.glob("*.tgz")
    cache.run_logged(["tar", "-xzf", archive, "--strip-components=3", "package/deps/librdkafka"], log, cwd=directory)
    archive.unlink()
    cache.run_logged(["./configure", "--enable-devel"], log, cwd=directory)
    cache.run_logged(["make", "-j2", "libs"], log, cwd=directory)
    cache.run_logged(["make", "-C", "tests", "-j2", "test-runner"], log, cwd=directory)
    if shutil.which("test-runner", path=directory / "tests") is None:
        raise RuntimeError(f"no test-runner was built; see {log}")
