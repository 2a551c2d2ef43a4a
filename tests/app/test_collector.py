"""The collector looks seldom, and still finds what only it can find."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from node.app.collector import YOUNG_MAX, settle


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


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
