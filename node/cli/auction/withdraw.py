"""`khazana auction withdraw`: take sealed bids back before the close."""

import click

from node.cli.submission import Submission, submission_options


@click.command()
@click.argument("auction")
@click.option("--account", required=True, help="Address that has bid.")
@click.option(
    "--number", "numbers", multiple=True, required=True, type=int, help="Of the bid; repeatable."
)
@submission_options
def command(
    auction: str,
    account: str,
    numbers: tuple[int, ...],
    *,
    submission: Submission,
) -> None:
    """Withdraw sealed bids from an AUCTION before its close. What they said, nobody learns.

    An envelope on paper that its bidder withdraws so is not lodged again in this auction, though
    the office still has it; the mandate stands for others.

    \b
    Example:
      khazana auction withdraw mtb-3m-574 --number 2 \\
        --account tkhz1lnx50cy9y8zk70xee0uzjzdswdmdynskr3ye8j --development account-0
    """
    submission.send(
        *(
            {"type": "withdraw_bid", "account": account, "auction": auction, "number": number}
            for number in numbers
        )
    )
