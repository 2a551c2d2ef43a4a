"""Terms that contradict each other, or a figure for which there is no price."""

from node.ledger.errors import LedgerError


class PricingError(LedgerError):
    """Says what was found and what was expected."""
