"""The schedule of a bill without a paying agent, of which the ledger pays nothing by itself."""

from dataclasses import dataclass

from node.ledger.terms import PAR_E4, PPM, BillTerms
from node.ledger.units import Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The face, which holders bring back to the issuer (`redeem`): neither record nor payment."""

    issue_day: Day
    first_day: Day
    """From this day on it may be brought back, a day of business or not."""
    principal_ppm: int
    """Of a unit of face that was issued: all of it, at once."""
    price_e4: int
    """Per hundred of principal, in units of 0.0001: par."""


def redemption_of(terms: BillTerms) -> Redemption:
    """Return when and at what such a bill is brought back: its whole schedule."""
    return Redemption(
        issue_day=terms.issue_day,
        first_day=terms.maturity_day,
        principal_ppm=PPM,
        price_e4=PAR_E4,
    )
