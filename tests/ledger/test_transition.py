"""Whole transactions and blocks: all or nothing, who must sign, what a receipt says."""

from typing import get_args

import pytest

from node.codec import decode, encode
from node.ledger.catalogue import ACTS, CATALOGUE
from node.ledger.errors import InvariantViolation
from node.ledger.events import Event, Transferred
from node.ledger.explaining import explain
from node.ledger.operations import SetAccountPolicy, Transfer
from node.ledger.outcomes import Outcome
from node.ledger.policies import AccountPolicy, single_signer
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ACCOUNTS,
    ACCUSATIONS,
    ASSETS,
    HOLDINGS,
    VALIDATOR_SETS,
    AccusationRecord,
    AccusedKind,
    HoldingRecord,
    height_key,
    holding_key,
    name_key,
)
from node.ledger.transition import Application, Receipt, apply_block
from tests.ledger.ladders_governance import REMOVE_VALIDATOR
from tests.ledger.world import (
    BILL,
    CB,
    PKR,
    World,
    address,
    identify,
    make_market,
    open_for,
    policy,
    public_key,
    register,
    transfer,
)


@pytest.fixture
def market() -> World:
    return make_market()


def test_delivery_against_payment_is_one_transaction(market: World) -> None:
    delivery = transfer("first-bank", "amina", 500_000, BILL)
    payment = transfer("amina", "first-bank", 491_939)

    events = market.do(delivery, payment, by=("first-bank", "amina"))

    assert events == (
        Transferred(account=address("first-bank"), to=address("amina"), asset=BILL, amount=500_000),
        Transferred(account=address("amina"), to=address("first-bank"), asset=PKR, amount=491_939),
    )
    assert market.holding("amina", BILL) == (500_000, 0)
    assert market.holding("amina") == (500_000 - 491_939, 0)
    market.check()


@pytest.mark.adversarial(62)
def test_neither_leg_moves_when_the_payment_is_short(market: World) -> None:
    delivery = transfer("first-bank", "amina", 500_000, BILL)
    payment = transfer("amina", "first-bank", 500_001)

    receipt = market.submit(delivery, payment, by=("first-bank", "amina"))

    assert receipt.outcome is Outcome.HOLDING_INSUFFICIENT
    assert receipt.operation == 1
    assert explain(receipt.outcome, receipt.details) == (
        f"Account {address('amina').hex()} has 500000 minor units of PKR available, not counting"
        " 0 on hold; 500001 are needed. Nothing was moved."
    )
    assert market.holding("amina", BILL) == (0, 0)


def test_both_parties_must_sign(market: World) -> None:
    legs = (transfer("first-bank", "amina", 1, BILL), transfer("amina", "first-bank", 1))

    for by, operation in ((("first-bank",), 1), (("amina",), 0)):
        receipt = market.submit(*legs, by=by)
        assert (receipt.outcome, receipt.operation) == (Outcome.SIGNATURES_MISSING, operation)


def test_fractions_of_a_denomination_are_transferred(market: World) -> None:
    market.do(transfer("first-bank", "amina", 1, BILL), by=("first-bank",))

    assert market.holding("amina", BILL) == (1, 0)


def test_refused_transaction_leaves_its_neighbours_alone(market: World) -> None:
    """Ten transactions of one sender, of which the fifth asks for too much."""
    bodies = [
        market.body(transfer("amina", "bilal", 10**9 if number == 4 else 1_000), by=("amina",))
        for number in range(10)
    ]

    receipts = market.block(*bodies).receipts

    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes.count(Outcome.APPLIED) == 9
    assert outcomes[4] is Outcome.HOLDING_INSUFFICIENT
    assert market.holding("amina") == (500_000 - 9_000, 0)


def test_weights_of_signers_are_added_up(market: World) -> None:
    keys = sorted(public_key(f"treasurer/{number}") for number in range(3))
    shared = AccountPolicy(
        signers=tuple((key, weight) for key, weight in zip(keys, (1, 1, 2), strict=True)),
        thresholds=(2, 3, 4),
    )
    market.do(SetAccountPolicy(account=address("amina"), policy=shared), by=("amina",))
    label = {public_key(f"treasurer/{number}"): f"treasurer/{number}" for number in range(3)}
    light, other, heavy = (label[key] for key in keys)
    payment = transfer("amina", "bilal", 1)

    for by, expected in (
        ((light,), Outcome.SIGNATURES_MISSING),
        ((light, other), Outcome.APPLIED),
        ((heavy,), Outcome.APPLIED),
        ((light, other, heavy), Outcome.APPLIED),
        (("amina", heavy), Outcome.SIGNATURE_NOT_NEEDED),
    ):
        assert market.submit(payment, by=by).outcome is expected
    renewed = SetAccountPolicy(account=address("amina"), policy=policy("amina"))
    assert market.submit(renewed, by=(other, heavy)).outcome is Outcome.SIGNATURES_MISSING
    assert market.submit(renewed, by=(light, other, heavy)).outcome is Outcome.APPLIED


def test_account_opened_in_a_transaction_can_act_in_it(market: World) -> None:
    market.do(
        register("dawood", by="exchange"),
        open_for("dawood", by="exchange"),
        transfer("amina", "dawood", 10),
        transfer("dawood", "bilal", 10),
        by=("exchange", "amina", "dawood"),
    )


def test_policy_set_in_a_transaction_rules_the_operations_after_it(market: World) -> None:
    renewal = SetAccountPolicy(account=address("amina"), policy=single_signer(public_key("new")))
    payment = transfer("amina", "bilal", 1)

    alone = market.submit(payment, renewal, payment, by=("amina",))
    assert (alone.outcome, alone.operation) == (Outcome.SIGNATURES_MISSING, 2)
    market.do(payment, renewal, payment, by=("amina", "new"))


def test_first_signer_not_needed_is_named(market: World) -> None:
    receipt = market.submit(transfer("amina", "bilal", 1), by=("amina", "x", "y", "z"))

    first = min(public_key(label) for label in ("x", "y", "z"))
    assert receipt.outcome is Outcome.SIGNATURE_NOT_NEEDED
    assert receipt.operation is None
    assert receipt.details == (("signer", first.hex()),)


@pytest.mark.adversarial(61)
def test_account_without_a_registered_owner_is_refused(market: World) -> None:
    receipt = market.submit(transfer("ghost", "amina", 1), by=("ghost",))
    assert receipt.outcome is Outcome.ACCOUNT_UNKNOWN

    receipt = market.submit(transfer("amina", "ghost", 1), by=("amina",))
    assert receipt.outcome is Outcome.OTHER_ACCOUNT_UNKNOWN

    receipt = market.submit(open_for("ghost", by="exchange"), by=("exchange",))
    assert receipt.outcome is Outcome.PARTICIPANT_UNKNOWN


def test_account_on_hold_receives_and_does_not_send(market: World) -> None:
    market.do(transfer("amina", "held", 1), by=("amina",))

    assert market.holding("held") == (1_001, 0)
    assert market.submit(transfer("held", "amina", 1), by=("held",)).outcome is (
        Outcome.ACCOUNT_ON_HOLD
    )


def test_receipts_decode_and_are_the_same_from_the_same_state(market: World) -> None:
    body = market.body(transfer("amina", "bilal", 5), by=("amina",))
    transaction = (identify(body), body)

    def run() -> tuple[tuple[Receipt, ...], dict[bytes, bytes | None]]:
        state = LedgerState(market.records)
        receipts = apply_block(state, market.context(), [transaction, transaction]).receipts
        return receipts, state.changes()

    assert run() == run()
    receipt = run()[0][0]
    assert decode(encode(receipt), Receipt) == receipt


def test_simulation_leaves_the_committed_state_alone(market: World) -> None:
    before = dict(market.records.items())
    body = market.body(transfer("amina", "bilal", 5), by=("amina",))

    receipt = Application(LedgerState(market.records), market.context()).apply(identify(body), body)

    assert receipt.outcome is Outcome.APPLIED
    assert dict(market.records.items()) == before


def test_block_that_breaks_an_invariant_is_not_handed_out(market: World) -> None:
    """A record that came from nowhere: as a wrong rule or a damaged cache would make one."""
    state = LedgerState(market.records)
    key = holding_key(address("amina"), PKR)
    state.put(HOLDINGS, key, HoldingRecord(available=500_001, held=0))

    with pytest.raises(InvariantViolation, match="PKR and its supply differ by 1"):
        apply_block(state, market.context(), [])


def test_accusations_are_kept_in_the_state(market: World) -> None:
    state = LedgerState(market.records)
    made = AccusationRecord(
        validator=CB, height=3, round=0, kind=AccusedKind.PREVOTE, shown=market.height + 1
    )

    apply_block(state, market.context(), [], [(bytes(32), made)])

    assert state.changes() == {ACCUSATIONS.prefix + bytes(32): encode(made)}


def test_set_is_noted_from_the_height_at_which_it_rules(market: World) -> None:
    first = market.get(VALIDATOR_SETS, height_key(1))
    changed_at = market.height + 1

    market.do(REMOVE_VALIDATOR.good, by=REMOVE_VALIDATOR.by)
    market.do(transfer("amina", "bilal", 1), by=("amina",))

    sets = {key: record.validators for key, record in market.records.scan(VALIDATOR_SETS, b"", 9)}
    assert first is not None
    assert list(sets) == [height_key(1), height_key(changed_at + 1)]
    assert set(sets[height_key(changed_at + 1)]) < set(first.validators)
    market.check()


def test_every_event_is_in_the_union_and_every_tag_used_once() -> None:
    members = get_args(Event)

    tags = [member.__struct_config__.tag for member in members]
    assert len(set(tags)) == len(tags) == 82
    operations = {act.operation.__struct_config__.tag: act for act in ACTS}  # type: ignore[attr-defined]
    assert len(operations) == len(ACTS) == 50
    assert set(operations) < set(tags)


def test_catalogue_knows_the_act_of_each_operation() -> None:
    for act in ACTS:
        assert act.name == _snake(act.operation.__name__)
    assert CATALOGUE.act_of(transfer("a", "b", 1)).operation is Transfer


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).removeprefix("_")


def test_supply_is_what_was_issued(market: World) -> None:
    rupee = market.get(ASSETS, name_key(PKR))
    account = market.get(ACCOUNTS, address(CB))

    assert rupee is not None
    assert account is not None
    assert rupee.supply == 100_000_000
    assert account.owner == rupee.issuer == CB
