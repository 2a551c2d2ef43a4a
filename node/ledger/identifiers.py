"""Names and numbers that identify: their forms, their check digits, and which keys are points.

Pure arithmetic over text and bytes. Form only where a standard keeps its check algorithm or its
list to itself: DTI (ISO 24165) and currency codes (ISO 4217).
"""

import re
from typing import Annotated, Final, TypeAlias

import msgspec

ADDRESS_SIZE: Final = 20
HASH_SIZE: Final = 32
PUBLIC_KEY_SIZE: Final = 32

Address: TypeAlias = Annotated[
    bytes, msgspec.Meta(min_length=ADDRESS_SIZE, max_length=ADDRESS_SIZE)
]
Hash: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=HASH_SIZE, max_length=HASH_SIZE)]
PublicKey: TypeAlias = Annotated[
    bytes, msgspec.Meta(min_length=PUBLIC_KEY_SIZE, max_length=PUBLIC_KEY_SIZE)
]
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
"""Participant, validator, office, activity, operation or parameter; `is_name` says which form."""
AssetCode: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_ASSET_CODE: Final = re.compile(r"[A-Z0-9.-]{1,32}")
_JURISDICTION: Final = re.compile(r"[A-Z]{2}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_LEI: Final = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_DTI: Final = re.compile(r"[1-9B-DF-HJ-NP-TV-XZ][0-9B-DF-HJ-NP-TV-XZ]{8}")


def is_name(text: str) -> bool:
    """Return whether this is 1 to 32 of a-z, 0-9 and inner hyphens."""
    return _NAME.fullmatch(text) is not None


def is_asset_code(text: str) -> bool:
    """Return whether this is 1 to 32 of A-Z, 0-9, point and hyphen."""
    return _ASSET_CODE.fullmatch(text) is not None


def is_jurisdiction(text: str) -> bool:
    """Return whether this has the form of an ISO 3166-1 alpha-2 code."""
    return _JURISDICTION.fullmatch(text) is not None


def is_currency(text: str) -> bool:
    """Return whether this has the form of an ISO 4217 alphabetic code, which has no check digit."""
    return _CURRENCY.fullmatch(text) is not None


def is_isin(text: str) -> bool:
    """Return whether form and check digit are those of an ISIN.

    Source: ISO 6166: letters become two digits (A = 10), then the Luhn formula from the right.
    """
    if _ISIN.fullmatch(text) is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(_digits(text))):
        doubled = int(digit) * (1 + place % 2)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0


def is_lei(text: str) -> bool:
    """Return whether form and check digits are those of a legal entity identifier.

    Source: ISO 17442, ISO/IEC 7064 MOD 97-10.
    """
    return _LEI.fullmatch(text) is not None and int(_digits(text)) % 97 == 1


def is_dti(text: str) -> bool:
    """Return whether this has the form of a digital token identifier.

    Source: ISO 24165: nine of the digits and the consonants without Y, the first not 0.
    """
    return _DTI.fullmatch(text) is not None


def _digits(text: str) -> str:
    """Return the text with each letter as its two digits: A = 10 to Z = 35."""
    return "".join(str(int(character, 36)) for character in text)


# Ed25519 (RFC 8032, 5.1): the field prime and the constant d of -x² + y² = 1 + d·x²·y².
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P

_Y8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
"""The y of two points of order 8; the other two have its negative."""
_SMALL_ORDER_Y: Final = frozenset({1, _P - 1, 0, _Y8, _P - _Y8})
"""The y of the points of order 1, 2, 4 and 8."""


def is_public_key(key: bytes) -> bool:
    """Return whether an account may name this Ed25519 key as a signer. Under 1 µs.

    It must be 32 bytes, a canonical encoding (y below p), and not one of the points of small order,
    whose key would verify one signature for every message: all 14 encodings of those are refused.
    Whether y belongs to a point at all takes 90 µs and is not asked: such a key signs nothing, and
    one transaction can bring 1,600 keys.
    """
    if len(key) != PUBLIC_KEY_SIZE:
        return False
    y = _y(key)
    return y < _P and y not in _SMALL_ORDER_Y


def is_curve_key(key: bytes) -> bool:
    """Return whether a validator may have this Ed25519 key: besides, it is a point on the curve."""
    if not is_public_key(key):
        return False
    # x² = (y² - 1) / (d·y² + 1); a quotient is a square exactly if the product is one.
    y_squared = _y(key) ** 2 % _P
    product = (y_squared - 1) * (_D * y_squared + 1) % _P
    return pow(product, (_P - 1) // 2, _P) == 1


def _y(key: bytes) -> int:
    return int.from_bytes(key, "little") & ((1 << 255) - 1)  # the top bit is the sign of x
