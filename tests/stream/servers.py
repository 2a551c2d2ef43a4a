"""A real NATS server for tests: its own store and its own port, in a folder that goes away.

Where it is not installed, tests say so and are skipped.
"""

import asyncio
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.ports import own_ports

COMMAND: Final = shutil.which("nats-server", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
WHY_NOT: Final = None if COMMAND else "nats-server is not installed (Debian: nats-server)"
"""Why tests of it are skipped."""
READY_WITHIN_S: Final = 90.0
POLL_S: Final = 0.02


class NatsServer:
    """A server that runs between `start` and `stop`, as often as you like."""

    def __init__(
        self, folder: Path, *, options: str = "", jetstream: bool = True, port: int | None = None
    ) -> None:
        """Make one that does not run.

        Args:
            options: more lines of its configuration.
            port: where it listens to clients; any that is free now.
        """
        self._folder = folder
        self.port = port or own_ports(1)[0]
        self._jetstream = jetstream
        self.options = options
        """Read at each start."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it; return once it takes connections."""
        if COMMAND is None:
            pytest.skip(WHY_NOT or "")
        self._folder.mkdir(exist_ok=True)
        config = self._folder / "nats.conf"
        stored = f'jetstream {{ store_dir: "{self._folder}" }}\n' if self._jetstream else ""
        config.write_text(f'listen: "127.0.0.1:{self.port}"\n' + stored + self.options)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # it does not wait
                [COMMAND, "-c", config], stdout=log, stderr=log
            )
        async with asyncio.timeout(READY_WITHIN_S):
            while not self._answers():
                assert self._process.poll() is None, (self._folder / "log").read_text()
                await asyncio.sleep(POLL_S)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(READY_WITHIN_S)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False
