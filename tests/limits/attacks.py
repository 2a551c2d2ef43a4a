"""Attacks on a running validator, each in full and in a short form, and what it may hold under it.

The bound of each is worked out from the limits that it runs into; a figure is far below what was
sent, so that a limit that is not applied shows.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from consensus.types import VoteType
from node.client import ClientNetwork, transaction
from node.clock import SystemClock
from node.codec import encode
from node.network import (
    BlockItem,
    Blocks,
    BlockTransactions,
    ProposalMessage,
    ProposedBlock,
    Transactions,
)
from node.provision.acts import RUPEE
from node.provision.funding import development_accounts
from tests.limits.siege import LIAR, Siege

HASH: Final = bytes(range(32))
SIGNATURE: Final = bytes(64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One way to make a node hold more than it should."""

    run: Callable[[Siege], Awaitable[str]]
    """Attacks; returns what was sent, in words."""
    bound_mib: float
    """What the victim may hold at most beyond what it held before."""


# Connections.


@contextlib.asynccontextmanager
async def _connections(
    port: int, count: int, *, first: bytes = b""
) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Open so many connections from addresses of loopback in turn; keep those that stay."""
    open_: list[asyncio.StreamWriter] = []
    gate = asyncio.Semaphore(200)

    async def connect(number: int) -> None:
        async with gate:
            with contextlib.suppress(OSError):
                source = (f"127.0.{1 + number % 40}.1", 0)
                _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source)
                open_.append(writer)
                writer.write(first)
                await writer.drain()

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(connect(number), name=f"connection-{number}")
    try:
        yield open_
    finally:
        for writer in open_:
            _cut(writer)


def _cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def burst_of_clients(siege: Siege) -> str:
    count = siege.count(10_000)
    async with _connections(siege.client_port, count):
        pass
    return f"{count:,} connections"


async def burst_of_peers(siege: Siege) -> str:
    count = siege.count(10_000)
    async with _connections(siege.peer_port, count):
        pass
    return f"{count:,} connections without a handshake"


async def slow_loris(siege: Siege) -> str:
    """Hold connections with a request that goes on byte by byte."""
    count = siege.count(2_000)
    start = b"POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\nX: "
    async with _connections(siege.client_port, count, first=start) as held:
        for _ in range(siege.count(20, least=3)):
            for writer in held:
                if not writer.transport.is_closing():
                    writer.write(b"x")
            await asyncio.sleep(0.1)
    return f"{count:,} requests, a byte at a time"


# Peers.


async def claimed_sizes(siege: Siege) -> str:
    """Announce frames of 2 GiB, over and over."""
    count = siege.count(500)
    refused = 0
    for _ in range(count):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(5):
                line = await siege.line()
                line.send_header(1 << 31)
                line.writer.write(bytes(1 << 16))
                await line.read_to_end()
        refused += 1
    return f"{refused:,} frames that claim 2 GiB"


async def votes_of_many_rounds(siege: Siege) -> str:
    """Vote in a million rounds and heights, each vote truly signed."""
    count = siege.count(1_000_000)
    async with siege.client() as client:
        height = (await client.status()).height
    # Signing is what takes time here: a thousand different ones, each many times, and new ones.
    few = [
        siege.vote(height + 1 + number % 3, number, HASH, VoteType.PRECOMMIT)
        for number in range(min(count, 20_000))
    ]
    took = await siege.flood(lambda number: few[number % len(few)], count)
    return f"{took:,} votes of {len(few):,} rounds"


async def unknown_ids(siege: Siege) -> str:
    """Propose blocks of five thousand transactions that nobody has."""
    count = siege.count(2_000)
    ids = tuple(number.to_bytes(32) for number in range(5_000))

    def proposal(number: int) -> ProposalMessage:
        return ProposalMessage(
            height=1 + number % 1_000,
            round=number % 9,
            block_id=number.to_bytes(32),
            valid_round=None,
            proposer=LIAR,
            signature=SIGNATURE,
            polka=None,
            header=HASH,
            transaction_ids=ids,
            evidence=(),
        )

    took = await siege.flood(proposal, count)
    return f"{took:,} proposals of 5,000 unknown ids"


async def unasked_evidence(siege: Siege) -> str:
    """Send blocks that are full of evidence, which is none."""
    count = siege.count(2_000)
    evidence = tuple(number.to_bytes(2) * (8 << 10) for number in range(64))

    def body(number: int) -> ProposedBlock:
        return ProposedBlock(
            height=1 + number,
            block_id=number.to_bytes(32),
            header=HASH,
            transaction_ids=(),
            evidence=evidence,
        )

    took = await siege.flood(body, count)
    return f"{took:,} blocks with 1 MiB of evidence"


async def unasked_blocks(siege: Siege) -> str:
    """Answer what was never asked: blocks and transactions of megabytes."""
    count = siege.count(500)
    large = BlockItem(block=bytes(4 << 20), certificate=b"x")
    raws = tuple(number.to_bytes(2) * (30 << 10) for number in range(60))

    def answer(number: int) -> Blocks | BlockTransactions:
        if number % 2:
            return BlockTransactions(block_id=number.to_bytes(32), raws=raws)
        return Blocks(from_height=1 + number, items=(large,))

    took = await siege.flood(answer, count)
    return f"{took:,} answers of 4 MiB"


async def pushed_garbage(siege: Siege) -> str:
    """Push batches of transactions that are none."""
    count = siege.count(20_000)

    def batch(number: int) -> Transactions:
        return Transactions(
            raws=tuple((number * 64 + each).to_bytes(8) * 120 for each in range(64))
        )

    took = await siege.flood(batch, count)
    return f"{took:,} batches of 60 KiB"


# Clients.


async def submissions(siege: Siege) -> str:
    """Hand in ten times what the pool holds, all of one sender."""
    count = siege.count(200_000)
    payer, payee = development_accounts()[:2]
    network = ClientNetwork.of(siege.genesis)
    until_ms = SystemClock().now_ms() + 300_000
    answers: dict[str, int] = {}

    async def hand_in(session: aiohttp.ClientSession, raws: list[bytes]) -> None:
        headers = {"Content-Type": "application/msgpack", "Accept": "application/json"}
        url = siege.url + "/transactions"
        async with session.post(url, data=encode(tuple(raws)), headers=headers) as answer:
            for item in json.loads(await answer.read()) if answer.status == 200 else ():
                answers[item["status"]] = answers.get(item["status"], 0) + 1
            if answer.status != 200:
                answers[str(answer.status)] = answers.get(str(answer.status), 0) + len(raws)

    async with aiohttp.ClientSession() as session:
        for start in range(0, count, 20_000):
            raws = [
                transaction(network, valid_until_ms=until_ms)
                .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
                .sign(payer.signer)
                .raw()
                for _ in range(min(20_000, count - start))
            ]
            async with asyncio.TaskGroup() as group:
                for first in range(0, len(raws), 2_000):
                    group.create_task(hand_in(session, raws[first : first + 2_000]), name="flood")
    told = ", ".join(f"{number:,} {status}" for status, number in sorted(answers.items()))
    return f"{count:,} transactions: {told}"


async def calls(siege: Siege) -> str:
    """Ask in batches of a hundred, in bodies of a megabyte, from many connections at once."""
    count = siege.count(2_000)
    one = {"jsonrpc": "2.0", "id": "x" * 100, "method": "khz_powers", "params": {"limit": 200}}
    batch = json.dumps([one] * 100).encode()
    filler = b'{"jsonrpc":"2.0","id":1,"method":"khz_simulate","params":{"transaction":"%b"}}' % (
        b"ab" * (500 << 10)
    )
    codes: dict[int, int] = {}

    async def ask(session: aiohttp.ClientSession, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(siege.url + "/rpc", data=body, headers=headers) as answer:
                await answer.read()
                codes[answer.status] = codes.get(answer.status, 0) + 1

    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(ask(session, filler if number % 4 else batch), name="ask")
    told = ", ".join(f"{number:,} x {code}" for code, number in sorted(codes.items()))
    return f"{count:,} bodies of up to 1 MiB: {told}"


async def sockets_that_do_not_read(siege: Siege) -> str:
    """Ask on two hundred sockets and never read an answer."""
    count, each = siege.count(200), 300
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "khz_powers", "params": {"limit": 200}}
    ).encode()
    frame = b"\x81\xfe" + len(body).to_bytes(2) + bytes(4) + body
    async with _connections(siege.client_port, count, first=_UPGRADE) as writers:
        for writer in writers:
            writer.write(frame * each)
        await asyncio.sleep(2.0)
    return f"{count:,} sockets with {each} questions, no answer read"


async def subscribers(siege: Siege) -> str:
    """A thousand subscribers to everything, a hundred of whom do not read, under payments."""
    count, payments = siege.count(1_000, least=20), siege.count(5_000, least=200)
    deaf = count // 10
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "khz_subscribe",
            "params": {"topics": ["blocks", "receipts", "transactions", "events"], "from": "0-0"},
        }
    ).encode()
    frame = b"\x81\xfe" + len(body).to_bytes(2) + bytes(4) + body
    heard = 0

    async def read(reader: asyncio.StreamReader) -> None:
        nonlocal heard
        with contextlib.suppress(OSError):
            while chunk := await reader.read(1 << 16):
                heard += len(chunk)

    async with contextlib.AsyncExitStack() as stack:
        readers: list[asyncio.StreamReader] = []
        for number in range(count):
            source = (f"127.0.{1 + number % 40}.1", 0)
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", siege.client_port, local_addr=source, limit=1 << 12
            )
            stack.callback(_cut, writer)
            writer.write(_UPGRADE + frame)
            if number >= deaf:
                readers.append(reader)
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(read(each), name="reader") for each in readers]
            await _pay(siege, payments)
            before = -1
            while before != heard:
                before = heard
                await asyncio.sleep(1.0)
            for task in reading:
                task.cancel()
    return f"{count:,} subscribers, {deaf} deaf, {payments:,} payments, {heard >> 10:,} KiB read"


async def _pay(siege: Siege, count: int) -> None:
    payer, payee = development_accounts()[2:4]
    async with siege.client() as client:
        until_ms = SystemClock().now_ms() + 300_000
        drafts = [
            transaction(client.network, valid_until_ms=until_ms)
            .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
            .sign(payer.signer)
            for _ in range(count)
        ]
        results = await client.submit_many(drafts)
        assert len(results) == count


_UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)

ATTACKS: Final[Mapping[str, Attack]] = {
    # 2,048 connections with their parsers; the rest is closed when it is accepted.
    "burst of clients": Attack(run=burst_of_clients, bound_mib=64),
    # 64 handshakes at a time.
    "burst of peers": Attack(run=burst_of_peers, bound_mib=32),
    "slow loris": Attack(run=slow_loris, bound_mib=64),
    # Two votes for a place, 32,768 places in all, and what the engine keeps of few rounds.
    "votes of many rounds": Attack(run=votes_of_many_rounds, bound_mib=96),
    # A frame is decoded before it is judged: 5,000 ids at a time.
    "unknown ids": Attack(run=unknown_ids, bound_mib=64),
    "unasked evidence": Attack(run=unasked_evidence, bound_mib=64),
    # A frame or two of 4 MiB, in pieces and whole.
    "unasked blocks": Attack(run=unasked_blocks, bound_mib=96),
    # What waits to be verified has 2 MiB.
    "pushed garbage": Attack(run=pushed_garbage, bound_mib=64),
    # Refused by its header, before anything of it is kept.
    "claimed sizes": Attack(run=claimed_sizes, bound_mib=32),
    # 20,000 in the pool, 32 MiB of them at most, and 16 bodies of 4 MiB under way.
    "submissions": Attack(run=submissions, bound_mib=256),
    # 512 connections of one address, each with a body of 1 MiB or an answer of a batch.
    "calls": Attack(run=calls, bound_mib=512),
    # 16 calls and 256 KiB for each that does not read.
    "sockets that do not read": Attack(run=sockets_that_do_not_read, bound_mib=256),
    # 256 KiB for each that does not read, and one frame for each that does.
    "subscribers": Attack(run=subscribers, bound_mib=512),
}
"""Every attack by name, in the order in which they are tried."""
