"""Values as HTML: the one place where what participants wrote becomes part of a page.

Everything comes in as JSON of the interface and leaves as markup in which it is text: escaped, cut
at a length, isolated so that its direction cannot turn the words around it, and linked where it
names something that has a page. What a value is follows from its field's name and its form, so
that a field which a later release adds is shown as text and not left out.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from node.explorer.catalogues import Catalogue
from node.explorer.limits import (
    FIELDS_SHOWN_MAX,
    NESTED_SHOWN_MAX,
    RATES_TOLD_MAX,
    TEXT_SHOWN_MAX,
)
from node.ledger.phrases import Meaning
from node.rpc.errors import JsonValue
from node.telling import Figure, asset_of, reason_in, scaled, told, why

ADDRESS_ENDS: Final = (12, 6)
"""Characters of an address that are shown: of its beginning and of its end."""
HASH_SHOWN: Final = 12
HASH_WHOLE: Final = 64
"""Characters up to which all of it is there on pointing: of ids, hashes and keys."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
_HEX: Final = re.compile(r"[0-9a-f]{32,}\Z")
_AMOUNT: Final = re.compile(r"\d+(\.\d+)?\Z")
_STEERING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WORD: Final = re.compile(r"[^\W_]+")
_ADDRESS: Final = re.compile(r"t?khz1[02-9ac-hj-np-z]{38}\Z")

PARTICIPANTS: Final = frozenset(
    {
        "participant",
        "owner",
        "issuer",
        "registrar",
        "placed_by",
        "opened_by",
        "released_by",
        "granted_by",
        "identified_by",
        "previous",
        "proposer",
        "holder_participant",
    }
)
"""Fields that name a participant."""
NAMED: Final = frozenset(
    {"activity", "kind", "office", "offices", "phase", "status", "subject", "taxpayer", "type"}
)
"""Fields whose values the catalogues have words for."""
AMOUNTS: Final = frozenset(
    {
        "accrued",
        "amount",
        "ceiling",
        "competitive",
        "consideration",
        "destination_accrued",
        "destination_supply",
        "due",
        "face",
        "failed",
        "held",
        "interest_due",
        "issued",
        "multiple",
        "noncompetitive",
        "paid",
        "principal_due",
        "reallotted",
        "redeemed",
        "residue",
        "settled",
        "stripped",
        "supply",
        "target",
        "withheld",
        "worth",
    }
)
"""Fields that are amounts: their thousands are shown apart. Not `found`: that can be a text."""


LABELLED: Final[Mapping[str, str]] = {"operation": "act", "parameter": "parameter"}
"""Fields that name something of the rules, and what the keys of its texts begin with."""
SPELLED: Final = frozenset({"field", "scheme", "tie"})
"""Fields whose value is spelled as in the records themselves, in every language."""
REASONED: Final = frozenset({"auction_rejected", "rate_awaited", "record_waits"})
"""Events whose `reason` is one of a few that the ledger knows, and not what somebody wrote."""
WHO: Final[Mapping[str, frozenset[str]]] = {
    "BID_MANDATE_MISSING": frozenset({"found", "expected"}),
    "ENVELOPE_OF_ANOTHER_OFFICE": frozenset({"found", "expected"}),
    "IDENTIFIER_TAKEN": frozenset({"holder"}),
    "NOT_ISSUER": frozenset({"found", "expected"}),
    "NOT_REGISTRAR": frozenset({"found", "expected"}),
    "OFFICES_MISSING": frozenset({"offices"}),
}
"""Details of an outcome that name offices or participants, several with commas."""
ABSENT: Final = frozenset({"cut_off_e4", "price_e4", "share_ppm", "token"})
"""Fields of which a sentence says in words that there is no value."""


class Showing:
    """Shows the values of one network in one language."""

    def __init__(
        self,
        catalogue: Catalogue,
        root: str,
        *,
        decimals_of: Callable[[str], int | None] = lambda _: None,
        sold_by: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Make it.

        Args:
            root: what the paths of this language begin with; empty for the first language.
            decimals_of: of an asset by its code; None where it is not known.
            sold_by: the asset of an auction by its name; None where it is not known.
        """
        self._catalogue = catalogue
        self.root = root
        self._decimals_of = decimals_of
        self._sold_by = sold_by
        self._told: dict[int, Markup] = {}
        """Sentences by the identity of what they tell, which the page holds as long as this."""

    # One value.

    def value(self, name: str, value: JsonValue) -> Markup:
        """Return the value of a field of this name."""
        match value:
            case None:
                return escape(self._catalogue.texts["none"])
            case bool():
                return escape(self._catalogue.texts["yes" if value else "no"])
            case int():
                return self.number(value)
            case str():
                return self._text(name, value)
            case list() if any(isinstance(item, dict | list) for item in value):
                return self.text(json.dumps(value, ensure_ascii=False), NESTED_SHOWN_MAX)
            case list():
                shown = [self.value(name, item) for item in value[:FIELDS_SHOWN_MAX]]
                return Markup(", ").join(shown) if shown else self.value(name, None)
            case dict():
                return self.text(json.dumps(value, ensure_ascii=False), NESTED_SHOWN_MAX)

    def _text(self, name: str, text: str) -> Markup:
        if _ADDRESS.match(text):
            return self.address(text)
        if name == "asset":
            return self.asset(text)
        if name == "auction":
            return self.link("auctions", text, _code(cut(text), None))
        if name in PARTICIPANTS:
            return self.participant(text)
        if name in NAMED:
            return self.word(text)
        if name == "outcome":
            return self._ended(text)
        if name in LABELLED:
            return self._labelled(name, text)
        if name == "scheme" and text in self._catalogue.words:
            return self.word(text)
        if name in SPELLED:
            return _code(cut(text), None)
        if _TIME.match(text):
            return self.time(text)
        if name == "proposal" and _HEX.match(text):
            return self.link("proposals", text, self.short(text))
        if _HEX.match(text):
            return self.short(text)
        if name in AMOUNTS and _AMOUNT.match(text):
            return self.number(text)
        return self.text(text)

    def _labelled(self, name: str, text: str) -> Markup:
        """Return what a parameter or an act of the rules is called; else its name."""
        label = self._catalogue.texts.get(f"{LABELLED[name]}-{text}")
        return _code(cut(text), None) if label is None else escape(label)

    def _ended(self, name: str) -> Markup:
        """Return what an outcome means of which nothing but the name is known."""
        sentence = self._catalogue.outcomes.get(name)
        code = _code(cut(name), None)
        if sentence is None:
            return code
        told = fill(sentence, lambda _: Markup("…"))
        return Markup("{} ({})").format(told, code)

    def text(self, text: str, length: int = TEXT_SHOWN_MAX) -> Markup:
        """Return what somebody wrote: as text, cut, in its own direction."""
        return Markup(f"<bdi>{escape(cut(text, length))}</bdi>")

    def found(self, text: str, wanted: str) -> Markup:
        """Return what somebody wrote, with those of its words marked that were looked for.

        Where the first of them stands beyond what is shown, what is before it is left out.
        """
        places = words_found(text, wanted)
        at = places[0][0] if places and places[0][1] > TEXT_SHOWN_MAX else 0
        end = at + TEXT_SHOWN_MAX
        pieces = [Markup("…" if at else "")]
        for begins, ends in places:
            if ends <= end:
                pieces.append(escape(_visible(text[at:begins])))
                pieces.append(Markup("<mark>{}</mark>").format(_visible(text[begins:ends])))
                at = ends
        pieces.append(escape(_visible(text[at:end])))
        pieces.append(Markup("…" if len(text) > end else ""))
        return Markup("<bdi>{}</bdi>").format(Markup("").join(pieces))

    def word(self, value: str) -> Markup:
        """Return a value of an enumeration, or the name of an office, in words."""
        return Markup(f"<bdi>{escape(cut(self._catalogue.word(value)))}</bdi>")

    def number(self, value: int | str) -> Markup:
        """Return a number with its thousands apart."""
        whole, point, fraction = str(value).partition(".")
        # Below zero and above minus one the whole part has no sign of its own.
        sign = "-" if whole.startswith("-") else ""
        shown = f"{sign}{abs(int(whole)):,}" if len(whole) < TEXT_SHOWN_MAX else cut(whole)
        return Markup(f'<bdi class="number">{escape(shown)}{point}{escape(fraction)}</bdi>')

    def time(self, text: str) -> Markup:
        """Return a moment, written so that it sorts, in UTC."""
        whole = escape(text)
        shown = whole.removesuffix("Z").partition(".")[0].replace("T", " ")
        return Markup(f'<time datetime="{whole}" dir="ltr">{shown} UTC</time>')

    def clock(self, text: str) -> Markup:
        """Return the time of day of a moment, in UTC."""
        return Markup(
            f'<time datetime="{escape(text)}" dir="ltr">{escape(text[11:19])}'
            ' <span class="unit">UTC</span></time>'
        )

    def minute(self, text: str) -> Markup:
        """Return the minute of a moment, in UTC; its day on pointing."""
        whole = escape(text)
        return Markup(
            f'<time datetime="{whole}" title="{whole[:10]}" dir="ltr">{whole[11:16]}</time>'
        )

    def day(self, text: str) -> Markup:
        """Return the day of a moment, in UTC."""
        day = escape(text[:10])
        return Markup(f'<time datetime="{day}" dir="ltr">{day}</time>')

    def address(self, text: str, *, whole: bool = False) -> Markup:
        """Return an address with a link to its account."""
        head, tail = ADDRESS_ENDS
        shown = text if whole or len(text) <= head + tail else f"{text[:head]}…{text[-tail:]}"
        return self.link("accounts", text, _code(shown, text))

    def asset(self, code: str) -> Markup:
        """Return an asset's code with a link."""
        return self.link("assets", code, _code(cut(code), None))

    def participant(self, name: str) -> Markup:
        """Return a participant with a link; those of the state by their names."""
        return self.link("participants", name, self.word(name))

    def validator(self, name: str) -> Markup:
        """Return one of those who decide with a link; those of the state by their names."""
        return self.link("validators", name, self.word(name))

    def block(self, height: int) -> Markup:
        """Return a height with a link to its block."""
        return self.link("blocks", str(height), self.number(height))

    def transaction(self, transaction_id: str) -> Markup:
        """Return a transaction's id, cut, with a link."""
        return self.link("transactions", transaction_id, self.short(transaction_id))

    def short(self, text: str) -> Markup:
        """Return the beginning of a hash, id or key; all of it on pointing."""
        if len(text) <= HASH_SHOWN + 4:
            return _code(text, None)
        # Signatures and certificates are longer than anybody reads by pointing.
        return _code(f"{text[:HASH_SHOWN]}…", text if len(text) <= HASH_WHOLE else None)

    def link(self, *path_and_shown: str | Markup) -> Markup:
        """Return what is shown, last, with a link to the path of the parts before it."""
        *path, shown = path_and_shown
        return Markup(f'<a href="{escape(self.path(*path))}">{escape(shown)}</a>')

    def path(self, *parts: str) -> str:
        """Return the path of a page in this language."""
        return "/".join([self.root, *(quote(cut(part), safe="*") for part in parts)]) or "/"

    # Sentences.

    def operation(self, fields: Mapping[str, JsonValue]) -> Markup:
        """Return what an operation asks for, as a sentence."""
        return self._sentence(self._catalogue.operations, fields)

    def event(self, fields: Mapping[str, JsonValue]) -> Markup:
        """Return what happened, as a sentence."""
        return self._sentence(self._catalogue.events, fields)

    def outcome(
        self,
        name: str,
        details: Mapping[str, JsonValue],
        said: str,
        acted_on: str | None = None,
    ) -> Markup:
        """Return what became of a transaction, and why.

        Args:
            said: the interface's own sentence, for an outcome that the catalogue does not know.
            acted_on: the asset of the operation that was refused, where it is known.
        """
        sentence = self._catalogue.outcomes.get(name)
        if sentence is None:
            return Markup(f'<bdi lang="en">{escape(said)}</bdi>')
        figures = told(name, details, self._decimals_of, self._sold_by, acted_on=acted_on) or {}
        if figures:
            sentence = self._catalogue.people[name]
        return fill(
            sentence,
            lambda key: (
                self._figure(figures[key], named="asset" in details)
                if key in figures
                else self._detail(name, key, details)
            ),
        )

    def _detail(self, outcome: str, name: str, details: Mapping[str, JsonValue]) -> Markup:
        value = details.get(name, "…")
        match outcome, name, value:
            case _, "reason", str():
                return self._reason(value, details)
            case "AUCTION_NOT_TO_BE_DECIDED", "found", str():
                return self.word(f"stage-{value}")
            case _, "account_class", str():
                return self.word(value)
            case _, _, str() if name in WHO.get(outcome, ()):
                return self._words(value)
        return self.value(name, value)

    def _words(self, text: str) -> Markup:
        """Return several names of one text, each in words."""
        comma = "، " if self._catalogue.direction == "rtl" else ", "
        return Markup(comma).join(self.word(word) for word in text.split(", "))

    def _reason(self, text: str, details: Mapping[str, JsonValue]) -> Markup:
        """Return why, in the words of the catalogue for the phrase that the ledger gave."""
        reason = reason_in(details)
        sentence = None if reason is None else self._catalogue.reasons.get(reason.phrase.name)
        if reason is None or sentence is None:
            # Of a later release, in the ledger's own words, which are English.
            return Markup('<bdi lang="en">{}</bdi>').format(cut(text))
        figures = why(reason, asset_of(details, self._sold_by), self._decimals_of)
        return fill(sentence, lambda key: self._figure(figures[key], named="asset" in figures))

    def _figure(self, figure: Figure, *, named: bool) -> Markup:
        """Return an amount with its decimals, a price, a rate, a moment, a day, or a name.

        Args:
            named: whether the sentence says of what asset an amount is.
        """
        text = figure.text
        match figure.meaning:
            case Meaning.DAY:
                return self.day(text)
            case Meaning.TIME:
                return self.time(text)
            case Meaning.RATE:
                return self.percent(text)
            case Meaning.AMOUNT if figure.asset is None:
                return fill(self._catalogue.texts["minor-units"], lambda _: self.number(text))
            case Meaning.AMOUNT if figure.asset is not None and not named:
                return Markup("{} {}").format(self.number(text), self.asset(figure.asset))
            case Meaning.AMOUNT | Meaning.PRICE | Meaning.COUNT:
                return self.number(text)
            case Meaning.ASSET:
                return self.asset(text)
            case Meaning.PARTICIPANT:
                return self.participant(text)
            case Meaning.KIND:
                return self.word(text)
            case Meaning.FIELD:
                label = self._catalogue.texts.get(f"term-{text}")
                if label is None:
                    return _code(text, None)
                return fill(self._catalogue.texts["field-named"], lambda _: escape(label))
            case Meaning.WORDS:
                return self._words(text)
            case Meaning.CODE:
                return _code(cut(text), None)
            case Meaning.TEXT:
                return self.text(text)

    def _sentence(self, sentences: Mapping[str, str], fields: Mapping[str, JsonValue]) -> Markup:
        told = self._told.get(id(fields))
        if told is None:
            told = self._told[id(fields)] = self._tell(sentences, fields)
        return told

    def _tell(self, sentences: Mapping[str, str], fields: Mapping[str, JsonValue]) -> Markup:
        kind = str(fields.get("type", ""))
        sentence = sentences.get(kind)
        if sentence is None:
            # Of a later release than the catalogue: its name and what it says.
            rest = {name: value for name, value in fields.items() if name != "type"}
            return Markup(f"{escape(self._catalogue.word(kind))}: {self.value(kind, rest)}")
        if kind in REASONED:
            why = f"reason-{fields.get('reason')}"
            return fill(
                sentence,
                lambda name: (
                    self.word(why)
                    if name == "reason" and why in self._catalogue.words
                    else self._part(*_find(fields, name))
                ),
            )
        return fill(sentence, lambda name: self._part(*_find(fields, name)))

    def _part(self, name: str, value: JsonValue) -> Markup:
        """Return the value of a field as a sentence says it: prices and rates as people do."""
        match value:
            case None if name in ABSENT:
                return escape(self._catalogue.texts[f"none-{name}"])
            case int() if name.endswith("_e4"):
                return self.number(scaled(value))
            case int() if name.endswith("_ppm"):
                return self.percent(scaled(value))
            case int() if name.endswith("_bps"):
                return self.percent(f"{value // 100}.{value % 100:02d}")
            case list() if name == "rows":
                return self._rows(value)
        return self.value(name, value)

    def _rows(self, rows: Sequence[JsonValue]) -> Markup:
        """Return rates with the days from which they rule, the first of them."""
        told = Markup(", ").join(self._row(row) for row in rows[:RATES_TOLD_MAX])
        if len(rows) <= RATES_TOLD_MAX:
            return told
        more = self._catalogue.text("and-more", count=len(rows) - RATES_TOLD_MAX)
        return Markup("{} {}").format(told, more)

    def _row(self, row: JsonValue) -> Markup:
        assert isinstance(row, dict), "what rows are made of are records"
        return fill(self._catalogue.texts["withheld-row"], lambda name: self._part(name, row[name]))

    def percent(self, rate: str | None) -> Markup:
        """Return a rate in per cent, or a dash where there is none."""
        if rate is None:
            return Markup("–")
        return Markup('<bdi class="number">{}\N{NARROW NO-BREAK SPACE}%</bdi>').format(rate)


def fill(sentence: str, shown: Callable[[str], Markup]) -> Markup:
    """Return the sentence with each name in braces replaced by what is shown for it."""
    return Markup(
        "".join(
            shown(part) if place % 2 else escape(part)
            for place, part in enumerate(_parts(sentence))
        )
    )


@cache
def _parts(sentence: str) -> tuple[str, ...]:
    """Return the text between the names in braces, and the names, in turn; of our own text only."""
    return tuple(re.split(r"\{(\w+)\}", sentence))


def names_in(sentence: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(re.findall(r"\{(\w+)\}", sentence))


def cut(text: str, length: int = TEXT_SHOWN_MAX) -> str:
    """Return the text, or its beginning and an ellipsis where it is longer; steering made visible.

    Control characters, and those that turn the direction of the text after them, are shown as
    escapes: what is read must be what is written.
    """
    return _visible(text if len(text) <= length else f"{text[:length]}…")


def _visible(text: str) -> str:
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def words_found(text: str, wanted: str) -> list[tuple[int, int]]:
    """Return where a text has words that begin with one of those that were looked for."""
    starts = tuple(_folded(each[0]) for each in _WORD.finditer(wanted))
    return [
        each.span()
        for each in _WORD.finditer(text)
        if starts and _folded(each[0]).startswith(starts)
    ]


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()


def _find(fields: Mapping[str, JsonValue], name: str) -> tuple[str, JsonValue]:
    """Return the field of this name, or the one in a field: `terms_type` is `type` of `terms`."""
    if name in fields:
        return name, fields[name]
    outer, _, inner = name.partition("_")
    nested = fields.get(outer)
    return (inner, nested.get(inner)) if isinstance(nested, dict) else (name, None)


def _code(shown: str, title: str | None) -> Markup:
    if title is None or title == shown:
        return Markup(f"<code>{escape(shown)}</code>")
    return Markup(f'<code title="{escape(title)}">{escape(shown)}</code>')
