"""Sorting on disk: everything comes out once, in order, with few files open and nothing left."""

from pathlib import Path
from random import Random

import pytest

from node.index import runs as runs_module
from node.index.runs import Runs


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "GATHERED_MAX", 40)
    monkeypatch.setattr(runs_module, "RUNS_MAX", 3)
    monkeypatch.setattr(runs_module, "BUFFERED", 4)


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 500, 5_000])
@pytest.mark.parametrize("different", [3, 1 << 32])
def test_all_comes_out_once_and_in_order(tmp_path: Path, count: int, different: int) -> None:
    chance = Random(count)
    records = [chance.randrange(different).to_bytes(8) for _ in range(count)]
    runs = Runs(tmp_path, 8)
    for at in range(0, count, 7):
        runs.add(records[at : at + 7])

    pieces = list(runs.merged())

    assert [each for piece in pieces for each in piece] == sorted(records)
    runs.close()


def test_files_are_few_have_no_name_and_are_let_go(tmp_path: Path) -> None:
    before = files_open()
    runs = Runs(tmp_path, 8)
    most = 0
    for number in range(4_000):  # a hundred runs: four of five levels
        runs.add([number.to_bytes(8)])
        most = max(most, files_open() - before)

    assert most <= 3 * 5
    assert not list(tmp_path.iterdir())
    runs.close()
    assert files_open() == before


def test_a_piece_is_no_longer_than_what_is_buffered(tmp_path: Path) -> None:
    runs = Runs(tmp_path, 8)
    for number in range(4_000):
        runs.add([number.to_bytes(8)])

    # Some six runs are merged at the end, and each has so many in memory.
    assert max(map(len, runs.merged())) <= 3 * 5 * 4
    runs.close()


def test_what_the_disk_cannot_take_is_said(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "gone", 8)

    with pytest.raises(FileNotFoundError):
        runs.add([bytes(8)] * 40)

    runs.close()
