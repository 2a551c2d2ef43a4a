"""Many things that come due at one moment: each block does a bounded part, whatever each costs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest
from typing_extensions import override

from node.codec import encode, replace
from node.ledger.acting import WORK_PER_BLOCK_MAX
from node.ledger.auctioning.steps import ROW_WORK, SETTLING_WORK, STEP_WORK
from node.ledger.calendars import appoint
from node.ledger.dates import (
    Calendar,
    DatesError,
    Holiday,
    Periods,
    Roll,
    Stub,
    date_of,
    from_date,
)
from node.ledger.due import APPOINTMENT_WORK, DUE_PER_BLOCK_MAX, FUNDING_WORK, SERVICE_WORK
from node.ledger.events import (
    AuctionRejected,
    AuctionSettled,
    BookCompleted,
    FundingChecked,
    HoldersPaid,
    ProposalApplied,
    ProposalRefused,
    Proposed,
    RateAwaited,
    RecordTaken,
)
from node.ledger.instruments import (
    PAYMENTS_MAX,
    SCHEDULE_WORK,
    payments_at_most,
    periods_of,
    schedule,
)
from node.ledger.operations import (
    AmendCalendar,
    Approve,
    DefineAsset,
    DefineCalendar,
    Propose,
    Transfer,
)
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState, MemoryRecords, R, Table
from node.ledger.tables import DUE, PROPOSALS, DueKind
from tests.bench.crowds import Crowd, dear_bond
from tests.ledger import paying
from tests.ledger.debt import (
    BOND,
    FIVE_HOURS_MS,
    ISSUED,
    define_bond,
    define_calendar,
    define_strips,
    holder_address,
    issue,
    make_debt,
    to_day,
)
from tests.ledger.world import CB, DAY_MS, FM, TODAY, World, address, make_market

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


class Asked(MemoryRecords):
    """Records that count what they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    @override
    def record(self, table: Table[R], key: bytes) -> R | None:
        self.asked += 1
        return super().record(table, key)

    @override
    def records(self, table: Table[R], full_keys: Sequence[bytes]) -> Sequence[R | None]:
        self.asked += len(full_keys)
        return super().records(table, full_keys)

    @override
    def scan(self, table: Table[R], start: bytes, limit: int) -> Sequence[tuple[bytes, R]]:
        found = super().scan(table, start, limit)
        self.asked += 1 + len(found)
        return found


def test_block_in_which_nothing_comes_due_costs_the_same_however_many_securities_live() -> None:
    costs = []
    for count in (1, 30):
        definitions = [define_bond(f"PIB-{1_000 + number}") for number in range(count)]
        world = make_debt(*definitions)
        world.do(*(issue(10, asset=definition.asset) for definition in definitions), by=(CB, FM))
        to_day(world, ISSUED + 1)
        asked = Asked()
        asked.write(dict(world.records.items()))
        world.records = asked
        world.time_ms += 1_000
        result = world.block()
        costs.append((asked.asked, len(result.written), result.events))

    assert costs[0] == costs[1]
    assert costs[0][0] < 10


def test_record_is_taken_in_the_same_work_however_many_hold() -> None:
    """What each is owed is fixed by it: nobody's position is read or written."""
    costs = []
    for count in (1, 60):
        labels = [f"holder-{number}" for number in range(count)]
        world = make_debt(holders=labels)
        to_day(world, ISSUED)
        moved = [
            Transfer(account=address(FM), to=holder_address(label), asset=BOND, amount=100)
            for label in labels
        ]
        world.do(issue(60 * 100), *moved, by=(CB, FM))
        asked = Asked()
        asked.write(dict(world.records.items()))
        world.records = asked
        world.time_ms = (paying.days(1)[0] + 1) * DAY_MS - FIVE_HOURS_MS
        result = world.block()
        costs.append((asked.asked, len(result.written), result.events))

    assert costs[0] == costs[1]
    assert [type(event) for event in costs[0][2]] == [RecordTaken, FundingChecked]


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


def test_block_does_so_much_dear_work_and_no_more() -> None:
    world = make_debt()
    bonds = [dear_bond(f"P{1_000_000 + number}", number) for number in range(6)]
    cost = SCHEDULE_WORK * PAYMENTS_MAX
    fits = WORK_PER_BLOCK_MAX // cost

    result = world.block(*(world.body(bond, by=(CB, FM)) for bond in bonds))

    outcomes = [receipt.outcome for receipt in result.receipts]
    assert outcomes == [*[Outcome.APPLIED] * fits, *[Outcome.BLOCK_CROWDED] * (6 - fits)]
    assert dict(result.receipts[-1].details) == {
        "found": cost,
        "expected": WORK_PER_BLOCK_MAX - fits * cost,
    }
    world.time_ms += 1
    world.do(bonds[-1], by=(CB, FM))


def test_dear_work_is_counted_where_it_is_refused_too_and_always_fits_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.ledger.acting.WORK_PER_BLOCK_MAX", 10)
    world = make_debt(define_bond())
    unknown = replace(define_strips(), series="NO SERIES")

    receipts = world.block(
        world.body(unknown, by=(CB, FM)), world.body(define_strips(), by=(CB, FM))
    ).receipts

    assert [receipt.outcome for receipt in receipts] == [
        Outcome.NAME_NOT_ACCEPTED,
        Outcome.BLOCK_CROWDED,
    ]
    world.time_ms += 1
    world.do(define_strips(), by=(CB, FM))  # more than there is, and the first of its block


def test_proposals_share_the_dear_work_of_a_block_and_wait_for_a_later_one() -> None:
    world = make_debt()
    bonds = [dear_bond(f"P{1_000_000 + number}", number) for number in range(6)]
    approvals = [world.body(approve_of(propose(world, bond)), by=(CB,)) for bond in bonds]
    fits = WORK_PER_BLOCK_MAX // (SCHEDULE_WORK * PAYMENTS_MAX)

    receipts = world.block(*approvals).receipts

    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes == [*[Outcome.APPLIED] * fits, *[Outcome.BLOCK_CROWDED] * (6 - fits)]
    world.check()
    world.time_ms += 1
    later = world.block(*approvals[fits:]).receipts
    assert [type(receipt.events[1]) for receipt in later] == [ProposalApplied] * (6 - fits)


def test_proposal_leaves_to_others_what_is_left_of_the_dear_work_of_a_block() -> None:
    world = make_debt()
    cost = SCHEDULE_WORK * PAYMENTS_MAX
    first, *others = [dear_bond(f"P{1_000_000 + number}", number) for number in range(5)]
    approval = world.body(approve_of(propose(world, first)), by=(CB,))

    receipts = world.block(approval, *(world.body(bond, by=(CB, FM)) for bond in others)).receipts

    assert receipts[-1].outcome is Outcome.BLOCK_CROWDED
    assert dict(receipts[-1].details)["expected"] == WORK_PER_BLOCK_MAX - 4 * cost
    world.check()


def test_proposal_that_is_too_much_for_a_block_of_its_own_is_refused_for_good() -> None:
    world = make_debt()
    bonds = [dear_bond(f"P{1_000_000 + number}", number) for number in range(5)]
    proposal = propose(world, *bonds)

    events = world.do(approve_of(proposal), by=(CB,))

    refused = events[-1]
    assert isinstance(refused, ProposalRefused)
    assert (refused.operation, refused.outcome) == (4, Outcome.BLOCK_CROWDED)
    assert world.get(PROPOSALS, proposal) is None


def propose(world: World, *bonds: DefineAsset) -> bytes:
    """Propose definitions, which the bank has not approved yet."""
    operations = encode(tuple(replace(bond, approvers=()) for bond in bonds))
    expires_ms = world.time_ms + 10_000
    proposed = Propose(account=address(FM), operations=operations, expires_ms=expires_ms)
    (event,) = world.do(proposed, by=(FM,))
    assert isinstance(event, Proposed)
    return event.proposal


def approve_of(proposal: bytes) -> Approve:
    return Approve(account=address(CB), proposal=proposal)


@pytest.mark.parametrize(
    ("months", "years", "stub"),
    [(1, 2, Stub.SHORT_FRONT), (3, 100, Stub.NONE), (12, 1, Stub.LONG_BACK), (6, 5, Stub.NONE)],
)
def test_no_plan_has_more_payments_than_it_is_charged_for(
    months: int, years: int, stub: Stub
) -> None:
    first = date_of(ISSUED)
    for days in (0, 1, 27, 30):
        plan = define_bond().terms.plan  # type: ignore[union-attr]  # a bond
        maturity = from_date(first.replace(year=first.year + years)) + days
        plan = replace(plan, months=months, maturity_day=maturity, stub=stub, instalments=())
        try:
            count = len(periods_of(plan, Calendar(version=1, weekend=0, holidays=())))
        except DatesError:
            continue
        assert min(count, PAYMENTS_MAX) <= payments_at_most(plan) <= count + count // 4 + 3


def calendar(name: str) -> DefineCalendar:
    return DefineCalendar(
        account=address(CB),
        approvers=(),
        calendar=name,
        title=name,
        weekend=define_calendar().weekend,
        holidays=(),
    )
