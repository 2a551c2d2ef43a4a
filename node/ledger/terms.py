"""What is promised by an asset of each kind: a closed union, one record a kind.

A new kind is a new member with the next tag, a name in `AssetKind` and a case in each `match` that
the type checker then asks for; what is stored under the older tags stays as it is. Reserved: 3
bond, 4 sukuk, 5 commodity, 6 stablecoin.
"""

from enum import StrEnum
from typing import TypeAlias, assert_never

from node.codec import Record
from node.ledger.identifiers import is_currency
from node.ledger.outcomes import Outcome, Reject
from node.ledger.units import Day


class AssetKind(StrEnum):
    """The kinds of asset; the text is the subject of their rows in the powers matrix."""

    CASH = "cash"
    BILL = "bill"


class CashTerms(Record, tag=1):
    """Money of its issuer, at par with the currency it is denominated in, at any time."""


class BillTerms(Record, tag=2):
    """A promise to pay the face value on one day, sold at a discount. Not redeemable early."""

    issue_day: Day
    """Days since 1970-01-01, in the ledger's local time, as all days."""
    maturity_day: Day
    """From this day on the issuer redeems. Later than the issue."""
    face_currency: str
    """ISO 4217 code of the currency that the face value is in; the asset's minor units are its."""


AssetTerms: TypeAlias = CashTerms | BillTerms


def kind_of(terms: AssetTerms) -> AssetKind:
    """Return the kind of asset that has terms of this type."""
    match terms:
        case CashTerms():
            return AssetKind.CASH
        case BillTerms():
            return AssetKind.BILL
        case _ as unreachable:
            assert_never(unreachable)


def check_terms(terms: AssetTerms) -> None:
    """Refuse terms that contradict themselves.

    Raises:
        Reject: TERMS_NOT_VALID, IDENTIFIER_NOT_VALID.
    """
    match terms:
        case CashTerms():
            return
        case BillTerms():
            if not is_currency(terms.face_currency):
                raise Reject(
                    Outcome.IDENTIFIER_NOT_VALID,
                    scheme="ISO 4217 currency",
                    found=terms.face_currency,
                )
            if terms.issue_day >= terms.maturity_day:
                raise Reject(
                    Outcome.TERMS_NOT_VALID,
                    reason=f"it matures on day {terms.maturity_day}, which is not after"
                    f" the day of issue, {terms.issue_day}",
                )
        case _ as unreachable:
            assert_never(unreachable)


def first_redemption_day(terms: AssetTerms) -> int | None:
    """Return the first day on which the asset may be redeemed, or None if that is any day."""
    match terms:
        case CashTerms():
            return None
        case BillTerms():
            return terms.maturity_day
        case _ as unreachable:
            assert_never(unreachable)
