"""The examples in the help of every command, and sessions that type them.

A session is a list of steps on one network. `Typed` is an example, asked for by its beginning, and
what it has to print; what the reader is taken to have done before stands between them as `Given`
and `Until`. `test_examples.py` plays the sessions of `life.py`; an example that takes more than one
machine is typed by a test that has them for other reasons too, and says `Typed` there, by name:
`typed_by_tests` finds those. An example that is in none of them fails.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final, TypeAlias

import click

from node.cli.application import application
from tests.docs.blocks import ROOT

USUAL: Final = {
    "FIRST": "http://127.0.0.1:26680",
    "SECOND": "http://127.0.0.1:26681",
    "NEWCOMER": "http://127.0.0.1:26685",
}
"""Where the first nodes of a development network answer if nobody else has taken these ports, and
one that joins it: its port is the first that neither that network nor its observer has. By the
variable of the shell that says where they do answer.
"""
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


@cache
def typed_by_tests() -> tuple[Example, ...]:
    """Return the examples that tests name outside of the sessions, once for each time."""
    sources = (file.read_text() for file in sorted((ROOT / "tests").rglob("test_*.py")))
    trees = (ast.parse(source) for source in sources if "tests.docs.examples" in source)
    return tuple(
        Typed(str(node.args[0].value), "").example
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Typed", "Watched"}
        and isinstance(node.args[0], ast.Constant)
    )
