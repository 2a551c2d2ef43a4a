"""Who acts, who and what is concerned, and by what power."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ACCOUNT_UNKNOWN": (
        "No account has the address {account}. Accounts belong to a registered participant; have a"
        " registrar open it first, and check the address."
    ),
    "ACCOUNT_CLOSED": "Account {account} is closed for good. Use another account.",
    "ACCOUNT_ON_HOLD": (
        "Account {account} is on hold by {placed_by}, reference {legal_reference}. Nothing leaves"
        " it until the hold is released."
    ),
    "PARTICIPANT_SUSPENDED": (
        "Participant {participant}, the owner of account {account}, is suspended and may not act."
        " Its supervisor can lift the suspension."
    ),
    "SIGNATURES_MISSING": (
        "The signers present weigh {found} for account {account}; its policy asks for {expected}"
        " for operations of the class {account_class}. Let more of its signers sign."
    ),
    "OTHER_ACCOUNT_UNKNOWN": (
        "The account concerned, {account}, does not exist. Accounts belong to a registered"
        " participant; check the address, or have a registrar open it first."
    ),
    "OTHER_ACCOUNT_CLOSED": (
        "The account concerned, {account}, is closed for good. Ask its owner for another one."
    ),
    "PARTICIPANT_UNKNOWN": (
        "No participant is registered as '{participant}'. A registrar must register it first."
    ),
    "OTHER_PARTICIPANT_SUSPENDED": (
        "The participant concerned, {participant}, is suspended and receives nothing. Its"
        " supervisor can lift the suspension."
    ),
    "ASSET_UNKNOWN": "No asset is defined as '{asset}'. Check the code, or define it first.",
    "POWER_NOT_GRANTED": (
        "Nobody has the power to {operation} for {subject}: the powers matrix has no such row. A"
        " joint decision (set_powers) can add it."
    ),
    "OFFICES_MISSING": (
        "To {operation} for {subject} takes {expected} of these offices: {offices}; {found} stand"
        " behind this. Let accounts of the others approve it, or propose it."
    ),
    "LICENCE_INACTIVE": (
        "The licence of {participant} for {activity} is not active: it was revoked or has run out."
        " Its supervisor can grant it anew."
    ),
    "OFFICE_NOT_HELD": (
        "Participant {participant} holds no office. Proposals are made and approved by accounts of"
        " participants that hold one."
    ),
    "NOT_ISSUER": (
        "The issuer of {asset} is {expected}, but {found} acts. The issuer must stand behind this."
    ),
    "NOT_REGISTRAR": (
        "Participant {owner} was registered by {expected}, not by {found}. A licensee opens"
        " accounts for those whom it registered itself, or who approve it by an account that they"
        " have; it identifies those alone whom it registered."
    ),
}
