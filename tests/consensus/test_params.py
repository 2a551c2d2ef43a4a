import pytest

from consensus import ConsensusParams, InvalidValue, Round, Step


def test_timeouts_grow_with_the_round_up_to_the_cap() -> None:
    params = ConsensusParams(
        timeout_propose_ms=1000,
        timeout_prevote_ms=400,
        timeout_precommit_ms=500,
        timeout_growth_ms=100,
        timeout_max_ms=1250,
    )

    def waits(step: Step) -> list[int]:
        return [params.timeout_ms(step, Round(round_)) for round_ in (0, 1, 2, 3, 1_000_000)]

    assert waits(Step.PROPOSE) == [1000, 1100, 1200, 1250, 1250]
    assert waits(Step.PREVOTE) == [400, 500, 600, 700, 1250]
    assert waits(Step.PRECOMMIT) == [500, 600, 700, 800, 1250]


def test_nobody_waits_after_a_decision() -> None:
    with pytest.raises(InvalidValue, match="a step that waits"):
        ConsensusParams().timeout_ms(Step.DECIDED, Round(0))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout_propose_ms", 0),
        ("timeout_prevote_ms", -1),
        ("timeout_precommit_ms", 3_600_001),
        ("timeout_growth_ms", 0),
        ("timeout_max_ms", 999),
        ("rounds_kept_max", 0),
        ("rounds_ahead_max", 1001),
        ("early_messages_max", 2),
    ],
)
def test_a_number_out_of_range_is_refused_by_name(field: str, value: int) -> None:
    with pytest.raises(InvalidValue) as caught:
        ConsensusParams(**{field: value})  # type: ignore[arg-type]

    assert (caught.value.field, caught.value.found) == (field, value)
