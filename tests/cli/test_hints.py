"""Whatever a command cannot do, it says what to do next; the commands that it names are there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import node
from node.cli.application import application
from node.cli.exits import CommandError, Exit

ROOM = Path(node.__file__).parent
SOURCES = {path.relative_to(ROOM): path.read_text("utf-8") for path in ROOM.rglob("*.py")}
COMMAND = re.compile(r"`khazana ([^`]+)`")


def errors(tree: ast.AST) -> Iterator[ast.Call]:
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith("CommandError"):
            yield each


def raised() -> list[tuple[Path, ast.Call]]:
    return [
        (path, each)
        for path, source in SOURCES.items()
        if "CommandError(" in source
        for each in errors(ast.parse(source))
    ]


def has_a_hint(error: ast.Call) -> bool:
    advice = next((each.value for each in error.keywords if each.arg == "advice"), None)
    return advice is not None and not (isinstance(advice, ast.Constant) and not advice.value)


def test_every_error_of_a_command_has_a_hint_of_its_own() -> None:
    found = raised()

    assert len(found) > 200
    assert not [f"{path}:{each.lineno}" for path, each in found if not has_a_hint(each)]


@pytest.mark.parametrize(
    ("source", "has"),
    [
        ('CommandError(Exit.USAGE, "no")', False),
        ('exits.CommandError(Exit.USAGE, "no", advice="")', False),
        ('CommandError(Exit.USAGE, "no", advice="Say yes.")', True),
        ('CommandError(Exit.USAGE, "no", advice=what_next(event))', True),
    ],
)
def test_one_without_is_found(source: str, has: bool) -> None:
    (error,) = errors(ast.parse(source))

    assert has_a_hint(error) is has


def test_an_error_cannot_be_made_with_an_empty_one() -> None:
    with pytest.raises(AssertionError, match="nobody is told what to do: no"):
        CommandError(Exit.USAGE, "no", advice="")


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield each text in a source; what is filled in is the word X."""
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
        elif isinstance(each, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "X" for p in each.values)
            yield "".join(map(str, parts))


def fault_of(words: list[str]) -> str | None:
    """Return what of a command is not there; None: all of it is."""
    command: click.Command = application
    context = click.Context(application)
    while words and isinstance(command, click.Group):
        if words[0].startswith(("-", "X", "...", "…")) or words[0].isupper():
            return None  # whichever: an option of all, or a word that stands for a command
        inner = command.get_command(context, words.pop(0))
        if inner is None:
            return "no such command"
        command = inner
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    lacking = given - known - {"--help", "--X"}
    return f"no such option: {', '.join(sorted(lacking))}" if lacking else None


def test_every_command_that_is_named_is_there_with_its_options() -> None:
    named = {
        (path, found)
        for path, source in SOURCES.items()
        if "khazana" in source
        for text in texts(ast.parse(source))
        for found in COMMAND.findall(text)
    }
    faults = [(path, found, fault_of(found.split())) for path, found in named]

    assert len(named) > 200
    assert not [each for each in faults if each[2] is not None]
    assert fault_of(["indexes", "rebuild"]) == "no such command"
    assert fault_of(["index", "rebuild", "--home", "X", "--all"]) == "no such option: --all"


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    for each in command.params:
        yield from (*each.opts, *each.secondary_opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from options(inner, context)


def test_every_option_that_a_hint_names_is_one_of_some_command() -> None:
    known = {*options(application, click.Context(application)), "--help"}
    named = {
        (path, option)
        for path, error in raised()
        for keyword in error.keywords
        if keyword.arg == "advice"
        for text in texts(keyword.value)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)
    }

    assert len(named) > 50
    assert not [each for each in sorted(named) if each[1] not in known]
