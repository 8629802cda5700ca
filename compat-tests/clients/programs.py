"""How a test program in some language comes about: its packages from their registries into the cache, then built.

Each function here gives a `prepare()` that returns (command, environment additions) and does the work when it is called.
"""

import functools
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "librdkafka"))

from lib import cache, kafka_jars  # noqa: E402

import python_env  # noqa: E402
import suite  # noqa: E402

LOG = "client-programs.log"


def _log():
    return cache.logs_dir("setup") / LOG


def java(source, artifacts=()):
    """A class in one file against Kafka's jars; `artifacts` of Kafka, such as kafka-streams, come on top."""

    @functools.cache
    def prepare():
        cache.need_command("javac", "openjdk-17-jdk-headless")
        jars = ":".join(f"{directory}/*" for directory in (kafka_jars.libs(), *map(kafka_jars.extra, artifacts)))
        classes = cache.scratch_dir(f"java-{source.stem}")
        cache.run_logged(["javac", "-cp", jars, "-d", classes, source], _log())
        options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF"]  # it would log to stdout, into the lines
        return ["java", *options, "-cp", f"{classes}:{jars}", source.stem], {}

    return prepare


def python(program, name, *requirements):
    def prepare():
        return [str(python_env.interpreter(name, list(requirements))), str(program)], {}

    return prepare


def node(program, package, version, environment=None):
    """`environment()`: what the package needs beside itself, to be built and to run."""

    def prepare():
        cache.need_command("npm", "npm")
        additions = environment() if environment else {}

        def make(directory):
            (directory / "package.json").write_text("{}")
            command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"{package}@{version}"]
            cache.run_logged(command, _log(), cwd=directory, env=dict(os.environ, **additions))

        home = cache.made_once(f"node-{package.replace('/', '-').strip('@')}-{version}", make)
        for source in program.parent.glob("*.mjs"):  # next to node_modules, where Node looks from a program
            shutil.copy(source, home / source.name)
        return ["node", str(home / program.name)], additions

    return prepare


def librdkafka():
    """Node's binding is built against a librdkafka; its own build would fetch sources from sites outside the registry."""
    library = suite.tests_dir().parent
    paths = f"{library}/src:{library}/src-cpp"
    return {"BUILD_LIBRDKAFKA": "0", "CPLUS_INCLUDE_PATH": paths, "LIBRARY_PATH": paths, "LD_LIBRARY_PATH": paths}


def go(module, program):
    """A program of the Go module in the folder `module`."""

    def prepare():
        if shutil.which("go") is None:
            raise RuntimeError("Go is needed: https://go.dev/dl or a package; Debian 12's is too old for these clients")
        binary = cache.scratch_dir(f"go-{module.parent.name}") / program
        cache.run_logged(["go", "build", "-o", binary, f"./{program}"], _log(), cwd=module)
        return [str(binary)], {}

    return prepare
