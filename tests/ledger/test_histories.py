"""Random histories: whatever is submitted, the invariants hold and a refusal changes nothing.

Some operations are meant to work, the rest are drawn from small sets in which most combinations are
wrong. Every block is applied twice, from the same state: the receipts and changes
must be the same.
"""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from node.codec import encode, replace
from node.ledger.events import Event, HoldPlaced, Proposed
from node.ledger.explaining import explain
from node.ledger.operations import (
    Approve,
    CloseAccount,
    ForcedTransfer,
    Operation,
    Propose,
    Redeem,
    ReleaseHold,
    SetParameter,
    Withdraw,
)
from node.ledger.outcomes import Outcome
from node.ledger.state import LedgerState
from node.ledger.tables import HOLDINGS, LICENCES, ParticipantStatus, licence_key
from node.ledger.transactions import TransactionBody
from node.ledger.transition import apply_block
from tests.ledger.ladders_governance import (
    ADD_VALIDATOR,
    REMOVE_VALIDATOR,
    ROTATE_VALIDATOR_KEY,
    SET_POWERS,
)
from tests.ledger.ladders_registry import GRANT_LICENCE, GRANT_OFFICE, REVOKE_LICENCE
from tests.ledger.world import (
    BILL,
    CB,
    CC,
    FM,
    PKR,
    PLAIN,
    VAR,
    address,
    hold_account,
    identify,
    issue_bill,
    issue_cash,
    make_market,
    open_for,
    place_hold,
    register,
    suspend,
    transfer,
)

PEOPLE: Final = ("amina", "bilal", "held", "suspended", "unbanked", "first-bank", "exchange")
OFFICES: Final = (CB, FM, CC, VAR)
EVERYBODY: Final = (*PEOPLE, *OFFICES)
ASSETS: Final = (PKR, BILL, PLAIN, "USD")

people = st.sampled_from(PEOPLE)
anybody = st.sampled_from(EVERYBODY)
offices = st.sampled_from(OFFICES)
amounts = st.sampled_from((0, 1, 7, 1_000, 60_000, 500_000, 10**9, (1 << 64) - 1)) | st.integers(
    1, 600_000
)
approver_lists = st.lists(offices, max_size=3, unique=True).map(
    lambda labels: tuple(address(label) for label in labels)
)

operations = st.one_of(
    st.builds(transfer, anybody, anybody, amounts, st.sampled_from(ASSETS)),
    st.builds(transfer, people, people, st.integers(1, 1_000)),
    st.builds(issue_cash, amounts, anybody),
    st.builds(issue_bill, st.integers(0, 3).map(lambda n: n * 500_000), anybody),
    st.builds(place_hold, anybody, amounts, expires_ms=st.none()),
    st.builds(hold_account, anybody),
    st.builds(suspend, anybody),
    st.builds(lambda name: replace(suspend(name), status=ParticipantStatus.ACTIVE), anybody),
    st.builds(lambda name: CloseAccount(account=address(name)), anybody),
    st.builds(open_for, people, by=st.sampled_from(("exchange", VAR, CB))),
    st.builds(register, people, by=st.sampled_from(("exchange", VAR, CB))),
    st.builds(
        lambda office, holder, amount, asset: Redeem(
            account=address(office),
            approvers=(),
            asset=asset,
            amount=amount,
            holder=address(holder),
        ),
        offices,
        offices,
        amounts,
        st.sampled_from(ASSETS),
    ),
    st.builds(
        lambda source, to, amount, asset: ForcedTransfer(
            account=address(VAR),
            approvers=(address(CB),),
            source=address(source),
            to=address(to),
            asset=asset,
            amount=amount,
            reason="Order",
            legal_reference="1/2026",
        ),
        anybody,
        anybody,
        amounts,
        st.sampled_from(ASSETS),
    ),
    st.sampled_from(
        (
            GRANT_OFFICE.good,
            GRANT_LICENCE.good,
            REVOKE_LICENCE.good,
            SET_POWERS.good,
            ADD_VALIDATOR.good,
            REMOVE_VALIDATOR.good,
            ROTATE_VALIDATOR_KEY.good,
        )
    ),
    st.builds(
        lambda approvers, value: SetParameter(
            account=address(CB),
            approvers=approvers,
            parameter="proposals-open-max",
            value=value,
        ),
        approver_lists,
        st.integers(0, 4),
    ),
)


BLOCK_SIZE: Final = 3


class HistoryMachine(RuleBasedStateMachine):
    """A market in which anybody tries anything."""

    def __init__(self) -> None:
        super().__init__()
        self.world = make_market()
        self.holds: list[tuple[bytes, bytes]] = []
        self.proposals: list[bytes] = []
        self.bodies: list[TransactionBody] = []

    def submit(self, *parts: Operation, by: tuple[str, ...]) -> None:
        self.bodies.append(self.world.body(*parts, by=by))
        if len(self.bodies) == BLOCK_SIZE:
            self.commit_block()

    @rule(
        source=people,
        to=people,
        asset=st.sampled_from((PKR, PKR, BILL, PLAIN)),
        tenths=st.integers(0, 11),
    )
    def pay_a_part_of_what_there_is(self, source: str, to: str, asset: str, tenths: int) -> None:
        amount = self.world.holding(source, asset)[0] * tenths // 10
        self.submit(transfer(source, to, amount, asset), by=(source,))

    @rule(source=people, to=people, amount=st.integers(1, 1_000))
    def deliver_against_payment(self, source: str, to: str, amount: int) -> None:
        legs = (transfer(source, to, amount), transfer(to, source, amount // 2 + 1, BILL))
        self.submit(*legs, by=(source, to))

    @rule(units=st.integers(1, 3), both=st.booleans())
    def issue(self, units: int, *, both: bool) -> None:
        by = (CB, FM) if both else (FM,)
        self.submit(issue_bill(units * 500_000, "first-bank"), by=by)

    @rule(parts=st.lists(operations, min_size=1, max_size=4))
    def submit_with_the_signatures_it_needs(self, parts: list[Operation]) -> None:
        accounts = {
            account for part in parts for account in (part.account, *getattr(part, "approvers", ()))
        }
        by = tuple(label for label in EVERYBODY if address(label) in accounts)
        if by:
            self.submit(*parts, by=by)

    @rule(part=operations, by=st.lists(anybody, min_size=1, max_size=3))
    def submit_with_any_signatures(self, part: Operation, by: list[str]) -> None:
        self.submit(part, by=tuple(by))

    @rule(holder=people, amount=amounts, days=st.sampled_from((1, 2, 3, 0)))
    def hold_for_days(self, holder: str, amount: int, days: int) -> None:
        expires_ms = self.world.time_ms + days * 86_400_000
        self.submit(place_hold(holder, amount, expires_ms=expires_ms), by=(VAR,))

    @rule(number=st.integers(0, 5), office=offices)
    def release(self, number: int, office: str) -> None:
        if self.holds:
            holder, hold = self.holds[number % len(self.holds)]
            release = ReleaseHold(account=address(office), approvers=(), holder=holder, hold=hold)
            self.submit(release, by=(office,))

    @rule(parts=st.lists(operations, min_size=1, max_size=3), office=offices)
    def propose(self, parts: list[Operation], office: str) -> None:
        governed = tuple(
            replace(part, account=address(office), approvers=())
            for part in (*parts, issue_bill(500_000))
            if hasattr(part, "approvers")
        )
        proposal = Propose(
            account=address(office),
            operations=encode(governed),
            expires_ms=self.world.time_ms + 2 * 86_400_000,
        )
        self.submit(proposal, by=(office,))

    @rule(number=st.integers(0, 2), office=offices)
    def withdraw(self, number: int, office: str) -> None:
        for proposal in self.proposals[-1 - number :][:1]:
            self.submit(Withdraw(account=address(office), proposal=proposal), by=(office,))

    @rule(number=st.integers(0, 2), approvers=st.lists(offices, max_size=4, unique=True))
    def approve(self, number: int, approvers: list[str]) -> None:
        for proposal in self.proposals[-1 - number :][:1]:
            for office in approvers:
                self.submit(Approve(account=address(office), proposal=proposal), by=(office,))

    @rule(days=st.sampled_from((0, 0, 0, 0, 1, 40)))
    def commit(self, days: int) -> None:
        self.world.pass_days(days)
        self.commit_block()

    def commit_block(self) -> None:
        """Apply what was submitted as one block."""
        world, bodies = self.world, self.bodies
        transactions = [(identify(body), body) for body in bodies]
        states = [LedgerState(world.records) for _ in range(2)]
        results = [apply_block(state, world.context(), transactions) for state in states]
        assert results[0] == results[1]
        assert states[0].changes() == states[1].changes()

        for body, receipt in zip(bodies, results[0].receipts, strict=True):
            assert "…" not in explain(receipt.outcome, receipt.details)
            self.check_refusal_changed_nothing(body, receipt.outcome)
            self.note(receipt.events)
        assert world.block(*bodies) == results[0]
        self.bodies = []

    def check_refusal_changed_nothing(self, body: TransactionBody, outcome: Outcome) -> None:
        """Alone, on the state before the block."""
        state = LedgerState(self.world.records)
        events = apply_block(state, self.world.context(), []).events
        before = state.changes()
        again = LedgerState(self.world.records)
        result = apply_block(again, self.world.context(), [(identify(body), body)])
        assert result.events == events
        if result.receipts[0].outcome is not Outcome.APPLIED:
            assert again.changes() == before
        assert outcome in Outcome

    def note(self, events: tuple[Event, ...]) -> None:
        for event in events:
            match event:
                case HoldPlaced():
                    self.holds.append((event.holder, event.hold))
                case Proposed():
                    self.proposals.append(event.proposal)
                case _:
                    pass

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        self.world.check()


class TestHistories(HistoryMachine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(max_examples=100, stateful_step_count=50, deadline=None, print_blob=True)


class TestOtherHistories(TestHistories):
    """As many again, with chances of their own: together they take half a minute of a core."""


def test_market_of_the_histories_has_what_they_speak_of() -> None:
    world = make_market()

    assert len(world.records.scan(HOLDINGS, b"", 100)) >= 8
    assert world.get(LICENCES, licence_key("exchange", "exchange")) is not None
