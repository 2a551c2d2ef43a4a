"""The office that proposes or approves: whose account, which keys, through which node."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.cli.asking import with_client
from node.cli.moments import written
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option
from node.cli.signing import load_signers, signing_options
from node.cli.validator.changing import outcome_of

if TYPE_CHECKING:
    from node.client import Client
    from node.keys import LocalSigner

Command: TypeAlias = Callable[..., None]
Facts: TypeAlias = dict[str, Any]

OPEN_FOR_H: Final = 24
"""Hours for which a proposal waits for the other offices, unless told otherwise."""
VALID_FOR_MS: Final = 120_000
"""How long the transaction that carries it may wait for its block."""


@dataclass(frozen=True, slots=True)
class Office:
    """What the options say of the office; see `proposing_office` and `approving_office`."""

    account: str
    keys: tuple[Path, ...]
    passphrase_files: tuple[Path, ...]
    development: tuple[str, ...]
    url: str
    timeout_s: float
    open_for_h: float
    as_json: bool

    def act(self, work: "Callable[[Client, Pen], Awaitable[Facts]]") -> Facts:
        """Open the keys, asking for passphrases, then do the work with a client of the node.

        Raises:
            CommandError: no key is named, or the work is refused.
            KeysError: a key file cannot be opened.
            ClientError: the node does not answer, or refuses.
        """
        signers = load_signers(self.keys, self.passphrase_files, self.development)
        return with_client(
            self.url, self.timeout_s, lambda client: work(client, Pen(self, client, signers))
        )


@dataclass(frozen=True, slots=True)
class Pen:
    """What puts the office's acts on the ledger."""

    office: Office
    client: "Client"
    signers: "list[LocalSigner]"

    async def propose(self, operation: Mapping[str, Any]) -> Facts:
        """Put an operation on the ledger for the other offices; return what became of it."""
        account = self.office.account
        head = (await self.client.status()).time
        return await self._submit(
            {
                "type": "propose",
                "account": account,
                "operations": [{**operation, "account": account}],
                "expires": written(head + timedelta(hours=self.office.open_for_h)),
            }
        )

    async def approve(self, proposal: str) -> Facts:
        """Stand behind a proposal; return what became of it."""
        return await self._submit(
            {"type": "approve", "account": self.office.account, "proposal": proposal}
        )

    async def _submit(self, operation: Mapping[str, Any]) -> Facts:
        from node.cli.tx.submitting import build

        draft = await build(
            self.client,
            [operation],
            memo="",
            valid_for_ms=VALID_FOR_MS,
            signers=[signer.public_key for signer in self.signers],
        )
        receipt = await self.client.submit(draft.sign(*self.signers))
        return outcome_of(receipt.events) | {"height": receipt.height, "id": draft.id.hex()}


def proposing_office(command: Command) -> Command:
    """Give a command the options of an office that proposes, passed to it as one `Office`."""
    open_for = click.option(
        "--open-for",
        "open_for_h",
        type=click.FloatRange(0.01, 24 * 90),
        default=OPEN_FOR_H,
        show_default=True,
        help="Hours in which the other offices may approve.",
    )
    return _account_option(open_for(_shared_options(_with_office(command))))


def approving_office(command: Command) -> Command:
    """Give a command the options of an office that approves, passed to it as one `Office`."""
    return _account_option(_shared_options(_with_office(command)))


def _with_office(command: Command) -> Command:
    @functools.wraps(command)
    def wrapped(
        *,
        account: str,
        keys: tuple[Path, ...],
        passphrase_files: tuple[Path, ...],
        development: tuple[str, ...],
        url: str,
        timeout_s: float,
        as_json: bool,
        open_for_h: float = OPEN_FOR_H,
        **others: Any,
    ) -> None:
        office = Office(
            account=account,
            keys=keys,
            passphrase_files=passphrase_files,
            development=development,
            url=url,
            timeout_s=timeout_s,
            open_for_h=open_for_h,
            as_json=as_json,
        )
        command(office=office, **others)

    return wrapped


def _account_option(command: Command) -> Command:
    return click.option(
        "--account", required=True, metavar="ADDRESS", help="Account of your own office."
    )(command)


def _shared_options(command: Command) -> Command:
    return signing_options(url_option(timeout_option(60)(json_option(command))))
