"""The blocks of commands in the documentation's pages, as a shell would be given them.

What a reader may type stands in a block marked `bash`, and a test types it (`test_commands.py`).
Other blocks that hold commands, because they want another machine, another user or an hour, say in
`test_blocks.py` what runs them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "node" / "docs"
FIRST_PAGE: Final = ROOT / "README.md"
TUTORIAL: Final = DOCS / "tutorial.md"
HOW_TOS: Final = tuple(sorted((DOCS / "howto").glob("*.md")))
ROOMS: Final = tuple(
    ROOT / place / "README.md"
    for place in ("configs", "docker", "node/access", "node/index", "node/rpc")
)
"""Of the rooms' pages, those with blocks to type: on the network of the first transfer."""
TYPED: Final = (TUTORIAL, *HOW_TOS, *ROOMS)

_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED: Final = re.compile(r"(?:^    .+\n)+", re.MULTILINE)
_SHELLS: Final = frozenset({"bash", "console", "sh", "shell", "zsh"})
_COMMAND: Final = re.compile(
    r"(?:[$#>] +|>>> |[A-Z_]+=\S* +|sudo )*"
    r"(?:[\w./~-]*/)?(?:apt-get|cat|cd|chown|cp|curl|docker|docker-compose|export|git|install|khazana"
    r"|make|mkdir|nats|openssl|pip|psql|python3?|rm|systemctl|useradd|uv)(?= [^=]|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of a page."""

    language: str
    """As it is marked; empty: not at all."""
    text: str

    @property
    def first(self) -> str:
        """The first line, without what explains it."""
        return self.text.strip().splitlines()[0].split("  #")[0].strip()

    @property
    def commands(self) -> bool:
        """Whether somebody would take it for something to type."""
        lines = (line.strip() for line in self.text.splitlines())
        return self.language in _SHELLS or (
            self.language == "" and any(_is_command(line) for line in lines)
        )


def _is_command(line: str) -> bool:
    return line.startswith(">>> ") or _COMMAND.match(line) is not None


def all_blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, then the indented ones."""
    text = page.read_text()
    for language, inner in _BLOCK.findall(text):
        yield Block(language=language, text=inner)
    for inner in _INDENTED.findall(_BLOCK.sub("", text)):
        yield Block(language="", text=inner)


def section(page: Path, title: str) -> str:
    """Return the text of a section, up to the next of its rank."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]


def lines_of(text: str) -> list[str]:
    """Return the commands in a section of the first page, one a line, without explanations."""
    return [
        line.split(" #")[0].rstrip()
        for inner in (inner for _, inner in _BLOCK.findall(text))
        for line in inner.splitlines()
        if _is_command(line)
    ]


def session(page: Path) -> str:
    """Return all that a page has one type, its Python saved as the line before it says."""
    text = page.read_text()
    lines = []
    for found in _BLOCK.finditer(text):
        if found[1] == "bash":
            lines.append(found[2])
        elif found[1] == "python":
            named = re.findall(r"^Save this as `([\w.]+)`:$", text[: found.start()], re.MULTILINE)
            if named:
                lines.append(f"cat > {named[-1]} <<'PROGRAM'\n{found[2]}PROGRAM\n")
    return "".join(lines)
