"""Nodes as processes, killed as a power cut kills them: nothing acknowledged is lost."""

import hashlib
import shutil
from pathlib import Path

import pytest

from node.app import CHAIN_FOLDER, LOG_FOLDER
from node.provision.local import NodeFailed
from tests.damage import damage_database
from tests.e2e.campaign import STOPPED_S, Campaign
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    MINISTRY,
    REGULATOR,
    Payers,
    client_of,
    pay_once,
    running_network,
    until_height,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


@pytest.mark.adversarial(28, 65)
async def test_killed_under_load_one_by_one_and_all_at_once_loses_nothing(tmp_path: Path) -> None:
    """The short form of `python -m tests.e2e.campaign`."""
    async with running_network(tmp_path / "network") as network:
        payers = Payers(network, seed=1, pause_s=0.05)
        campaign = Campaign(network, payers, seed=1)
        async with payers.paying():
            await payers.more(20)
            await campaign.kill(MINISTRY)
            await campaign.kill(COUNCIL, again_after_s=0.8)
            await campaign.kill(BANK, MINISTRY, COUNCIL, REGULATOR)
            await campaign.stop(REGULATOR, for_s=STOPPED_S)
            await payers.more(20)
        assert payers.answers_lost > 0
        await campaign.check()


@pytest.mark.adversarial(69)
async def test_damaged_database_is_named_starts_no_vote_and_the_advice_helps(
    tmp_path: Path,
) -> None:
    async with running_network(tmp_path / "network") as network:
        home = network.nodes[COUNCIL].home
        process = network.process(COUNCIL)
        assert process is not None
        assert await process.stop()
        database, signed = home / "data" / CHAIN_FOLDER, home / "data" / LOG_FOLDER
        damage_database(database)
        before = contents(signed)

        network.start(COUNCIL)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)

        log = "\n".join(failed.value.log)
        assert f"{database} is damaged" in log
        assert "khazana start" in log
        assert contents(signed) == before
        async with client_of(network, BANK) as client:
            receipt = await pay_once(client)

        # What the sentence says helps: put it aside, start again.
        database.rename(database.with_name("damaged"))
        network.start(COUNCIL)
        await network.wait_ready(COUNCIL)
        async with client_of(network, COUNCIL) as client:
            await until_height(client, receipt.height)
            receipt = await pay_once(client)
        assert receipt.outcome.applied


@pytest.mark.adversarial(68)
async def test_another_validators_log_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A signature made from it could contradict what this key has signed."""
    async with running_network(tmp_path / "network") as network:
        await network.stop()
        own = network.nodes[COUNCIL].home / "data" / LOG_FOLDER
        shutil.rmtree(own)
        shutil.copytree(network.nodes[BANK].home / "data" / LOG_FOLDER, own)

        network.start(COUNCIL)
        with pytest.raises(NodeFailed) as failed:
            await network.wait_ready(COUNCIL)

        assert f"the consensus log was made for {BANK}" in failed.value.log[-1]
        assert not any("Traceback" in line for line in failed.value.log)


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file: that nothing was signed, nothing was written."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }
