"""A whole bill auction on four validators, from the announcement to the settlement.

The validators share a clock that is set ahead from one appointed time to the next; between them
everything is as on any network: signed transactions, votes, blocks by demand and by heartbeat.
"""

from dataclasses import replace as with_parts
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from node.app import NodeParts
from node.clock import SystemClock, TravellingClock
from node.codec import replace
from node.ledger.auctions import SealedBid, commitment_of, consideration
from node.ledger.auctions.records import AuctionStage
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    PlaceBid,
    RevealBid,
)
from node.ledger.tables import AUCTIONS, name_key
from node.provision.acts import RUPEE, define_bill
from node.provision.description import Blocks
from node.provision.funding import DevelopmentAccount, institution_account
from node.provision.pakistan import PAKISTAN
from node.testing.cluster import Cluster, ClusterNode, running_cluster
from tests.ledger.auctions.books import TERMS
from tests.ledger.world import with_check_digit

AUCTION: Final = "mtb-3m-574"
BILL: Final = "MTB-3M"
HOUR_MS: Final = 3_600_000
FACE: Final = 5_000_00
"""The denomination, in paisa."""
BIDS: Final = ((985_000, 40), (984_000, 60), (984_000, 30))
"""Price and number of denominations of the first three accounts."""
TARGET: Final = 105
SALT: Final = bytes(32)


class Travels:
    """Gives every node the same clock, and sets it ahead."""

    def __init__(self) -> None:
        self.clock = TravellingClock(SystemClock())

    def __call__(self, _name: str, parts: NodeParts) -> NodeParts:
        return with_parts(parts, clock=self.clock)

    async def go_to(self, cluster: Cluster, time_ms: int) -> None:
        """Let every validator come to a block of at least this time."""
        behind_ms = time_ms - self.clock.now_ms()
        if behind_ms > 0:
            self.clock.travel(self.clock.travelled_ms + behind_ms)
        await cluster.until(
            lambda: all(each.node.chain.head.time_ms >= time_ms for each in cluster.validators),
            what=f"a block of {time_ms} ms",
        )


def opened(account: DevelopmentAccount, number: int, bid: tuple[int, int]) -> RevealBid:
    return RevealBid(
        account=account.address,
        cash_account=account.address,
        auction=AUCTION,
        number=number,
        asset=BILL,
        price_e4=bid[0],
        face=bid[1] * FACE,
        salt=SALT,
    )


def sealed(account: DevelopmentAccount, bid: tuple[int, int]) -> CommitBid:
    content = SealedBid(
        auction=AUCTION,
        account=account.address,
        price_e4=bid[0],
        face=bid[1] * FACE,
        salt=SALT,
    )
    return CommitBid(account=account.address, auction=AUCTION, commitment=commitment_of(content))


async def test_bill_is_announced_bid_for_decided_and_settled_on_four_validators(
    tmp_path: Path,
) -> None:
    travels = Travels()
    async with running_cluster(
        tmp_path, storage="memory", adjust=travels, blocks=Blocks(heartbeat_ms=500)
    ) as cluster:
        bank, ministry = (
            institution_account("central-bank"),
            institution_account("finance-ministry"),
        )
        council = institution_account("crypto-council")
        await cluster.issue(council.address, "100000")
        opens_ms = travels.clock.now_ms() + HOUR_MS
        today = datetime.fromtimestamp(opens_ms / 1_000, UTC).date()
        bill = define_bill(
            account=ministry.address,
            approvers=(bank.address,),
            asset=BILL,
            name="Market Treasury Bill, 3 months",
            isin=with_check_digit("PK12M000574"),
            issued=today,
            matures=today + timedelta(days=91),
            multiple=FACE,
            ceiling=1_000 * FACE,
        )
        terms = replace(
            TERMS,
            asset=BILL,
            cash=RUPEE,
            proceeds=ministry.address,
            target=TARGET * FACE,
            multiple=FACE,
            prorata_step=FACE,
            opens_ms=opens_ms,
            closes_ms=opens_ms + HOUR_MS,
            reveals_until_ms=opens_ms + 2 * HOUR_MS,
            decides_until_ms=opens_ms + 3 * HOUR_MS,
            settles_ms=opens_ms + 24 * HOUR_MS,
            calendar=PAKISTAN,
            kinds=("person",),
            noncompetitive_kinds=("institution",),
            noncompetitive_least=FACE,
            noncompetitive_most=10 * FACE,
            reference="mtb-3m",
        )
        announce = AnnounceAuction(
            account=ministry.address, approvers=(bank.address,), auction=AUCTION, terms=terms
        )
        both = [bank.signer, ministry.signer]
        await cluster.submit(bill, announce, signers=both)

        bidders = cluster.accounts[: len(BIDS)]
        await travels.go_to(cluster, terms.opens_ms)
        for account, bid in zip(bidders, BIDS, strict=True):
            await cluster.submit(sealed(account, bid), signers=[account.signer])
        placed = PlaceBid(
            account=council.address,
            cash_account=council.address,
            auction=AUCTION,
            asset=BILL,
            face=5 * FACE,
        )
        await cluster.submit(placed, signers=[council.signer])
        await travels.go_to(cluster, terms.closes_ms)
        for number, (account, bid) in enumerate(zip(bidders, BIDS, strict=True), 1):
            await cluster.submit(opened(account, number, bid), signers=[account.signer])
        await travels.go_to(cluster, terms.reveals_until_ms)
        decide = DecideAuction(
            account=ministry.address, approvers=(), auction=AUCTION, cut_off_e4=984_000
        )
        await cluster.submit(decide, signers=[ministry.signer])
        async with cluster.client() as client:
            result = (await client.auction(AUCTION)).value.result
            assert result is not None
            settles = datetime.combine(result.settlement_day, datetime.min.time(), UTC)
            # The calendar may have moved it off a weekend or a holiday.
            await travels.go_to(cluster, int(settles.timestamp() * 1_000) + 24 * HOUR_MS)
            await cluster.until(
                lambda: all(_is_over(each) for each in cluster.validators), what="the settlement"
            )
            auction = (await client.auction(AUCTION)).value
            ladder = (await client.auction_ladder(AUCTION)).value
            issued = (await client.asset(BILL)).value.supply
            await cluster.agreed_root()

        # 100 are left after the council's 5: 40, and 60 shared by bids for 60 and 30.
        assert [int(row.allotted * 100) // FACE for row in ladder] == [40, 40, 20, 5]
        assert {row.state for row in ladder} == {"settled"}
        assert auction.stage == "settled"
        assert issued == auction.settled == Decimal(TARGET * FACE) / 100
        average_e4 = int(result.noncompetitive_price * 10_000)
        paid = [consideration(n * FACE, p) for n, p in ((40, 985_000), (40, 984_000))]
        paid += [consideration(20 * FACE, 984_000), consideration(5 * FACE, average_e4)]
        assert auction.paid == await cluster.holding(ministry.address) == Decimal(sum(paid)) / 100
        for account, steps in zip(bidders, (40, 40, 20), strict=True):
            assert await cluster.holding(account, BILL) == Decimal(steps * FACE) / 100
        assert await cluster.holding(bidders[0]) == 1_000_000 - Decimal(paid[0]) / 100


def _is_over(node: ClusterNode) -> bool:
    record = node.node.chain.record(AUCTIONS, name_key(AUCTION))
    return record is not None and record.stage is AuctionStage.SETTLED and record.next_ms is None
