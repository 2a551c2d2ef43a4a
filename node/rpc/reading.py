"""Reading the ledger's tables for an answer: one record that must be there, a page of a list."""

from collections.abc import Sequence

from node.chain import Chain
from node.ledger.state import R, Table
from node.rpc.errors import NotFound


def found(chain: Chain, table: Table[R], key: bytes, name: str) -> R:
    """Return the record under a key.

    Args:
        name: what it is, for people, where there is none.

    Raises:
        NotFound: there is none.
    """
    record = chain.record(table, key)
    if record is None:
        raise NotFound(f"there is no {name}", {"height": chain.head.height})
    return record


def page_of(
    chain: Chain, table: Table[R], after: bytes | None, limit: int, *, prefix: bytes = b""
) -> tuple[Sequence[tuple[bytes, R]], bytes | None]:
    """Return up to `limit` records under a prefix, without it, and after what the next begins.

    Keys come in their order, so a page costs what it holds wherever it lies.
    """
    start = prefix if after is None else prefix + after + b"\0"
    scanned = chain.scan(table, start, limit + 1, prefix=prefix)
    page = [(key.removeprefix(prefix), record) for key, record in scanned[:limit]]
    return page, page[-1][0] if len(scanned) > limit else None


def named_page(
    chain: Chain, table: Table[R], after: str | None, limit: int, *, prefix: bytes = b""
) -> tuple[Sequence[tuple[str, R]], str | None]:
    """Return a page of records whose keys, after the prefix, are text."""
    start = None if after is None else after.encode()
    page, following = page_of(chain, table, start, limit, prefix=prefix)
    named = [(key.decode(), record) for key, record in page]
    return named, None if following is None else following.decode()
