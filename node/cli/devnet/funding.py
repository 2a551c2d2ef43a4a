"""The accounts of the development network: ten, with printed keys and a million rupees each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from node.client import Client, NotFound
from node.keys.development import development_signer
from node.ledger.tables import ParticipantKind
from node.provision.acts import RUPEE, address_of_key, define_rupee, issue
from node.provision.description import Account, Participant

if TYPE_CHECKING:
    from node.keys import LocalSigner

ACCOUNTS: Final = 10
FUNDS_PAISA: Final = 1_000_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentAccount:
    """An account that anybody can use."""

    label: str
    """Of its key."""
    owner: str
    address: bytes
    signer: "LocalSigner"


def development_accounts() -> tuple[DevelopmentAccount, ...]:
    """Return the ten accounts."""
    found = []
    for number in range(ACCOUNTS):
        label, owner = f"account-{number}", f"participant-{number}"
        signer = development_signer(label)
        address = address_of_key(owner, signer.public_key)
        found.append(DevelopmentAccount(label=label, owner=owner, address=address, signer=signer))
    return tuple(found)


def founders() -> tuple[list[Participant], list[Account]]:
    """Return what a description needs to have these accounts from the beginning."""
    accounts = development_accounts()
    return (
        [Participant(id=account.owner, kind=ParticipantKind.PERSON) for account in accounts],
        [Account(owner=account.owner, development_key=account.label) for account in accounts],
    )


async def fund(client: Client) -> bool:
    """Make the rupee and give every account some, unless that has been done; says whether it did.

    Raises:
        ClientError: the network did not take it.
    """
    try:
        await client.asset(RUPEE)
    except NotFound:
        pass
    else:
        return False
    bank = development_signer("central-bank/account")
    ministry = development_signer("finance-ministry/account")
    bank_address = address_of_key("central-bank", bank.public_key)
    ministry_address = address_of_key("finance-ministry", ministry.public_key)
    builder = await client.transaction(memo="development funds")
    builder.add(define_rupee(central_bank=bank_address, approvers=(ministry_address,)))
    for account in development_accounts():
        builder.add(
            issue(account=bank_address, asset=RUPEE, amount=FUNDS_PAISA, to=account.address)
        )
    await client.submit(builder.sign(bank, ministry))
    return True
