"""`khazana auction envelope`: the form that a bidder fills an envelope with."""

from datetime import timezone
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.auction.contents import contents_of
from node.cli.auction.sealed import new_salt
from node.cli.exits import CommandError, Exit
from node.cli.moments import told, zone_at
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.client import Client

_DIGITS: Final = 64
_GROUP: Final = 8
_WIDTH: Final = 76


@click.command()
@click.argument("auction")
@click.option("--account", required=True, help="Address to which the face would go.")
@click.option("--face", required=True, help="In units of the asset, such as 1000000.")
@click.option(
    "--price", help="Per hundred, or per cent a year, as in `khazana auction bid`; none: without."
)
@click.option("--salt", help="64 hexadecimal digits of one's own; drawn if left out.")
@url_option
@timeout_option(10)
@json_option
def command(
    auction: str,
    account: str,
    face: str,
    price: str | None,
    salt: str | None,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Print the form of a bid on paper in an AUCTION: what goes into the envelope, and onto it.

    Nothing is handed in, and nothing is kept here. The hash on the envelope binds to what is in it:
    no office can enter anything else. Keep a copy of the inner sheet: with a key of your own it
    opens the bid as well. The office needs a mandate (`khazana auction mandate`).

    \b
    Example:
      khazana auction envelope mtb-3m-574 --price 98.3815 --face 25000 \\
        --account tkhz1m4jfmjaumapf949l52x4zamq3pykxjmvlxmm3u
    """
    drawn = new_salt() if salt is None else digits_of(salt, "salt")

    async def read(client: "Client") -> tuple[dict[str, Any], timezone]:
        facts = await _facts(client, auction, account=account, price=price, face=face, salt=drawn)
        return facts, await zone_at(client)

    facts, zone = with_client(url, timeout_s, read)
    emit(facts, _form(facts, zone), as_json=as_json)


def digits_of(text: str, what: str) -> bytes:
    """Return the salt or hash that these digits write, in groups or in one.

    Raises:
        CommandError: they are not 64 hexadecimal digits.
    """
    digits = "".join(text.split()).lower()
    if len(digits) != _DIGITS or set(digits) - set("0123456789abcdef"):
        raise CommandError(
            Exit.USAGE,
            f"the {what} is {len(digits)} characters; expected {_DIGITS} hexadecimal digits",
            advice="Read it from the form; blanks between groups do not count.",
        )
    return bytes.fromhex(digits)


async def _facts(
    client: "Client", auction: str, *, account: str, price: str | None, face: str, salt: bytes
) -> dict[str, Any]:
    from node.ledger.auctions import commitment_of

    terms = (await client.auction(auction)).value.terms
    content = await contents_of(
        client, auction, terms, account=account, price=price, face=face, salt=salt
    )
    mandate = (await client.bid_mandate(account)).value
    return {
        "network": client.network.genesis_hash.hex(),
        "auction": auction,
        "asset": terms["asset"],
        "account": account,
        "closes": terms["closes"],
        "office": None if mandate is None else mandate.office,
        "cash_account": None if mandate is None else mandate.cash_account,
        "price": price,
        "face": face,
        "salt": salt.hex(),
        "commitment": commitment_of(content).hex(),
    }


def _form(facts: dict[str, Any], zone: timezone) -> str:
    rule = "-" * _WIDTH
    office = facts["office"] or "no mandate yet: `khazana auction mandate` gives one"
    return "\n".join(
        [
            rule,
            "ON THE ENVELOPE",
            rule,
            f"auction    {facts['auction']} of {facts['asset']}",
            f"closes     {told(facts['closes'], zone)}, local time ({zone})",
            f"account    {facts['account']}",
            f"office     {office}",
            f"hash       {_grouped(facts['commitment'])}",
            "",
            rule,
            "IN THE ENVELOPE: keep a copy, show it to nobody before the close",
            rule,
            f"auction    {facts['auction']}",
            f"account    {facts['account']}",
            f"paid from  {facts['cash_account'] or 'as the mandate will say'}",
            f"price      {facts['price'] or 'without a price'}",
            f"face       {facts['face']}",
            f"salt       {_grouped(facts['salt'])}",
            "",
            "signature  " + "_" * 40,
            rule,
        ]
    )


def _grouped(digits: str) -> str:
    """Return digits as people read them from paper, in two lines."""
    groups = [digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP)]
    half = len(groups) // 2
    return " ".join(groups[:half]) + "\n" + " " * 11 + " ".join(groups[half:])
