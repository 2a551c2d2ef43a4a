"""The examples in the help of every command, and sessions that type them.

A session is a list of steps on one network. `Typed` is an example, asked for by its beginning, and
what it has to print; what the reader is taken to have done before stands between them as `Given`
and `Until`. `test_examples.py` plays the sessions and fails for an example that is in none.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final, TypeAlias

import click

from node.cli.application import application

USUAL: Final = ("http://127.0.0.1:26680", "http://127.0.0.1:26681")
"""Where the first nodes of a development network answer if nobody else has taken these ports."""
_EXAMPLE: Final = re.compile(r"^ {2}(?=(?:[A-Z_]+=\S.* )?khazana )(?:.*\\\n)*.*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command line of a help, with the lines that it goes on in."""

    command: str
    """In whose help it stands."""
    text: str


@cache
def examples() -> tuple[Example, ...]:
    """Return every example, in the order of the reference."""
    return tuple(_examples("khazana", application, click.Context(application)))


def _examples(path: str, command: click.Command, context: click.Context) -> Iterator[Example]:
    _, *after = re.split(r"^Examples?:\n", inspect.cleandoc(command.help or ""), flags=re.MULTILINE)
    for found in _EXAMPLE.findall("".join(after)):
        yield Example(command=path, text=found.strip())
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from _examples(f"{path} {name}", inner, context)


@dataclass(frozen=True, slots=True)
class Typed:
    """An example is typed."""

    begins: str
    """What it begins with, after `khazana `, and no other does; `$` at the end: all of it."""
    says: str
    """Regular expression that has to be found in what it prints, to the terminal or to a file."""
    exits: int = 0
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Variables of the shell, each set to the group of an expression in what was printed."""

    def matches(self, example: Example) -> bool:
        """Say whether this is the one."""
        text = example.text.removeprefix("khazana ")
        if self.begins.endswith("$"):
            return text == self.begins[:-1]
        return text.startswith(self.begins)

    @property
    def example(self) -> Example:
        """The one example that begins so."""
        found = [each for each in examples() if self.matches(each)]
        assert len(found) == 1, f"{len(found)} examples begin with {self.begins!r}"
        return found[0]


@dataclass(frozen=True, slots=True)
class Watched(Typed):
    """An example that goes on until it is ended is typed at a terminal, and ended by a key."""

    key: bytes = b"q"


@dataclass(frozen=True, slots=True)
class Given:
    """What the reader has done before: lines of a shell."""

    lines: str
    keeps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Until:
    """The network's dates pass, block by block, up to a moment of its local time."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Turned:
    """The node is started, or stopped, in order."""

    up: bool


Step: TypeAlias = Typed | Given | Until | Turned
