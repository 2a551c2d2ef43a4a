"""Account addresses as people write them: bech32m of 20 bytes, `khz1…`, on test networks `tkhz1…`.

The checksum finds any four wrong characters, and the prefix keeps networks apart, so a typing error
is refused instead of paid. Text is accepted in lower case or in capitals (as in a QR code), never
mixed; it is rendered in lower case. Nothing here knows what an address stands for.

Source: BIP-173 for the character set and the grouping, BIP-350 for the checksum constant.
"""

from enum import Enum
from functools import reduce
from operator import xor
from typing import Final, TypeAlias

Address: TypeAlias = bytes

ADDRESS_SIZE: Final = 20
PREFIX: Final = "khz"
PREFIX_TEST: Final = "tkhz"

TEXT_SIZE_MAX: Final = 90  # BIP-173: beyond this the checksum gives no guarantee
_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {character: value for value, character in enumerate(_CHARSET)}
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# What the five bits that leave the remainder take with them: the generators of those that are set.
_MULTIPLES: Final = tuple(
    reduce(xor, (generator for i, generator in enumerate(_GENERATORS) if top >> i & 1), 0)
    for top in range(32)
)
_CHECKSUM_SIZE: Final = 6
_CONSTANT: Final = 0x2BC830A3
_GROUPS: Final = ADDRESS_SIZE * 8 // 5  # 20 bytes are exactly 32 groups of five bits: no padding


class AddressFault(Enum):
    """What is wrong with a text that should be an address, in the order it is looked for."""

    FORM = "form"
    PREFIX = "prefix"
    NETWORK = "network"
    LENGTH = "length"
    CHECKSUM = "checksum"


class AddressError(ValueError):
    """A text that is not an address of this network.

    Attributes:
        fault: which of the checks failed.
        text: what was given, cut to 100 characters.
    """

    def __init__(self, fault: AddressFault, text: str, explanation: str) -> None:
        shown = text if len(text) <= 100 else text[:100] + "…"
        super().__init__(f"{shown!r} is not an address: {explanation}")
        self.fault = fault
        self.text = shown


def render_address(address: Address, *, test: bool) -> str:
    """Return the text of 20 bytes, always in lower case; `test` chooses the prefix."""
    assert len(address) == ADDRESS_SIZE
    number = int.from_bytes(address)
    groups = [number >> shift & 31 for shift in range(5 * (_GROUPS - 1), -1, -5)]
    return encode_bech32m(PREFIX_TEST if test else PREFIX, groups)


def parse_address(text: str, *, test: bool) -> Address:
    """Return the 20 bytes of an address of the main network, or of a test network.

    Raises:
        AddressError: characters that no address has, a foreign prefix, an address of the other kind
            of network, a wrong length, a checksum that does not fit: which one, and what was
            expected, is in the error.
    """
    prefix = PREFIX_TEST if test else PREFIX
    other = PREFIX if test else PREFIX_TEST
    found, separator, data = text.lower().rpartition("1")
    if found == other and separator:
        wanted, given = ("a test", "the main") if test else ("the main", "a test")
        raise AddressError(
            AddressFault.NETWORK,
            text,
            f"it belongs to {given} network ({other}1…), here stands {wanted} network ({prefix}1…)",
        )
    if found != prefix or not separator:
        raise AddressError(AddressFault.PREFIX, text, f"an address begins with {prefix}1")
    if len(data) != _GROUPS + _CHECKSUM_SIZE:
        raise AddressError(
            AddressFault.LENGTH,
            text,
            f"{len(text)} characters where {len(prefix) + 1 + _GROUPS + _CHECKSUM_SIZE} are needed",
        )
    _, groups = decode_bech32m(text)
    number = 0
    for group in groups:
        number = number << 5 | group
    return number.to_bytes(ADDRESS_SIZE)


# Bech32m itself, without a meaning of the groups.


def encode_bech32m(prefix: str, groups: list[int]) -> str:
    """Return the bech32m text of five-bit groups under a lower-case prefix."""
    checksum = _polymod([*_expand(prefix), *groups, *bytes(_CHECKSUM_SIZE)]) ^ _CONSTANT
    tail = [checksum >> 5 * (_CHECKSUM_SIZE - 1 - i) & 31 for i in range(_CHECKSUM_SIZE)]
    return prefix + "1" + "".join(_CHARSET[group] for group in [*groups, *tail])


def decode_bech32m(text: str) -> tuple[str, list[int]]:
    """Return the prefix in lower case and the five-bit groups without the checksum.

    Raises:
        AddressError: FORM, LENGTH or CHECKSUM.
    """
    if len(text) > TEXT_SIZE_MAX:
        raise AddressError(
            AddressFault.LENGTH,
            text,
            f"{len(text)} characters, at most {TEXT_SIZE_MAX} are allowed",
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise AddressError(
            AddressFault.FORM, text, "it holds a character outside ASCII, or a space"
        )
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise AddressError(AddressFault.FORM, text, "it mixes capitals and small letters")
    prefix, _, data = lower.rpartition("1")
    if not prefix:
        raise AddressError(AddressFault.FORM, text, "it has no prefix before a 1")
    if len(data) < _CHECKSUM_SIZE:
        raise AddressError(AddressFault.LENGTH, text, "it is too short for a checksum")
    try:
        groups = [_VALUES[character] for character in data]
    except KeyError as error:
        raise AddressError(
            AddressFault.FORM, text, f"no address has the character {error.args[0]!r} after its 1"
        ) from None
    if _polymod([*_expand(prefix), *groups]) != _CONSTANT:
        raise AddressError(
            AddressFault.CHECKSUM, text, "its checksum does not fit: a character is mistyped"
        )
    return prefix, groups[:-_CHECKSUM_SIZE]


def _expand(prefix: str) -> list[int]:
    codes = prefix.encode()
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: list[int]) -> int:
    remainder = 1
    for value in values:
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value ^ _MULTIPLES[remainder >> 25]
    return remainder
