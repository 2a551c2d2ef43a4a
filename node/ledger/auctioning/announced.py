"""An auction that was announced: its record, its place in the queue, and what fits its terms.

An auction has one entry in the queue of what is due, at its next step; its id is a hash of the
name.
"""

from node.hashing import Domain, tagged_hash
from node.ledger.auctions.records import BIDS_NUMBERED_MAX, AuctionRecord
from node.ledger.auctions.terms import AuctionTerms
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import AUCTIONS, DUE, DueKind, DueRecord, due_key, name_key


def auction_of(state: LedgerState, auction: str) -> AuctionRecord:
    """Return an announced auction, whatever its stage.

    Raises:
        Reject: AUCTION_UNKNOWN.
    """
    record = state.get(AUCTIONS, name_key(auction))
    if record is None:
        raise Reject(Outcome.AUCTION_UNKNOWN, auction=auction)
    return record


def put_auction(
    state: LedgerState, auction: str, record: AuctionRecord, *, before: AuctionRecord | None
) -> None:
    """Write an auction, and move its entry in the queue where its next step has another time."""
    state.put(AUCTIONS, name_key(auction), record)
    earlier = None if before is None else before.next_ms
    if record.next_ms != earlier:
        due_id = tagged_hash(Domain.AUCTION, name_key(auction))
        if earlier is not None:
            state.delete(DUE, due_key(earlier, due_id))
        if record.next_ms is not None:
            due = DueRecord(kind=DueKind.AUCTION_STEP, target=name_key(auction))
            state.put(DUE, due_key(record.next_ms, due_id), due)


def check_time(
    operation: str, auction: str, *, now_ms: int, earliest_ms: int, before_ms: int
) -> None:
    """Refuse what comes before its time or after it.

    The block's time says it, not the stage: the step that changes the stage may still wait in a
    queue that is longer than what one block takes from it.

    Raises:
        Reject: AUCTION_STEP_TOO_EARLY, AUCTION_STEP_TOO_LATE.
    """
    if now_ms < earliest_ms:
        raise Reject(
            Outcome.AUCTION_STEP_TOO_EARLY,
            auction=auction,
            operation=operation,
            found=now_ms,
            expected=earliest_ms,
        )
    if now_ms >= before_ms:
        raise Reject(
            Outcome.AUCTION_STEP_TOO_LATE,
            auction=auction,
            operation=operation,
            found=now_ms,
            expected=before_ms,
        )


def check_asset(auction: str, terms: AuctionTerms, asset: str) -> None:
    """Refuse a bid for something else than what is sold.

    Raises:
        Reject: AUCTION_ASSET_DIFFERS.
    """
    if asset != terms.asset:
        raise Reject(
            Outcome.AUCTION_ASSET_DIFFERS, auction=auction, found=asset, expected=terms.asset
        )


def check_face(auction: str, terms: AuctionTerms, face: int) -> None:
    """Refuse a face that is not a positive multiple.

    Raises:
        Reject: FACE_NOT_A_MULTIPLE.
    """
    if face <= 0 or face % terms.multiple:
        raise Reject(
            Outcome.FACE_NOT_A_MULTIPLE, auction=auction, found=face, expected=terms.multiple
        )


def check_room(auction: str, record: AuctionRecord, count: int, count_max: int) -> None:
    """Refuse a bid for which there is no room among those of its kind, or among all ever made.

    Raises:
        Reject: AUCTION_FULL.
    """
    if count >= count_max or record.numbered >= BIDS_NUMBERED_MAX:
        raise Reject(Outcome.AUCTION_FULL, auction=auction, expected=count_max)
