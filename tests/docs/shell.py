"""A shell that is given lines of a page, as somebody types them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.docs.blocks import ROOT

TIMEOUT_S: Final = 240
TOLD_TO_MAKE: Final = ("ARGS", "CONTAINERS", "DOCS", "WORKERS")
"""Variables of the Makefile that a command line sets."""


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment of somebody with no settings of ours, who has activated `.venv`.

    If this is run by `make`, what it was told there is not for a `make` that is typed.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KHAZANA_", "PYTEST_", "COMPOSE_", "MAKE", "MFLAGS"))
        and name not in TOLD_TO_MAKE
    }
    return kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"} | more


def typed(
    lines: str,
    variables: Mapping[str, str] | None = None,
    *,
    folder: Path = ROOT,
    timeout_s: float = TIMEOUT_S,
    exits: int = 0,
) -> str:
    """Return what a shell prints that is given these lines and stops at the first failure.

    Args:
        exits: the status that it has to end with.
    """
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env=surroundings() if variables is None else dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            printed, _ = shell.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            # Whatever was typed would go on, and be waited for.
            os.killpg(shell.pid, signal.SIGKILL)
            raise
    assert shell.returncode == exits, printed
    return printed


def form(text: str) -> list[str]:
    """Return the lines of what is printed with every figure, hash and distance as the same: what a
    page shows is one run of many.
    """
    lines = (re.sub(r"\b[0-9a-f]{8,}\b", "H", each) for each in text.splitlines())
    lines = (re.sub(r"\d+(?:[,.:]\d+)*", "N", each) for each in lines)
    return [each for line in lines if (each := " ".join(line.split()))]


def shows(printed: str, page: str) -> None:
    """Assert that what a page shows is in what was printed: its lines in their order."""
    rest = iter(form(printed))
    for each in form(page):
        assert any(each == other for other in rest), f"{each!r} is not in\n{printed}"
