"""Some of the deaths of `python -m tests.sim.deaths`, which tries all of them."""

import sys
from collections import Counter
from collections.abc import Callable

import pytest

from node.storage.store import Batch
from tests.sim import disks
from tests.sim.deaths import SEED, Case, broken, cases_of, counted, main
from tests.sim.disks import Fate, Moment
from tests.sim.lives import DAYS, Death, Point

SOME = {
    "beginning": [Death(3, Fate.CUT), Death(30, Fate.LOST)],
    "load": [Death(9, Fate.LOST), Death(41, Fate.BLANKED)],
    "turnover": [Death(7, Fate.KEPT), Death(50, Fate.CUT)],
    "recovery": [Death(2, Fate.LOST), Death(9, Fate.CUT)],
    "rejoin": [Death(5, Fate.BLANKED), Death(25, Fate.CUT)],
    "snapshot": [Death(8, Fate.CUT), Death(21, Fate.LOST)],
    "amendment": [Death(4, Fate.LOST), Death(33, Fate.KEPT)],
    "pruning": [Death(16, Fate.LOST)],
    "stuck": [Death(20, Fate.CUT), Death(31, Fate.KEPT)],
}
"""Of the second validator; which moments of which operations these are changes with the node."""


def of_second(day: str, death: Death) -> Case:
    return Case(day=day, seed=SEED, victim=1, death=death)


def test_every_day_has_some_deaths_here() -> None:
    assert SOME.keys() == DAYS.keys()


@pytest.mark.adversarial(65, 70)
@pytest.mark.parametrize(
    "case",
    [of_second(day, death) for day, deaths in SOME.items() for death in deaths],
    ids=lambda case: case.name,
)
def test_a_validator_that_dies_at_an_operation_of_its_disk_comes_back(case: Case) -> None:
    assert broken(case) is None, case.command


def test_every_moment_of_every_operation_is_counted_with_all_that_can_become_of_it() -> None:
    points = counted("turnover", seed=SEED, victim=1)

    operations = Counter((point.what, point.moment) for point in points)
    for what in ("append", "sync", "rename", "synced batch"):
        assert operations[what, Moment.BEFORE] == operations[what, Moment.AFTER] > 0
    assert operations["rename", Moment.WITHIN] == operations["rename", Moment.BEFORE]
    takes = {(point.what, point.moment) for point in points if point.takes}
    assert takes == {
        ("append", Moment.AFTER),
        ("sync", Moment.BEFORE),
        ("rename", Moment.WITHIN),
    }
    deaths = [case.death for case in cases_of("turnover", points, seed=SEED, victim=1)]
    assert len(set(deaths)) == len(deaths) == sum(4 if point.takes else 1 for point in points)


@pytest.mark.parametrize("every", [1, 2, 7])
def test_each_so_many_of_the_deaths_are_tried(every: int) -> None:
    points = [Point("append", Moment.AFTER, takes=True), Point("sync", Moment.AFTER, takes=False)]

    cases = list(cases_of("load", points * 10, seed=1, victim=0, every=every))

    assert 50 // every <= len(cases) <= 50 // every + 1


def test_a_block_that_is_not_synced_is_missed_after_a_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The checkers bite: a defect is planted, and the death that shows it breaks a rule."""
    write: Callable[..., None] = disks._Store.write

    def carelessly(self: object, batch: Batch, *, sync: bool) -> None:
        del sync
        write(self, batch, sync=False)

    monkeypatch.setattr(disks._Store, "write", carelessly)
    points = counted("load", seed=SEED, victim=1)
    number = points.index(Point("unsynced batch", Moment.AFTER, takes=True))

    rule = broken(of_second("load", Death(number, Fate.LOST)))

    assert rule is not None
    assert rule.startswith("growth: ")


def test_the_command_replays_a_death_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["deaths", "--death", "beginning:1:3:cut"])

    assert main() == 0

    *_, died, said = capsys.readouterr().out.splitlines()
    assert died == "died after: append"
    assert said == "no rule was broken"
