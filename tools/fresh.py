#!/usr/bin/env python3
"""What somebody with a new machine sees: the commands of README.md in a Debian 12 that has nothing else.

Makes a minimal root with debootstrap, from this machine's own package sources, puts a clean checkout of the last commit
into it and runs there, with `make` as the only thing taken for granted:

    run    `make run` until it serves, then README.md's lines that produce and consume a record
    test   `make test`

Prints how long installing, building and testing took; exits 1 when something failed.
Needs root, debootstrap, 8 GB below /var/tmp and the port 9092. Mounts and processes live in namespaces of their own
and go with them, and the root is deleted, however this ends.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
RELEASE = "bookworm"
ENVIRONMENT = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
LONGEST = 3 * 3600  # seconds, for all of it


class Failure(Exception):
    pass


def indexes_of_debian(line, *filters):
    """The package indexes of Debian that apt has here, each as a line of that format."""
    asked = ["apt-get", "indextargets", "--format", line, "Created-By: Packages", "Origin: Debian", *filters]
    return sorted(set(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\n")) - {""})


def check_machine():
    """Says at once what would only show after minutes."""
    if os.geteuid() != 0:
        raise Failure("run it as root: debootstrap and chroot need that")
    if not shutil.which("debootstrap"):
        raise Failure("debootstrap is missing: apt-get install debootstrap")
    if not indexes_of_debian("$(REPO_URI)", f"Codename: {RELEASE}"):
        raise Failure(f"apt knows no source of Debian {RELEASE}: run apt-get update, or add one")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 9092)) == 0:
            raise Failure("something serves on port 9092, where make run would")
    if subprocess.run(["git", "-C", REPOSITORY, "diff", "--quiet", "HEAD"], check=False).returncode:
        print("fresh: what is not committed is left out", flush=True)


class Root:
    """The new machine. Lives in the namespaces of this process."""

    def __init__(self, path):
        self.path = path

    def make(self):
        self.must("debootstrap", "--variant=minbase", RELEASE, self.path,
                  indexes_of_debian("$(REPO_URI)", f"Codename: {RELEASE}")[0])
        sources = indexes_of_debian("deb $(REPO_URI) $(RELEASE) $(COMPONENT)")
        (self.path / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        (self.path / "etc/hosts").write_text("127.0.0.1 localhost\n")  # as an installer would
        self.must("mount", "-t", "proc", "proc", self.path / "proc")
        self.must("mount", "-t", "tmpfs", "tmpfs", self.path / "dev/shm")
        self.must("mount", "-t", "devpts", "devpts", self.path / "dev/pts")
        self.must("chroot", self.path, "apt-get", "update")
        self.must("chroot", self.path, "apt-get", "install", "-y", "--no-install-recommends", "make")
        self.must("git", "clone", "--quiet", "--no-hardlinks", REPOSITORY, self.path / "milena")

    @staticmethod
    def must(*command):
        done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            raise Failure(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout[-3000:]}")

    def start(self, command):
        """A shell command in the checkout, the leader of a process group."""
        return subprocess.Popen(["chroot", self.path, "bash", "-c", f"cd /milena && {command}"], env=ENVIRONMENT,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def output(self, command):
        process = self.start(command)
        text, _ = process.communicate()
        print(text, end="", flush=True)
        if process.returncode:
            raise Failure(f"exit code {process.returncode} of: {command}")
        return text


def times_of(process, *marks):
    """Copies the output up to the line with the last mark. The seconds from the start to each mark's first line."""
    started, times = time.monotonic(), []
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.startswith(marks[len(times)]):
            times.append(round(time.monotonic() - started))
            if len(times) == len(marks):
                return times
    raise Failure(f"ended with exit code {process.wait()} before a line '{marks[len(times)]}' came")


CONFIGURE = "-- "  # how the lines of CMake begin, the first program after the installation


def run(root, readme):
    process = root.start("make run")
    installed, served = times_of(process, CONFIGURE, "BROKERS=")
    talk = root.output("set -e\n" + readme[1])
    if "key: Dear Milena" not in talk:
        raise Failure("the record did not come back")
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate()
    return f"make run: install {installed} s, build {served - installed} s; a record was produced and consumed"


def test(root, _):
    process = root.start("make test")
    installed, built = times_of(process, CONFIGURE, "ctest ")
    started = time.monotonic()
    for line in process.stdout:
        print(line, end="", flush=True)
    if process.wait():
        raise Failure(f"make test: exit code {process.returncode}")
    tested = round(time.monotonic() - started)
    return f"make test: install {installed} s, build {built - installed} s, tests {tested} s; passed"


def inside(path, parts):
    readme = re.findall(r"^```sh\n(.*?)^```", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    for part in parts:
        if f"make {part.__name__} " not in readme[0]:
            raise Failure(f"README.md's first commands do not name make {part.__name__}")
    root = Root(path)
    print(f"fresh: making a minimal Debian {RELEASE}", flush=True)
    root.make()
    lines = [part(root, readme) for part in parts]
    print(f"\nfresh, with {os.cpu_count()} processors:", *lines, sep="\n  ")


def end(process):
    """Kills the first process in the namespaces, and the kernel all others; the mounts go with the last."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for child in children.read_text().split() if process.poll() is None else ():
        os.kill(int(child), signal.SIGKILL)
    process.wait()


def outside():
    check_machine()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    path = tempfile.mkdtemp(prefix="milena-fresh.", dir="/var/tmp")
    os.chmod(path, 0o755)  # apt reads it as somebody else
    process = None
    try:
        process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                                    sys.executable, __file__, "--inside", path, *sys.argv[1:]])
        return process.wait(LONGEST)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"not done after {LONGEST // 3600} hours") from error
    finally:
        if process:
            end(process)
        subprocess.run(["rm", "-rf", "--one-file-system", path], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["run", "test"], help="one of the two commands")
    options = parser.parse_args()
    try:
        if not options.inside:
            return outside()
        inside(options.inside, [part for part in (run, test) if options.only in (None, part.__name__)])
    except Failure as failure:
        print(f"fresh: FAILED: {failure}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
