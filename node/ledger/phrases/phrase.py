"""A phrase: one way in which something is no good, with a permanent name and typed places.

The name and the places are for programs, and for whoever says the same in another language. The
English template is what the ledger writes into receipts, which are hashed: it is as permanent as
the name. A place says what stands in it, as `{maturity:day}`, and so how the ledger writes it;
whoever shows the phrase to people writes the value as people do.

What was written can be read back, because no value can look like the words around it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from functools import cache
from typing import Final, TypeAlias

from typing_extensions import override

Value: TypeAlias = int | str


@unique
class Meaning(Enum):
    """What the value in a place is."""

    DAY = "a day, counted from 1970-01-01"
    TIME = "a moment, in milliseconds since 1970"
    AMOUNT = "an amount of the asset concerned, in minor units"
    RATE = "a rate or a share, in millionths"
    PRICE = "a price, rate or margin, in units of 0.0001"
    COUNT = "how many, or which of several"
    ASSET = "an asset's code"
    PARTICIPANT = "a participant"
    KIND = "a kind of asset or participant, or a form of auction"
    FIELD = "a field of an operation"
    CODE = "something as its standard or its encoding spells it"
    WORDS = "several names, with commas"
    TEXT = "what somebody wrote"


@dataclass(frozen=True, slots=True)
class Kind:
    """How the ledger writes a value."""

    meaning: Meaning
    written: str
    """What stands there, the value itself as `{}`."""
    shape: str
    """Of the value, as a regular expression."""


_NUMBER: Final = "-?[0-9]+"
KINDS: Final[Mapping[str, Kind]] = {
    "day": Kind(Meaning.DAY, "day {}", _NUMBER),
    "day_number": Kind(Meaning.DAY, "{}", _NUMBER),
    "date": Kind(Meaning.DAY, "{}", "[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": Kind(Meaning.TIME, "{} ms", _NUMBER),
    "amount": Kind(Meaning.AMOUNT, "{} minor units", _NUMBER),
    "amount_number": Kind(Meaning.AMOUNT, "{}", _NUMBER),
    "rate": Kind(Meaning.RATE, "{} millionths", _NUMBER),
    "rate_number": Kind(Meaning.RATE, "{}", _NUMBER),
    "count": Kind(Meaning.COUNT, "{}", _NUMBER),
    "asset": Kind(Meaning.ASSET, "{}", "[A-Z0-9.-]+"),
    "participant": Kind(Meaning.PARTICIPANT, "{}", "[a-z0-9-]+"),
    "kind": Kind(Meaning.KIND, "{}", "[a-z]+"),
    "field": Kind(Meaning.FIELD, "{}", "[a-z_]+"),
    "code": Kind(Meaning.CODE, "{}", "[A-Za-z0-9/$<>=. \\[\\]-]+"),
    "words": Kind(Meaning.WORDS, "{}", "[a-z_]+(?:, [a-z_]+)*"),
    "text": Kind(Meaning.TEXT, "'{}'", "[^']*"),
}
"""By the name that a place gives."""

_PLACE: Final = re.compile(r"\{(\w+):(\w+)\}")
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Phrase(Enum):
    """The base of the vocabularies, one a subject: the value of a member is its template."""

    @property
    def places(self) -> Mapping[str, Kind]:
        """What stands in the phrase, by name, in order."""
        return _places(self.value)

    @property
    def plain(self) -> str:
        """The template for people: they read the unit with the value, and need no other."""
        return _PLACE.sub(
            lambda place: f"'{{{place[1]}}}'" if place[2] == "text" else f"{{{place[1]}}}",
            self.value,
        )

    def of(self, **values: Value) -> "Reason":
        """Return the phrase with a value in each of its places."""
        assert values.keys() == self.places.keys(), self
        return Reason(self, tuple((name, values[name]) for name in self.places))

    def read(self, text: str) -> "Reason | None":
        """Return what was said, if it was said by this phrase."""
        found = _pattern(self.value).fullmatch(text)
        if found is None:
            return None
        values = found.groupdict()
        return Reason(
            self,
            tuple((name, _read(kind, values[name])) for name, kind in self.places.items()),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """A phrase that is said: why something is no good."""

    phrase: Phrase
    values: tuple[tuple[str, Value], ...]
    """By the names of the places, in their order; a day is a number whichever way it is written."""

    @override
    def __str__(self) -> str:
        """Return the sentence as the ledger writes it."""
        values = dict(self.values)
        places = self.phrase.places
        return _PLACE.sub(
            lambda place: _written(places[place[1]], place[2], values[place[1]]), self.phrase.value
        )


@cache
def _places(template: str) -> Mapping[str, Kind]:
    return {name: KINDS[kind] for name, kind in _PLACE.findall(template)}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = _PLACE.split(template)
    words, names, kinds = parts[::3], parts[1::3], parts[2::3]
    shapes = [
        re.escape(KINDS[kind].written).replace(r"\{\}", f"(?P<{name}>{KINDS[kind].shape})")
        for name, kind in zip(names, kinds, strict=True)
    ]
    pieces = [re.escape(words[0])]
    for shape, after in zip(shapes, words[1:], strict=True):
        pieces += [shape, re.escape(after)]
    return re.compile("".join(pieces))


def _written(kind: Kind, name: str, value: Value) -> str:
    if name == "date":
        assert isinstance(value, int)
        return date.fromordinal(value + _EPOCH).isoformat()
    if kind.meaning is Meaning.TEXT:
        # The mark that ends it would let a text go on as if it were ours.
        value = str(value).replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    return kind.written.format(value)


def _read(kind: Kind, text: str) -> Value:
    if kind.shape == _NUMBER:
        return int(text)
    if kind is KINDS["date"]:
        return date.fromisoformat(text).toordinal() - _EPOCH
    return text
