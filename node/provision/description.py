"""The description of a network: a short TOML file from which its genesis and homes are made.

People write this; `khazana genesis create` makes the genesis of it. It says who takes part, who
validates, and what is not a default; README.md shows one. All faults are reported at once with file
and line. Whether the whole makes sense (offices, quorums, limits) is for the genesis to say.

A validator's key is given as `public_key` with `tls_certificate` (what `khazana init` wrote for
that institution), as `development_key`, or not at all: then it is made together with its home.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from consensus.types import FaultModel
from node.config import ConfigError, Fault, parse_endpoint, read_toml
from node.ledger.protocol import LATEST_VERSION
from node.ledger.tables import ParticipantKind

DESCRIPTION_SIZE_MAX: Final = 4 << 20


def _endpoint(text: str) -> str:
    parse_endpoint(text)
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64)]
HexKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Place = Annotated[str, AfterValidator(_endpoint)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Participant(_Part):
    """Somebody whom the network knows from the beginning."""

    id: Name
    kind: ParticipantKind
    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "PK"
    lei: str | None = None
    office: Name | None = None
    file_commitment: HexKey | None = None
    """Salted hash of the registrar's file. Without it: a hash of the id, where there is no file."""


class Account(_Part):
    """An account of a founder that one key signs for."""

    owner: Name
    public_key: HexKey | None = None
    development_key: Label | None = None
    salt: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2}){8,16}$")] = "00" * 8

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.public_key is None) == (self.development_key is None):
            raise PydanticCustomError("one_key", "needs either public_key or development_key")
        return self


class _Node(_Part):
    name: Name
    listen: Place = "0.0.0.0:26600"
    """Where peers are listened for."""
    rpc_listen: Place = "127.0.0.1:26680"
    tls_certificate: Path | None = None
    """DER; relative to this file."""
    development_key: Label | None = None
    """Prefix of the labels `…/consensus` and `…/tls`."""


class Observer(_Node):
    """A node that follows and does not vote; the validators let it connect."""


class Validator(_Node):
    """A node that votes."""

    participant: Name
    dial: Place | None = None
    """Where the others find it; by default its name, port 26600."""
    public_key: HexKey | None = None

    @model_validator(mode="after")
    def _keys(self) -> Self:
        if (self.public_key is None) != (self.tls_certificate is None):
            raise PydanticCustomError(
                "one_key", "public_key and tls_certificate come together, or not at all"
            )
        if self.public_key is not None and self.development_key is not None:
            raise PydanticCustomError("one_key", "has both public_key and development_key")
        return self

    @property
    def place(self) -> str:
        """Where the others dial it."""
        return self.dial or f"{self.name}:26600"


class Consensus(_Part):
    """Timeouts of agreement; ranges and meaning as in the genesis."""

    timeout_propose_ms: int = 1_000
    timeout_prevote_ms: int = 500
    timeout_precommit_ms: int = 500
    timeout_growth_ms: int = 500
    timeout_max_ms: int = 30_000
    rounds_kept_max: int = 16
    rounds_ahead_max: int = 8
    early_messages_max: int = 16


class Blocks(_Part):
    """Limits and cadence of blocks; ranges and meaning as in the genesis."""

    transactions_max: int = 5_000
    size_bytes_max: int = 4 << 20
    gather_ms: int = 50
    heartbeat_ms: int = 5_000
    clock_ahead_max_ms: int = 3_000
    clock_behind_max_ms: int = 30_000


class Transactions(_Part):
    """How long transactions may wait."""

    window_ms: int = 600_000


class NetworkDescription(_Part):
    """The whole file."""

    name: Name
    test_network: bool = True
    development: bool = False
    time: datetime | None = None
    """The first block is later than this; by default the moment in which the genesis is made."""
    fault_model: FaultModel
    protocol_version: Annotated[int, Field(ge=1, le=LATEST_VERSION)] = LATEST_VERSION
    """Whose rules rule from the first block on: the newest, unless the network is to begin with
    nodes of an older release."""
    participants: Annotated[tuple[Participant, ...], Field(min_length=1)]
    validators: Annotated[tuple[Validator, ...], Field(min_length=1, max_length=100)]
    observers: tuple[Observer, ...] = ()
    accounts: tuple[Account, ...] = ()
    parameters: Mapping[Name, int] = Field(default_factory=dict)
    consensus: Consensus = Consensus()
    blocks: Blocks = Blocks()
    transactions: Transactions = Transactions()

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [node.name for node in (*self.validators, *self.observers)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError(
                "twice", "more than one node has the name {names}", {"names": ", ".join(twice)}
            )
        if self.time is not None and self.time.tzinfo is None:
            raise PydanticCustomError("time", "time needs its offset, such as 2026-11-20T00:00:00Z")
        return self


def load_description(path: Path) -> NetworkDescription:
    """Return the network that this file describes.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or holds anything unknown, missing or of
            the wrong form; with all faults.
    """
    file = str(path)
    text, tree = read_toml(path, size_max=DESCRIPTION_SIZE_MAX)
    try:
        return NetworkDescription.model_validate(tree)
    except ValidationError as error:
        lines = _lines(text)
        faults = [_fault(file, lines, details) for details in error.errors()]
        raise ConfigError(tuple(sorted(faults, key=lambda fault: fault.line or 0))) from None


def _fault(file: str, lines: Mapping[tuple[str | int, ...], int], details: Any) -> Fault:
    place: Sequence[str | int] = details["loc"]
    near = next((n for n in range(len(place), 0, -1) if tuple(place[:n]) in lines), 0)
    match details["type"]:
        case "extra_forbidden":
            message = "there is no such setting"
        case "missing":
            message = "missing"
        case _:
            shown = repr(details["input"]) if isinstance(details["input"], str | int) else ""
            text = str(details["msg"])
            message = f"found {shown}: {text[:1].lower()}{text[1:]}" if shown else text
    return Fault(
        file=file,
        line=lines.get(tuple(place[:near]), 1),
        key=".".join(str(part) for part in place),
        message=message,
    )


_TABLE: Final = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")
_ENTRY: Final = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
_SETTING: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")


def _lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line of each table, list entry and setting; no library says it."""
    lines: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _ENTRY.match(line):
            index = counts.get(found[1], 0)
            counts[found[1]] = index + 1
            table = (found[1], index)
            lines.setdefault((found[1],), number)
            lines.setdefault(table, number)
        elif found := _TABLE.match(line):
            table = (found[1],)
            lines.setdefault(table, number)
        elif found := _SETTING.match(line):
            lines.setdefault((*table, found[1]), number)
    return lines
