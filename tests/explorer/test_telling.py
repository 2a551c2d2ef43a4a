"""Refusals in the figures of people, and the ledger's own where those cannot be known."""

from collections.abc import Mapping

import pytest

from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.showing import Showing
from node.rpc.errors import JsonValue
from node.telling import told
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import stage
from tests.explorer.test_pages import ROOTS

SHORT: Mapping[str, JsonValue] = {"account": "a", "asset": "PKR", "held": 0, "expected": 2**60}


def decimals_of(asset: str) -> int | None:
    return {"PKR": 2, "GOLD": 0}.get(asset)


@pytest.mark.parametrize(
    ("name", "details", "expected"),
    [
        (
            "HOLDING_INSUFFICIENT",
            {"asset": "PKR", "found": 1_012_550, "held": 0, "expected": str(2**60)},
            {"found": "10125.50", "held": "0.00", "expected": "11529215046068469.76"},
        ),
        (
            "CEILING_EXCEEDED",
            {"asset": "GOLD", "found": 12, "expected": 10},
            {"found": "12", "expected": "10"},
        ),
        (
            "NOT_DUE",
            {"asset": "PKR", "found": 0, "expected": 20_597},
            {"found": "1970-01-01", "expected": "2026-05-24"},
        ),
        (
            "EXPIRED",
            {"found": 1_600_000_000_000, "expected": 1_600_000_001_000},
            {"found": "2020-09-13T12:26:40.000Z", "expected": "2020-09-13T12:26:41.000Z"},
        ),
        (
            "BID_OUT_OF_RANGE",
            {"auction": "m", "found": -2_500, "lowest": -1, "highest": "1000000"},
            {"found": "-0.2500", "lowest": "-0.0001", "highest": "100.0000"},
        ),
        (
            "RATE_ALREADY_FIXED",
            {"asset": "PKR", "found": 115_000},
            {"found": "11.5000"},
        ),
        (
            "FACE_NOT_A_MULTIPLE",
            {"auction": "of-rupees", "found": 150, "expected": 100},
            {"found": "1.50", "expected": "1.00"},
        ),
        ("FACE_NOT_A_MULTIPLE", {"auction": "of-nothing", "found": 150, "expected": 100}, None),
        ("EXPIRED", {"found": 2**60, "expected": 1}, None),
        ("BID_OUT_OF_RANGE", {"found": "--1", "lowest": 1, "highest": 2}, None),
        ("CEILING_EXCEEDED", {"asset": "NONE", "found": 12, "expected": 10}, None),
        ("CEILING_EXCEEDED", {"asset": "PKR", "found": "12.5", "expected": 10}, None),
        ("CEILING_EXCEEDED", {"asset": "PKR", "expected": 10}, None),
        ("CEILING_EXCEEDED", {}, None),
        ("NOT_DUE", {"found": -1, "expected": 2**62}, None),
        ("SELF_TRANSFER", {"account": "a"}, None),
        ("OF_A_LATER_RELEASE", {"found": 1}, None),
    ],
)
def test_figures_are_told_where_they_are_known(
    name: str, details: Mapping[str, JsonValue], expected: Mapping[str, str] | None
) -> None:
    found = told(name, details, decimals_of, {"of-rupees": "PKR"}.get)

    texts = None if found is None else {key: figure.text for key, figure in found.items()}
    assert texts == expected


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"type": "reveal_bid", "price_e4": 964_137}, "96.4137"),
        ({"type": "enter_bid", "price_e4": None}, "none-price_e4"),
        ({"type": "decide_auction", "cut_off_e4": -2_500}, "-0.2500"),
        ({"type": "decide_auction", "cut_off_e4": None}, "none-cut_off_e4"),
        ({"type": "fix_rate", "reference_ppm": 115_000}, "11.5000"),
        ({"type": "call_security", "share_ppm": None}, "none-share_ppm"),
        ({"type": "set_parameter", "parameter": "validators-min"}, "parameter-validators-min"),
        ({"type": "set_parameter", "parameter": "of-later"}, "of-later"),
        ({"type": "set_powers", "operation": "issue"}, "act-issue"),
        ({"type": "announce_auction", "terms": {"target": "300000.00"}}, "300,000.00"),
    ],
)
def test_an_operation_is_told_in_the_figures_and_words_of_people(
    operation: Mapping[str, JsonValue], expected: str
) -> None:
    for language in LANGUAGES:
        catalogue = catalogues()[language]

        sentence = Showing(catalogue, "").operation(operation).striptags()

        assert catalogue.texts.get(expected, expected) in sentence


def test_an_outcome_of_which_only_the_name_is_known_is_told_by_its_sentence() -> None:
    for language in LANGUAGES:
        catalogue = catalogues()[language]
        event: Mapping[str, JsonValue] = {
            "type": "proposal_refused",
            "proposal": "f" * 64,
            "outcome": "PARAMETER_UNKNOWN",
        }

        sentence = Showing(catalogue, "").event(event).striptags()

        assert catalogue.outcomes["PARAMETER_UNKNOWN"].replace("{parameter}", "…") in sentence
        assert "(PARAMETER_UNKNOWN)" in sentence
        later = Showing(catalogue, "").event({**event, "outcome": "OF_LATER"})
        assert "OF_LATER" in later


def test_what_cannot_be_told_is_told_as_the_ledger_does() -> None:
    for language in LANGUAGES:
        showing = Showing(catalogues()[language], "", decimals_of=decimals_of)
        details: Mapping[str, JsonValue] = {
            "asset": "NONE",
            "found": 1_012_550,
            "held": 0,
            "expected": 2,
            "account": "a",
        }

        html = showing.outcome("HOLDING_INSUFFICIENT", details, "in English")

        assert "1,012,550" in html


async def test_a_refusal_has_the_figures_of_the_operation_beside_it() -> None:
    async with stage() as shown:
        for root in ROOTS.values():
            page = Parsed((await shown.get(f"{root}/transactions/{shown.refused}"))[1])

            assert page.text.count("10,000,000,000.00") == 3  # the fields as signed too
            assert "10,125.50" in page.text
            assert "minor units" not in page.text


@pytest.mark.parametrize(
    ("name", "details", "expected"),
    [
        (
            "OFFICES_MISSING",
            {"operation": "commit_bid", "offices": "central-bank, finance-ministry"},
            ("central-bank", "finance-ministry", "act-commit_bid"),
        ),
        ("OFFICES_MISSING", {"offices": "none"}, ("none",)),
        ("NOT_ISSUER", {"expected": "finance-ministry", "found": "a-bank"}, ("finance-ministry",)),
        ("BID_MANDATE_MISSING", {"expected": "nobody", "found": "central-bank"}, ("nobody",)),
        ("AUCTION_NOT_TO_BE_DECIDED", {"found": "settled"}, ("stage-settled",)),
        ("SIGNATURES_MISSING", {"account_class": "TRANSFER"}, ("TRANSFER",)),
        ("IDENTIFIER_NOT_VALID", {"scheme": "ISO 4217 currency"}, ("ISO 4217 currency",)),
    ],
)
def test_what_an_outcome_names_is_named_in_the_language_of_the_page(
    name: str, details: Mapping[str, JsonValue], expected: tuple[str, ...]
) -> None:
    for language in LANGUAGES:
        catalogue = catalogues()[language]

        told_there = Showing(catalogue, "").outcome(name, details, "").striptags()

        for each in expected:
            assert (catalogue.words.get(each) or catalogue.texts[each]) in told_there


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_amount_out_of_range_is_of_the_asset_of_its_operation(language: str) -> None:
    details: Mapping[str, JsonValue] = {"field": "amount", "found": 0, "expected": str(2**60)}
    catalogue = catalogues()[language]
    showing = Showing(catalogue, "", decimals_of=decimals_of)

    known = showing.outcome("AMOUNT_OUT_OF_RANGE", details, "", "PKR").striptags()
    unknown = showing.outcome("AMOUNT_OUT_OF_RANGE", details, "").striptags()

    assert "0.00 PKR" in known
    assert "11,529,215,046,068,469.76 PKR" in known
    assert catalogue.texts["minor-units"].format(number="0") in unknown
