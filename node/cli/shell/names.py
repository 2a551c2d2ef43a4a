"""What is at hand at the prompt: a client, accounts of a development network, a few verbs."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from typing_extensions import override

from node.client import Client, ClientNetwork
from node.client.reads import Receipt
from node.ledger import operations
from node.ledger.operations import Operation, Transfer
from node.provision.funding import DevelopmentAccount, development_accounts, institution_account
from node.provision.reference import INSTITUTIONS


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AccountAtHand(DevelopmentAccount):
    """An account that says what it is; of its key nothing but the label."""

    text: str
    """The address as it is written on this network."""

    @classmethod
    def of(cls, account: DevelopmentAccount, network: ClientNetwork) -> "AccountAtHand":
        """Return an account as it is called on a network."""
        return cls(
            label=account.label,
            owner=account.owner,
            address=account.address,
            signer=account.signer,
            text=network.render_address(account.address),
        )

    @override
    def __repr__(self) -> str:
        return f"<{self.label} of {self.owner}: {self.text}>"


_USE: Final = (
    "each has .text and .address (its bytes), and .signer, which signs: submit(..., signers=[it])"
)


class AccountsAtHand(tuple[AccountAtHand, ...]):
    """The printed accounts, one a line."""

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        if not self:
            return "()"
        return "\n".join([*(f"[{at}] {each!r}" for at, each in enumerate(self)), _USE])


class InstitutionsAtHand(dict[str, AccountAtHand]):
    """The institutions' accounts by name, one a line."""

    @override
    def __repr__(self) -> str:
        if not self:
            return "{}"
        return "\n".join([*(f"[{name!r}] {each!r}" for name, each in self.items()), _USE])


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
    accounts, institutions = AccountsAtHand(), InstitutionsAtHand()
    if development:
        network = client.network
        accounts = AccountsAtHand(
            AccountAtHand.of(each, network) for each in development_accounts()
        )
        institutions = InstitutionsAtHand(
            (name, AccountAtHand.of(institution_account(name), network)) for name in INSTITUTIONS
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
