"""`khazana security fix`: two offices bring a rate that no auction gives."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.output import note
from node.cli.quote.figures import FIGURE, plain
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

    The reference has at most four decimals, and may be below zero; margin, floor and cap are those
    of the terms. What the payment will pay is printed before anything is signed: it is fixed once.

    \b
    Example:
      khazana security fix PFL-5Y --reference 11.25 \\
        --source "PKRV 6M, mean of 2026-11-16 to 2026-11-20" \\
        --account tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --approver tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --development central-bank/account --development finance-ministry/account
    """
    ppm = reference * _PPM_OF_PERCENT
    if ppm.denominator != 1:
        raise CommandError(
            Exit.USAGE,
            f"--reference is {float(reference):.8g} %; expected at most four decimals",
            advice="Round the rate to four decimals of a per cent, as it was published.",
        )

    async def read(client: "Client") -> tuple[Mapping[str, Any], int]:
        shown = await client.call("khz_asset", asset=asset)
        number = payment
        if number is None:
            number = _awaited(asset, await client.call("khz_schedule", asset=asset))
        return shown["asset"]["terms"].get("plan") or {}, number

    plan, number = with_client(offices.submission.url, offices.submission.timeout_s, read)
    if floating := plan.get("floating"):
        note(f"payment {number} of {asset} {_paid(floating, ppm.numerator)}")
    offices.send(
        {
            "type": "fix_rate",
            "asset": asset,
            "payment": number,
            "reference_ppm": ppm.numerator,
            "source": source,
        }
    )


def _paid(floating: Mapping[str, Any], reference_ppm: int) -> str:
    """Return what is paid by a reference, and how that comes."""
    margin, floor, cap = (floating[name] for name in ("margin_ppm", "floor_ppm", "cap_ppm"))
    rate = max(floor, min(reference_ppm + margin, cap))
    told = [plain(Fraction(each, _PPM_OF_PERCENT)) for each in (reference_ppm, margin, floor, cap)]
    return (
        f"will pay {plain(Fraction(rate, _PPM_OF_PERCENT))} % a year: {told[0]} % and a margin of"
        f" {told[1]} %, at least {told[2]} % and at most {told[3]} %; a rate is fixed once"
    )


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
