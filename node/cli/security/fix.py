"""`khazana security fix`: two offices bring a rate that no auction gives."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.quote.figures import FIGURE
from node.cli.submission import Offices, office_options

if TYPE_CHECKING:
    from node.client import Client

_PPM_OF_PERCENT = 10_000


@click.command()
@click.argument("asset")
@click.option(
    "--reference", required=True, type=FIGURE, help="Per cent a year, without the margin: 11.25."
)
@click.option("--source", required=True, help="Which publication it is from, and of which days.")
@click.option(
    "--payment", type=int, help="Number of the payment; without it the one whose rate is awaited."
)
@office_options
def command(
    asset: str,
    reference: Fraction,
    source: str,
    payment: int | None,
    *,
    offices: Offices,
) -> None:
    """Fix the rate of a payment of ASSET, whose rate floats and which no auction has fixed.

    The reference has at most four decimals; margin, floor and cap are those of the terms.

    \b
    Example:
      khazana security fix PFL-5Y-2031 --reference 11.25 \\
        --source "PKRV 6M, mean of 2026-11-16 to 2026-11-20" \\
        --account tkhz1… --approver tkhz1… --key bank.json --key ministry.json
    """
    ppm = reference * _PPM_OF_PERCENT
    if ppm.denominator != 1:
        raise CommandError(
            Exit.USAGE,
            f"--reference is {float(reference):.8g} %; expected at most four decimals",
        )
    if payment is None:
        payment = _awaited(
            asset, with_client(offices.submission.url, offices.submission.timeout_s, _asking(asset))
        )
    offices.send(
        {
            "type": "fix_rate",
            "asset": asset,
            "payment": payment,
            "reference_ppm": ppm.numerator,
            "source": source,
        }
    )


def _asking(asset: str) -> Any:
    async def act(client: "Client") -> Mapping[str, Any]:
        result: Mapping[str, Any] = await client.call("khz_schedule", asset=asset)
        return result

    return act


def _awaited(asset: str, schedule: Mapping[str, Any]) -> int:
    """Return the number of the first payment whose rate the offices are to bring.

    Raises:
        CommandError: none is awaited.
    """
    for payment in schedule["payments"]:
        fixing = payment["fixing"]
        if fixing is not None and fixing["reference"] is None:
            number: int = payment["number"]
            return number
    raise CommandError(
        Exit.REFUSED,
        f"no rate of {asset} is awaited",
        advice=f"`khazana schedule {asset}` shows the fixing days.",
    )
