"""Catching up from peers of whom one lies: nothing false is committed, and another is asked."""

import asyncio
import io
import json
from collections.abc import Callable

import pytest

from consensus.types import Signature
from node.blocks import decode_block, decode_certificate, encode_block, encode_certificate
from node.codec import replace as replaced
from node.log import Logger, open_log
from node.network import BlockItem, Blocks, GetBlocks, Status
from node.provision.description import Blocks as BlockSettings
from node.replica.events import Certified
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, cluster
from tests.app.puppet import Puppet, puppet
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS
HONEST = (A, B, C)


async def grown(network: Cluster, blocks: int) -> None:
    """Let three honest validators make so many blocks, each with a transaction."""
    network.bear(*HONEST)
    await network.start(*HONEST)
    await network.until_meshed()
    for _ in range(blocks):
        await network.settle(A, network.transaction())
    await network.until_height(blocks, *HONEST)


def item_of(network: Cluster, height: int) -> BlockItem:
    history = network[A].up.chain.history
    block, certificate = history.block_bytes(height), history.certificate_bytes(height)
    assert block is not None
    assert certificate is not None
    return BlockItem(block=block, certificate=certificate)


def serving(
    network: Cluster, liar: Puppet, change: Callable[[int, BlockItem], BlockItem]
) -> Callable[[str, object], None]:
    """Answer requests with the true blocks, changed."""

    def answer(peer: str, message: object) -> None:
        if isinstance(message, GetBlocks):
            top = min(message.from_height + message.count, network[A].height + 1)
            items = tuple(
                change(height, item_of(network, height))
                for height in range(message.from_height, top)
            )
            liar.network.send(peer, Blocks(from_height=message.from_height, items=items))

    return answer


def only_linked_to(network: Cluster, name: str, *others: str) -> None:
    for other in VALIDATORS:
        if other not in others:
            network.net.isolate(network.address(name), [network.address(other)])


async def caught_up_from_a(network: Cluster, height: int) -> None:
    """Let the observer reach A, and see that what it committed is A's chain."""
    network.net.rejoin(network.address(OBSERVER), [network.address(A)])
    await network.until_height(height, OBSERVER, within_s=60.0)
    network.check_agreement()


def faults(network: Cluster, name: str) -> float:
    metrics = network[OBSERVER].up.metrics
    return metrics.value("khazana_peer_faults_total", peer=name, reason="reported")


def one_bad_signature(height: int, item: BlockItem) -> BlockItem:
    if height != 3:
        return item
    certificate = decode_certificate(item.certificate)
    (name, _), *rest = certificate.signatures
    forged = type(certificate)(
        kind=certificate.kind,
        height=certificate.height,
        round=certificate.round,
        block_id=certificate.block_id,
        signatures=((name, Signature(bytes(64))), *rest),
    )
    return BlockItem(block=item.block, certificate=encode_certificate(forged))


def too_few_signatures(_height: int, item: BlockItem) -> BlockItem:
    certificate = decode_certificate(item.certificate)
    fewer = type(certificate)(
        kind=certificate.kind,
        height=certificate.height,
        round=certificate.round,
        block_id=certificate.block_id,
        signatures=certificate.signatures[:2],
    )
    return BlockItem(block=item.block, certificate=encode_certificate(fewer))


def other_state(_height: int, item: BlockItem) -> BlockItem:
    block = decode_block(item.block)
    changed = replaced(block, header=replaced(block.header, state_root=bytes(32)))
    return BlockItem(block=encode_block(changed), certificate=item.certificate)


def no_transactions(_height: int, item: BlockItem) -> BlockItem:
    block = decode_block(item.block)
    return BlockItem(
        block=encode_block(replaced(block, transactions=())), certificate=item.certificate
    )


def unsigned_transaction(_height: int, item: BlockItem) -> BlockItem:
    block = decode_block(item.block)
    raws = tuple(raw[:-64] + bytes(64) for raw in block.transactions)
    return BlockItem(
        block=encode_block(replaced(block, transactions=raws)), certificate=item.certificate
    )


def garbage(_height: int, _item: BlockItem) -> BlockItem:
    return BlockItem(block=b"\x90", certificate=b"\x90")


def amended(height: int, item: BlockItem) -> BlockItem:
    """A block that claims to stand on an amendment of the validators: nobody can tell."""
    block = decode_block(item.block)
    header = replaced(block.header, parent=b"a" * 32, validators_hash=bytes(32))
    return BlockItem(
        block=encode_block(replaced(block, header=header)) if height == 3 else item.block,
        certificate=item.certificate,
    )


@pytest.mark.adversarial(50)
@pytest.mark.parametrize(
    "change",
    [
        one_bad_signature,
        too_few_signatures,
        other_state,
        no_transactions,
        unsigned_transaction,
        garbage,
    ],
)
def test_a_block_that_is_not_certified_whole_is_refused_and_asked_of_another(
    change: Callable[[int, BlockItem], BlockItem],
) -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network, puppet(network, D) as liar:
            await grown(network, 6)
            liar.height = 6
            liar.answer = serving(network, liar, change)
            only_linked_to(network, OBSERVER, D)
            await network.start(OBSERVER)
            await network.until(lambda: faults(network, D) >= 1, within_s=5.0)
            assert network[OBSERVER].height == (2 if change is one_bad_signature else 0)

            await caught_up_from_a(network, 6)

    run_virtual(main())


@pytest.mark.adversarial(50)
def test_a_peer_that_speaks_of_an_amendment_holds_up_nobody_and_is_held_to_nothing() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network, puppet(network, D) as liar:
            await grown(network, 6)
            liar.height = 6
            liar.answer = serving(network, liar, amended)
            only_linked_to(network, OBSERVER, D)
            await network.start(OBSERVER)
            sync = network[OBSERVER].up.sync
            await network.until(lambda: sync.missing is not None, within_s=5.0)
            assert network[OBSERVER].height == 2
            assert (b"a" * 32).hex() in (sync.missing or "")
            assert faults(network, D) == 0

            # It was a lie: others have the block.
            await caught_up_from_a(network, 6)
            assert sync.missing is None

    run_virtual(main())


@pytest.mark.adversarial(50)
def test_a_block_of_another_height_with_its_true_certificate_is_refused() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network, puppet(network, D) as liar:
            await grown(network, 6)
            liar.height = 6
            liar.answer = serving(network, liar, lambda height, _: item_of(network, 7 - height))
            only_linked_to(network, OBSERVER, D)
            await network.start(OBSERVER)
            await network.until(lambda: faults(network, D) >= 1, within_s=5.0)
            assert network[OBSERVER].height == 0

            await caught_up_from_a(network, 6)

    run_virtual(main())


@pytest.mark.adversarial(49)
def test_a_height_that_nobody_has_is_struck_and_its_author_put_out() -> None:
    async def main() -> None:
        async with (
            cluster(observers=[OBSERVER]) as network,
            puppet(network, D) as liar,
        ):
            await grown(network, 3)
            liar.height = 10**9
            await network.start(OBSERVER)
            await network.until_height(3, OBSERVER, within_s=30.0)
            await network.until(lambda: faults(network, D) >= 1, within_s=30.0)

            sync = network[OBSERVER].up.sync
            assert sync.target == network[A].height
            liar.network.broadcast(
                Status(height=50, block_id=bytes(32), earliest=1), observers=True
            )
            await asyncio.sleep(1.0)
            assert sync.target == network[A].height
            await asyncio.sleep(120.0)
            assert faults(network, D) >= 5
            assert await network.settle(OBSERVER, network.transaction()) < 15.0
            # What it asked for stays within the window, whatever was claimed.
            assert all(m.from_height < 10_000 for m in liar.of_kind(GetBlocks))

    run_virtual(main())


@pytest.mark.adversarial(29, 49)
def test_a_false_height_at_the_beginning_keeps_no_network_from_beginning() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, D, height=10**9) as liar:
            # Born logs, as `khazana init` writes them: without, each would wait for the liar's word
            # on whether it has begun.
            network.bear(*HONEST)
            await network.start(*HONEST)
            await network.until_meshed()
            await liar.linked(3)

            assert await network.settle(A, network.transaction()) < 20.0

    run_virtual(main())


@pytest.mark.adversarial(49, 51)
@pytest.mark.parametrize("kind", ["silent", "empty", "elsewhere", "too-many"])
def test_a_peer_that_does_not_answer_what_was_asked_holds_up_nobody(kind: str) -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network, puppet(network, D) as liar:
            await grown(network, 9)
            liar.height = 9

            def answer(peer: str, message: object) -> None:
                if not isinstance(message, GetBlocks):
                    return
                item = item_of(network, 1)
                items = {
                    "silent": None,
                    "empty": (),
                    "elsewhere": (item,),
                    "too-many": (item,) * (message.count + 1),
                }[kind]
                start = message.from_height + (kind == "elsewhere")
                if items is not None:
                    liar.network.send(peer, Blocks(from_height=start, items=items))

            liar.answer = answer
            await network.start(OBSERVER)

            await network.until_height(9, OBSERVER, within_s=30.0)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(51)
def test_blocks_served_twice_or_after_consensus_committed_them_change_nothing() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network, puppet(network, D) as liar:
            await grown(network, 4)
            liar.height = 4
            await network.start(OBSERVER)
            await network.until_height(4, OBSERVER, within_s=30.0)
            writes = network[OBSERVER].disk.store.writes_synced
            served = Blocks(
                from_height=1, items=tuple(item_of(network, height) for height in range(1, 5))
            )

            for _ in range(3):
                for name in (OBSERVER, A):
                    liar.network.send(name, served)
            await asyncio.sleep(2.0)
            block = decode_block(item_of(network, 2).block)
            certificate = decode_certificate(item_of(network, 2).certificate)
            for name in (OBSERVER, A):
                run = [Certified(block, certificate)]
                assert await network[name].up.replica.commit_synced(run) == 0

            assert network[OBSERVER].disk.store.writes_synced == writes
            assert await network.settle(A, network.transaction()) < 8.0

    run_virtual(main())


@pytest.mark.adversarial(52)
def test_a_status_of_our_own_height_changes_nothing() -> None:
    async def main() -> None:
        async with (
            cluster(observers=[OBSERVER], blocks=BlockSettings(heartbeat_ms=3_600_000)) as network,
            puppet(network, D) as same,
        ):
            await grown(network, 2)
            same.height = 2
            await network.start(OBSERVER)
            await network.until_height(2, OBSERVER, within_s=30.0)
            await asyncio.sleep(1.0)
            node = network[OBSERVER].up
            before = (node.metrics.value("khazana_blocks_synced_total"), len(same.heard))

            for _ in range(10):
                same.network.broadcast(
                    Status(height=2, block_id=bytes(32), earliest=1), observers=True
                )
                await asyncio.sleep(0.1)

            assert node.metrics.value("khazana_blocks_synced_total") == before[0]
            assert len(same.of_kind(GetBlocks)) == 0 or len(same.heard) == before[1]
            assert faults(network, D) == 0
            assert node.sync.target == 2

    run_virtual(main())


def test_a_validator_cut_off_for_long_catches_up_and_votes_again() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            others = [network.address(name) for name in HONEST]
            network.net.isolate(network.address(D), others)
            for _ in range(40):
                await network.settle(A, network.transaction())
            network.net.rejoin(network.address(D), others)

            await network.until_height(40, D, within_s=20.0)
            signed = network[D].up.metrics.value("khazana_signatures_total", kind="precommit")
            for _ in range(4):
                await network.settle(A, network.transaction())
            await network.until_height(44)

            metrics = network[D].up.metrics
            assert metrics.value("khazana_signatures_total", kind="precommit") > signed
            network.check_agreement()

    run_virtual(main())


# Peers that prune.


def idle() -> BlockSettings:
    return BlockSettings(heartbeat_ms=1_000)


def test_a_node_asks_only_those_who_keep_what_it_needs() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER], blocks=idle(), window_ms=1_000) as network:
            network.keep_blocks = {B: 5, C: 5}
            await network.start(*VALIDATORS)
            await network.until_height(30)
            assert network[A].up.chain.history.earliest == 1
            assert network[B].up.chain.history.earliest > 20

            await network.stop(D)
            await network.start(OBSERVER)
            await network.until_height(30, OBSERVER)

            network.check_agreement()
            assert all(faults(network, name) == 0 for name in HONEST)
            assert all(machine.failure is None for machine in network.machines.values())

    run_virtual(main())


def test_a_node_whose_next_block_nobody_keeps_says_so_and_blames_nobody() -> None:
    async def main() -> None:
        stream = io.StringIO()

        def log(name: str) -> Logger:
            return open_log(stream, now_ms=lambda: 0, form="json", node=name)

        async with cluster(
            observers=[OBSERVER], blocks=idle(), window_ms=1_000, log=log
        ) as network:
            network.keep_blocks = dict.fromkeys(VALIDATORS, 5)
            await network.start(*VALIDATORS)
            await network.until_height(30)

            await network.start(OBSERVER)
            await network.until(lambda: network[OBSERVER].up.sync.unserved == 1)
            await network.until_height(40, *VALIDATORS)

            assert network[OBSERVER].height == 0
            assert all(faults(network, name) == 0 for name in VALIDATORS)
            lines = [json.loads(line) for line in stream.getvalue().splitlines()]
            said = [line for line in lines if "keeps the block" in line["event"]]
            assert len(said) == 1
            assert said[0]["height"] == 1
            assert "khazana restore" in said[0]["advice"]

    run_virtual(main())


def test_a_peer_that_prunes_while_it_is_asked_is_not_blamed() -> None:
    """It answers with nothing, and says first from where on it still has blocks."""

    async def main() -> None:
        async with (
            cluster(observers=[OBSERVER]) as network,
            puppet(network, D, height=3) as forgetful,
        ):
            await grown(network, 3)
            only_linked_to(network, OBSERVER, D)

            def answer(peer: str, message: object) -> None:
                if isinstance(message, GetBlocks):
                    pruned = Status(height=3, block_id=bytes(32), earliest=3)
                    forgetful.network.send(peer, pruned)
                    forgetful.network.send(peer, Blocks(from_height=message.from_height, items=()))

            forgetful.answer = answer
            await network.start(OBSERVER)
            await network.until(lambda: network[OBSERVER].up.sync.unserved == 1)
            asked = [m for peer, m in forgetful.heard if peer == OBSERVER]
            assert len([m for m in asked if isinstance(m, GetBlocks)]) == 1
            assert faults(network, D) == 0
            await caught_up_from_a(network, 3)

    run_virtual(main())
