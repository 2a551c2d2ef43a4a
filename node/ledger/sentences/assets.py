"""Assets, holdings and holds."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ASSET_EXISTS": "An asset is already defined as '{asset}'. Definitions do not change.",
    "NOT_A_MULTIPLE": (
        "{found} is not a multiple of {expected} minor units, the legal denomination of {asset}."
        " Issues and ceilings are whole denominations; holdings may be smaller."
    ),
    "CEILING_EXCEEDED": (
        "The supply of {asset} would be {found}; its ceiling is {expected} minor units. Issue less."
    ),
    "SELF_TRANSFER": "Account {account} would transfer to itself. Nothing would change.",
    "FORCED_TRANSFER_NOT_ALLOWED": (
        "The asset {asset} was defined without forced transfer. That cannot be changed later."
    ),
    "FACE_NOT_IN_UNITS": (
        "{found} minor units of {asset} are no whole units of its face, of {expected} minor units"
        " each. Less than the legal denomination may be held and moved, in whole units: give a"
        " multiple of {expected}."
    ),
    "HOLD_UNKNOWN": (
        "Account {account} has no hold {hold}. It was released, has expired, or never existed."
    ),
    "NOT_DUE": (
        "{asset} matures on day {expected} (counted from 1970-01-01) and today is day {found}. It"
        " cannot be redeemed earlier."
    ),
    "HOLDING_INSUFFICIENT": (
        "Account {account} has {found} minor units of {asset} available, not counting {held} on"
        " hold; {expected} are needed. Nothing was moved."
    ),
    "HOLDS_FULL": (
        "Account {account} has {expected} holds, as many as an account may have. Release one first,"
        " or hold the account as a whole."
    ),
}
