"""Many things that come due at one moment: each block does a bounded part, whatever each costs."""

from collections import Counter
from typing import Any, Final

import pytest
from typing_extensions import override

from node.ledger.auctioning import ROW_WORK, SETTLING_WORK, STEP_WORK
from node.ledger.calendars import appoint
from node.ledger.dates import Holiday, Periods, Roll
from node.ledger.due import APPOINTMENT_WORK, DUE_PER_BLOCK_MAX, FUNDING_WORK, SERVICE_WORK
from node.ledger.events import (
    AuctionRejected,
    AuctionSettled,
    BookCompleted,
    FundingChecked,
    HoldersPaid,
    RateAwaited,
)
from node.ledger.instruments import schedule
from node.ledger.operations import AmendCalendar, DefineCalendar
from node.ledger.state import LedgerState
from node.ledger.tables import DUE, DueKind
from tests.bench.crowds import Crowd
from tests.ledger.debt import define_calendar
from tests.ledger.world import CB, DAY_MS, TODAY, address, make_market

COUNT: Final = 50
"""More of each kind than fits into a block, of the dear ones."""
FAR: Final = ((TODAY + 200) * DAY_MS).to_bytes(8, "big")


class Counted(Crowd):
    """A crowd, with how many periods and fractions of years each block computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(COUNT)
        self.calls = Counter[str]()
        self.most = Counter[str]()

        def counted(owner: Any, name: str) -> None:
            real = getattr(owner, name)

            def count(*args: Any, **kwargs: Any) -> Any:
                self.calls[name] += 1
                return real(*args, **kwargs)

            monkeypatch.setattr(owner, name, count)

        counted(Periods, "__getitem__")
        counted(schedule, "year_fraction")

    @override
    def _block(self) -> None:
        self.calls.clear()
        super()._block()
        self.most |= self.calls


def test_block_does_a_bounded_part_of_what_comes_due_at_one_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Counted(monkeypatch)

    crowd.run()

    settles = DUE_PER_BLOCK_MAX // (SETTLING_WORK + ROW_WORK) + 1
    fixes = DUE_PER_BLOCK_MAX // (SERVICE_WORK + APPOINTMENT_WORK) + 1
    assert settles < COUNT - COUNT // 10  # or it would prove nothing
    for kind, most in (
        (AuctionSettled, settles),
        (HoldersPaid, fixes),
        (RateAwaited, fixes),
        (FundingChecked, DUE_PER_BLOCK_MAX // (FUNDING_WORK + APPOINTMENT_WORK) + 1),
        (BookCompleted, DUE_PER_BLOCK_MAX // (STEP_WORK + 1) + 1),
    ):
        counts = [happened[kind.__name__] for _, happened in crowd.blocks]
        assert max(counts) <= most, kind
        assert sum(counts) > 0, kind
    # All of it happened, in time: nothing waits for ever.
    total = sum((happened for _, happened in crowd.blocks), Counter[str]())
    assert total[AuctionSettled.__name__] == COUNT - COUNT // 10
    assert total[AuctionRejected.__name__] == COUNT // 10
    assert total[HoldersPaid.__name__] == COUNT // 2
    # Of 400 periods a bond, a settlement looks at those that a search passes and computes two
    # shares of a year; the old way computed all of them, and each one's interest.
    assert crowd.most["year_fraction"] <= 2 * max(settles, fixes)
    assert crowd.most["__getitem__"] <= 20 * max(settles, fixes)


def test_calendar_without_appointments_pays_for_those_of_others_that_it_reads() -> None:
    """Many are amended in one block; behind each in the table lie 250 appointments of another."""
    market = make_market()
    names = [f"a-{number}" for number in range(10)]
    market.do(*(calendar(name) for name in [*names, "b"]), by=(CB,))
    state = LedgerState(market.records)
    for number in range(250):
        appoint(
            state,
            "b",
            number.to_bytes(32, "big"),
            kind=DueKind.FUNDING_DAY,
            target=b"",
            subject="B",
            nominal=TODAY + 300,
            convention=Roll.NONE,
        )
    market.records.write(state.changes())
    moon = Holiday(day=TODAY + 30, provisional=False)
    market.do(
        *(
            AmendCalendar(
                account=address(CB),
                approvers=(),
                calendar=name,
                version=1,
                withdrawn=(),
                holidays=(moon,),
            )
            for name in names
        ),
        by=(CB,),
    )

    left = []
    for _ in range(3):
        market.time_ms += 1
        market.block()
        left.append(sum(key[:8] < FAR for key, _ in market.records.scan(DUE, b"", 300)))

    assert left == [6, 2, 0]


def calendar(name: str) -> DefineCalendar:
    return DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar=name,
        title=name,
        weekend=define_calendar().weekend,
        holidays=(),
    )
