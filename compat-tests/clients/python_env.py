"""Virtual environments in the cache, one for each Python client."""

import venv

from lib import cache


def interpreter(name, requirements):
    """The Python of a virtual environment with these requirements."""

    def make(directory):
        # The environment is renamed into place afterwards; its interpreter is only ever called by path, so that holds.
        venv.create(directory, with_pip=True)
        command = [directory / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements]
        cache.run_logged(command, cache.logs_dir("setup") / f"{name}.log")

    return cache.made_once(f"venv-{name}", make) / "bin/python"
