"""Versions of the protocol: scheduled together, cancelled before, then ruling by themselves."""

from typing import Final

import pytest
from typing_extensions import override

from node.codec import Record, encode, replace
from node.ledger.acting import Act, ActContext, BlockContext
from node.ledger.acts.governance import propose
from node.ledger.authority import SignedAuthority
from node.ledger.catalogue import ACTS, StandardCatalogue
from node.ledger.events import (
    HoldPlaced,
    ProposalRefused,
    Proposed,
    ProtocolUpgraded,
    UpgradeScheduled,
)
from node.ledger.explaining import explain
from node.ledger.operations import (
    Approve,
    CancelUpgrade,
    Operation,
    Propose,
    ReleaseHold,
    ScheduleUpgrade,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import (
    LATEST_VERSION,
    SUPPORTED,
    VERSIONS,
    protocol_of,
    ruling_version,
)
from node.ledger.state import LedgerState
from node.ledger.tables import (
    HOLDS_PER_ACCOUNT_MAX,
    PROTOCOL,
    PROTOCOL_KEY,
    ProtocolRecord,
    Upgrade,
)
from node.ledger.transactions import TransactionError
from node.ledger.transition import check_in_force
from tests.ledger.ladders_governance import ALL, DAY_MS
from tests.ledger.ladders_registry import JOINT
from tests.ledger.world import (
    CB,
    CC,
    FM,
    GENESIS_HASH,
    NOW_MS,
    VAR,
    World,
    address,
    make_market,
    make_world,
    place_hold,
    public_key,
    transfer,
)

LATER: Final = 2
"""The version of the planted act."""


def schedule(height: int, version: int = 2) -> ScheduleUpgrade:
    return ScheduleUpgrade(account=address(CB), approvers=JOINT, version=version, height=height)


def cancel(version: int = 2) -> CancelUpgrade:
    return CancelUpgrade(account=address(CB), approvers=JOINT, version=version)


def protocol(world: World) -> ProtocolRecord:
    return protocol_of(LedgerState(world.records))


def ruling_next(world: World) -> int:
    return ruling_version(protocol(world), world.height + 1)


def test_versions_are_known_without_a_gap() -> None:
    assert sorted(VERSIONS) == list(range(1, LATEST_VERSION + 1)) == sorted(SUPPORTED)


def test_no_rule_is_of_a_version_that_is_not_known() -> None:
    assert {outcome.since for outcome in Outcome} <= set(VERSIONS)
    assert {act.since for act in ACTS} <= set(VERSIONS)


def test_network_founded_at_version_1_has_no_record_of_it() -> None:
    """So the first state of an older genesis keeps its root."""
    world = make_world(version=1)

    assert world.get(PROTOCOL, PROTOCOL_KEY) is None
    assert ruling_next(world) == 1


def test_network_can_be_founded_at_a_later_version() -> None:
    world = make_world(version=2)

    assert ruling_next(world) == 2
    assert world.block().events == ()


def test_scheduled_version_rules_from_its_height_on() -> None:
    world = make_world(version=1)
    height = world.height + 3

    events = world.do(schedule(height), by=ALL)

    assert events == (UpgradeScheduled(version=2, height=height),)
    assert protocol(world) == ProtocolRecord(version=1, upgrade=Upgrade(version=2, height=height))
    assert world.block().events == ()
    assert ruling_next(world) == 2
    assert world.block().events == (ProtocolUpgraded(version=2),)
    assert protocol(world) == ProtocolRecord(version=2, upgrade=None)
    assert world.block().events == ()
    assert ruling_next(world) == 2
    world.check()


def test_version_can_be_scheduled_for_the_very_next_block() -> None:
    world = make_world(version=1)

    world.do(schedule(world.height + 2), by=ALL)

    assert ruling_next(world) == 2


def test_upgrade_can_be_cancelled_in_the_last_block_before_it() -> None:
    world = make_world(version=1)
    world.do(schedule(world.height + 3), by=ALL)

    world.do(cancel(), by=ALL)

    assert world.block().events == ()
    assert ruling_next(world) == 1
    assert world.submit(cancel(), by=ALL).outcome is Outcome.UPGRADE_NOT_SCHEDULED


def test_upgrade_cannot_be_cancelled_in_the_block_that_it_rules() -> None:
    world = make_world(version=1)
    world.do(schedule(world.height + 2), by=ALL)

    [receipt] = world.block(world.body(cancel(), by=ALL)).receipts

    assert receipt.outcome is Outcome.UPGRADE_NOT_SCHEDULED
    assert ruling_next(world) == 2


def test_next_version_can_be_scheduled_in_the_block_that_the_last_one_rules() -> None:
    """Whether any software knows it is not the ledger's to judge: all nodes must agree."""
    world = make_world(version=1)
    world.do(schedule(world.height + 2), by=ALL)

    world.do(schedule(world.height + 9, version=3), by=ALL)

    assert protocol(world).version == 2
    assert protocol(world).upgrade == Upgrade(version=3, height=world.height + 8)


def test_proposal_that_is_completed_too_late_is_refused() -> None:
    world = make_world(version=1)
    operation = replace(schedule(world.height + 2), approvers=())
    proposed = world.do(
        Propose(account=address(CB), operations=encode((operation,)), expires_ms=NOW_MS + DAY_MS),
        by=(CB,),
    )[0]
    assert isinstance(proposed, Proposed)
    world.do(Approve(account=address(FM), proposal=proposed.proposal), by=(FM,))

    events = world.do(Approve(account=address(CC), proposal=proposed.proposal), by=(CC,))

    [refused] = [event for event in events if isinstance(event, ProposalRefused)]
    assert refused.outcome is Outcome.UPGRADE_HEIGHT_NOT_ACCEPTED
    assert ruling_next(world) == 1


# --- the rule of version 2: holds on one account are bounded -------------------------------------


def place(world: World, count: int, holder: str = "amina") -> None:
    for start in range(0, count, 100):
        holds = [place_hold(holder, 1)] * min(100, count - start)
        world.do(*holds, by=(VAR,))


def test_account_has_as_many_holds_as_there_may_be_and_no_more() -> None:
    market = make_market(version=2)
    place(market, HOLDS_PER_ACCOUNT_MAX)

    receipt = market.submit(place_hold("amina", 1), by=(VAR,))

    assert receipt.outcome is Outcome.HOLDS_FULL
    assert str(HOLDS_PER_ACCOUNT_MAX) in explain(receipt.outcome, receipt.details)
    place(market, 1, holder="bilal")
    market.check()


def test_release_makes_room_for_another_hold_in_the_same_transaction() -> None:
    market = make_market(version=2)
    place(market, HOLDS_PER_ACCOUNT_MAX - 1)
    placed = market.do(place_hold("amina", 1), by=(VAR,))[0]
    assert isinstance(placed, HoldPlaced)
    release = ReleaseHold(
        account=address(VAR), approvers=(), holder=address("amina"), hold=placed.hold
    )

    market.do(release, place_hold("amina", 1), by=(VAR,))

    receipt = market.submit(place_hold("amina", 1), release, by=(VAR,))
    assert receipt.outcome is Outcome.HOLDS_FULL


def test_version_1_knows_no_bound_and_its_holds_count_from_version_2_on() -> None:
    market = make_market(version=1)
    place(market, HOLDS_PER_ACCOUNT_MAX + 44)
    height = market.height + 3
    market.do(schedule(height), by=ALL)

    receipts = [
        market.block(market.body(place_hold("amina", 1), by=(VAR,))).receipts[0] for _ in range(2)
    ]

    assert [receipt.outcome for receipt in receipts] == [Outcome.APPLIED, Outcome.HOLDS_FULL]
    assert market.height == height
    market.check()


# --- operations of a later version ---------------------------------------------------------------


class LaterCatalogue(StandardCatalogue):
    """A release in which holds are placed from version 2 on."""

    @override
    def act_of(self, operation: Record) -> Act:
        act = super().act_of(operation)
        if act.name != "place_hold":
            return act
        return Act(name=act.name, operation=act.operation, apply=act.apply, since=LATER)


@pytest.mark.adversarial(67)
def test_operation_of_a_later_version_is_refused_by_the_envelope() -> None:
    body = make_market().body(transfer("amina", "bilal", 1), place_hold("amina", 1), by=("amina",))

    check_in_force(body, LATER, LaterCatalogue())
    with pytest.raises(TransactionError) as refused:
        check_in_force(body, LATER - 1, LaterCatalogue())

    assert refused.value.outcome is Outcome.OPERATION_NOT_IN_FORCE
    assert explain(refused.value.outcome, refused.value.details).startswith(
        "The operation place_hold exists from version 2 of the protocol on; version 1 rules."
    )


@pytest.mark.parametrize("version", [1, 2])
def test_proposal_of_a_later_operation_reads_as_it_does_to_an_older_release(version: int) -> None:
    world = make_market(version=version)
    operations: tuple[Operation, ...] = (place_hold("amina", 1),)
    operation = Propose(
        account=address(VAR), operations=encode(operations), expires_ms=NOW_MS + DAY_MS
    )
    state = LedgerState(world.records)
    context = ActContext(
        state=state,
        block=BlockContext(
            height=world.height + 1,
            time_ms=NOW_MS,
            genesis_hash=GENESIS_HASH,
            version=version,
        ),
        transaction_id=bytes(32),
        authority=SignedAuthority(state, NOW_MS, (public_key(VAR),)),
        catalogue=LaterCatalogue(),
    )

    if version >= LATER:
        propose.ACT.apply(context, operation)
        assert context.events
        return
    with pytest.raises(Reject) as refused:
        propose.ACT.apply(context, operation)
    assert refused.value.outcome is Outcome.PROPOSAL_NOT_READABLE
