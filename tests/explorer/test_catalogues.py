"""Every text of the pages is there in every language, and every act and outcome has a sentence."""

import ast
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from markupsafe import Markup

from node.cli import demo
from node.cli.devnet.desk import PLAYS
from node.codec import Record
from node.explorer.catalogues import FOLDER, LANGUAGES, Catalogue, catalogues
from node.explorer.face import MENU, TEMPLATES, TERM_WORDS
from node.explorer.limits import RATES_TOLD_MAX
from node.explorer.promises import LISTED, LISTED_MAX, TOLD_ABOVE, UNSAID, promises
from node.explorer.proposals import CLOSED, ENDS, OPEN
from node.explorer.proving import REASONS
from node.explorer.showing import ABSENT, REASONED, Showing, names_in
from node.explorer.written import NAMED
from node.ledger.auctions import AuctionTerms
from node.ledger.auctions.records import AuctionStage, RowState
from node.ledger.auctions.terms import Destination, Form
from node.ledger.catalogue import ACTS
from node.ledger.dates.calendars import Roll
from node.ledger.dates.schedules import Order, Stub
from node.ledger.events import Event
from node.ledger.outcomes import PHRASES, Outcome
from node.ledger.parameters import LIMITS
from node.ledger.phrases import VOCABULARY, Meaning, Phrase
from node.ledger.powers import REFERENCE_OFFICES
from node.ledger.securities import PaymentStatus
from node.ledger.servicing.fixer import NONE_YET, STALE, TOO_YOUNG
from node.ledger.servicing.records import UNFIXED, UNPAID
from node.ledger.tables import (
    AccountStatus,
    Activity,
    LicencePhase,
    ParticipantKind,
    ParticipantStatus,
)
from node.ledger.terms import (
    AssetKind,
    BillTerms,
    BondTerms,
    CallRight,
    FloatingRate,
    PaymentPlan,
    ServicedBillTerms,
    StripTerms,
    SukukTerms,
)
from node.recomputing import FIGURES
from node.rpc.errors import JsonValue
from node.rpc.rendering import snake
from node.rpc.results import Object
from node.telling import AMOUNTS, DAYS, PRICES, RATES, TIMES, TOLD
from tests.explorer.marking import marked_operations

ENGLISH = catalogues()["en"]
OTHERS = [catalogues()[language] for language in LANGUAGES[1:]]
THINGS = (
    "account",
    "asset",
    "auction",
    "block",
    "participant",
    "proposal",
    "pruned",
    "security",
    "transaction",
    "validator",
)
"""What a page may say is not there."""
TERMS = (BillTerms, BondTerms, SukukTerms, ServicedBillTerms, StripTerms)
PROMISED = {
    name
    for record in (*TERMS, PaymentPlan, FloatingRate, CallRight)
    for name in get_type_hints(record)
} - {"plan", "floating", "call", *TOLD_ABOVE}
"""What an asset may promise."""
ENUMERATIONS: Mapping[str, type[Enum]] = {"roll": Roll, "order": Order, "stub": Stub}
REASONS_OF_EVENTS = (
    *("ministry", "no-bids", "not-decided"),
    *(NONE_YET, STALE, TOO_YOUNG, UNPAID, UNFIXED),
)
"""What the events of `REASONED` say."""
PLACE = "node/explorer/catalogues"


def field_names(kind: type) -> set[str]:
    """The names by which a sentence can mention the fields of a record."""
    hints = get_type_hints(kind)
    names = {name.removesuffix("_ms") for name in hints}
    return {
        *names,
        *(f"{name}_type" for name in names),
        *(
            f"{name}_{inner.removesuffix('_ms')}"
            for name, hint in hints.items()
            if isinstance(hint, type) and issubclass(hint, Record)
            for inner in get_type_hints(hint)
        ),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_has_a_sentence(language: str) -> None:
    sentences = catalogues()[language].operations
    missing = [act.name for act in ACTS if act.name not in sentences]

    assert not missing, "\n".join(
        f"add to [operations] in {PLACE}/{language}.toml, what the operation asks for in a"
        f' sentence, its fields in braces:\n{name} = "{{account}} ... {{{"}, {".join(fields)}}}."'
        for name in missing
        for act in ACTS
        if act.name == name
        for fields in [sorted(field_names(act.operation) - {"account", "approvers"})]
    )
    assert set(sentences) <= {act.name for act in ACTS}, "a sentence of no operation"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_names_fields_that_its_operation_has(language: str) -> None:
    for act in ACTS:
        named = names_in(catalogues()[language].operations[act.name])
        assert named <= field_names(act.operation), act.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_a_sentence(language: str) -> None:
    kinds = {snake(kind.__name__): kind for kind in get_args(Event)}
    missing = sorted(kinds.keys() - catalogues()[language].events.keys())

    assert not missing, "\n".join(
        f"add to [events] in {PLACE}/{language}.toml, what happened in a sentence, its fields in"
        f' braces:\n{name} = "... {{{"}, {".join(sorted(field_names(kinds[name])))}}}."'
        for name in missing
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_names_fields_that_its_event_has(language: str) -> None:
    kinds = {snake(kind.__name__): kind for kind in get_args(Event)}
    for name, sentence in catalogues()[language].events.items():
        assert name in kinds, f"a sentence of no event: {name}"
        assert names_in(sentence) <= field_names(kinds[name]), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_that_the_ledger_knows_are_told_in_words(language: str) -> None:
    catalogue = catalogues()[language]
    for kind in REASONED:
        for reason in (*REASONS_OF_EVENTS, "of-a-later-release"):
            told = Showing(catalogue, "").event({"type": kind, "reason": reason})
            assert catalogue.words.get(f"reason-{reason}", reason) in told


@pytest.mark.parametrize("catalogue", OTHERS, ids=LANGUAGES[1:])
def test_every_outcome_has_a_sentence(catalogue: Catalogue) -> None:
    missing = [each for each in Outcome if each.name not in catalogue.outcomes]

    assert not missing, "\n".join(
        f"add to [outcomes] in {PLACE}/{catalogue.language}.toml the translation, with the same"
        f' words in braces, of:\n{each.name} = "{each.sentence}"'
        for each in missing
    )
    assert set(catalogue.outcomes) == {each.name for each in Outcome}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_read_otherwise_has_a_sentence_of_the_same_details(language: str) -> None:
    catalogue = catalogues()[language]

    assert catalogue.people.keys() == TOLD
    for name, sentence in catalogue.people.items():
        details = names_in(Outcome[name].sentence)
        assert names_in(sentence) == details, name
        for figures in (AMOUNTS, DAYS, TIMES, PRICES, RATES):
            assert figures.get(name, frozenset()) <= details, name
    minor = re.compile(r"minor units|1970| ms\b|0\.0001|millionth")
    assert not minor.search(" ".join(ENGLISH.people.values()))


@pytest.mark.parametrize("catalogue", OTHERS, ids=LANGUAGES[1:])
def test_an_outcome_names_the_same_details_in_every_language(catalogue: Catalogue) -> None:
    for outcome in Outcome:
        named = names_in(catalogue.outcomes[outcome.name])
        assert named == names_in(outcome.sentence), outcome.name


@pytest.mark.parametrize("catalogue", OTHERS, ids=LANGUAGES[1:])
def test_every_reason_has_a_sentence_with_the_same_places(catalogue: Catalogue) -> None:
    missing = VOCABULARY.keys() - catalogue.reasons.keys()

    assert not missing, "\n".join(
        f"add to {PLACE}/{catalogue.language}-reasons.toml the translation, with the same words in"
        f' braces, of:\n{name} = "{VOCABULARY[name].plain}"'
        for name in sorted(missing)
    )
    assert catalogue.reasons.keys() == VOCABULARY.keys(), "a sentence of no phrase"
    for name, phrase in VOCABULARY.items():
        assert names_in(catalogue.reasons[name]) == phrase.places.keys(), name
        assert catalogue.reasons[name].strip(), name


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phrase", VOCABULARY.values(), ids=VOCABULARY)
def test_no_reason_on_a_page_is_in_the_ledgers_english(language: str, phrase: Phrase) -> None:
    samples: dict[Meaning, int | str] = {
        Meaning.ASSET: "PKR",
        Meaning.PARTICIPANT: "bank-a",
        Meaning.KIND: "bond",
        Meaning.FIELD: "opens",
        Meaning.CODE: "ACT/365F",
        Meaning.WORDS: "bill, bond",
        Meaning.TEXT: "a {name} <b>",
    }
    reason = phrase.of(
        **{name: samples.get(kind.meaning, 20_000) for name, kind in phrase.places.items()}
    )
    showing = Showing(catalogues()[language], "", decimals_of={"PKR": 2}.get)
    outcome = next(each for each, subjects in PHRASES.items() if type(phrase) in subjects)

    html = showing.outcome(outcome.name, {"asset": "PKR", "reason": str(reason)}, "")

    assert 'lang="en"' not in html
    assert "{" not in html.replace("a {name}", "")
    assert "<b>" not in html
    amounts = [kind for kind in phrase.places.values() if kind.meaning is Meaning.AMOUNT]
    assert html.count("200.00") == len(amounts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_of_a_later_release_is_shown_as_the_ledger_says_it(language: str) -> None:
    showing = Showing(catalogues()[language], "")

    html = showing.outcome("TERMS_NOT_VALID", {"reason": "it is <b>of a later release</b>"}, "")

    assert '<bdi lang="en">it is &lt;b&gt;of a later release&lt;/b&gt;</bdi>' in html


@pytest.mark.parametrize("catalogue", OTHERS, ids=LANGUAGES[1:])
@pytest.mark.parametrize("table", ["texts", "words", "operations", "events"])
def test_catalogues_have_the_same_keys_and_name_the_same(catalogue: Catalogue, table: str) -> None:
    ours, theirs = getattr(ENGLISH, table), getattr(catalogue, table)

    differing = sorted(ours.keys() ^ theirs.keys())
    assert not differing, (
        f"[{table}] of {PLACE}/en.toml and {catalogue.language}.toml differ in {differing}: every"
        " key stands in both"
    )
    for key, text in ours.items():
        assert names_in(theirs[key]) == names_in(text), key
        assert theirs[key].strip(), key


def test_the_ledgers_enumerations_have_words() -> None:
    kinds = (AccountStatus, Activity, LicencePhase, ParticipantKind, ParticipantStatus, AssetKind)
    prefixed = (
        ("payment", PaymentStatus),
        ("stage", AuctionStage),
        ("row", RowState),
        *((name, get_type_hints(AuctionTerms)[name]) for name in TERM_WORDS),
    )
    values = {
        each.value if isinstance(each.value, str) else each.name.lower()
        for kind in kinds
        for each in kind
    }

    values |= {f"{prefix}-{each.name.lower()}" for prefix, kind in prefixed for each in kind}
    values |= {f"reason-{reason}" for reason in REASONS_OF_EVENTS}
    missing = (values | set(REFERENCE_OFFICES)) - ENGLISH.words.keys()

    assert not missing, f"add to [words] in every file of {PLACE}: {sorted(missing)}"


@pytest.mark.parametrize("catalogue", [ENGLISH, *OTHERS], ids=LANGUAGES)
def test_terms_of_an_asset_are_told_in_words(catalogue: Catalogue) -> None:
    plan: Object = {
        "issue_day": "2026-12-01",
        "months": 6,
        "rates": [
            {"from_day": "2026-12-01", "rate_ppm": 115_000},
            {"from_day": "2027-12-01", "rate_ppm": 120_000},
        ],
        "floating": {"reference": "mtb-6m", "margin_ppm": -5_000, "cap_ppm": 1_000_000},
        "call": {
            "windows": [{"from_day": "2027-06-01", "to_day": "2027-06-02", "price_e4": 1_012_500}],
            "notice_days": 30,
            "in_part": True,
        },
        "instalments": [{"payment": 3, "share_ppm": 250_000}],
        "roll": Roll.MODIFIED_FOLLOWING.value,
        "order": Order.CALCULATE_THEN_SHIFT.value,
        "stub": Stub.NONE.value,
        "end_of_month": False,
        "face_unit": 100,
        "later": 7,
    }
    terms: Object = {
        "face_currency": "PKR",
        "plan": plan,
        "pool": [{"name": "M-2 <b>", "document_hash": "5e" * 32}],
    }

    told = dict(promises(Showing(catalogue, ""), catalogue, terms))
    said = {label: Markup(value).striptags() for label, value in told.items()}

    texts = catalogue.texts
    assert said.pop("later") == "7"
    assert said.keys() == {
        texts[f"promised-{name}"]
        for name in (
            *("face_currency", "issue_day", "months", "rates", "reference", "margin_ppm"),
            *("windows", "notice_days", "in_part", "instalments", "roll", "order", "pool"),
        )
    }
    rates = said[texts["promised-rates"]]
    assert rates.index("11.5000") < rates.index("12.0000")
    assert "-0.5000" in said[texts["promised-margin_ppm"]]
    assert "101.2500" in said[texts["promised-windows"]]
    assert "25.0000" in said[texts["promised-instalments"]]
    assert said[texts["promised-roll"]] == catalogue.words["roll-modified-following"]
    assert "<b>" not in told[texts["promised-pool"]]
    assert not any(mark in each for each in said.values() for mark in "{}[]_")


def test_what_is_withheld_is_told_with_its_first_rates() -> None:
    rows: list[JsonValue] = [
        {"from_day": f"20{year}-07-01", "rate_bps": year * 100 + 50, "source": "x"}
        for year in range(27, 27 + RATES_TOLD_MAX + 2)
    ]
    fields: Object = {
        "type": "set_withholding",
        "account": "a",
        "taxpayer": "person-inactive",
        "kind": "bond",
        "collector": "c",
        "rows": rows,
    }

    told = Showing(ENGLISH, "").operation(fields).striptags()

    assert "27.50 % from 2027-07-01 on, 28.50 % from" in told
    assert told.count("-07-01 on") == RATES_TOLD_MAX
    assert "on (and 2 more)" in told
    assert "from a person, inactive as a taxpayer on a bond" in told


def test_long_lists_in_terms_are_told_in_part() -> None:
    pool: Object = {
        "pool": [{"name": f"road {number}", "document_hash": "5e" * 32} for number in range(100)]
    }

    ((_, told),) = promises(Showing(ENGLISH, ""), ENGLISH, pool)

    assert told.count("road ") == LISTED_MAX
    assert ENGLISH.texts["more-cut"] in told


def test_what_terms_may_say_has_words() -> None:
    words = {f"{name}-{each.value}" for name, kind in ENUMERATIONS.items() for each in kind}

    assert words - {f"{name}-{value}" for name, value in UNSAID.items()} <= ENGLISH.words.keys()


def test_every_field_in_which_a_word_is_found_has_a_name() -> None:
    fields = {
        name
        for operation in marked_operations()
        for name, values in fields_of(operation)
        if any(isinstance(each, str) and not isinstance(each, Enum) for each in values)
    }

    assert fields | {"memo"} == NAMED.keys()


def fields_of(record: Record) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the fields of a record, and of those in it, each as what it holds."""
    for name in get_type_hints(type(record)):
        value = getattr(record, name)
        values = value if isinstance(value, tuple) else (value,)
        yield name, values
        for each in values:
            if isinstance(each, Record):
                yield from fields_of(each)


def test_every_text_is_used_and_every_text_used_is_there() -> None:
    sources = [*TEMPLATES.glob("*.html"), *TEMPLATES.parent.glob("*.py")]
    whole = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"ui\.(?:t|fill)\(['\"]([a-z-]+)['\"][,)]", whole))
    built = {
        *(f"nav-{name}" for name in MENU),
        *(
            f"chart-{kind}"
            for kind in (
                "transactions",
                "refused",
                "finality",
                "blocks",
                "votes",
                "missed",
                "signed",
            )
        ),
        *(f"status-{status}" for status in ("final", "pending", "unknown")),
        *(f"licence-{state}" for state in ("active", "expired", "revoked")),
        *(f"class-{kind}" for kind in ("transfer", "office", "administer")),
        *(
            f"match-{kind}"
            for kind in (
                "blocks",
                "transactions",
                "accounts",
                "assets",
                "participants",
                "proposals",
            )
        ),
        *(f"proposal-{state}" for state in (OPEN, CLOSED, *ENDS.values())),
        *(f"act-{act.name}" for act in ACTS),
        *(f"parameter-{name}" for name in LIMITS),
        *(f"verify-{reason}" for reason in REASONS),
        *(f"figure-{name}" for name in FIGURES),
        *(
            f"{part}-{form.name.lower()}"
            for part in ("bid", "cut-off", "cut-off-note", "average")
            for form in Form
        ),
        *(f"amount-{name}" for name in ("million", "billion", "trillion")),
        *(
            f"refusal-{status}"
            for status in (400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 500, 503)
        ),
        *(f"turned-away-{status}" for status in (401, 403, 429)),
        *(f"none-{name}" for name in ABSENT),
        *(f"missing-{name}" for name in THINGS),
        *(f"term-{name.removesuffix('_ms')}" for name in get_type_hints(AuctionTerms)),
        "term-now",  # among the moments of an auction that a reason names
        *(f"term-destination-{name}" for name in get_type_hints(Destination)),
        *(f"begun-{by}" for by in ("genesis", "offices", "amendment")),
        *(f"ended-{by}" for by in ("offices", "amendment")),
        *(f"run-{state}" for state in ("running", "done", "failed")),
        *(f"step-{state}" for state in ("done", "later")),
        *(f"play-{play.name}{end}" for play in PLAYS for end in ("", "-note")),
        *(f"step-{play.name}-{step.name}" for play in PLAYS for step in play.steps),
        *NAMED.values(),
        *(f"promised-{name}" for name in PROMISED),
        *LISTED.values(),
        "nav-development",
    }
    quoted = set(re.findall(r"[\"']([a-z0-9-]+)[\"']", whole))

    assert asked | built <= ENGLISH.texts.keys()
    assert ENGLISH.texts.keys() <= built | quoted, "texts that nothing shows"


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_check_of_the_demonstrations_has_a_name(language: str) -> None:
    catalogue = catalogues()[language]
    shapes = sorted(set(check_shapes()))
    assert len(shapes) > 30

    for shape in shapes:
        pattern = re.compile(re.sub(r"\\{\w*\\}", ".+", re.escape(shape)))
        assert any(map(pattern.fullmatch, catalogue.checks)), (
            f"add to [checks] in {PLACE}/{language}.toml what this is called: {shape}"
        )
    for english, name in catalogue.checks.items():
        assert names_in(name) == names_in(english), english
        assert any(
            re.fullmatch(re.sub(r"\\{\w*\\}", ".+", re.escape(shape)), english) for shape in shapes
        ), f"no demonstration checks that {english}"


def check_shapes() -> Iterator[str]:
    """Yield the names of checks as the demonstrations write them, what changes as `{}`."""
    for path in Path(demo.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if call.func.attr == "check" and ast.unparse(call.func.value).endswith("narrator"):
                match call.args[0]:
                    case ast.Constant(value=str(name)):
                        yield name
                    case ast.JoinedStr(values=parts):
                        yield "".join(
                            str(part.value) if isinstance(part, ast.Constant) else "{}"
                            for part in parts
                        )
                    case other:
                        pytest.fail(f"{path}: no name is read from {ast.unparse(other)}")


def test_catalogues_are_text_that_a_page_can_show() -> None:
    for path in FOLDER.glob("*.toml"):
        assert "<" not in path.read_text(encoding="utf-8"), f"{path}: texts are not markup"
