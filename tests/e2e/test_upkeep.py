"""The runbooks of `node/upkeep`, followed on a network of processes under load.

One network for all: a backup of a running validator, a damaged database checked and repaired, a
lost disk restored from the backup. What every validator signed is read from all logs at the end.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from node.app import CHAIN_FOLDER, LOG_FOLDER
from node.cli.exits import Exit
from node.client import Client
from node.provision.local import LocalNetwork
from tests.cli.running import Ran, khazana
from tests.damage import damage_database
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    MINISTRY,
    PATIENCE_S,
    REGULATOR,
    Payers,
    check_nothing_lost,
    client_of,
    running_network,
    signatures_agree,
    until_height,
)

pytestmark = pytest.mark.e2e


async def command(*words: str | Path) -> Ran:
    return await asyncio.to_thread(khazana, *words)


def data(network: LocalNetwork, name: str) -> Path:
    return network.nodes[name].home / "data"


async def height_of(client: Client) -> int:
    return (await client.status()).height


async def votes_again(network: LocalNetwork, name: str) -> None:
    """Wait until a block's certificate carries this validator's precommit."""
    async with client_of(network) as client, asyncio.timeout(PATIENCE_S):
        async for item in client.subscribe("blocks"):
            block = (await client.block(item.value["height"])).value
            if name in {each["validator"] for each in block.certificate["signatures"]}:
                return


@asynccontextmanager
async def down(network: LocalNetwork, name: str) -> AsyncIterator[None]:
    """A validator that is killed, and started again afterwards."""
    await network.kill(name)
    yield
    network.start(name, leashed=True)
    await network.wait_ready(name)


async def test_an_operator_backs_up_repairs_and_restores(tmp_path: Path) -> None:
    async with running_network(tmp_path / "network") as network:
        payers = Payers(network, seed=1, pause_s=0.05, through=(BANK, MINISTRY))
        async with payers.paying():
            await payers.more(50)
            backup = tmp_path / "backup"
            made = await back_up(network, backup)
            await repair_damage(network)
            await payers.more(20)
            await restore_lost_disk(network, backup, made)
            await payers.more(20)
        await check_nothing_lost_here(network, payers, made)
    signatures_agree(network)


async def back_up(network: LocalNetwork, to: Path) -> dict[str, Any]:
    """Runbook: back up a running node."""
    async with client_of(network, BANK) as client:
        before = await height_of(client)
        ran = await command("backup", "--home", network.nodes[BANK].home, "--to", to, "--json")
        assert (ran.code, ran.err) == (Exit.OK, "")
        made: dict[str, Any] = ran.json
        assert made["height"] >= before
        block = (await client.block(made["height"])).value
        assert (block.id, block.header.state_root) == (made["block_id"], made["state_root"])
        await until_height(client, made["height"] + 3)
    return made


async def repair_damage(network: LocalNetwork) -> None:
    """Runbook: a node stopped by itself or refuses its database."""
    home = network.nodes[COUNCIL].home
    refused = await command("check", "--home", home)
    assert refused.code == Exit.DAMAGED
    assert "in use by another process" in refused.err
    async with down(network, COUNCIL):
        log = (data(network, COUNCIL) / LOG_FOLDER / "consensus.log").read_bytes()
        damage_database(data(network, COUNCIL) / CHAIN_FOLDER)
        checked = await command("check", "--home", home, "--json")
        assert checked.code == Exit.DAMAGED
        assert checked.json["faults"]
        repaired = await command("repair", "--home", home, "--json")
        assert repaired.code == Exit.OK, repaired.err
        assert repaired.json["done"] in ("rebuilt", "moved")
        assert repaired.json["moved_to"].endswith("chain.damaged-1")
        assert (data(network, COUNCIL) / LOG_FOLDER / "consensus.log").read_bytes() == log
    await votes_again(network, COUNCIL)


async def restore_lost_disk(network: LocalNetwork, file: Path, made: dict[str, Any]) -> None:
    """Runbook: a node whose disk is lost gets a backup of another one's."""
    home = network.nodes[REGULATOR].home
    async with down(network, REGULATOR):
        shutil.rmtree(data(network, REGULATOR))
        restored = await command("restore", "--home", home, "--from", file, "--json")
        assert (restored.code, restored.err) == (Exit.OK, "")
        assert restored.json["height"] == made["height"]
        assert restored.json["block_id"] == made["block_id"]
        checked = await command("check", "--home", home, "--json")
        assert checked.code == Exit.OK, checked.out
        assert json.loads(checked.out)["height"] == made["height"]
    await votes_again(network, REGULATOR)


async def check_nothing_lost_here(
    network: LocalNetwork, payers: Payers, made: dict[str, Any]
) -> None:
    """The restored node keeps no block before its backup; all others have every receipt."""
    async with client_of(network, REGULATOR) as client:
        status = await client.status()
        assert status.earliest_height == made["height"] + 1
    others = LocalNetwork(
        root=network.root,
        name=network.name,
        nodes={name: node for name, node in network.nodes.items() if name != REGULATOR},
    )
    await check_nothing_lost(others, payers.receipts)
    async with client_of(network, REGULATOR) as restored, client_of(network, BANK) as other:
        height = await height_of(other)
        await until_height(restored, height)
        one = (await restored.block(height)).value.header.state_root
        assert one == (await other.block(height)).value.header.state_root
