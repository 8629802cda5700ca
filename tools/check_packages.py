#!/usr/bin/env python3
"""check_packages.py BUILD_DIR: what the sources need must be on the lists of tools/install_deps.sh.

A machine that has a package by accident hides that it is on no list; a new machine then cannot build. So this asks dpkg
which package owns
  - every header that a tracked C++ file includes as <...>,
  - every library that a program of BUILD_DIR (configured with the tests) is linked with,
  - what the compiler takes itself: linker, start files, runtimes of the sanitizers,
  - every program that the Makefiles, .ci/run, CMake and the scripts of tools/ call,
and asks apt which packages it would install for the lists on a machine that has nothing. The broker's own files must do
with the list `run`, the others may use `test` too. Prints one line for each need that is not met and exits 1.
"""
import ast
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
ASSUMED = ["?essential", "apt", "make"]  # there before the first command of README.md
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)
# Files that only tests, fuzzers and measurements compile.
TESTING = re.compile(r"_(test|fuzz|bench|fixture|model)\.(h|cc)$|/testing/|^bench/")
# Where a shell script or a recipe names a program: first on a line or after a separator, and after words of the shell.
SHELL_WORD = re.compile(r"(?:^[\t @-]*|[|;&(`]\s*)(?:(?:then|do|else|if|while|exec|xargs|shell|!)\s+)*([a-z][\w.+-]*)",
                        re.MULTILINE)


class Need(NamedTuple):
    where: str  # the file of ours that asks for it
    what: str  # as it is written there
    path: str | None  # the file on this machine; None: it is not here
    list: str  # run or test


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def tracked(root, *patterns):
    return run("git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "--", *patterns).splitlines()


# What the sources need.


def compiler(root):
    presets = json.loads((root / "CMakePresets.json").read_text())["configurePresets"]
    return next(p["cacheVariables"]["CMAKE_CXX_COMPILER"] for p in presets if p["name"] == "base")


@functools.cache
def include_folders(cxx):
    done = subprocess.run([cxx, "-E", "-v", "-x", "c++", os.devnull], capture_output=True, text=True, check=True)
    listed = done.stderr.partition("#include <...> search starts here:\n")[2].partition("End of search list")[0]
    return [pathlib.Path(line.strip()).resolve() for line in listed.splitlines()]


def headers(root, cxx):
    for name in tracked(root, "*.h", "*.cc"):
        for header in INCLUDE.findall((root / name).read_text(errors="replace")):
            found = next((str(f / header) for f in include_folders(cxx) if (f / header).exists()), None)
            yield Need(name, f"<{header}>", found, "test" if TESTING.search(name) else "run")


def linked_libraries(build):
    """By the lines that Ninja links each program with."""
    program = None
    for line in (build / "build.ninja").read_text().splitlines():
        if match := re.match(r"build (\S+): CXX_EXECUTABLE_LINKER", line):
            program = match[1]
        elif line.startswith("  LINK_LIBRARIES = "):
            for library in re.findall(r"(?<=\s)/\S+", line):
                yield Need(f"the program {program}", library, library, "run" if program == "milena" else "test")


def toolchain(cxx):
    """Files that the compiler hands to the linker, and the linker."""
    for options, where in (["-fuse-ld=lld"], "run"), (["-fsanitize=address,undefined,fuzzer"], "test"), \
            (["-fsanitize=thread"], "test"):
        with tempfile.NamedTemporaryFile(suffix=".o") as ours:
            done = subprocess.run([cxx, *options, "-###", ours.name], capture_output=True, text=True, check=True)
        for path in re.findall(r'"(/[^" ]+\.[ao]|/[^" ]+/ld[^" ]*)"', done.stderr):
            if path != ours.name:
                yield Need(f"{cxx} {options[0]}", path, path, where)


def words_of_python(text):
    """The first word of each list, if it is a string: the form in which scripts write commands."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List) and node.elts and isinstance(node.elts[0], ast.Constant):
            yield node.elts[0].value
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("run", "self.must", "shutil.which"):
            yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant))


def words_of_shell(text):
    return SHELL_WORD.findall(re.sub(r"(^|\s)#.*", "", text))


def programs(root, cxx):
    called = [("CMakePresets.json", cxx, "run"), ("CMakePresets.json", "ninja", "run"), ("Makefile", "cmake", "run"),
              ("protocol/CMakeLists.txt", "python3", "run")]  # by find_package
    for name in tracked(root, "Makefile", "*.mk", ".ci/run", "tools/*.sh", "tools/*.py", "bench/gate.py"):
        words = words_of_python if name.endswith(".py") else words_of_shell
        called += [(name, word, "test") for word in words((root / name).read_text())]
    for name in tracked(root, "*CMakeLists.txt", "cmake/*.cmake"):
        text = (root / name).read_text()
        called += [(name, word, "run") for word in re.findall(r"find_program\(\w+ ([\w.+-]+)", text)]
        called += [(name, word, "test") for word in re.findall(r"\bCOMMAND ([a-z][\w.+-]*)", text)]
    for name, word, where in sorted(set(called)):
        # A word that names no program here is a name of something else.
        if isinstance(word, str) and (path := shutil.which(word, path=SYSTEM_PATH)):
            yield Need(name, word, path, where)


# What packages give.


def candidates(path):
    """The names under which dpkg may know a file: as it is, without symbolic links, before /usr was merged."""
    names = [path, os.path.realpath(path)]
    if path.startswith("/usr/bin/") and os.path.islink(path):
        names.insert(1, os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path))))
    return names + [name.removeprefix("/usr") for name in names]


def owners(paths):
    """The package of each file that has one."""
    asked = sorted({name for path in paths for name in candidates(path)})
    done = subprocess.run(["dpkg", "-S", *asked], capture_output=True, text=True, check=False)
    known = {}
    for line in done.stdout.splitlines():
        packages, _, name = line.partition(": ")
        if not packages.startswith("diversion by "):
            known[name] = packages.split(",")[0].split(":")[0]
    return {path: next((known[n] for n in candidates(path) if n in known), None) for path in paths}


def installed_on_a_new_machine(packages, folder):
    """What apt would install for these packages on a machine without any. `folder` is for apt's cache."""
    nothing = pathlib.Path(folder, "status")
    nothing.touch()
    done = subprocess.run(["apt-get", "--simulate", "-o", f"Dir::State::status={nothing}", "-o", f"Dir::Cache={folder}",
                           "install", "--no-install-recommends", *ASSUMED, *packages],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr}apt cannot tell what it would install; if it has no lists, run apt-get update")
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")}


def unmet(needs, owner_of, closures):
    """A line for each need that no list meets. `closures`: the packages of the lists run and test."""
    for need in needs:
        owner = need.path and owner_of[need.path]
        if not need.path:
            yield f"{need.where}: {need.what} is not on this machine, install its package and put that on a list"
        elif not owner:
            yield f"{need.where}: {need.what} is {need.path}, which is of no package"
        elif owner not in closures[need.list]:
            yield f"{need.where}: {need.what} is of the package {owner}, which the list {need.list} does not bring"


def main(build):
    cxx = compiler(ROOT)
    needs = [*headers(ROOT, cxx), *linked_libraries(build), *toolchain(cxx), *programs(ROOT, cxx)]
    lists = {name: run(str(ROOT / "tools/install_deps.sh"), "--list", name).split() for name in ("run", "test")}
    with tempfile.TemporaryDirectory() as folder:
        closures = {"run": installed_on_a_new_machine(lists["run"], folder),
                    "test": installed_on_a_new_machine(lists["run"] + lists["test"], folder)}
    found = sorted(set(unmet(needs, owners({n.path for n in needs if n.path}), closures)))
    print("\n".join(found) if found else f"{len(set(needs))} needs of the sources are met by the lists of packages")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
