"""Books to allot: terms with defaults, rows by price and face, and a slow twin of the allotment."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from node.codec import replace
from node.ledger.auctions import (
    AuctionTerms,
    Form,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    Reallotment,
)
from node.ledger.auctions.records import LadderRow, RowState

MILLION: Final = 1_000_000 * 100
"""Rupees, in paise."""
DAY_MS: Final = 86_400_000

TERMS: Final = AuctionTerms(
    asset="MTB-3M",
    form=Form.PRICE,
    cash="PKR",
    proceeds=bytes(20),
    method=Method.MULTIPLE_PRICE,
    target=1_000 * MILLION,
    multiple=500_000,
    quantum_e4=1,
    opens_ms=1_000,
    closes_ms=2_000,
    reveals_until_ms=3_000,
    decides_until_ms=4_000,
    settles_ms=DAY_MS,
    calendar=None,
    kinds=("bank",),
    licences=(),
    bids_per_bidder=10,
    bidder_share_bps=10_000,
    noncompetitive_kinds=("company", "person"),
    noncompetitive_share_bps=1_000,
    noncompetitive_least=500_000,
    noncompetitive_most=5 * MILLION,
    noncompetitive_price=NoncompetitivePrice.AVERAGE,
    oversubscription=Oversubscription.PRO_RATA,
    reallotment=Reallotment.NONE,
    prorata_step=500_000,
    filled_whole=0,
    failing_exclusion_days=30,
    unrevealed_exclusion_days=0,
    reference=None,
    destination=None,
)


def terms(**changes: object) -> AuctionTerms:
    """Return the terms with these fields changed."""
    return replace(TERMS, **changes)


def priced(*bids: tuple[int, int]) -> list[LadderRow]:
    """Return the rows of bids, each a price in units of 0.0001 and a face, numbered from 1."""
    return [
        LadderRow(
            number=number,
            price_e4=price_e4,
            face=face,
            allotted=0,
            state=RowState.OPEN,
            reallotted=0,
        )
        for number, (price_e4, face) in enumerate(bids, 1)
    ]


def unpriced(*faces: int) -> list[LadderRow]:
    """Return the rows of bids without a price, numbered from 1,001."""
    return [
        LadderRow(
            number=number, price_e4=None, face=face, allotted=0, state=RowState.OPEN, reallotted=0
        )
        for number, face in enumerate(faces, 1_001)
    ]


def shared_out(faces: Sequence[int], there_is: int, step: int, filled_whole: int) -> list[int]:
    """Share pro rata, one step at a time to whoever is furthest below its exact share."""
    if sum(faces) <= there_is:
        return list(faces)
    given = [0] * len(faces)
    if sum(face for face in faces if face <= filled_whole) <= there_is:
        for index, face in enumerate(faces):
            if face <= filled_whole:
                given[index] = face
                there_is -= face
    others = [index for index in range(len(faces)) if not given[index]]
    total = sum(faces[index] for index in others)
    exact = {index: Fraction(faces[index] * there_is, total) for index in others}
    for index in others:
        while given[index] + step <= exact[index]:
            given[index] += step
    left = there_is - sum(given[index] for index in others)
    waiting = list(others)
    while left:
        best = max(waiting, key=lambda index: (exact[index] - given[index], -index))
        waiting.remove(best)
        more = min(step, faces[best] - given[best], left)
        given[best] += more
        left -= more
    return given
