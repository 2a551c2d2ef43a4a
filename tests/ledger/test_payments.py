"""Random lives of a bond: whoever held at a record is paid the floor of its share, nobody else.

What happens is drawn: transfers, issues, holds, days that pass by one or by many, cash that comes
to the paying agent late or early, and who is told to be an active taxpayer or none. A model notes
who has what at the end of each record day, and who is of which class on the day of the block that
takes the record; it says to the paisa what everybody must have been paid in the end. Each holds
other bonds too, so that a change of its class is half done between two blocks.
"""

from fractions import Fraction
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from node.codec import encode, replace
from node.ledger import due, servicing
from node.ledger.events import RecordTaken
from node.ledger.operations import Operation, SetTaxStatus
from node.ledger.outcomes import Outcome
from node.ledger.securities import PaymentStatus, TaxStatus, WithholdingRow
from node.ledger.state import LedgerState
from node.ledger.terms import PPM
from node.ledger.transition import apply_block
from node.ledger.units import local_day
from tests.ledger.debt import (
    BOND,
    ISSUED,
    amortising,
    define_bond,
    fund,
    issue,
    make_debt,
    payment,
    position,
    service,
    to_day,
)
from tests.ledger.ladders_lifecycle import SET_TAX_STATUS, SET_WITHHOLDING
from tests.ledger.world import (
    CB,
    CC,
    FM,
    VAR,
    address,
    identify,
    issue_cash,
    place_hold,
    transfer,
)

HOLDERS: Final = ("amina", "bilal", "first-bank", "exchange")
FACE: Final = 1_000_061
ENOUGH: Final = 40 * FACE
TAX_BPS: Final = {"person": 1_500, "person-inactive": 3_000, "bank-inactive": 4_000}
"""Of companies nothing is withheld, whatever they are."""
STATUSES: Final = (TaxStatus.ACTIVE, TaxStatus.INACTIVE)
FAR: Final = tuple(f"PIB-10Y-{number}" for number in range(5))
"""Pay nothing in the time of these lives; their positions are marked before those of the other."""
MARKING: Final = (1, 1, 2)
"""Positions a block that are marked with another class."""
KIND: Final = {"amina": "person", "bilal": "person", "first-bank": "bank", "exchange": "company"}

people = st.sampled_from(HOLDERS)
steps = st.one_of(
    st.tuples(st.just("move"), people, people, st.integers(1, 400_000)),
    st.tuples(st.just("move all"), people, people),
    st.tuples(st.just("issue"), people, st.integers(1, 100_000)),
    st.tuples(st.just("hold"), people, st.integers(1, 100_000)),
    st.tuples(st.just("days"), st.sampled_from((1, 2, 5, 28, 30, 60, 200))),
    st.tuples(st.just("days"), st.sampled_from((1, 2, 5, 28, 30, 60, 200))),
    st.tuples(st.just("cash"), st.sampled_from((1, 20_000, 100_000, 10**7))),
    st.tuples(st.just("fund")),
    st.tuples(st.just("marking"), st.sampled_from(MARKING)),
    st.tuples(st.just("taxed"), people, st.sampled_from(STATUSES)),
    st.tuples(st.just("taxed"), people, st.sampled_from(STATUSES)),
    st.tuples(
        st.just("tax"), people, st.sampled_from(STATUSES), st.sampled_from((1, 1, 2, 30, 180))
    ),
)


class Life:
    """One bond, and what must come of it."""

    def __init__(self, changes: dict[str, Any]) -> None:
        self.world = make_debt(
            define_bond(residue_account=address(VAR), **changes),
            *(define_bond(asset, months=0, rates=(), maturity_day=ISSUED + 3_653) for asset in FAR),
        )
        self.on_record: dict[int, dict[str, int]] = {}
        self.taxed: dict[int, dict[str, TaxStatus]] = {}
        self.told: dict[str, list[tuple[int, TaxStatus]]] = {label: [] for label in HOLDERS}
        """Of each: from which day on it is what, ascending; the last may be replaced."""
        self.half_marked = 0
        """After how many steps the positions of somebody were of two classes."""
        self.day = ISSUED
        self.pass_to(ISSUED)
        self.world.do(
            *_withholding(),
            issue(FACE, to="amina"),
            *(issue(1_000, asset=asset, to=label) for label in HOLDERS for asset in FAR),
            by=(CB, FM),
        )
        self.before = {label: self.world.holding(label) for label in (*HOLDERS, VAR, CC)}

    def pass_to(self, day: int) -> None:
        """Let the days pass one by one, and note who holds what when a record is taken."""
        while self.day < day:
            self.day += 1
            held = {label: sum(self.world.holding(label, BOND)) for label in HOLDERS}
            for event in to_day(self.world, self.day):
                if isinstance(event, RecordTaken):
                    assert event.face == sum(held.values())
                    self.on_record[event.payment] = held
                    taken = local_day(self.world.time_ms, 300)
                    self.taxed[event.payment] = {
                        label: self.status(label, taken) for label in HOLDERS
                    }
        self.day = day

    def status(self, label: str, day: int) -> TaxStatus:
        """Return what a taxpayer is on a day."""
        ruling = [status for from_day, status in self.told[label] if from_day <= day]
        return ruling[-1] if ruling else TaxStatus.ACTIVE

    def tell(self, label: str, status: TaxStatus, days: int) -> None:
        """Tell what a taxpayer is from a day on, in place of what has not begun."""
        world, told = self.world, self.told[label]
        today = local_day(world.time_ms + 1, 300)
        change = SET_TAX_STATUS.good
        assert isinstance(change, SetTaxStatus)
        change = replace(change, participant=label, status=status, from_day=today + days)
        world.time_ms += 1
        outcome = world.block(world.body(change, by=(FM,))).receipts[0].outcome
        if outcome is Outcome.APPLIED:
            self.told[label] = [each for each in told if each[0] <= today]
            if status is not self.status(label, today):
                self.told[label].append((today + days, status))
        else:
            assert outcome in (Outcome.TAX_STATUS_UNCHANGED, Outcome.TAX_STATUS_CHANGING)

    def attempt(self, *operations: Operation, by: tuple[str, ...]) -> None:
        """Submit what may be refused; apply it twice, on equal states, to equal ends."""
        world = self.world
        world.time_ms += 1
        body = world.body(*operations, by=by)
        once = LedgerState(world.records)
        apply_block(once, world.context(), [(identify(body), body)])
        twice = LedgerState(world.records)
        result = apply_block(twice, world.context(), [(identify(body), body)])
        assert once.changes() == twice.changes()
        encode(result.receipts[0])
        world.block(body)

    def step(self, kind: str, *arguments: Any) -> None:
        if kind == "move":
            source, to, amount = arguments
            self.attempt(transfer(source, to, amount, BOND), by=(source,))
        elif kind == "move all":
            source, to = arguments
            amount = self.world.holding(source, BOND)[0]
            self.attempt(transfer(source, to, amount, BOND), by=(source,))
        elif kind == "issue":
            self.attempt(issue(arguments[1], to=arguments[0]), by=(CB, FM))
        elif kind == "hold":
            self.attempt(place_hold(arguments[0], arguments[1], asset=BOND), by=(VAR,))
        elif kind == "days":
            self.pass_to(self.day + arguments[0])
        elif kind == "tax":
            self.tell(*arguments)
        elif kind == "taxed":
            label, status = arguments
            self.tell(label, status, 1)
            self.pass_to(self.day + 1)
        elif kind == "marking":
            due.MARKED_PER_BLOCK_MAX = arguments[0]  # type: ignore[misc]  # restored at the end
        elif kind == "cash":
            self.attempt(issue_cash(arguments[0], to=FM), by=(CB,))
        else:
            self.attempt(fund(FM), by=(FM,))
        self.world.check()
        self.half_marked += any(self.is_half_marked(label) for label in HOLDERS)

    def is_half_marked(self, label: str) -> bool:
        """Whether some positions are marked with a change, and others are still to be."""
        noted = [position(self.world, address(label), asset) for asset in (BOND, *FAR)]
        return len({each.taxpayer for each in noted if each is not None}) > 1

    def owed(self, label: str) -> int:
        """Return what the model says that somebody has been paid, all payments together."""
        total = 0
        for number in range(1, service(self.world).settled + 1):
            row = payment(self.world, number).row
            face = self.on_record[number][label]
            interest = face * row.interest_numerator // row.interest_denominator
            inactive = self.taxed[number][label] is TaxStatus.INACTIVE
            taxpayer = f"{KIND[label]}-inactive" if inactive else KIND[label]
            tax = interest * TAX_BPS.get(taxpayer, 0) // 10_000
            total += interest - tax + face * row.principal_ppm // PPM
        return total

    def finish(self) -> None:
        """Give the agent all it needs, let the bond end, and compare with the model."""
        due.MARKED_PER_BLOCK_MAX = 1  # type: ignore[misc]  # restored by whoever lowered it
        self.attempt(issue_cash(ENOUGH, to=FM), by=(CB,))
        self.pass_to(self.day + 900)
        world = self.world
        world.check()
        record = service(world)
        assert record.closed
        assert record.settled == record.recorded == len(self.on_record)
        for label in HOLDERS:
            assert world.holding(label, BOND) == (0, 0)
            gained = sum(world.holding(label)) - sum(self.before[label])
            assert gained == self.owed(label), label
        residues = 0
        for number, held in self.on_record.items():
            made = payment(world, number)
            assert made.status is PaymentStatus.SETTLED
            exact = Fraction(made.row.interest_numerator, made.row.interest_denominator)
            assert made.interest_due == int(sum(held.values()) * exact)
            assert made.paid + made.withheld + made.residue == (
                made.interest_due + made.principal_due
            )
            assert made.residue <= 2 * len(HOLDERS)
            residues += made.residue
        assert world.holding(VAR)[0] - self.before[VAR][0] == residues


def _withholding() -> tuple[Operation, ...]:
    return tuple(
        replace(
            SET_WITHHOLDING.good,
            collector=address(CC),
            taxpayer=taxpayer,
            rows=(WithholdingRow(from_day=0, rate_bps=rate, source="Finance Act"),),
        )
        for taxpayer, rate in TAX_BPS.items()
    )


def test_everybody_is_paid_what_they_held_at_each_record() -> None:
    half_marked = 0

    @settings(max_examples=25, deadline=None)
    @given(
        plan=st.sampled_from(({}, {"months": 3}, {"months": 0, "rates": ()}, amortising())),
        per_block=st.sampled_from((1, 2, 5_000)),
        marked=st.sampled_from(MARKING),
        first=people,
        life=st.lists(steps, max_size=25),
    )
    def lives(
        plan: dict[str, Any],
        per_block: int,
        marked: int,
        first: str,
        life: list[tuple[Any, ...]],
    ) -> None:
        nonlocal half_marked
        bond = Life(plan)
        servicing.HOLDERS_PER_BLOCK_MAX = per_block  # type: ignore[misc]  # restored below
        due.MARKED_PER_BLOCK_MAX = marked  # type: ignore[misc]  # likewise
        for step in (("taxed", first, TaxStatus.INACTIVE), *life):
            bond.step(*step)
        bond.finish()
        half_marked += bond.half_marked

    usual = servicing.HOLDERS_PER_BLOCK_MAX, due.MARKED_PER_BLOCK_MAX
    try:
        lives()
    finally:
        servicing.HOLDERS_PER_BLOCK_MAX, due.MARKED_PER_BLOCK_MAX = usual  # type: ignore[misc]
    assert half_marked > 0
