"""What a state owes, for the pages to show: an auctioned bill, a bond, a sukuk, an open auction.

The names that the ministry chooses hold markup wherever the ledger lets it through.
"""

from collections.abc import Sequence
from typing import Final

from node.codec import Record, replace
from node.ledger.auctions.plans import PlannedAuction
from node.ledger.auctions.sealing import SealedBid, commitment_of
from node.ledger.auctions.terms import Form
from node.ledger.dates import date_of
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    DefineAsset,
    Issue,
    PublishPlan,
    RevealBid,
)
from node.ledger.terms import BondTerms, RateStep, ServicedBillTerms, SukukTerms
from node.ledger.units import MS_PER_DAY
from node.provision.acts import define_bill
from node.provision.pakistan import PAKISTAN, define_pakistan
from tests.chain.town import BANK, CASH, START_MS, address_of
from tests.ledger.auctions.books import TERMS
from tests.ledger.debt import define_bond, define_serviced_bill, define_sukuk, two_years_after
from tests.ledger.world import with_check_digit
from tests.rpc.solo import Solo

SOLD: Final = "mtb-6m-12"
RUNNING: Final = "mtb-6m-13"
AUCTIONED: Final = "MTB-6M"
BOND: Final = "PIB-2Y"
SUKUK: Final = "GIS-2Y"
BIDS: Final = 30
"""With a price; more than a page of a ladder has."""
PLAN: Final = "2021-h1"
PLANNED: Final = 26
"""One more than a page shows."""
MINUTE_MS: Final = 60_000
TODAY: Final = START_MS // MS_PER_DAY

_CENTRAL, _MINISTRY = (
    address_of(office, office) for office in ("central-bank", "finance-ministry")
)
_BOTH: Final = ("finance-ministry", "central-bank")


async def owe(solo: Solo, mark: str) -> None:
    """Put it on the chain of a town whose bank has three accounts."""
    await _decide(solo, [define_pakistan(central_bank=_CENTRAL)], ("central-bank",))
    await _decide(
        solo,
        [
            _bill(mark),
            _pays(define_bond(BOND), mark),
            _pays(define_sukuk(SUKUK), mark),
            _issue(BOND, 1_250_000_000_00),
            _issue(SUKUK, 700_000_000_00),
        ],
        _BOTH,
    )
    await _auction(solo, SOLD)
    begins = solo.town.chain.head.time_ms + MINUTE_MS
    await _announce(solo, RUNNING, begins)
    await _plan(solo)
    await _to(solo, begins)


async def _plan(solo: Solo) -> None:
    """Plan more auctions than a page shows: one that replaces the bill, and others a day apart."""
    replacing = PlannedAuction(
        day=TODAY + 181,
        settlement_day=TODAY + 182,
        kind="bill",
        tenor_months=6,
        form=Form.PRICE,
        line=None,
        asset=CASH,
        target=500_000_00,
        provisional=True,
    )
    others = [
        replace(
            replacing, day=TODAY + day, settlement_day=TODAY + day, form=Form.BUYBACK, line=BOND
        )
        for day in range(190, 190 + PLANNED - 1)
    ]
    others = [replace(each, kind="bond", tenor_months=24, provisional=False) for each in others]
    publish = PublishPlan(
        account=_MINISTRY, approvers=(), plan=PLAN, version=0, auctions=(replacing, *others)
    )
    await _decide(solo, [publish], ("finance-ministry",))


async def owe_serviced_bill(solo: Solo) -> None:
    """Put a bill on that chain which the ledger redeems."""
    bill = _pays(define_serviced_bill(), "")
    assert isinstance(bill.terms, ServicedBillTerms)
    plan = replace(bill.terms.plan, maturity_day=TODAY + 183, months=0, rates=())
    bill = replace(bill, name="Treasury bill", terms=replace(bill.terms, plan=plan))
    await _decide(solo, [bill, _issue(bill.asset, 50_000_000_00)], _BOTH)


async def _auction(solo: Solo, name: str) -> None:
    """Hold an auction from the announcement to the settlement."""
    begins = solo.town.chain.head.time_ms + MINUTE_MS
    await _announce(solo, name, begins)
    await _to(solo, begins)
    account = address_of(BANK, "a2")
    asked = [964_000 + 137 * (place % 24) for place in range(BIDS)]
    bids = [
        SealedBid(
            auction=name,
            account=account,
            price_e4=price_e4,
            face=10_000,
            salt=bytes([place]) * 32,
        )
        for place, price_e4 in enumerate(asked)
    ]
    sealed = [
        CommitBid(account=account, auction=name, commitment=commitment_of(bid)) for bid in bids
    ]
    await _decide(solo, sealed, ("a2",))
    await _to(solo, begins + MINUTE_MS)
    opened = [
        RevealBid(
            account=account,
            cash_account=account,
            auction=name,
            number=number,
            asset=AUCTIONED,
            price_e4=price_e4,
            face=bid.face,
            salt=bid.salt,
        )
        for number, (bid, price_e4) in enumerate(zip(bids, asked, strict=True), 1)
    ]
    await _decide(solo, opened, ("a2",))
    await _to(solo, begins + 2 * MINUTE_MS)
    prices = sorted(asked, reverse=True)
    decide = DecideAuction(account=_MINISTRY, approvers=(), auction=name, cut_off_e4=prices[19])
    await _decide(solo, [decide], ("finance-ministry",))
    await _to(solo, begins + 4 * MINUTE_MS)


async def _announce(solo: Solo, name: str, begins_ms: int) -> None:
    terms = replace(
        TERMS,
        asset=AUCTIONED,
        cash=CASH,
        proceeds=_MINISTRY,
        target=300_000,
        multiple=10_000,
        prorata_step=10_000,
        opens_ms=begins_ms,
        closes_ms=begins_ms + MINUTE_MS,
        reveals_until_ms=begins_ms + 2 * MINUTE_MS,
        decides_until_ms=begins_ms + 3 * MINUTE_MS,
        settles_ms=begins_ms + 4 * MINUTE_MS,
        bids_per_bidder=BIDS,
        bidder_share_bps=10_000,
        noncompetitive_least=10_000,
        noncompetitive_most=100_000,
        reference="mtb-6m",
    )
    announce = AnnounceAuction(account=_MINISTRY, approvers=(_CENTRAL,), auction=name, terms=terms)
    await _decide(solo, [announce], _BOTH)


def _bill(mark: str) -> Record:
    return define_bill(
        account=_MINISTRY,
        approvers=(_CENTRAL,),
        asset=AUCTIONED,
        name="Market treasury bill, 182 days " + mark,
        isin=with_check_digit("PKTB0600M02"),
        issued=date_of(TODAY),
        matures=date_of(TODAY + 182),
        multiple=100,
        ceiling=10**12,
    )


def _pays(definition: DefineAsset, mark: str) -> DefineAsset:
    """Return the definition for this network: issued tomorrow, paid by the ministry."""
    terms = definition.terms
    assert isinstance(terms, BondTerms | SukukTerms | ServicedBillTerms)
    plan = replace(
        terms.plan,
        issue_day=TODAY + 1,
        maturity_day=two_years_after(TODAY + 1),
        rates=(RateStep(from_day=TODAY + 1, rate_ppm=115_000),),
        calendar=PAKISTAN,
        cash=CASH,
        paying_agent=_MINISTRY,
        residue_account=_CENTRAL,
    )
    return replace(
        definition,
        account=_MINISTRY,
        approvers=(_CENTRAL,),
        name=mark,
        ceiling=10**16,
        terms=replace(terms, plan=plan),
    )


def _issue(asset: str, amount: int) -> Issue:
    return Issue(
        account=_MINISTRY,
        approvers=(_CENTRAL,),
        asset=asset,
        amount=amount,
        to=address_of(BANK, "a2"),
    )


async def _decide(solo: Solo, operations: Sequence[Record], signers: Sequence[str]) -> None:
    committed = await solo.town.decide(solo.town.transaction(operations, signers))
    [receipt] = committed.candidate.receipts
    assert receipt.outcome == 0, receipt


async def _to(solo: Solo, time_ms: int) -> None:
    """Let a block come at a time, and one after what it brings."""
    solo.town.clock.advance(max(0, time_ms - solo.town.clock.now_ms()))
    await solo.town.decide()
    await solo.town.decide()
