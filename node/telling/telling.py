"""A refusal as one sentence for a terminal: with dates and their zone, amounts and their asset.

English, as all that commands say; the pages say the same in the languages that they have.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final, TypeAlias

from node.ledger.explaining import explain, shown
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import Meaning, Reason, recognise
from node.telling.figures import Figure, asset_of, told, why
from node.telling.sentences import PEOPLE

_PLACE: Final = re.compile(r"\{(\w+)\}")
Offset: TypeAlias = Callable[[], int | None]
"""Returns by how many minutes local time is ahead of UTC; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells refusals of one ledger."""

    decimals_of: Callable[[str], int | None]
    """Of an asset by its code; None where it is not known."""
    sold_by: Callable[[str], str | None]
    """The asset of an auction by its name; None where it is not known."""
    offset_minutes: Offset = lambda: None
    """By how much the network's local time is ahead of UTC; None: not known, moments are in UTC."""

    def knowing(self, decimals: Mapping[str, int]) -> "Teller":
        """Return one that tells of these assets too, by code, where the ledger has none so named.

        A transaction that is refused may be what would have defined them.
        """
        if not decimals:
            return self
        known = self.decimals_of

        def decimals_of(asset: str) -> int | None:
            found = known(asset)
            return decimals.get(asset) if found is None else found

        return replace(self, decimals_of=decimals_of)

    def tell(
        self, name: str, details: Mapping[str, object], acted_on: str | None = None
    ) -> str | None:
        """Return the sentence for people; None: the ledger's own is as good.

        Args:
            name: of the outcome.
            details: as the interface has them: addresses as text.
            acted_on: the asset of the operation that was refused, where it is known.
        """
        if not details or name not in Outcome.__members__:
            return None
        figures = told(name, details, self.decimals_of, self.sold_by, acted_on=acted_on) or {}
        reason = reason_in(details)
        if not figures and reason is None:
            return None
        sentence = PEOPLE[name] if figures else Outcome[name].sentence
        found = {key: _shown(value) for key, value in details.items()}
        asset, offset = found.get("asset"), self.offset_minutes
        found |= {key: _written(figure, asset, offset) for key, figure in figures.items()}
        if reason is not None:
            concerned = asset_of(details, self.sold_by)
            found["reason"] = say(reason, concerned, self.decimals_of, offset)
        return _fill(sentence, found)


TELLER: Final = Teller(decimals_of=lambda _: None, sold_by=lambda _: None)
"""Tells what needs nothing of a ledger: dates, rates, prices."""


def tell_reject(reject: Reject) -> str:
    """Return why something was refused of which no ledger knows: an operation that was not sent."""
    details = dict(reject.details)
    return TELLER.tell(reject.outcome.name, details) or explain(reject.outcome, reject.details)


def reason_in(details: Mapping[str, object]) -> Reason | None:
    """Return the reason that details give, by its phrase; None: they give none that is known."""
    text = details.get("reason")
    return recognise(text) if isinstance(text, str) else None


def say(
    reason: Reason,
    asset: str | None,
    decimals_of: Callable[[str], int | None],
    offset_minutes: Offset = lambda: None,
) -> str:
    """Return a reason in English, in figures of people.

    Args:
        asset: what amounts in it are of; None: not known.
        offset_minutes: as of a `Teller`; asked only where there is a moment.
    """
    figures = why(reason, asset, decimals_of)
    named = figures["asset"].text if "asset" in figures else None
    return _fill(
        reason.phrase.plain,
        {name: _shown(_written(figure, named, offset_minutes)) for name, figure in figures.items()},
    )


def _fill(sentence: str, found: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: found.get(place[1], "…"), sentence)


def _written(figure: Figure, named: str | None, offset_minutes: Offset) -> str:
    """Return a figure with its unit; an amount without its asset where the sentence names that."""
    match figure.meaning:
        case Meaning.TIME:
            return _moment(figure.text, offset_minutes())
        case Meaning.RATE:
            return f"{figure.text} %"
        case Meaning.AMOUNT if figure.asset is None:
            return f"{figure.text} minor units"
        case Meaning.AMOUNT if figure.asset != named:
            return f"{figure.text} {figure.asset}"
        case _:
            return figure.text


def _moment(text: str, offset_minutes: int | None) -> str:
    """Return a moment of RFC 3339 as local time with its zone, to the second; else as it is."""
    zone = timezone(timedelta(minutes=offset_minutes or 0))
    try:
        return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M:%S} {zone}"
    except (ValueError, OverflowError):
        return text  # at the end of the years that there are


def _shown(value: object) -> str:
    return str(shown(str(value)))
