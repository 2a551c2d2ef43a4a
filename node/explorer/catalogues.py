"""All text of the pages, by language: a file each in `catalogues/`, with the same keys.

A catalogue is text of ours and trusted; what is filled into it is not, and is escaped there. What
a later release of the ledger adds and no catalogue knows is shown by its name on the ledger: a page
never fails for a missing text, the tests do.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from node.ledger.outcomes import Outcome
from node.ledger.phrases import VOCABULARY
from node.telling import PEOPLE

FOLDER: Final = Path(__file__).with_name("catalogues")
LANGUAGES: Final = ("en", "ur")
"""The first is at the paths themselves, the others under a prefix of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The text of one language."""

    language: str
    """As in the attribute `lang`."""
    direction: str
    """`ltr` or `rtl`."""
    own_name: str
    """What the language calls itself."""
    texts: Mapping[str, str]
    """Headings, labels and sentences of the pages."""
    words: Mapping[str, str]
    """What the ledger's enumerations, offices and fields are called."""
    operations: Mapping[str, str]
    """A sentence for each operation, by its name; its fields in braces."""
    events: Mapping[str, str]
    """The same for what happens by itself."""
    outcomes: Mapping[str, str]
    """A sentence for each outcome, by its name; the English ones are the ledger's own."""

    people: Mapping[str, str]
    """The same where `node.telling` has other figures for people than the ledger."""

    reasons: Mapping[str, str]
    """A sentence for each phrase that an outcome can give as its reason, by its name; the English
    ones are the ledger's own."""

    checks: Mapping[str, str]
    """What the checks of the demonstrations are called, by their English names, with what changes
    in braces; none of the language that the demonstrations speak."""

    def text(self, key: str, **values: object) -> str:
        """Return a text of the pages; every key that a page uses is there."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def word(self, value: str) -> str:
        """Return what something on the ledger is called, or else its name there."""
        return self.words.get(value, value)


@cache
def check_names(language: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """Return how the English name of a check looks, and what it is called in a language."""
    return [
        (
            re.compile(
                "".join(
                    f"(?P<{part}>.+)" if place % 2 else re.escape(part)
                    for place, part in enumerate(re.split(r"\{(\w+)\}", english))
                )
            ),
            name,
        )
        for english, name in catalogues()[language].checks.items()
    ]


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """Return all catalogues by language, read once."""
    return {language: _read(language) for language in LANGUAGES}


def _read(language: str) -> Catalogue:
    with (FOLDER / f"{language}.toml").open("rb") as file:
        found = tomllib.load(file)
    if language != LANGUAGES[0]:
        with (FOLDER / f"{language}-reasons.toml").open("rb") as file:
            found["reasons"] = tomllib.load(file)
    if language == LANGUAGES[0]:
        found["outcomes"] = {outcome.name: outcome.sentence for outcome in Outcome}
        found["people"] = PEOPLE
        found["reasons"] = {name: phrase.plain for name, phrase in VOCABULARY.items()}
        found["checks"] = {}
    return Catalogue(language=language, **found)
