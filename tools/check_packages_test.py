"""The check of the lists of packages: what it finds in sources, and what it says of what is on no list."""
import pathlib
import subprocess
import tempfile
import unittest

import check_packages
from check_packages import Need

CXX = check_packages.compiler(check_packages.ROOT)


def tree(files):
    """A temporary checkout with these files."""
    folder = tempfile.TemporaryDirectory()
    subprocess.run(["git", "init", "-q", folder.name], check=True)
    for name, text in files.items():
        path = pathlib.Path(folder.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def lines(needs, **closures):
    owner_of = check_packages.owners({n.path for n in needs if n.path})
    return list(check_packages.unmet(needs, owner_of, closures))


class Headers(unittest.TestCase):
    def headers(self, name, text):
        with tree({name: text}) as root:
            return list(check_packages.headers(pathlib.Path(root), CXX))

    def test_a_header_of_a_package_on_no_list_is_named_with_file_and_package(self):
        needs = self.headers("coordinator/hash.cc", '#include "base/bytes.h"\n  #  include <xxhash.h>\n')
        self.assertEqual(lines(needs, run={"libfmt-dev"}), [
            "coordinator/hash.cc: <xxhash.h> is of the package libxxhash-dev, which the list run does not bring"])
        self.assertEqual(lines(needs, run={"libxxhash-dev"}), [])

    def test_a_header_that_is_not_here_is_named(self):
        line, = lines(self.headers("base/a.h", "#include <no/such_header.h>\n"), run=set())
        self.assertTrue(line.startswith("base/a.h: <no/such_header.h> is not on this machine"), line)

    def test_the_standard_library_and_libc_have_owners(self):
        needs = self.headers("base/a.h", "#include <vector>\n#include <unistd.h>\n#include <sys/stat.h>\n")
        self.assertEqual(set(check_packages.owners({n.path for n in needs}).values()),
                         {"libstdc++-12-dev", "libc6-dev"})

    def test_tests_may_use_what_the_broker_may_not(self):
        for name, where in {"base/a_test.cc": "test", "storage/testing/a.h": "test", "bench/load/a.cc": "test",
                            "base/a.cc": "run", "base/attest.h": "run"}.items():
            self.assertEqual([need.list for need in self.headers(name, "#include <gtest/gtest.h>\n")], [where], name)


class Programs(unittest.TestCase):
    def called(self, name, text):
        presets = (check_packages.ROOT / "CMakePresets.json").read_text()
        with tree({name: text, "CMakePresets.json": presets}) as root:
            return {need.what for need in check_packages.programs(pathlib.Path(root), CXX) if need.where == name}

    def test_recipes_and_scripts(self):
        recipe = "F = $(shell kcat x)\nrun: build\n\t@valgrind x | strace y && (git z)\n# ninja\n"
        self.assertEqual(self.called("Makefile", recipe) - {"cmake"}, {"kcat", "valgrind", "strace", "git"})
        script = "if git x; then\n  cmake y $(kcat z)\nfi\n"
        self.assertEqual(self.called("tools/a.sh", script), {"git", "cmake", "kcat"})

    def test_python(self):
        self.assertEqual(self.called("tools/a.py", "run(['git', x])\nf(shutil.which('kcat'), ['none', 'cmake'])\n"),
                         {"git", "kcat"})

    def test_cmake(self):
        self.assertEqual(self.called("cmake/a.cmake", "find_program(C ccache)\nadd_test(NAME x COMMAND python3 y)\n"),
                         {"ccache", "python3"})

    def test_a_program_has_an_owner_through_links_and_the_merged_usr(self):
        paths = {"/usr/bin/clang++-19": "clang-19", "/usr/bin/bash": "bash", "/usr/bin/git": "git"}
        self.assertEqual(check_packages.owners(paths), paths)


class Libraries(unittest.TestCase):
    def test_the_broker_does_with_the_first_list(self):
        ninja = ("build base/base_test: CXX_EXECUTABLE_LINKER__base_test_Debug a.o\n"
                 "  LINK_LIBRARIES = base/libmilena_base.a  /usr/lib/libgtest.a\n"
                 "build milena: CXX_EXECUTABLE_LINKER__milena_Debug a.o\n"
                 "  LINK_LIBRARIES = base/libmilena_base.a  /usr/lib/libfmt.so.9\n")
        with tree({"build.ninja": ninja}) as build:
            self.assertEqual([n[1:] for n in check_packages.linked_libraries(pathlib.Path(build))],
                             [("/usr/lib/libgtest.a", "/usr/lib/libgtest.a", "test"),
                              ("/usr/lib/libfmt.so.9", "/usr/lib/libfmt.so.9", "run")])

    def test_a_file_of_no_package_is_named(self):
        with tempfile.NamedTemporaryFile() as file:
            need = Need("the program milena", file.name, file.name, "run")
            self.assertEqual(lines([need], run=set()),
                             [f"the program milena: {file.name} is {file.name}, which is of no package"])


if __name__ == "__main__":
    unittest.main()
