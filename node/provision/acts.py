"""The first acts of a new network, as operations: its rupee, a bill, participants and accounts.

What the development network, the demonstration, the benchmarks and the tests have in common. Pure:
nothing is signed or sent here.
"""

import hashlib
from datetime import date
from typing import Final

from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.registry.identify_person import IdentifyPerson
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.register_participant import RegisterParticipant
from node.ledger.policies import account_address, single_signer
from node.ledger.tables import AssetIdentifiers, ParticipantKind
from node.ledger.terms import BillTerms, CashTerms

RUPEE: Final = "PKR"
"""The central bank's digital rupee, counted in paisa."""
RUPEE_DECIMALS: Final = 2
RUPEE_CEILING: Final = 10**17
"""In paisa: a thousand trillion rupees, some ten times what was in use in 2025."""
SALT: Final = bytes(8)
"""Each owner here has one account, so its salt tells nothing apart."""

_EPOCH: Final = date(1970, 1, 1)


def define_rupee(*, central_bank: bytes, approvers: tuple[bytes, ...] = ()) -> DefineAsset:
    """Return the definition of the rupee.

    Args:
        central_bank: its account; it is the issuer.
        approvers: accounts of the other offices that the powers matrix asks for.
    """
    return DefineAsset(
        account=central_bank,
        approvers=approvers,
        asset=RUPEE,
        name="Pakistan rupee, central bank digital currency",
        issuer="central-bank",
        identifiers=AssetIdentifiers(isin=None, currency="PKR", dti=None),
        terms=CashTerms(),
        term_sheet_hash=document_hash("The rupee on this ledger is at par with the note."),
        decimals=RUPEE_DECIMALS,
        multiple=1,
        ceiling=RUPEE_CEILING,
        forced_transfer_allowed=False,
    )


def define_bill(
    *,
    account: bytes,
    approvers: tuple[bytes, ...],
    asset: str,
    name: str,
    isin: str,
    issued: date,
    matures: date,
    multiple: int,
    ceiling: int,
) -> DefineAsset:
    """Return the definition of a bill of the ministry; amounts are in paisa of face value."""
    return DefineAsset(
        account=account,
        approvers=approvers,
        asset=asset,
        name=name,
        issuer="finance-ministry",
        identifiers=AssetIdentifiers(isin=isin, currency=None, dti=None),
        terms=BillTerms(
            issue_day=(issued - _EPOCH).days,
            maturity_day=(matures - _EPOCH).days,
            face_currency="PKR",
        ),
        term_sheet_hash=document_hash(f"Terms of {name}, {isin}"),
        decimals=RUPEE_DECIMALS,
        multiple=multiple,
        ceiling=ceiling,
        forced_transfer_allowed=False,
    )


def issue(
    *, account: bytes, approvers: tuple[bytes, ...] = (), asset: str, amount: int, to: bytes
) -> Issue:
    """Return the issue of an amount in minor units."""
    return Issue(account=account, approvers=approvers, asset=asset, amount=amount, to=to)


Enrolment = tuple[RegisterParticipant, OpenAccount]


def enrol_person(*, registrar: bytes, participant: str, public_key: bytes) -> Enrolment:
    """Return what makes a person a holder: the registration, and an account of one key.

    Args:
        registrar: account of the licensed participant that keeps the person's file.
    """
    policy = single_signer(public_key)
    return (
        RegisterParticipant(
            account=registrar,
            approvers=(),
            participant=participant,
            kind=ParticipantKind.PERSON,
            jurisdiction="PK",
            lei=None,
            file_commitment=document_hash(f"file of {participant}"),
        ),
        OpenAccount(account=registrar, approvers=(), owner=participant, policy=policy, salt=SALT),
    )


def identify_person(*, registrar: bytes, participant: str) -> IdentifyPerson:
    """Return what says who a person is, on a network whose people are made up: one a name.

    Anywhere else the token comes from the state's register of persons.
    """
    return IdentifyPerson(
        account=registrar,
        approvers=(),
        participant=participant,
        token=document_hash(f"token of {participant}"),
    )


def address_of_key(owner: str, public_key: bytes) -> bytes:
    """Return the address of the account that `enrol_person`, or a description, gives this key."""
    return account_address(owner, single_signer(public_key), SALT)


def document_hash(text: str) -> bytes:
    """Return the SHA-256 of a document's text: what the ledger keeps of it."""
    return hashlib.sha256(text.encode()).digest()
