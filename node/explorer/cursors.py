"""What a path and its query say, as the parameters of the interface; or why they cannot be.

A list is read in one direction, from a cursor on. The way back is in the links: each page of a list
names, as `via`, the cursors of the pages before it, the nearest last; that of the first page is
empty. So going back reads the page that was there, and no other, and needs neither script nor
memory of who looked at what.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from node.explorer.limits import QUERY_MAX, ROWS_MAX, TRAIL_MAX
from node.explorer.refusals import PageRefusal
from node.explorer.showing import cut
from node.rpc import params

ParamsT = TypeVar("ParamsT", bound=params.Params)

TRAIL: Final = "via"
"""Under which name a query has the way back."""
_STEP: Final = "~"
"""Between two cursors: in none of them."""
_TRAIL: Final = re.compile(r"[A-Za-z0-9._*/~-]*")


def parse_trail(text: str | None) -> list[str] | None:
    """Return the cursors of the pages before, the nearest last; None: the way is not known."""
    if text is None or len(text) > TRAIL_MAX or not _TRAIL.fullmatch(text):
        return None
    return text.split(_STEP)


def render_trail(cursors: list[str]) -> str:
    """Return as much of the way back as a link has room for, its nearest end."""
    trail = _STEP.join(cursors)
    while len(trail) > TRAIL_MAX:
        trail = trail.partition(_STEP)[2]
    return trail


def parse_number(query: Mapping[str, str], name: str, *, highest: int) -> int:
    """Return a number that the query gives, 0 by default.

    Raises:
        PageRefusal: it is none, or above the highest.
    """
    text = query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= highest):
        raise PageRefusal(400, found=text, expected="expected-cursor")
    return int(text)


def page_params(
    query: Mapping[str, str], cursor: str, kind: type[ParamsT], **members: Any
) -> ParamsT:
    """Return the parameters of a page of a list: after what the query's cursor names.

    Raises:
        PageRefusal: it names nothing that could be in the list.
    """
    after = query.get(cursor)
    return convert(
        {"after": after, "limit": ROWS_MAX, **members}, kind, after or "", "expected-cursor"
    )


def convert(members: Mapping[str, Any], kind: type[ParamsT], found: str, expected: str) -> ParamsT:
    """Return parameters of a method, of what a path or query says.

    Args:
        found: what was said.
        expected: the key of the text that says what should have been.

    Raises:
        PageRefusal: they are none.
    """
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError:
        raise PageRefusal(400, found=cut(found, QUERY_MAX), expected=expected) from None
