"""What the offline commands share: a home's places, and progress for a person who waits."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.clock import SystemClock

if TYPE_CHECKING:
    from node.config import NodeConfig
    from node.genesis import Genesis
    from node.upkeep import Part

PROGRESS_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One node's configuration and genesis, read from its home."""

    config: "NodeConfig"
    genesis: "Genesis"

    @property
    def chain(self) -> Path:
        """The directory of the database."""
        from node.app import CHAIN_FOLDER

        return self.config.data_dir / CHAIN_FOLDER

    @property
    def log(self) -> Path:
        """The directory of the consensus log."""
        from node.app import consensus_log_path

        return consensus_log_path(self.config.data_dir)

    @property
    def control(self) -> Path:
        """The control socket of the running node."""
        from node.control.place import socket_path

        return socket_path(self.config.data_dir)

    def is_running(self) -> bool:
        """Whether a process has the database open."""
        from node.storage import StorageLocked
        from node.storage.lock import DirectoryLock

        if not self.chain.is_dir():
            return False
        try:
            DirectoryLock(self.chain).close()
        except StorageLocked:
            return True
        return False

    @property
    def public_key(self) -> bytes | None:
        """The key that this node votes with; None for an observer."""
        from node.keys.development import development_signer
        from node.keys.keystore import read_keystore

        validator = self.config.validator
        if validator is None:
            return None
        if validator.development_key is not None:
            return development_signer(f"{validator.development_key}/consensus").public_key
        assert validator.keystore is not None
        return read_keystore(validator.keystore).public_key


def load_home(home: Path) -> Home:
    """Read a home: its configuration, and its genesis with the amendments that are installed.

    Raises:
        ConfigError, GenesisError: with every fault.
        AmendmentError: one that is installed cannot be used.
    """
    from node.config import load_config
    from node.genesis import load_genesis, with_installed
    from node.provision.homes import CONFIG_FILE

    config = load_config(home / CONFIG_FILE)
    genesis = with_installed(load_genesis(config.genesis), config.amendments)
    return Home(config=config, genesis=genesis)


class Progress:
    """Says on stderr how far a long command is, where a person looks at it."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._shown_s = self._clock.monotonic()
        self._began_s = self._shown_s
        self._wanted = sys.stderr.isatty()

    @property
    def elapsed_s(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._began_s

    def __call__(self, part: "Part | str", done: int, of: int | None) -> None:
        """Say it, at most once a second."""
        now_s = self._clock.monotonic()
        if self._wanted and now_s - self._shown_s >= PROGRESS_EVERY_S:
            self._shown_s = now_s
            share = f"{done:,}" if of is None else f"{done:,} of {of:,}"
            sys.stderr.write(f"\r\x1b[K{part}: {share}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line clean."""
        if self._wanted:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
