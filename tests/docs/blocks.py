"""The blocks of commands in a page, as a shell would be given them."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str = "bash") -> list[str]:
    """Return the blocks of a page in this language, in order."""
    return [text for kind, text in _BLOCK.findall(page.read_text()) if kind == language]


def section(page: Path, title: str) -> str:
    """Return the text of a section, up to the next of its rank."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]
