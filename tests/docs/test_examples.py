"""Every example in the help of a command is typed, as it stands, and has to say what it shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from node.ledger.protocol import LATEST_VERSION
from tests.docs.blocks import ROOT, claims, line
from tests.docs.examples import Given, Step, Typed, examples, typed_by_tests
from tests.docs.forked import forking
from tests.docs.life import BEGAN, DEVNET, FIRST_PAGE, LIFE, PLAIN, UPGRADE
from tests.docs.reader import Reader
from tests.docs.shell import surroundings, typed
from tests.docs.town import Town

SESSIONS: Final[Mapping[str, Sequence[Step]]] = {
    "life": LIFE,
    "plain": PLAIN,
    "devnet": DEVNET,
    "upgrade": UPGRADE,
}


def test_every_example_is_typed_once() -> None:
    typed_there = Counter(
        step.example for steps in SESSIONS.values() for step in steps if isinstance(step, Typed)
    )
    typed_there.update(typed_by_tests())
    typed_there.update(Typed(begins, "").example for begins, _ in FIRST_PAGE)

    assert [each.text for each in examples() if typed_there[each] != 1] == []


def test_an_example_of_the_first_page_is_typed_there_with_the_same_words() -> None:
    for begins, there in FIRST_PAGE:
        command = line("README.md", there)
        if command.startswith("make "):
            command = typed(f"make --dry-run {command.removeprefix('make ')}").splitlines()[-1]
        assert command.strip() == f".venv/bin/{Typed(begins, '').example.text}"
        assert ("line", "README.md", there) in claims(), "no test types it"


async def test_what_needs_no_network_does_what_the_help_says(tmp_path: Path) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    reader = Reader(tmp_path, surroundings(HOME=str(tmp_path), PYTHONPATH=str(ROOT)))

    await reader.play(PLAIN)


@pytest.mark.e2e
async def test_development_network_does_what_the_help_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path, surroundings(HOME=str(tmp_path), PYTHONPATH=str(ROOT)))
    try:
        await reader.play(DEVNET)
    finally:
        await reader.type(Given("khazana devnet down --remove || true"))


@pytest.mark.parametrize(
    ("steps", "version"),
    [pytest.param(LIFE, LATEST_VERSION, id="life"), pytest.param(UPGRADE, 1, id="upgrade")],
)
async def test_ledger_lives_as_the_help_says(
    tmp_path: Path, steps: Sequence[Step], version: int
) -> None:
    town = Town(tmp_path, BEGAN, version)
    try:
        await town.open()
        [node] = town.nodes.values()
        places = {"KHAZANA_URL": node.url, "FIRST": node.url, "SECOND": node.url}
        variables = surroundings(HOME=str(tmp_path), PYTHONPATH=str(ROOT), **places)
        with forking(variables) as quick:
            await Reader(node.home.parent, quick, town).play(steps)
    finally:
        await town.close()
