"""Four validators on four machines whose wires lose, delay, double and reorder real TCP's packets,
or are cut: the short form of `python -m tests.e2e.storm`.
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.e2e.networks import check_nothing_lost, signatures_agree
from tests.e2e.storm import machines, storm_network

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(110)]

STORM_S = 8.0
APART_S = 4.0


@pytest.fixture(autouse=True)
def _permitted() -> None:
    try:
        with machines():
            pass
    except OSError as error:
        pytest.skip(f"network namespaces with TUN devices cannot be made here: {error}")


@pytest.mark.adversarial(34, 35)
async def test_a_network_in_bad_weather_agrees_and_goes_on_when_its_wires_are_mended(
    tmp_path: Path,
) -> None:
    home = os.stat("/proc/thread-self/ns/net").st_ino
    async with storm_network(tmp_path / "network", seed=1) as storm:
        async with storm.payers.paying():
            await storm.payers.more(5)

            await storm.blow(for_s=STORM_S)
            assert storm.wires.packets["lost"] > 0
            assert storm.wires.packets["doubled"] > 0
            await storm.settle()

            blocks, _ = await storm.cut("one does not hear another", for_s=APART_S)
            assert blocks > 1
            blocks, _ = await storm.cut("two and two apart", for_s=APART_S)
            # What was decided when the wires were cut, and nothing else.
            assert blocks <= 1
            await storm.settle()
        await check_nothing_lost(storm.network, storm.payers.receipts)
        signatures_agree(storm.network)
    assert os.stat("/proc/thread-self/ns/net").st_ino == home
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
