"""How the suite is shared among workers: whole files, and one machine for what fills one."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.scheduling import (
    BY_THEMSELVES,
    LONG,
    SPOKEN_TO,
    WORKERS_MAX,
    FilesAndOneMachine,
    by_itself,
    workers,
)

ROOT = Path(__file__).resolve().parent.parent

A_TEST = """
import os, time
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(number):
    time.sleep(0.05)
    with open({diary!r}, "a") as diary:
        print(os.environ["PYTEST_XDIST_WORKER"], __file__, number, file=diary)
    assert number != {wrong}
"""

IMPORTED = """
import os

with open({diary!r}, "a") as diary:
    print(os.environ["PYTEST_XDIST_WORKER"], __file__, file=diary)


def test_it():
    pass
"""


def distribute(root: Path, *files: str, wrong: int = -1) -> tuple[int, str, list[list[str]]]:
    """Run files of four tests each on two workers; return the exit status, the last line and who
    ran what, in the order of its end.
    """
    diary = root / "diary"
    for name in files:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(A_TEST.format(diary=str(diary), wrong=wrong))
    (root / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-n", "2", "tests"],
        cwd=root,
        # Its folders are its own: who ends first clears away what of the others' is old.
        env={"PYTHONPATH": str(ROOT), "PYTEST_DEBUG_TEMPROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert diary.exists(), ended.stdout + ended.stderr
    lines = [line.split() for line in diary.read_text().splitlines()]
    ran = [
        [worker, Path(file).relative_to(root).as_posix(), number] for worker, file, number in lines
    ]
    return ended.returncode, ended.stdout.splitlines()[-1], ran


def test_a_file_is_one_workers_and_what_fills_a_machine_never_meets_its_like(
    tmp_path: Path,
) -> None:
    alone = ("tests/e2e/test_a.py", "tests/limits/test_attacks.py")
    others = ("tests/app/test_b.py", "tests/app/test_c.py", "tests/zoo/test_d.py")

    status, last, ran = distribute(tmp_path, *others, *alone)

    assert status == 0
    assert re.search(r"\b20 passed\b", last)
    assert len(ran) == 20
    workers = {file: {worker for worker, ran_file, _ in ran if ran_file == file} for file in alone}
    assert len(set.union(*workers.values())) == 1
    for name in (*others, *alone):
        assert [number for _, file, number in ran if file == name] == ["0", "1", "2", "3"]
        assert len({worker for worker, file, _ in ran if file == name}) == 1
    (machine,) = workers[alone[0]]
    mine = [file for worker, file, _ in ran if worker == machine]
    assert mine[:8] == [name for name in alone for _ in range(4)], "begun before anything else"
    assert {worker for worker, _, _ in ran} == {"gw0", "gw1"}


def test_networks_that_are_only_spoken_to_are_begun_by_another_worker_before_the_rest(
    tmp_path: Path,
) -> None:
    alone = "tests/e2e/test_a.py"

    _, _, ran = distribute(tmp_path, SPOKEN_TO[0], alone, "tests/app/test_b.py")

    (machine,) = {worker for worker, file, _ in ran if file == alone}
    (other,) = {worker for worker, file, _ in ran if file == SPOKEN_TO[0]}
    assert machine != other
    for name, worker in ((alone, machine), (SPOKEN_TO[0], other)):
        assert [file for ran_by, file, _ in ran if ran_by == worker][:4] == [name] * 4


def test_workers_begin_to_collect_in_other_rooms_and_find_the_same_tests(tmp_path: Path) -> None:
    """One that finds other tests, or in another order, is refused by xdist."""
    diary = tmp_path / "imported"
    for room in "abcd":
        file = tmp_path / "tests" / room / f"test_{room}.py"
        file.parent.mkdir(parents=True)
        file.write_text(IMPORTED.format(diary=str(diary)))

    status, last, ran = distribute(tmp_path, "tests/a/test_e.py")

    assert status == 0
    assert re.search(r"\b8 passed\b", last)
    assert len(ran) == 4
    lines = [line.split() for line in diary.read_text().splitlines()]
    for worker, begun in (("gw0", "abcd"), ("gw1", "cdab")):
        assert [Path(file).parent.name for by, file in lines if by == worker] == list(begun)


class Worker:
    """What a scheduler knows of a worker, which does nothing by itself."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="a worker")
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_no_file_waits_behind_more_than_the_last_test_of_another(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """What a worker has not begun while it is busy is another's to take."""
    monkeypatch.setattr(pytestconfig.option, "tx", ["2*popen"])
    scheduler = FilesAndOneMachine(pytestconfig)
    busy, other = Worker(), Worker()
    tests = [f"tests/app/test_{file}.py::test_{number}" for file in "abc" for number in range(4)]
    for worker in (busy, other):
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
    scheduler.schedule()
    assert (busy.given, other.given) == ([0, 1, 2, 3], [4, 5, 6, 7])

    for index in (0, 1):
        scheduler.mark_test_complete(busy, index)
    assert busy.given == [0, 1, 2, 3], "two are left"
    for index in (4, 5, 6):
        scheduler.mark_test_complete(other, index)
    assert other.given == [4, 5, 6, 7, 8, 9, 10, 11], "it would not begin its last one otherwise"
    scheduler.mark_test_complete(busy, 2)
    assert busy.shutting_down, "nothing is to follow"


def test_there_is_a_worker_more_than_cores_and_never_a_crowd(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    for cores in (1, 2, 3, 4, 64):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        started.append(workers())

    assert started == [2, 3, 4, WORKERS_MAX, WORKERS_MAX]


@pytest.mark.parametrize("name", ["tests/e2e/test_a.py", "tests/app/test_b.py"])
def test_a_failure_on_either_worker_fails_the_run(tmp_path: Path, name: str) -> None:
    status, last, ran = distribute(tmp_path, name, wrong=3)

    assert status == 1
    assert re.search(r"\b1 failed, 3 passed\b", last)
    assert len(ran) == 4


def test_whatever_starts_processes_of_nodes_runs_by_itself() -> None:
    marked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if re.search(r"^(pytestmark = .*|@)pytest\.mark\.(e2e|docker)\b", path.read_text(), re.M)
    }

    assert marked
    assert [name for name in sorted(marked) if not by_itself(name) and name not in SPOKEN_TO] == []
    assert [
        name for name in (*BY_THEMSELVES, *SPOKEN_TO, *LONG) if not (ROOT / name).exists()
    ] == []
