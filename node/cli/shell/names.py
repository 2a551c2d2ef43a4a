"""What is at hand at the prompt: a client, accounts of a development network, a few verbs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from node.client import Client
from node.client.reads import Receipt
from node.ledger import operations
from node.ledger.operations import Operation, Transfer
from node.provision.funding import DevelopmentAccount, development_accounts, institution_account
from node.provision.reference import INSTITUTIONS


class Hand:
    """The verbs, on one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def transfer(
        self,
        payer: DevelopmentAccount,
        payee: DevelopmentAccount | bytes,
        amount: str | Decimal | int,
        asset: str = "PKR",
    ) -> Receipt:
        """Transfer an amount, in units of the asset, and wait until it is final."""
        to = payee.address if isinstance(payee, DevelopmentAccount) else payee
        minor_units = await self._client.minor_units(amount, asset)
        return await self.submit(
            Transfer(account=payer.address, to=to, asset=asset, amount=minor_units), signers=[payer]
        )

    async def submit(self, *wanted: Operation, signers: "list[DevelopmentAccount]") -> Receipt:
        """Bring operations to their end in one transaction, signed by these accounts."""
        builder = await self._client.transaction()
        signed = builder.add(*wanted).sign(*(each.signer for each in signers))
        return await self._client.submit(signed)

    async def holding(self, account: DevelopmentAccount | bytes, asset: str = "PKR") -> Decimal:
        """Return what an account can dispose of, in units of the asset."""
        address = account.address if isinstance(account, DevelopmentAccount) else account
        return await self._client.holding(address, asset)


def names_of(client: Client, *, development: bool) -> dict[str, Any]:
    """Return the names of the prompt.

    Args:
        development: whether the network knows the printed accounts.
    """
    hand = Hand(client)
    accounts = development_accounts() if development else ()
    institutions: Mapping[str, DevelopmentAccount] = (
        {name: institution_account(name) for name in INSTITUTIONS} if development else {}
    )
    return {
        "client": client,
        "network": client.network,
        "accounts": accounts,
        "institutions": institutions,
        "operations": operations,
        "transfer": hand.transfer,
        "submit": hand.submit,
        "holding": hand.holding,
    }


def banner(url: str, status: Mapping[str, Any], *, development: bool) -> str:
    """Return what is said first."""
    people = (
        "accounts[0..9], institutions['central-bank'], transfer(accounts[0], accounts[1], '12.50')"
        if development
        else "accounts and institutions are empty: their keys are nobody's here"
    )
    return (
        f"{status['network_name']} at height {status['height']}, by {url}. `await` works; Tab"
        " completes; Ctrl-D ends.\n"
        "client, network, operations, submit(...), holding(...); "
        f"{people}\n"
        "Try: await client.status()"
    )
