"""Nodes as processes of this machine: started from a home folder, watched, stopped.

A process is known by its number **and** the moment it began, both kept in the home folder: numbers
are given out again, and nothing here may stop a process that it did not start. The output of each
node goes to `node.log` in its home.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PID_FILE: Final = "node.pid"
LOG_FILE: Final = "node.log"
POLL_S: Final = 0.02
STOP_TIMEOUT_S: Final = 30.0
"""How long a node may take to finish its block and close its database before it is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProcess:
    """One node process, alive or gone."""

    home: Path
    pid: int
    began: int
    """Clock ticks between the machine's start and the process's: field 22 of proc(5) `stat`."""

    def is_alive(self) -> bool:
        """Say whether this very process still runs."""
        return _began(self.pid) == self.began

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal if the process still runs; say whether it did."""
        if not self.is_alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    async def stop(self) -> bool:
        """Ask the node to end and wait until it has; kill it when it does not.

        Returns whether it ended by itself.
        """
        self.signal(signal.SIGTERM)
        graceful = await self._gone(STOP_TIMEOUT_S)
        if not graceful:
            await self.kill()
        self._forget()
        return graceful

    async def kill(self) -> None:
        """End the process at once, as a power cut would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self._gone(STOP_TIMEOUT_S)
        self._forget()

    async def _gone(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                while self.is_alive():
                    _reap(self.pid)
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return False
        return True

    def _forget(self) -> None:
        leash = _leashes.pop(self.pid, None)
        if leash is not None:
            os.close(leash)
        if running(self.home) is None:
            (self.home / PID_FILE).unlink(missing_ok=True)


_leashes: Final[dict[int, int]] = {}
"""Descriptors that leashed nodes hold on to, by process: open until node or holder has ended."""


def start_node(home: Path, *, leashed: bool = False) -> NodeProcess:
    """Start the node of a home folder in a process of its own; does not wait until it is ready.

    Started with this interpreter, so that the node is the same program.

    Args:
        leashed: let it end when this process ends, even by SIGKILL; otherwise it goes on.

    Raises:
        ProcessRunning: a node of this home is running already.
    """
    found = running(home)
    if found is not None:
        raise ProcessRunning(found)
    with (home / LOG_FILE).open("ab") as log:
        logged_from = log.tell()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "node", "start", "--home", str(home)),
                *(["--until-eof"] if leashed else []),
            ],
            stdin=subprocess.PIPE if leashed else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if process.stdin is not None:
        # The bare descriptor: a file object would complain that nobody closed it when all ends.
        _leashes[process.pid] = os.dup(process.stdin.fileno())
        process.stdin.close()
    node = NodeProcess(home=home, pid=process.pid, began=_began(process.pid) or 0)
    # Reaped by `_reap`: the object must not complain that its child still runs when it goes.
    process.returncode = 0
    noted = {"pid": node.pid, "began": node.began, "logged_from": logged_from}
    (home / PID_FILE).write_text(json.dumps(noted))
    return node


class ProcessRunning(Exception):
    """A node of this home is running already.

    Attributes:
        process: that node.
    """

    def __init__(self, process: NodeProcess) -> None:
        super().__init__(f"a node of {process.home} is running already, as process {process.pid}")
        self.process = process


def running(home: Path) -> NodeProcess | None:
    """Return the process that was started for this home, if it still runs."""
    try:
        noted = json.loads((home / PID_FILE).read_text())
        process = NodeProcess(home=home, pid=int(noted["pid"]), began=int(noted["began"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None
    return process if process.is_alive() else None


def log_tail(home: Path, lines: int, *, of_this_start: bool = False) -> list[str]:
    """Return the last lines of a node's log; none where there is no log.

    Args:
        of_this_start: leave out what it logged before it was started the last time, which would be
            taken for what it says now.
    """
    try:
        with (home / LOG_FILE).open("rb") as log:
            log.seek(0, os.SEEK_END)
            first = _logged_from(home) if of_this_start else 0
            log.seek(max(first, log.tell() - lines * 400))
            return log.read().decode(errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def _logged_from(home: Path) -> int:
    """Return where in its log the process begins that was started last; 0 where nobody noted it."""
    try:
        found = json.loads((home / PID_FILE).read_text())["logged_from"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
    return found if isinstance(found, int) and 0 <= found < 1 << 62 else 0


def _began(pid: int) -> int | None:
    """Return when the process began, or None when there is none or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; what follows the last one is regular.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(fields[18])


def _reap(pid: int) -> None:
    """Let the system forget an ended child; no matter where it is not ours."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
