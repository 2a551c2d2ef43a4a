"""Sealed bids: a hash that binds to a bid and says nothing about it until it is opened.

Prices and amounts are few, so the hash alone would be found by trying: 32 random bytes are hashed
with them. The hash covers auction and account as well, so that nobody can hand in a copy of what
somebody else has sealed and open it after them.

An envelope of paper holds the same, salt and all, as the bidder has written it. Its hash stands on
the ledger before anybody else has read the paper: whoever enters it later can enter nothing else,
and a bidder that has its keys again can open it itself.
"""

from node.codec import Record, encode
from node.hashing import Domain, tagged_hash
from node.ledger.auctions.terms import BidE4
from node.ledger.identifiers import Address, Hash, Name


class SealedBid(Record):
    """What is hashed."""

    auction: Name
    account: Address
    """The securities account that bids."""
    price_e4: BidE4 | None
    """None: without one, as an envelope may be."""
    face: int
    """In minor units."""
    salt: Hash
    """32 bytes that nobody can guess."""


def commitment_of(bid: SealedBid) -> bytes:
    """Return the hash that is handed in while the book is open."""
    return tagged_hash(Domain.SEALED_BID, encode(bid))
