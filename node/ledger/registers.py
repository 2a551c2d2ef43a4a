"""Identifiers that nobody else may have: legal entities, securities, digital tokens."""

from enum import StrEnum
from typing import Final

from node.ledger.identifiers import is_dti, is_isin, is_lei
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import IDENTIFIERS, IdentifierRecord, identifier_key


class Scheme(StrEnum):
    """Who numbers; the text begins the key of the identifier."""

    DTI = "dti"
    ISIN = "isin"
    LEI = "lei"


_FORMS: Final = {Scheme.DTI: is_dti, Scheme.ISIN: is_isin, Scheme.LEI: is_lei}


def check_form(scheme: Scheme, identifier: str) -> None:
    """Refuse an identifier with a wrong form or check digit.

    Raises:
        Reject: IDENTIFIER_NOT_VALID.
    """
    if not _FORMS[scheme](identifier):
        raise Reject(Outcome.IDENTIFIER_NOT_VALID, scheme=scheme.name, found=identifier)


def check_unclaimed(state: LedgerState, scheme: Scheme, identifier: str) -> None:
    """Refuse an identifier that belongs to somebody.

    Raises:
        Reject: IDENTIFIER_TAKEN.
    """
    record = state.get(IDENTIFIERS, identifier_key(scheme, identifier))
    if record is not None:
        raise Reject(
            Outcome.IDENTIFIER_TAKEN, scheme=scheme.name, found=identifier, holder=record.holder
        )


def claim(state: LedgerState, scheme: Scheme, identifier: str, holder: str) -> None:
    """Note whom an identifier belongs to. It was checked to be free."""
    state.put(IDENTIFIERS, identifier_key(scheme, identifier), IdentifierRecord(holder=holder))
