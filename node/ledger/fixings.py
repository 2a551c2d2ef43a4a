"""Reading what is fixed of securities that float."""

from typing import Final

from node.ledger.instruments import NOTHING_FIXED, Rates
from node.ledger.securities import (
    FIXINGS,
    FixingRecord,
    payment_key,
    register_prefix,
    split_payment_key,
)
from node.ledger.state import LedgerState
from node.ledger.terms import ServicedTerms

_PAGE: Final = 512
"""More than a security has payments."""


def fixing_of(state: LedgerState, asset: str, number: int) -> FixingRecord | None:
    """Return the fixing of a payment; None: its day has not come, or it does not float."""
    return state.get(FIXINGS, payment_key(asset, number))


def fixed_rate(state: LedgerState, asset: str, terms: ServicedTerms, number: int) -> int | None:
    """Return the rate of a payment of what floats, in millionths; None: it is not fixed."""
    fixing = None if terms.plan.floating is None else fixing_of(state, asset, number)
    return None if fixing is None else fixing.rate_ppm


def rates_of(state: LedgerState, asset: str, terms: ServicedTerms) -> Rates:
    """Return the rates of a security that are fixed; none where it does not float."""
    if terms.plan.floating is None:
        return NOTHING_FIXED
    prefix = register_prefix(asset)
    return {
        split_payment_key(key)[1]: fixing.rate_ppm
        for key, fixing in state.scan(FIXINGS, prefix, _PAGE)
        if key.startswith(prefix) and fixing.rate_ppm is not None
    }
