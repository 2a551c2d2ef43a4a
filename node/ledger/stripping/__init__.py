"""Stripping: a bond becomes its payments one by one, and the payments become the bond again.

Face that is stripped leaves the supply of the line, and of each payment that is left a strip comes
into being with exactly what the line would have paid on it; putting together is the reverse. So on
every day the same is owed, to the minor unit, and a strip is paid as everything else is that the
ledger pays: it is a zero coupon with a record, a paying agent and a register.

Coupons of one day are the same strip whatever line of the series they are from; the face of a line
is a strip of its own. Whoever has all that is left of a line may put it together.
"""

from node.ledger.stripping.books import contradictions_of_strips
from node.ledger.stripping.moving import (
    STRIPS_PER_BLOCK_MAX,
    Parts,
    SecurityReconstituted,
    SecurityStripped,
    StripMoved,
    parts_of,
    reconstitute,
    strip,
)
from node.ledger.stripping.registering import (
    SERIES_MAX,
    Registration,
    code_of_coupon,
    register_strips,
)

__all__ = [
    "SERIES_MAX",
    "STRIPS_PER_BLOCK_MAX",
    "Parts",
    "Registration",
    "SecurityReconstituted",
    "SecurityStripped",
    "StripMoved",
    "code_of_coupon",
    "contradictions_of_strips",
    "parts_of",
    "reconstitute",
    "register_strips",
    "strip",
]
