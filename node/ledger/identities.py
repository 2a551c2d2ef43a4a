"""Who is which person: the tokens by which the ledger knows one human being under one name.

Registrars keep files, each with a commitment of its own, so nothing in them tells that two of them
are about the same person. A token does: a keyed hash of the national identity number, whose key
only the state's register of persons has (in Pakistan NADRA). It is the same whoever asks for it,
and without the key nobody can try out whose it is. The ledger cannot recompute it: it holds that no
two participants have the same one, and that a person who bids has one.

What two offices have taken away, one hand does not put back: a token that was said of a participant
by mistake, or worse, is noted for ever with that participant and with whoever stated it.
"""

from typing import Final

from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    IDENTIFIERS,
    IDENTITIES,
    IdentifierRecord,
    IdentityRecord,
    identifier_key,
    name_key,
)

_SCHEME: Final = "person"
_WITHDRAWN: Final = "withdrawn"


def token_key(token: bytes) -> bytes:
    """Return the key under which a token's participant is found among the identifiers."""
    return identifier_key(_SCHEME, token.hex())


def withdrawn_key(token: bytes, participant: str) -> bytes:
    """Return the key under which it is noted that a token was taken away from a participant.

    Or that a participant stated it then, wrongly.
    """
    return identifier_key(_WITHDRAWN, f"{token.hex()}/{participant}")


def is_withdrawn_key(key: bytes) -> bool:
    """Return whether this key of the identifiers is such a note, and nobody's identifier."""
    return key.startswith(identifier_key(_WITHDRAWN, ""))


def was_withdrawn(state: LedgerState, token: bytes, *participants: str) -> bool:
    """Return whether a token was taken away from one of these, or was stated by it then."""
    return any(
        state.get(IDENTIFIERS, withdrawn_key(token, each)) is not None for each in participants
    )


def identity_of(state: LedgerState, participant: str) -> IdentityRecord | None:
    """Return which human being a participant is known to be; None: it is not known."""
    return state.get(IDENTITIES, name_key(participant))


def check_token(state: LedgerState, token: bytes) -> None:
    """Refuse a token that a participant has.

    Raises:
        Reject: PERSON_KNOWN_ALREADY.
    """
    record = state.get(IDENTIFIERS, token_key(token))
    if record is not None:
        raise Reject(Outcome.PERSON_KNOWN_ALREADY, participant=record.holder)


def note_identity(state: LedgerState, participant: str, identity: IdentityRecord | None) -> None:
    """Note who a participant is, in place of what was noted; None: that is not known any more.

    A token that is no longer the participant's may be another's: it was stated of the wrong one.
    """
    before = identity_of(state, participant)
    if before is not None:
        state.delete(IDENTIFIERS, token_key(before.token))
        for wrong in (participant, before.identified_by):
            note = IdentifierRecord(holder=participant)
            state.put(IDENTIFIERS, withdrawn_key(before.token, wrong), note)
    state.put(IDENTITIES, name_key(participant), identity)
    if identity is not None:
        record = IdentifierRecord(holder=participant)
        state.put(IDENTIFIERS, token_key(identity.token), record)
