"""Nodes as processes, killed as a power cut kills them: nothing acknowledged is lost."""

from pathlib import Path

import pytest

from tests.e2e.campaign import STOPPED_S, Campaign
from tests.e2e.networks import (
    BANK,
    COUNCIL,
    MINISTRY,
    REGULATOR,
    Payers,
    running_network,
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
