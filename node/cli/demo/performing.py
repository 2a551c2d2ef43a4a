"""A demonstration played through in a terminal: told, summed up as one object, ended with a code.

The last page is made of that object and of nothing else. With `--json` the object is on stdout, and
what is told, the last page too, on stderr.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click

from node.cli.demo.narrator import Narrator, PlainVoice, TerminalVoice
from node.cli.demo.steps import Step
from node.cli.exits import Exit
from node.cli.output import emit, is_terminal, visible
from node.clock import SystemClock
from node.provision.local import open_network

Plays: TypeAlias = Callable[[Path, Narrator], Coroutine[Any, Any, Mapping[str, Any]]]
"""Plays every step on a network made in this new folder; returns what the last one found."""


def perform(
    plays: Plays,
    last_page: Callable[[Mapping[str, Any]], str],
    *,
    steps: Sequence[Step[Any]],
    keep: Path | None,
    as_json: bool,
) -> Exit:
    """Play a demonstration and print its result; return the code that it ends with.

    Args:
        last_page: the result for people.
        keep: the folder to leave; None: a temporary one.
    """
    stream = sys.stderr if as_json else sys.stdout
    voice = TerminalVoice() if is_terminal() and not as_json else PlainVoice(stream)
    narrator = Narrator(voice, SystemClock(), steps=len(steps))
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="khazana-demo-") as folder:
            closing = asyncio.run(plays(Path(folder) / "network", narrator))
    else:
        closing = asyncio.run(plays(keep, narrator))
    result = {
        "holds": narrator.all_hold,
        "seconds": round(narrator.elapsed_s, 1),
        "dir": None if keep is None else str(keep),
        "genesis": None if keep is None else str(open_network(keep).genesis_file),
        **closing,
        "steps": [
            {"step": number, "name": step.name, "title": step.title}
            for number, step in enumerate(steps, start=1)
        ],
        "checks": [
            {"step": c.step, "name": c.name, "holds": c.holds, "found": c.found}
            for c in narrator.checks
        ],
    }
    if as_json:
        click.echo("\n" + visible(last_page(result)), err=True)
    emit(result, "\n" + last_page(result), as_json=as_json)
    return Exit.OK if narrator.all_hold else Exit.REFUSED


def checks_line(result: Mapping[str, Any]) -> str:
    """Return how many checks hold."""
    checks = result["checks"]
    return f"{sum(each['holds'] for each in checks)} of {len(checks)} hold"


def verdict(result: Mapping[str, Any]) -> str:
    """Return the last line: that all is well, or what is not."""
    failed = [each["name"] for each in result["checks"] if not each["holds"]]
    return "FAILED: " + "; ".join(failed) if failed else "Every check holds."
