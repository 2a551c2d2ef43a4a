"""A change of the rules at a height, on running nodes of two releases (adversarial 67)."""

import io
import json

import pytest

from node.chain import UpgradeRequired
from node.ledger.acts.governance.cancel_upgrade import CancelUpgrade
from node.ledger.acts.governance.schedule_upgrade import ScheduleUpgrade
from node.log import open_log
from tests.app.cluster import EPOCH_MS, OBSERVER, VALIDATORS, Cluster, cluster
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS
OLD = frozenset({1})
"""What a release before the upgrade knows."""


def schedule(network: Cluster, height: int) -> bytes:
    approvers = tuple(sorted(network.account(office) for office in (B, C, D)))
    operation = ScheduleUpgrade(
        account=network.account(A), approvers=approvers, version=2, height=height
    )
    return network.signed(operation, *VALIDATORS)


def cancel(network: Cluster) -> bytes:
    approvers = tuple(sorted(network.account(office) for office in (B, C, D)))
    operation = CancelUpgrade(account=network.account(A), approvers=approvers, version=2)
    return network.signed(operation, *VALIDATORS)


async def work_up_to(network: Cluster, height: int) -> None:
    while network[A].height < height:
        await network.settle(A, network.transaction())


def versions(network: Cluster, machine: str) -> list[int]:
    chain = network[machine].up.chain
    blocks = [chain.block(height) for height in range(1, chain.head.height + 1)]
    return [block.header.version for block in blocks if block is not None]


@pytest.mark.adversarial(67)
def test_old_release_keeps_consensus_until_the_gate_and_refuses_clearly_after() -> None:
    async def main() -> None:
        async with cluster(protocol_version=1) as network:
            network.versions[D] = OLD
            await network.meet()
            gate = network[A].height + 6
            await network.settle(A, schedule(network, gate))
            await network.until_height(network[A].height)
            assert network[D].up.metrics.value("khazana_upgrade_known") == 0
            assert network[A].up.metrics.value("khazana_upgrade_known") == 1
            assert network[D].up.metrics.value("khazana_upgrade_height") == gate
            await work_up_to(network, gate - 1)
            await network.until(lambda: network[D].node is None)

            failure = network[D].failure
            assert isinstance(failure, UpgradeRequired)
            assert (failure.version, failure.height) == (2, gate)
            assert "Install a release of khazana that knows version 2" in str(failure)
            await work_up_to(network, gate + 3)
            assert versions(network, A) == [1] * (gate - 1) + [2] * (network[A].height - gate + 1)
            votes = [
                {name for name, _ in certificate.signatures}
                for height in range(gate, network[A].height + 1)
                if (certificate := network[A].up.chain.certificate(height)) is not None
            ]
            assert votes
            assert all(D not in names for names in votes)

    run_virtual(main())


@pytest.mark.adversarial(67)
def test_old_release_is_refused_at_every_start_and_a_new_one_goes_on_from_its_disk() -> None:
    async def main() -> None:
        async with cluster(protocol_version=1) as network:
            network.versions[D] = OLD
            await network.meet()
            gate = network[A].height + 3
            await network.settle(A, schedule(network, gate))
            await work_up_to(network, gate + 1)
            await network.stop(D)

            for _ in range(2):
                with pytest.raises(UpgradeRequired, match=f"from height {gate} on, version 2"):
                    await network.start(D)
            del network.versions[D]
            await network.start(D)
            await network.until_height(network[A].height, D)
            await network.until_meshed()

            await network.stop(C)  # its vote is needed now
            await network.settle(A, network.transaction(), network.transaction())
            await network.until_height(network[A].height)
            network.check_agreement()

    run_virtual(main())


def test_network_with_too_few_upgraded_waits_at_the_gate_and_goes_on_when_one_more_is() -> None:
    async def main() -> None:
        async with cluster(protocol_version=1) as network:
            network.versions |= {C: OLD, D: OLD}
            await network.meet()
            gate = network[A].height + 3
            await network.settle(A, schedule(network, gate))
            await work_up_to(network, gate - 1)
            await network.until(lambda: network[C].node is None and network[D].node is None)
            await network.submit(A, network.transaction())
            assert network[A].height == network[B].height == gate - 1

            await network.stop(C)
            del network.versions[C]
            await network.start(C)
            await network.until_height(gate, A, B, C)
            network.check_agreement()

    run_virtual(main())


def test_upgrade_that_is_cancelled_stops_nobody() -> None:
    async def main() -> None:
        async with cluster(protocol_version=1) as network:
            network.versions[D] = OLD
            await network.meet()
            gate = network[A].height + 5
            await network.settle(A, schedule(network, gate))
            await network.settle(A, cancel(network))
            await work_up_to(network, gate + 2)
            await network.until_height(gate + 2, D)

            assert network[D].up.metrics.value("khazana_upgrade_known") == 1
            assert network[D].up.metrics.value("khazana_upgrade_version") == 0
            assert set(versions(network, D)) == {1}

    run_virtual(main())


def test_new_node_copies_the_chain_across_the_gate_and_an_old_one_stops_before_it() -> None:
    async def main() -> None:
        async with cluster(protocol_version=1, observers=[OBSERVER]) as network:
            await network.start(*VALIDATORS)
            await network.until_meshed()
            gate = network[A].height + 3
            await network.settle(A, schedule(network, gate))
            await work_up_to(network, gate + 4)

            network.versions[OBSERVER] = OLD
            await network.start(OBSERVER)
            await network.until(lambda: network[OBSERVER].node is None)
            assert isinstance(network[OBSERVER].failure, UpgradeRequired)
            await network.stop(OBSERVER)
            del network.versions[OBSERVER]
            await network.start(OBSERVER)
            await network.until_height(gate + 4, OBSERVER)

            assert versions(network, OBSERVER) == versions(network, A)

    run_virtual(main())


def test_operator_reads_in_the_log_what_is_scheduled_and_what_to_do() -> None:
    streams = {name: io.StringIO() for name in VALIDATORS}

    async def main() -> None:
        async with cluster(
            protocol_version=1,
            log=lambda name: open_log(
                streams[name], now_ms=lambda: EPOCH_MS, level="info", form="json", node=name
            ),
        ) as network:
            network.versions[D] = OLD
            await network.meet()
            await network.settle(A, schedule(network, 40))
            await network.until_height(network[A].height)
            await network.stop(D)
            await network.start(D)

    run_virtual(main())

    told = notices(streams[D])
    assert len(told) == 2  # when it was scheduled, and at the start after that
    for line in told:
        assert line["level"] == "error"
        assert "will stop after height 39: install a release" in line["versions"]
    [calm] = notices(streams[A])
    assert calm["level"] == "info"
    assert calm["versions"] == "version 1 rules, version 2 from height 40 on"


def notices(stream: io.StringIO) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in lines if line["event"] == "protocol"]
