#!/usr/bin/env python3
"""Holds every #include against the picture in docs/ARCHITECTURE.md: which room may know which.

A room may include itself and the rooms in ALLOWED. Some libraries are kept to one place (LIBRARIES).
Prints one line per violation and exits 1 if there is any.
"""
import pathlib
import re
import subprocess
import sys

ALLOWED = {
    "base": set(),
    "protocol": {"base"},
    "storage": {"base", "protocol"},
    "coordinator": {"base", "protocol"},
    "controller": {"base", "protocol"},
    "broker": {"base", "protocol", "storage", "coordinator", "controller"},
    "cli": {"base", "protocol", "storage", "coordinator", "controller", "broker"},
    "sim": {"base", "protocol", "storage", "coordinator", "controller", "broker"},
    "bench": {"base", "protocol"},
    "compat-tests": set(),
}
# Include prefix -> folders that may use it.
LIBRARIES = {
    "boost/asio": ("base/async",),
    "boost/beast": ("broker/admin",),
    "prometheus/": ("broker/metrics",),
    "spdlog/": ("base/",),
    "CLI/": ("bench/", "broker/", "cli/", "sim/"),
    "openssl/": ("broker/security", "base/"),
    "re2/": ("coordinator/", "broker/"),
    "zstd": ("protocol/",),
    "lz4": ("protocol/",),
    "snappy": ("protocol/",),
    "zlib": ("protocol/",),
    "isa-l": ("base/", "protocol/"),
}
# Where the sockets are.
SOCKETS = {"broker/net/connection.h", "broker/net/listener.h", "broker/net/net_loop.h", "broker/net/socket_server.h",
           "base/async/asio.h"}
# The decision cores never wait, read a clock or open a file.
CORES = ("protocol/", "coordinator/", "controller/")
CORE_BANNED = {"thread", "mutex", "condition_variable", "future", "fstream", "filesystem", "unistd.h", "fcntl.h",
               "base/posix_fs.h", "base/async/"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaints(root, path):
    room = path.parts[0]
    text = (root / path).read_text(errors="replace")
    is_test = re.search(r"_(test|fuzz|bench)\.cc$", path.name) or "kmsgc" in path.parts
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, target = match[1] == '"', match[2]
        where = f"{path}:{number}"
        first = target.split("/")[0]
        if quoted and first in ALLOWED and first != room and first not in ALLOWED[room]:
            yield f"{where}: {room} may not include {first} ({target})"
        if quoted and "/" not in target:
            yield f"{where}: write the path from the root of the tree, not {target}"
        if quoted and room == "sim" and target in SOCKETS:
            yield f"{where}: sim runs without sockets ({target})"
        for prefix, places in LIBRARIES.items():
            if target.startswith(prefix) and not str(path).startswith(places):
                yield f"{where}: {prefix} belongs to {', '.join(places)}"
        if str(path).startswith(CORES) and not is_test:
            if any(target == b or (b.endswith("/") and target.startswith(b)) for b in CORE_BANNED):
                yield f"{where}: {room} decides, it does no I/O and owns no thread ({target})"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.h", "*.cc"],
                            capture_output=True, text=True, check=False)
    files = listed.stdout.split() if listed.returncode == 0 else [
        str(p.relative_to(root)) for room in ALLOWED for e in ("*.h", "*.cc") for p in (root / room).rglob(e)]
    files = [pathlib.Path(f) for f in files if (root / f).exists() and pathlib.Path(f).parts[0] in ALLOWED]
    found = [c for f in sorted(files) for c in complaints(root, f)]
    print("\n".join(found) if found else f"{len(files)} files keep to the picture")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
