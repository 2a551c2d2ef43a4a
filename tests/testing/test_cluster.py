"""The cluster: nodes that stop and start, waiting, and what it says when something is wrong."""

import asyncio
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from node.app import CHAIN_FOLDER, NodeParts
from node.chain import Committed
from node.client import Draft, Refused
from node.clock import ManualClock
from node.ledger.outcomes import Outcome
from node.storage import StorageDamaged
from node.testing.cluster import Cluster, NodeDown, WrongLoop, running_cluster
from tests.damage import damage_database


async def pay(cluster: Cluster) -> None:
    payer, payee = cluster.accounts[:2]
    await cluster.transfer(payer, payee, 1)


async def test_accounts_have_funds_at_every_node(cluster: Cluster) -> None:
    for name in cluster.nodes:
        async with cluster.client(name) as client:
            assert (await client.status()).node == name
            held = await client.holding(cluster.accounts[9].address, "PKR")
            assert held == Decimal("1000000.00")


async def test_what_is_transferred_and_issued_arrives(cluster: Cluster) -> None:
    payer, payee = cluster.accounts[:2]

    receipt = await cluster.transfer(payer, payee, "12.50")
    await cluster.issue(payee.address, 7)

    assert receipt.applied
    assert await cluster.holding(payer) == Decimal("999987.50")
    assert await cluster.holding(payee) == Decimal("1000019.50")


async def test_refusal_carries_its_outcome(cluster: Cluster) -> None:
    payer, payee = cluster.accounts[:2]

    with pytest.raises(Refused) as refused:
        await cluster.transfer(payer, payee, "1000000.01")

    assert refused.value.outcome is Outcome.HOLDING_INSUFFICIENT


@pytest.mark.parametrize("storage", ["disk", "memory"])
async def test_stopped_node_catches_up_when_it_is_started_again(
    tmp_path: Path, storage: str
) -> None:
    async with running_cluster(tmp_path / "network", storage=storage) as cluster:  # type: ignore[arg-type]
        await cluster.stop_node("finance-ministry")
        with pytest.raises(NodeDown):
            _ = cluster.nodes["finance-ministry"].height
        await pay(cluster)
        height = cluster.height

        await cluster.start_node("finance-ministry")
        assert cluster.nodes["finance-ministry"].height >= 1
        await cluster.wait_height(height, "finance-ministry")

        assert await cluster.agreed_root() == cluster.nodes["finance-ministry"].state_root


@pytest.mark.khazana(validators=1, storage="memory", funded=False)
async def test_marker_says_what_the_cluster_is_like(cluster: Cluster) -> None:
    assert list(cluster.nodes) == ["central-bank"]
    assert cluster.height == 0
    assert await cluster.agreed_root() == cluster.nodes["central-bank"].state_root


@pytest.mark.khazana(validators=3, observers=1, fault_model="crash", storage="memory")
async def test_two_of_three_decide_in_the_crash_model_and_an_observer_follows(
    cluster: Cluster,
) -> None:
    await cluster.stop_node("crypto-council")

    await pay(cluster)

    await cluster.wait_height(cluster.height, "observer-0")
    assert cluster.genesis.fault_model == "crash"
    assert not cluster.nodes["observer-0"].votes


@pytest.mark.khazana(validators=5, storage="memory")
async def test_more_validators_than_institutions(cluster: Cluster) -> None:
    await pay(cluster)

    async with cluster.client("validator-4") as client:
        validators = (await client.validators()).value
    assert len(validators.validators) == 5
    assert len(cluster.validators) == 5


@pytest.mark.khazana(validators=1, storage="memory", funded=False)
async def test_waiting_in_vain_says_where_everybody_stands(cluster: Cluster) -> None:
    with pytest.raises(TimeoutError, match=r"height 1000000 did not come .*central-bank at \d"):
        await cluster.wait_height(1_000_000, timeout_s=0.01)
    await cluster.stop_node("central-bank")
    with pytest.raises(NodeDown):
        await cluster.wait_height(1, "central-bank")


@pytest.mark.khazana(validators=1, storage="memory", funded=False)
async def test_node_is_not_started_twice_and_stopping_twice_is_harmless(cluster: Cluster) -> None:
    with pytest.raises(RuntimeError, match="central-bank was started already"):
        await cluster.start_node("central-bank")
    await cluster.stop_node("central-bank")
    await cluster.stop_node("central-bank")


@pytest.mark.khazana(validators=1, storage="memory", funded=False)
async def test_use_in_another_event_loop_is_refused_with_advice(cluster: Cluster) -> None:
    def elsewhere() -> None:
        asyncio.run(cluster.until(lambda: True))

    with pytest.raises(WrongLoop, match="asyncio_default_fixture_loop_scope"):
        await asyncio.to_thread(elsewhere)


@pytest.mark.parametrize(
    "options",
    [
        {"validators": 0},
        {"validators": 17},
        {"observers": 9},
        {"storage": "tape"},
        {"fault_model": "optimist"},
    ],
)
async def test_cluster_that_cannot_be_is_refused_at_once(
    tmp_path: Path, options: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"validators|storage|optimist"):
        async with running_cluster(tmp_path, **options):  # type: ignore[arg-type]
            pass


async def test_parts_of_a_node_can_be_adjusted(tmp_path: Path) -> None:
    """The clock of one node stands still, and the other three go on."""
    stopped = ManualClock()

    def adjust(name: str, parts: NodeParts) -> NodeParts:
        return replace(parts, clock=stopped) if name == "crypto-council" else parts

    async with running_cluster(tmp_path / "n", storage="memory", adjust=adjust) as cluster:
        await pay(cluster)


@pytest.mark.adversarial(69)
async def test_node_that_cannot_start_says_why_and_the_rest_goes_on(cluster: Cluster) -> None:
    node = cluster.nodes["central-bank"]
    await cluster.stop_node("central-bank")
    damage_database(node.home / "data" / CHAIN_FOLDER)

    with pytest.raises(StorageDamaged):
        await cluster.start_node("central-bank")

    assert not node.running
    await pay(cluster)


async def test_node_that_failed_by_itself_is_reported_in_the_end(tmp_path: Path) -> None:
    async def life() -> None:
        async with running_cluster(tmp_path / "n", validators=1, storage="memory") as cluster:
            node = cluster.nodes["central-bank"]
            node.node.chain.listeners.insert(0, _fail)
            await node.node.intake.submit([(await _draft(cluster)).raw()])
            await cluster.until(lambda: not node.running)

    with pytest.raises(ExceptionGroup, match="failed by themselves") as group:
        await life()

    assert group.group_contains(LookupError, match="the wrong shelf")


@pytest.mark.khazana(validators=1)
async def test_write_under_way_ends_before_the_database_is_closed(cluster: Cluster) -> None:
    """LevelDB is closed by freeing its memory: a thread that still writes would crash us."""
    chain = cluster.nodes["central-bank"].node.chain
    assert chain._thread is not None
    begun, never = threading.Event(), threading.Event()

    def slow_write() -> bool:
        begun.set()
        never.wait(0.2)
        chain._store.write([(b"M/test", b"1")], sync=True)
        return True

    writing = chain._thread.run(slow_write)
    await asyncio.to_thread(begun.wait)
    await cluster.stop_node("central-bank")

    assert await writing


def _fail(_committed: Committed) -> None:
    raise LookupError("the wrong shelf")


async def _draft(cluster: Cluster) -> Draft:
    payer, payee = cluster.accounts[:2]
    async with cluster.client() as client:
        builder = await client.transaction()
    return builder.transfer(account=payer.address, to=payee.address, asset="PKR", amount=1).sign(
        payer.signer
    )
