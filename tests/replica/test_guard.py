"""The double-sign guard: one place in the program signs, once for each place in consensus."""

import pytest

from consensus.messages import Proposal, Vote, sign_bytes
from consensus.types import VoteType
from node.keys import verify
from node.replica.entries import Sealed
from node.replica.errors import SigningRefused
from node.replica.guard import Guard
from tests.replica.builders import BLOCK, NETWORK, OTHER, proposal, signer, vote


def make_guard(*, floor: int | None = 0) -> Guard:
    guard = Guard(signer("a"), lambda _height: NETWORK)
    if floor is not None:
        guard.set_floor(floor)
    return guard


def seal_and_sign(guard: Guard, message: Vote | Proposal) -> tuple[Sealed | None, bytes]:
    seal = guard.seal(message)
    if seal is not None:
        guard.confirm(seal)
    return seal, guard.sign(message)


def test_what_is_sealed_durably_is_signed_with_the_key() -> None:
    guard = make_guard()

    _, signature = seal_and_sign(guard, vote("a"))

    assert verify(guard.public_key, sign_bytes(vote("a"), NETWORK), signature)


def test_nothing_is_signed_before_its_seal_is_durable() -> None:
    guard = make_guard()
    guard.seal(vote("a"))

    with pytest.raises(SigningRefused, match="not durable"):
        guard.sign(vote("a"))


def test_the_identical_message_is_signed_again_without_a_new_seal() -> None:
    guard = make_guard()
    first = seal_and_sign(guard, vote("a"))
    seal_and_sign(guard, vote("a", kind=VoteType.PRECOMMIT))

    assert seal_and_sign(guard, vote("a")) == (None, first[1])


@pytest.mark.parametrize(
    "second",
    [
        vote("a", round_=3, block=OTHER),
        vote("a", round_=3, block=None),
        vote("a", round_=2),
        vote("a", round_=2, kind=VoteType.PRECOMMIT),
        proposal("a", round_=3),
        vote("a", height=0 + 1, round_=0),
    ],
)
def test_another_message_for_the_same_or_an_earlier_place_is_refused(
    second: Vote | Proposal,
) -> None:
    guard = make_guard()
    seal_and_sign(guard, vote("a", round_=3))

    with pytest.raises(SigningRefused):
        guard.seal(second)
    with pytest.raises(SigningRefused):
        guard.sign(second)


@pytest.mark.adversarial(65, 68)
def test_a_restored_guard_refuses_what_the_one_before_it_would_have_refused() -> None:
    before = make_guard()
    seal, signature = seal_and_sign(before, vote("a", round_=1))
    assert seal is not None

    after = make_guard()
    after.restore([seal])

    with pytest.raises(SigningRefused, match="another message"):
        after.seal(vote("a", round_=1, block=OTHER))
    with pytest.raises(SigningRefused, match="signed already"):
        after.seal(vote("a", round_=0))
    assert after.seal(vote("a", round_=1)) is None
    assert after.sign(vote("a", round_=1)) == signature


@pytest.mark.adversarial(29, 68)
def test_nothing_is_signed_without_a_floor_and_nothing_at_or_below_it() -> None:
    guard = make_guard(floor=None)
    with pytest.raises(SigningRefused, match="log was lost"):
        guard.seal(vote("a", height=100))

    guard.set_floor(12)

    with pytest.raises(SigningRefused, match="up to 12"):
        guard.seal(vote("a", height=12))
    assert guard.seal(vote("a", height=13)) is not None


def test_the_floor_never_falls() -> None:
    guard = make_guard(floor=12)

    guard.set_floor(3)

    assert guard.floor == 12


def test_a_committed_height_is_over() -> None:
    guard = make_guard()
    seal_and_sign(guard, vote("a", height=5))

    guard.end_height(5)

    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=5))
    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=5, round_=9, kind=VoteType.PRECOMMIT))
    seal_and_sign(guard, vote("a", height=6))


def test_an_old_height_that_ends_late_forgets_nothing() -> None:
    guard = make_guard()
    seal_and_sign(guard, vote("a", height=7))

    guard.end_height(5)

    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=7, block=OTHER))


def test_a_guard_keeps_a_bounded_number_of_seals_and_signs_on_however_long_a_height_lasts() -> None:
    guard, again = make_guard(), make_guard()
    seals = [seal_and_sign(guard, vote("a", round_=round_))[0] for round_ in range(4_100)]
    again.restore(seal for seal in seals if seal is not None)

    for each in (guard, again):
        assert len(each._sealed) == len(each._durable) == 4_096
        # What is forgotten is over: neither the same nor anything else is signed in its place.
        for block in (BLOCK, OTHER):
            with pytest.raises(SigningRefused, match="signed already"):
                each.seal(vote("a", round_=3, block=block))
        assert each.seal(vote("a", round_=4)) is None
        assert each.seal(vote("a", round_=4_100)) is not None


def test_seals_of_earlier_heights_in_a_log_are_passed_over() -> None:
    guard = make_guard()
    late = make_guard().seal(vote("a", height=9))
    early = make_guard().seal(vote("a", height=8))
    assert late is not None
    assert early is not None

    guard.restore([late, early])

    assert guard.height == 9
    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=8))


@pytest.mark.adversarial(71)
def test_a_key_that_was_prepared_is_taken_up_and_what_the_other_sealed_stays_sealed() -> None:
    guard = Guard(signer("a"), lambda _height: NETWORK, following=signer("n"))
    guard.set_floor(0)
    seal_and_sign(guard, vote("a", height=5, round_=1))

    assert not guard.take_up(signer("a").public_key)
    assert not guard.take_up(signer("x").public_key)
    assert guard.take_up(signer("n").public_key)

    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=5, round_=1, block=OTHER))
    _, signature = seal_and_sign(guard, vote("a", height=6))
    data = sign_bytes(vote("a", height=6), NETWORK)
    assert verify(signer("n").public_key, data, signature)
    assert guard.public_keys == (signer("n").public_key, signer("a").public_key)


@pytest.mark.adversarial(29)
def test_a_height_that_is_entered_in_a_later_round_is_signed_from_there_on() -> None:
    guard = make_guard(floor=12)

    guard.reopen(11, 3)

    for early in (
        vote("a", height=10, round_=9),
        vote("a", height=11, round_=2, kind=VoteType.PRECOMMIT),
    ):
        with pytest.raises(SigningRefused):
            guard.seal(early)
    assert guard.seal(vote("a", height=11, round_=3)) is not None
    guard.reopen(11, 3)
    with pytest.raises(SigningRefused):
        guard.seal(vote("a", height=11, round_=3, block=OTHER))
