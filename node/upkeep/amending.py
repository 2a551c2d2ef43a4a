"""An amendment of the validator set beside a node's own chain and log: does it fit them?

Everything that is asked before an operator lets a node follow an amendment, or lets go of one. The
node is stopped meanwhile; nothing is written.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from consensus.validators import ValidatorSet
from node.chain import AmendmentMissing, Chain
from node.chain.opening import is_empty
from node.codec import CodecError
from node.genesis import Amendment, AmendmentError, AmendmentFault, Genesis
from node.ledger.tables import ValidatorRecord
from node.replica.entries import Sealed, Under, decode_entry
from node.snapshots.installation import is_begun
from node.storage import StorageMissing, open_consensus_log
from node.storage.shadow import open_shadow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a stopped node stands."""

    height: int
    block_id: bytes
    validators: ValidatorSet
    """Those who would decide the next height."""
    records: tuple[ValidatorRecord, ...]
    """The same in full."""


def standing(chain: Path, genesis: Genesis) -> Standing | None:
    """Return where the chain in this directory stands; None: there is none yet.

    Raises:
        AmendmentError, AmendmentMissing: the amendments of this genesis are not those of the chain.
        ChainDamaged, StorageError: the disk's reasons, among them that the node runs.
    """
    if not chain.is_dir():
        return None
    with ExitStack() as stack:
        try:
            store = stack.enter_context(open_shadow(chain))
        except StorageMissing:
            return None
        if is_empty(store) or is_begun(store):
            return None
        opened = Chain.open(store, genesis)
        return Standing(
            height=opened.head.height,
            block_id=opened.head.block_id,
            validators=opened.validators,
            records=opened.validator_records,
        )


def check_fits(
    amendment: Amendment, *, chain: Path, log: Path, genesis: Genesis, is_draft: bool = False
) -> None:
    """Check that a node may follow an amendment.

    Args:
        is_draft: all need not have signed it yet.
        chain: directory of the node's database.
        log: directory of its consensus log.
        genesis: with the amendments that are installed already.

    Raises:
        AmendmentError: it may not.
        ChainDamaged, StorageError: as for `standing`.
    """
    for each in genesis.amendments:
        if each.id == amendment.id:
            raise AmendmentError(
                AmendmentFault.INSTALLED, f"amendment {each.serial}, {each.id.hex()}, is installed"
            )
    amended = genesis.amended((*genesis.amendments, amendment), is_draft=is_draft)
    here = standing(chain, genesis)
    if here is not None and here.height > amendment.height:
        raise AmendmentError(
            AmendmentFault.WRONG_HEIGHT,
            f"this node holds block {here.height}, above block {amendment.height} on which the"
            " amendment stands: what a quorum has decided stays. Compare the heads of all nodes"
            " again, and draft another",
        )
    # Opened once more with it, the chain itself says whether it can go on by it.
    standing(chain, amended)
    reached = _seen(log, amendment).height
    if reached > amendment.rules_from:
        raise AmendmentError(
            AmendmentFault.DECIDED,
            f"this key has taken part in height {reached}, so a block {amendment.rules_from} was"
            " decided: look for a node that holds it",
        )


def check_undecided(amendment: Amendment, *, chain: Path, log: Path, genesis: Genesis) -> None:
    """Check that as far as this node knows no block stands on the last amendment that it follows.

    The chain is looked at without it: one that does not fit must not be kept for not fitting.

    Raises:
        AmendmentError: one does.
        AmendmentMissing, ChainDamaged, StorageError: as for `standing`.
    """
    former = [each for each in genesis.amendments if each.serial < amendment.serial]
    try:
        here = standing(chain, genesis.amended(former))
    except AmendmentMissing as missing:
        if missing.amendment != amendment.id:
            raise
        raise AmendmentError(
            AmendmentFault.DECIDED,
            f"block {amendment.rules_from} was decided on it: it is part of the chain",
        ) from None
    if here is not None and here.height > amendment.height:
        return  # The chain went on without it.
    reached = _seen(log, amendment).height
    if reached > amendment.rules_from:
        raise AmendmentError(
            AmendmentFault.DECIDED,
            f"this key has taken part in height {reached}, so a block {amendment.rules_from} was"
            " decided: let this node catch up",
        )


def has_signed(log: Path, amendment: Amendment) -> bool:
    """Whether this node's key has signed anything under an amendment."""
    return _seen(log, amendment).signed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    height: int
    """Of the log."""
    signed: bool


def _seen(path: Path, amendment: Amendment) -> _Seen:
    if not path.is_dir():
        return _Seen(height=0, signed=False)
    log = open_consensus_log(path)
    try:
        under, signed = b"", False
        for data in log.load():
            entry = decode_entry(data)
            if isinstance(entry, Under):
                under = entry.domain
            elif isinstance(entry, Sealed):
                signed = signed or under == amendment.id
        return _Seen(height=log.height, signed=signed)
    except CodecError as error:
        raise AmendmentError(
            AmendmentFault.UNREADABLE, f"the consensus log in {path} is of another version: {error}"
        ) from None
    finally:
        log.close()
