"""Commands against a real node in this process.

They run in a thread with a loop of its own, through the same `main` as the program: what takes a
second as a process takes milliseconds so. `tests.cli.running` starts processes.
"""

import asyncio
import contextlib
import io
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from node.cli import main
from tests.cli.running import Ran
from tests.rpc.solo import Solo


async def ask(solo: Solo, *words: str | Path) -> Ran:
    """Run `khazana` with these words; against this node unless they name another."""
    address = () if "--url" in words else ("--url", solo.url)
    return await asyncio.to_thread(_run, *map(str, words), *address)


async def run(*words: str | Path) -> Ran:
    """Run `khazana` with these words."""
    return await asyncio.to_thread(_run, *map(str, words))


def here(*words: str | Path, variables: Mapping[str, str] | None = None) -> Ran:
    """Run `khazana` with these words from a test that has no loop of its own.

    What starts or stops processes of nodes is run by `khazana` of `tests.cli.running`: a node must
    not be the child of a test.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("KHAZANA_")]:
            patch.delenv(name)
        for name, value in (variables or {}).items():
            patch.setenv(name, value)
        return _run(*map(str, words))


def _run(*words: str) -> Ran:
    code: object = None
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as err,
    ):
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())
