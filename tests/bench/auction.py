"""What 20,000 bids cost the blocks that close, complete, decide and settle an auction, as JSON.

    python -m tests.bench.auction [--sealed 15000] [--people 5000] [--store DIR]

One node with LevelDB (in a temporary directory unless `--store` names one) and everybody's keys.
The bids come in by signed transactions, 100 operations each; only the blocks in which the ledger
itself works are timed: from building them to having them committed, state root and synced write
included. `_ms` is by the clock, `_cpu_ms` the processor time of all threads, which another load on
the machine does not change. Afterwards every invariant is checked. Exits with 1 where one of these
blocks took longer, by the clock, than validators wait for each other's votes (`interval_ms`, the
first timeout of agreement): then the chain would have lost a round by it.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from node.codec import Record, replace
from node.ledger.auctions import SealedBid, commitment_of
from node.ledger.auctions.records import AuctionRecord, AuctionStage
from node.ledger.invariants import check_state, decode_state
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    DefineAsset,
    Issue,
    OpenAccount,
    PlaceBid,
    RegisterParticipant,
    RevealBid,
)
from node.ledger.policies import single_signer
from node.ledger.tables import (
    AUCTIONS,
    AssetIdentifiers,
    ParticipantKind,
    name_key,
)
from node.ledger.terms import BillTerms
from node.ledger.units import MS_PER_DAY, MS_PER_HOUR
from node.provision.acts import identify_person
from node.storage import layout, open_leveldb
from tests.chain.town import CASH, SALT, Town, address_of, key, make_record, make_town
from tests.ledger.auctions.books import TERMS
from tests.ledger.world import ISIN

BILL: Final = "MTB-3M"
AUCTION: Final = "mtb-3m-574"
CENTRAL: Final = address_of("central-bank", "central-bank")
MINISTRY: Final = address_of("finance-ministry", "finance-ministry")
REGULATOR: Final = address_of("virtual-asset-regulator", "virtual-asset-regulator")
OPERATIONS: Final = 100
BIDS_EACH: Final = 100
"""Of one dealer: as many as fit into one transaction."""
STEP: Final = 500_000
SALT_32: Final = bytes(32)


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """Milliseconds of a block."""

    cpu_ms: float
    ms: float

    @staticmethod
    def now() -> "Taken":
        return Taken(1e3 * time.process_time(), 1e3 * time.perf_counter())

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.cpu_ms + other.cpu_ms, self.ms + other.ms)

    def __sub__(self, other: "Taken") -> "Taken":
        return Taken(self.cpu_ms - other.cpu_ms, self.ms - other.ms)


class Auction:
    """One auction on one node."""

    def __init__(self, town: Town, sealed: int, people: int) -> None:
        self.town = town
        self.dealers = [f"dealer-{n}" for n in range(-(-sealed // BIDS_EACH))]
        self.people = [f"person-{n}" for n in range(people)]
        chance = Random(574)
        # A dealer seals no bid twice: its prices are all different.
        prices = [chance.sample(range(970_000, 990_000), BIDS_EACH) for _ in self.dealers]
        self.bids = [
            (self.dealers[n // BIDS_EACH], prices[n // BIDS_EACH][n % BIDS_EACH], STEP)
            for n in range(sealed)
        ]
        self.opens_ms = town.chain.head.time_ms + MS_PER_DAY

    @property
    def record(self) -> AuctionRecord:
        record = self.town.chain.record(AUCTIONS, name_key(AUCTION))
        assert record is not None
        return record

    async def prepare(self) -> None:
        """Register, fund, announce."""
        today = self.opens_ms // MS_PER_DAY
        bill = DefineAsset(
            account=MINISTRY,
            approvers=(CENTRAL,),
            asset=BILL,
            name="Market Treasury Bill, 3 months",
            issuer="finance-ministry",
            identifiers=AssetIdentifiers(isin=ISIN, currency="PKR", dti=None),
            terms=BillTerms(issue_day=today, maturity_day=today + 90, face_currency="PKR"),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=STEP,
            ceiling=STEP * 10**6,
            forced_transfer_allowed=False,
        )
        terms = replace(
            TERMS,
            asset=BILL,
            cash=CASH,
            proceeds=MINISTRY,
            target=STEP * (len(self.bids) * 2 // 3),
            bids_per_bidder=BIDS_EACH,
            noncompetitive_share_bps=5_000,
            noncompetitive_least=STEP,
            noncompetitive_most=STEP,
            opens_ms=self.opens_ms,
            closes_ms=self.opens_ms + MS_PER_HOUR,
            reveals_until_ms=self.opens_ms + 2 * MS_PER_HOUR,
            decides_until_ms=self.opens_ms + 3 * MS_PER_HOUR,
            settles_ms=self.opens_ms + MS_PER_DAY,
            reference="mtb-3m",
        )
        announce = AnnounceAuction(
            account=MINISTRY, approvers=(CENTRAL,), auction=AUCTION, terms=terms
        )
        await self.town.settle(0)
        await self._apply([([bill, announce], ["central-bank", "finance-ministry"])])
        banks = [_founding(name, CENTRAL, ParticipantKind.BANK, 10**10) for name in self.dealers]
        await self._apply((operations, ["central-bank"]) for operations in banks)
        persons = [
            _founding(name, REGULATOR, ParticipantKind.PERSON, 10**6) for name in self.people
        ]
        await self._apply(
            (operations, ["central-bank", "virtual-asset-regulator"]) for operations in persons
        )

    async def bid(self) -> "Taken":
        """Hand in every bid, and open the sealed ones; return what the block of the close took."""
        await self.go_to(self.opens_ms)
        numbered = list(enumerate(self.bids, 1))
        await self._apply(
            (
                [
                    CommitBid(account=address_of(who, who), auction=AUCTION, commitment=seal(bid))
                    for _, bid in chunk
                ],
                [who],
            )
            for who, chunk in self._by_dealer(numbered)
        )
        await self._apply(([self._placed(name)], [name]) for name in self.people)
        closing = await self.go_to(self.opens_ms + MS_PER_HOUR)
        await self._apply(
            ([_opened(number, bid) for number, bid in chunk], [who])
            for who, chunk in self._by_dealer(numbered)
        )
        return closing

    async def go_to(self, time_ms: int) -> "Taken":
        """Return what the first block of a time took."""
        self.town.clock.advance(max(0, time_ms - self.town.clock.now_ms()))
        return await self.block()

    async def block(self, *raws: bytes) -> "Taken":
        """Return what the next block takes, of these transactions."""
        admitted = self.town.admit(*raws) if raws else []
        began = Taken.now()
        candidate = self.town.build(admitted)
        built = Taken.now() - began
        certificate = self.town.certify(candidate)
        assert all(receipt.outcome == 0 for receipt in candidate.receipts)
        began = Taken.now()
        await self.town.chain.commit(candidate, certificate)
        return built + (Taken.now() - began)

    async def decide(self) -> "Taken":
        """Return what the block takes in which the ministry decides."""
        prices = sorted({price for _, price, _ in self.bids}, reverse=True)
        left = self.record.terms.target - len(self.people) * STEP
        cut_off, above = prices[0], 0
        for price in prices:
            if above >= left:
                break
            cut_off = price
            above += STEP * sum(bid[1] == price for bid in self.bids)
        operation = DecideAuction(
            account=MINISTRY, approvers=(), auction=AUCTION, cut_off_e4=cut_off
        )
        return await self.block(self.town.transaction([operation], ["finance-ministry"]))

    def check(self) -> None:
        """Check every invariant over the whole state."""
        state = self.town.store.scan(*layout.range_of(layout.state_key(b"")))
        check_state(decode_state((full[1:], value) for full, value in state))

    def _placed(self, name: str) -> PlaceBid:
        account = address_of(name, name)
        return PlaceBid(
            account=account, cash_account=account, auction=AUCTION, asset=BILL, face=STEP
        )

    def _by_dealer(
        self, numbered: Sequence[tuple[int, tuple[str, int, int]]]
    ) -> Iterator[tuple[str, Sequence[tuple[int, tuple[str, int, int]]]]]:
        for start in range(0, len(numbered), BIDS_EACH):
            chunk = numbered[start : start + BIDS_EACH]
            yield chunk[0][1][0], chunk

    async def _apply(self, made: Iterable[tuple[Sequence[Record], Sequence[str]]]) -> None:
        raws = []
        for operations, signers in made:
            raws.append(self.town.transaction(operations, signers))
            if len(raws) == OPERATIONS:
                await self.block(*raws)
                raws = []
        if raws:
            await self.block(*raws)


def seal(bid: tuple[str, int, int]) -> bytes:
    who, price_e4, face = bid
    return commitment_of(
        SealedBid(
            auction=AUCTION,
            account=address_of(who, who),
            price_e4=price_e4,
            face=face,
            salt=SALT_32,
        )
    )


def _opened(number: int, bid: tuple[str, int, int]) -> RevealBid:
    who, price_e4, face = bid
    return RevealBid(
        account=address_of(who, who),
        cash_account=address_of(who, who),
        auction=AUCTION,
        number=number,
        asset=BILL,
        price_e4=price_e4,
        face=face,
        salt=SALT_32,
    )


def _founding(name: str, registrar: bytes, kind: ParticipantKind, amount: int) -> list[Record]:
    return [
        RegisterParticipant(
            account=registrar,
            approvers=(),
            participant=name,
            kind=kind,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        ),
        *(
            [identify_person(registrar=registrar, participant=name)]
            if kind is ParticipantKind.PERSON
            else []
        ),
        OpenAccount(
            account=registrar,
            approvers=(),
            owner=name,
            policy=single_signer(key(name).public_key),
            salt=SALT,
        ),
        Issue(account=CENTRAL, approvers=(), asset=CASH, amount=amount, to=address_of(name, name)),
    ]


async def measure(folder: Path, sealed: int, people: int) -> dict[str, Any]:
    """Hold one auction; return the milliseconds of its blocks, and what they may not exceed."""
    store = open_leveldb(folder, create=True)
    try:
        town = make_town(store, record=make_record(validators=1, protocol_version=3))
        auction = Auction(town, sealed, people)
        await auction.prepare()
        closing = await auction.bid()
        idle = await auction.block()
        complete = await auction.go_to(auction.opens_ms + 2 * MS_PER_HOUR)
        assert auction.record.stage is AuctionStage.DECIDING
        decide = await auction.decide()
        settling = [await auction.go_to(auction.opens_ms + MS_PER_DAY)]
        while auction.record.next_ms is not None:
            settling.append(await auction.block())
        auction.check()
        record = auction.record
        assert record.result is not None
        assert record.settled == record.result.competitive + record.result.noncompetitive
        interval_ms = town.genesis.record.consensus.timeout_prevote_ms
        checks = {
            "closes_within_an_interval": closing.ms < interval_ms,
            "completes_within_an_interval": complete.ms < interval_ms,
            "is_decided_within_an_interval": decide.ms < interval_ms,
            "settles_within_intervals": max(each.ms for each in settling) < interval_ms,
        }
        return {
            "interval_ms": interval_ms,
            "sealed_bids": record.sealed,
            "noncompetitive_bids": record.noncompetitive,
            **_figures("idle_block", idle),
            **_figures("closing_block", closing),
            **_figures("completing_block", complete),
            **_figures("deciding_block", decide),
            "settling_blocks": len(settling),
            **_figures("settling_block_median", sorted(settling)[len(settling) // 2]),
            **_figures("settling_block_most", max(settling)),
            "settled_allotments": record.settled // STEP,
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "checks": checks,
        }
    finally:
        store.close()


def _figures(name: str, taken: Taken) -> dict[str, float]:
    return {f"{name}_ms": round(taken.ms, 1), f"{name}_cpu_ms": round(taken.cpu_ms, 1)}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.auction", description=__doc__)
    parser.add_argument("--sealed", type=int, default=15_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--store", type=Path)
    options = parser.parse_args(arguments)
    if options.sealed < 2 * BIDS_EACH:
        parser.error(f"two dealers at least, {BIDS_EACH} bids each: one may not ask for all of it")
    if options.people > options.sealed // 3:
        parser.error("bids without a price may take half of what is offered: at most sealed / 3")
    with tempfile.TemporaryDirectory() as folder:
        place = options.store or Path(folder) / "store"
        found = asyncio.run(measure(place, options.sealed, options.people))
    print(json.dumps(found, indent=2))
    return 0 if all(found["checks"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
