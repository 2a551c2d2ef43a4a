"""`khazana auction announce`: what will be auctioned, to whom and by which rule."""

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from node.cli.asking import with_client
from node.cli.auction.announcing import (
    FORMS,
    KINDS,
    METHODS,
    NONCOMPETITIVE_PRICES,
    OVERSUBSCRIPTIONS,
    REALLOTMENTS,
    Wanted,
    terms_of,
)
from node.cli.auction.business import days_off
from node.cli.auction.cycles import calendar_name, cycle_of, read_calendar
from node.cli.auction.summary import summary_of
from node.cli.exits import CommandError, Exit
from node.cli.moments import zone_at
from node.cli.output import fields
from node.cli.quote.figures import FIGURE
from node.cli.submission import Handler, Offices, office_options

if TYPE_CHECKING:
    from node.client import Client
    from node.client.reads import Asset

Announcement: TypeAlias = tuple[dict[str, Any], dict[str, str]]

_NAMES: Final = tuple(Wanted.__dataclass_fields__)
_OPTIONS: Final = (
    click.option("--target", required=True, help="Face on offer, or to be taken back: 100000000."),
    click.option(
        "--form",
        type=click.Choice(FORMS),
        help="What is bid for: a price; the rate or the margin of a new line at par; a price at"
        " which the line is bought back, or switched for another. Otherwise: price.",
    ),
    click.option(
        "--opens", required=True, help="When bids begin: 2027-02-10T10:00 in local time; +30m."
    ),
    click.option(
        "--closes", required=True, help="The cut-off time of bids; +2h counts from there."
    ),
    click.option("--reveals-until", help="Until when sealed bids are opened. Otherwise: +1h."),
    click.option("--decides-until", help="Until when it is decided. Otherwise: +2h."),
    click.option(
        "--settles",
        help="When it is delivered and paid: a moment, or such as T+1, so many business days of the"
        " calendar after the one to which the cut-off time belongs. Otherwise: at the next local"
        " midnight; of a new line not before its day of issue.",
    ),
    click.option(
        "--calendar",
        help="Moves the settlement to a business day. Otherwise: the line's own, or none.",
    ),
    click.option(
        "--method",
        type=click.Choice(METHODS),
        help="Whether each pays its own price or all pay the cut-off. Otherwise: multiple, and"
        " uniform for sukuk, rates and margins.",
    ),
    click.option("--multiple", help="Of which each bid is one. Otherwise: the line's."),
    click.option(
        "--quantum",
        type=FIGURE,
        help="Of which each price is a multiple. Otherwise: 0.0001, and 0.01 of a rate or margin.",
    ),
    click.option("--cash", help="In what is paid. Otherwise: the cash of the line's currency."),
    click.option(
        "--proceeds", help="Account of the issuer that is paid, or pays. Otherwise: --account."
    ),
    click.option(
        "--bidders",
        multiple=True,
        type=click.Choice(KINDS),
        help="Who may bid with a price, once for each kind. Otherwise: bank.",
    ),
    click.option(
        "--licence",
        "licences",
        multiple=True,
        help="Who has this licence may bid with a price as well, such as exchange; repeatable.",
    ),
    click.option(
        "--bids-per-bidder", type=click.IntRange(1, 100), help="At most so many. Otherwise: 10."
    ),
    click.option(
        "--bidder-share",
        type=FIGURE,
        help="Per cent of the target that a bidder may bid for. Otherwise: 100.",
    ),
    click.option(
        "--noncompetitive",
        type=FIGURE,
        help="Per cent of the target for bids without a price, served first. Otherwise: 0.",
    ),
    click.option(
        "--noncompetitive-kind",
        "noncompetitive_kinds",
        multiple=True,
        type=click.Choice(KINDS),
        help="Who may bid without a price, once for each kind. Otherwise: company and person.",
    ),
    click.option("--noncompetitive-least", help="Face of such a bid. Otherwise: the multiple."),
    click.option("--noncompetitive-most", help="Face of such a bid; said where there are any."),
    click.option(
        "--noncompetitive-price",
        type=click.Choice(NONCOMPETITIVE_PRICES),
        help="What they pay. Otherwise: the average, and where all pay one price, the cut-off.",
    ),
    click.option(
        "--oversubscription",
        type=click.Choice(OVERSUBSCRIPTIONS),
        help="How they share what is not enough. Otherwise: pro-rata.",
    ),
    click.option(
        "--prorata-step", help="Shares at the margin are multiples of it. Otherwise: --multiple."
    ),
    click.option(
        "--filled-whole", help="Bids at the margin up to this face are filled first. Otherwise: 0."
    ),
    click.option(
        "--reallotment",
        type=click.Choice(REALLOTMENTS),
        help="Who gets what is not paid for: nobody, or who was cut short at the cut-off."
        " Otherwise: none.",
    ),
    click.option(
        "--failing-days",
        type=click.IntRange(0, 3_660),
        help="How long who does not pay may not bid. Otherwise: 0, it is noted.",
    ),
    click.option(
        "--unrevealed-days",
        type=click.IntRange(0, 3_660),
        help="How long who leaves a bid unopened may not bid. Otherwise: 0, it is noted.",
    ),
    click.option(
        "--reference", help="Under which name a bill's average is kept for floaters: mtb-6m."
    ),
    click.option("--destination", help="Of a switch: code of the line that is given."),
    click.option(
        "--destination-price", type=FIGURE, help="Of a switch: its price per hundred, clean."
    ),
)


def _wanted(handler: Handler) -> Handler:
    """Give a command what can be said of an auction, passed to it as one `Wanted`."""

    @wraps(handler)
    def gathered(**values: Any) -> Any:
        told = {name: values.pop(name) for name in _NAMES}
        return handler(wanted=Wanted(**told), **values)

    whole: Handler = gathered
    for option in reversed(_OPTIONS):
        whole = option(whole)
    return whole


@click.command()
@click.argument("auction")
@click.option("--asset", required=True, help="Code of the line that is sold or taken back.")
@click.option("--like", help="Name of an auction: what no option says is as it was there.")
@_wanted
@office_options
def command(
    auction: str, asset: str, like: str | None, *, wanted: Wanted, offices: Offices
) -> None:
    """Announce AUCTION, under a name that no other ever had. Nothing takes it back.

    It takes the offices that the powers matrix names: sign with the keys of both, or say --propose
    and let the other approve on the ledger. What will be announced is printed first, and which of
    its days are none of business; with --dry-run nothing else happens. The times are local unless
    they say otherwise.

    \b
    Examples:
      khazana auction announce mtb-3m-574 --asset MTB-3M-0511 --target 100000 \\
        --opens +2d --closes +90m --settles T+1 --reference mtb-3m \\
        --bidders person --bids-per-bidder 5 \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --propose --development finance-ministry/account
      khazana auction announce mtb-3m-575 --like mtb-3m-574 --asset MTB-3M-0525 \\
        --target 80000 --opens +16d --closes +90m \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --approver tkhz1686d8jmqe9fkz88v6258yfjdwrlscgea4rjgyl \\
        --development finance-ministry/account --development central-bank/account
      khazana auction announce gis-5y-1 --asset GIS-5Y --form rate --target 5000000 \\
        --opens +2d --closes +2h \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 \\
        --propose --development finance-ministry/account
      khazana auction announce switch-1 --asset PIB-3Y --form switch --target 2000000 \\
        --destination PIB-10Y --destination-price 99.2500 --opens +1d --closes +2h \\
        --account tkhz132yu9kqdk7z4hpjtukzezx4746l28mnwnl8el4 --dry-run
    """

    async def read(client: "Client") -> Announcement:
        line = (await client.asset(asset)).value
        if line.kind == "cash":
            raise CommandError(
                Exit.USAGE,
                f"{asset} is cash; expected the code of a bill, a bond or a sukuk",
                advice="`khazana query assets` lists those there are.",
            )
        before = None if like is None else (await client.auction(like)).value.terms
        zone = await zone_at(client)
        days = None
        if cycle_of(wanted.settles) is not None:
            days = await read_calendar(client, calendar_name(wanted.calendar, before, line.terms))
        cash = wanted.cash or (before or {}).get("cash") or await _cash_of(client, line)
        now = (await client.status()).time
        try:
            terms = terms_of(
                wanted,
                line,
                before,
                cash=cash,
                proceeds=offices.account,
                now=now,
                zone=zone,
                days=days,
            )
            summary = summary_of(terms, line, zone=zone)
            return terms, summary | await days_off(client, terms, zone)
        except OverflowError:
            raise CommandError(
                Exit.USAGE,
                "its moments reach beyond the days that there are, 0001-01-01 to 9999-12-31",
                advice="Look at --opens, --closes and --settles: a moment is 2027-02-10T11:30, or"
                " +90m after what comes before.",
            ) from None

    given = offices.submission
    terms, summary = with_client(given.url, given.timeout_s, read)
    offices.send(
        {"type": "announce_auction", "auction": auction, "terms": terms},
        f"{auction}\n{fields(summary)}\n",
    )


async def _cash_of(client: "Client", line: "Asset") -> str:
    """Return in what a line is paid.

    Raises:
        CommandError: its terms do not say it, and there is not one cash of its currency.
    """
    plan = line.terms.get("plan")
    if plan is not None:
        return str(plan["cash"])
    currency = line.terms.get("face_currency")
    found = [
        each.asset
        for each in (await client.assets()).value
        if each.kind == "cash"
        and each.identifiers["currency"] == currency
        and each.decimals == line.decimals
    ]
    if len(found) != 1:
        named = ", ".join(found) or "none"
        raise CommandError(
            Exit.USAGE,
            f"cash in {currency} with {line.decimals} decimals: {named}",
            advice="Say in what is paid with --cash.",
        )
    return found[0]
