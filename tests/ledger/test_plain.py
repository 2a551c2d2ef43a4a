"""Plain transfers: which they are, and that what stands between two of them is looked at.

That they come to what the long way comes to is held by `World.block`, for every block of all tests.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.chain.trial import Trial
from node.codec import replace
from node.ledger.operations import (
    CloseAccount,
    Operation,
    SetAccountPolicy,
    Transfer,
    UpdateParticipantStatus,
)
from node.ledger.outcomes import Outcome
from node.ledger.plain import PlainTransfers, Standing
from node.ledger.policies import AccountPolicy, single_signer
from node.ledger.state import LedgerState
from node.ledger.tables import ParticipantStatus
from node.ledger.transition import apply_block
from node.ledger.units import AMOUNT_MAX
from tests.ledger.world import (
    BILL,
    PKR,
    PLAIN,
    VAR,
    World,
    address,
    hold_account,
    make_market,
    public_key,
    suspend,
    transfer,
)

NOBODY = Transfer(account=bytes(20), to=address("amina"), asset=PKR, amount=1)


@pytest.fixture
def market() -> World:
    return make_market()


def is_plain(world: World, *operations: Operation, by: Sequence[str]) -> bool:
    state, tried = LedgerState(world.records), LedgerState(world.records)
    body = world.body(*operations, by=by)
    plain = PlainTransfers(state)
    transferred = plain.apply(body)
    plain.settle()
    assert (transferred is not None) == bool(state.changes())
    assert PlainTransfers(tried).apply(body, write=False) == transferred
    assert not tried.changes()
    return transferred is not None


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (transfer("amina", "bilal", 1), True),
        (transfer("amina", "bilal", 500_000), True),
        (transfer("amina", "bilal", 1, PLAIN), True),
        (transfer("amina", "held", 1), True),
        (transfer("amina", "bilal", 500_001), False),
        (transfer("amina", "bilal", 0), False),
        (transfer("amina", "bilal", -1), False),
        (transfer("amina", "bilal", AMOUNT_MAX + 1), False),
        (transfer("amina", "bilal", 1, "NONE"), False),
        (transfer("amina", "amina", 1), False),
        (transfer("amina", "suspended", 1), False),
        (transfer("amina", "closed", 1), False),
        (Transfer(account=address("amina"), to=bytes(20), asset=PKR, amount=1), False),
        (NOBODY, False),
    ],
)
def test_only_what_nothing_stands_against_is_plain(
    market: World, operation: Transfer, expected: bool
) -> None:
    assert is_plain(market, operation, by=("amina",)) is expected


@pytest.mark.parametrize("giver", ["held", "suspended", "closed"])
def test_who_may_not_give_gives_nothing_plainly(market: World, giver: str) -> None:
    assert not is_plain(market, transfer(giver, "amina", 1), by=(giver,))


def test_what_is_held_is_not_given(market: World) -> None:
    assert is_plain(market, transfer("bilal", "amina", 60_000), by=("bilal",))
    assert not is_plain(market, transfer("bilal", "amina", 60_001), by=("bilal",))


def test_securities_more_operations_and_other_signers_take_the_long_way(market: World) -> None:
    one = transfer("amina", "bilal", 1)
    assert not is_plain(market, transfer("first-bank", "amina", 100, BILL), by=("first-bank",))
    assert not is_plain(market, one, one, by=("amina",))
    assert not is_plain(market, one, by=("bilal",))
    assert not is_plain(market, one, by=("amina", "bilal"))
    assert not is_plain(market, hold_account("amina"), by=(VAR,))


@pytest.mark.parametrize(
    ("signers", "threshold", "expected"),
    [
        ((("amina", 1),), 1, True),
        ((("amina", 3),), 2, True),
        ((("amina", 1), ("bilal", 1)), 1, False),
        ((("bilal", 1),), 1, False),
    ],
)
def test_only_a_sole_signer_signs_plainly(
    market: World, signers: tuple[tuple[str, int], ...], threshold: int, expected: bool
) -> None:
    weights = tuple(sorted((public_key(label), weight) for label, weight in signers))
    policy = AccountPolicy(signers=weights, thresholds=(threshold, 1, 1))
    market.do(SetAccountPolicy(account=address("amina"), policy=policy), by=("amina",))

    assert is_plain(market, transfer("amina", "bilal", 1), by=("amina",)) is expected


def activate(participant: str) -> UpdateParticipantStatus:
    return replace(suspend(participant), status=ParticipantStatus.ACTIVE)


def test_what_is_suspended_between_two_transfers_is_suspended_for_the_second(
    market: World,
) -> None:
    pay = [market.body(transfer("amina", "bilal", 1), by=("amina",)) for _ in range(3)]
    stop = market.body(suspend("bilal"), by=(VAR,))
    go_on = market.body(activate("bilal"), by=(VAR,))

    result = market.block(pay[0], stop, pay[1], go_on, pay[2])

    assert [receipt.outcome for receipt in result.receipts] == [
        Outcome.APPLIED,
        Outcome.APPLIED,
        Outcome.OTHER_PARTICIPANT_SUSPENDED,
        Outcome.APPLIED,
        Outcome.APPLIED,
    ]


LABELS = ("amina", "bilal", "first-bank", "held", "suspended", "closed")
label = st.sampled_from(LABELS)
AMOUNTS = st.sampled_from([0, 1, 2, 499_999, 500_000, 500_001, AMOUNT_MAX])


def move(giver: str, receiver: str, asset: str, amount: int) -> tuple[tuple[Operation, ...], str]:
    return (transfer(giver, receiver, amount, asset),), giver


acts = st.one_of(
    st.builds(move, label, label, st.sampled_from([PKR, PLAIN, BILL, "NONE"]), AMOUNTS),
    st.builds(move, st.just("amina"), st.just("bilal"), st.just(PKR), st.integers(1, 1_000)),
    label.map(lambda each: ((suspend(each),), VAR)),
    label.map(lambda each: ((activate(each),), VAR)),
    label.map(lambda each: ((hold_account(each),), VAR)),
    label.map(lambda each: ((CloseAccount(account=address(each)),), each)),
    label.map(
        lambda each: (
            (SetAccountPolicy(account=address(each), policy=single_signer(public_key("amina"))),),
            each,
        )
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(acts, min_size=1, max_size=8), min_size=1, max_size=3))
def test_any_mixture_of_them_with_what_changes_accounts_comes_to_the_same(
    blocks: list[list[tuple[tuple[Operation, ...], str]]],
) -> None:
    world = make_market()
    for block in blocks:
        world.block(*(world.body(*operations, by=(by,)) for operations, by in block))
    world.check()


@settings(max_examples=30, deadline=None)
@given(st.lists(acts, min_size=1, max_size=8))
def test_each_is_tried_as_if_it_were_alone(
    tried: list[tuple[tuple[Operation, ...], str]],
) -> None:
    world = make_market()
    bodies = [world.body(*operations, by=(by,)) for operations, by in tried]
    trial = Trial(LedgerState(world.records), world.context())

    for body in bodies:
        alone = apply_block(LedgerState(world.records), world.context(), [(bytes(32), body)])
        assert (trial.receipt(body),) == alone.receipts


def test_no_more_is_known_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.ledger.plain.KNOWN_MAX", 2)
    world = make_market()
    world.standing = Standing()
    rounds = [("amina", "bilal", PKR), ("amina", "held", PLAIN), ("bilal", "first-bank", PKR)]
    for giver, receiver, asset in rounds:
        (receipt,) = world.block(
            world.body(transfer(giver, receiver, 1, asset), by=(giver,))
        ).receipts
        assert receipt.outcome is Outcome.APPLIED
        known = world.standing
        assert 0 < len(known.signers) <= 2
        assert len(known.active) <= 2
        assert 0 < len(known.cash) <= 2
    monkeypatch.setattr("node.ledger.plain.KNOWN_MAX", 1)
    world.standing = Standing()
    for asset in (PKR, PLAIN, PKR):
        world.block(world.body(transfer("amina", "first-bank", 1, asset), by=("amina",)))
        assert list(world.standing.cash) == [asset]
