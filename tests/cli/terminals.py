"""A command at a terminal of its own: what it writes, and what it leaves behind."""

import contextlib
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from typing import Any

from node.clock import SystemClock

CLOCK = SystemClock()
PRESSES_MAX = 20
PATIENCE_S = 3.0
WAIT_S = 240.0
ROOT = Path(__file__).resolve().parents[2]


class Terminal:
    """The near end of a pseudo-terminal, with a command at the far one."""

    def __init__(self, master: int, slave: int, process: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self._slave = slave
        self.process = process
        self.written = b""

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats what is typed."""
        return termios.tcgetattr(self._slave)

    def type(self, text: bytes) -> None:
        """Type this."""
        os.write(self._master, text)

    def until(self, wanted: bytes) -> bytes:
        """Read until this has been written since the last call; return what was read."""
        read = b""
        while wanted not in read:
            ready, _, _ = select.select([self._master], [], [], WAIT_S)
            assert ready, f"{wanted!r} did not come in {WAIT_S} s: {read[-2_000:]!r}"
            read += os.read(self._master, 1 << 16)
        self.written += read
        return read

    def interrupt(self, wanted: bytes) -> bytes:
        """Press Ctrl-C, again where nothing happens, and return what is read until this.

        Readline overlooks a signal that comes between its look at signals and its wait for a key.
        """
        read = b""
        for _ in range(PRESSES_MAX):
            self.type(b"\x03")
            while select.select([self._master], [], [], PATIENCE_S)[0]:
                read += os.read(self._master, 1 << 16)
                if wanted in read:
                    self.written += read
                    return read
        raise AssertionError(f"{wanted!r} did not come by Ctrl-C: {read[-2_000:]!r}")

    def end(self) -> int:
        """Wait until the command has ended; return its exit code."""
        deadline_s = CLOCK.monotonic() + WAIT_S
        while self.process.poll() is None:
            assert CLOCK.monotonic() < deadline_s, f"it goes on: {self.written[-2_000:]!r}"
            self._take(0.05)
        while self._take(0.0):
            pass
        code: int = self.process.returncode
        return code

    def _take(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], wait_s)
        if ready:
            self.written += os.read(self._master, 1 << 16)
        return bool(ready)


@contextlib.contextmanager
def at_terminal(*words: str | Path, rows: int = 24, columns: int = 80) -> Iterator[Terminal]:
    """Run `khazana` with these words at a terminal of this size."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KHAZANA_")}
    command = [sys.executable, "-m", "node", *map(str, words)]
    with shown(command, kept | {"PYTHONPATH": str(ROOT)}, rows=rows, columns=columns) as terminal:
        yield terminal


@contextlib.contextmanager
def shown(
    command: Sequence[str],
    variables: Mapping[str, str],
    *,
    folder: Path | None = None,
    rows: int = 24,
    columns: int = 80,
) -> Iterator[Terminal]:
    """Run a command at a terminal of this size."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**variables, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: ioctl(slave, termios.TIOCSCTTY, 0),
    )
    try:
        yield Terminal(master, slave, process)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
