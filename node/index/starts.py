"""The full text of an index in PostgreSQL: for each beginning of a word a list of texts, in order.

An index of words there (GIN) says which texts have one, never which of them is the newest: who asks
for a page of what is common would wait until the whole past was put together and sorted. A list is
a range of a table, and a page of it is read from where it begins. Of several words the list of the
rarest is walked, as it looks among the newest, and the others are asked whether they have the same.
Words that are common and seldom together would be walked to the beginning of the past: a question
ends before, and says from where to go on.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg

from node.index.arrays import columns_of
from node.index.database import Row, TextPlace
from node.index.words import LISTED_MAX

WALKED_FIRST: Final = 256
"""Of each list, to see which word is the rarest, and at once of that; then twice as many."""
WALKED_AT_ONCE_MAX: Final = 4_096
WALKED_MAX: Final = 8_192
"""Of the rarest, by one question: with what is read of the others some 20 ms."""
LOOKED_UP_MAX: Final = 256
"""Places that are looked up in a list one by one; of more a stretch of the list is read instead."""
READ_FOR_EACH_MAX: Final = 2
"""Rows of a stretch for each place that is looked for in it. To read a row costs a third of what it
costs to look one up, so in a list that has more rows the places are better looked up."""

MAKE_STARTS: Final = (
    'CREATE TABLE starts (start text COLLATE "C" NOT NULL, height bigint NOT NULL,'
    " item integer NOT NULL, part integer NOT NULL, PRIMARY KEY (start, height, item, part))"
)
FILL_STARTS: Final = (
    "INSERT INTO starts SELECT DISTINCT left(word, size), height, item, part FROM texts,"
    " unnest(string_to_array(words, ' ')) AS word, generate_series(1, least(length(word),"
    f" {LISTED_MAX})) AS size ORDER BY 1, 2, 3, 4"
)
"""For an index that was made before there were lists."""
COLUMNS: Final = {"start": "text", "height": "bigint", "item": "integer", "part": "integer"}

WALK: Final = (
    "SELECT height, item, part FROM starts WHERE start = $1 AND (height, item, part) < ($2, $3, $4)"
    " ORDER BY height DESC, item DESC, part DESC LIMIT $5"
)
_WANTED: Final = (
    " JOIN unnest($1::bigint[], $2::integer[], $3::integer[]) AS wanted (height, item, part)"
    " USING (height, item, part)"
)
RANGE: Final = (
    "SELECT height, item, part FROM starts WHERE start = $1"
    " AND (height, item, part) <= ($2, $3, $4) AND (height, item, part) >= ($5, $6, $7)"
    " ORDER BY height DESC, item DESC, part DESC LIMIT $8"
)
AMONG: Final = f"SELECT height, item, part FROM starts{_WANTED} WHERE start = $4"
TEXTS_AT: Final = f"SELECT texts.* FROM texts{_WANTED}"


def starts_of(texts: Sequence[Row]) -> list[tuple[str, int, int, int]]:
    """Return in which lists the rows of `texts` stand."""
    return sorted(
        (start, height, item, part)
        for height, item, part, *_, words in texts
        for start in {
            word[:size]
            for word in words.split(" ")
            for size in range(1, min(len(word), LISTED_MAX) + 1)
        }
    )


async def find(
    connection: asyncpg.Connection, words: Sequence[str], before: TextPlace, limit: int
) -> tuple[list[Row], TextPlace | None]:
    """Return the newest rows of `texts` in which each of the words begins one.

    With them, if they are fewer than the limit and older texts were not looked through, the place
    before which to go on.
    """
    starts = list(dict.fromkeys(word[:LISTED_MAX] for word in words))
    long = [word for word in words if len(word) > LISTED_MAX]
    first = max(limit, WALKED_FIRST) if long or len(starts) > 1 else limit
    newest = [await _walk(connection, start, before, first) for start in starts]
    # The rarest has the fewest, or those that reach back the farthest.
    rarity = sorted(range(len(starts)), key=lambda each: (len(newest[each]), newest[each][-1:]))
    rarest, *others = (starts[each] for each in rarity)
    places, walked = newest[rarity[0]], first
    found: list[Row] = []
    left = WALKED_MAX
    while places:
        wanted = places
        for start in others:
            wanted = await _among(connection, start, wanted)
        if not long:
            wanted = wanted[: limit - len(found)]
        found += [row for row in await _texts(connection, wanted) if _has_words(row, long)]
        left -= len(places)
        if len(found) >= limit or len(places) < walked:
            break
        before, walked = places[-1], min(2 * walked, WALKED_AT_ONCE_MAX, left)
        if left <= 0:
            return found, before
        places = await _walk(connection, rarest, before, walked)
    return found[:limit], None


async def _walk(
    connection: asyncpg.Connection, start: str, before: TextPlace, count: int
) -> list[TextPlace]:
    return [tuple(row) for row in await connection.fetch(WALK, start, *before, count)]


async def _among(
    connection: asyncpg.Connection, start: str, places: Sequence[TextPlace]
) -> list[TextPlace]:
    """Return which of the places are in a list too. Newest first, as they are given."""
    found: set[TextPlace] = set()
    sought = places
    if len(places) > LOOKED_UP_MAX:
        count = READ_FOR_EACH_MAX * len(places)
        rows = await connection.fetch(RANGE, start, *places[0], *places[-1], count)
        found.update(map(tuple, rows))
        sought = [place for place in places if place < rows[-1]] if len(rows) == count else []
    if sought:
        found.update(map(tuple, await connection.fetch(AMONG, *columns_of(sought), start)))
    return [place for place in places if place in found]


async def _texts(connection: asyncpg.Connection, places: Sequence[TextPlace]) -> list[Row]:
    """Return the rows of these places, newest first."""
    if not places:
        return []
    rows = [tuple(row) for row in await connection.fetch(TEXTS_AT, *columns_of(places))]
    return sorted(rows, reverse=True)


def _has_words(row: Row, words: Sequence[str]) -> bool:
    return all(any(each.startswith(word) for each in row[-1].split(" ")) for word in words)
