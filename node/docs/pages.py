"""The pages that the code writes: every command, method, operation and outcome.

Each returns Markdown of a whole page but its title. They are made when the documentation is built,
so that they cannot differ from what is built.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import click

from node.cli.application import application
from node.cli.tx.describing import describe
from node.ledger.catalogue import ACTS
from node.ledger.outcomes import Outcome
from node.rpc.document import render

HELP_WIDTH: Final = 96


def commands() -> str:
    """Return every command with its help, as a terminal shows it."""
    return "\n".join(_commands("khazana", application, None))


def methods() -> str:
    """Return every method of the interface, with its parameters, errors and result."""
    document = json.loads(render())
    return "\n".join(line for entry in document["methods"] for line in _method(entry, document))


def operations() -> str:
    """Return every operation, with how each of its fields is written in JSON."""
    lines = []
    for act in ACTS:
        lines += [f"## {act.name}", "", "| field | written as | |", "|---|---|---|"]
        for field in describe(act.operation):
            cells = (f"`{field.path}`", field.written, field.means)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def outcomes() -> str:
    """Return every outcome of an operation, with the sentence that a refusal says."""
    rows = ["| number | name | since version | says |", "|---|---|---|---|"]
    for outcome in Outcome:
        sentence = outcome.sentence.replace("|", "\\|").replace("{", "*").replace("}", "*")
        rows.append(f"| {outcome.value} | `{outcome.name}` | {outcome.since} | {sentence} |")
    return "\n".join(rows)


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "node/docs/reference/commands": commands,
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


def _method(entry: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {entry['name']}", "", entry["summary"], "")
    if "description" in entry:
        yield from (entry["description"], "")
    yield f"Scope: `{entry['x-scope']}`." + (
        " Over the WebSocket only." if "x-transport" in entry else ""
    )
    yield ""
    if entry["params"]:
        yield from ("| parameter | type | |", "|---|---|---|")
        for param in entry["params"]:
            needed = "" if param["required"] else "optional. "
            said = _cell(needed + param.get("description", ""))
            yield f"| `{param['name']}` | {_cell(_type(param['schema']))} | {said} |"
        yield ""
    result = _type(entry["result"]["schema"])
    yield from (f"Answers {result}.", "")
    errors = document["components"]["errors"]
    codes = sorted(
        {errors[error["$ref"].rpartition("/")[2]]["code"] for error in entry["errors"]},
        reverse=True,
    )
    yield from (f"Errors: {', '.join(str(code) for code in codes)}.", "")


def _type(schema: Mapping[str, Any]) -> str:
    """Return a schema in few words."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "at most"),
            ("pattern", "as"),
        )
        if key in schema
    ]
    return " ".join([kind, *bounds])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
