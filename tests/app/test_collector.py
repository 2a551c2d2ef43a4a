"""The collector looks seldom, and still finds what only it can find."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from node.app.collector import BETWEEN_MIN, YOUNG_MAX, look_between, settle


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


LISTS_AT_HAND = 100
"""More than the interpreter keeps for the next ones: these are new to nobody."""


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("collector")
def test_cycles_are_freed_after_a_bounded_number_of_objects_and_the_program_is_left_alone() -> None:
    settle()
    assert gc.get_freeze_count() > 10_000

    first = weakref.ref(Knot())
    made = 0
    while first() is not None:
        Knot()
        made += 1
    # An instance and its dictionary.
    assert YOUNG_MAX // 4 < made <= YOUNG_MAX


@pytest.mark.usefixtures("collector")
def test_between_blocks_it_looks_where_it_soon_would_and_as_far_as_it_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.app.collector.ROUNDS", (2, 1))
    settle()
    looked: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looked.append(info["generation"])

    gc.callbacks.append(note)
    try:
        look_between()
        assert not looked, "there is nothing new"
        for count in range(1, 15):
            kept: list[object] = [[] for _ in range(BETWEEN_MIN + LISTS_AT_HAND)]
            look_between()
            assert len(looked) == count
            del kept
    finally:
        gc.callbacks.remove(note)

    assert looked == [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0]
