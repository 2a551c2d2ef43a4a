"""Serving snapshots beside the chain's own work."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from node.log import silent_log
from node.metrics import Metrics
from node.network import (
    ChunkMessage,
    GetChunk,
    GetHandovers,
    GetRecentIds,
    GetSnapshots,
    Handovers,
    PeerView,
    RecentIdsMessage,
    Snapshots,
    WireMessage,
)
from node.snapshots import Leaves, Pins, decode_chunk, decode_point, source
from node.storage import StorageThread, open_leveldb
from node.sync import Serving
from tests.chain.town import Town, make_town


class Recorder:
    """A wire that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, WireMessage]] = []

    def send(self, peer: str, message: WireMessage) -> bool:
        self.sent.append((peer, message))
        return True

    def broadcast(self, message: WireMessage, *, observers: bool = False) -> int:
        raise NotImplementedError

    def peers(self) -> tuple[PeerView, ...]:
        raise NotImplementedError

    def punish(self, peer: str, reason: str) -> None:
        raise NotImplementedError


def pins_of(town: Town, metrics: Metrics, thread: StorageThread | None = None) -> Pins:
    return Pins(
        town.chain, town.store, interval=2, thread=thread, metrics=metrics, log=silent_log()
    )


async def test_every_request_has_its_answer() -> None:
    town = make_town()
    await town.settle(3)
    metrics, wire = Metrics(), Recorder()
    serving = Serving(pins_of(town, metrics), wire, thread=None, metrics=metrics)

    for request in (
        GetSnapshots(),
        GetHandovers(height=2, above=0),
        GetChunk(height=2, path=b""),
        GetRecentIds(height=2, below=3),
    ):
        await serving.received("peer", request)

    points, handovers, chunk, ids = (message for _, message in wire.sent)
    assert isinstance(points, Snapshots)
    assert [decode_point(each).header.height for each in points.points] == [2]
    assert handovers == Handovers(height=2, above=0, items=(), more=False)
    assert isinstance(chunk, ChunkMessage)
    assert chunk.chunk is not None
    assert isinstance(decode_chunk(chunk.chunk), Leaves)
    assert isinstance(ids, RecentIdsMessage)
    assert ids.items is not None
    assert len(ids.items) == 2


async def test_snapshot_that_is_not_kept_is_said_to_be_gone() -> None:
    town = make_town()
    await town.decide()
    metrics, wire = Metrics(), Recorder()
    serving = Serving(pins_of(town, metrics), wire, thread=None, metrics=metrics)
    for height in (0, 7, (1 << 63) - 1):
        for request in (
            GetHandovers(height=height, above=0),
            GetChunk(height=height, path=b"\1"),
            GetRecentIds(height=height, below=1 << 62),
        ):
            await serving.received("peer", request)

    assert len(wire.sent) == 9
    for _, message in wire.sent:
        assert isinstance(message, Handovers | RecentIdsMessage | ChunkMessage)
        content = message.chunk if isinstance(message, ChunkMessage) else message.items
        assert content is None


@pytest.mark.parametrize("path", [b"\0" * 63, b"\x0f" * 63, b"\5"])
async def test_paths_beneath_which_nothing_is_are_answered(path: bytes) -> None:
    town = make_town()
    await town.decide()
    metrics, wire = Metrics(), Recorder()
    serving = Serving(pins_of(town, metrics), wire, thread=None, metrics=metrics)

    await serving.received("peer", GetChunk(height=1, path=path))
    await serving.received("peer", GetHandovers(height=1, above=(1 << 63) - 1))
    await serving.received("peer", GetRecentIds(height=1, below=0))

    chunk, handovers, ids = (message for _, message in wire.sent)
    assert isinstance(chunk, ChunkMessage)
    assert chunk.chunk is not None
    assert handovers == Handovers(height=1, above=(1 << 63) - 1, items=(), more=False)
    assert ids == RecentIdsMessage(height=1, below=0, items=())


async def test_commit_waits_for_one_step_of_a_chunk_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk is of many steps; the block is durable before the chunk is read."""
    monkeypatch.setattr(source, "STEP_RECORDS", 2)
    store = open_leveldb(tmp_path, create=True)
    async with StorageThread() as thread:
        town = make_town(store, thread=thread)
        await town.settle(20)
        metrics, wire = Metrics(), Recorder()
        pins = pins_of(town, metrics, thread)
        serving = Serving(pins, wire, thread=thread, metrics=metrics)
        candidate = town.build(town.admit(town.transfer("a0", "a1", 1)))
        certificate = town.certify(candidate)
        order: list[str] = []
        original = source.Snapshot._check

        def counting(self: source.Snapshot) -> None:
            assert threading.current_thread().name.startswith("storage")
            order.append("step")
            original(self)

        monkeypatch.setattr(source.Snapshot, "_check", counting)
        async with asyncio.TaskGroup() as tasks:
            request = GetChunk(height=town.chain.head.height, path=b"")
            tasks.create_task(serving.received("peer", request), name="reading")
            await asyncio.sleep(0)
            await town.chain.commit(candidate, certificate)
            order.append("committed")

        assert order.index("committed") <= 3
        assert len(order) > 20
        pins.close()
    store.close()


async def test_snapshot_let_go_under_a_read_that_nobody_waits_for_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer went away, then the snapshot: nothing is left that could complain."""
    errors: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: errors.append(context["message"])
    )
    store = open_leveldb(tmp_path, create=True)
    async with StorageThread() as thread:
        town = make_town(store, thread=thread)
        await town.settle(2)
        metrics = Metrics()
        pins = pins_of(town, metrics, thread)
        serving = Serving(pins, Recorder(), thread=thread, metrics=metrics)
        height = town.chain.head.height
        snapshot = pins.of(height)
        assert snapshot is not None
        began, may_go_on = asyncio.Event(), threading.Event()
        loop, check = asyncio.get_running_loop(), source.Snapshot._check

        def slowly(self: source.Snapshot) -> None:
            loop.call_soon_threadsafe(began.set)
            assert may_go_on.wait(10)
            check(self)

        monkeypatch.setattr(source.Snapshot, "_check", slowly)
        request = GetChunk(height=height, path=b"")
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(serving.received("peer", request), name="reading")
            await began.wait()
            reading.cancel()
        snapshot.let_go()
        may_go_on.set()
        await thread.drain()
        pins.close()
    gc.collect()

    assert errors == []
    assert reading.cancelled()
    store.close()
