"""Dates from which no schedule can be made."""

from node.ledger.errors import LedgerError


class DatesError(LedgerError):
    """Says what was found and what was expected."""
