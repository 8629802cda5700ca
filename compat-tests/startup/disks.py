"""Log directories that a test can take away: plain ones, and file systems of their own in a loop-mounted image.

A disk is known by its path, which stays the same while what lies there changes. Mounting needs root.
"""

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

NOBODY = 65534

_FS_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32): ext4, xfs, f2fs, btrfs
FLUSH_FIRST, NO_FLUSH = 0, 2  # what the ioctl does before the file system is dead

_IMAGES = {
    "ext4": ("96M", ["mkfs.ext4", "-q", "-m", "0"]),
    "xfs": ("320M", ["mkfs.xfs", "-q"]),  # mkfs.xfs makes none below 300 MB
}


def run(*command):
    """Runs a command; RuntimeError with what it said if it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Disk:
    """A plain directory. `aside` is where its content waits while something else stands in its place."""

    kind = "plain"

    def __init__(self, path):
        self.path = Path(path)
        self.aside = self.path.with_name(self.path.name + ".aside")

    def create(self):
        self.path.mkdir(parents=True)

    def copy_to(self, path):
        """The same content at another path, as a disk of its own."""
        other = Disk(path)
        run("cp", "-a", self.path, other.path)
        return other

    def move_aside(self):
        self.path.rename(self.aside)

    def replace(self, content=None):
        """Something else stands in its place: nothing (None), an empty directory ("") or a file with this text."""
        self.move_aside()
        if content == "":
            self.path.mkdir()
        elif content:
            self.path.write_text(content)

    def put_back(self):
        """Ends `replace`; what stood in its place is gone."""
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)
        self.aside.rename(self.path)

    def give_to_nobody(self):
        run("chown", "-R", f"{NOBODY}:{NOBODY}", self.path)

    def remove(self):
        """Nothing of it is in use any more."""


class Mounted(Disk):
    """A file system of its own, mounted at the path. Unmounted, the path is the empty directory below it."""

    def __init__(self, path, kind):
        super().__init__(path)
        self.kind = kind
        self.image = self.path.with_name(self.path.name + ".img")

    def create(self):
        size, make = _IMAGES[self.kind]
        run("truncate", "-s", size, self.image)
        run(*make, self.image)
        self.path.mkdir()
        self.mount()

    def copy_to(self, path):
        """Copies the image: it must not be mounted."""
        other = Mounted(path, self.kind)
        run("cp", "--sparse=always", self.image, other.image)
        other.path.mkdir()
        return other

    def mount(self, *options):
        run("mount", "-o", ",".join(["loop", *options]), self.image, self.path)

    def unmount(self):
        run("umount", self.path)

    def is_mounted(self):
        return any(line.split()[1] == str(self.path) for line in Path("/proc/mounts").read_text().splitlines())

    def read_only(self):
        """Nobody writes, by the administrator's wish; refused while a file is open for writing."""
        run("mount", "-o", "remount,ro", self.path)

    def abort(self):
        """ext4 only: the file system finds itself damaged and turns read-only while it is in use."""
        run("sync", "-f", self.path)
        run("mount", "-o", "remount,abort", self.path)

    def shut_down(self, flags=FLUSH_FIRST):
        """Every access fails with EIO from here on. NO_FLUSH loses what was not synced, as a power cut does."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _FS_IOC_SHUTDOWN, struct.pack("I", flags))
        finally:
            os.close(fd)

    def remount(self):
        """As after a reboot: what was dead or read-only is a working file system again."""
        if self.is_mounted():
            self.unmount()
        self.mount()

    def remove(self):
        if self.is_mounted():
            run("umount", "-l", self.path)


def can_mount():
    """Why file systems cannot be mounted here; None if they can."""
    if os.geteuid() != 0:
        return "only root can mount file systems"
    for tool in ("mkfs.ext4", "mkfs.xfs"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    return None
