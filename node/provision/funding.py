"""Accounts that anybody can use: ten with printed keys, and the institutions' own.

What a development network and a network in a test begin with. Everybody knows these keys; nodes of
any network whose genesis does not say `development` refuse them.
"""

from dataclasses import dataclass
from typing import Final

from node.client import Client, NotFound
from node.keys import LocalSigner
from node.keys.development import development_signer
from node.ledger.protocol import DEBT_DESK
from node.ledger.tables import ParticipantKind
from node.provision.acts import RUPEE, address_of_key, define_rupee, identify_person, issue
from node.provision.description import Account, Participant
from node.provision.pakistan import define_pakistan

ACCOUNTS: Final = 10
FUNDS_PAISA: Final = 1_000_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentAccount:
    """An account that anybody can use."""

    label: str
    """Of its key."""
    owner: str
    address: bytes
    signer: LocalSigner


def development_accounts() -> tuple[DevelopmentAccount, ...]:
    """Return the ten accounts."""
    return tuple(
        _account(f"account-{number}", owner=f"participant-{number}") for number in range(ACCOUNTS)
    )


def institution_account(name: str) -> DevelopmentAccount:
    """Return the account of an institution of the reference network with development keys."""
    return _account(f"{name}/account", owner=name)


def founders() -> tuple[list[Participant], list[Account]]:
    """Return what a description needs to have the ten accounts from the beginning."""
    accounts = development_accounts()
    return (
        [Participant(id=account.owner, kind=ParticipantKind.PERSON) for account in accounts],
        [Account(owner=account.owner, development_key=account.label) for account in accounts],
    )


async def fund(client: Client) -> bool:
    """Make the rupee and give every account some, unless that has been done; says whether it did.

    With it go the calendar of Pakistan and the identities of the accounts' owners, who may bid
    then, where the ruling version knows auctions.

    Raises:
        ClientError: the network did not take it.
    """
    try:
        await client.asset(RUPEE)
    except NotFound:
        pass
    else:
        return False
    bank, ministry = institution_account("central-bank"), institution_account("finance-ministry")
    signers = [bank.signer, ministry.signer]
    builder = await client.transaction(memo="development funds")
    builder.add(define_rupee(central_bank=bank.address, approvers=(ministry.address,)))
    for account in development_accounts():
        builder.add(
            issue(account=bank.address, asset=RUPEE, amount=FUNDS_PAISA, to=account.address)
        )
    if (await client.status()).protocol_version >= DEBT_DESK:
        regulator = institution_account("virtual-asset-regulator")
        signers.append(regulator.signer)
        builder.add(define_pakistan(central_bank=bank.address))
        for account in development_accounts():
            builder.add(identify_person(registrar=regulator.address, participant=account.owner))
    await client.submit(builder.sign(*signers))
    return True


def _account(label: str, *, owner: str) -> DevelopmentAccount:
    signer = development_signer(label)
    address = address_of_key(owner, signer.public_key)
    return DevelopmentAccount(label=label, owner=owner, address=address, signer=signer)
