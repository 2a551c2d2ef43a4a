"""Commands against a real node in this process.

They run in a thread with a loop of its own, through the same `main` as the program: what takes a
second as a process takes milliseconds so. `tests.cli.running` starts processes.
"""

import asyncio
import contextlib
import io
from pathlib import Path

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
