"""The pages that the code writes: every command, method, operation, outcome and format.

Each returns Markdown of a whole page but its title. They are made when the documentation is built,
so that they cannot differ from what is built.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import click

from node.cli.application import application
from node.cli.tx.describing import describe
from node.docs.formats import formats
from node.docs.markdown import table
from node.docs.methods import methods
from node.ledger.catalogue import ACTS
from node.ledger.outcomes import Outcome

HELP_WIDTH: Final = 96


def commands() -> str:
    """Return every command with its help, as a terminal shows it."""
    return "\n".join(_commands("khazana", application, None))


def operations() -> str:
    """Return every operation, with how each of its fields is written in JSON."""
    lines = []
    for act in ACTS:
        fields = [(f"`{each.path}`", each.written, each.means) for each in describe(act.operation)]
        lines += [f"## {act.name}", "", *table(("field", "written as", ""), fields)]
    return "\n".join(lines)


def outcomes() -> str:
    """Return every outcome of an operation, with the sentence that a refusal says."""
    rows = [
        (
            str(outcome.value),
            f"`{outcome.name}`",
            str(outcome.since),
            outcome.sentence.replace("{", "*").replace("}", "*"),
        )
        for outcome in Outcome
    ]
    return "\n".join(table(("number", "name", "since version", "says"), rows))


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "node/docs/reference/commands": commands,
        "node/docs/reference/formats": formats,
        "node/docs/reference/methods": methods,
        "node/docs/reference/operations": operations,
        "node/docs/reference/outcomes": outcomes,
    }
)
"""By the document that they are put into, below what it says itself."""


def _commands(path: str, command: click.Command, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=path.rpartition(" ")[2], parent=parent, max_content_width=HELP_WIDTH
    )
    context.terminal_width = HELP_WIDTH
    yield from (f"## {path}", "", "```text", command.get_help(context).rstrip(), "```", "")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from _commands(f"{path} {name}", inner, context)
