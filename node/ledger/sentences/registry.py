"""Participants, who they are, their licences and their accounts."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "PARTICIPANT_EXISTS": (
        "A participant is already registered as '{participant}'. Choose another id, or use the"
        " participant that is there."
    ),
    "IDENTIFIER_TAKEN": (
        "The {scheme} '{found}' already belongs to {holder}. One identifier names one thing."
    ),
    "STATUS_UNCHANGED": "Participant {participant} already is {status}. Nothing to change.",
    "OFFICE_ALREADY_HELD": (
        "Participant {participant} already holds the office {office}. One participant, one office:"
        " nobody may stand for two."
    ),
    "LICENCE_UNCHANGED": (
        "Participant {participant} already has this licence for {activity}, in this phase and with"
        " this end. Nothing to change."
    ),
    "LICENCE_UNKNOWN": (
        "Participant {participant} has no licence for {activity} that could be revoked. Look the"
        " participant's licences up first."
    ),
    "PHASE_LIMIT_REACHED": (
        "In its phase, the licence of {participant} for {activity} allows {expected} accounts, and"
        " {found} were opened. A later phase allows more."
    ),
    "ACCOUNT_EXISTS": (
        "An account with the address {account} already exists: same owner, policy and salt. Take"
        " another salt."
    ),
    "ACCOUNT_ALREADY_ON_HOLD": (
        "Account {account} is already on hold by {placed_by}, reference {legal_reference}. Release"
        " that hold first, if yours is to take its place."
    ),
    "ACCOUNT_NOT_ON_HOLD": "Account {account} is not on hold. Nothing to release.",
    "ACCOUNT_NOT_EMPTY": (
        "Account {account} still holds {asset}. Move every holding elsewhere before closing it."
    ),
    "PARTICIPANT_NOT_A_PERSON": (
        "Participant {participant} is a {kind}, and only persons are identified by a token. Legal"
        " entities are told apart by their LEI."
    ),
    "IDENTITY_UNCHANGED": (
        "This already is what is known of who {participant} is. Nothing to change."
    ),
    "PERSON_KNOWN_ALREADY": (
        "The person with this token is registered already, as {participant}. Open an account for"
        " that participant: it may have accounts with several intermediaries. If the token is not"
        " that one's, two offices correct it (identify_person)."
    ),
}
