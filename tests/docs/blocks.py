"""The blocks of commands in the documentation's pages, as a shell would be given them.

Every block says what it is in: `bash` and `pycon` are for typing, and a test types them as they
stand. Those of a page in `TYPED` are one session, on the network of the first transfer
(`test_commands.py`). What wants another place (an engine, a terminal, a machine of its own) is
asked for by its page and its beginning, with `block` or `line`, where a test types it; `claims`
finds those tests, so that a page with a block that nobody types fails (`test_blocks.py`).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "node" / "docs"
FIRST_PAGE: Final = ROOT / "README.md"
TUTORIAL: Final = DOCS / "tutorial.md"
HOW_TOS: Final = tuple(sorted((DOCS / "howto").glob("*.md")))
ROOMS: Final = tuple(
    ROOT / place / "README.md" for place in ("configs", "node/access", "node/index", "node/rpc")
)
"""Of the rooms' pages, those with a session to type: on the network of the first transfer."""
TYPED: Final = (TUTORIAL, *HOW_TOS, *ROOMS)

SHELLS: Final = frozenset({"bash", "console", "sh", "shell", "shell-session", "zsh"})
PROMPTS: Final = frozenset({"pycon"})
"""Python with its prompt, and what it answers."""
OTHERS: Final = frozenset({"eval-rst", "json", "nginx", "python", "sql", "text", "toml", "toctree"})
"""What nobody takes for something to type."""
_FENCE: Final = re.compile(r"^ *(`{3,}|~{3,}) *\{?([\w-]*)\}?(?: +([\w-]+))?.*$")
_COMMAND: Final = re.compile(
    r"(?:[$#>] +|>>> |[A-Z_]+=\S* +|sudo )*"
    r"(?:[\w./~-]*/)?(?:apt-get|cat|cd|chown|cp|curl|docker|docker-compose|export|git|install|khazana"
    r"|make|mkdir|nats|openssl|pip|psql|python3?|rm|systemctl|useradd|uv)(?= [^=]|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of a page."""

    language: str
    """As it is marked; empty: not at all, as what is only indented."""
    text: str
    lead: str = ""
    """The last line before it that is not empty."""

    @property
    def first(self) -> str:
        """The first line, without what explains it."""
        return without_words(self.text.strip().splitlines()[0]) if self.text.strip() else ""

    @property
    def commands(self) -> bool:
        """Whether it is marked as something to type, or somebody would take it for that."""
        return self.language in SHELLS | PROMPTS or any(
            is_command(line.strip()) for line in self.text.splitlines() if self.language != "python"
        )


def is_command(line: str) -> bool:
    """Say whether somebody would take a line for something to type."""
    return line.startswith(">>> ") or _COMMAND.match(line) is not None


def without_words(line: str) -> str:
    """Return a line without what explains it."""
    return re.split(r"(?:^|\s)# ", line)[0].strip()


def all_blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in their order: fenced in whatever way, or indented by four."""
    lines = page.read_text().splitlines()
    number, lead = 0, ""
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is not None:
            ends, inner = re.compile(rf"^ *{fence[1]}{fence[1][0]}*$"), []
            number += 1
            while ends.match(lines[number]) is None:
                inner.append(lines[number])
                number += 1
            marked = fence[3] if fence[2].startswith("code") and fence[3] else fence[2]
            yield Block(language=marked, text=_whole(inner), lead=lead)
        elif lines[number].startswith(("    ", "\t")):
            inner = []
            while number < len(lines) and lines[number].startswith(("    ", "\t")):
                inner.append(lines[number])
                number += 1
            yield Block(language="", text=_whole(inner), lead=lead)
            continue
        else:
            lead = lines[number].strip() or lead
        number += 1


def _whole(lines: list[str]) -> str:
    return "".join(f"{each}\n" for each in lines)


def block(page: str, begins: str) -> str:
    """Return the one block to type of a page, from the root, whose text begins so."""
    found = [
        each.text
        for each in all_blocks(ROOT / page)
        if each.commands and each.text.startswith(begins)
    ]
    assert len(found) == 1, f"{page} has {len(found)} blocks that begin with {begins!r}"
    return found[0]


def text(page: str, begins: str) -> str:
    """Return the one block of a page that is to be read and begins so: what a command prints."""
    found = [
        each.text
        for each in all_blocks(ROOT / page)
        if not each.commands and each.text.startswith(begins)
    ]
    assert len(found) == 1, f"{page} has {len(found)} blocks that begin with {begins!r}"
    return found[0]


def line(page: str, begins: str) -> str:
    """Return the one command in the blocks of a page that begins so, without explanations.

    For a block of which a reader types one line now and one later.
    """
    found = [
        each
        for of_page in all_blocks(ROOT / page)
        if of_page.commands
        for each in commands_in(of_page.text)
        if each.startswith(begins)
    ]
    assert len(found) == 1, f"{page} has {len(found)} lines that begin with {begins!r}"
    return found[0]


def commands_in(text: str) -> list[str]:
    """Return the commands of a block, one by one, each with the lines that it goes on in."""
    return [
        without_words(each) for each in re.findall(r"(?:.*\\\n)*.*\n", text) if without_words(each)
    ]


@cache
def claims() -> tuple[tuple[str, str, str], ...]:
    """Return what tests ask for by name: `block` or `line`, the page, and the beginning."""
    found = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        source = file.read_text()
        if "tests.docs.blocks" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                values = [each.value for each in node.args if isinstance(each, ast.Constant)]
                if node.func.id in {"block", "line"} and len(values) == len(node.args) == 2:
                    found.append((node.func.id, str(values[0]), str(values[1])))
    return tuple(found)


def unclaimed(page: str, text: str) -> list[str]:
    """Return the commands of a block for which no test asks by name, whole or one by one."""
    of_page = [(kind, begins) for kind, where, begins in claims() if where == page]
    if any(kind == "block" and text.startswith(begins) for kind, begins in of_page):
        return []
    asked = tuple(begins for kind, begins in of_page if kind == "line")
    return [each for each in commands_in(text) if not each.startswith(asked)]


def section(page: Path, title: str) -> str:
    """Return the text of a section, up to the next of its rank."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found is not None, f"{page} has no section {title!r}"
    return found[1]


def lines_of(text: str) -> list[str]:
    """Return the commands in a section of the first page, one a line, without explanations."""
    return [
        each
        for inner in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for each in commands_in(inner)
    ]


def session(page: Path) -> str:
    """Return all that a page has one type, its Python saved as the line before it says.

    What is asked for by name is typed elsewhere.
    """
    typed = []
    for each in all_blocks(page):
        saved = re.fullmatch(r"(?:.* )?[Ss]ave this as `([\w.]+)`:", each.lead)
        if each.language == "python" and saved:
            typed.append(f"cat > {saved[1]} <<'PROGRAM'\n{each.text}PROGRAM\n")
        elif each.language == "bash" and unclaimed(str(page.relative_to(ROOT)), each.text):
            typed.append(each.text)
    return "".join(typed)
