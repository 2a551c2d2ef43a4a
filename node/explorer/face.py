"""What the templates are given: the text of a language, the values of a page, the way elsewhere."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from node.explorer import plots
from node.explorer.catalogues import LANGUAGES, Catalogue, catalogues, check_names
from node.explorer.charts import bars
from node.explorer.contents import CurvePoint, MinuteLine, Run, ValidatorMinute, WallColumn
from node.explorer.cursors import TRAIL, parse_trail, render_trail
from node.explorer.limits import (
    CURRENCIES_SHOWN_MAX,
    DAYS_SHOWN,
    FIELDS_BYTES_MAX,
    FIELDS_SHOWN_MAX,
    PROPOSED_SHOWN_MAX,
)
from node.explorer.promises import promises
from node.explorer.showing import Showing, cut, fill
from node.explorer.written import NAMED
from node.ledger.units import AMOUNT_MAX
from node.rpc.errors import JsonValue
from node.rpc.indexed import DayTotals
from node.rpc.results import Object
from node.telling import scaled

TEMPLATES: Final = Path(__file__).with_name("templates")
STATIC: Final = Path(__file__).with_name("static")
STATIC_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
MENU: Final = (
    "overview",
    "blocks",
    "assets",
    "securities",
    "participants",
    "licences",
    "proposals",
    "validators",
    "evidence",
    "rules",
    "verify",
)
"""The pages that every page leads to, in order."""


_EPOCH: Final = date(1970, 1, 1)
NO_CEILING: Final = str(AMOUNT_MAX // 2)
"""In minor units, of what is bounded by the lines it comes from: `ledger/stripping/registering`."""
TERM_WORDS: Final = ("form", "method", "noncompetitive_price", "oversubscription", "reallotment")
"""Terms of an auction that the catalogues have words for, by name and value."""
TERM_AMOUNTS: Final = (
    "target",
    "multiple",
    "noncompetitive_least",
    "noncompetitive_most",
    "prorata_step",
    "filled_whole",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """A file that pages refer to."""

    content: bytes
    content_type: str
    version: str
    """The beginning of its hash: a reference with it may be kept for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLanguage:
    """The same page in a language."""

    language: str
    direction: str
    own_name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing with its title."""

    title: str
    highest: str
    drawing: Markup
    values: str
    """The figures themselves, for a script that draws them so that one can point at each."""
    first_s: int
    """When the first of them begins, in seconds since 1970-01-01 UTC."""
    step_s: int
    is_bad: bool = False
    """None of it is wished for."""


@cache
def static_files() -> Mapping[str, StaticFile]:
    """Return what is served under `static/`, by name, read once."""
    return {
        path.name: StaticFile(
            content=(content := path.read_bytes()),
            content_type=STATIC_TYPES[path.suffix],
            version=hashlib.sha256(content).hexdigest()[:16],
        )
        for path in sorted(STATIC.iterdir())
        if path.suffix in STATIC_TYPES
    }


@cache
def templates() -> Mapping[str, Template]:
    """Return the templates by name, compiled once: no page reads a file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    return {name: environment.get_template(name) for name in environment.list_templates()}


def root_of(language: str) -> str:
    """Return what the paths of a language begin with."""
    return "" if language == LANGUAGES[0] else f"/{language}"


class Face(Showing):
    """One page as a template sees it: values, texts and links in one language."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        path: Sequence[str],
        query: Mapping[str, str],
        node: str,
        height: int,
        ready: bool,
        network_note: str | None,
        ledger_ms: int = 0,
        has_desk: bool = False,
        decimals_of: Callable[[str], int | None] = lambda _: None,
        sold_by: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Make it.

        Args:
            path: the parts of the page's own path, without the language.
            query: what the page was asked with, as far as it means something.
            network_note: the key of a text about the network as a whole, or None.
            ledger_ms: the time of the last block; no clock that ages are told by is behind it.
            has_desk: the menu leads to the page of a development network too.
        """
        root = root_of(catalogue.language)
        super().__init__(catalogue, root, decimals_of=decimals_of, sold_by=sold_by)
        self._here = tuple(path)
        self._query = dict(query)
        self.language = catalogue.language
        self.direction = catalogue.direction
        self.texts = catalogue.texts
        self.t = catalogue.text
        self.node = node
        self.currencies_max = CURRENCIES_SHOWN_MAX
        self.height = height
        self.ready = ready
        self.network_note = network_note
        self.ledger_ms = ledger_ms
        self._has_desk = has_desk

    @property
    def languages(self) -> Iterator[OtherLanguage]:
        """Yield this page in each language."""
        asked = f"?{urlencode(self._query)}" if self._query else ""
        for language, catalogue in catalogues().items():
            there = Showing(catalogue, root_of(language))
            yield OtherLanguage(
                language=language,
                direction=catalogue.direction,
                own_name=catalogue.own_name,
                href=there.path(*self._here) + asked,
            )

    @property
    def menu(self) -> Iterator[tuple[str, str]]:
        """Yield name and path of the pages that every page leads to."""
        for name in (*MENU, *(("development",) if self._has_desk else ())):
            yield name, self.path() if name == "overview" else self.path(name)

    @property
    def json_href(self) -> str:
        """The path of this page as JSON."""
        query = {name: value for name, value in self._query.items() if name != TRAIL}
        asked = f"?{urlencode(query)}" if query else ""
        return self.path(*(self._here or ("index",))) + ".json" + asked

    def here(self, **query: object) -> str:
        """Return the path of this page, asked with something."""
        return self.path(*self._here) + (f"?{urlencode(query)}" if query else "")

    # Pages of a list, of those that this page may have the one with this cursor.

    def first(self) -> str:
        """Return the path of the first page."""
        return self.here(**self._wanted)

    def following(self, cursor: str, value: str | int) -> str:
        """Return the path of the next page, which begins where the list says."""
        trail = [""]
        if cursor in self._query:
            trail = [*(self._trail or ()), self._query[cursor]]
        query = {**self._wanted, cursor: value, TRAIL: render_trail(trail)}
        return self.here(**query)

    def preceding(self, cursor: str) -> str | None:
        """Return the path of the page before this one; None: this is the first, or who came here
        came by no page of the list."""
        if cursor not in self._query or self._trail is None:
            return None
        *trail, before = self._trail
        if not before:
            return self.first()
        way = {TRAIL: render_trail(trail)} if trail else {}
        return self.here(**self._wanted, **{cursor: before}, **way)

    @property
    def _wanted(self) -> Mapping[str, str]:
        """What is looked for, on every page of what was found."""
        return {name: value for name, value in self._query.items() if name == "q"}

    @property
    def _trail(self) -> list[str] | None:
        return parse_trail(self._query.get(TRAIL))

    def static(self, name: str) -> str:
        """Return the path of a file, with its version."""
        return f"/static/{name}?v={static_files()[name].version}"

    def fill(self, key: str, **shown: Markup) -> Markup:
        """Return a text with markup in the place of its names."""
        return fill(self.texts[key], shown.__getitem__)

    def label(self, kind: str, name: str) -> str:
        """Return what a parameter or an act of the rules is called; of a later release its name."""
        return self.texts.get(f"{kind}-{name}", name)

    def written(self, field: str) -> str:
        """Return what a field that holds text is called."""
        return self.texts[NAMED[field]]

    def fields(self, fields: Object, *, words: bool = False) -> Iterator[tuple[str, Markup]]:
        """Yield the fields of a record with their values, nested ones by a path of names.

        Where they are long, the first of them, and a word that the JSON has the rest.

        Args:
            words: name them in the page's language instead of as the ledger does.
        """
        size_bytes = 0
        for name, value in list(_flat(fields, ""))[:FIELDS_SHOWN_MAX]:
            shown = self.value(name.rpartition(".")[2], value)
            size_bytes += len(shown.encode())
            if size_bytes > FIELDS_BYTES_MAX:
                yield "…", escape(self.t("more-cut"))
                return
            yield (self._catalogue.word(name) if words else cut(name)), shown

    def proposed(self, operation: Object) -> Iterator[Markup]:
        """Yield what is proposed with an operation, if it proposes something: the first of it."""
        nested = operation.get("operations")
        if operation.get("type") == "propose" and isinstance(nested, list):
            for each in nested[:PROPOSED_SHOWN_MAX]:
                if isinstance(each, dict):
                    yield self.operation(each)
            if len(nested) > PROPOSED_SHOWN_MAX:
                yield escape(self.t("and-more", count=len(nested) - PROPOSED_SHOWN_MAX))

    def ceiling(self, amount: str) -> Markup:
        """Return a ceiling; strips of coupons have the one that says there is none."""
        bounded = amount.replace(".", "") != NO_CEILING
        return self.number(amount) if bounded else escape(self.t("none"))

    def share(self, part: str, whole: str) -> int:
        """Return how many percent one amount is of another, rounded down; 0 of nothing."""
        numbers = [int(each.replace(".", "")) for each in (part, whole)]
        return numbers[0] * 100 // numbers[1] if numbers[1] else 0

    # The past.

    def change(self, amount: str) -> Markup:
        """Return by how much something grew or shrank, with its sign."""
        sign = "\N{MINUS SIGN}" if amount.startswith("-") else "+"
        return Markup('<bdi class="number">{}{}</bdi>').format(
            sign, self.number(amount.removeprefix("-"))
        )

    def movements(self, days: Sequence[DayTotals], time: str) -> Chart:
        """Return the chart of how often an asset moved on each of the last days.

        Args:
            time: of the last block, whose day is the last.
        """
        last = date.fromisoformat(time[:10])
        counts = {each.day: sum(total.count for total in each.totals) for each in days}
        values = [
            counts.get((last - timedelta(days=DAYS_SHOWN - 1 - place)).isoformat(), 0)
            for place in range(DAYS_SHOWN)
        ]
        highest = max(values)
        title = self.t("chart-movements")
        label = self.t(
            "chart-days-label",
            what=title,
            days=DAYS_SHOWN,
            highest=f"{highest:,}",
            last=f"{values[-1]:,}",
        )
        drawing = bars(values, kind="transactions", label=label, highest=max(1, highest))
        return Chart(
            title=title,
            highest=f"{highest:,}",
            drawing=drawing,
            values=_joined(values),
            first_s=(last - timedelta(days=DAYS_SHOWN - 1) - _EPOCH).days * 86_400,
            step_s=86_400,
        )

    # The page of a development network.

    def run(self, run: Run) -> str:
        """Return what was begun, in words."""
        match run.act:
            case "faucet":
                return self.t("run-faucet", amount=run.wanted)
            case "travel":
                return self.t("run-travel", day=run.wanted)
            case _:
                return self.t(f"step-{run.play}-{run.step}")

    def check(self, name: str) -> Markup:
        """Return what a check of a demonstration is called; in English where there is no other."""
        for pattern, text in check_names(self.language):
            found = pattern.fullmatch(name)
            if found is not None:
                changing = {key: self.text(part) for key, part in found.groupdict().items()}
                return fill(text, changing.__getitem__)
        return Markup('<bdi lang="en">{}</bdi>').format(cut(name))

    def tomorrow(self, day: str) -> str:
        """Return the day after one."""
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()

    # The debt.

    def rounded(self, amount: str) -> Markup:
        """Return an amount as a headline says it."""
        shown = plots.rounded(self._catalogue, amount)
        return Markup('<bdi title="{}">{}</bdi>').format(amount, shown)

    def nonzero(self, amount: str) -> Markup:
        """Return an amount, or a dash where it is nothing."""
        return self.number(amount) if self.some(amount) else Markup("–")

    def figure(self, text: str) -> Markup:
        """Return a figure, or why there is none."""
        return self.number(text) if text.replace(".", "").isdigit() else self.text(text)

    def some(self, amount: str) -> bool:
        """Return whether an amount is more than nothing."""
        return any(digit in "123456789" for digit in amount)

    def tenor(self, months: int) -> str:
        """Return a tenor in words."""
        return plots.tenor(self._catalogue, months)

    def walls(self, columns: Sequence[WallColumn]) -> Iterator[plots.Plot]:
        """Yield the walls of maturities, one for each currency."""
        return plots.walls(self._catalogue, columns)

    def curve(self, points: Sequence[CurvePoint]) -> plots.Plot:
        """Return the drawing of the yield curve."""
        return plots.curve(self._catalogue, points)

    def promised(self, terms: Object) -> Iterator[tuple[str, Markup]]:
        """Yield the terms of an asset, named and written as people do."""
        return promises(self, self._catalogue, terms)

    def terms(self, terms: Object) -> Iterator[tuple[str, Markup]]:
        """Yield what was announced of an auction, named and written as people do."""
        for path, value in _flat(terms, ""):
            # Of a later release than the catalogue: as the ledger names it.
            label = self.texts.get(f"term-{path.replace('.', '-')}", cut(path))
            yield label, self._term(path.rpartition(".")[2], value)

    def _term(self, name: str, value: JsonValue) -> Markup:
        """Return a term; units that its name says are written with it."""
        match value:
            case str() if name in TERM_WORDS:
                return self.word(f"{name}-{value}")
            case list() if value:
                return Markup(", ").join(self.word(str(each)) for each in value)
            case int() if name.endswith("_bps"):
                return self.percent(f"{value // 100}.{value % 100:02d}")
            case int() if name.endswith("_e4"):
                return self.number(scaled(value))
            case str() if name in TERM_AMOUNTS:
                return self.number(value)
        return self.value("asset" if name == "cash" else name, value)

    def steps(self, rows: Sequence[tuple[str, str]], cut_off: str | None) -> plots.Plot:
        """Return the drawing of an auction's ladder."""
        return plots.demand(self._catalogue, rows, cut_off)

    def charts(self, hour: Sequence[MinuteLine]) -> Iterator[Chart]:
        """Yield the charts of the last hour."""
        return self._bars(
            hour[0].time,
            {
                "transactions": [minute.transactions for minute in hour],
                "refused": [minute.refused for minute in hour],
                "finality": [minute.finality_ms for minute in hour],
                "blocks": [minute.blocks for minute in hour],
                "votes": [minute.votes for minute in hour],
                "missed": [minute.missed for minute in hour],
            },
        )

    def validator_charts(self, hour: Sequence[ValidatorMinute]) -> Iterator[Chart]:
        """Yield the charts of a validator's last hour."""
        return self._bars(
            hour[0].time,
            {
                "signed": [minute.signed for minute in hour],
                "missed": [minute.missed for minute in hour],
            },
        )

    def _bars(self, first: str, series: Mapping[str, Sequence[int | None]]) -> Iterator[Chart]:
        first_s = int(datetime.fromisoformat(first).timestamp())
        for kind, values in series.items():
            highest = max(value or 0 for value in values)
            title = self.t(f"chart-{kind}")
            label = self.t(
                "chart-label", what=title, highest=f"{highest:,}", last=f"{values[-1] or 0:,}"
            )
            drawing = bars(values, kind=kind, label=label, highest=max(1, highest))
            yield Chart(
                title=title,
                highest=f"{highest:,}",
                drawing=drawing,
                values=_joined(values),
                first_s=first_s,
                step_s=60,
                is_bad=kind in {"missed", "refused"},
            )


def _joined(values: Sequence[int | None]) -> str:
    return ",".join("" if value is None else str(value) for value in values)


def _flat(fields: Mapping[str, JsonValue], before: str) -> Iterator[tuple[str, JsonValue]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
