"""The load of the overload benchmark: what it sends, to whom, and what it makes of the answers."""

import asyncio
from typing import Any

import pytest

from tests.bench.flood import AT_ONCE_MAX, LIST, Flood, Sent, refusing, requests_of
from tests.bench.overload import holds
from tests.rpc.solo import solo_node

STOCK = [(number.to_bytes(32), bytes(10)) for number in range(200 * LIST)]
HELD = {"state_roots_equal": True, "conserved": True, "holdings_exact": True, "told_twice": 0}


async def flooded(
    urls: list[str], *, lists_per_s: int, seconds: float, stock: Any = STOCK, **settings: Any
) -> Sent:
    settings = {"refuser": None, "factor": 1, "obeys": False} | settings
    flood = Flood(urls, stock, **settings)
    await flood.run(lists_per_s * LIST, seconds)
    return flood.sent


def test_a_request_holds_a_list_and_its_ids() -> None:
    first, *rest = requests_of(STOCK[: 3 * LIST])

    assert len(rest) == 2
    assert list(first.ids) == [identifier for identifier, _ in STOCK[:LIST]]
    head, _, body = first.data.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head


async def test_what_a_node_takes_is_noted_by_the_moment_it_was_sent() -> None:
    async with solo_node() as solo:
        raws = [solo.town.transfer("a0", "a1", 1 + number) for number in range(4 * LIST)]
        stock = [(number.to_bytes(32), raw) for number, raw in enumerate(raws)]
        sent = await flooded([solo.url], lists_per_s=100, seconds=0.04, stock=stock)

        assert sent.answers == {"pending": 4 * LIST}
        assert sent.offered == 4 * LIST
        assert sent.taken.keys() == {identifier for identifier, _ in stock}
        assert len(set(sent.taken.values())) == 4
        assert len(solo.town.pool) == 4 * LIST


async def test_what_is_refused_is_offered_again() -> None:
    async with refusing() as url:
        stock, seconds = STOCK[: 10 * LIST], 0.3
        sent = await flooded([url], lists_per_s=1_000, seconds=seconds, stock=stock)
        while sent.offered <= 10 * LIST:  # answers come late on a machine that others load
            seconds *= 3
            sent = await flooded([url], lists_per_s=1_000, seconds=seconds, stock=stock)

    assert sent.taken == {}
    assert sent.offered == sent.answers["http-429"] > 10 * LIST
    assert set(sent.retry_after_ms) == {400}


async def test_who_obeys_offers_nothing_before_he_was_told_to_come_back() -> None:
    loop = asyncio.get_running_loop()
    async with refusing() as url:
        began_s = loop.time()
        sent = await flooded([url], lists_per_s=1_000, seconds=0.3, obeys=True)
        times = 1 + int((loop.time() - began_s) / 0.4)  # once, where nobody holds this up

    assert AT_ONCE_MAX * LIST <= sent.offered <= times * AT_ONCE_MAX * LIST
    assert sent.offered // LIST + sent.unsent == 300


async def test_all_but_every_so_many_th_goes_to_the_refuser() -> None:
    async with refusing() as node, refusing() as refuser:
        sent = await flooded([node], lists_per_s=500, seconds=0.2, refuser=refuser, factor=10)

    assert sent.offered == 10 * LIST
    assert sent.elsewhere + sent.unsent == 90


async def test_a_node_that_hangs_up_ends_no_flood() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sent = await flooded([f"http://127.0.0.1:{port}"], lists_per_s=1_000, seconds=0.2)

    assert sent.taken == {}
    assert sent.unsent * LIST + sent.answers["lost"] == 200 * LIST


@pytest.mark.parametrize(
    "broken",
    [
        {"state_roots_equal": False},
        {"conserved": False},
        {"holdings_exact": False},
        {"told_twice": 1},
        {"taken_and_not_final": 1},
    ],
)
def test_a_check_that_did_not_hold_is_told_by_the_exit_code(broken: dict[str, Any]) -> None:
    held = HELD | {"taken_and_not_final": 0}

    assert holds(held)
    assert not holds(held | broken)
