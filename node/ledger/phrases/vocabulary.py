"""All phrases together: by name, and found again in what the ledger has written."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from node.ledger.phrases.auctions import (
    AuctionFault,
    AuctionPlanFault,
    CashFault,
    CutOffFault,
    LineFault,
)
from node.ledger.phrases.envelope import EncodingFault, PolicyFault, PowerFault
from node.ledger.phrases.phrase import Phrase, Reason
from node.ledger.phrases.securities import (
    CallFault,
    StripFault,
    StrippingFault,
    WithholdingFault,
)
from node.ledger.phrases.terms import CalendarFault, ScheduleFault, TermsFault

SUBJECTS: Final[tuple[type[Phrase], ...]] = (
    EncodingFault,
    PolicyFault,
    PowerFault,
    TermsFault,
    ScheduleFault,
    CalendarFault,
    CallFault,
    StrippingFault,
    StripFault,
    WithholdingFault,
    AuctionFault,
    CashFault,
    LineFault,
    CutOffFault,
    AuctionPlanFault,
)
WRITTEN_MAX: Final = 400
"""Characters of a sentence that a phrase can make; what is longer is none of ours."""
RECOGNISED_MAX: Final = 1_024
"""Sentences of which it is kept by what phrase they were made."""


def _all() -> Iterator[Phrase]:
    for subject in SUBJECTS:
        yield from subject


VOCABULARY: Final[Mapping[str, Phrase]] = {phrase.name: phrase for phrase in _all()}
"""Every phrase by its permanent name."""


def recognise(text: str) -> Reason | None:
    """Return the phrase by which a sentence was made, and what stands in it.

    None: it is of a release that has other phrases.
    """
    return None if len(text) > WRITTEN_MAX else _find(text)


@lru_cache(RECOGNISED_MAX)
def _find(text: str) -> Reason | None:
    return next((found for phrase in _all() if (found := phrase.read(text)) is not None), None)
