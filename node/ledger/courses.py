"""What became of a security beyond its terms: rates fixed, repayments called, face stripped."""

from typing import Final

from node.ledger.dates import Calendar
from node.ledger.instruments import (
    NOT_CALLED,
    NOTHING_FIXED,
    Call,
    Calls,
    Payment,
    Rates,
    payment_of,
)
from node.ledger.securities import (
    CALLS,
    FIXINGS,
    STRIPPINGS,
    CallsRecord,
    FixingRecord,
    payment_key,
    register_prefix,
    split_payment_key,
)
from node.ledger.state import LedgerState
from node.ledger.tables import ASSETS, AssetRecord, name_key
from node.ledger.terms import BondTerms, ServicedTerms

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


def calls_of(state: LedgerState, asset: str, terms: ServicedTerms) -> Calls:
    """Return what was called of a security."""
    record = None if terms.plan.call is None else state.get(CALLS, name_key(asset))
    return NOT_CALLED if record is None else read_calls(record)


def read_calls(record: CallsRecord) -> Calls:
    """Return what a record says was called."""
    return {
        each.payment: Call(day=each.day, share_ppm=each.share_ppm, price_e4=each.price_e4)
        for each in record.calls
    }


def outstanding_of(state: LedgerState, asset: str, record: AssetRecord) -> int:
    """Return what exists of an asset, stripped or not: what its ceiling bounds."""
    stripping = None
    if isinstance(record.terms, BondTerms):
        stripping = state.get(STRIPPINGS, name_key(asset))
    if stripping is None:
        return record.supply
    principal = state.get(ASSETS, name_key(stripping.principal))
    assert principal is not None  # it is defined with the strips
    return record.supply + principal.supply


def payment_now(
    state: LedgerState, asset: str, terms: ServicedTerms, calendar: Calendar, number: int
) -> Payment:
    """Return a payment as far as it is known now."""
    fixed_ppm = fixed_rate(state, asset, terms, number)
    return payment_of(terms, calendar, number, fixed_ppm, calls_of(state, asset, terms))
