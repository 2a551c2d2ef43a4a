"""What expires by time: in order, at its time, a bounded number a block."""

import pytest

from node.ledger.due import DUE_PER_BLOCK_MAX, HoldExpired
from node.ledger.events import HoldPlaced
from node.ledger.outcomes import Outcome
from node.ledger.tables import DUE, HOLDS, hold_key
from tests.ledger.world import (
    NOW_MS,
    PKR,
    VAR,
    World,
    address,
    make_market,
    place_hold,
    transfer,
)


@pytest.fixture
def market() -> World:
    return make_market()


def test_hold_expires_in_the_first_block_of_its_time(market: World) -> None:
    placed = market.do(place_hold("amina", 500_000, expires_ms=NOW_MS + 10), by=(VAR,))[0]
    assert isinstance(placed, HoldPlaced)

    market.time_ms = NOW_MS + 9
    assert market.block().events == ()
    assert market.holding("amina") == (0, 500_000)
    market.time_ms = NOW_MS + 10
    assert market.block().events == (
        HoldExpired(hold=placed.hold, holder=address("amina"), asset=PKR, amount=500_000),
    )
    assert market.holding("amina") == (500_000, 0)
    assert market.get(HOLDS, hold_key(address("amina"), placed.hold)) is None
    market.check()


def test_what_is_due_comes_before_the_transactions_of_the_block(market: World) -> None:
    market.do(place_hold("amina", 500_000, expires_ms=NOW_MS + 10), by=(VAR,))
    market.time_ms = NOW_MS + 10

    receipt = market.submit(transfer("amina", "bilal", 500_000), by=("amina",))

    assert receipt.outcome is Outcome.APPLIED


def test_expiries_of_one_block_are_in_order_of_time(market: World) -> None:
    times = [NOW_MS + 1 + number * 7 % 5 for number in range(5)]
    for expires_ms in times:
        market.do(place_hold("amina", expires_ms - NOW_MS, expires_ms=expires_ms), by=(VAR,))
    market.time_ms = NOW_MS + 100

    events = market.block().events

    amounts = [event.amount for event in events if isinstance(event, HoldExpired)]
    assert amounts == [1, 2, 3, 4, 5]
    market.check()


def test_what_does_not_fit_into_a_block_waits_for_the_next() -> None:
    market = make_market(version=1)  # which sets no bound to the holds on one account
    for _ in range(11):
        holds = [place_hold("amina", 1, expires_ms=NOW_MS + 1)] * 100
        market.do(*holds, by=(VAR,))
    market.time_ms = NOW_MS + 1

    first, second, third = (market.block().events for _ in range(3))

    assert [len(first), len(second), len(third)] == [DUE_PER_BLOCK_MAX, 100, 0]
    assert market.records.scan(DUE, b"", 1) == []
    assert market.holding("amina") == (500_000, 0)
    market.check()
