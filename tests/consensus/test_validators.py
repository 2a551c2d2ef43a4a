from collections import Counter

import pytest

from consensus import Height, InvalidValue, Round, Validator, ValidatorId, ValidatorSet
from consensus.validators import VALIDATORS_MAX
from tests.consensus.builders import make_validators


def validator(name: str, key: bytes = bytes(32)) -> Validator:
    return Validator(id=ValidatorId(name), public_key=key)


def test_everybody_proposes_in_turn_by_height_and_by_round() -> None:
    validators = make_validators(4)

    by_round = [validators.proposer(Height(1), Round(round_)).id for round_ in range(5)]
    by_height = [validators.proposer(Height(height), Round(0)).id for height in range(1, 6)]

    assert by_round == by_height == ["b", "c", "d", "a", "b"]
    turns = Counter(validators.proposer(Height(7), Round(r)).id for r in range(400))
    assert set(turns.values()) == {100}


def test_a_set_is_looked_up_by_name() -> None:
    validators = make_validators(3)

    assert len(validators) == 3
    assert [v.id for v in validators] == ["a", "b", "c"]
    assert "b" in validators
    assert "d" not in validators
    assert validators[ValidatorId("c")].public_key == b"c" * 32
    with pytest.raises(KeyError):
        validators[ValidatorId("d")]


def test_sets_with_the_same_validators_are_equal() -> None:
    assert make_validators(3) == make_validators(3)
    assert make_validators(3) != make_validators(4)


@pytest.mark.parametrize(
    "validators",
    [
        (),
        (validator("b", b"b" * 32), validator("a", b"a" * 32)),
        (validator("a", b"a" * 32), validator("a", b"b" * 32)),
        (validator("a", b"k" * 32), validator("b", b"k" * 32)),
        tuple(validator(f"v{i:03}", i.to_bytes(32)) for i in range(VALIDATORS_MAX + 1)),
    ],
    ids=["empty", "descending", "one name twice", "one key twice", "too many"],
)
def test_a_set_without_order_or_uniqueness_cannot_be_built(
    validators: tuple[Validator, ...],
) -> None:
    with pytest.raises(InvalidValue):
        ValidatorSet(validators)


@pytest.mark.parametrize("name", ["", "A", "a b", "ä", "a" * 33, "a\n"])
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        validator(name)


def test_a_key_has_thirty_two_bytes() -> None:
    with pytest.raises(InvalidValue):
        validator("a", bytes(31))
