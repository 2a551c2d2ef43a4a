"""The keys of a running node: read from their file, and read again when it changes."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from node.access.apikeys import ApiKey, ApiKeysError, hash_of, key_name, load_api_keys
from node.clock import Clock

if TYPE_CHECKING:
    from node.log import Logger

LOOK_AGAIN_S: Final = 1.0
"""How often the file is looked at: so long a revoked key may still open what it opened."""

_Stamp: TypeAlias = tuple[int, int, int] | None
"""What tells one state of a file from another: inode, size, time of change. None: no file."""


class ApiKeyRefused(Exception):
    """The key that was shown opens nothing here."""


class Keyring:
    """Answers whether a key is good. Without a file no key is.

    A file that becomes unreadable opens nothing from then on: what was revoked in it must not go
    on, and which that is cannot be known.
    """

    def __init__(self, path: Path | None, *, clock: Clock, log: "Logger") -> None:
        """Read the file.

        Raises:
            ApiKeysError: it cannot be read, or is damaged.
        """
        self._path = path
        self._clock = clock
        self._log = log
        self._stamp = _stamp(path)
        self._looked_at = clock.monotonic()
        self._keys: Mapping[str, ApiKey] = {} if path is None else load_api_keys(path)

    @property
    def has_file(self) -> bool:
        """Whether there can be keys."""
        return self._path is not None

    def find(self, text: str) -> tuple[str, ApiKey]:
        """Return the name of a key that was shown, and what it may.

        Raises:
            ApiKeyRefused: it is no key, unknown, revoked or expired.
        """
        self._refresh()
        name = key_name(text)
        if name is None:
            raise ApiKeyRefused("this is no API key: expected khz_NAME_SECRET, as it was made")
        key = self._keys.get(name)
        # One sentence for both, so that nobody learns which names there are.
        if key is None or not hmac.compare_digest(key.sha256, hash_of(text)):
            raise ApiKeyRefused("this API key is not known here, or was revoked")
        if key.is_expired(self._clock.now_ms()):
            raise ApiKeyRefused("this API key has expired; ask for another")
        return name, key

    def is_good(self, name: str, key: ApiKey) -> bool:
        """Return whether what was found earlier still stands."""
        self._refresh()
        return self._keys.get(name) == key and not key.is_expired(self._clock.now_ms())

    def _refresh(self) -> None:
        now = self._clock.monotonic()
        if now < self._looked_at + LOOK_AGAIN_S:
            return
        self._looked_at = now
        stamp = _stamp(self._path)
        if stamp == self._stamp or self._path is None:
            return
        self._stamp = stamp
        try:
            self._keys = load_api_keys(self._path)
        except ApiKeysError as error:
            self._keys = {}
            self._log.error("no API key is good until their file is", error=str(error))
        else:
            self._log.info("API keys were read again", count=len(self._keys))


def _stamp(path: Path | None) -> _Stamp:
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
