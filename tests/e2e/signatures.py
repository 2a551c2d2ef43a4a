"""What validators have signed, as their own and their peers' consensus logs show it.

A node writes down what it is about to sign before it signs, and every vote and proposal that its
engine took from others before it acts on them. Earlier heights stay in the file until it has grown,
so that the logs of a small network tell the whole story, from both sides.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from node.app import LOG_FOLDER
from node.provision.local import LocalNode
from node.replica.entries import ProposalEntry, Sealed, VoteEntry, decode_entry
from node.storage.consensus_log import LOG_NAME

_FILE_HEADER_SIZE = 34
_FRAME_HEADER_SIZE = 28
"""The file's form stands in `node/storage/consensus_log.py`; read here by other means."""


class Place(NamedTuple):
    """Where one validator may sign one message."""

    validator: str
    height: int
    round: int
    kind: int
    """0 a proposal, 1 a prevote, 2 a precommit."""


class Signatures:
    """Everything that was read in logs so far."""

    def __init__(self) -> None:
        self._seen: dict[Place, set[tuple[bytes | int | None, ...]]] = defaultdict(set)
        self._sealed: dict[Place, set[bytes]] = defaultdict(set)

    def read(self, node: LocalNode) -> None:
        """Read the log of a node, running or not."""
        for entry in map(decode_entry, _entries(node.home / "data" / LOG_FOLDER / LOG_NAME)):
            match entry:
                case VoteEntry(vote=vote):
                    place = Place(vote.validator, vote.height, vote.round, vote.kind)
                    self._seen[place].add((vote.block_id,))
                case ProposalEntry(proposal=proposal):
                    place = Place(proposal.proposer, proposal.height, proposal.round, 0)
                    self._seen[place].add((proposal.block_id, proposal.valid_round))
                case Sealed():
                    place = Place(node.name, entry.height, entry.round, entry.kind)
                    self._sealed[place].add(entry.sign_bytes)
                case _:
                    pass

    def of(self, validator: str) -> set[Place]:
        """Return where this validator has signed, or was about to."""
        return {place for place in (*self._seen, *self._sealed) if place.validator == validator}

    def contradictions(self) -> list[Place]:
        """Return the places at which a validator has signed two messages."""
        return sorted(
            place
            for book in (self._seen, self._sealed)
            for place, messages in book.items()
            if len(messages) > 1
        )


def signatures_in(nodes: Iterable[LocalNode]) -> Signatures:
    """Return what the logs of these nodes show."""
    signatures = Signatures()
    for node in nodes:
        signatures.read(node)
    return signatures


def _entries(path: Path) -> Iterator[bytes]:
    """Yield every entry of every height, up to the end or to a frame that is not whole."""
    data = path.read_bytes()
    mark = data[14:22]
    start = _FILE_HEADER_SIZE
    while data[start : start + 8] == mark:
        size = int.from_bytes(data[start + 8 : start + 12])
        checksum = int.from_bytes(data[start + 20 : start + 24])
        start += _FRAME_HEADER_SIZE
        payload = data[start : start + size]
        if zlib.crc32(payload) != checksum:
            return
        at = 0
        while at < size:
            length = int.from_bytes(payload[at : at + 4])
            yield payload[at + 4 : at + 4 + length]
            at += 4 + length
        start += size
