"""Addresses: the published vectors of bech32m, and every way to mistype one."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.addresses import (
    ADDRESS_SIZE,
    TEXT_SIZE_MAX,
    AddressError,
    AddressFault,
    decode_bech32m,
    encode_bech32m,
    parse_address,
    render_address,
)

VECTORS = Path(__file__).parents[3] / "shared/data/bitcoin_addresses/bech32_bech32m.json"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

addresses = st.binary(min_size=ADDRESS_SIZE, max_size=ADDRESS_SIZE)


@given(addresses, st.booleans())
def test_address_is_what_it_was_rendered_from(address: bytes, test: bool) -> None:
    text = render_address(address, test=test)

    assert text.startswith("tkhz1" if test else "khz1")
    assert text == text.lower()
    assert parse_address(text, test=test) == address
    assert parse_address(text.upper(), test=test) == address


def test_rendering_is_fixed() -> None:
    """Vectors: a change here is a change of what people have written down."""
    address = bytes(range(20))

    assert render_address(address, test=False) == "khz1qqqsyqcyq5rqwzqfpg9scrgwpugpzysngkqzp0"
    assert render_address(address, test=True) == "tkhz1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnxrfxp7"


@given(addresses, st.data())
def test_up_to_four_wrong_characters_are_always_found(address: bytes, data: st.DataObject) -> None:
    text = render_address(address, test=False)
    wrong = list(text)
    for at in data.draw(st.sets(st.integers(4, len(text) - 1), min_size=1, max_size=4)):
        wrong[at] = data.draw(st.sampled_from(CHARSET.replace(text[at], "")))

    with pytest.raises(AddressError) as caught:
        parse_address("".join(wrong), test=False)

    assert caught.value.fault is AddressFault.CHECKSUM


GOOD = render_address(bytes(20), test=False)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", AddressFault.PREFIX),
        ("khz", AddressFault.PREFIX),
        ("hello", AddressFault.PREFIX),
        ("1", AddressFault.PREFIX),
        ("bc1" + GOOD[4:], AddressFault.PREFIX),
        (" " + GOOD, AddressFault.PREFIX),
        ("khz" + GOOD[4:], AddressFault.PREFIX),
        ("tkhz1" + GOOD[4:], AddressFault.NETWORK),
        (render_address(bytes(20), test=True), AddressFault.NETWORK),
        (GOOD[:-1], AddressFault.LENGTH),
        (GOOD + "q", AddressFault.LENGTH),
        (GOOD + " ", AddressFault.LENGTH),
        ("khz1", AddressFault.LENGTH),
        ("khz1" + "q" * 1000, AddressFault.LENGTH),
        (GOOD[:-1] + "b", AddressFault.FORM),
        (GOOD[:-1] + "é", AddressFault.FORM),
        (GOOD[:-1] + " ", AddressFault.FORM),
        ("KHZ1" + GOOD[4:], AddressFault.FORM),
        (GOOD[:-1] + GOOD[-1].upper(), AddressFault.FORM),
        (GOOD[:-1] + ("q" if GOOD[-1] != "q" else "p"), AddressFault.CHECKSUM),
    ],
)
def test_mistyped_address_is_refused_with_its_fault(text: str, fault: AddressFault) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text, test=False)

    assert caught.value.fault is fault
    assert len(str(caught.value)) < 250


def test_address_of_the_other_network_is_named_as_such() -> None:
    main, test = (render_address(bytes(20), test=test) for test in (False, True))

    with pytest.raises(AddressError, match="belongs to a test network"):
        parse_address(test, test=False)
    with pytest.raises(AddressError, match="belongs to the main network"):
        parse_address(main, test=True)


# Bech32m itself. Some vectors of BIP-350, restated; all of them where the data is.

VALID = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
INVALID = [
    " 1xj0phk",
    "\x7f1g6xzxy",
    "\x801vctc34",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
    "A12UEL5L",  # right for bech32, whose constant is another one
]


@pytest.mark.parametrize("text", VALID)
def test_valid_bech32m_is_read_and_written_again(text: str) -> None:
    prefix, groups = decode_bech32m(text)

    assert encode_bech32m(prefix, groups) == text.lower()


@pytest.mark.parametrize("text", INVALID)
def test_invalid_bech32m_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        decode_bech32m(text)


def test_bech32m_longer_than_its_guarantee_is_refused() -> None:
    longest = encode_bech32m("a", [0] * (TEXT_SIZE_MAX - 8))
    assert len(longest) == TEXT_SIZE_MAX

    assert decode_bech32m(longest) == ("a", [0] * (TEXT_SIZE_MAX - 8))
    with pytest.raises(AddressError, match="at most 90"):
        decode_bech32m(encode_bech32m("a", [0] * (TEXT_SIZE_MAX - 7)))


def slow_polymod(values: list[int]) -> int:
    """The checksum's remainder, bit by bit, as BIP-173 writes it: the slow twin of the table."""
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            remainder ^= generator if top >> bit & 1 else 0
    return remainder


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
    st.lists(st.integers(0, 31), max_size=60),
)
def test_checksum_is_that_of_the_slow_twin(prefix: str, groups: list[int]) -> None:
    prefix = prefix.lower()
    codes = prefix.encode()
    data = encode_bech32m(prefix, groups)[len(prefix) + 1 :]

    expanded = [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]
    assert slow_polymod([*expanded, *(CHARSET.index(character) for character in data)]) == (
        0x2BC830A3
    )


@pytest.mark.parametrize("character", [" ", "\t", "\x7f", "\x80", "é", "\N{ZERO WIDTH SPACE}"])
def test_character_that_nobody_sees_or_types_is_a_fault_of_form(character: str) -> None:
    for text in (character + GOOD, GOOD + character, GOOD[:9] + character + GOOD[9:]):
        with pytest.raises(AddressError, match="outside ASCII, or a space"):
            decode_bech32m(text)


def test_character_outside_the_set_is_named() -> None:
    with pytest.raises(AddressError, match="no address has the character 'b' after its 1"):
        decode_bech32m(GOOD[:9] + "b" + GOOD[10:12] + "o" + GOOD[13:])


@pytest.mark.skipif(not VECTORS.exists(), reason="the vectors' data is not here")
def test_bech32m_agrees_with_all_published_vectors() -> None:
    vectors = json.loads(VECTORS.read_text())

    for text in vectors["VALID_BECH32M"]:
        test_valid_bech32m_is_read_and_written_again(text)
    for text in vectors["INVALID_BECH32M"] + vectors["INVALID_BECH32"] + vectors["VALID_BECH32"]:
        test_invalid_bech32m_is_refused(text)
