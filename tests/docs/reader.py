"""Who types what the help of the commands shows, at a shell, and looks at what is printed."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cli.terminals import shown
from tests.docs.examples import USUAL, Given, Step, Typed, Until, Watched
from tests.docs.shell import surroundings, typed
from tests.docs.town import Town


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
        for variable, usual in USUAL.items():
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

    async def type(self, step: Typed | Given) -> str:
        """Type a step, and look at what was printed, to the terminal or into a file; return it."""
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
        return printed
