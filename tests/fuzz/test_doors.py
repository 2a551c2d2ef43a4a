"""No decoder of the code base is missing from the table of targets."""

from tests.fuzz.doors import NOT_REACHED, doors, is_reached
from tests.fuzz.targets import TARGETS

ROWS = {door for target in TARGETS for door in target.doors}


def test_every_door_is_in_a_row_or_says_why_not() -> None:
    missing = [door for door in doors() if door not in ROWS and is_reached(door)]

    assert not missing, "give these a row in tests/fuzz/targets.py: " + ", ".join(missing)


def test_the_table_names_no_door_that_is_gone() -> None:
    assert set(doors()) >= ROWS


def test_every_reason_is_of_a_door_that_is_there_and_in_no_row() -> None:
    excused = [door for door in doors() if not is_reached(door)]

    assert not ROWS & set(excused)
    for each in NOT_REACHED:
        assert any(door == each or door.startswith(each + ".") for door in excused), each
