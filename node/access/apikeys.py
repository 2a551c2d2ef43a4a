"""API keys: what a client shows instead of coming from a trusted network, and the file of them.

A key is `khz_NAME_SECRET`, where the secret is 256 random bits in base64url. The file holds its
SHA-256 and never the key: nobody can guess 256 bits, so no slow hash is needed, and a file that is
read by the wrong person opens nothing.

    [exchange-one]
    sha256 = "…64 hexadecimal digits…"
    scopes = ["read", "submit"]
    calls_per_s_max = 2000
    expires = 2027-01-01T00:00:00Z

`calls_per_s_max` and `expires` may be left out. `khazana access` writes the file.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from node.access.scopes import Scope

API_KEYS_MAX: Final = 10_000
"""In one file."""
FILE_SIZE_MAX: Final = 4 << 20
"""Bytes; a file of `API_KEYS_MAX` keys has some 2 MB."""
SECRET_SIZE: Final = 32
NAME_PATTERN: Final = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"

_KEY: Final = re.compile(rf"khz_({NAME_PATTERN})_[A-Za-z0-9_-]{{43}}")
_HASH: Final = r"^[0-9a-f]{64}$"


class ApiKeysError(Exception):
    """The file of keys cannot be used; says what was found and what was expected."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node knows of a client's key."""

    sha256: Annotated[str, msgspec.Meta(pattern=_HASH)]
    """Of the key as it is shown, in lower-case hexadecimal."""
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=len(Scope))]
    calls_per_s_max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    """Calls on average; None: as many as one address without a key."""
    expires: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def is_expired(self, now_ms: int) -> bool:
        """Return whether its time is over."""
        return self.expires is not None and now_ms >= self.expires.timestamp() * 1000


def make_api_key(name: str) -> str:
    """Return a fresh key under this name: to be shown once, to its owner.

    Raises:
        ApiKeysError: the name is none.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        shown = name if len(name) <= 40 else name[:39] + "…"
        raise ApiKeysError(
            f"{shown!r} is no name of a key: up to 32 lower-case letters, digits and hyphens"
        )
    return f"khz_{name}_{secrets.token_urlsafe(SECRET_SIZE)}"


def key_name(text: str) -> str | None:
    """Return the name that stands in a key, None where it is no key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def hash_of(text: str) -> str:
    """Return what the file holds of a key."""
    return hashlib.sha256(text.encode()).hexdigest()


def load_api_keys(path: Path) -> dict[str, ApiKey]:
    """Return the keys of a file by name.

    Raises:
        ApiKeysError: it cannot be read, or holds anything else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_SIZE_MAX + 1)
        if len(data) > FILE_SIZE_MAX:
            raise ApiKeysError(f"{path}: larger than {FILE_SIZE_MAX} bytes")
        tree: dict[str, Any] = tomllib.loads(data.decode())
    except OSError as error:
        raise ApiKeysError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ApiKeysError(f"{path}: no TOML: {error}") from None
    if len(tree) > API_KEYS_MAX:
        raise ApiKeysError(f"{path}: {len(tree)} keys; at most {API_KEYS_MAX}")
    keys: dict[str, ApiKey] = {}
    for name, entry in tree.items():
        if not re.fullmatch(NAME_PATTERN, name):
            raise ApiKeysError(f"{path}: {name[:40]!r} is no name of a key")
        try:
            keys[name] = msgspec.convert(entry, ApiKey)
        except msgspec.ValidationError as error:
            raise ApiKeysError(f"{path}: {name}: {error}") from None
    return keys


@contextlib.contextmanager
def editing_api_keys(path: Path) -> Iterator[dict[str, ApiKey]]:
    """Lend the keys of a file, none where there is no file, and save what became of them.

    Nobody else edits them meanwhile: otherwise a key that is made could bring back one that is
    revoked at the same moment. Nothing is saved where the block raises.

    Raises:
        ApiKeysError, OSError: as `load_api_keys` and `save_api_keys`.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        keys = load_api_keys(path) if path.exists() else {}
        yield keys
        save_api_keys(path, keys)
    finally:
        os.close(folder)  # and with it the lock


def save_api_keys(path: Path, keys: Mapping[str, ApiKey]) -> None:
    """Write the file anew, as a whole or not at all, readable by its owner alone.

    Written by root it stays its owner's, and a new one is made the folder's: what the node cannot
    read opens nothing, so an administrator who revokes one key would revoke them all.

    Raises:
        OSError: it cannot be written.
    """
    parts = ["# API keys of clients. `khazana access` writes this file; a running node reads it\n"]
    parts.append("# again when it changes.\n")
    for name, key in sorted(keys.items()):
        scopes = ", ".join(f'"{scope}"' for scope in key.scopes)
        parts.append(f'\n[{name}]\nsha256 = "{key.sha256}"\nscopes = [{scopes}]\n')
        if key.calls_per_s_max is not None:
            parts.append(f"calls_per_s_max = {key.calls_per_s_max}\n")
        if key.expires is not None:
            moment = key.expires.astimezone(UTC).replace(tzinfo=None)
            parts.append(f"expires = {moment.isoformat()}Z\n")
    # Made by `tempfile` with mode 0600, in the same folder, so that the rename is one step.
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if os.geteuid() == 0:
                owner = (path if path.exists() else path.parent).stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write("".join(parts))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
