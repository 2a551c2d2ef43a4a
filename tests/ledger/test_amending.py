"""An amendment of the validator set as the ledger applies it: before all else, or not at all."""

import pytest

from node.codec import replace
from node.ledger.amending import SetAmendment, ValidatorsAmended, check_amendment
from node.ledger.outcomes import Outcome, Reject
from node.ledger.state import LedgerState
from node.ledger.tables import (
    AMENDMENTS,
    CONSENSUS_KEYS,
    PARTICIPANTS,
    VALIDATOR_SETS,
    VALIDATORS,
    AmendmentRecord,
    ParticipantStatus,
    ValidatorRecord,
    height_key,
    name_key,
)
from node.ledger.transition import BlockResult, apply_block
from node.ledger.validators import validators_of
from tests.ledger.world import World, make_world, public_key

RECORD = AmendmentRecord(id=b"i" * 32, serial=1, reason="keys lost")


def present(world: World) -> tuple[ValidatorRecord, ...]:
    return validators_of(LedgerState(world.records))


def with_new_keys(world: World, *names: str) -> tuple[ValidatorRecord, ...]:
    return tuple(
        replace(each, public_key=public_key(f"new {each.name}")) if each.name in names else each
        for each in present(world)
    )


def amend(world: World, validators: tuple[ValidatorRecord, ...]) -> BlockResult:
    """Apply and commit the first block after an amendment."""
    state = LedgerState(world.records)
    result = apply_block(
        state,
        world.context(),
        [],
        amendment=SetAmendment(record=RECORD, validators=validators),
    )
    world.records.write(state.changes())
    world.height += 1
    return result


def test_the_new_set_takes_the_place_of_the_old_one_in_the_first_block() -> None:
    world = make_world()
    world.block()
    before = present(world)
    lost = before[-1].name
    validators = with_new_keys(world, lost)[1:]
    height = world.context().height

    result = amend(world, validators)

    assert result.events == (ValidatorsAmended(amendment=RECORD.id, serial=1),)
    assert present(world) == validators
    assert world.get(VALIDATORS, name_key(before[0].name)) is None
    assert world.get(AMENDMENTS, height_key(height)) == RECORD
    assert world.get(VALIDATOR_SETS, height_key(height)) is None, "blocks did not come to it"
    noted = world.get(VALIDATOR_SETS, height_key(height + 1))
    assert noted is not None
    assert [each.public_key for each in noted.validators] == [
        each.public_key for each in validators
    ]
    for each in (*before, *validators):
        assert world.get(CONSENSUS_KEYS, each.public_key) is not None, "a key is noted for ever"
    world.check()


def test_a_set_that_the_ledger_cannot_have_is_refused() -> None:
    world = make_world()
    first, *others = present(world)
    new = public_key("new")

    def changed(**fields: object) -> tuple[ValidatorRecord, ...]:
        return (replace(first, **fields), *others)

    table: list[tuple[str, tuple[ValidatorRecord, ...], Outcome]] = [
        ("a name that is none", changed(name="-x", public_key=new), Outcome.NAME_NOT_ACCEPTED),
        ("a key that is no point", changed(public_key=b"\xff" * 32), Outcome.KEY_NOT_VALID),
        ("nobody's", changed(participant="nobody", public_key=new), Outcome.PARTICIPANT_UNKNOWN),
        ("another's key", changed(public_key=others[0].public_key), Outcome.KEY_ALREADY_USED),
        ("its key under a new name", changed(name="renamed"), Outcome.KEY_ALREADY_USED),
    ]
    for why, validators, outcome in table:
        with pytest.raises(Reject) as caught:
            check_amendment(LedgerState(world.records), validators)
        assert caught.value.outcome is outcome, why


def test_a_removed_key_never_comes_back() -> None:
    world = make_world()
    before = present(world)
    amend(world, with_new_keys(world, before[0].name))

    with pytest.raises(Reject) as caught:
        check_amendment(LedgerState(world.records), before)

    assert caught.value.outcome is Outcome.KEY_ALREADY_USED


def test_who_stays_as_he_is_is_asked_nothing() -> None:
    """A participant that was suspended since keeps its vote, as without an amendment."""
    world = make_world()
    stays, comes = present(world)[:2]
    state = LedgerState(world.records)
    for each in (stays, comes):
        participant = state.get(PARTICIPANTS, name_key(each.participant))
        assert participant is not None
        suspended = replace(participant, status=ParticipantStatus.SUSPENDED)
        state.put(PARTICIPANTS, name_key(each.participant), suspended)

    check_amendment(state, (stays,))
    with pytest.raises(Reject) as caught:
        check_amendment(state, (stays, replace(comes, public_key=public_key("new"))))
    assert caught.value.outcome is Outcome.OTHER_PARTICIPANT_SUSPENDED
