"""The types of single settings: what each may look like, and what is said of one that does not."""

import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from node.config.endpoints import Endpoint, parse_endpoint

KEEP_BLOCKS_MIN: Final = 1_000
"""A peer that was away for a few minutes of load still finds what it needs."""
POSTGRESQL_URL: Final = "postgresql://"


def _dialable(endpoint: Endpoint) -> Endpoint:
    if endpoint.port == 0:
        raise PydanticCustomError("endpoint", "a peer's port cannot be 0")
    return endpoint


def _keep_blocks(count: int) -> int:
    if 0 < count < KEEP_BLOCKS_MIN:
        raise PydanticCustomError(
            "keep_blocks", f"expected 0, which keeps all, or at least {KEEP_BLOCKS_MIN}"
        )
    return count


def _block_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise PydanticCustomError("block_id", "expected 64 lower-case hexadecimal digits")
    return text


def _index_database(text: str) -> str:
    if text in {"auto", "off", "sqlite"}:
        return text
    expected = 'expected "auto", "off", "sqlite" or "postgresql://user@host:port/name"'
    if not text.startswith(POSTGRESQL_URL):
        raise PydanticCustomError("index_database", expected)
    try:
        parts = urlsplit(text)
        named = parts.path.strip("/"), parts.port
    except ValueError:
        raise PydanticCustomError("index_database", expected) from None
    if not named[0]:
        raise PydanticCustomError("index_database", "the address names no database; " + expected)
    if parts.password is not None or "password" in parts.query:
        raise PydanticCustomError(
            "secret", "a password does not belong here: put it into index.password_file"
        )
    return text


def _stream_server(text: str) -> str:
    expected = 'expected "nats://host:port", or "tls://host:port" for TLS'
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"nats", "tls"}:
        raise PydanticCustomError("stream_server", expected)
    if "@" in rest:
        raise PydanticCustomError(
            "secret", "who asks does not belong here: say stream.user and stream.password_file"
        )
    try:
        port = parse_endpoint(rest).port
    except PydanticCustomError:
        raise PydanticCustomError("stream_server", expected) from None
    if port == 0:
        raise PydanticCustomError("stream_server", expected)
    return text


def _words(value: object) -> object:
    """Return the words of a text: a variable of the environment holds no list."""
    return tuple(value.split()) if isinstance(value, str) else value


def _resolved(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    try:
        return path if folder is None else Path(os.path.normpath(folder / path.expanduser()))
    except RuntimeError:
        raise PydanticCustomError("path", "there is no user of this name") from None


Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", min_length=1, max_length=32)
]
ListenAddress = Annotated[Endpoint, BeforeValidator(parse_endpoint)]
PeerAddress = Annotated[Endpoint, BeforeValidator(parse_endpoint), AfterValidator(_dialable)]
HostNames = Annotated[tuple[str, ...], BeforeValidator(_words)]
FilePath = Annotated[Path, AfterValidator(_resolved)]
Origin = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[a-z0-9.\-\[\]:]+$", max_length=256),
]
"""As browsers write it: scheme, host in lower case, and the port where it is not the usual one."""
BlockIdText = Annotated[str, AfterValidator(_block_id)]
Count = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]
Milliseconds = Annotated[int, Field(strict=True, ge=1, le=86_400_000)]
StreamServer = Annotated[str, AfterValidator(_stream_server)]
SubjectPrefix = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=128),
]
"""The first words of a subject of NATS, with a point between two."""
IndexDatabase = Annotated[str, AfterValidator(_index_database)]
KeepBlocks = Annotated[int, AfterValidator(_keep_blocks), Field(strict=True, ge=0, le=1 << 62)]
Bytes = Annotated[int, Field(strict=True, ge=1024, le=1 << 40)]
