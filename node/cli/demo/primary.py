"""The bill is issued, and every bid settles as delivery against payment."""

from datetime import date
from typing import Final

from node.cli.demo.auction import (
    BIDS,
    DENOMINATION_RUPEES,
    FACE_TOTAL_RUPEES,
    ISIN,
    MATURITY_DATE,
    PAISA,
    SETTLEMENT_DATE,
    TENOR_DAYS,
    Bid,
    as_printed,
    in_millions,
    realised_paisa,
)
from node.cli.demo.stage import Actor, Stage, is_gathered
from node.client import NotFound
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.identifiers import is_isin
from node.ledger.operations import Operation
from node.provision.acts import RUPEE, define_bill, define_rupee, issue

BILL: Final = "MTB-3M-574"


async def issue_bill(stage: Stage) -> None:
    """Define it and issue it to the ministry."""
    narrator = stage.narrator
    definition = define_bill(
        account=stage.ministry.address,
        approvers=(stage.central_bank.address,),
        asset=BILL,
        name="Market treasury bill, 84 days, 574th auction",
        isin=ISIN,
        issued=date.fromisoformat(SETTLEMENT_DATE),
        matures=date.fromisoformat(MATURITY_DATE),
        multiple=DENOMINATION_RUPEES * PAISA,
        ceiling=FACE_TOTAL_RUPEES * PAISA,
    )
    everything = issue(
        account=stage.ministry.address,
        approvers=(stage.central_bank.address,),
        asset=BILL,
        amount=FACE_TOTAL_RUPEES * PAISA,
        to=stage.ministry.address,
    )
    receipt = await stage.act(definition, everything, by=[stage.ministry, stage.central_bank])
    narrator.tell(
        f"defined {BILL}, {TENOR_DAYS} days to {MATURITY_DATE}, and issued Rs"
        f" {FACE_TOTAL_RUPEES:,} of face in block {receipt.height}, under two signatures"
    )
    asset = (await stage.client.asset(BILL)).value
    narrator.check(
        "the security's code has a valid check digit",
        holds=is_isin(ISIN) and asset.identifiers["isin"] == ISIN,
        found=ISIN,
    )
    narrator.check(
        "issued up to the ceiling, in multiples of Rs 5,000",
        holds=asset.supply == asset.ceiling == FACE_TOTAL_RUPEES
        and asset.multiple == DENOMINATION_RUPEES,
        found=f"supply {asset.supply:,}, ceiling {asset.ceiling:,}, multiple {asset.multiple}",
    )


async def is_issued(stage: Stage) -> bool:
    """Return whether there is the bill."""
    try:
        await stage.client.asset(BILL)
    except NotFound:
        return False
    return True


async def settle_auction(stage: Stage) -> None:
    """Give every bank what its bid takes, and settle each."""
    narrator = stage.narrator
    settled = [await _has_bill(stage, dealer) for dealer in stage.dealers]
    if not any(settled):
        await _issue_rupees(stage)
        narrator.tell(f"the central bank issued its digital rupee to {len(stage.dealers)} banks")
    # What the ministry had before; where the step was broken off, some of it is proceeds.
    had = round(await stage.client.holding(stage.ministry.address, RUPEE) * PAISA)
    had -= sum(
        realised_paisa(bid) for bid, is_settled in zip(BIDS, settled, strict=True) if is_settled
    )

    each = totals = True
    for bid, dealer, done in zip(BIDS, stage.dealers, settled, strict=True):
        if not done:
            one, total = await _settle_bid(stage, bid, dealer, had)
            each, totals = each and one, totals and total
    last = BIDS[-1]
    narrator.check("every bid paid what the sheet prints as realised", holds=each)
    narrator.check(
        "running totals on the ledger are those of the sheet",
        holds=totals,
        found=f"Rs {in_millions(last.printed_cumulative_realised)} million for"
        f" {in_millions(last.printed_cumulative_face)} million of face",
    )


async def is_settled(stage: Stage) -> bool:
    """Return whether the last bid is."""
    return await is_gathered(stage) and await _has_bill(stage, stage.dealers[-1])


async def _has_bill(stage: Stage, dealer: Actor) -> bool:
    return await stage.client.holding(dealer.address, BILL) > 0


async def _issue_rupees(stage: Stage) -> None:
    """Let every bank have exactly what its bid takes."""
    bank = stage.central_bank
    operations: list[Operation] = []
    signers = [bank]
    try:
        await stage.client.asset(RUPEE)
    except NotFound:
        operations.append(
            define_rupee(central_bank=bank.address, approvers=(stage.ministry.address,))
        )
        signers.append(stage.ministry)
    for bid, dealer in zip(BIDS, stage.dealers, strict=True):
        lacks = realised_paisa(bid)
        if not stage.is_alone:
            lacks -= round(await stage.client.holding(dealer.address, RUPEE) * PAISA)
        if lacks > 0:
            operations.append(
                issue(account=bank.address, asset=RUPEE, amount=lacks, to=dealer.address)
            )
    if operations:
        await stage.act(*operations, by=signers)


async def _settle_bid(stage: Stage, bid: Bid, dealer: Actor, had: int) -> tuple[bool, bool]:
    """Settle one bid; say whether amount and running totals are the sheet's.

    Args:
        had: what the ministry had before the first, in paisa.
    """
    ministry, paid = stage.ministry, realised_paisa(bid)
    await stage.act(
        Transfer(
            account=ministry.address,
            to=dealer.address,
            asset=BILL,
            amount=bid.face_rupees * PAISA,
        ),
        Transfer(account=dealer.address, to=ministry.address, asset=RUPEE, amount=paid),
        by=[ministry, dealer],
    )
    client = stage.client
    received = round(await client.holding(ministry.address, RUPEE) * PAISA) - had
    unsold = round(await client.holding(ministry.address, BILL) * PAISA)
    delivered = FACE_TOTAL_RUPEES * PAISA - unsold
    stage.narrator.tell(
        f"bid {bid.number}: {dealer.name} takes Rs {bid.face_rupees:>14,} at {bid.price}, pays Rs"
        f" {paid // PAISA:>14,}.{paid % PAISA:02d};"
        f" so far {in_millions(as_printed(received)):>9} million"
    )
    has_bill = round(await client.holding(dealer.address, BILL) * PAISA)
    return (
        as_printed(paid) == bid.printed_realised and has_bill == bid.face_rupees * PAISA,
        as_printed(received) == bid.printed_cumulative_realised
        and as_printed(delivered) == bid.printed_cumulative_face
        and as_printed(delivered - received) == bid.printed_cumulative_discount,
    )
