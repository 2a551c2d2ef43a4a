"""A real PostgreSQL server for tests: its own data, its own socket, in a folder that goes away.

It listens on a Unix socket alone and runs as somebody without rights where the tests run as root,
which PostgreSQL refuses. Where it is not installed, tests say so and are skipped.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PLACES: Final = Path("/usr/lib/postgresql")
UNPRIVILEGED: Final = ("postgres", "nobody")
READY_WITHIN_S: Final = 90
OPTIONS: Final = {
    "listen_addresses": "",
    "max_connections": "40",
}
FOR_TESTS: Final = {
    "fsync": "off",  # nothing of it outlives the tests
    "shared_buffers": "64MB",
}


def find_binaries() -> Path | None:
    """Return the folder with `initdb` and `postgres`; None: there is none on this machine."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(PLACES.glob("*/bin/initdb"), key=lambda path: path.parts)
    return versions[-1].parent if versions else None


WHY_NOT: Final = None if find_binaries() else "PostgreSQL is not installed (initdb)"
"""Why tests of it are skipped."""


class PostgresServer:
    """A server that runs; `stop` and `start` it as often as you like."""

    def __init__(
        self, binaries: Path, folder: Path, user: str | None, options: Mapping[str, str]
    ) -> None:
        self._binaries = binaries
        self._folder = folder
        self._user = user
        self._options = {**OPTIONS, **options}
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    @property
    def pid(self) -> int:
        """Of the process that starts all others."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://index@/{database}?host={self._folder}"

    def new_database(self) -> str:
        """Return the address of a database that is empty."""
        self._databases += 1
        name = f"index_{self._databases}"
        self._run("createdb", "-h", str(self._folder), "-U", "index", name)
        return self.url(name)

    def log_bytes(self) -> int:
        """Return how much it has ever written into its log."""
        asked = "SELECT pg_current_wal_lsn() - '0/0'"
        return int(
            self._run("psql", "-h", str(self._folder), "-U", "index", "-Atc", asked, "postgres")
        )

    def database_bytes(self) -> int:
        """Return what all databases that were made take on disk."""
        asked = "SELECT sum(pg_database_size(oid)) FROM pg_database WHERE datname LIKE 'index%'"
        return int(
            self._run("psql", "-h", str(self._folder), "-U", "index", "-Atc", asked, "postgres")
        )

    def initialise(self) -> None:
        self._run(
            "initdb", "-D", str(self._data), "-U", "index", "-A", "trust", "-E", "UTF8",
            "--locale=C", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start it; return once it answers."""
        options = [
            part for key, value in self._options.items() for part in ("-c", f"{key}={value}")
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-k", self._folder, *options],
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self._folder,
            )
        self._run("pg_isready", "-h", str(self._folder), "-t", str(READY_WITHIN_S), retried=True)

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: by default at once and in order, connections cut."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(READY_WITHIN_S)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, name: str, *arguments: str, retried: bool = False) -> str:
        """Return what a command of it says."""
        for left in reversed(range(600 if retried else 1)):
            ran = subprocess.run(
                [self._binaries / name, *arguments],
                capture_output=True,
                text=True,
                check=False,
                user=self._user,
                cwd=self._folder,
            )
            if ran.returncode == 0:
                return ran.stdout
            if not left:
                raise AssertionError(f"{name} failed: {ran.stdout}{ran.stderr}")
            assert self._process is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = self._process.wait(0.05)
                raise AssertionError(f"it ended with {ended}: {(self._folder / 'log').read_text()}")
        raise AssertionError("the last attempt returns or raises")


@contextlib.contextmanager
def postgres_server(options: Mapping[str, str] = FOR_TESTS) -> Iterator[PostgresServer]:
    """Run a server, with these of its settings otherwise than as it comes."""
    binaries = find_binaries()
    assert binaries is not None
    # Short: the path of a socket has at most some hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="khz-pg-"))
    user = None
    if os.geteuid() == 0:
        known = {entry.pw_name for entry in pwd.getpwall()}
        user = next(name for name in UNPRIVILEGED if name in known)
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    server = PostgresServer(binaries, folder, user, options)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
