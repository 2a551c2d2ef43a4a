"""Markdown of the pages that the code writes."""

import re
from collections.abc import Iterator, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, without its last column where that says nothing."""
    width = len(head) if any(row[-1] for row in rows) else len(head) - 1
    yield "| " + " | ".join(head[:width]) + " |"
    yield "|" + "---|" * width
    for row in rows:
        yield "| " + " | ".join(cell(text) for text in row[:width]) + " |"
    yield ""


def cell(text: str) -> str:
    """Return a text as it may stand in a table: in one line."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()
