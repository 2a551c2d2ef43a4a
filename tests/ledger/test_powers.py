"""The powers matrix: its floor, its default, and that no key decides alone what none may."""

import itertools

import pytest

from node.codec import replace
from node.ledger.catalogue import GOVERNED_NAMES
from node.ledger.founding import found, genesis_faults
from node.ledger.operations import Operation
from node.ledger.outcomes import Outcome
from node.ledger.powers import (
    ANY,
    OFFICE_HOLDER,
    REFERENCE_OFFICES,
    PowerRecord,
    default_powers,
    fault_of,
    offices_decisive,
    offices_min,
)
from node.ledger.state import LedgerState, MemoryRecords
from node.ledger.tables import POWERS, power_key
from tests.ledger.ladders_assets import DEFINE_ASSET, FORCED_TRANSFER, ISSUE
from tests.ledger.ladders_governance import (
    ADD_VALIDATOR,
    REMOVE_VALIDATOR,
    ROTATE_VALIDATOR_KEY,
    SET_PARAMETER,
    SET_POWERS,
)
from tests.ledger.ladders_registry import GRANT_OFFICE
from tests.ledger.world import (
    CB,
    FM,
    VAR,
    address,
    hold_account,
    make_market,
    place_hold,
    reference_genesis,
    suspend,
)

THREE = (CB, FM, VAR)
MARKET = make_market()

JOINT_LADDERS = (
    DEFINE_ASSET,
    ISSUE,
    FORCED_TRANSFER,
    GRANT_OFFICE,
    SET_PARAMETER,
    SET_POWERS,
    ADD_VALIDATOR,
    REMOVE_VALIDATOR,
    ROTATE_VALIDATOR_KEY,
)
JOINT_OPERATIONS: tuple[Operation, ...] = (
    *(ladder.good for ladder in JOINT_LADDERS),
    suspend(CB),
    hold_account(CB),
    place_hold(CB, 1),
)
JOINT_NAMES = [type(operation).__name__ for operation in JOINT_OPERATIONS]


@pytest.mark.parametrize("office", REFERENCE_OFFICES)
@pytest.mark.parametrize(
    "operation", JOINT_OPERATIONS, ids=lambda operation: type(operation).__name__
)
def test_no_key_alone_can_do_this(operation: Operation, office: str) -> None:
    """Issue a security, change a validator, rewrite a rule, or silence an institution."""
    world = MARKET.copy()
    alone = replace(operation, account=address(office), approvers=())

    assert world.submit(alone, by=(office,)).outcome is Outcome.OFFICES_MISSING


@pytest.mark.parametrize("ladder", [SET_PARAMETER, SET_POWERS, ADD_VALIDATOR, REMOVE_VALIDATOR])
def test_two_of_four_cannot_change_the_rules_and_any_three_can(ladder) -> None:  # type: ignore[no-untyped-def]
    for size, expected in ((2, Outcome.OFFICES_MISSING), (3, Outcome.APPLIED)):
        for offices in itertools.combinations(REFERENCE_OFFICES, size):
            world = MARKET.copy()
            joint = replace(
                ladder.good,
                account=address(offices[0]),
                approvers=tuple(address(office) for office in offices[1:]),
            )
            assert world.submit(joint, by=offices).outcome is expected


def test_one_office_named_twice_counts_once() -> None:
    world = MARKET.copy()
    twice = replace(SET_PARAMETER.good, account=address(CB), approvers=(address(CB), address(CB)))

    assert world.submit(twice, by=(CB,)).outcome is Outcome.OFFICES_MISSING


@pytest.mark.parametrize("offices", [REFERENCE_OFFICES, THREE])
def test_default_matrix_keeps_the_floor_and_governs_every_operation(
    offices: tuple[str, ...],
) -> None:
    rows = default_powers(offices)

    assert {row.operation for row in rows} == GOVERNED_NAMES
    assert [(row.operation, row.subject) for row in rows] == sorted(
        (row.operation, row.subject) for row in rows
    )
    for row in rows:
        assert fault_of(row.power) is None
        assert offices_decisive(row.power) >= offices_min(row.operation, row.subject)
        assert set(row.power.offices) <= set(offices)
    assert genesis_faults(reference_genesis(offices)) == ()


def test_three_institutions_decide_by_two() -> None:
    state = LedgerState(MemoryRecords())
    found(state, reference_genesis(THREE))

    powers = {(row.operation, row.subject): row.power for row in default_powers(THREE)}
    assert powers["set_powers", ANY] == PowerRecord(
        offices=tuple(sorted(THREE)), required=2, licences=()
    )


@pytest.mark.parametrize(
    ("operation", "subject", "least"),
    [
        ("issue", "bill", 2),
        ("issue", "cash", 1),
        ("issue", ANY, 2),
        ("define_asset", "sukuk", 2),
        ("redeem", "bill", 2),
        ("set_powers", ANY, 2),
        ("set_powers", "anything", 2),
        ("add_validator", ANY, 2),
        ("forced_transfer", "cash", 2),
        ("hold_account", OFFICE_HOLDER, 2),
        ("hold_account", ANY, 1),
        ("register_participant", "person", 1),
        ("identify_person", "person", 1),
        ("identify_person", "identified-person", 2),
    ],
)
def test_floor_is_two_where_no_institution_decides_alone(
    operation: str, subject: str, least: int
) -> None:
    assert offices_min(operation, subject) == least


def test_institutions_are_not_under_the_row_for_everybody() -> None:
    """Without a row of their own, nobody may hold them: the row for `*` asks for one office."""
    world = MARKET.copy()
    state = LedgerState(world.records)
    state.delete(POWERS, power_key("hold_account", OFFICE_HOLDER))
    world.records.write(state.changes())

    receipt = world.submit(hold_account(CB), by=(VAR,))

    assert receipt.outcome is Outcome.POWER_NOT_GRANTED
    assert world.submit(hold_account("amina"), by=(VAR,)).outcome is Outcome.APPLIED
