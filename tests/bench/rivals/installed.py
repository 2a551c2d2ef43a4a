"""Other chains' published packages, fetched by their own package managers into a cache folder.

Nothing of it is ours or kept in this repository. What is not to be had on a machine is skipped with
the reason that its package manager gave.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

INSTALL_TIMEOUT_S: Final = 1_800.0
"""geth takes some minutes on a slow machine."""
REASON_LINES: Final = 3


class Skipped(Exception):
    """A rival is not to be had here; the text says why."""


def cache_folder() -> Path:
    """Return where packages are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "khazana-bench"


def npm_program(cache: Path, package: str, version: str, pattern: str) -> Path:
    """Return the program that matches the pattern in an installed npm package.

    Raises:
        Skipped: there is no npm, no such package, or no such program in it.
    """
    folder = cache / f"{package.rpartition('/')[2]}-{version}"
    if not any(folder.glob(pattern)):
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        _install([*command, "--prefix", str(folder), f"{package}@{version}"])
    found = sorted(folder.glob(pattern))
    if not found:
        raise Skipped(f"{package}@{version} has no program for this machine")
    return found[0]


def go_program(cache: Path, path: str, version: str, flags: Sequence[str] = ()) -> Path:
    """Return the program built of a Go module's command.

    Raises:
        Skipped: there is no go, no such module, or it does not build.
    """
    name = path.rpartition("/")[2]
    folder = cache / f"{name}-{version}"
    program = folder / name
    if not program.exists():
        _install(["go", "install", *flags, f"{path}@{version}"], GOBIN=str(folder))
    return program


def _install(command: Sequence[str], **environment: str) -> None:
    tool = shutil.which(command[0])
    if tool is None:
        raise Skipped(f"there is no {command[0]} on this machine")
    try:
        done = subprocess.run(
            [tool, *command[1:]],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Skipped(f"{' '.join(command)}: not done in {INSTALL_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        words = done.stderr.strip().splitlines()[-REASON_LINES:]
        raise Skipped(f"{' '.join(command)}: {'; '.join(words)}")
