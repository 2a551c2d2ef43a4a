"""`khazana auction enter`: two offices enter what an envelope holds, each from the paper."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from node.cli.auction.contents import contents_of
from node.cli.auction.envelope import digits_of
from node.cli.exits import CommandError, Exit
from node.cli.output import emit
from node.cli.validator.changing import refusal_of, what_next
from node.cli.validator.office import Office, Pen, proposing_office

if TYPE_CHECKING:
    from node.client import Client
    from node.client.paper import Envelope
    from node.client.reads import Proposal


@click.command()
@click.argument("auction")
@click.option("--number", required=True, type=int, help="Of the envelope.")
@click.option("--face", required=True, help="As it is written, in units of the asset.")
@click.option("--price", help="As it is written; none: without a price.")
@click.option("--salt", required=True, help="64 hexadecimal digits, as they are written.")
@proposing_office
def command(
    *, office: Office, auction: str, number: int, face: str, price: str | None, salt: str
) -> None:
    """Enter an envelope of an AUCTION for your office, from the close to the end of opening.

    Two offices run this command, each with what it reads on the paper: the first proposes, and the
    second completes it. What does not fit the hash on the envelope is refused before anything is
    sent.

    \b
    Example:
      khazana auction enter mtb-3m-574 --number 3 --price 98.3815 --face 25000 --salt "$SALT" \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    drawn = digits_of(salt, "salt")

    async def act(client: "Client", pen: Pen) -> dict[str, Any]:
        terms = (await client.auction(auction)).value.terms
        envelope = await _envelope(client, auction, number)
        if envelope.face is not None:
            raise CommandError(
                Exit.REFUSED,
                f"two offices have entered envelope {number} of {auction} already",
                advice="`khazana auction envelopes` has what it holds.",
            )
        content = await contents_of(
            client, auction, terms, account=envelope.account, price=price, face=face, salt=drawn
        )
        _check_hash(envelope, content)
        read = {"price_e4": content.price_e4, "face": face, "salt": drawn.hex()}
        waiting = await _waiting(client, auction, number, read)
        for proposal in waiting:
            if office.account not in proposal.approvals:
                return await pen.approve(proposal.id)
        if waiting:
            raise CommandError(
                Exit.REFUSED,
                f"your office has entered envelope {number} already, as proposal {waiting[0].id}",
                advice="The other office runs the same command with its own account and key.",
            )
        operation = {"type": "enter_bid", "approvers": [], "auction": auction, "number": number}
        return await pen.propose({**operation, "asset": terms["asset"], **read})

    _tell(office.act(act), number, auction, as_json=office.as_json)


async def _envelope(client: "Client", auction: str, number: int) -> "Envelope":
    found = (await client.envelopes(auction)).value
    for each in found:
        if each.number == number:
            return each
    raise CommandError(
        Exit.REFUSED,
        f"auction {auction} has no envelope {number}",
        advice="`khazana auction envelopes` lists those there are.",
    )


def _check_hash(envelope: "Envelope", content: Any) -> None:
    from node.ledger.auctions import commitment_of

    found = commitment_of(content).hex()
    if found != envelope.commitment:
        raise CommandError(
            Exit.REFUSED,
            f"what you have typed has the hash {found}, envelope {envelope.number} has"
            f" {envelope.commitment}",
            advice="Read price, face and salt again. If they are as written, the bidder has made a"
            " slip, and nothing can be entered.",
        )


async def _waiting(
    client: "Client", auction: str, number: int, read: Mapping[str, Any]
) -> "list[Proposal]":
    """Return the open proposals that enter the same. Others do not fit the hash, and never will."""
    wanted = {"type": "enter_bid", "auction": auction, "number": number}
    return [
        each
        for each in (await client.proposals()).value
        if len(each.operations) == 1
        and all(each.operations[0].get(name) == value for name, value in wanted.items())
        and _same(each.operations[0], read)
    ]


def _same(operation: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    faces = Decimal(str(operation["face"])), Decimal(str(read["face"]))
    return faces[0] == faces[1] and all(
        operation[name] == read[name] for name in ("price_e4", "salt")
    )


def _tell(facts: Mapping[str, Any], number: int, auction: str, *, as_json: bool) -> None:
    what = f"envelope {number} of {auction}"
    if facts["state"] == "refused":
        raise CommandError(
            Exit.REFUSED,
            f"{what}: the ledger has refused it: {refusal_of(facts['refused'])}",
            facts=dict(facts),
            advice=what_next(facts["refused"]),
        )
    if facts["state"] == "applied":
        text = f"{what}: entered by two offices in block {facts['height']}"
    else:
        text = (
            f"{what}: entered by your office. The second one runs the same command with what it"
            " reads on the paper, before the end of opening."
        )
    emit(facts, text, as_json=as_json)
