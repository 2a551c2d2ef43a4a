"""`khazana auction reveal`: open the bids that were sealed here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.auction.contents import bid_units
from node.cli.auction.sealed import folder_option, load
from node.cli.exits import CommandError, Exit
from node.cli.failures import explain
from node.cli.submission import Submission, submission_options

if TYPE_CHECKING:
    from node.client import Client, Draft
    from node.client.reads import Receipt

_NONE_OPENED: Final = (
    "None of them was opened. Open those that can be with --number, once for each;"
    " `khazana auction bids` has the numbers."
)


@click.command()
@click.argument("auction")
@click.option("--account", required=True, help="Address that has bid.")
@click.option("--cash-account", help="Address that pays; the same as --account if it is left out.")
@click.option(
    "--number", "numbers", multiple=True, type=int, help="Only the bid of this number; repeatable."
)
@folder_option
@submission_options
def command(
    auction: str,
    account: str,
    cash_account: str | None,
    numbers: tuple[int, ...],
    folder: Path,
    *,
    submission: Submission,
) -> None:
    """Open the sealed bids of an account in an AUCTION, all together, and wait until it is final.

    From the close to the end of revealing. What opens them is read from the files that `khazana
    auction bid` has written to --bids. All are opened or none: where one of them cannot be, open
    the others with --number.

    \b
    Example:
      khazana auction reveal mtb-3m-574 \\
        --cash-account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    from node.client import Refused

    signers = submission.signers()

    async def act(client: "Client") -> "tuple[Draft, Receipt]":
        operations = await _operations(
            client, auction, folder, account=account, payer=cash_account or account, wanted=numbers
        )
        try:
            return await submission.submit(client, operations, signers)
        except Refused as refused:
            if len(operations) == 1:
                raise
            failure = explain(refused)
            failure.advice = _NONE_OPENED
            raise failure from refused

    submission.carry_out(act)


async def _operations(
    client: "Client",
    auction: str,
    folder: Path,
    *,
    account: str,
    payer: str,
    wanted: Sequence[int],
) -> list[dict[str, Any]]:
    """Return what opens the sealed bids that the ledger has and a file here opens.

    Raises:
        CommandError: there are none, or one that is wanted is not among them.
    """
    network = client.network.genesis_hash.hex()
    files = load(folder, network=network, auction=auction, account=account)
    owner = (await client.account(account)).value.owner
    there = (await client.bidder(owner, auction)).value.bids
    found = {
        bid.number: files[bid.commitment]
        for bid in there
        if bid.commitment in files and bid.face is None and bid.account == account
    }
    missing = sorted(set(wanted) - found.keys())
    if missing or not found:
        named = f"bid {missing[0]}" if missing else "a bid"
        raise CommandError(
            Exit.REFUSED,
            f"{named} of {account} in {auction} cannot be opened: it is not sealed on the ledger,"
            f" or no file in {folder} opens it",
            advice="`khazana auction bids` prints what is sealed; --bids names the folder.",
        )
    return [
        {
            "type": "reveal_bid",
            "account": account,
            "cash_account": payer,
            "auction": auction,
            "number": number,
            "asset": bid.asset,
            "price_e4": bid_units(bid.price),
            "face": bid.face,
            "salt": bid.salt,
        }
        for number, bid in sorted(found.items())
        if not wanted or number in wanted
    ]
