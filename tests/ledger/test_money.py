"""Random lives of securities of every form: after each block its money adds up, by what is held and
told alone.

Nothing of the ledger's own books is asked: holdings are added up by whoever has them, payments by
the events of who was paid. Terms and calendars are those of the other tests; who trades when, how
late the cash comes, and what is called or stripped is drawn.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from node.codec import replace
from node.ledger import servicing
from node.ledger.events import (
    Event,
    HolderPaid,
    PaymentFunded,
    PaymentSettled,
    RateAwaited,
    StripsDefined,
)
from node.ledger.operations import DefineAsset, Operation
from node.ledger.outcomes import Outcome
from node.ledger.securities import POSITIONS, TAXED_POSITIONS, WithholdingRow
from node.ledger.tables import ASSETS, DUE, HOLDINGS, RECORDS_DUE, name_key
from node.ledger.terms import RateStep, is_serviced
from tests.ledger.debt import (
    BOND,
    ISSUED,
    SERVICED_BILL,
    SUKUK,
    amortising,
    call,
    callable_bond,
    define_bond,
    define_serviced_bill,
    define_strips,
    define_sukuk,
    fix,
    floating,
    in_escrow,
    issue,
    make_debt,
    strip,
    zero_coupon,
)
from tests.ledger.ladders_lifecycle import SET_WITHHOLDING
from tests.ledger.paying import days
from tests.ledger.world import CB, CC, DAY_MS, FM, World, address, issue_cash, transfer

FACE: Final = 1_000_061
ENOUGH: Final = 40 * FACE
HOLDERS: Final = ("amina", "bilal", "first-bank", "exchange")
STEPPED: Final[dict[str, Any]] = {
    "rates": (
        RateStep(from_day=ISSUED, rate_ppm=70_000),
        RateStep(from_day=ISSUED + 365, rate_ppm=93_337),
    )
}
FORMS: Final[Mapping[str, tuple[str, Callable[[], DefineAsset]]]] = {
    "bill": (SERVICED_BILL, define_serviced_bill),
    "fixed": (BOND, define_bond),
    "floating": (BOND, lambda: define_bond(**floating())),
    "zero": (BOND, lambda: define_bond(**zero_coupon())),
    "sukuk": (SUKUK, define_sukuk),
    "amortising": (BOND, lambda: define_bond(**amortising())),
    "step-up": (BOND, lambda: define_bond(**STEPPED)),
    "callable": (BOND, lambda: define_bond(**callable_bond())),
    "stripped": (BOND, lambda: define_bond(ceiling=10**18)),
}

EXAMPLES: Final = 4
"""Of each form."""

BLOCKS_MAX: Final = 1_000
"""Until nothing is due any more, for a few payments to a few holders."""

people = st.sampled_from(HOLDERS)
trades = st.tuples(st.integers(0, 130), people, people, st.integers(1, 400_000))


class Life:
    """A security of one form, what comes of it, and what was told of its payments."""

    def __init__(self, form: str, *, cash: int) -> None:
        self.asset, define = FORMS[form]
        self.world = make_debt(define())
        self.day = ISSUED - 1
        self.funded: Counter[tuple[str, int]] = Counter()
        self.paid: Counter[tuple[str, int]] = Counter()
        self.settled: set[tuple[str, int]] = set()
        self.in_parts = 0
        """After how many blocks something stood in escrow."""
        self.pass_to(ISSUED)
        row = WithholdingRow(from_day=0, rate_bps=1_500, source="Finance Act")
        self.do(
            replace(SET_WITHHOLDING.good, collector=address(CC), taxpayer="person", rows=(row,)),
            issue_cash(1 + cash, to=FM),
            by=(CB, FM),
        )

    def pass_to(self, day: int) -> None:
        """Let days pass, block by block where something is due, and add up after each."""
        world, until = self.world, day * DAY_MS - 5 * 3_600_000
        blocks = 0
        while (due := _next_due(world)) is not None and due <= until:
            blocks += 1
            assert blocks < BLOCKS_MAX, "something stays due"
            world.time_ms = max(due, world.time_ms + 1)
            self.take(world.block().events)
        world.time_ms = max(until, world.time_ms + 1)
        self.day = day

    def do(self, *operations: Operation, by: tuple[str, ...]) -> None:
        """Have this applied, in a block of its own."""
        self.world.time_ms += 1
        result = self.world.block(self.world.body(*operations, by=by))
        assert result.receipts[0].outcome is Outcome.APPLIED, result.receipts[0]
        self.take(result.events)

    def take(self, events: tuple[Event, ...]) -> None:
        """Note what a block tells of payments; what floats is fixed as soon as it is awaited."""
        awaited = []
        for event in events:
            match event:
                case PaymentFunded():
                    self.funded[event.asset, event.payment] += event.amount
                case HolderPaid():
                    self.paid[event.asset, event.payment] += event.paid + event.withheld
                case PaymentSettled():
                    place = (event.asset, event.payment)
                    assert self.paid[place] == event.paid + event.withheld
                    assert self.funded[place] == event.paid + event.withheld + event.residue
                    assert place not in self.settled
                    self.settled.add(place)
                case RateAwaited():
                    awaited.append(fix(event.payment, 112_503))
                case _:
                    pass
        self.add_up()
        for each in awaited:
            self.do(each, by=(CB, FM))

    def add_up(self) -> None:
        """Of each asset as much is held as there is; what is not paid out yet stands in escrow."""
        held: Counter[str] = Counter()
        for key, holding in self.world.records.scan(HOLDINGS, b"", 1_000):
            held[key[20:].decode()] += holding.available + holding.held
        for key, asset in self.world.records.scan(ASSETS, b"", 1_000):
            assert held[key.decode()] == asset.supply, key
            if is_serviced(asset.terms):
                left = sum(
                    amount - self.paid[place]
                    for place, amount in self.funded.items()
                    if place[0] == key.decode() and place not in self.settled
                )
                assert in_escrow(self.world, key.decode()) == left
                self.in_parts += left > 0

    def trade(self, source: str, to: str, amount: int) -> None:
        """Try a transfer: there may not be so much, and the register may be closed."""
        self.world.time_ms += 1
        body = self.world.body(transfer(source, to, amount, self.asset), by=(source,))
        self.take(self.world.block(body).events)

    def end(self, codes: tuple[str, ...]) -> None:
        """Give the agent all it needs, let it end, and see that nothing remains of any of these."""
        self.do(issue_cash(ENOUGH, to=FM), by=(CB,))
        self.pass_to(self.day + 900)
        self.world.check()
        assert self.settled == set(self.funded)
        assert {asset for asset, _ in self.settled} == set(codes)
        for code in codes:
            asset = self.world.get(ASSETS, name_key(code))
            assert asset is not None
            assert (asset.supply, in_escrow(self.world, code)) == (0, 0)
        assert not tuple(self.world.records.scan(POSITIONS, b"", 1))
        assert not tuple(self.world.records.scan(TAXED_POSITIONS, b"", 1))


def _next_due(world: World) -> int | None:
    """Return when something is due next, by block time."""
    heads = [key for queue in (DUE, RECORDS_DUE) for key, _ in world.records.scan(queue, b"", 1)]
    return int.from_bytes(min(heads)[:8], "big") if heads else None


@pytest.mark.parametrize("form", FORMS)
def test_money_adds_up_after_each_block_and_nothing_remains(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two holders are paid a block, so that most blocks leave some of a payment in escrow."""
    monkeypatch.setattr(servicing, "HOLDERS_PER_BLOCK_MAX", 2)
    in_parts = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, phases=(Phase.generate,))
    @given(data=st.data())
    def lives(data: st.DataObject) -> None:
        nonlocal in_parts
        in_parts += live(form, data)

    lives()
    assert in_parts > 0  # sums that nothing stood in the way of say little


def live(form: str, data: st.DataObject) -> int:
    """Live one life; return after how many blocks something was left to be paid out."""
    life = Life(form, cash=data.draw(st.sampled_from((0, 20_000, ENOUGH))))
    codes: tuple[str, ...] = (life.asset,)
    if form == "stripped":
        codes = strip_some(life, data)
    else:
        life.do(issue(FACE, to="amina", asset=life.asset), by=(CB, FM))
    if form == "callable":
        life.do(call(days(3)[2], data.draw(st.sampled_from((None, 250_003)))), by=(CB, FM))
    for passed, source, to, amount in data.draw(st.lists(trades, max_size=6)):
        life.pass_to(life.day + passed)
        life.trade(source, to, amount)
    life.end(codes)
    return life.in_parts


def strip_some(life: Life, data: st.DataObject) -> tuple[str, ...]:
    """Issue a bond, and strip some of it; return what there is of it then."""
    (defined,) = life.world.do(define_strips(), by=(CB, FM))
    assert isinstance(defined, StripsDefined)
    unit = defined.multiple
    life.do(issue(5 * unit, to="amina"), issue_cash(10**17, to=FM), by=(CB, FM))
    life.do(strip("amina", data.draw(st.integers(1, 4)) * unit), by=("amina",))
    return (BOND, *defined.defined)
