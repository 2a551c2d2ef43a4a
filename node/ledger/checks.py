"""Checks of form that several acts make on what an operation says."""

from node.ledger.identifiers import is_curve_key, is_name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.tables import TEXT_MAX
from node.ledger.units import AMOUNT_MAX, is_text


def check_text(field: str, value: str) -> None:
    """Refuse text that is empty, too long, or has another spelling.

    Raises:
        Reject: TEXT_NOT_ACCEPTED.
    """
    if not (value and is_text(value, TEXT_MAX)):
        raise Reject(Outcome.TEXT_NOT_ACCEPTED, field=field, expected=TEXT_MAX)


def check_name(field: str, value: str) -> None:
    """Refuse what is not a name.

    Raises:
        Reject: NAME_NOT_ACCEPTED.
    """
    if not is_name(value):
        raise Reject(Outcome.NAME_NOT_ACCEPTED, field=field, found=value)


def check_amount(field: str, value: int) -> None:
    """Refuse an amount that is not 1 to 2^64 - 1.

    Raises:
        Reject: AMOUNT_OUT_OF_RANGE.
    """
    if not 0 < value <= AMOUNT_MAX:
        raise Reject(Outcome.AMOUNT_OUT_OF_RANGE, field=field, found=value, expected=AMOUNT_MAX)


def check_expiry(field: str, expires_ms: int, *, now_ms: int, lifetime_max_ms: int) -> None:
    """Refuse an end that is not after block time, or too far ahead.

    Raises:
        Reject: TIME_NOT_ACCEPTED.
    """
    latest_ms = now_ms + lifetime_max_ms
    if not now_ms < expires_ms <= latest_ms:
        raise Reject(
            Outcome.TIME_NOT_ACCEPTED,
            field=field,
            found=expires_ms,
            earliest=now_ms,
            latest=latest_ms,
        )


def check_validator_key(public_key: bytes) -> None:
    """Refuse what a validator cannot have as its key.

    Raises:
        Reject: KEY_NOT_VALID.
    """
    if not is_curve_key(public_key):
        raise Reject(Outcome.KEY_NOT_VALID, key=public_key)
