"""Processes of a rival: started with their output in a file, ended with the measurement."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.bench.rivals.installed import Skipped

STOP_TIMEOUT_S: Final = 10.0


@contextlib.contextmanager
def running(commands: Sequence[Sequence[str | Path]], folder: Path) -> Iterator[list[int]]:
    """Run these until the body ends; yield their process ids."""
    with contextlib.ExitStack() as stack:
        processes = []
        for number, command in enumerate(commands):
            log = stack.enter_context((folder / f"{number}.log").open("wb"))
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
            stack.callback(_stop, process)
            processes.append(process)
        yield [process.pid for process in processes]


def run(*command: str | Path) -> str:
    """Run one command to its end; return what it printed.

    Raises:
        Skipped: it failed.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Skipped(f"{' '.join(words[:3])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
