"""The newest rows of `history`, which wait in buckets until many go to where they belong at once.

A million accounts are a million places of `history`, and a row of its own costs each time a page
that is read and written. Waiting, a row stands with others of its bucket, by the first byte of the
account, in the order in which they came: a block adds to the ends of few pages. Where more wait
than may, the fullest bucket goes to `history` in the order of its keys, several rows to a page.
All rows that wait go by transactions of the writer: each is in one place, and none in two.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, or_, select

from node.index.database import Session
from node.index.projection import HistoryRow
from node.index.schema import BUCKETS, HISTORY, RECENT

RECENT_MAX: Final = 500_000
"""Rows that wait, of all buckets: some 30 MB of disk. The more, the fewer pages are written."""
BUCKET_ROWS_MAX: Final = 8_192
"""Rows that wait in one bucket: a question goes through those of one, within a millisecond."""

READ_BUCKETS: Final = select(BUCKETS)
RECENT_OF: Final = (
    select(RECENT.c.height, RECENT.c.item)
    .where(
        RECENT.c.bucket == bindparam("bucket"),
        RECENT.c.account == bindparam("account"),
        RECENT.c.height <= bindparam("height"),
        or_(RECENT.c.height < bindparam("height"), RECENT.c.item < bindparam("item")),
    )
    .order_by(RECENT.c.height.desc(), RECENT.c.item.desc())
    .limit(bindparam("count"))
)


def bucket_of(account: bytes) -> int:
    """Return in which of the 256 buckets the rows of an account wait. Accounts are hashes."""
    return account[0]


async def add_history(session: Session, rows: Sequence[HistoryRow]) -> None:
    """Let rows wait, and put what is too many into `history`."""
    await session.add(
        RECENT,
        sorted((bucket_of(account), height, item, account) for account, height, item in rows),
    )
    counts: Counter[int] = Counter(dict(await session.select(READ_BUCKETS, {})))
    added = Counter(bucket_of(account) for account, _, _ in rows)
    counts.update(added)
    changed = set(added)
    waiting = counts.total()
    while counts:
        ((fullest, count),) = counts.most_common(1)
        if waiting <= RECENT_MAX and count <= BUCKET_ROWS_MAX:
            break
        await _put_away(session, fullest)
        counts[fullest] = 0
        changed.add(fullest)
        waiting -= count
    await session.put(BUCKETS, [(bucket, counts[bucket]) for bucket in sorted(changed)])


async def _put_away(session: Session, bucket: int) -> None:
    rows = await session.take(RECENT, bucket)
    await session.add(HISTORY, sorted((account, height, item) for _, height, item, account in rows))
