"""The blocks of commands in a page, as a shell would be given them."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOW_TOS: Final = tuple(sorted((ROOT / "node" / "docs" / "howto").glob("*.md")))
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str = "bash") -> list[str]:
    """Return the blocks of a page in this language, in order."""
    return [text for kind, text in _BLOCK.findall(page.read_text()) if kind == language]


def section(page: Path, title: str) -> str:
    """Return the text of a section, up to the next of its rank."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]


def session(page: Path) -> str:
    """Return all that a page has one type, its Python saved as the line before it says."""
    text = page.read_text()
    lines = []
    for found in _BLOCK.finditer(text):
        if found[1] == "bash":
            lines.append(found[2])
        elif found[1] == "python":
            named = re.findall(r"^Save this as `([\w.]+)`:$", text[: found.start()], re.MULTILINE)
            lines.append(f"cat > {named[-1]} <<'PROGRAM'\n{found[2]}PROGRAM\n")
    return "".join(lines)
