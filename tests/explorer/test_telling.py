"""Refusals in the figures of people, and the ledger's own where those cannot be known."""

from collections.abc import Mapping

import pytest

from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.showing import Showing
from node.explorer.telling import told
from node.rpc.errors import JsonValue
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
    assert told(name, details, decimals_of) == expected


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
