"""`khazana auction bid`: bid under seal with a price, or openly without one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.auction.contents import contents_of
from node.cli.auction.sealed import SealedBidFile, folder_option, new_salt, store
from node.cli.exits import CommandError, Exit
from node.cli.output import note
from node.cli.submission import Submission, submission_options

if TYPE_CHECKING:
    from node.client import Client, Draft
    from node.client.reads import Receipt


@click.command()
@click.argument("auction")
@click.option(
    "--account",
    required=True,
    help="Address to which the face would go, or from which it is offered in a buyback or a"
    " switch; in a switch the new line comes there.",
)
@click.option("--face", required=True, help="In units of the asset, such as 1000000.")
@click.option(
    "--price",
    help="Per hundred, such as 98.3815; per cent a year where the rate or the margin is bid for, a"
    " margin perhaps below zero. Without it: non-competitive.",
)
@click.option(
    "--cash-account",
    help="Address that pays for a bid without a price; the same as --account if left out. A sealed"
    " bid names it when it is opened.",
)
@folder_option
@submission_options
def command(
    auction: str,
    account: str,
    face: str,
    price: str | None,
    cash_account: str | None,
    folder: Path,
    *,
    submission: Submission,
) -> None:
    """Bid in an AUCTION, and wait until the bid is final.

    With --price only a hash is handed in. What it hides is written to a file of --bids first; open
    it with `khazana auction reveal` after the close, or it counts against you. Without --price the
    bid is open at once and takes whatever the auction makes such bids pay; one a person, for two
    are both void.

    \b
    Example:
      khazana auction bid mtb-3m-574 --price 98.3815 --face 25000 \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    signers = submission.signers()
    if price is not None and cash_account is not None:
        raise CommandError(
            Exit.USAGE,
            "a sealed bid names no --cash-account",
            advice="Give it to `khazana auction reveal`.",
        )

    async def act(client: "Client") -> "tuple[Draft, Receipt]":
        terms = (await client.auction(auction)).value.terms
        if price is None:
            await _refuse_second(client, auction, account)
            operation: dict[str, Any] = {
                "type": "place_bid",
                "account": account,
                "cash_account": cash_account or account,
                "auction": auction,
                "asset": terms["asset"],
                "face": face,
            }
        else:
            sealed = await _seal(client, auction, terms, account=account, price=price, face=face)
            note(f"what opens this bid is kept in {store(folder, sealed)}")
            operation = {
                "type": "commit_bid",
                "account": account,
                "auction": auction,
                "commitment": sealed.commitment,
            }
        return await submission.submit(client, [operation], signers)

    submission.carry_out(act)


async def _refuse_second(client: "Client", auction: str, account: str) -> None:
    """Keep a person from what would leave it with nothing.

    Raises:
        CommandError: the person has a bid without a price in the auction: two are both void.
    """
    owner = (await client.account(account)).value.owner
    for bid in (await client.bidder(owner, auction)).value.bids:
        if bid.commitment is None:
            raise CommandError(
                Exit.REFUSED,
                f"{owner} has a bid without a price in {auction}, number {bid.number}; a second one"
                " makes both void",
                advice="One person, one such bid, through whichever account: leave it at that one.",
            )


async def _seal(
    client: "Client", auction: str, terms: Any, *, account: str, price: str, face: str
) -> SealedBidFile:
    """Return a sealed bid that can be opened later.

    Raises:
        CommandError: it could not: price or face are not what the auction takes.
    """
    from node.ledger.auctions import commitment_of
    from node.ledger.auctions.averages import PRICE_DECIMALS
    from node.ledger.pricing import text

    salt = new_salt()
    content = await contents_of(
        client, auction, terms, account=account, price=price, face=face, salt=salt
    )
    assert content.price_e4 is not None  # a price was given
    return SealedBidFile(
        network=client.network.genesis_hash.hex(),
        auction=auction,
        account=account,
        asset=terms["asset"],
        price=text(content.price_e4, PRICE_DECIMALS),
        face=face,
        salt=salt.hex(),
        commitment=commitment_of(content).hex(),
    )
