"""What an auction's figures cannot be."""

from node.ledger.phrases import Reason


class AuctionError(Exception):
    """A decision that the announced rule does not allow; the sentence says what was found."""


class CutOffError(AuctionError):
    """The cut-off is none.

    Attributes:
        reason: why not.
    """

    def __init__(self, reason: Reason) -> None:
        """Say why."""
        super().__init__(str(reason))
        self.reason = reason
