"""`khazana auction lodge`: an office hands in an envelope, or gives one back."""

from typing import Any

import click

from node.cli.auction.envelope import digits_of
from node.cli.exits import CommandError, Exit
from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("auction")
@click.option("--account", required=True, help="Address of your own office.")
@click.option("--bidder", help="Address that bids, as it stands on the envelope.")
@click.option("--hash", "hash_", help="64 hexadecimal digits, as they stand on the envelope.")
@click.option(
    "--return", "returned", type=int, metavar="NUMBER", help="Give this envelope back instead."
)
@submission_options
def command(
    auction: str,
    account: str,
    bidder: str | None,
    hash_: str | None,
    returned: int | None,
    *,
    submission: Submission,
) -> None:
    """Hand in the hash of a sealed envelope in an AUCTION before its close, for your office.

    The bidder has given your office a mandate. What is in the envelope, nobody knows before it is
    opened. What your office does not enter after the close is void, and counts against it. With
    --return an envelope is given back unopened: its bidder asks for it, or the hash was mistyped.
    What the bidder withdrew by its own key cannot be handed in again.

    \b
    Example:
      khazana auction lodge mtb-3m-574 --hash "$HASH" \\
        --bidder tkhz1m4jfmjaumapf949l52x4zamq3pykxjmvlxmm3u \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl --development central-bank/account
    """
    operation: dict[str, Any] = {"account": account, "approvers": [], "auction": auction}
    if returned is not None and bidder is None and hash_ is None:
        operation |= {"type": "return_envelope", "number": returned}
    elif returned is None and bidder is not None and hash_ is not None:
        commitment = digits_of(hash_, "hash").hex()
        operation |= {"type": "lodge_envelope", "bidding": bidder, "commitment": commitment}
    else:
        raise CommandError(
            Exit.USAGE,
            "an envelope is handed in with --bidder and --hash, or given back: --return",
            advice=f"`khazana auction envelopes {auction}` lists those that are there, with their"
            " numbers.",
        )
    submission.send(operation)
