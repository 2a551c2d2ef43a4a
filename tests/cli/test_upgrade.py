"""`khazana upgrade`: the two runbooks, command by command, on a network of real sockets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from node.addresses import render_address
from node.app import NodeParts
from node.chain import UpgradeRequired
from node.cli.exits import Exit
from node.cli.failures import explain
from node.ledger.protocol import LATEST_VERSION
from node.provision.funding import institution_account
from node.testing.cluster import Cluster, running_cluster
from tests.chain.town import make_record
from tests.cli.asked import run
from tests.rpc.solo import solo_node

OLDER = "crypto-council"
OFFICES = ("central-bank", "finance-ministry", "virtual-asset-regulator")


class Releases:
    """Which nodes run a release that knows version 1 only."""

    def __init__(self, *older: str) -> None:
        self.older = set(older)

    def __call__(self, name: str, parts: NodeParts) -> NodeParts:
        return replace(parts, versions=(1,)) if name in self.older else parts


def urls(cluster: Cluster) -> list[str]:
    return [word for node in cluster.running for word in ("--url", node.url)]


def hand(office: str) -> list[str]:
    address = render_address(institution_account(office).address, test=True)
    return ["--account", address, "--development", f"{office}/account"]


async def decide(cluster: Cluster, *words: str) -> None:
    """Propose with the first office, approve with the others."""
    url = ["--url", cluster.nodes[OFFICES[0]].url]
    proposed = await run("upgrade", *words, *hand(OFFICES[0]), *url, "--json")
    assert proposed.code == Exit.OK, proposed.err
    assert proposed.json["state"] == "open"
    states = []
    for office in OFFICES[1:]:
        approved = await run(
            "validator", "approve", proposed.json["proposal"], *hand(office), *url, "--json"
        )
        assert approved.code == Exit.OK, approved.err
        states.append(approved.json["state"])
    assert states == ["open", "applied"]


async def work_up_to(cluster: Cluster, height: int, names: Sequence[str]) -> None:
    while cluster.height < height:
        await cluster.transfer(cluster.accounts[0], cluster.accounts[1], 1)
    await cluster.wait_height(height, *names)


@pytest.mark.adversarial(67)
async def test_runbook_of_an_upgrade_is_followed(tmp_path: Path) -> None:
    releases = Releases(OLDER)
    async with running_cluster(
        tmp_path, protocol_version=1, storage="memory", adjust=releases
    ) as cluster:
        everybody = list(cluster.nodes)

        # Not every node knows the version yet: say which.
        status = await run("upgrade", "status", *urls(cluster))
        assert status.code == Exit.OK
        assert "version 1 rules after block" in status.out
        assert "no upgrade is scheduled" in status.out
        behind = await run("upgrade", "check", "--version", "2", *urls(cluster), "--json")
        assert behind.code == Exit.REFUSED
        assert f"{OLDER} runs khazana" in behind.err
        assert "which knows versions 1, not 2" in behind.err

        # One node after the other, the newer release.
        releases.older.clear()
        await cluster.stop_node(OLDER)
        await cluster.transfer(cluster.accounts[0], cluster.accounts[1], 1)
        await cluster.start_node(OLDER)
        ready = await run("upgrade", "check", "--version", "2", *urls(cluster))
        assert (ready.code, ready.out) == (Exit.OK, "4 nodes asked: all know version 2\n")

        # The offices agree on a height.
        height = cluster.height + 12
        await decide(cluster, "propose", "--version", "2", "--height", str(height))
        status = await run("upgrade", "status", *urls(cluster))
        assert f"version 2 rules from height {height} on" in status.out
        assert "WILL STOP" not in status.out

        await work_up_to(cluster, height, everybody)
        status = await run("upgrade", "status", *urls(cluster), "--json")
        assert (status.json["rules"], status.json["upgrade"]) == (2, None)
        assert len(cluster.running) == 4
        await cluster.agreed_root()


async def test_runbook_of_a_node_that_was_forgotten_is_followed(tmp_path: Path) -> None:
    releases = Releases(OLDER)
    async with running_cluster(
        tmp_path, protocol_version=1, storage="memory", adjust=releases
    ) as cluster:
        height = cluster.height + 10
        await decide(cluster, "propose", "--version", "2", "--height", str(height))

        status = await run("upgrade", "status", *urls(cluster))
        assert f"{OLDER} WILL STOP after height {height - 1}" in status.out
        assert (await run("upgrade", "check", *urls(cluster))).code == Exit.REFUSED

        # Time enough to think again, and then to schedule it once more.
        await decide(cluster, "cancel", "--version", "2")
        status = await run("upgrade", "status", *urls(cluster))
        assert "no upgrade is scheduled" in status.out
        await work_up_to(cluster, height + 1, list(cluster.nodes))
        releases.older.clear()
        await cluster.stop_node(OLDER)
        await cluster.start_node(OLDER)
        height = cluster.height + 8
        await decide(cluster, "propose", "--version", "2", "--height", str(height))
        await work_up_to(cluster, height + 1, list(cluster.nodes))
        await cluster.agreed_root()


async def test_nothing_is_proposed_that_this_release_does_not_know() -> None:
    async with solo_node() as solo:
        ran = await run(
            "upgrade",
            "propose",
            "--version",
            str(LATEST_VERSION + 1),
            "--height",
            "9",
            *hand(OFFICES[0]),
            "--url",
            solo.url,
        )

    assert ran.code == Exit.REFUSED
    assert f"this release knows versions 1 to {LATEST_VERSION}, not {LATEST_VERSION + 1}" in ran.err


async def test_nothing_is_proposed_that_the_ledger_would_refuse() -> None:
    """Before other offices are asked to approve what can never be in force."""
    async with solo_node(record=make_record(validators=1, protocol_version=1)) as solo:
        head, url = solo.town.chain.head.height, ("--url", solo.url)
        wrong = {
            f"block {head} is decided already": ("propose", "--version", "2", "--height", head),
            "the next is 2, not 1": ("propose", "--version", "1", "--height", head + 9),
            "no upgrade is scheduled": ("cancel", "--version", "2"),
        }
        for said, words in wrong.items():
            ran = await run("upgrade", *map(str, words), *hand(OFFICES[0]), *url)

            assert (ran.code, said in ran.err) == (Exit.REFUSED, True), ran.err


async def test_node_that_does_not_answer_is_not_ready() -> None:
    async with solo_node() as solo:
        nowhere = "http://127.0.0.1:1"
        check = await run("upgrade", "check", "--url", solo.url, "--url", nowhere)
        status = await run("upgrade", "status", "--url", solo.url, "--url", nowhere)
        alone = await run("upgrade", "check", "--url", nowhere)

    assert check.code == Exit.REFUSED
    assert nowhere in check.err
    assert status.code == Exit.OK
    assert nowhere in status.out
    assert alone.code == Exit.UNREACHABLE


async def test_nodes_of_different_networks_are_not_compared() -> None:
    elsewhere = make_record(validators=1, window_ms=599_000)
    async with solo_node() as one, solo_node(record=elsewhere) as other:
        ran = await run("upgrade", "status", "--url", one.url, "--url", other.url)

    assert ran.code == Exit.REFUSED
    assert "belong to 2 networks" in ran.err


def test_node_that_is_too_old_ends_with_what_to_install() -> None:
    failure = explain(UpgradeRequired(3, 250_000, (1, 2)))

    assert failure.code is Exit.OUTDATED
    assert failure.message.startswith(
        "from height 250000 on, version 3 of the protocol rules; this software knows versions 1 to"
        " 2. Install a release"
    )
    assert failure.facts == {"version": 3, "height": 250_000, "known": [1, 2]}
