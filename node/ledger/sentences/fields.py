"""What an operation says: text, names, identifiers, terms, policies, keys, amounts, times."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "TEXT_NOT_ACCEPTED": (
        "The field {field} is empty, or not plain text of at most {expected} characters in normal"
        " form C (NFC). Remove control characters and shorten it."
    ),
    "NAME_NOT_ACCEPTED": (
        "The field {field} holds '{found}'. Names are 1 to 32 of a-z, 0-9 and inner hyphens; asset"
        " codes 1 to 32 of A-Z, 0-9, point and hyphen."
    ),
    "IDENTIFIER_MISSING": "A {kind} needs the identifier {scheme}. Add it to the definition.",
    "IDENTIFIER_NOT_VALID": (
        "'{found}' is not a valid {scheme}: its form or check digit is wrong. Compare it with the"
        " source, character by character."
    ),
    "TERMS_NOT_VALID": (
        "The terms of the asset contradict each other: {reason}. Correct the definition."
    ),
    "POLICY_NOT_VALID": (
        "The account policy cannot work: {reason}. Signers stand in ascending order of key, each"
        " once, with weights of 1 to 255; no threshold is above the sum of the weights."
    ),
    "KEY_NOT_VALID": (
        "{key} is not a usable Ed25519 public key: it must be the canonical encoding of a point"
        " that has no small order. Take the key as the key file shows it."
    ),
    "AMOUNT_OUT_OF_RANGE": (
        "The field {field} is {found}; it must be at least 1 and at most {expected} minor units."
        " Give another amount; `decimals` of the asset says how many minor units make one unit."
    ),
    "TIME_NOT_ACCEPTED": (
        "The field {field} is {found} ms; it must lie after block time, {earliest} ms, and not"
        " after {latest} ms. Choose a time within these bounds, counted from the time of the last"
        " block."
    ),
}
