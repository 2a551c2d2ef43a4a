"""Where a transaction has the words that were looked for: its memo, texts of its operations.

The index keeps all that was written in one transaction as one text, joined by spaces. Nobody reads
that: a page shows each text that has one of the words by itself, with what it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from node.explorer.contents import WrittenLine
from node.explorer.limits import WRITTEN_SHOWN_MAX
from node.explorer.showing import words_found
from node.rpc.errors import JsonValue
from node.rpc.results import Object

NAMED: Final[Mapping[str, str]] = {
    "asset": "asset",
    "auction": "auction",
    "calendar": "term-calendar",
    "cash": "term-cash",
    "currency": "written-currency",
    "dti": "dti",
    "face_currency": "written-currency",
    "isin": "isin",
    "issuer": "issuer",
    "jurisdiction": "jurisdiction",
    "kind": "kind",
    "kinds": "term-kinds",
    "legal_reference": "legal-reference",
    "lei": "lei",
    "licences": "term-licences",
    "line": "security",
    "memo": "memo",
    "name": "written-name",
    "noncompetitive_kinds": "term-noncompetitive_kinds",
    "office": "office",
    "offices": "offices-needed",
    "operation": "operation",
    "owner": "owner",
    "parameter": "parameter",
    "participant": "participant",
    "plan": "plan",
    "reason": "reason",
    "reference": "term-reference",
    "series": "written-series",
    "source": "written-source",
    "subject": "subject",
    "taxpayer": "taxpayer",
    "title": "written-name",
}
"""The fields that hold text, and the keys of what each is called on a page."""


def written(memo: str, operations: Sequence[Object], wanted: str) -> list[WrittenLine]:
    """Return the texts that have one of the words, each once, the memo first."""
    found: dict[tuple[str, str], None] = {}
    for name, text in (("memo", memo), *(each for one in operations for each in _texts(one, ""))):
        if name in NAMED and words_found(text, wanted):
            found[name, text] = None
            if len(found) == WRITTEN_SHOWN_MAX:
                break
    return [WrittenLine(field=name, text=text) for name, text in found]


def _texts(value: JsonValue, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text in a value of this name, with the name of the field that holds it."""
    match value:
        case str():
            yield name, value
        case list():
            for each in value:
                yield from _texts(each, name)
        case dict():
            for inner, each in value.items():
                yield from _texts(each, inner)
        case _:
            return
