"""What the commands that act on the ledger have in common: who signs, who stands behind the act.

An act of offices is submitted at once where the keys of all of them are at hand. Where they are not
it is put on the ledger as a proposal, which the others read and approve with their own keys; or its
operation is printed, for a transaction that travels as a file.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.moments import written
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option, note
from node.cli.signing import load_signers, signing_options
from node.cli.tx.options import building_options

if TYPE_CHECKING:
    from node.client import Client, Draft
    from node.client.reads import Receipt
    from node.keys import LocalSigner, Signer

Handler: TypeAlias = Callable[..., Any]
Operation: TypeAlias = Mapping[str, object]

OPEN_FOR_H: Final = 24
"""Hours for which a proposal waits for the other offices, unless told otherwise."""
OPEN_FOR_H_MAX: Final = 24 * 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """How operations are signed and handed in."""

    keys: tuple[Path, ...]
    passphrase_files: tuple[Path, ...]
    development: tuple[str, ...]
    memo: str
    valid_for_s: float
    url: str
    timeout_s: float
    as_json: bool

    def send(self, *operations: object) -> None:
        """Build, sign and submit operations as one transaction; print the receipt.

        Args:
            operations: in the form in which they stand in JSON.
        """
        signers = self.signers()
        self.carry_out(lambda client: self.submit(client, operations, signers))

    def signers(self) -> "list[LocalSigner]":
        """Open the keys that the options name; raises what `load_signers` does."""
        return load_signers(self.keys, self.passphrase_files, self.development)

    async def submit(
        self, client: "Client", operations: Sequence[object], signers: "Sequence[Signer]"
    ) -> "tuple[Draft, Receipt]":
        """Build, sign and submit operations as one transaction; return once it is final."""
        from node.cli.tx.submitting import submit

        return await submit(
            client, operations, signers, memo=self.memo, valid_for_s=self.valid_for_s
        )

    def carry_out(self, act: "Callable[[Client], Awaitable[tuple[Draft, Receipt]]]") -> None:
        """Do with a client of the node what ends in a receipt; print it."""
        from node.cli.tx.submitting import report

        draft, receipt = with_client(self.url, self.timeout_s, act)
        report(draft, receipt, as_json=self.as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offices:
    """Who stands behind an act of offices, and how it reaches the ledger."""

    account: str
    approvers: tuple[str, ...]
    proposing: bool
    open_for_h: float
    dry: bool
    submission: Submission

    def send(self, operation: Operation, said: str = "") -> None:
        """Submit an operation, propose it, or print it: as the options say.

        Args:
            operation: without `account` and `approvers`.
            said: what it comes to, for people; printed on stderr before anything is signed.

        Raises:
            CommandError: the options contradict each other, or the ledger refuses.
        """
        if self.proposing and self.approvers:
            raise CommandError(
                Exit.USAGE,
                "found --propose and --approver",
                advice="With --propose the other offices approve on the ledger, with their own"
                " keys; with --approver their keys sign here.",
            )
        whole = {
            "type": operation["type"],
            "account": self.account,
            "approvers": list(self.approvers),
            **{name: value for name, value in operation.items() if name != "type"},
        }
        if said:
            note(said)
        if self.dry:
            self._print(whole)
        elif self.proposing:
            self._propose(whole)
        else:
            self.submission.send(whole)

    def _print(self, operation: dict[str, object]) -> None:
        import json

        emit(operation, json.dumps(operation, indent=2), as_json=self.submission.as_json)

    def _propose(self, operation: dict[str, object]) -> None:
        from node.cli.validator.changing import outcome_of, refusal_of, what_next

        given = self.submission
        signers = given.signers()

        async def act(client: "Client") -> dict[str, Any]:
            expires = (await client.status()).time + timedelta(hours=self.open_for_h)
            proposal = {
                "type": "propose",
                "account": self.account,
                "operations": [operation],
                "expires": written(expires),
            }
            draft, receipt = await given.submit(client, [proposal], signers)
            return outcome_of(receipt.events) | {
                "height": receipt.height,
                "id": draft.id.hex(),
                "events": list(receipt.events),
            }

        facts = with_client(given.url, given.timeout_s, act)
        if facts["state"] == "refused":
            raise CommandError(
                Exit.REFUSED,
                f"the ledger has refused what was proposed: {refusal_of(facts['refused'])}",
                facts=facts,
                advice=what_next(facts["refused"]),
            )
        if facts["state"] == "applied":
            text = f"applied in block {facts['height']}: it took no other office"
        else:
            text = (
                f"proposed in block {facts['height']}. The other offices read and approve it:\n"
                f"  khazana query proposal {facts['proposal']}\n"
                f"  khazana tx approve {facts['proposal']} --account ADDRESS --key FILE"
            )
        emit(facts, text, as_json=given.as_json)


_SUBMISSION: Final = tuple(Submission.__dataclass_fields__)
_OFFICES: Final = tuple(name for name in Offices.__dataclass_fields__ if name not in {"submission"})


def submission_options(handler: Handler) -> Handler:
    """Give a command the options of signing and submitting; it is handed them as a `Submission`."""

    @wraps(handler)
    def gathered(**values: Any) -> Any:
        told = {name: values.pop(name) for name in _SUBMISSION}
        return handler(submission=Submission(**told), **values)

    whole: Handler = gathered
    for option in (
        json_option,
        timeout_option(60),
        url_option,
        building_options,
        signing_options,
    ):
        whole = option(whole)
    return whole


def office_options(handler: Handler) -> Handler:
    """Give a command the options of an act of offices, passed to it as one `Offices`."""

    @wraps(handler)
    def gathered(*, submission: Submission, **values: Any) -> Any:
        told = {name: values.pop(name) for name in _OFFICES}
        return handler(offices=Offices(submission=submission, **told), **values)

    whole: Handler = submission_options(gathered)
    for option in (
        click.option(
            "--dry-run",
            "dry",
            is_flag=True,
            help="Print the operation, for `khazana tx send` or `tx build`; sign and send nothing.",
        ),
        click.option(
            "--open-for",
            "open_for_h",
            type=click.FloatRange(0.01, OPEN_FOR_H_MAX),
            default=OPEN_FOR_H,
            show_default=True,
            help="With --propose: hours in which the other offices may approve.",
        ),
        click.option(
            "--propose",
            "proposing",
            is_flag=True,
            help="Put it on the ledger for the other offices, who approve it with their own keys.",
        ),
        click.option(
            "--approver",
            "approvers",
            multiple=True,
            help="Address of another office that stands behind it and signs here; once for each.",
        ),
        click.option("--account", required=True, help="Address of the office that acts."),
    ):
        whole = option(whole)
    return whole
