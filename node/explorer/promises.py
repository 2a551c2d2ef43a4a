"""The terms of an asset, named and written as people do.

What a security does not have (no call, no instalments, no odd period) is left out; the JSON beside
the page has every field as the ledger has it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from markupsafe import Markup, escape

from node.explorer.catalogues import Catalogue
from node.explorer.showing import Showing, cut, fill
from node.rpc.errors import JsonValue
from node.rpc.results import Object
from node.telling import scaled

ENUMERATED: Final = frozenset({"roll", "order", "stub"})
"""Fields whose values the catalogues have words for, by name and value."""
LISTED: Final[Mapping[str, str]] = {
    "rates": "promised-rate",
    "instalments": "promised-instalment",
    "windows": "promised-window",
    "pool": "promised-asset",
}
"""Fields that are lists of records, and the text that says one."""
TOLD_ABOVE: Final = frozenset({"face_unit"})
"""Also among the facts of the asset itself."""
UNSAID: Final[Mapping[str, JsonValue]] = {"stub": "none", "end_of_month": False, "cap_ppm": 10**6}
"""What stands where there is nothing to say."""
LISTED_MAX: Final = 12
"""Of a list, the first ones."""


def promises(showing: Showing, catalogue: Catalogue, terms: Object) -> Iterator[tuple[str, Markup]]:
    """Yield what was promised, each with what it is called."""
    for name, value in terms.items():
        if isinstance(value, dict):
            yield from promises(showing, catalogue, value)
        elif value is None or value == [] or name in TOLD_ABOVE or UNSAID.get(name, ()) == value:
            continue
        else:
            # Of a later release than the catalogue: as the ledger names it.
            label = catalogue.texts.get(f"promised-{name}", cut(name))
            yield label, _value(showing, catalogue, name, value)


def _value(showing: Showing, catalogue: Catalogue, name: str, value: JsonValue) -> Markup:
    match value:
        case list() if name in LISTED:
            lines = [
                _line(showing, catalogue.texts[LISTED[name]], each) for each in value[:LISTED_MAX]
            ]
            lines += [escape(catalogue.texts["more-cut"])] if len(value) > LISTED_MAX else []
            return Markup("<br>").join(lines)
        case 0 if name == "months":
            return escape(catalogue.texts["promised-once"])
        case int() if name == "months":
            return escape(catalogue.text("promised-every", count=value))
        case int() if name.endswith("_ppm"):
            return showing.percent(scaled(value))
        case str() if name in ENUMERATED:
            return showing.word(f"{name}-{value}")
    return showing.value("asset" if name in {"cash", "line"} else name, value)


def _line(showing: Showing, sentence: str, record: JsonValue) -> Markup:
    """Return one record of a list as a sentence says it."""
    assert isinstance(record, dict), "what is listed in terms are records"

    def shown(name: str) -> Markup:
        value = record[name]
        if isinstance(value, int) and name.endswith(("_ppm", "_e4")):
            told = scaled(value)
            return showing.percent(told) if name.endswith("_ppm") else showing.number(told)
        return showing.value(name, value)

    return fill(sentence, shown)
