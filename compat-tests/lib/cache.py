"""The cache of fetched and built things, outside version control.

Everything comes from a package registry through its ordinary client at run time. One directory holds it all, by
default build/compat-cache; MILENA_COMPAT_CACHE names another. Each item is made once: under a lock, in a scratch
directory that is renamed into place, so that two runners at once or an interrupted one never leave half an item.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cache_dir():
    """The cache directory; created if it is missing."""
    path = Path(os.environ.get("MILENA_COMPAT_CACHE") or ROOT / "build" / "compat-cache").resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def logs_dir(suite):
    """Where a suite leaves the logs of its failures: build/compat-logs/SUITE."""
    path = ROOT / "build" / "compat-logs" / suite
    path.mkdir(parents=True, exist_ok=True)
    return path


def scratch_dir(name):
    """A directory for what is built anew in every run: build/compat-scratch/NAME."""
    path = ROOT / "build" / "compat-scratch" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def made_once(name, make):
    """The path of cache item `name`; when it is missing, `make(scratch)` fills a directory that becomes it."""
    item = cache_dir() / name
    if item.exists():
        return item
    with _lock(name):
        if item.exists():
            return item
        scratch = cache_dir() / f".{name}.making"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        started = time.monotonic()
        print(f"compat: preparing {name} ...", file=sys.stderr, flush=True)
        make(scratch)
        scratch.rename(item)
        print(f"compat: {name} ready after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return item


@contextlib.contextmanager
def _lock(name):
    with open(cache_dir() / f".{name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_logged(command, log_path, **options):
    """Runs a command with its output in `log_path`; on failure raises with the log's tail."""
    with open(log_path, "ab") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        log.flush()
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, **options).returncode
    if code != 0:
        tail = Path(log_path).read_text(errors="replace").splitlines()[-15:]
        raise RuntimeError(f"{command[0]} ended with {code}; see {log_path}:\n  " + "\n  ".join(tail))


def need_debian_packages(*packages):
    """Installs missing Debian packages when we may (root or passwordless sudo); else says which are missing."""
    missing = [p for p in packages if not _installed(p)]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print(f"compat: installing {' '.join(missing)}", file=sys.stderr, flush=True)
    log = logs_dir("setup") / "apt.log"
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    try:
        run_logged([*sudo, "apt-get", "update", "-qq"], log, env=environment)
        run_logged([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], log, env=environment)
    except (RuntimeError, FileNotFoundError) as error:
        raise RuntimeError(f"these Debian packages are needed and could not be installed: {' '.join(missing)}\n{error}")


def need_command(command, *packages):
    """Makes sure that `command` is on the path; `packages` are the Debian packages that bring it."""
    if shutil.which(command) is None:
        need_debian_packages(*packages)


def _installed(package):
    query = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True)
    return "ok installed" in query.stdout
