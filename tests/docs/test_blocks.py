"""Every block of commands in the documentation is typed by a test, as it stands.

A page that is new, or a block in a page, fails here until one types it: in the session of a page
(`test_commands.py`), or by a test that asks for the block, or each of its lines, by name.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import (
    DOCS,
    OTHERS,
    PROMPTS,
    ROOT,
    SHELLS,
    TYPED,
    Block,
    all_blocks,
    block,
    claims,
    commands_in,
    line,
    session,
    unclaimed,
)


def pages() -> Iterator[Path]:
    """Yield every page of the documentation, and whatever else of ours is Markdown."""
    for page in sorted(ROOT.glob("**/*.md")):
        if not any(part.startswith(".") for part in page.relative_to(ROOT).parts):
            yield page


def test_every_block_of_commands_is_typed() -> None:
    untyped = [
        (str(page.relative_to(ROOT)), command)
        for page in pages()
        for each in all_blocks(page)
        if each.commands and not (page in TYPED and each.language == "bash")
        for command in unclaimed(str(page.relative_to(ROOT)), each.text)
    ]

    assert untyped == [], "have a test type it: tests.docs.blocks, `block` and `line`"


def test_every_block_says_what_it_is_in() -> None:
    """So that what is for typing is known by its mark, and not by what it looks like."""
    for page in pages():
        for each in all_blocks(page):
            assert each.language in SHELLS | PROMPTS | OTHERS, (page, each.language, each.first)
            assert each.commands is (each.language in SHELLS | PROMPTS), (page, each.first)


def test_no_page_hides_a_block_from_these_tests() -> None:
    for page in pages():
        fences = [
            each for each in page.read_text().splitlines() if each.lstrip(" >*-").startswith("```")
        ]
        assert len(fences) == 2 * len([*all_blocks(page)]), page
        assert "<pre" not in page.read_text(), page


def test_what_tests_ask_for_is_on_the_pages() -> None:
    """A test that is skipped here, for want of an engine, would not say so."""
    assert len(claims()) > 20
    for kind, page, begins in claims():
        assert {"block": block, "line": line}[kind](page, begins).startswith(begins)


def test_every_page_that_is_typed_is_there_and_has_something_to_type() -> None:
    for page in TYPED:
        assert session(page), page
    assert {page for page in pages() if DOCS in page.parents and "bash" in languages(page)} <= set(
        TYPED
    )


def languages(page: Path) -> set[str]:
    return {each.language for each in all_blocks(page)}


def test_a_command_goes_on_where_its_line_does_and_is_given_without_explanations() -> None:
    block = "one --a \\\n  --b   # why\n\n# a remark\ntwo 'a#b'\n"

    assert commands_in(block) == ["one --a \\\n  --b", "two 'a#b'"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("khazana status\n", True),
        ("$ khazana status\n", True),
        (".venv/bin/python -m pytest tests\n", True),
        ("KHAZANA_IMAGE=new docker compose up\n", True),
        ("sudo systemctl restart khazana\n", True),
        ("height   64\nkhazana = 1\n", False),
        ("[index]\ndatabase = 'sqlite'\n", False),
        ("catalogue of assets\n", False),
    ],
)
def test_a_block_without_a_mark_is_known_by_what_it_begins_with(
    text: str, *, expected: bool
) -> None:
    assert Block(language="text", text=text).commands is expected
    assert Block(language="bash", text=text).commands
    assert not Block(language="python", text=text).commands


@pytest.mark.parametrize(
    "fenced",
    [
        "```bash\nkhazana status\n```\n",
        "1. first\n   ```bash\n   khazana status\n   ```\n",
        "~~~~ bash\nkhazana status\n~~~~\n",
        "```{code-block} bash\nkhazana status\n```\n",
        "text\n\n    khazana status\n",
    ],
)
def test_a_block_is_found_however_it_is_fenced(fenced: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(fenced)

    (found,) = all_blocks(tmp_path / "page.md")

    assert found.text.strip() == "khazana status"
    assert found.commands
