"""The tree of commands: quick, documented, and honest about how it ends."""

import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from node.cli.application import LazyGroup, application, main
from node.cli.exits import EXIT_MEANINGS, Exit
from node.cli.output import fit
from tests.cli.asked import here
from tests.cli.running import khazana

README = Path(__file__).resolve().parents[2] / "node/cli/README.md"


def commands(group: LazyGroup, path: str = "khazana") -> Iterator[tuple[str, click.Command, str]]:
    """Every command under the group: its path, itself, and what its group's list says of it."""
    for name, place in group.places.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{path} {name}", command, place.help
        if isinstance(command, LazyGroup):
            yield from commands(command, f"{path} {name}")


assert isinstance(application, LazyGroup)
COMMANDS = [pytest.param(*entry, id=entry[0]) for entry in commands(application)]
HEAVY = ("aiohttp", "plyvel", "prometheus_client", "pydantic", "rich")
KEYS = ("cryptography", "nacl")
ROOMS = (
    *("node.app", "node.chain", "node.client", "node.config", "node.genesis", "node.replica"),
    *("node.provision.founding", "node.rpc.server"),
)
"""What only commands need that ask a node, or are one."""
WITHOUT_A_NODE = (
    "completion bash",
    "devnet down --dir none",
    "devnet status --dir none",
    "explain SIGNATURES_MISSING",
    "explain no-such-code",
    "keys development account-0",
    "quote bill --face 1000000 --days 91 --year 365 --price 97.1230",
    "tx operations transfer",
    "tx send none.json",
)
_WALK = """
def walk(group):
    for name in group.places:
        command = group.get_command(click.Context(group), name)
        if hasattr(command, "places"):
            walk(command)
walk(application)
"""


def imported(code: str) -> set[str]:
    """Return what an interpreter has imported that ran this."""
    code = (
        "import contextlib, io, sys\nimport click\nfrom node.cli import main\n"
        "from node.cli.application import application\n"
        f"with contextlib.redirect_stdout(io.StringIO()):\n{textwrap.indent(code, '    ')}\n"
        "print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def ending(words: Sequence[str]) -> str:
    return f"try: main({list(words)!r})\nexcept SystemExit as ended: pass\n"


def test_help_imports_nothing_heavy() -> None:
    """What makes help answer at once: a time would flake, the list of modules does not."""
    found = imported(ending(["--help"]))

    assert "node.cli.application" in found
    assert found & {*HEAVY, *KEYS, *ROOMS, "asyncio", "msgspec"} == set()


def test_help_of_every_command_imports_nothing_heavy() -> None:
    found = imported(_WALK)

    assert "node.cli.tx.transfer" in found
    assert found & {*HEAVY, *KEYS, *ROOMS} == set()


def test_commands_that_need_no_node_import_none_also_where_they_fail() -> None:
    found = imported("".join(ending(line.split()) for line in WITHOUT_A_NODE))

    assert {"node.cli.quote.bill", "node.cli.failures", "node.provision.local"} <= found
    assert found & {*HEAVY, *ROOMS} == set()


def test_help_lists_every_command_and_the_exit_codes() -> None:
    ran = khazana("--help")

    assert ran.code == Exit.OK
    assert all(f"  {name} " in ran.out for name in application.places)
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_where_an_encoding_lacks_letters_they_are_escapes_and_drawings_are_drawn(
    encoding: str,
) -> None:
    said = {"memo": "کرایہ café \U0001f3e6 ▁█…"}
    written = {}
    for as_json in (True, False):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        fit(stream, as_json=as_json)
        stream.write(json.dumps(said, ensure_ascii=False) if as_json else said["memo"])
        stream.flush()
        written[as_json] = stream.buffer.getvalue().decode(encoding)

    assert json.loads(written[True]) == said
    assert written[False].startswith("\\u06a9\\u0631")
    assert written[False].endswith("\\ud83c\\udfe6 18~")


def test_every_command_is_fit_for_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(SystemExit):
        main(["--version"])

    stream.write("ک")
    stream.flush()


@pytest.mark.parametrize(("path", "command", "line"), COMMANDS)
def test_command_has_help_and_an_example(path: str, command: click.Command, line: str) -> None:
    text = command.help or ""

    assert text
    assert line.endswith(".")
    if not isinstance(command, LazyGroup):
        assert f"  {path} " in text + " " or f"  {path}\n" in text + "\n", "no example of itself"
        assert any("--json" in option.opts for option in command.params)
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


@pytest.mark.parametrize("path", [entry[0] for entry in commands(application)])
def test_command_is_in_the_readme(path: str) -> None:
    assert f"`{path}" in README.read_text()


def test_readme_documents_every_exit_code() -> None:
    text = README.read_text()

    assert set(EXIT_MEANINGS) == set(Exit)
    for code, meaning in EXIT_MEANINGS.items():
        assert f"| {code.value} | {meaning} |" in text


def test_mistyped_command_is_answered_with_the_likely_one() -> None:
    ran = here("statsu")

    assert ran.code == Exit.USAGE
    assert "Did you mean status?" in ran.err


def test_unknown_option_is_a_usage_error() -> None:
    assert here("status", "--nope").code == Exit.USAGE


def test_both_names_are_one_program() -> None:
    ran = khazana("--version")

    assert ran.code == Exit.OK
    assert ran.out.startswith("khazana, version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_the_shell(shell: str) -> None:
    ran = here("completion", shell)

    assert ran.code == Exit.OK
    assert "_KHAZANA_COMPLETE" in ran.out


def test_completion_knows_the_commands() -> None:
    ran = khazana(
        variables={
            "_KHAZANA_COMPLETE": "bash_complete",
            "COMP_WORDS": "khazana de",
            "COMP_CWORD": "1",
        }
    )

    assert "devnet" in ran.out
    assert "demo" in ran.out
