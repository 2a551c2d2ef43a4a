"""Evidence on the chain: which accusations a block may hold, and that each is made once.

An accusation is named by its place: who, what kind of message, height and round. A validator that
signs a hundred blocks in one round is accused once for it, and nobody can fill blocks with its
pairs. Evidence has no age limit: the key that signed is looked up in the set of its own height.

The accusations made are part of the state: whoever starts from a state knows all of them.
"""

from typing import TypeAlias

from consensus.evidence import Equivocation
from consensus.messages import SignedVote
from node.blocks import EvidenceError, decode_evidence, verify_evidence
from node.blocks.certificates import Verify
from node.chain.errors import BlockFault, InvalidBlock
from node.chain.history import History
from node.codec import CodecError, encode
from node.genesis import Genesis
from node.hashing import Domain, tagged_hash
from node.ledger.tables import AccusationRecord, AccusedKind

Accusation: TypeAlias = tuple[bytes, AccusationRecord]
"""The id of its place, and the record that the ledger keeps."""


def evidence_id(equivocation: Equivocation) -> bytes:
    """Return the 32-byte name of the accusation's place."""
    kind = int(_kind(equivocation))
    place = (equivocation.validator, equivocation.height, equivocation.round, kind)
    return tagged_hash(Domain.EVIDENCE, encode(place))


def check_evidence(
    items: tuple[bytes, ...], height: int, history: History, genesis: Genesis, verify: Verify
) -> tuple[Accusation, ...]:
    """Return the accusations in a block of this height, in order.

    Raises:
        InvalidBlock: one is unreadable, does not hold, is of a later height, or was made before.
    """
    made: dict[bytes, AccusationRecord] = {}
    for item in items:
        item_id, record = _check(item, height, history, genesis, verify)
        if item_id in made:
            raise InvalidBlock(BlockFault.EVIDENCE_REFUSED, "one accusation stands in it twice")
        made[item_id] = record
    return tuple(made.items())


def select_evidence(
    items: tuple[bytes, ...],
    height: int,
    history: History,
    genesis: Genesis,
    verify: Verify,
    *,
    count_max: int,
) -> tuple[tuple[bytes, ...], tuple[Accusation, ...]]:
    """Return the evidence that a block of this height may hold, and what it accuses of."""
    shown: list[bytes] = []
    made: dict[bytes, AccusationRecord] = {}
    for item in items:
        try:
            item_id, record = _check(item, height, history, genesis, verify)
        except InvalidBlock:
            continue
        if item_id not in made and len(made) < count_max:
            shown.append(item)
            made[item_id] = record
    return tuple(shown), tuple(made.items())


def _check(
    item: bytes, height: int, history: History, genesis: Genesis, verify: Verify
) -> Accusation:
    try:
        equivocation = decode_evidence(item)
        if equivocation.height > height:
            raise EvidenceError(f"it is of height {equivocation.height}, after {height}")
        validators = history.validator_set(equivocation.height)
        domain = genesis.domain(equivocation.height)
        verify_evidence(equivocation, validators, domain, verify)
    except (CodecError, EvidenceError) as error:
        raise InvalidBlock(BlockFault.EVIDENCE_REFUSED, str(error)) from None
    item_id = evidence_id(equivocation)
    made = history.accusation(item_id)
    if made is not None:
        raise InvalidBlock(
            BlockFault.EVIDENCE_REFUSED, f"{equivocation} is already shown in block {made.shown}"
        )
    record = AccusationRecord(
        validator=equivocation.validator,
        height=equivocation.height,
        round=equivocation.round,
        kind=_kind(equivocation),
        shown=height,
    )
    return item_id, record


def _kind(equivocation: Equivocation) -> AccusedKind:
    first = equivocation.first
    return AccusedKind(first.vote.kind) if isinstance(first, SignedVote) else AccusedKind.PROPOSAL
