"""What a bid says before it is sealed: checked, for nobody could tell before it is opened."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from node.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from node.client import Client
    from node.ledger.auctions import SealedBid


_BPS: Final = 10_000


def bid_units(price: str) -> int:
    """Return a price, rate or margin in units of 0.0001; a margin may stand below zero.

    Raises:
        AmountError: it is no such figure.
    """
    from node.amounts import parse_amount
    from node.ledger.auctions.averages import PRICE_DECIMALS

    units = parse_amount(price.removeprefix("-"), decimals=PRICE_DECIMALS)
    return -units if price.startswith("-") else units


async def contents_of(
    client: "Client",
    auction: str,
    terms: Any,
    *,
    account: str,
    price: str | None,
    face: str,
    salt: bytes,
) -> "SealedBid":
    """Return a bid that can be opened later.

    Args:
        price: None: without one, as an envelope may be.

    Raises:
        CommandError: it could not be opened: price or face are not what the auction takes.
    """
    from node.ledger.auctions import Form, SealedBid
    from node.ledger.auctions.averages import PRICE_DECIMALS
    from node.ledger.auctions.terms import bounds_of
    from node.ledger.pricing import text

    form = Form[terms["form"].upper()]
    with _refusing("--price"):
        price_e4 = None if price is None else bid_units(price)
    with _refusing("--face"):
        minor = await client.minor_units(face, terms["asset"])
    multiple = await client.minor_units(terms["multiple"], terms["asset"])
    target = await client.minor_units(terms["target"], terms["asset"])
    quantum_e4 = terms["quantum_e4"]
    lowest, highest = bounds_of(form)
    if price_e4 is not None and (not lowest <= price_e4 <= highest or price_e4 % quantum_e4):
        what = form.name.lower() if form in (Form.RATE, Form.MARGIN) else "price"
        raise CommandError(
            Exit.USAGE,
            f"the {what} is {price}; expected a multiple of {text(quantum_e4, PRICE_DECIMALS)},"
            f" from {text(lowest, PRICE_DECIMALS)} to {text(highest, PRICE_DECIMALS)}",
            advice=f"Round it to such a step; `khazana auction show {auction}` has the terms.",
        )
    if not minor or minor % multiple:
        raise CommandError(
            Exit.USAGE,
            f"the face is {face}; expected a multiple of {terms['multiple']}",
            advice=f"Bid for a whole number of those; `khazana auction show {auction}` has the"
            " terms.",
        )
    share_bps = terms["bidder_share_bps"]
    if price is not None and minor > target * share_bps // _BPS:
        raise CommandError(
            Exit.USAGE,
            f"the face is {face}; one bidder may bid for {share_bps / 100:g} % of the target of"
            f" {terms['target']}, and what is above that cannot be opened",
            advice=f"Bid for less; `khazana auction show {auction}` has the terms.",
        )
    return SealedBid(
        auction=auction,
        account=client.network.parse_address(account),
        price_e4=price_e4,
        face=minor,
        salt=salt,
    )


@contextlib.contextmanager
def _refusing(option: str) -> Iterator[None]:
    """Say of which option a figure is none.

    Raises:
        CommandError: it is none, or has more decimals than can be.
    """
    from node.amounts import AmountError

    try:
        yield
    except AmountError as error:
        raise CommandError(
            Exit.USAGE,
            f"{option}: {error}",
            advice=f"Write {option} with digits and at most one point, such as 12.5.",
        ) from None
