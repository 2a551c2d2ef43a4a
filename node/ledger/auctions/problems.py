"""What an auction's figures cannot be."""


class AuctionError(Exception):
    """A decision that the announced rule does not allow; the sentence says what was found."""
