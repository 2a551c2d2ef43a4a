"""No page names a command, an option, a module, a file or a target that is not there.

Blocks that a test types are typed; these checks reach the rest: what stands in a line of text, or
needs a machine that nobody has at hand.
"""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from node.cli.application import application
from tests.docs.blocks import ROOT

PAGES = tuple(
    sorted(
        page
        for page in ROOT.glob("**/*.md")
        if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
    )
)
SOURCES = tuple(
    f"/{path.relative_to(ROOT)}"
    for room in ("consensus", "node", "tests")
    for path in (ROOT / room).rglob("*.py")
)
_COMMAND = re.compile(r"(?<![\w/.:-])(?:\.venv/bin/|/opt/khazana/bin/)?khazana(?: [^`\n]*)?")
_MODULE = re.compile(r"python3? -m ((?:tests|node)[\w.]*)")
_TARGET = re.compile(r"(?:^|`)make ([a-z][\w-]*)", re.MULTILINE)
_FILE = re.compile(r"`([\w/-]+\.py)`")
_LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")
_READERS_OWN = {"swap.py"}
"""Files that a page has its reader write."""


def commands_of(page: Path) -> Iterator[str]:
    """Yield what a page says to type that begins with `khazana`: in blocks, and in a line."""
    text = page.read_text().replace("\\\n", " ")
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^    .+\n)+", text, re.MULTILINE)
    for block in (*fenced, *indented):
        for line in block.splitlines():
            for piece in re.split(r"\$\(|\||;|&&|<<", line.strip().removeprefix("$ ")):
                if (found := _COMMAND.match(piece.strip())) is not None:
                    yield found[0].split(" #")[0].rstrip(') "')
    outside = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`([^`]+)`", outside):
        if _COMMAND.match(span) is not None:
            yield " ".join(span.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_names_are_there_with_their_options(page: Path) -> None:
    for line in commands_of(page):
        fault = fault_of(line)
        assert fault is None, f"{line}: {fault}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_and_targets_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    for module in _MODULE.findall(text):
        found = importlib.util.find_spec(module.rstrip("."))
        assert found is not None, module
    assert set(_TARGET.findall(text)) <= targets | {"it", "up", "sure"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A table of a room says `gate.py`; a page elsewhere as much of the path as it takes."""
    text = page.read_text()

    for name in set(_FILE.findall(text)) - _READERS_OWN:
        assert any(source.endswith(f"/{name}") for source in SOURCES), name
    for target in _LINK.findall(text):
        assert (page.parent / target).exists(), target


def test_commands_send_operators_to_the_runbooks() -> None:
    """The room's own page has only the reasons, and none of the steps."""
    texts = {
        str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "node/cli").rglob("*.py")
    }

    assert [name for name, text in texts.items() if "node/replica/README.md" in text] == []
    assert len([name for name, text in texts.items() if "node/replica/RUNBOOKS.md" in text]) >= 4
    assert (ROOT / "node/replica/RUNBOOKS.md").exists()


def test_what_is_not_there_is_found() -> None:
    assert fault_of("khazana tx transfer --account A --to B --asset PKR --amount 1") is None
    assert fault_of("khazana tx transfr") == "no command transfr"
    assert fault_of("khazana tx transfer --sum 1") == "no option --sum"
    assert fault_of("khazana status --url") is None, "a page may speak of an option"
    assert sum(len([*commands_of(page)]) for page in PAGES) > 200


def fault_of(line: str) -> str | None:
    """Return what is wrong with a command line; what is only left out is not."""
    try:
        words = shlex.split(line)[1:]
    except ValueError:
        words = line.split()[1:]
    command: click.Command = application
    context = click.Context(command, info_name="khazana")
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(words)
        if not words or not re.fullmatch(r"[a-z][a-z-]*", words[0]):
            return None
        inner = command.get_command(context, words[0])
        if inner is None:
            return None if command.invoke_without_command else f"no command {words[0]}"
        context = click.Context(inner, parent=context, info_name=words[0], **inner.context_settings)
        command, words = inner, words[1:]
    try:
        command.make_parser(context).parse_args(words)
    except click.NoSuchOption as error:
        return f"no option {error.option_name}"
    except click.UsageError:
        return None
    return None
