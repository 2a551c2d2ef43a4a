"""From a file to a genesis, or to all its faults at once, each with its line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from node.genesis.checks import faults_of
from node.genesis.genesis import Genesis, genesis_of
from node.genesis.located import DOCUMENT_SIZE_MAX, LocatedError, parse_located
from node.genesis.located import Path as KeyPath
from node.genesis.model import GenesisRecord
from node.genesis.reading import read_record

FAULTS_MAX: Final = 100
"""Reported at once; a file with more is not a genesis with mistakes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a genesis, and where."""

    file: str
    line: int
    """Counted from 1."""
    key: str
    """Dotted path, with list positions from 0: `validators.2.public_key`."""
    message: str
    """What was found, what was expected, and what to do where that is known."""

    @override
    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class GenesisError(Exception):
    """A genesis that cannot be used.

    Attributes:
        faults: all of them, in the order of the file, at most `FAULTS_MAX`.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def load_genesis(path: Path) -> Genesis:
    """Return the genesis in a file.

    Raises:
        GenesisError: the file cannot be read or is no genesis; names every fault.
    """
    # A character takes four bytes at most.
    size_max = 4 * DOCUMENT_SIZE_MAX
    try:
        with path.open("rb") as source:
            data = source.read(size_max + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise GenesisError(
            (Fault(file=str(path), line=1, key="", message=f"cannot be read: {reason}"),)
        ) from None
    if len(data) > size_max:
        message = f"more than {size_max} bytes are no genesis"
        raise GenesisError((Fault(file=str(path), line=1, key="", message=message),))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GenesisError(
            (Fault(file=str(path), line=line, key="", message="not UTF-8 text"),)
        ) from None
    return parse_genesis(text, file=str(path))


def parse_genesis(text: str, *, file: str = "genesis.json") -> Genesis:
    """Return the genesis of this text.

    Args:
        file: how faults name the place the text came from.

    Raises:
        GenesisError: names every fault.
    """
    try:
        document = parse_located(text)
    except LocatedError as error:
        raise GenesisError(
            (Fault(file=file, line=error.line, key="", message=error.reason),)
        ) from None
    faults: list[Fault] = []

    def report(path: KeyPath, message: str) -> None:
        key = ".".join(str(step) for step in path)
        faults.append(Fault(file=file, line=document.line(path), key=key, message=message))

    record = read_record(GenesisRecord, document.value, report)
    if record is not None:
        for path, message in faults_of(record):
            report(path, message)
    if record is None or faults:
        raise GenesisError(tuple(sorted(faults, key=lambda fault: fault.line)[:FAULTS_MAX]))
    return genesis_of(record)
