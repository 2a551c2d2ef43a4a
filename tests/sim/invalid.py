"""Blocks that break a rule, one way for each rule that a liar can break, and what goes with them.

A way is named by its lie and itself, as `invalid:parent`: `--lies` takes that name too. Two lies
are told here. `invalid` spoils the header of a proposal, or the list of its ids. `smuggle` leaves
the form sound, so that the honest have to obtain the block, and spoils what is in it; whoever then
asks for transactions that nobody else has gets them from the liar. It also hands blocks on to those
who catch up with other contents than were decided.

`PROVOKES` says which ways lead to which ground of the chain for refusing a block. For the rest
`STOPPED` says what refuses it before the chain would look, and `UNPROVOKED` why no liar tries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from node.blocks import Header, decode_header, transactions_root
from node.chain import BlockFault
from node.codec import replace
from node.network import ProposalMessage

WRONG_HEADERS: Final[Mapping[str, Callable[[Header, bytes, str], Header]]] = {
    "version": lambda header, _, __: replace(header, version=header.version + 1),
    "network": lambda header, noise, _: replace(header, network=noise[:8]),
    "height": lambda header, _, __: replace(header, height=header.height + 1),
    "parent": lambda header, noise, _: replace(header, parent=noise),
    "proposer": lambda header, _, victim: replace(header, proposer=victim or "nobody"),
    "validators": lambda header, noise, _: replace(header, validators_hash=noise),
    "time-before-parent": lambda header, _, __: replace(header, time_ms=1),
    "time-ahead": lambda header, _, __: replace(header, time_ms=header.time_ms + 4_000),
    "time-far-ahead": lambda header, _, __: replace(header, time_ms=header.time_ms + 86_400_000),
    "time-behind": lambda header, _, __: replace(header, time_ms=header.time_ms - 70_000),
    "transactions": lambda header, noise, _: replace(header, transactions_root=noise),
    "evidence": lambda header, noise, _: replace(header, evidence_root=noise),
    "state": lambda header, noise, _: replace(header, state_root=noise),
    "receipts": lambda header, noise, _: replace(header, receipts_root=noise),
    "next-validators": lambda header, noise, _: replace(header, next_validators_hash=noise),
    "parameters": lambda header, noise, _: replace(header, parameters_hash=noise),
    # Of four validators the proposer is the same.
    "round": lambda header, _, __: replace(header, round=header.round + 4),
}
"""Headers that break one rule each, by what is wrong with them."""
INVALID: Final = (*WRONG_HEADERS, "twice", "too-many", "other-ids")
"""Every way of the lie `invalid`."""

PROVOKES: Final[Mapping[BlockFault, tuple[str, ...]]] = {
    BlockFault.WRONG_VERSION: ("invalid:version",),
    BlockFault.WRONG_NETWORK: ("invalid:network",),
    BlockFault.WRONG_PARENT: ("invalid:parent",),
    BlockFault.WRONG_PROPOSER: ("invalid:proposer",),
    BlockFault.WRONG_VALIDATORS: ("invalid:validators",),
    BlockFault.TIME_NOT_AFTER_PARENT: ("invalid:time-before-parent", "invalid:time-behind"),
    BlockFault.TIME_TOO_FAR_AHEAD: ("invalid:time-ahead", "invalid:time-far-ahead"),
    BlockFault.TIME_TOO_FAR_BEHIND: ("smuggle:stale",),
    BlockFault.TOO_LARGE: ("smuggle:too-large",),
    BlockFault.WRONG_TRANSACTIONS: ("smuggle:handed-on-short", "smuggle:handed-on-long"),
    BlockFault.WRONG_EVIDENCE: ("smuggle:handed-on-accusing",),
    BlockFault.TRANSACTION_SEEN: ("smuggle:applied",),
    BlockFault.TRANSACTION_REFUSED: (
        "smuggle:expired",
        "smuggle:far-ahead",
        "smuggle:elsewhere",
    ),
    BlockFault.EVIDENCE_REFUSED: (
        "smuggle:accusing-in-noise",
        "smuggle:accusing-unsigned",
        "smuggle:accusing-a-stranger",
        "smuggle:accusing-early",
        "smuggle:accusing-twice",
        "smuggle:accusing-again",
    ),
    BlockFault.WRONG_RESULT: (
        "invalid:state",
        "invalid:receipts",
        "invalid:next-validators",
        "invalid:parameters",
    ),
}
"""The ways that lead to each ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What an honest node says to a block of this ground before its chain is asked."""

    event: str
    """Of the node's log."""
    reason: str
    """Words that stand in it."""
    ways: tuple[str, ...]


_NOT_THE_HEADERS: Final = "the ids are not those of the header"

STOPPED: Final[Mapping[BlockFault, tuple[Stopped, ...]]] = {
    BlockFault.WRONG_PROPOSER: (
        Stopped(event="message-refused", reason="is new in round", ways=("invalid:round",)),
    ),
    BlockFault.WRONG_HEIGHT: (
        Stopped(
            event="message-refused", reason="the header is of height", ways=("invalid:height",)
        ),
    ),
    BlockFault.TOO_MANY_TRANSACTIONS: (
        Stopped(event="peer-kept-out", reason="in a block", ways=("smuggle:too-many",)),
        Stopped(
            event="message-refused",
            reason="not a canonical Header",
            ways=("invalid:too-many",),
        ),
    ),
    BlockFault.WRONG_TRANSACTIONS: (
        Stopped(
            event="message-refused",
            reason=_NOT_THE_HEADERS,
            ways=("invalid:transactions", "invalid:other-ids"),
        ),
    ),
    BlockFault.WRONG_EVIDENCE: (
        Stopped(
            event="message-refused",
            reason="the evidence is not that of the header",
            ways=("invalid:evidence",),
        ),
    ),
    BlockFault.TRANSACTION_TWICE: (
        Stopped(
            event="message-refused",
            reason="a transaction id is listed twice",
            ways=("invalid:twice",),
        ),
    ),
}
"""Grounds that a block from a peer is refused for, or something like them, at an earlier door."""

UNPROVOKED: Final[Mapping[BlockFault, str]] = {
    BlockFault.NOT_AS_AMENDED: "only a block of the height on which an installed amendment stands"
    " can break it, and that one was decided before; tests/chain/test_amended_chain.py has it",
}
"""Grounds that no liar of a simulation leads to, and why."""

SMUGGLED: Final = tuple(
    way.removeprefix("smuggle:")
    for ways in (
        *PROVOKES.values(),
        *(stopped.ways for each in STOPPED.values() for stopped in each),
    )
    for way in ways
    if way.startswith("smuggle:")
)
"""Every way of the lie `smuggle`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a proposal names, and the transactions that the liar alone may have."""

    header: Header
    transaction_ids: tuple[bytes, ...]
    evidence: tuple[bytes, ...]
    made_up: tuple[bytes, ...] = ()


def spoiled(
    message: ProposalMessage, way: str, *, noise: Callable[[int], bytes], victim: str
) -> Contents:
    """Return what a proposal says after one way of `invalid` that alters its header."""
    header, ids = decode_header(message.header), message.transaction_ids
    if way == "twice":
        ids = (*ids, ids[0])
        header = replace(
            header, transactions_root=transactions_root(ids), transaction_count=len(ids)
        )
    elif way == "too-many":
        header = replace(header, transaction_count=(1 << 16) - 1)
    else:
        header = WRONG_HEADERS[way](header, noise(32), victim)
    return Contents(header=header, transaction_ids=ids, evidence=message.evidence)
