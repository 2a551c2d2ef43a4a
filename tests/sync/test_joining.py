"""Joining by a snapshot: whole nodes, one of them new, some of them lying."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from node.codec import encode
from node.codec import replace as replaced
from node.log import Logger, open_log
from node.network import (
    ChunkMessage,
    GetChunk,
    GetHandovers,
    GetRecentIds,
    GetSnapshots,
    Handovers,
    Network,
    RecentIdsMessage,
    Snapshots,
    WireMessage,
)
from node.snapshots import Leaves, Snapshot, Split, decode_block_ids, source
from node.snapshots.installation import is_begun
from node.storage import Batch, StorageFailed, layout
from node.sync import JoinRefused
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, cluster
from tests.app.puppet import puppet
from tests.chain.stores import contents
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS
HONEST = (A, B, C)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the few records of a test many chunks, and the few blocks many pages."""
    monkeypatch.setattr(source, "CHUNK_RECORDS_MAX", 4)
    monkeypatch.setattr(source, "PAGE_SIZE_TARGET", 3_000)


async def grown(network: Cluster, blocks: int, *names: str, interval: int = 5) -> None:
    """Let validators make so many blocks, each with a transaction."""
    names = names or VALIDATORS
    network.snapshot_interval = interval
    network.bear(*names)
    await network.start(*names)
    await network.until(
        lambda: all(len(m.up.network.peers()) >= len(names) - 1 for m in network.running)
    )
    for _ in range(blocks):
        await network.settle(A, network.transaction(valid_ms=500_000))
    await network.until_height(blocks, *names)


def trust(network: Cluster, name: str, height: int) -> None:
    """Let a machine trust the block of this height."""
    certificate = network[A].up.chain.certificate(height)
    assert certificate is not None
    assert certificate.block_id is not None
    network.trusted[name] = (height, certificate.block_id)


def state_of(network: Cluster, name: str) -> dict[bytes, bytes]:
    """Return what a machine's store holds of state, index and tree."""
    stored = contents(network[name].disk.store)
    return {key: value for key, value in stored.items() if key[:1] in b"SKN"}


async def check_joined(network: Cluster, name: str, *, earliest: int) -> None:
    """Assert that a machine began at a snapshot, and holds what the others do."""
    await network.until_height(network[A].height, name)
    assert network[name].up.chain.history.earliest == earliest
    assert not is_begun(network[name].disk.store)
    network.check_agreement()
    assert state_of(network, name) == state_of(network, A)


class Journal:
    """What the nodes of a test have logged."""

    def __init__(self) -> None:
        self._lines = io.StringIO()

    def log(self, name: str) -> Logger:
        return open_log(self._lines, now_ms=lambda: 0, level="info", form="json", node=name)

    def events(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.lines() if line["event"] == event]

    def lines(self) -> list[dict[str, object]]:
        return list(map(json.loads, self._lines.getvalue().splitlines()))


def test_new_observer_joins_by_a_snapshot_and_then_follows() -> None:
    async def main() -> None:
        journal = Journal()
        async with cluster(observers=(OBSERVER,), log=journal.log) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)

            await network.start(OBSERVER)

            (joined,) = journal.events("joined by a snapshot")
            assert joined["height"] == 10
            assert network[OBSERVER].up.chain.block(9) is None
            await network.settle(A, network.transaction())
            await network.until_height(13)
            await check_joined(network, OBSERVER, earliest=11)

    run_virtual(main())


@pytest.mark.adversarial(54)
def test_without_a_trusted_block_no_snapshot_is_taken() -> None:
    async def main() -> None:
        journal = Journal()
        async with cluster(observers=(OBSERVER,), log=journal.log) as network:
            await grown(network, 6)

            await network.start(OBSERVER)

            await network.until_height(6, OBSERVER)
            assert network[OBSERVER].up.chain.history.earliest == 1
            said = [line for line in journal.lines() if "status --trust" in str(line["event"])]
            assert [line["node"] for line in said if line["node"] == OBSERVER] == [OBSERVER]

    run_virtual(main())


@pytest.mark.adversarial(54)
@pytest.mark.parametrize("fault", ["too old", "another block", "not kept"])
def test_trusted_block_that_does_not_do_is_refused_with_the_reason(fault: str) -> None:
    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)
            match fault:
                case "too old":
                    network.trust_period_hours = 1
                    network[OBSERVER].clock.offset_ms = 2 * 3_600_000
                    sentence = "2 hours old, at most 1 are trusted"
                case "another block":
                    network.trusted[OBSERVER] = (7, bytes(32))
                    sentence = "no peer has block 7"
                case _:
                    for name in VALIDATORS:
                        network[name].disk.store.write([(layout.block_key(7), None)], sync=True)
                    sentence = "keeps it any more"

            with pytest.raises(JoinRefused, match=sentence):
                await asyncio.wait_for(network.start(OBSERVER), 120)

            assert network[OBSERVER].disk.store.get(layout.Meta.HEAD.value) is None
            assert not any(key[:1] == b"S" for key in contents(network[OBSERVER].disk.store))

    run_virtual(main())


def test_trusted_block_above_every_snapshot_is_waited_for_aloud() -> None:
    async def main() -> None:
        journal = Journal()
        async with cluster(observers=(OBSERVER,), log=journal.log) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 12)

            await network.start(OBSERVER)

            said = [line for line in journal.lines() if line["level"] == "warning"]
            assert any("status --trust" in str(line["event"]) for line in said)
            (joined,) = journal.events("joined by a snapshot")
            assert joined["height"] == 15

    run_virtual(main())


def test_trusted_block_taken_away_while_joining_is_asked_for() -> None:
    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)
            await die_at_write(network, 8)
            trusted = network.trusted.pop(OBSERVER)

            with pytest.raises(JoinRefused, match=r"put sync\.trusted_height"):
                await network.start(OBSERVER)

            network.trusted[OBSERVER] = trusted
            await network.start(OBSERVER)
            await check_joined(network, OBSERVER, earliest=11)

    run_virtual(main())


def test_where_nobody_serves_a_snapshot_blocks_are_copied() -> None:
    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 6, interval=0)
            trust(network, OBSERVER, 3)

            await network.start(OBSERVER)

            await network.until_height(6, OBSERVER)
            assert network[OBSERVER].up.chain.history.earliest == 1

    run_virtual(main())


async def die_at_write(network: Cluster, write: int) -> bool:
    """Start the observer and let its disk fail at this write; return whether it came so far."""
    store = network[OBSERVER].disk.store
    original, seen = store.write, 0

    def failing(batch: Batch, *, sync: bool) -> None:
        nonlocal seen
        seen += 1
        if seen == write:
            raise StorageFailed(Path("memory"), "power cut")
        original(batch, sync=sync)

    store.write = failing  # type: ignore[method-assign]
    try:
        await network.start(OBSERVER)
    except StorageFailed:
        return True
    finally:
        store.write = original  # type: ignore[method-assign]
        if network[OBSERVER].node is not None:
            await network.stop(OBSERVER)
    return False


@pytest.mark.adversarial(65)
def test_observer_that_dies_at_every_write_joins_in_the_end() -> None:
    """Each life dies one write later; what the lives before have written is there."""

    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)
            lives = 1
            while await die_at_write(network, lives):
                lives += 1
                assert lives < 50

            assert lives > 5
            await network.start(OBSERVER)
            await check_joined(network, OBSERVER, earliest=11)

    run_virtual(main())


def test_sources_that_move_on_to_newer_snapshots_are_followed() -> None:
    """Every block is a snapshot, and only two are kept: none is there for long."""

    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12, interval=1)
            trust(network, OBSERVER, 7)
            network.net.delay_s = lambda _source, _target: 0.05
            starting = network.tasks.create_task(network.start(OBSERVER), name="starting")
            blocks = 0
            while not starting.done() and blocks < 40:
                await network.settle(A, network.transaction())
                blocks += 1
            await starting

            assert blocks > 5
            await network.until_height(network[A].height, OBSERVER)
            assert network[OBSERVER].up.chain.history.earliest > 14
            network.check_agreement()
            assert state_of(network, OBSERVER) == state_of(network, A)

    run_virtual(main())


def test_source_that_is_lost_is_replaced() -> None:
    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)
            await network.stop(B, C, D)
            network.net.delay_s = lambda _source, _target: 0.05
            starting = network.tasks.create_task(network.start(OBSERVER), name="starting")
            await network.until(lambda: is_begun(network[OBSERVER].disk.store))
            await network.start(B, C, D)
            await network.stop(A)
            await starting
            await network.start(A)

            await network.until_height(network[B].height, OBSERVER)
            network.check_agreement()

    run_virtual(main())


def test_wiped_validator_joins_by_a_snapshot_and_votes_again() -> None:
    async def main() -> None:
        async with cluster() as network:
            await grown(network, 12)
            trust(network, C, 7)
            await network.stop(C)
            network[C].disk.__init__()  # type: ignore[misc]  # an empty one

            await network.start(C)

            assert network[C].up.chain.history.earliest > 10
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.until(lambda: network[C].up.replica.is_voting)
            await network.stop(D)
            await network.settle(A, network.transaction(), within_s=120)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(56)
def test_transaction_of_before_the_snapshot_is_refused_by_whoever_joined() -> None:
    async def main() -> None:
        async with cluster(observers=(OBSERVER,)) as network:
            raw = network.transaction(valid_ms=500_000)
            await grown(network, 3)
            await network.settle(A, raw)
            await grown_on(network, 8)
            trust(network, OBSERVER, 5)
            await network.start(OBSERVER)
            joined = network[OBSERVER].up
            place = joined.chain.transaction(network.id_of(raw))
            assert place is not None
            assert place[0] < joined.chain.history.earliest

            (result,) = await joined.intake.submit([raw])

            assert result == (await network[A].up.intake.submit([raw]))[0]
            assert joined.chain.seen(network.id_of(raw))

    run_virtual(main())


async def grown_on(network: Cluster, blocks: int) -> None:
    for _ in range(blocks):
        await network.settle(A, network.transaction())


# Liars.

Lie = Callable[[Snapshot, WireMessage], WireMessage | None]
"""From what an honest source would answer to what this one does; None: nothing."""


def answer_of(snapshot: Snapshot, request: WireMessage) -> WireMessage | None:
    """Return what an honest source answers."""
    match request:
        case GetSnapshots():
            return Snapshots(points=(encode(snapshot.point),))
        case GetHandovers(height=height, above=above):
            items, more = snapshot.handovers(above)
            return Handovers(height=height, above=above, items=items, more=more)
        case GetChunk(height=height, path=path):
            return ChunkMessage(height=height, path=path, chunk=encode(snapshot.chunk(path)))
        case GetRecentIds(height=height, below=below):
            return RecentIdsMessage(height=height, below=below, items=snapshot.ids(below))
        case _:
            return None


def alters_records(_: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, ChunkMessage) or answer.chunk is None:
        return answer
    return replaced(answer, chunk=answer.chunk[:-1] + bytes([answer.chunk[-1] ^ 1]))


def leaves_records_out(snapshot: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, ChunkMessage):
        return answer
    chunk = snapshot.chunk(answer.path)
    if isinstance(chunk, Split):
        return replaced(answer, chunk=encode(Leaves(keys=(), values=())))
    return replaced(answer, chunk=encode(Leaves(keys=chunk.keys[1:], values=chunk.values[1:])))


def sends_another_path(snapshot: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, ChunkMessage) or not answer.path:
        return answer
    other = answer.path[:-1] + bytes([(answer.path[-1] + 1) % 16])
    return replaced(answer, chunk=encode(snapshot.chunk(other)))


def sends_no_chunk_at_all(_: Snapshot, answer: WireMessage) -> WireMessage:
    return replaced(answer, chunk=b"\xc1") if isinstance(answer, ChunkMessage) else answer


def forges_the_root(snapshot: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, Snapshots):
        return answer
    header = replaced(snapshot.point.header, height=1 << 40, state_root=bytes(32))
    return Snapshots(points=(encode(replaced(snapshot.point, header=header)),))


def swaps_the_root(snapshot: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, Snapshots):
        return answer
    header = replaced(snapshot.point.header, state_root=bytes(32))
    return Snapshots(points=(encode(replaced(snapshot.point, header=header)),))


def offers_rubbish(_: Snapshot, answer: WireMessage) -> WireMessage:
    return Snapshots(points=(b"\xc1",)) if isinstance(answer, Snapshots) else answer


def forges_ids(_: Snapshot, answer: WireMessage) -> WireMessage:
    if not isinstance(answer, RecentIdsMessage) or not answer.items:
        return answer
    first = decode_block_ids(answer.items[0])
    return replaced(answer, items=(encode(replaced(first, ids=(bytes(32),))), *answer.items[1:]))


def hides_ids(_: Snapshot, answer: WireMessage) -> WireMessage:
    return replaced(answer, items=()) if isinstance(answer, RecentIdsMessage) else answer


def never_ends_its_handovers(_: Snapshot, answer: WireMessage) -> WireMessage:
    return replaced(answer, more=True) if isinstance(answer, Handovers) else answer


def says_nothing_after_its_offer(_: Snapshot, answer: WireMessage) -> WireMessage | None:
    return answer if isinstance(answer, Snapshots) else None


@pytest.mark.adversarial(53)
@pytest.mark.parametrize(
    "lie",
    [
        alters_records,
        leaves_records_out,
        sends_another_path,
        sends_no_chunk_at_all,
        forges_the_root,
        swaps_the_root,
        offers_rubbish,
        forges_ids,
        hides_ids,
        never_ends_its_handovers,
        says_nothing_after_its_offer,
    ],
)
def test_liar_is_found_out_and_the_true_state_is_taken_from_the_others(lie: Lie) -> None:
    """The liar is there first, alone; the honest sources are cut off until it was asked."""

    async def main() -> None:
        journal = Journal()
        async with cluster(observers=(OBSERVER,), log=journal.log) as network:
            await grown(network, 12, *HONEST)
            trust(network, OBSERVER, 10)
            for name in HONEST:
                network.net.isolate(network.address(name), [network.address(OBSERVER)])
            async with puppet(network, D) as liar:

                def answer(peer: str, request: WireMessage) -> None:
                    snapshot = network[A].up.snapshots.of(10)
                    assert snapshot is not None
                    honest = answer_of(snapshot, request)
                    told = None if honest is None else lie(snapshot, honest)
                    if told is not None and peer == OBSERVER:
                        liar.network.send(peer, told)

                liar.answer = answer
                starting = network.tasks.create_task(network.start(OBSERVER), name="starting")
                await network.until(lambda: bool(journal.events("snapshot source struck")))
                struck = journal.events("snapshot source struck")
                assert {line["peer"] for line in struck} == {D}
                for name in HONEST:
                    network.net.rejoin(network.address(name), [network.address(OBSERVER)])

                await asyncio.wait_for(starting, 600)

            await network.until_height(12, OBSERVER)
            await check_joined(network, OBSERVER, earliest=11)
            assert {line["peer"] for line in journal.events("snapshot source struck")} == {D}

    run_virtual(main())


def test_requests_that_cannot_be_sent_are_sent_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full lane, or a link that is about to be gone: the loop must not spin on it."""
    original, refused, until_s = Network.send, 0, 0.0

    def send(self: Network, peer: str, message: WireMessage) -> bool:
        nonlocal refused
        full = asyncio.get_running_loop().time() < until_s
        if isinstance(message, GetChunk | GetRecentIds | GetHandovers) and full:
            refused += 1
            assert refused < 200
            return False
        return original(self, peer, message)

    monkeypatch.setattr(Network, "send", send)

    async def main() -> None:
        nonlocal until_s
        async with cluster(observers=(OBSERVER,)) as network:
            await grown(network, 12)
            trust(network, OBSERVER, 7)
            network.net.delay_s = lambda _source, _target: 0.05
            starting = network.tasks.create_task(network.start(OBSERVER), name="starting")
            await network.until(lambda: is_begun(network[OBSERVER].disk.store))
            until_s = asyncio.get_running_loop().time() + 20.0

            await starting

            assert refused > 10
            await check_joined(network, OBSERVER, earliest=11)

    run_virtual(main())


def test_answers_that_nobody_asked_for_are_dropped() -> None:
    async def main() -> None:
        journal = Journal()
        async with cluster(observers=(OBSERVER,), log=journal.log) as network:
            await grown(network, 12, *HONEST)
            trust(network, OBSERVER, 7)
            async with puppet(network, D) as liar:

                def answer(peer: str, _: WireMessage) -> None:
                    for _each in range(20):
                        liar.network.send(peer, ChunkMessage(height=10, path=b"\1", chunk=b"x"))
                        liar.network.send(peer, ChunkMessage(height=9, path=b"", chunk=None))

                liar.answer = answer
                await network.start(OBSERVER)

            await check_joined(network, OBSERVER, earliest=11)

    run_virtual(main())
