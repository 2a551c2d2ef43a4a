"""Proposals, parameters, powers and validators, applied."""

import pytest

from node.codec import encode, replace
from node.ledger.acting import Act
from node.ledger.acts.governance import propose
from node.ledger.catalogue import CATALOGUE, StandardCatalogue
from node.ledger.due import DUE_PER_BLOCK_MAX
from node.ledger.events import (
    Approved,
    Event,
    HoldPlaced,
    Issued,
    ParameterSet,
    PowersSet,
    ProposalApplied,
    ProposalExpired,
    ProposalRefused,
    Proposed,
    ValidatorAdded,
    ValidatorKeyRotated,
    ValidatorRemoved,
    Withdrawn,
)
from node.ledger.operations import (
    OPERATIONS_MAX,
    AddValidator,
    Approve,
    CloseAccount,
    OpenAccount,
    Operation,
    Propose,
    RemoveValidator,
    SetPowers,
    Withdraw,
)
from node.ledger.outcomes import Outcome
from node.ledger.parameters import DEFAULTS, Parameters, parameters_hash, parameters_of
from node.ledger.policies import account_address
from node.ledger.powers import ANY, REFERENCE_OFFICES, PowerRecord
from node.ledger.state import LedgerState
from node.ledger.tables import (
    CONSENSUS_KEYS,
    DUE,
    POWERS,
    PROPOSAL_COUNTS,
    PROPOSALS,
    ConsensusKeyRecord,
    ProposalRecord,
    due_key,
    power_key,
)
from node.ledger.transition import validators_of
from tests.ledger.ladders_governance import (
    ADD_VALIDATOR,
    ALL,
    DAY_MS,
    ROTATE_VALIDATOR_KEY,
    SET_PARAMETER,
    SET_POWERS,
    proposed_issue,
)
from tests.ledger.ladders_registry import GRANT_OFFICE, JOINT
from tests.ledger.world import (
    BILL,
    CB,
    CC,
    FM,
    NOW_MS,
    SALT,
    VAR,
    World,
    address,
    define_bill,
    hold_account,
    issue_bill,
    make_market,
    make_world,
    place_hold,
    policy,
    public_key,
    suspend,
    with_check_digit,
)

EXPIRES_MS = NOW_MS + DAY_MS


@pytest.fixture
def market() -> World:
    return make_market()


def by_proposal(operation: Operation, proposer: str) -> Operation:
    """Return the operation as it stands in a proposal of this office."""
    return replace(operation, account=address(proposer), approvers=())


def propose_all(
    world: World, *operations: Operation, proposer: str = FM
) -> tuple[bytes, tuple[Event, ...]]:
    """Propose; return the id and the events."""
    proposed = tuple(by_proposal(operation, proposer) for operation in operations)
    events = world.do(
        Propose(account=address(proposer), operations=encode(proposed), expires_ms=EXPIRES_MS),
        by=(proposer,),
    )
    assert isinstance(events[0], Proposed)
    return events[0].proposal, events


def approve(world: World, proposal: bytes, office: str) -> tuple[Event, ...]:
    return world.do(Approve(account=address(office), proposal=proposal), by=(office,))


# --- proposals -----------------------------------------------------------------------------------


def test_proposal_waits_for_the_offices_and_is_then_applied(market: World) -> None:
    proposal, events = propose_all(market, issue_bill(500_000))
    assert events == (Proposed(proposal=proposal, proposer=FM, expires_ms=EXPIRES_MS),)
    assert market.get(PROPOSALS, proposal) == ProposalRecord(
        proposer=address(FM),
        operations=proposed_issue(),
        approvals=(address(FM),),
        expires_ms=EXPIRES_MS,
    )
    market.check()

    waiting = approve(market, proposal, CC)
    applied = approve(market, proposal, CB)

    assert waiting == (Approved(proposal=proposal, participant=CC),)
    assert applied == (
        Approved(proposal=proposal, participant=CB),
        ProposalApplied(proposal=proposal),
        Issued(asset=BILL, amount=500_000, to=address(FM), supply=500_000 * 101),
    )
    assert market.get(PROPOSALS, proposal) is None
    assert market.get(DUE, due_key(EXPIRES_MS, proposal)) is None
    market.check()


def test_proposal_of_one_who_needs_nobody_is_applied_at_once(market: World) -> None:
    proposal, events = propose_all(market, hold_account("amina"), proposer=VAR)

    assert events[1] == ProposalApplied(proposal=proposal)
    assert market.get(PROPOSALS, proposal) is None
    market.check()


def test_definition_and_issue_of_one_proposal_depend_on_each_other(market: World) -> None:
    """Who must approve the issue is known only once the asset is defined: in the same proposal."""
    isin = with_check_digit("PK12M000575")
    issue = replace(issue_bill(500_000), asset="MTB-NEXT")
    proposal, _ = propose_all(market, define_bill("MTB-NEXT", isin), issue)
    market.check()

    applied = approve(market, proposal, CB)

    assert applied[1] == ProposalApplied(proposal=proposal)
    assert market.holding(FM, "MTB-NEXT") == (500_000, 0)
    market.check()


def test_refusal_counts_only_when_nothing_is_missing(market: World) -> None:
    """The second operation is out of range: but as long as an office is missing, that may pass."""
    good = replace(SET_PARAMETER.good, value=0)
    bad = replace(SET_PARAMETER.good, value=900)
    proposal, _ = propose_all(market, good, bad, good)

    assert approve(market, proposal, CB) == (Approved(proposal=proposal, participant=CB),)
    events = approve(market, proposal, CC)

    assert events[1:] == (
        ProposalRefused(
            proposal=proposal,
            operation=1,
            outcome=Outcome.PARAMETER_OUT_OF_RANGE,
            details=(
                ("parameter", "utc-offset-minutes"),
                ("found", 900),
                ("lowest", -720),
                ("highest", 840),
            ),
        ),
    )
    assert parameters_of(LedgerState(market.records)) == DEFAULTS
    assert market.get(PROPOSALS, proposal) is None
    market.check()


def test_missing_issuer_keeps_a_proposal_open(market: World) -> None:
    """Offices enough, but not the issuer's: it can still approve."""
    row = PowerRecord(offices=(CB, FM, VAR), required=2, licences=())
    market.do(replace(SET_POWERS.good, power=row), by=ALL)
    proposal, _ = propose_all(market, issue_bill(500_000), proposer=CB)

    assert len(approve(market, proposal, VAR)) == 1
    assert approve(market, proposal, FM)[1] == ProposalApplied(proposal=proposal)


def test_no_licence_counts_in_a_proposal(market: World) -> None:
    row = PowerRecord(offices=(), required=0, licences=("exchange",))
    market.do(replace(SET_POWERS.good, operation="place_hold", subject=ANY, power=row), by=ALL)

    proposal, events = propose_all(market, place_hold("amina", 1), proposer=VAR)

    assert len(events) == 1
    assert market.get(PROPOSALS, proposal) is not None


def test_approval_does_not_count_while_its_account_cannot_act(market: World) -> None:
    proposal, _ = propose_all(market, SET_PARAMETER.good)
    approve(market, proposal, VAR)
    silence = replace(hold_account(VAR), account=address(CB), approvers=JOINT)
    market.do(silence, by=ALL)

    assert len(approve(market, proposal, CB)) == 1
    assert approve(market, proposal, CC)[1] == ProposalApplied(proposal=proposal)


def test_approval_does_not_count_after_its_office_has_passed_on(market: World) -> None:
    proposal, _ = propose_all(market, SET_PARAMETER.good)
    approve(market, proposal, VAR)
    handover = replace(GRANT_OFFICE.good, participant="exchange", office=VAR)
    market.do(handover, by=ALL)

    assert len(approve(market, proposal, CB)) == 1
    assert approve(market, proposal, "exchange")[1] == ProposalApplied(proposal=proposal)


def test_holds_of_one_proposal_have_different_ids(market: World) -> None:
    _, events = propose_all(market, place_hold("amina", 1), place_hold("amina", 1), proposer=VAR)

    assert len({event.hold for event in events if isinstance(event, HoldPlaced)}) == 2
    market.check()


def test_proposer_withdraws(market: World) -> None:
    proposal, _ = propose_all(market, issue_bill(500_000))

    events = market.do(Withdraw(account=address(FM), proposal=proposal), by=(FM,))

    assert events == (Withdrawn(proposal=proposal),)
    receipt = market.submit(Approve(account=address(CB), proposal=proposal), by=(CB,))
    assert receipt.outcome is Outcome.PROPOSAL_UNKNOWN
    market.check()


@pytest.mark.adversarial(25)
def test_proposal_expires_with_all_its_approvals(market: World) -> None:
    """On the first block whose time has come; a millisecond before, it can still be completed."""
    proposal, _ = propose_all(market, SET_PARAMETER.good)
    approve(market, proposal, CB)
    other = market.copy()

    market.time_ms = EXPIRES_MS
    assert market.block().events == (ProposalExpired(proposal=proposal),)
    receipt = market.submit(Approve(account=address(CC), proposal=proposal), by=(CC,))
    assert receipt.outcome is Outcome.PROPOSAL_UNKNOWN
    market.check()

    other.time_ms = EXPIRES_MS - 1
    assert other.block().events == ()
    assert approve(other, proposal, CC)[1] == ProposalApplied(proposal=proposal)


@pytest.mark.adversarial(25)
def test_proposal_whose_time_has_come_is_not_completed_while_the_queue_is_long() -> None:
    """The regulator alone can fill the queue before it; that must not keep approvals alive."""
    market = make_market(version=1)  # which sets no bound to the holds on one account
    proposal, _ = propose_all(market, SET_PARAMETER.good)
    approve(market, proposal, CB)
    for _ in range(DUE_PER_BLOCK_MAX // 100):
        market.do(*[place_hold("amina", 1, expires_ms=EXPIRES_MS - 1)] * 100, by=(VAR,))
    market.time_ms = EXPIRES_MS

    result = market.block(market.body(Approve(account=address(CC), proposal=proposal), by=(CC,)))

    assert len(result.events) == DUE_PER_BLOCK_MAX
    assert result.receipts[0].outcome is Outcome.PROPOSAL_UNKNOWN
    assert market.block().events == (ProposalExpired(proposal=proposal),)
    market.check()


def test_proposal_is_tried_out_until_an_office_is_missing(
    market: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred operations that ask for others cost one institution's proposal as much as one."""
    tried: list[Operation] = []
    act_of = StandardCatalogue.act_of

    def watched(catalogue: StandardCatalogue, operation: Operation) -> Act:
        tried.append(operation)
        return act_of(catalogue, operation)

    monkeypatch.setattr(StandardCatalogue, "act_of", watched)
    hold = by_proposal(hold_account("amina"), VAR)
    rotate = by_proposal(ROTATE_VALIDATOR_KEY.good, VAR)
    propose_all(market, hold, *[rotate] * 99, proposer=VAR)

    read = [type(operation) for operation in (hold, *[rotate] * 99)]
    assert [type(operation) for operation in tried] == [*read, type(hold), type(rotate)]


def test_proposal_holds_as_many_operations_as_a_transaction(market: World) -> None:
    holds = [place_hold("amina", 1)] * OPERATIONS_MAX

    _, events = propose_all(market, *holds, proposer=VAR)
    assert len(events) == 2 + OPERATIONS_MAX
    too_many = encode(tuple(by_proposal(hold, VAR) for hold in [*holds, holds[0]]))
    receipt = market.submit(
        Propose(account=address(VAR), operations=too_many, expires_ms=EXPIRES_MS), by=(VAR,)
    )
    assert receipt.outcome is Outcome.PROPOSAL_NOT_READABLE
    assert propose.OPERATIONS_MAX == OPERATIONS_MAX


def test_participant_approves_again_when_its_account_can_act_no_longer(market: World) -> None:
    """Its keys were lost, or it moved to another account: the proposal need not begin again."""
    second = account_address(CC, policy("council/2"), SALT)
    opened = OpenAccount(
        account=address(CB), approvers=JOINT, owner=CC, policy=policy("council/2"), salt=SALT
    )
    market.do(opened, by=ALL)
    proposal, _ = propose_all(market, SET_PARAMETER.good)
    approve(market, proposal, CC)
    again = Approve(account=second, proposal=proposal)
    assert market.submit(again, by=("council/2",)).outcome is Outcome.ALREADY_APPROVED
    market.do(CloseAccount(account=address(CC)), by=(CC,))

    market.do(again, by=("council/2",))

    record = market.get(PROPOSALS, proposal)
    assert record is not None
    assert record.approvals == (address(FM), second)
    assert approve(market, proposal, CB)[1] == ProposalApplied(proposal=proposal)
    market.check()


def test_no_institution_takes_every_place_for_proposals(market: World) -> None:
    """A quarter each; what is withdrawn, expired or completed gives its place back."""
    market.do(replace(SET_PARAMETER.good, parameter="proposals-open-max", value=8), by=ALL)
    first, _ = propose_all(market, SET_PARAMETER.good, proposer=VAR)
    propose_all(market, SET_PARAMETER.good, proposer=VAR)
    third = Propose(
        account=address(VAR),
        operations=encode((by_proposal(SET_PARAMETER.good, VAR),)),
        expires_ms=EXPIRES_MS,
    )
    assert market.submit(third, by=(VAR,)).outcome is Outcome.PROPOSALS_FULL_FOR_PARTICIPANT
    propose_all(market, SET_PARAMETER.good, proposer=CC)
    market.check()

    market.do(Withdraw(account=address(VAR), proposal=first), by=(VAR,))
    market.do(third, by=(VAR,))
    market.check()
    market.time_ms = EXPIRES_MS
    assert len(market.block().events) == 3
    assert market.records.scan(PROPOSAL_COUNTS, b"", 9) == []
    market.check()


def test_second_account_of_a_participant_does_not_approve_again(market: World) -> None:
    proposal, _ = propose_all(market, issue_bill(500_000))
    receipt = market.submit(Approve(account=address(FM), proposal=proposal), by=(FM,))

    assert receipt.outcome is Outcome.ALREADY_APPROVED


# --- parameters and powers -----------------------------------------------------------------------


def test_parameter_is_set(market: World) -> None:
    events = market.do(SET_PARAMETER.good, by=ALL)

    assert events == (ParameterSet(parameter="utc-offset-minutes", value=-720),)
    parameters = parameters_of(LedgerState(market.records))
    assert parameters == replace(DEFAULTS, utc_offset_minutes=-720)
    assert parameters_hash(parameters) != parameters_hash(DEFAULTS)


def test_parameters_at_their_default_hash_alike_however_they_came_there(market: World) -> None:
    market.do(SET_PARAMETER.good, by=ALL)
    market.do(replace(SET_PARAMETER.good, value=300), by=ALL)

    parameters = parameters_of(LedgerState(market.records))
    assert isinstance(parameters, Parameters)
    assert parameters_hash(parameters) == parameters_hash(DEFAULTS)


def test_row_of_the_matrix_is_set_and_removed(market: World) -> None:
    row = PowerRecord(offices=(FM,), required=1, licences=())
    by_ministry = replace(hold_account("amina"), account=address(FM))
    grant = SetPowers(
        account=address(CB),
        approvers=JOINT,
        operation="hold_account",
        subject="person",
        power=row,
    )

    assert market.do(grant, by=ALL) == (
        PowersSet(operation="hold_account", subject="person", power=row),
    )
    market.do(by_ministry, by=(FM,))
    regulator = market.submit(hold_account("bilal"), by=(VAR,))
    assert regulator.outcome is Outcome.OFFICES_MISSING

    nothing = PowerRecord(offices=(), required=0, licences=())
    market.do(replace(grant, power=nothing), by=ALL)
    assert market.get(POWERS, power_key("hold_account", "person")) is None
    market.do(hold_account("bilal"), by=(VAR,))


def test_power_may_be_given_to_licensees_alone(market: World) -> None:
    row = PowerRecord(offices=(), required=0, licences=("exchange",))
    market.do(
        replace(SET_POWERS.good, operation="hold_account", subject="person", power=row), by=ALL
    )

    by_exchange = replace(hold_account("amina"), account=address("exchange"))
    market.do(by_exchange, by=("exchange",))
    assert market.submit(hold_account("bilal"), by=(VAR,)).outcome is Outcome.OFFICES_MISSING


# --- validators ----------------------------------------------------------------------------------


def names(world: World) -> list[str]:
    return [record.name for record in validators_of(LedgerState(world.records))]


def test_validator_joins_the_set(market: World) -> None:
    events = market.do(ADD_VALIDATOR.good, by=ALL)

    assert events == (
        ValidatorAdded(
            name="bank-node",
            participant="first-bank",
            public_key=public_key("bank-node/consensus"),
        ),
    )
    assert names(market) == sorted([*REFERENCE_OFFICES, "bank-node"])
    market.check()


def test_validator_rotates_to_a_key_that_was_never_used(market: World) -> None:
    operation = ROTATE_VALIDATOR_KEY.good
    events = market.do(operation, by=ALL)

    new = public_key("regulator/consensus/2")
    assert events == (ValidatorKeyRotated(name=VAR, public_key=new),)
    assert market.get(CONSENSUS_KEYS, new) == ConsensusKeyRecord(validator=VAR)
    back = replace(operation, public_key=public_key(f"{VAR}/consensus"))
    assert market.submit(back, by=ALL).outcome is Outcome.KEY_ALREADY_USED
    market.check()


@pytest.mark.adversarial(24)
def test_validators_are_removed_down_to_one_and_added_back() -> None:
    world = make_world()

    def remove(name: str) -> RemoveValidator:
        return RemoveValidator(account=address(CB), approvers=JOINT, name=name)

    for name in (CC, FM, CB):
        assert world.do(remove(name), by=ALL) == (ValidatorRemoved(name=name),)
        world.check()
    last = world.submit(remove(VAR), by=ALL)
    assert last.outcome is Outcome.VALIDATORS_TOO_FEW
    assert names(world) == [VAR]

    def add(name: str, key: str) -> AddValidator:
        return AddValidator(
            account=address(CB),
            approvers=JOINT,
            name=name,
            participant=name,
            public_key=public_key(key),
            tls_certificate=f"certificate of {name}".encode(),
        )

    reused = world.submit(add(CB, f"{CB}/consensus"), by=ALL)
    assert reused.outcome is Outcome.KEY_ALREADY_USED
    for name in (CB, CC, FM):
        world.do(add(name, f"{name}/consensus/2"), by=ALL)
        world.check()
    assert names(world) == sorted(REFERENCE_OFFICES)


def test_validator_may_keep_its_certificate_when_its_key_rotates(market: World) -> None:
    operation = ROTATE_VALIDATOR_KEY.good
    market.do(operation, by=ALL)
    again = replace(operation, public_key=public_key("regulator/consensus/3"))

    market.do(again, by=ALL)


def test_suspended_institution_no_longer_stands_behind_anything(market: World) -> None:
    silence = replace(suspend(VAR), account=address(CB), approvers=JOINT)
    market.do(silence, by=ALL)

    assert market.submit(hold_account("amina"), by=(VAR,)).outcome is (
        Outcome.PARTICIPANT_SUSPENDED
    )


def test_governed_names_are_those_of_operations_with_approvers() -> None:
    assert len(CATALOGUE.governed_names) == 35
