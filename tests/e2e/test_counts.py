"""What each transaction and each block costs a node, counted over real traffic."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from node.app import NodeParts
from node.client import Client, Draft, transaction
from node.hashing import HASH_SIZE
from node.keys import verify
from node.provision.acts import RUPEE
from node.testing.cluster import Cluster, running_cluster

TRANSACTIONS = 200


def draft(cluster: Cluster, client: Client, number: int) -> Draft:
    payer, payee = cluster.accounts[number % 10], cluster.accounts[(number + 1) % 10]
    valid_until_ms = cluster.nodes["central-bank"].node.chain.head.time_ms + 60_000
    return (
        transaction(client.network, valid_until_ms=valid_until_ms)
        .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1)
        .sign(payer.signer)
    )


def counting(verified: Counter[str]) -> Callable[[str, NodeParts], NodeParts]:
    """Count what each node verifies of transactions: their signers sign the id, 32 bytes."""

    def adjust(name: str, parts: NodeParts) -> NodeParts:
        def counted(public_key: bytes, message: bytes, signature: bytes) -> bool:
            verified[name] += len(message) == HASH_SIZE
            return verify(public_key, message, signature)

        return replace(parts, verify=counted)

    return adjust


@pytest.mark.adversarial(57)
async def test_one_verification_per_signature_and_one_synced_batch_per_block(
    tmp_path: Path,
) -> None:
    """Handed in at five nodes, each twice, pushed to all of them, proposed, decided, stored."""
    verified: Counter[str] = Counter()
    async with running_cluster(tmp_path / "n", observers=1, adjust=counting(verified)) as cluster:
        stores = {name: node.node.chain._store for name, node in cluster.nodes.items()}
        verified.clear()
        synced = {name: store.writes_synced for name, store in stores.items()}
        heights = {name: node.height for name, node in cluster.nodes.items()}

        async with cluster.client() as client:
            drafts = [draft(cluster, client, number) for number in range(TRANSACTIONS)]
        names = list(cluster.nodes)
        for start in range(0, TRANSACTIONS, 10):
            raws = [each.raw() for each in drafts[start : start + 10]]
            for step in range(2):
                async with cluster.client(names[(start // 10 + step) % 5]) as client:
                    await client.send_list(raws)
        async with cluster.client() as client:
            results = await client.submit_many(drafts)
        assert all(result.applied for result in results)
        await cluster.agreed_root()

        blocks = {name: node.height - heights[name] for name, node in cluster.nodes.items()}
        assert min(blocks.values()) > 1
        assert dict(verified) == dict.fromkeys(names, TRANSACTIONS)
        assert {
            name: store.writes_synced - synced[name] for name, store in stores.items()
        } == blocks
