"""Commands in what is said can be pasted: they name the home that was named."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from node.cli.application import application
from node.cli.exits import Exit
from node.cli.homes import OF_A_HOME, pasteable
from tests.cli.asked import here

HOME = Path("a home")


def of_a_home(command: click.Command, name: str, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from of_a_home(inner, f"{name} {each}".strip(), context)
    elif any(each.name == "home" and each.envvar == "KHAZANA_HOME" for each in command.params):
        yield name


def test_the_commands_of_a_home_are_known() -> None:
    found = set(of_a_home(application, "", click.Context(application)))

    assert found - {"init"} == OF_A_HOME


@pytest.mark.parametrize(
    ("said", "pasted"),
    [
        ("`khazana check` says", "`khazana check --home 'a home'` says"),
        (
            "`khazana repair --to-height N` computes",
            "`khazana repair --to-height N --home 'a home'` computes",
        ),
        ("run `khazana index rebuild`.", "run `khazana index rebuild --home 'a home'`."),
        ("`khazana check --home other`", "`khazana check --home other`"),
        ("`khazana status`, `khazana config`", "`khazana status`, `khazana config`"),
        ("`khazana checkers` and khazana check", "`khazana checkers` and khazana check"),
    ],
)
def test_a_command_of_a_home_names_it_where_it_stands_in_backquotes(said: str, pasted: str) -> None:
    assert pasteable(said, HOME) == pasted
    assert pasteable(said) == said


def test_an_error_names_the_home_that_the_command_was_given_and_no_other(tmp_path: Path) -> None:
    home = tmp_path / "no home"

    given = here("start", "--home", home)
    by_variable = here("start", variables={"KHAZANA_HOME": str(home)})
    machine = here("start", "--home", home, "--json")

    assert given.code == by_variable.code == Exit.CONFIGURATION
    assert f"`khazana config check --home '{home}'`" in given.err
    assert "`khazana config check`" in by_variable.err
    assert f"`khazana config check --home '{home}'`" in machine.err
