"""Every example in the help of a command is typed, as it stands, and has to say what it shows."""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from node.app import NodeParts
from node.clock import SystemClock
from node.control import STEP_MAX_MS, Timekeeper
from node.control.place import socket_path
from node.ledger.protocol import LATEST_VERSION
from node.provision.description import NetworkDescription
from node.provision.homes import DATA_FOLDER
from node.testing.cluster import Cluster
from tests.cli.terminals import shown
from tests.docs.blocks import ROOT, claims, line
from tests.docs.examples import USUAL, Given, Step, Typed, Until, Watched, examples
from tests.docs.forked import forking
from tests.docs.life import BEGAN, DEVNET, FIRST_PAGE, LEFT, LIFE, PLAIN, UPGRADE
from tests.docs.shell import surroundings, typed

pytestmark = pytest.mark.timeout(300)

SESSIONS: Final[Mapping[str, Sequence[Step]]] = {
    "life": LIFE,
    "plain": PLAIN,
    "devnet": DEVNET,
    "upgrade": UPGRADE,
}


class SetClock(SystemClock):
    """The machine's clock as if this process had begun at a moment."""

    def __init__(self, moment: datetime) -> None:
        self._behind_ms = super().now_ms() - int(moment.timestamp() * 1000)

    @override
    def now_ms(self) -> int:
        return super().now_ms() - self._behind_ms


class Town(Cluster):
    """A development network of one validator that began at a moment of the past or the future."""

    def __init__(self, root: Path, began: datetime, version: int = LATEST_VERSION) -> None:
        self._began = began
        clock = SetClock(began)

        def adjust(_name: str, parts: NodeParts) -> NodeParts:
            return replace(parts, clock=clock)

        super().__init__(root, validators=1, protocol_version=version, adjust=adjust)

    @override
    def _describe(self) -> NetworkDescription:
        return super()._describe().model_copy(update={"name": "devnet", "time": self._began})

    async def travel(self, moment: datetime) -> None:
        """Let the dates pass up to a moment, a day or what is due at a time."""
        to_ms = int(moment.timestamp() * 1000)
        [node] = self.nodes.values()
        async with Timekeeper(socket_path(node.home / DATA_FOLDER)) as keeper:
            found = await keeper.moment()
            while found.head_ms < to_ms:
                due_ms = max(found.now_ms, to_ms if found.due_ms is None else found.due_ms)
                step_ms = min(min(to_ms, due_ms) - found.now_ms, STEP_MAX_MS)
                await keeper.move(found.travelled_ms + max(0, step_ms))
                found = await keeper.next_block(found.height)


class Reader:
    """Who types, in a folder, with variables that go on from step to step."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], town: Town | None = None
    ) -> None:
        self._folder = folder
        self._variables = dict(variables)
        self._town = town

    async def play(self, steps: Sequence[Step]) -> None:
        """Take the steps one after the other."""
        for step in steps:
            await self.take(step)

    async def take(self, step: Step) -> None:
        """Take a step."""
        if isinstance(step, Watched):
            await asyncio.to_thread(self._watch, step)
            return
        if isinstance(step, Typed | Given):
            await self.type(step)
            return
        assert self._town is not None
        [name] = self._town.nodes
        if isinstance(step, Until):
            await self._town.travel(step.moment)
        elif step.up:
            await self._town.start_node(name)
        else:
            await self._town.stop_node(name)

    def _at_its_ports(self, text: str) -> str:
        """Return a line for a network that was given other ports, because the usual were taken."""
        for usual, variable in zip(USUAL, ("FIRST", "SECOND"), strict=True):
            text = text.replace(usual, self._variables.get(variable, usual))
        return text

    def _watch(self, step: Watched) -> None:
        """Type an example at a terminal, wait for what it shows, and end it by its key."""
        # A key that interrupts is for the process at the terminal: no other may run the command.
        variables = {**self._variables, "PATH": surroundings()["PATH"]}
        command = ["bash", "-euc", self._at_its_ports(step.example.text)]
        with shown(command, variables, folder=self._folder) as terminal:
            terminal.until(step.says.encode())
            terminal.type(step.key)
            assert terminal.end() == step.exits, terminal.written
            assert b"Traceback" not in terminal.written

    async def type(self, step: Typed | Given) -> None:
        """Type a step, and look at what was printed, to the terminal or into a file."""
        text = step.lines if isinstance(step, Given) else self._at_its_ports(step.example.text)
        exits = 0 if isinstance(step, Given) else step.exits
        printed = await asyncio.to_thread(
            typed, text, self._variables, folder=self._folder, exits=exits
        )
        written = re.search(r" > (\S+)$", text)
        if isinstance(step, Typed):
            if written is not None:
                printed += (
                    self._folder / written[1].replace("~", self._variables["HOME"])
                ).read_text()
            assert re.search(step.says, printed, re.MULTILINE), (text, printed)
        assert "Traceback" not in printed, printed
        for name, where in step.keeps.items():
            found = re.search(where, printed)
            assert found is not None, (where, printed)
            self._variables[name] = found[1]


def test_every_example_is_in_one_session() -> None:
    asked = Counter(
        step.example for steps in SESSIONS.values() for step in steps if isinstance(step, Typed)
    )

    left = [Typed(begins, "").example for begins in LEFT]
    left += [Typed(begins, "").example for begins, _ in FIRST_PAGE]

    assert [each.text for each in examples() if asked[each] + left.count(each) != 1] == []


def test_an_example_of_the_first_page_is_typed_there_with_the_same_words() -> None:
    for begins, there in FIRST_PAGE:
        assert line("README.md", there) == f".venv/bin/{Typed(begins, '').example.text}"
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
