"""What is done once for a transaction, however large the network is, and what not at all."""

import asyncio
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from node import admission
from node.ledger import transactions
from node.log import open_log
from node.network.memory import MemoryLink
from tests.app.cluster import EPOCH_MS, VALIDATORS, Cluster, cluster
from tests.network.virtual_time import run_virtual

A = VALIDATORS[0]
COUNT = 40


def some(network: Cluster, count: int) -> dict[bytes, bytes]:
    """Return transactions by their ids."""
    raws = [network.transaction() for _ in range(count)]
    return {network.id_of(raw): raw for raw in raws}


async def until_in_blocks(network: Cluster, ids: Iterable[bytes]) -> None:
    """Wait until every machine has all of these in blocks."""
    ids = list(ids)
    await network.until(
        lambda: all(machine.up.chain.seen(each) for machine in network.running for each in ids)
    )


async def hand_in_everywhere(network: Cluster, given: dict[bytes, bytes]) -> None:
    """Hand some in at every validator, and wait until all are in blocks and told of."""
    raws = list(given.values())
    for start in range(0, COUNT, 10):
        await network.submit(VALIDATORS[start // 10 % 4], *raws[start : start + 10])
        await asyncio.sleep(0.03)
    await until_in_blocks(network, given)
    await asyncio.sleep(1.0)  # Virtual: what would cross a link twice has done so by then.


def test_a_transaction_crosses_each_link_of_its_first_receiver_once_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, str, bytes]] = []
    send = MemoryLink.send

    async def noted(link: MemoryLink, frame: bytes) -> None:
        sent.append((link.local, link.address, frame))
        await send(link, frame)

    async def main() -> None:
        async with cluster() as network:
            await network.start()
            await network.until_meshed()
            given = some(network, COUNT)
            monkeypatch.setattr(MemoryLink, "send", noted)
            await hand_in_everywhere(network, given)

            for raw in given.values():
                crossed = Counter({(a, b): f.count(raw) for a, b, f in sent if raw in f})
                assert set(crossed.values()) == {1}
                assert len(crossed) == len({target for _, target in crossed}) == 3
                assert len({source for source, _ in crossed}) == 1
            # A proposal that named more than ids would be longer than all it names.
            assert sum(len(frame) for _, _, frame in sent) < 5 * 3 * sum(map(len, given.values()))

    run_virtual(main())


def test_a_transaction_is_decoded_once_a_node_and_its_bytes_are_carried_from_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: Counter[bytes] = Counter()
    bodies: Counter[bytes] = Counter()
    signed, body_of = transactions.decode_signed, transactions.decode_body
    each_signed, each_body = transactions.decode_each, transactions._read_each_body

    def noted(raw: bytes) -> Any:
        decoded[raw] += 1
        return signed(raw)

    def noted_each(raws: Sequence[bytes]) -> Any:
        decoded.update(raws)
        return each_signed(raws)

    def noted_body(body: bytes) -> Any:
        bodies[body] += 1
        return body_of(body)

    def noted_each_body(each: Sequence[bytes]) -> Any:
        bodies.update(each)
        return each_body(each)

    async def main() -> None:
        async with cluster() as network:
            await network.start()
            await network.until_meshed()
            given = some(network, COUNT)
            monkeypatch.setattr(admission, "decode_signed", noted)
            monkeypatch.setattr(admission, "decode_each", noted_each)
            monkeypatch.setattr(transactions, "decode_body", noted_body)
            monkeypatch.setattr(transactions, "_read_each_body", noted_each_body)
            await hand_in_everywhere(network, given)

            assert decoded == dict.fromkeys(given.values(), len(VALIDATORS))
            assert len(bodies) == COUNT
            assert set(bodies.values()) == {len(VALIDATORS)}

    run_virtual(main())


def test_a_block_is_told_of_in_as_many_lines_whatever_it_holds() -> None:
    stream = io.StringIO()

    async def main() -> tuple[int, int]:
        async with cluster(
            log=lambda _name: open_log(stream, now_ms=lambda: EPOCH_MS, level="debug")
        ) as network:
            await network.start()
            await network.until_meshed()
            await network.settle(A, network.transaction())
            lines = []
            for count in (1, 100):
                height, before = network[A].height, stream.getvalue().count("\n")
                given = some(network, count)
                await network.submit(A, *given.values())
                await until_in_blocks(network, given)
                await asyncio.sleep(0.05)
                assert network[A].height == height + 1
                lines.append(stream.getvalue().count("\n") - before)
        few, many = lines
        return few, many

    few, many = run_virtual(main())

    assert 0 < many < few + 10
