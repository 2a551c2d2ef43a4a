"""What a block costs in which many things of one kind come due: `python -m tests.bench.crowds`.

So many bonds with as many payments as a plan may have, half of them floating, all with the same
days; and so many auctions of one bid each, by which they are bought back, that open, close,
complete their books, and settle or lapse at the same moments. Only the work of the ledger is timed,
on records in memory: what a database and the state root cost besides is bounded by what was
written.

Prints one JSON object: of each kind of event, the blocks that had it, and of the slowest of them
the processor time in milliseconds and what happened in it.
"""

import argparse
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from node.codec import Record
from node.ledger.auctions import Form, SealedBid, commitment_of
from node.ledger.dates import Holiday, date_of, from_date
from node.ledger.operations import (
    AmendCalendar,
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    DefineAsset,
    RevealBid,
)
from node.ledger.state import LedgerState
from node.ledger.tables import DUE, RECORDS_DUE, ParticipantKind
from node.ledger.terms import RATE_STEPS_MAX, RateStep
from node.ledger.transition import apply_block
from tests.ledger.auctions.test_reopening import HOUR_MS, midnight_ms, rule
from tests.ledger.debt import ISSUED, KARACHI, define_bond, floating, issue, make_debt
from tests.ledger.world import CB, FM, address, issue_cash, open_for, register

BANK: Final = "bank-a"
OPERATIONS: Final = 4
"""Of a transaction, which has a block of its own: definitions are long, and so is their work."""
PRICE_E4: Final = 990_000
SALT: Final = bytes(32)
AMENDED: Final = ISSUED + 40
SETTLED: Final = ISSUED + 60
LAST: Final = ISSUED + 100
"""Beyond the first payment, of the fixed ones and of those whose rate nobody brings."""


class Crowd:
    """A market, and the blocks in which something came due."""

    def __init__(self, count: int) -> None:
        self.world = make_debt()
        self.names = [f"P{1_000_000 + number}" for number in range(count)]
        self.blocks: list[tuple[float, Counter[str]]] = []

    def run(self) -> None:
        """Let a hundred days pass, with auctions in the middle of them."""
        world, names = self.world, self.names
        world.do(register(BANK, ParticipantKind.BANK, by=CB), open_for(BANK, by=CB), by=(CB,))
        world.do(issue_cash(10**11, to=FM), by=(CB,))
        self._do([dear_bond(name, number) for number, name in enumerate(names)], by=(CB, FM))
        self._do([issue(1_000, to=BANK, asset=name) for name in names], by=(CB, FM))
        self._pass(AMENDED)
        moon = AmendCalendar(
            account=address(CB),
            approvers=(),
            calendar=KARACHI,
            version=1,
            withdrawn=(),
            holidays=(Holiday(day=ISSUED + 50, provisional=False),),
        )
        world.do(moon, by=(CB,))
        self._pass(SETTLED - 1)
        self._hold_auctions()
        self._pass(LAST)
        world.check()

    def _hold_auctions(self) -> None:
        terms = {
            name: rule(SETTLED, name, form=Form.BUYBACK, target=1_000, noncompetitive_most=1_000)
            for name in self.names
        }
        some = terms[self.names[0]]
        self._do(
            [
                AnnounceAuction(
                    account=address(FM), approvers=(address(CB),), auction=name.lower(), terms=rules
                )
                for name, rules in terms.items()
            ],
            by=(CB, FM),
        )
        self._go_to(some.opens_ms)
        bids = {name: _sealed(name.lower()) for name in self.names}
        self._do(
            [
                CommitBid(account=address(BANK), auction=bid.auction, commitment=commitment_of(bid))
                for bid in bids.values()
            ],
            by=(BANK,),
        )
        self._go_to(some.closes_ms)
        self._do([_opened(name, bid) for name, bid in bids.items()], by=(BANK,))
        self._go_to(some.reveals_until_ms)
        # One in ten is left undecided.
        self._do(
            [
                DecideAuction(
                    account=address(FM), approvers=(), auction=name.lower(), cut_off_e4=PRICE_E4
                )
                for number, name in enumerate(self.names)
                if number % 10
            ],
            by=(FM,),
        )
        self._go_to(some.settles_ms - 2 * HOUR_MS)

    def _do(self, operations: Sequence[Record], by: Sequence[str]) -> None:
        for start in range(0, len(operations), OPERATIONS):
            some: Any = operations[start : start + OPERATIONS]
            self.world.block(self.world.body(*some, by=by))

    def _pass(self, day: int) -> None:
        for each in range(self.world.time_ms // 86_400_000 + 1, day + 1):
            self._go_to(max(midnight_ms(each), self.world.time_ms + 1))

    def _go_to(self, time_ms: int) -> None:
        """Let what is due happen, block by block."""
        world = self.world
        world.time_ms = time_ms
        while True:
            self._block()
            heads = [
                key for queue in (DUE, RECORDS_DUE) for key, _ in world.records.scan(queue, b"", 1)
            ]
            if not heads or int.from_bytes(min(heads)[:8], "big") > world.time_ms + 1:
                return
            world.time_ms += 1

    def _block(self) -> None:
        state, context = LedgerState(self.world.records), self.world.context()
        start = time.process_time()
        result = apply_block(state, context, [])
        taken_ms = 1e3 * (time.process_time() - start)
        self.world.commit(state, result)
        happened = Counter(type(event).__name__ for event in result.events)
        self.blocks.append((taken_ms, happened))

    def figures(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield of each kind of event its slowest block."""
        for kind in sorted({kind for _, happened in self.blocks for kind in happened}):
            having = [block for block in self.blocks if kind in block[1]]
            taken_ms, happened = max(having, key=lambda block: block[0])
            yield (
                kind,
                {"blocks": len(having), "most_cpu_ms": round(taken_ms, 1), "with": dict(happened)},
            )


def dear_bond(name: str, number: int) -> DefineAsset:
    """Return a bond of a hundred years, in quarters, fixed with many steps or floating."""
    first = date_of(ISSUED)
    maturity_day = from_date(first.replace(year=first.year + 100))
    if number % 2:
        return define_bond(name, maturity_day=maturity_day, months=3, **floating())
    rates = tuple(
        RateStep(from_day=ISSUED + 100 * step, rate_ppm=70_000 + step)
        for step in range(RATE_STEPS_MAX)
    )
    return define_bond(name, maturity_day=maturity_day, months=3, rates=rates)


def _sealed(auction: str) -> SealedBid:
    return SealedBid(auction=auction, account=address(BANK), price_e4=PRICE_E4, face=500, salt=SALT)


def _opened(asset: str, bid: SealedBid) -> RevealBid:
    assert bid.price_e4 is not None  # none of these came on paper
    return RevealBid(
        account=bid.account,
        cash_account=bid.account,
        auction=bid.auction,
        number=1,
        asset=asset,
        price_e4=bid.price_e4,
        face=bid.face,
        salt=bid.salt,
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crowds", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    options = parser.parse_args(arguments)
    gc.disable()  # or what it costs falls on whichever block it comes in
    crowd = Crowd(options.count)
    crowd.run()
    print(json.dumps(dict(crowd.figures()), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
