"""Certificates that are read again while the node runs.

Whoever renews them is a program as a rule (an ACME client, a mounted secret), at any hour, and a
list of the revoked is worth nothing while a node has not read it. So the files are looked at each
second, and read when they have changed and stand still; SIGHUP has them read at once. What is read
is made into a new context, whole: were the one in use changed instead, a pair that does not match
would be half in it, and clients could resume what they had agreed on before, certificate and all.

Files that cannot be used change nothing: what was read last goes on, and the log and a metric say
so. A list of the revoked that cannot be read is therefore not like a file of API keys: the former
list goes on revoking what it had, and ends by its own date.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

from node.log import Logger
from node.metrics import Metrics
from node.rpc.tls import ListenerTls, ListenerTlsError, TlsFiles, read_tls

LOOK_AGAIN_S: Final = 1.0
"""How often the files are looked at; twice the same, and they are read."""

_Stamps: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""What tells one state of the files from another: inode, size, time of change. None: no file."""


class Renewable:
    """What one listener shakes hands by, the newest that could be used."""

    def __init__(self, name: str, files: TlsFiles, *, metrics: Metrics, log: Logger) -> None:
        """Read the files.

        Args:
            name: of the listener.

        Raises:
            ListenerTlsError: they cannot be used.
        """
        self.name: Final = name
        self._files = files
        self._metrics = metrics
        self._log = log.bind(part="rpc", listener=name)
        self._tried = self._seen = _stamps(files)
        self.now = read_tls(files)
        """What holds now."""
        self.listeners: list[Callable[[ListenerTls, ListenerTls], None]] = []
        """Called with the former and the new."""
        self._told: set[str] = set()
        self._tell(is_refused=False)

    def look(self) -> None:
        """Read the files if they have changed since they were read, and not since the last look."""
        stamps = _stamps(self._files)
        is_still = stamps == self._seen
        self._seen = stamps
        if is_still and stamps != self._tried:
            self.read()

    def read(self) -> None:
        """Read the files, and take up what is in them if it can be used."""
        self._tried = _stamps(self._files)
        former = self.now
        try:
            self.now = read_tls(self._files)
        except ListenerTlsError as error:
            self._log.error("certificates not taken up: the former stay in use", error=str(error))
            self._tell(is_refused=True)
            return
        self._tell(is_refused=False)
        self._log.info(
            "certificates read again",
            **{name: f"until {end:%Y-%m-%d}" for name, end in self.now.not_after.items()},
        )
        for listener in self.listeners:
            listener(former, self.now)

    def _tell(self, *, is_refused: bool) -> None:
        for file in self._told - self.now.not_after.keys():
            self._metrics.tls_not_after.remove(self.name, file)
        self._told = set(self.now.not_after)
        self._metrics.tls_files_refused.labels(listener=self.name).set(is_refused)
        for file, end in self.now.not_after.items():
            self._metrics.tls_not_after.labels(listener=self.name, file=file).set(end.timestamp())


async def keep_renewed(renewables: Iterable[Renewable]) -> None:
    """Look at the files of these for ever."""
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        for each in renewables:
            each.look()


def _stamps(files: TlsFiles) -> _Stamps:
    paths = (files.certificate, files.key, files.client_authority, files.client_revocations)
    return tuple(_stamp(path) for path in paths if path is not None)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
