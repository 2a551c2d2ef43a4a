"""Seeded ceremonies: `python -m tests.app.ceremonies --seeds 200` amends two hundred networks.

Each is a network of four in virtual time that loses two keys at a random moment under load, with
whatever votes are under way. The survivors go on voting in vain, lose their power, and come to one
head; the amendment is installed, in some runs called off once and installed again. Everybody comes
up at a random time, and is cut off, stopped or without power at random moments, until all is whole.
Then the network must decide, hold one chain, and accuse nobody.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Sequence

from tests.app.cluster import VALIDATORS, Cluster, cluster
from tests.app.test_amendments import amendment_of_network, given, lose
from tests.network.virtual_time import run_virtual

STEPS_MAX = 6
"""Times that somebody is stopped, before and after the amendment each."""


async def again(network: Cluster, chance: random.Random, name: str) -> None:
    """Stop a machine, perhaps for want of power, and start it after a while."""
    await network.stop(name)
    if chance.random() < 0.5:
        network[name].disk.cut_power(chance)
    await asyncio.sleep(chance.uniform(0.0, 3.0))
    await network.start(name)


async def load(network: Cluster, chance: random.Random) -> None:
    """Hand in transactions wherever somebody is up; nobody waits for them."""
    while True:
        await asyncio.sleep(chance.expovariate(5.0))
        if network.running:
            up = chance.choice(network.running)
            await up.up.intake.submit([network.transaction()])


async def disturb(network: Cluster, chance: random.Random, names: Sequence[str]) -> None:
    for _ in range(chance.randrange(STEPS_MAX)):
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        name = chance.choice(names)
        if chance.random() < 0.5:
            await again(network, chance, name)
            continue
        others = [network.address(each) for each in VALIDATORS if each != name]
        network.net.isolate(network.address(name), others)
        await asyncio.sleep(chance.uniform(0.0, 3.0))
        network.net.rejoin(network.address(name), others)


async def amend_one(seed: int) -> int:
    """Run one; return the height that it came to."""
    chance = random.Random(seed)
    lost = sorted(chance.sample(VALIDATORS, 2))
    survivors = [name for name in VALIDATORS if name not in lost]
    async with cluster() as network:
        network.bear()
        await network.meet()
        async with asyncio.TaskGroup() as tasks:
            clients = tasks.create_task(load(network, chance))
            await asyncio.sleep(chance.uniform(1.0, 4.0))
            await network.stop(*lost)
            await disturb(network, chance, survivors)
            clients.cancel()
        first, second = (network[name] for name in survivors)
        await network.until(lambda: first.height == second.height)

        amendment = amendment_of_network(network, survivors, lost)
        await network.stop()
        lose(network, *lost)
        if chance.random() < 0.3:
            # Called off, and taken up again, with survivors that have met under it.
            given(network, amendment, *survivors)
            await network.start(*survivors)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await network.stop(*survivors)
            network.amendments.clear()
            await network.start(*survivors)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await network.stop(*survivors)
        given(network, amendment, *VALIDATORS)
        for name in chance.sample(VALIDATORS, len(VALIDATORS)):
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await network.start(name)
        async with asyncio.TaskGroup() as tasks:
            clients = tasks.create_task(load(network, chance))
            await disturb(network, chance, VALIDATORS)
            clients.cancel()

        height = max(machine.height for machine in network.running) + 2
        for _ in range(2):
            await network.settle(survivors[0], network.transaction(), within_s=120.0)
        await network.until_height(max(height, amendment.rules_from), within_s=120.0)
        network.check_agreement()
        for machine in network.running:
            history = machine.up.chain.history
            assert history.accusations() == (), f"seed {seed}: {history.accusations()}"
            block = machine.up.chain.block(amendment.rules_from)
            assert block is not None
            assert block.header.parent == amendment.id
        return first.height


def main(words: Sequence[str] | None = None) -> int:
    """Run as many as are asked for, and say where each came to."""
    parser = argparse.ArgumentParser(description="Amend the validator sets of seeded networks.")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    asked = parser.parse_args(words)
    for seed in range(asked.first, asked.first + asked.seeds):
        height = run_virtual(amend_one(seed))
        print(f"seed {seed}: one chain of {height} blocks, nobody accused", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
