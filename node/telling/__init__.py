"""Refusals for people: figures of what was found and expected, and the sentence of a command."""

from node.telling.figures import (
    AMOUNTS,
    DAYS,
    PRICES,
    RATES,
    TIMES,
    TOLD,
    Figure,
    asset_of,
    render_day,
    render_time,
    scaled,
    told,
    why,
)
from node.telling.sentences import PEOPLE
from node.telling.telling import TELLER, Teller, reason_in, say, tell_reject

__all__ = [
    "AMOUNTS",
    "DAYS",
    "PEOPLE",
    "PRICES",
    "RATES",
    "TELLER",
    "TIMES",
    "TOLD",
    "Figure",
    "Teller",
    "asset_of",
    "reason_in",
    "render_day",
    "render_time",
    "say",
    "scaled",
    "tell_reject",
    "told",
    "why",
]
