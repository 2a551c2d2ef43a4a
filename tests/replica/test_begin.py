"""When a key signs for the first time on a network that has no block yet."""

from itertools import combinations

import pytest

from consensus.quorum import faults_survived, quorum
from consensus.types import FaultModel, Height
from node.network import Memory
from node.replica.begin import Beginning, Step, way_of_beginning
from node.replica.errors import LogRemembers
from node.replica.join import Waiting
from node.replica.journal import write_resumption
from tests.replica.builders import make_validators, vote
from tests.replica.test_journal import Setup, log_at

BYZANTINE = FaultModel.BYZANTINE
CRASH = FaultModel.CRASH
OTHERS = ("b", "c", "d")


def has_note(*, begun: bool) -> Memory:
    return Memory(height=0, remembers=False, round=0, begun=begun)


CLEAN = has_note(begun=False)
NOTED = has_note(begun=True)


def way(
    memories: dict[str, Memory],
    *,
    others: tuple[str, ...] = OTHERS,
    claims: dict[str, int] | None = None,
    born: bool = True,
    announced: bool = False,
    model: FaultModel = BYZANTINE,
) -> Beginning:
    return way_of_beginning(
        others,
        dict.fromkeys(memories, 0) if claims is None else claims,
        memories,
        born=born,
        announced=announced,
        model=model,
    )


def why(found: Beginning) -> str:
    assert isinstance(found, Waiting)
    return found.why


@pytest.mark.parametrize("born", [False, True])
@pytest.mark.parametrize("announced", [False, True])
def test_one_alone_tells_nobody(*, born: bool, announced: bool) -> None:
    assert way({}, others=(), born=born, announced=announced) is Step.SIGN


def test_a_new_network_begins_without_its_last_validator() -> None:
    assert "more of c, d" in why(way({"b": CLEAN}))
    assert way({"b": CLEAN, "c": CLEAN}) is Step.ANNOUNCE
    assert "more of c, d to take note" in why(way({"b": NOTED, "c": CLEAN}, announced=True))
    assert way({"b": NOTED, "c": NOTED}, announced=True) is Step.SIGN


def test_a_log_without_its_birth_waits_for_everybody() -> None:
    heard = {"b": CLEAN, "c": CLEAN}

    assert "hear from d" in why(way(heard, born=False))
    assert way({**heard, "d": CLEAN}, born=False) is Step.ANNOUNCE
    assert way({**heard, "d": NOTED}, born=False) is Step.ANNOUNCE


@pytest.mark.adversarial(29, 68)
def test_one_put_back_as_it_was_born_is_told_that_it_has_begun() -> None:
    assert "more of c, d whether it has begun before" in why(way({"b": NOTED}))
    assert "more of d" in why(way({"b": NOTED, "c": CLEAN}))
    assert way({"b": NOTED, "c": NOTED}) is Step.REMEMBER


def test_nobody_begins_where_somebody_has_a_block() -> None:
    for announced in (False, True):
        found = way(
            {"b": NOTED, "c": CLEAN, "d": CLEAN},
            claims={"b": 0, "c": 0, "d": 1},
            announced=announced,
        )
        assert "the first block, which others say they have" in why(found)


def test_an_answer_of_one_that_is_gone_does_not_count() -> None:
    assert "more of c, d" in why(way({"b": CLEAN, "c": CLEAN}, claims={"b": 0}))
    assert isinstance(way({"b": NOTED, "c": NOTED}, claims={"b": 0}, announced=True), Waiting)


def test_strangers_do_not_count() -> None:
    assert isinstance(way({"b": CLEAN, "x": CLEAN}), Waiting)
    assert isinstance(way({"b": NOTED, "x": NOTED}, announced=True), Waiting)


@pytest.mark.adversarial(29, 68)
@pytest.mark.parametrize("n", range(2, 9))
def test_nobody_begins_twice_with_as_many_faults_as_are_survived(n: int) -> None:
    """Whoever took note, whoever of them lies or has lost the note, and whoever is heard."""
    others = tuple(f"v{number}" for number in range(1, n))
    needed, survived = quorum(BYZANTINE, n) - 1, faults_survived(BYZANTINE, n)
    for noted in combinations(others, needed):
        for lost in combinations(others, max(0, survived - 1)):
            answers = {
                name: NOTED if name in noted and name not in lost else CLEAN for name in others
            }
            for heard in range(n):
                for names in combinations(others, heard):
                    found = way({name: answers[name] for name in names}, others=others)
                    assert found is not Step.ANNOUNCE


@pytest.mark.parametrize("n", [2, 4, 6, 8])
def test_nobody_begins_twice_among_crashes_where_the_number_is_even(n: int) -> None:
    others = tuple(f"v{number}" for number in range(1, n))
    needed = quorum(CRASH, n) - 1
    for noted in combinations(others, needed):
        for heard in range(n):
            for names in combinations(others, heard):
                answers = {name: NOTED if name in noted else CLEAN for name in names}
                assert way(answers, others=others, model=CRASH) is not Step.ANNOUNCE


@pytest.mark.adversarial(15, 49)
@pytest.mark.parametrize("model", [BYZANTINE, CRASH])
@pytest.mark.parametrize("born", [False, True])
@pytest.mark.parametrize("n", range(2, 16))
def test_as_many_liars_as_are_survived_keep_nobody_out(
    model: FaultModel, n: int, *, born: bool
) -> None:
    others = tuple(f"v{number}" for number in range(1, n))
    for liars in range(faults_survived(model, n) + 1):
        heard = {name: NOTED if place < liars else CLEAN for place, name in enumerate(others)}
        assert way(heard, others=others, born=born, model=model) is Step.ANNOUNCE


@pytest.mark.parametrize("model", [BYZANTINE, CRASH])
@pytest.mark.parametrize("n", range(2, 16))
def test_nobody_waits_who_has_heard_everybody(model: FaultModel, n: int) -> None:
    others = tuple(f"v{number}" for number in range(1, n))
    for noted in range(n):
        heard = {name: NOTED if place < noted else CLEAN for place, name in enumerate(others)}
        for born in (False, True):
            found = way(heard, others=others, born=born, model=model)
            assert found in (Step.ANNOUNCE, Step.REMEMBER)


# The seat and its log.


async def hear(setup: Setup, head: int = 0, **heard: Memory) -> None:
    for name, memory in heard.items():
        setup.seat.heard(name, memory, make_validators())
    await setup.seat.settle(
        head=head,
        validators=make_validators(),
        claims=dict.fromkeys(heard, 0),
        model=BYZANTINE,
    )


async def test_nothing_is_signed_before_the_others_have_taken_note() -> None:
    setup = Setup().born()
    setup.seat.open(0)
    assert setup.seat.asks(0)
    assert not setup.seat.begins(0)

    await hear(setup, b=CLEAN, c=CLEAN)
    assert setup.seat.begins(0)
    assert setup.guard.floor is None
    await hear(setup, b=NOTED, c=CLEAN)
    assert setup.guard.floor is None
    assert "c, d to take note" in str(setup.seat.why_silent(1, make_validators()))
    await hear(setup, b=NOTED, c=NOTED)

    assert setup.seat.may_vote(1, make_validators())
    assert setup.seat.remembers(0)
    assert setup.seat.begins(0)
    assert not setup.seat.begins(1)


async def test_one_stopped_while_it_began_goes_on_from_its_log() -> None:
    setup = Setup().born()
    setup.seat.open(0)
    await hear(setup, b=CLEAN, c=CLEAN)

    after = setup.again()
    after.seat.open(0)

    assert after.seat.begins(0)
    assert not after.seat.is_settled
    await hear(after, b=NOTED, c=NOTED)
    assert after.seat.may_vote(1, make_validators())


@pytest.mark.adversarial(29, 68)
async def test_one_put_back_as_it_was_born_is_silent_behind_those_who_remember() -> None:
    setup = Setup().born()
    setup.seat.open(0)
    knows = Memory(height=0, remembers=True, round=0, begun=True)

    await hear(setup, b=knows, c=knows)
    assert not setup.seat.begins(0)
    assert "hear from d" in str(setup.seat.why_silent(1, make_validators()))
    await hear(setup, b=knows, c=knows, d=knows)

    assert setup.guard.floor == 2
    assert not setup.seat.remembers(1)
    assert setup.seat.remembers(2)


@pytest.mark.adversarial(29, 68)
@pytest.mark.parametrize("born", [False, True])
async def test_what_was_noted_of_others_outlives_a_restart_and_is_no_past_of_ones_own(
    *, born: bool
) -> None:
    setup = Setup().born() if born else Setup()
    setup.seat.open(0)
    assert not setup.seat.has_begun("b", head=0)

    await setup.seat.note_begun("b", head=0, validators=make_validators())
    syncs = setup.files.syncs
    await setup.seat.note_begun("b", head=0, validators=make_validators())
    await setup.seat.note_begun("x", head=0, validators=make_validators())
    assert setup.files.syncs == syncs

    for lives in (setup, setup.again()):
        if lives is not setup:
            lives.seat.open(0)
        assert lives.seat.has_begun("b", head=0)
        assert not lives.seat.has_begun("c", head=0)
        assert not lives.seat.has_begun("x", head=0)
        assert not lives.seat.is_settled
    behind = setup.again()
    behind.seat.open(1)
    assert not behind.seat.is_settled
    assert behind.seat.has_begun("c", head=1)


async def test_whose_log_has_left_the_first_height_says_of_everybody_that_he_has_begun() -> None:
    setup = log_at(5)
    setup.seat.open(0)

    assert setup.seat.has_begun("b", head=0)
    await setup.seat.note_begun("b", head=0, validators=make_validators())


async def test_what_is_noted_while_the_first_height_is_decided_disturbs_no_vote() -> None:
    setup = Setup().born()
    setup.seat.open(0)
    await hear(setup, b=CLEAN, c=CLEAN)
    await hear(setup, b=NOTED, c=NOTED)
    await setup.seat.sign(vote("a", height=1))
    await setup.seat.note_begun("d", head=0, validators=make_validators())

    after = setup.again()
    after.seat.open(0)

    assert after.seat.is_settled
    assert after.guard.floor == 0
    assert after.guard.height == 1
    assert after.seat.has_begun("d", head=0)
    assert after.seat.recall(Height(1)) == ((), {})


@pytest.mark.parametrize("noted", [False, True])
async def test_operators_resume_from_the_genesis_over_a_log_that_has_signed_nothing(
    *, noted: bool
) -> None:
    setup = Setup().born()
    if noted:
        setup.seat.open(0)
        await setup.seat.note_begun("b", head=0, validators=make_validators())

    write_resumption(setup.again().log, above=0, at_ms=1, reason="three of four were put back")

    after = setup.again()
    after.seat.open(0)
    assert after.guard.floor == 0
    with pytest.raises(LogRemembers):
        write_resumption(log_at(1).log, above=0, at_ms=1, reason="it was voted")
