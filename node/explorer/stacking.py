"""Tables that become cards on a phone: each cell on a line of its own, after its column's name.

A table whose class is `stack` is given, at each of its cells, the heading of the cell's column; the
style sheet writes it before the cell where the screen is narrow, and nowhere else. The head of a
row, and a sentence (`said`), speak for themselves. What a page shows is escaped, so that every tag
in it is a template's.
"""

import re
from typing import Final

_TABLE: Final = re.compile(r'<table class="stack">.*?</table>', re.DOTALL)
_HEADING: Final = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_CELL: Final = re.compile(r"<(td|th)\b([^>]*)>")


def stacked(html: str) -> str:
    """Return the page with the column's name at each cell of the tables that ask for it."""
    return _TABLE.sub(lambda found: _labelled(found[0]), html)


def _labelled(table: str) -> str:
    head, body = table.split("<tbody>", 1)
    names = [_TAG.sub("", name).strip() for name in _HEADING.findall(head)]
    rows = body.split("<tr>")
    return f"{head}<tbody>{'<tr>'.join([rows[0], *(_row(row, names) for row in rows[1:])])}"


def _row(row: str, names: list[str]) -> str:
    places = iter(names)

    def labelled(cell: re.Match[str]) -> str:
        name = next(places)
        if cell[1] == "th" or 'class="said"' in cell[2]:
            return cell[0]
        return f'<{cell[1]}{cell[2]} data-of="{name}">'

    return _CELL.sub(labelled, row)
