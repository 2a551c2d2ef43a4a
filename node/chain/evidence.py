"""Evidence on the chain: which accusations a block may hold, and that each is made once.

An accusation is named by its place: who, what kind of message, height and round. A validator that
signs a hundred blocks in one round is accused once for it, and nobody can fill blocks with its
pairs. Evidence has no age limit: the key that signed is looked up in the set of its own height.
"""

from consensus.evidence import Equivocation
from consensus.messages import SignedVote
from node.blocks import EvidenceError, decode_evidence, verify_evidence
from node.blocks.certificates import Verify
from node.chain.errors import BlockFault, InvalidBlock
from node.chain.history import History
from node.codec import CodecError, encode
from node.hashing import Domain, tagged_hash


def evidence_id(equivocation: Equivocation) -> bytes:
    """Return the 32-byte name of the accusation's place."""
    first = equivocation.first
    kind = int(first.vote.kind) if isinstance(first, SignedVote) else 0
    place = (equivocation.validator, equivocation.height, equivocation.round, kind)
    return tagged_hash(Domain.EVIDENCE, encode(place))


def check_evidence(
    items: tuple[bytes, ...], height: int, history: History, genesis_hash: bytes, verify: Verify
) -> tuple[bytes, ...]:
    """Return the ids of the accusations in a block of this height, in order.

    Raises:
        InvalidBlock: one is unreadable, does not hold, is of a later height, or was made before.
    """
    ids: list[bytes] = []
    for item in items:
        ids.append(_check(item, height, history, genesis_hash, verify))
        if ids[-1] in ids[:-1]:
            raise InvalidBlock(BlockFault.EVIDENCE_REFUSED, "one accusation stands in it twice")
    return tuple(ids)


def select_evidence(
    items: tuple[bytes, ...],
    height: int,
    history: History,
    genesis_hash: bytes,
    verify: Verify,
    *,
    count_max: int,
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return those of the accusations that a block of this height may hold, and their ids."""
    shown: list[bytes] = []
    ids: list[bytes] = []
    for item in items:
        try:
            item_id = _check(item, height, history, genesis_hash, verify)
        except InvalidBlock:
            continue
        if item_id not in ids and len(ids) < count_max:
            shown.append(item)
            ids.append(item_id)
    return tuple(shown), tuple(ids)


def _check(
    item: bytes, height: int, history: History, genesis_hash: bytes, verify: Verify
) -> bytes:
    try:
        equivocation = decode_evidence(item)
        if equivocation.height > height:
            raise EvidenceError(f"it is of height {equivocation.height}, after {height}")
        validators = history.validator_set(equivocation.height)
        verify_evidence(equivocation, validators, genesis_hash, verify)
    except (CodecError, EvidenceError) as error:
        raise InvalidBlock(BlockFault.EVIDENCE_REFUSED, str(error)) from None
    item_id = evidence_id(equivocation)
    shown = history.evidence_height(item_id)
    if shown is not None:
        raise InvalidBlock(
            BlockFault.EVIDENCE_REFUSED, f"{equivocation} is already shown in block {shown}"
        )
    return item_id
