"""Dates from which no schedule can be made."""

from node.ledger.errors import LedgerError
from node.ledger.phrases import Reason


class DatesError(LedgerError):
    """Says what was found and what was expected."""


class DatesFault(DatesError):
    """Says it by a phrase, which an outcome can carry.

    Attributes:
        reason: the phrase.
    """

    def __init__(self, reason: Reason) -> None:
        """Say why."""
        super().__init__(str(reason))
        self.reason = reason
