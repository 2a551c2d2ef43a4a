"""`khazana auction decide`: the ministry sets the cut-off, or rejects all bids."""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import grouped, with_client
from node.cli.exits import CommandError, Exit
from node.cli.output import fields
from node.cli.quote.figures import FIGURE
from node.cli.submission import Offices, office_options

if TYPE_CHECKING:
    from node.client import Client

_E4: Final = 10_000
_LOWEST_FIRST: Final = frozenset({"rate", "margin", "buyback", "switch"})


@click.command()
@click.argument("auction")
@click.option(
    "--cut-off",
    type=FIGURE,
    help="The last price, rate or margin that is accepted: of a bid in the book.",
)
@click.option("--reject", is_flag=True, help="Accept no bid at all.")
@office_options
def command(auction: str, cut_off: Fraction | None, *, reject: bool, offices: Offices) -> None:
    """Decide AUCTION once its bids are opened: accept those up to the cut-off, or reject them all.

    The cut-off is that of a bid. Everything else follows from the announced rule: shares at the
    margin, averages, what each pays. How much each cut-off would cover, `khazana auction result`
    shows beforehand. Nothing takes a decision back.

    \b
    Examples:
      khazana auction decide mtb-3m-574 --cut-off 98.3815 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development finance-ministry/account
      khazana auction decide mtb-3m-575 --reject \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development finance-ministry/account
    """
    if reject is (cut_off is not None):
        raise CommandError(
            Exit.USAGE,
            "expected either --cut-off or --reject",
            advice="The last bid that gets something: --cut-off 97.1234; nobody does: --reject."
            f" `khazana auction show {auction}` has the stage.",
        )
    units = None if cut_off is None else cut_off * _E4
    if units is not None and units.denominator != 1:
        raise CommandError(
            Exit.USAGE,
            f"--cut-off is {float(cut_off or 0):.8g}; expected at most four decimals",
            advice="Name the cut-off as a bid is written: a price per hundred or a rate in per"
            " cent, with at most four decimals.",
        )

    async def read(client: "Client") -> dict[str, Any]:
        return await _outlook(client, auction, cut_off)

    given = offices.submission
    said = "" if reject else fields(with_client(given.url, given.timeout_s, read)) + "\n"
    offices.send(
        {
            "type": "decide_auction",
            "auction": auction,
            "cut_off_e4": None if units is None else units.numerator,
        },
        said,
    )


async def _outlook(client: "Client", auction: str, cut_off: Fraction | None) -> dict[str, Any]:
    """Return how much face stands at the cut-off and before it, in the book as it is."""
    terms = (await client.auction(auction)).value.terms
    rows = (await client.auction_ladder(auction)).value
    assert cut_off is not None, "asked where there is one"
    is_lowest_first = terms["form"] in _LOWEST_FIRST
    covered = unpriced = Decimal(0)
    for row in rows:
        if row.price is None:
            unpriced += row.face
        elif Fraction(row.price) == cut_off or (Fraction(row.price) < cut_off) is is_lowest_first:
            covered += row.face
    return {
        "target": grouped(terms["target"]),
        f"bid for at {float(cut_off):.4f} or better": grouped(str(covered)),
        "bid for without a price": grouped(str(unpriced)),
    }
