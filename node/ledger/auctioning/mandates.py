"""Bids on paper: who let which office hand them in, and which office has an envelope.

An office can bid with nobody's money unasked: the account that bids and the one that pays have both
given it a mandate before. What is lodged under one stays where it is when the mandate is taken
back: until the close its bidder withdraws it like any sealed bid, and no office lodges it again;
after it, nobody who has seen others' bids can have it left out.
"""

from collections.abc import Sequence

from node.ledger.auctioning.sealed import envelope_of
from node.ledger.auctions.records import EnvelopeRecord, MandateRecord
from node.ledger.authority import participant_of
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import ACCOUNTS, MANDATES, AccountStatus


def mandate_of(state: LedgerState, account: bytes) -> MandateRecord | None:
    """Return the mandate that an account has given; None: none, or it was taken back."""
    return state.get(MANDATES, account)


def under_mandate(
    state: LedgerState, account: bytes, participants: Sequence[str], *, priced: bool
) -> EnvelopeRecord:
    """Return what an envelope of an account is, if one of these participants may lodge it.

    Args:
        priced: whether its bidder is of those who name a price.

    Raises:
        Reject: BID_MANDATE_MISSING.
    """
    mandate = mandate_of(state, account)
    offices = _offices_of(state, participants)
    if mandate is None or mandate.office not in offices or _is_closed(state, mandate.cash_account):
        raise Reject(
            Outcome.BID_MANDATE_MISSING,
            account=account,
            found=", ".join(sorted(offices)) or "nobody",
            expected="nobody" if mandate is None else mandate.office,
        )
    return EnvelopeRecord(
        office=mandate.office,
        lodged_by=offices[mandate.office],
        cash_account=mandate.cash_account,
        priced=priced,
    )


def check_keeper(
    state: LedgerState, auction: str, number: int, participants: Sequence[str]
) -> EnvelopeRecord | None:
    """Return what an envelope is, if the office that it was handed to is among them; None: no such.

    Raises:
        Reject: ENVELOPE_OF_ANOTHER_OFFICE.
    """
    envelope = envelope_of(state, auction, number)
    if envelope is None:
        return None
    offices = _offices_of(state, participants)
    if envelope.office not in offices:
        raise Reject(
            Outcome.ENVELOPE_OF_ANOTHER_OFFICE,
            auction=auction,
            number=number,
            found=", ".join(sorted(offices)),
            expected=envelope.office,
        )
    return envelope


def _offices_of(state: LedgerState, participants: Sequence[str]) -> dict[str, str]:
    """Return who of them holds which office."""
    found = {participant_of(state, each).office: each for each in participants}
    return {office: each for office, each in found.items() if office is not None}


def _is_closed(state: LedgerState, account: bytes) -> bool:
    record = state.get(ACCOUNTS, account)
    return record is None or record.status is AccountStatus.CLOSED
