"""Copying many blocks: verified once each, in runs that wait for the disk once, asked for ahead."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from consensus.types import Signature
from node.blocks import decode_block, decode_certificate, encode_block, encode_certificate
from node.codec import replace
from node.network import BlockItem, Blocks
from node.replica.events import Certified
from node.sync import sync as sync_module
from node.sync.plan import Range
from node.sync.sync import RUN_BLOCKS_MAX
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, cluster
from tests.network.virtual_time import run_virtual
from tests.sync.test_sync import HONEST, faults, grown, item_of, only_linked_to

A, B, C, D = VALIDATORS
BLOCKS = 96
SYNCS_MAX = 8
"""Three full runs, and what comes before the first requests are answered."""


def certified(network: Cluster, height: int) -> Certified:
    item = item_of(network, height)
    return Certified(decode_block(item.block), decode_certificate(item.certificate))


def test_an_observer_verifies_each_signature_once_and_waits_for_the_disk_once_a_run() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, BLOCKS)
            chain = network[A].up.chain
            expected = 0
            for height in range(1, BLOCKS + 1):
                block, certificate = chain.block(height), chain.certificate(height)
                assert block is not None
                assert certificate is not None
                expected += len(certificate.signatures) + len(block.transactions)

            await network.start(OBSERVER)
            before = network[OBSERVER].verified
            synced = network[OBSERVER].disk.store.writes_synced
            await network.until_height(BLOCKS, OBSERVER)

            assert network[OBSERVER].verified - before == expected
            assert network[OBSERVER].disk.store.writes_synced - synced <= SYNCS_MAX
            network.check_agreement()

    run_virtual(main())


def test_a_validator_that_catches_up_writes_its_log_once_a_run_and_votes_then() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            others = [network.address(name) for name in HONEST]
            network.net.isolate(network.address(D), others)
            for _ in range(BLOCKS):
                await network.settle(A, network.transaction())
            before = network[D].disk.files.syncs, network[D].disk.store.writes_synced

            network.net.rejoin(network.address(D), others)
            await network.until_height(BLOCKS, D)

            assert network[D].disk.files.syncs - before[0] <= SYNCS_MAX
            assert network[D].disk.store.writes_synced - before[1] <= SYNCS_MAX
            assert network[D].up.chain.is_durable
            await network.stop(C)  # now D's vote is needed
            await network.settle(A, network.transaction())
            network.check_agreement()

    run_virtual(main())


def test_a_run_is_committed_up_to_the_block_whose_contents_are_not_its_own() -> None:
    """And its author is blamed, whoever sent the blocks before it."""

    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, 10)
            await network.start(OBSERVER)
            await network.until_height(10, OBSERVER)
            await network.stop(OBSERVER)
            for _ in range(6):
                await network.settle(A, network.transaction())
            run = [certified(network, height) for height in range(11, 17)]
            other = run[4].block
            run[3] = Certified(
                replace(run[3].block, transactions=other.transactions), run[3].certificate
            )
            only_linked_to(network, OBSERVER)
            await network.start(OBSERVER)

            with pytest.raises(Exception, match="wrong-transactions"):
                await network[OBSERVER].up.replica.commit_synced(run)

            assert network[OBSERVER].height == 13
            assert network[OBSERVER].up.chain.is_durable
            assert faults(network, A) == 0

    run_virtual(main())


def test_a_certificate_without_its_block_silences_no_validator() -> None:
    """A liar could otherwise take a vote away from where it is needed for the decision."""

    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            others = [network.address(name) for name in HONEST]
            await network.settle(A, network.transaction())
            await network.until_height(network[A].height)
            height = network[D].height + 1
            network.net.isolate(network.address(D), others)
            for _ in range(3):
                await network.settle(A, network.transaction())
            block, certificate = certified(network, height)
            foreign = certified(network, height + 1).block.transactions[0]
            unsigned = foreign[:-1] + bytes([foreign[-1] ^ 1])
            replica = network[D].up.replica
            assert replica.is_voting

            for transactions in ((), (foreign,), (unsigned,)):
                lie = Certified(replace(block, transactions=transactions), certificate)
                with pytest.raises(Exception, match=r"wrong-transactions|BAD_SIGNATURE"):
                    await replica.commit_synced([lie, certified(network, height + 1)])
                assert network[D].height == height - 1
                assert replica.is_voting

            network.net.rejoin(network.address(D), others)
            await network.until_height(network[A].height, D)
            network.check_agreement()

    run_virtual(main())


def test_a_run_is_bounded_and_the_next_blocks_are_under_way_while_it_is_applied() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, BLOCKS)
            only_linked_to(network, OBSERVER, A)
            await network.start(OBSERVER)
            sync = network[OBSERVER].up.sync
            runs: list[tuple[int, int]] = []
            commit = sync._commit

            def noting(run: Sequence[Certified]) -> asyncio.Future[int]:
                runs.append((len(run), len(sync._requests)))
                return commit(run)

            sync._commit = noting
            await network.until_height(BLOCKS, OBSERVER)

            assert runs == [(RUN_BLOCKS_MAX, 1), (RUN_BLOCKS_MAX, 1), (RUN_BLOCKS_MAX, 0)]

    run_virtual(main())


def test_while_a_run_is_written_the_signatures_of_the_next_are_verified() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, BLOCKS)
            only_linked_to(network, OBSERVER, A)
            await network.start(OBSERVER)
            node = network[OBSERVER].up
            commit, written = node.chain.commit, asyncio.Event()

            async def slow(*arguments: object, **more: object) -> object:
                await written.wait()  # As if the disk took so long.
                return await commit(*arguments, **more)  # type: ignore[arg-type]

            node.chain.commit = slow  # type: ignore[method-assign, assignment]
            asked: list[int] = []
            planned = node.sync._planned

            def noting(*arguments: Any) -> dict[str, Range]:
                found = planned(*arguments)
                for start, length in found.values():
                    asked.extend(range(start, start + length))
                return found

            node.sync._planned = noting  # type: ignore[method-assign, assignment]
            await network.until(
                lambda: [len(each) for each in node.admission._ahead] == [RUN_BLOCKS_MAX]
            )
            assert node.chain.head.height == 0
            verified = node.admission.signatures_verified
            assert verified == 2 * RUN_BLOCKS_MAX  # one transaction a block
            written.set()
            await network.until_height(BLOCKS, OBSERVER)

            assert node.admission.signatures_verified == BLOCKS
            assert len(set(asked)) == len(asked)  # Not what is being committed once more.
            await network.until(lambda: not node.admission._ahead)

    run_virtual(main())


def without_signatures(item: BlockItem) -> BlockItem:
    certificate = decode_certificate(item.certificate)
    forged = type(certificate)(
        kind=certificate.kind,
        height=certificate.height,
        round=certificate.round,
        block_id=certificate.block_id,
        signatures=tuple((name, Signature(bytes(64))) for name, _ in certificate.signatures),
    )
    return BlockItem(block=item.block, certificate=encode_certificate(forged))


def with_one_more(item: BlockItem) -> BlockItem:
    block = decode_block(item.block)
    more = replace(block, transactions=(*block.transactions, *block.transactions))
    return BlockItem(block=encode_block(more), certificate=item.certificate)


@pytest.mark.adversarial(50)
@pytest.mark.parametrize("spoil", [without_signatures, with_one_more])
def test_of_what_no_validators_stand_behind_no_signature_is_verified_ahead(
    spoil: Callable[[BlockItem], BlockItem],
) -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, RUN_BLOCKS_MAX + 2)
            only_linked_to(network, OBSERVER, A)
            await network.start(OBSERVER)
            node = network[OBSERVER].up
            commit, written = node.chain.commit, asyncio.Event()

            async def slow(*arguments: object, **more: object) -> object:
                await written.wait()
                return await commit(*arguments, **more)  # type: ignore[arg-type]

            node.chain.commit = slow  # type: ignore[method-assign, assignment]
            take = node.sync._take

            def spoiling(peer: str, answer: Blocks) -> None:
                items = [
                    spoil(item) if height > RUN_BLOCKS_MAX else item
                    for height, item in enumerate(answer.items, answer.from_height)
                ]
                take(peer, replace(answer, items=tuple(items)))

            node.sync._take = spoiling  # type: ignore[method-assign]
            await network.until(lambda: RUN_BLOCKS_MAX + 1 in node.sync._buffer)
            written.set()
            await network.until(lambda: faults(network, A) >= 1)

            assert node.chain.head.height == RUN_BLOCKS_MAX
            assert node.admission.signatures_verified == RUN_BLOCKS_MAX
            assert not node.admission._ahead

    run_virtual(main())


def test_a_run_of_large_blocks_ends_at_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await grown(network, 12)
            sizes = [
                len(item_of(network, height).block) + len(item_of(network, height).certificate)
                for height in range(1, 13)
            ]
            monkeypatch.setattr(sync_module, "RUN_BYTES_MAX", 3 * min(sizes))
            only_linked_to(network, OBSERVER, A)
            await network.start(OBSERVER)
            sync = network[OBSERVER].up.sync
            runs: list[int] = []
            commit = sync._commit

            def noting(run: Sequence[Certified]) -> asyncio.Future[int]:
                runs.append(len(run))
                return commit(run)

            sync._commit = noting
            await network.until_height(12, OBSERVER)

            assert runs == [3, 3, 3, 3]

    run_virtual(main())


def test_log_stands_at_the_top_of_a_run_before_its_first_block_is_committed() -> None:
    """So a validator that dies in the middle of one signs nothing that it cannot know of."""

    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            others = [network.address(name) for name in HONEST]
            network.net.isolate(network.address(D), others)
            for _ in range(20):
                await network.settle(A, network.transaction())
            run = [certified(network, height) for height in range(network[D].height + 1, 21)]
            node = network[D].up
            commit = node.chain.commit
            died = asyncio.Event()

            async def dies(*arguments: object, **more: object) -> object:
                if node.chain.head.height == 10:
                    died.set()
                    await asyncio.Event().wait()
                return await commit(*arguments, **more)  # type: ignore[arg-type]

            node.chain.commit = dies  # type: ignore[method-assign, assignment]
            waiting = node.replica.commit_synced(run)
            await died.wait()
            waiting.cancel()
            await network.stop(D)
            await network.start(D)

            # Above the head by more than one: nothing up to there is signed before it is copied.
            assert network[D].height == 10
            assert not network[D].up.replica.is_voting
            network.net.rejoin(network.address(D), others)
            await network.until_height(20, D)
            await network.stop(C)
            await network.settle(A, network.transaction())
            network.check_agreement()

    run_virtual(main())
