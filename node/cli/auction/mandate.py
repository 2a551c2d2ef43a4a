"""`khazana auction mandate`: let an office hand in bids on paper, or take that back."""

import click

from node.cli.exits import CommandError, Exit
from node.cli.submission import Submission, submission_options


@click.command()
@click.option("--account", required=True, help="Address that bids: to which the face would go.")
@click.option("--office", help="That may hand in its bids on paper, such as central-bank.")
@click.option(
    "--cash-account",
    help="Address that pays for them, and signs this too; the same as --account if left out.",
)
@click.option("--revoke", is_flag=True, help="Take the mandate back instead.")
@click.option(
    "--by",
    help="With --revoke: the address that takes it back, where it is the one that pays.",
)
@submission_options
def command(
    account: str,
    office: str | None,
    cash_account: str | None,
    by: str | None,
    *,
    revoke: bool,
    submission: Submission,
) -> None:
    """Give an office the mandate to hand in sealed envelopes for an account.

    Without one no office can bid for anybody. It counts for all auctions until it is taken back; a
    new one takes its place. What was handed in before stays a bid: before the close `khazana
    auction withdraw` takes that back, and no office lodges it again.

    \b
    Example:
      khazana auction mandate --office central-bank \\
        --account tkhz1m4jfmjaumapf949l52x4zamq3pykxjmvlxmm3u --development account-1
    """
    if revoke is (office is not None) or (revoke and cash_account) or (by and not revoke):
        raise CommandError(
            Exit.USAGE,
            "a mandate is given with --office, and perhaps --cash-account, or taken back with"
            " --revoke, and perhaps --by",
            advice="To give it: --office central-bank. To take it back: --revoke, without --office"
            " or --cash-account.",
        )
    if revoke:
        operation = {"type": "revoke_bid_mandate", "account": by or account, "bidding": account}
    else:
        operation = {
            "type": "give_bid_mandate",
            "account": account,
            "cash_account": cash_account or account,
            "office": str(office),
        }
    submission.send(operation)
