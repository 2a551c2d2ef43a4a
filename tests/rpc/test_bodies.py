"""Large bodies: what is held of all of them, and of each caller, has a bound that slowness cannot
use up."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import WSCloseCode

from node.clock import ManualClock
from node.rpc import RpcLimits
from node.rpc.bodies import COME_BACK_MS, Bodies, Body, ending
from node.rpc.errors import Limited
from tests.bench.frames import HANDSHAKE, masked
from tests.rpc.solo import Solo, solo_node

LIMITS = RpcLimits(
    body_max_bytes=400,
    body_small_bytes=100,
    bodies_max_bytes=1_000,
    bodies_per_caller_max_bytes=600,
    body_patience_ms=1_000,
)


def make_bodies(clock: ManualClock | None = None) -> Bodies:
    return Bodies(
        "requests",
        small_bytes=100,
        max_bytes=1_000,
        share_bytes=600,
        patience_ms=1_000,
        now_s=(clock or ManualClock()).monotonic,
    )


def coming(bodies: Bodies, caller: str, size: int) -> Body:
    body = bodies.of(caller)
    body.come(size)
    return body


def whole(bodies: Bodies, caller: str, size: int) -> Body:
    body = coming(bodies, caller, size)
    body.whole()
    return body


def test_small_bodies_are_not_counted_and_large_ones_whole() -> None:
    bodies = make_bodies()
    for _ in range(100):
        coming(bodies, "a", 100)
    assert bodies.held_bytes == 0

    with bodies.of("a") as body:
        body.come(100)
        assert bodies.held_bytes == 0
        body.come(101)
        assert bodies.held_bytes == 101
        body.come(300)
        body.whole()
        assert bodies.held_bytes == 300

    assert bodies.held_bytes == 0


def test_caller_has_a_share_and_is_told_when_to_come_back() -> None:
    bodies = make_bodies()
    kept = whole(bodies, "a", 400)
    coming(bodies, "a", 200)

    with pytest.raises(Limited, match="of yours are under way") as refused:
        coming(bodies, "a", 101)

    assert refused.value.retry_after_ms == COME_BACK_MS
    coming(bodies, "b", 400)
    kept.leave()
    coming(bodies, "a", 101)


def test_body_that_is_refused_holds_nothing_more() -> None:
    bodies = make_bodies()
    whole(bodies, "a", 400)

    with bodies.of("a") as body:
        body.come(150)
        with pytest.raises(Limited):
            body.come(250)
        assert bodies.held_bytes == 550

    assert bodies.held_bytes == 400


def test_slowest_is_given_up_once_it_had_its_time() -> None:
    clock = ManualClock()
    bodies = make_bodies(clock)
    slow, later = coming(bodies, "a", 400), coming(bodies, "b", 400)
    with pytest.raises(Limited, match="this node holds"):
        coming(bodies, "c", 300)

    clock.advance(1_000)
    coming(bodies, "c", 300)

    assert (slow.given_up, later.given_up) == (True, False)
    assert bodies.held_bytes == 700
    slow.come(400)
    slow.leave()
    assert bodies.held_bytes == 700, "what was given up is counted no more"


async def test_body_can_be_given_up_in_the_turn_in_which_its_time_ends() -> None:
    ended = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        async with asyncio.timeout(0) as timeout:
            # After the time has ended, and before what waits hears of it.
            asyncio.get_running_loop().call_soon(lambda: ended.set_result(give_up(timeout)))
            await asyncio.Event().wait()

    def give_up(timeout: asyncio.Timeout) -> bool:
        ended_by_itself = timeout.expired()
        ending(timeout)()
        return ended_by_itself

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait(), 10)

    assert ended.done()
    assert ended.result()


def test_body_that_is_here_whole_is_not_given_up() -> None:
    clock = ManualClock()
    bodies = make_bodies(clock)
    for caller in ("a", "b"):
        whole(bodies, caller, 400)
    clock.advance(60_000)

    with pytest.raises(Limited, match="this node holds"):
        coming(bodies, "c", 300)


def test_slowest_of_all_is_not_helped_by_being_slow() -> None:
    clock = ManualClock()
    bodies = make_bodies(clock)
    slow = coming(bodies, "a", 200)
    for caller in ("b", "c"):
        whole(bodies, caller, 400)
    clock.advance(60_000)

    with pytest.raises(Limited):
        slow.come(201)


# Over HTTP.


def request(size: int, *, filled: int | None = None) -> bytes:
    """Return a call of so many bytes, or as much of it as is sent at once."""
    call = b'{"jsonrpc":"2.0","id":1,"method":"khz_mempool"'
    body = call + b" " * (size - len(call) - 1) + b"}"
    head = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % size + body[:filled]


@contextlib.asynccontextmanager
async def sending(
    solo: Solo, data: bytes, *, limit: int = 1 << 16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", solo.server.port, limit=limit)
    try:
        writer.write(data)
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


async def answered(solo: Solo, size: int) -> tuple[int, dict[str, str], bytes]:
    """Return what a whole body of this size is answered."""
    async with sending(solo, request(size)) as (reader, _):
        status = int((await reader.readline()).split()[1])
        headers: dict[str, str] = {}
        while (line := await reader.readline()) != b"\r\n":
            name, _, value = line.decode().partition(": ")
            headers[name] = value.strip()
        return status, headers, await reader.readexactly(int(headers["Content-Length"]))


async def held(solo: Solo, size: int) -> None:
    """Wait until so much is held."""
    async with asyncio.timeout(60):
        while solo.server.bodies.held_bytes != size:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.adversarial(39)
async def test_large_bodies_beyond_the_share_are_refused_with_a_time_and_small_ones_served() -> (
    None
):
    async with solo_node(settled=False, limits=LIMITS) as solo:
        half = request(400, filled=300)
        async with sending(solo, half), sending(solo, half):
            await held(solo, _body_bytes(half) * 2)

            status, headers, body = await answered(solo, 400)

            assert (status, headers["Retry-After"]) == (429, "1")
            assert json.loads(body)["error"]["code"] == -32005
            assert json.loads(body)["error"]["data"] == {"retry_after_ms": COME_BACK_MS}
            assert (await answered(solo, 100))[0] == 200
        await held(solo, 0)
        assert (await answered(solo, 400))[0] == 200


@pytest.mark.adversarial(39)
async def test_slow_sender_keeps_nobody_out() -> None:
    limits = RpcLimits(body_max_bytes=400, body_small_bytes=100, bodies_max_bytes=400)
    async with solo_node(settled=False, limits=limits) as solo:
        half = request(400, filled=300)
        async with sending(solo, half) as (reader, _):
            await held(solo, _body_bytes(half))
            assert (await answered(solo, 400))[0] == 429
            solo.town.clock.advance(limits.body_patience_ms)

            assert (await answered(solo, 400))[0] == 200

            assert b" 408 " in await reader.readline()
        await held(solo, 0)


def _body_bytes(sent: bytes) -> int:
    return len(sent.partition(b"\r\n\r\n")[2])


async def test_one_body_is_always_taken_however_large_they_may_be() -> None:
    limits = RpcLimits(
        body_max_bytes=400, body_small_bytes=1, bodies_max_bytes=1, bodies_per_caller_max_bytes=1
    )
    async with solo_node(settled=False, limits=limits) as solo:
        assert (await answered(solo, 400))[0] == 200


async def test_body_is_counted_until_its_call_is_answered() -> None:
    limits = RpcLimits(body_small_bytes=100)
    async with solo_node(limits=limits) as solo:
        raw = solo.town.transfer("a0", "a1").hex()
        call = {"jsonrpc": "2.0", "id": 1, "method": "khz_submit", "params": [raw, "final"]}
        body = json.dumps(call).encode()
        answer = asyncio.get_running_loop().create_task(solo.post(body), name="submit")
        await held(solo, len(body))
        await solo.intake.taken.wait()

        await solo.seal()

        assert (await answer)[0] == 200
        await held(solo, 0)


# On a socket.


@contextlib.asynccontextmanager
async def socket(solo: Solo) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with sending(solo, HANDSHAKE % b"127.0.0.1") as (reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer


def message(size: int) -> bytes:
    """Return the frame of a call of so many bytes."""
    call = b'{"jsonrpc":"2.0","id":1,"method":"khz_mempool"'
    return masked(call + b" " * (size - len(call) - 1) + b"}")


async def text(reader: asyncio.StreamReader) -> bytes:
    """Return what the next frame holds."""
    _, length = await reader.readexactly(2)
    if length >= 126:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
    return await reader.readexactly(length)


@pytest.mark.adversarial(39)
async def test_message_is_counted_while_it_comes_and_no_longer() -> None:
    async with solo_node(settled=False, limits=LIMITS) as solo, socket(solo) as (reader, writer):
        for size in (390, 101, 100, 300):
            whole = message(size)
            writer.write(whole[:-1])
            await writer.drain()
            await held(solo, len(whole) - 1 if len(whole) - 1 > LIMITS.body_small_bytes else 0)
            writer.write(whole[-1:] + message(100))

            assert b'"result"' in await text(reader)
            assert b'"result"' in await text(reader)
            assert solo.server.bodies.held_bytes == 0


@pytest.mark.adversarial(39)
async def test_sockets_beyond_the_share_are_ended() -> None:
    async with solo_node(settled=False, limits=LIMITS) as solo, socket(solo) as (_, kept):
        kept.write(message(390)[:390])
        await kept.drain()
        await held(solo, 390)
        async with socket(solo) as (reader, writer):
            writer.write(message(390)[:300])
            assert int.from_bytes((await text(reader))[:2]) == WSCloseCode.TRY_AGAIN_LATER
        async with socket(solo) as (reader, writer):
            writer.write(message(100))
            assert b'"result"' in await text(reader)
    await held(solo, 0)


@pytest.mark.adversarial(39)
async def test_message_that_does_not_come_to_its_end_ends_its_socket() -> None:
    limits = RpcLimits(body_max_bytes=400, body_small_bytes=100, body_timeout_ms=50)
    async with solo_node(settled=False, limits=limits) as solo, socket(solo) as (reader, writer):
        writer.write(message(390)[:300])

        farewell = await text(reader)

        assert int.from_bytes(farewell[:2]) == WSCloseCode.TRY_AGAIN_LATER
        assert b"in time" in farewell


# Answers.


DISCOVER = {"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}
MANY = json.dumps([DISCOVER] * 5).encode()
PIPELINED = 16
"""More than the system takes for a connection that nobody reads."""


@contextlib.asynccontextmanager
async def deaf(solo: Solo) -> AsyncIterator[None]:
    """Ask for large answers, read none, and go on once one of them waits to be read."""
    head = b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    asked = head + b"Content-Length: %d\r\n\r\n" % len(MANY) + MANY
    before = solo.server.answers.held_bytes
    async with sending(solo, asked * PIPELINED, limit=1 << 10):
        at, since = before, 0
        async with asyncio.timeout(90):
            # Each that the system takes is soon followed by the next; one that stays is not taken.
            while since < 1_000:
                await asyncio.sleep(0)
                now = solo.server.answers.held_bytes
                since = since + 1 if now == at and now > before else 0
                at = now
        yield


@pytest.mark.adversarial(74)
async def test_answers_that_nobody_reads_are_bounded_for_each_caller() -> None:
    async with solo_node(settled=False) as solo:
        size = len((await solo.post(MANY))[1])
    limits = RpcLimits(answers_per_caller_max_bytes=2 * size)
    async with solo_node(settled=False, limits=limits) as solo:
        async with deaf(solo), deaf(solo):
            assert solo.server.answers.held_bytes == 2 * size

            status, body = await solo.post(MANY)

            assert status == 429
            assert json.loads(body)["error"]["data"] == {"retry_after_ms": COME_BACK_MS}
            assert (await answered(solo, 100))[0] == 200
        await let_go(solo)
        assert (await solo.post(MANY))[0] == 200


@pytest.mark.adversarial(74)
async def test_answer_that_nobody_reads_is_given_up_where_another_needs_its_room() -> None:
    async with solo_node(settled=False) as solo:
        size = len((await solo.post(MANY))[1])
    limits = RpcLimits(answers_max_bytes=size)
    async with solo_node(settled=False, limits=limits) as solo, deaf(solo):
        assert (await solo.post(MANY))[0] == 429
        solo.town.clock.advance(limits.body_patience_ms)

        assert (await solo.post(MANY))[0] == 200

        await let_go(solo)


@pytest.mark.adversarial(74)
async def test_answer_that_nobody_reads_is_not_held_for_ever() -> None:
    limits = RpcLimits(answer_timeout_ms=500)
    async with solo_node(settled=False, limits=limits) as solo, deaf(solo):
        await let_go(solo)


async def let_go(solo: Solo) -> None:
    """Wait until no answer is held."""
    async with asyncio.timeout(60):
        while solo.server.answers.held_bytes:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.adversarial(74)
async def test_socket_that_reads_no_large_answers_is_ended() -> None:
    async with solo_node(settled=False) as solo:
        size = len((await solo.post(MANY))[1])
    limits = RpcLimits(answers_per_caller_max_bytes=2 * size, stall_ms=200)
    async with solo_node(settled=False, limits=limits) as solo, socket(solo) as (_, writer):
        writer.write(masked(MANY) * PIPELINED)
        async with asyncio.timeout(90):
            while solo.server._subscribers._sessions:
                assert solo.server.answers.held_bytes <= 2 * size
                await asyncio.sleep(0)
        await let_go(solo)


async def test_socket_that_reads_gets_large_answers() -> None:
    async with solo_node(settled=False) as solo, socket(solo) as (reader, writer):
        for _ in range(PIPELINED):
            writer.write(masked(MANY))
            assert len(json.loads(await text(reader))) == 5
        await let_go(solo)
