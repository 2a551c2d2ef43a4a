"""`khazana security define`: the issuer defines a bill, a bond or a sukuk."""

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from node.cli.asking import with_client
from node.cli.documents import digest_of
from node.cli.quote.figures import DAY, DAY_COUNTS, FIGURE
from node.cli.security.defining import KINDS, ORDERS, ROLLS, STUBS, Terms, terms_of
from node.cli.submission import Handler, Offices, office_options

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Asset

_NAMES: Final = tuple(name for name in Terms.__dataclass_fields__ if name != "written")
_OPTIONS: Final = (
    click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is."),
    click.option("--issue", type=DAY, required=True, help="From when it accrues: YYYY-MM-DD."),
    click.option("--matures", type=DAY, help="When its face is repaid: YYYY-MM-DD."),
    click.option("--tenor", help="In place of --matures: 84d, 6m, 5y after the issue."),
    click.option(
        "--rate",
        type=FIGURE,
        help="Coupon or rental, per cent a year; 0 where an auction decides it. Neither this nor"
        " --reference: it pays the face alone, as zero-coupon bonds and discounted sukuk do.",
    ),
    click.option(
        "--step",
        "steps",
        multiple=True,
        metavar="DAY=RATE",
        help="Another rate from a day on: 2029-02-11=12.5; once for each.",
    ),
    click.option("--reference", help="The rate floats with the last auction kept so: mtb-6m."),
    click.option(
        "--margin",
        type=FIGURE,
        default="0",
        show_default=True,
        help="Over the reference, per cent a year; 0 where an auction decides it.",
    ),
    click.option(
        "--floor",
        type=FIGURE,
        default="0",
        show_default=True,
        help="The least that floats, per cent a year.",
    ),
    click.option("--cap", type=FIGURE, help="The most that floats, per cent a year."),
    click.option(
        "--fixing-days",
        type=click.IntRange(0, 30),
        default=0,
        show_default=True,
        help="Business days from the fixing to the period.",
    ),
    click.option(
        "--stale-days",
        type=click.IntRange(1, 366),
        default=92,
        show_default=True,
        help="How old the auction may be at the fixing; if it is older, offices fix.",
    ),
    click.option(
        "--months",
        type=click.IntRange(1, 12),
        default=6,
        show_default=True,
        help="From one payment to the next.",
    ),
    click.option(
        "--day-count",
        type=click.Choice(DAY_COUNTS),
        help="How it accrues. Otherwise: ACT/ACT ICMA for bonds, ACT/365F for sukuk.",
    ),
    click.option(
        "--pricing-day-count",
        type=click.Choice(DAY_COUNTS),
        help="How many days are left of a period where it is priced. Otherwise: ACT/ACT ICMA, and"
        " ACT/365F for bills, which have no other.",
    ),
    click.option(
        "--calendar",
        default="pakistan",
        show_default=True,
        help="By whose business days it is paid.",
    ),
    click.option(
        "--roll",
        type=click.Choice(ROLLS),
        default="following",
        show_default=True,
        help="Where a payment moves off a day of no business.",
    ),
    click.option(
        "--stub",
        type=click.Choice(STUBS),
        default="none",
        show_default=True,
        help="Which period is not a whole one, where the tenor is no multiple of --months.",
    ),
    click.option(
        "--order",
        type=click.Choice(ORDERS),
        default="calculate-then-shift",
        show_default=True,
        help="Whether interest counts to the days of the terms, or to those moved by --roll.",
    ),
    click.option(
        "--end-of-month",
        is_flag=True,
        help="A schedule from the last day of a month keeps to last days.",
    ),
    click.option(
        "--record-days",
        type=click.IntRange(2, 30),
        default=2,
        show_default=True,
        help="Business days from the record to the payment.",
    ),
    click.option(
        "--grace-days",
        type=click.IntRange(0, 365),
        default=3,
        show_default=True,
        help="Days after which what is unpaid is in default.",
    ),
    click.option(
        "--callable",
        multiple=True,
        metavar="DAY[..DAY]=PRICE",
        help="The issuer may repay early on these days at this price per hundred; once for each.",
    ),
    click.option(
        "--call-notice-days",
        type=click.IntRange(1, 366),
        default=30,
        show_default=True,
        help="Days from a call to the repayment, at least.",
    ),
    click.option(
        "--call-in-part",
        is_flag=True,
        help="A share may be called too, with a payment of the schedule.",
    ),
    click.option(
        "--instalment",
        "instalments",
        multiple=True,
        metavar="NUMBER=SHARE",
        help="Per cent of the face that is repaid with the payment of this number; once for each,"
        " and the last payment repays the rest.",
    ),
    click.option(
        "--pool",
        multiple=True,
        metavar="NAME=FILE",
        help="Of a sukuk: something that is let, with its title; once for each.",
    ),
    click.option(
        "--face-unit",
        default="1",
        show_default=True,
        help="What may be held and moved below --multiple, and is never split: a rupee.",
    ),
    click.option(
        "--brought-back",
        is_flag=True,
        help="Of a bill: the ledger does not pay it, its holders bring it back (`redeem`), and no"
        " --face-unit holds.",
    ),
)


def _said(handler: Handler) -> Handler:
    """Give a command what can be said of a security, passed to it as one `Terms`."""

    @wraps(handler)
    def gathered(**values: Any) -> Any:
        told = {name: values.pop(name) for name in _NAMES}
        source = click.get_current_context().get_parameter_source
        written = frozenset(n for n in _NAMES if source(n) is ParameterSource.COMMANDLINE)
        return handler(said=Terms(**told, written=written), **values)

    whole: Handler = gathered
    for option in reversed(_OPTIONS):
        whole = option(whole)
    return whole


@click.command()
@click.argument("asset")
@click.option("--name", required=True, help="What people call it.")
@click.option("--isin", required=True, help="ISO 6166, with its check digit: PK0PIB05Y266.")
@click.option(
    "--document",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The term sheet; its SHA-256 goes on the ledger.",
)
@click.option("--multiple", required=True, help="Legal denomination, in face: 5000.")
@click.option("--ceiling", required=True, help="The most that may ever exist, in face.")
@click.option("--cash", default="PKR", show_default=True, help="In what it is paid.")
@click.option("--agent", help="Account that pays. Otherwise: --account.")
@click.option("--residue", help="Account that gets what rounding leaves. Otherwise: the agent.")
@_said
@office_options
def command(
    asset: str,
    name: str,
    isin: str,
    document: Path,
    multiple: str,
    ceiling: str,
    cash: str,
    agent: str | None,
    residue: str | None,
    *,
    said: Terms,
    offices: Offices,
) -> None:
    """Define ASSET: a bill, a bond or an Ijara sukuk of the office that acts. Once for ever.

    Nothing is issued by it: an auction or `khazana tx issue` does that. Its whole schedule is there
    at once (`khazana schedule ASSET`). What has no option here is written into what --dry-run
    prints, for `khazana tx send`.

    \b
    Examples:
      khazana security define MTB-3M-0511 --kind bill --name "Treasury bill, 84 days" \\
        --isin PK0MTB03M260 --issue 2027-02-11 --tenor 84d --document terms.pdf \\
        --multiple 5000 --ceiling 1000000000 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --propose --development finance-ministry/account
      khazana security define PIB-5Y --kind bond --name "Investment bond, 11.5 %" --rate 11.5 \\
        --isin PK0PIB05Y266 --issue 2027-02-11 --tenor 5y --document terms.pdf \\
        --multiple 100000 --ceiling 5000000000 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development finance-ministry/account --development central-bank/account
      khazana security define PFL-3Y --kind bond --name "Floating bond" --reference mtb-3m \\
        --isin PK0PFL03Y266 --months 3 --issue 2027-02-11 --tenor 3y --document terms.pdf \\
        --multiple 100000 --ceiling 5000000000 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 --dry-run
      khazana security define PIB-10Y --kind bond --name "Callable bond" --rate 12 \\
        --callable 2032-02-11..2036-02-11=101 --isin PK0PIB10Y266 --issue 2027-02-11 \\
        --tenor 10y --call-in-part --document terms.pdf --multiple 100000 --ceiling 5000000000 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --propose --development finance-ministry/account
    """
    given = offices.submission
    payer = agent or offices.account

    async def read(client: "Client") -> "tuple[Asset, str]":
        return (await client.asset(cash)).value, (await client.account(offices.account)).value.owner

    money, issuer = with_client(given.url, given.timeout_s, read)
    terms = terms_of(
        said,
        currency=money.identifiers["currency"] or cash,
        cash=cash,
        decimals=money.decimals,
        agent=payer,
        residue=residue or payer,
    )
    offices.send(
        {
            "type": "define_asset",
            "asset": asset,
            "name": name,
            "issuer": issuer,
            "identifiers": {"isin": isin, "currency": None, "dti": None},
            "terms": terms,
            "term_sheet_hash": digest_of(document),
            "decimals": money.decimals,
            "multiple": multiple,
            "ceiling": ceiling,
            "forced_transfer_allowed": False,
        }
    )
