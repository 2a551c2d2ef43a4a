"""Names, check digits, and which keys may be used."""

import json
from pathlib import Path
from typing import Final

import pytest

from node.keys import LocalSigner
from node.keys import is_valid_public_key as is_valid_for_the_library
from node.ledger.identifiers import (
    is_asset_code,
    is_currency,
    is_curve_key,
    is_dti,
    is_isin,
    is_jurisdiction,
    is_lei,
    is_name,
    is_public_key,
)

DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "identifiers"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder of outside test vectors is not beside this checkout"
)
P: Final = 2**255 - 19
SIGN: Final = 1 << 255


@pytest.mark.parametrize("text", ["a", "0", "central-bank", "a-0", "x" * 32])
def test_name_is_accepted(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", "A", "a b", "a.b", "-a", "a-", "x" * 33, "a\n", "ä", "a_b", "a/b"]
)
def test_name_is_refused(text: str) -> None:
    assert not is_name(text)


def test_asset_code_is_capitals_digits_point_and_hyphen() -> None:
    assert all(map(is_asset_code, ("PKR", "MTB-3M.574", "0", "X" * 32)))
    assert not any(map(is_asset_code, ("", "pkr", "PKR ", "X" * 33, "PKR\n", "PKR/USD")))


def test_jurisdiction_and_currency_are_two_and_three_capitals() -> None:
    assert is_jurisdiction("PK")
    assert is_currency("PKR")
    assert not any(map(is_jurisdiction, ("P", "PAK", "pk", "P1", "")))
    assert not any(map(is_currency, ("PK", "PKRS", "pkr", "PK1", "")))


@pytest.mark.parametrize(
    ("check", "valid", "invalid"),
    [
        (is_isin, "US0378331005", ("US0378331006", "US037833100", "us0378331005", "0S0378331005")),
        (is_lei, "2138001CY61HDFJ5ZA27", ("2138001CY71HDFJ5ZA27", "2138001CY61HDFJ5ZA2", "")),
        (is_dti, "4H95J0R2X", ("0H95J0R2X", "AH95J0R2X", "4H95J0R2", "4H95J0R2Y", "4h95j0r2x")),
    ],
)
def test_identifier_has_its_form_and_check_digits(check, valid, invalid) -> None:  # type: ignore[no-untyped-def]
    assert check(valid)
    assert not any(map(check, invalid))


@needs_data
@pytest.mark.parametrize(("scheme", "check"), [("isin", is_isin), ("lei", is_lei)])
def test_published_identifiers_pass_and_their_corruptions_do_not(scheme, check) -> None:  # type: ignore[no-untyped-def]
    published = json.loads((DATA / "check_digits.json").read_text())[scheme]

    assert len(published["valid"]) >= 50
    assert [text for text in published["valid"] if not check(text)] == []
    assert [text for text in published["invalid_check_digit"] if check(text)] == []


@needs_data
def test_published_token_identifiers_have_the_form() -> None:
    published = json.loads((DATA / "check_digits.json").read_text())["dti"]

    assert all(map(is_dti, published["valid_form"]))
    assert not any(map(is_dti, published["invalid_form"]))


@needs_data
def test_every_currency_of_iso_4217_has_the_form() -> None:
    for currency in json.loads((DATA / "iso_4217.json").read_text()):
        assert is_currency(currency["alpha_3"])


def keys(count: int) -> list[bytes]:
    return [LocalSigner(number.to_bytes(32, "big")).public_key for number in range(count)]


def test_ordinary_keys_may_be_used() -> None:
    for key in keys(100):
        assert is_public_key(key)
        assert is_curve_key(key)
        assert is_valid_for_the_library(key)


def test_no_spelling_of_a_point_of_small_order_may_be_used() -> None:
    """The 14 known encodings: canonical and not, with either sign."""
    y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
    encodings = {
        (y | sign).to_bytes(32, "little")
        for y in (0, 1, P - 1, y8, P - y8, P, P + 1)
        for sign in (0, SIGN)
    }
    assert len(encodings) == 14

    for encoding in encodings:
        assert not is_public_key(encoding)
        assert not is_curve_key(encoding)
        assert not is_valid_for_the_library(encoding)


def test_y_above_the_prime_and_wrong_lengths_are_refused() -> None:
    for key in ((P + 5).to_bytes(32, "little"), b"\xff" * 32, b"", bytes(31), bytes(33)):
        assert not is_public_key(key)
        assert not is_curve_key(key)


def test_half_of_all_encodings_are_no_points_and_no_keys_of_validators() -> None:
    candidates = [(y).to_bytes(32, "little") for y in range(2, 202)]

    assert all(map(is_public_key, candidates))
    on_curve = [key for key in candidates if is_curve_key(key)]
    assert 70 < len(on_curve) < 130
    # The library asks for the prime-order group besides: what it takes, we take.
    assert all(is_curve_key(key) for key in candidates if is_valid_for_the_library(key))
