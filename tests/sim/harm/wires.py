"""Harm between machines: cuts and partitions, slow, narrow, lossy and torn wires."""

import asyncio
from typing import Final

from tests.sim.harm.fault import Fault, Harm


async def _cut(fault: Fault) -> None:
    one, other = fault.pair()
    fault.note(one=one, other=other)
    fault.net.cut(one, other)
    fault.net.cut(other, one)
    await fault.last(30)
    fault.note("heal", one=one, other=other)
    fault.net.heal(one, other)
    fault.net.heal(other, one)


async def _cut_one_way(fault: Fault) -> None:
    source, target = fault.pair()
    fault.note(source=source, target=target)
    fault.net.cut(source, target)
    await fault.last(30)
    fault.note("heal", source=source, target=target)
    fault.net.heal(source, target)


async def _partition(fault: Fault) -> None:
    side, rest = _two_sides(fault)
    fault.note(side=",".join(side) or "nobody")
    for one in side:
        fault.net.isolate(one, rest)
    await fault.last(30)
    fault.note("heal-partition")
    for one in side:
        fault.net.rejoin(one, rest)


async def _partition_one_way(fault: Fault) -> None:
    """One side is heard and hears nothing."""
    side, rest = _two_sides(fault)
    fault.note(deaf=",".join(side) or "nobody")
    ways = [(source, target) for target in side for source in rest]
    for source, target in ways:
        fault.net.cut(source, target)
    await fault.last(30)
    fault.note("heal-partition")
    for source, target in ways:
        fault.net.heal(source, target)


async def _shifting(fault: Fault) -> None:
    """Partitions that follow each other before anybody has noticed the last one."""
    for _ in range(fault.random.randrange(2, 8)):
        side, rest = _two_sides(fault)
        fault.note(side=",".join(side) or "nobody")
        for one in side:
            fault.net.isolate(one, rest)
        await asyncio.sleep(0.2 + fault.some_s(6))
        for one in side:
            fault.net.rejoin(one, rest)
    fault.note("heal-partition")


async def _isolate(fault: Fault) -> None:
    machine = fault.random.choice(list(fault.site.machines))
    others = [m.address for m in fault.site.machines if m is not machine]
    fault.note(victim=machine.address)
    fault.net.isolate(machine.address, others)
    await fault.last(60)
    fault.note("rejoin", victim=machine.address)
    fault.net.rejoin(machine.address, others)


async def _reset(fault: Fault) -> None:
    one, other = fault.pair()
    fault.note(one=one, other=other)
    fault.net.reset(one, other)


async def _torn_frame(fault: Fault) -> None:
    source, target = fault.pair()
    fault.note(source=source, target=target)
    fault.net.tear(source, target)


async def _slow_link(fault: Fault) -> None:
    source, target = fault.pair()
    extra_s = fault.some_s(3)
    fault.note(source=source, target=target, extra_s=extra_s)
    fault.net.weather.slow(source, target, extra_s)
    await fault.last(30)
    fault.net.weather.slow(source, target, 0.0)


async def _thin_link(fault: Fault) -> None:
    source, target = fault.pair()
    bytes_per_s = fault.random.choice((300.0, 2_000.0, 20_000.0))
    fault.note(source=source, target=target, bytes_per_s=bytes_per_s)
    fault.net.weather.narrow(source, target, bytes_per_s)
    await fault.last(30)
    fault.net.weather.narrow(source, target, None)


async def _spikes(fault: Fault) -> None:
    weather = fault.net.weather
    weather.spike_rate = fault.random.choice((10.0, 100.0, 300.0))
    weather.spike_s = fault.random.choice((0.2, 0.5, 2.0))
    fault.note(rate=weather.spike_rate, longest_s=weather.spike_s)
    await fault.last(60)
    weather.spike_rate = 0.0


async def _loss(fault: Fault) -> None:
    weather = fault.net.weather
    weather.loss_rate = fault.random.choice((10.0, 100.0, 300.0))
    fault.note(rate=weather.loss_rate)
    await fault.last(30)
    weather.loss_rate = 0.0


async def _doubles(fault: Fault) -> None:
    weather = fault.net.weather
    weather.double_rate = fault.random.choice((10.0, 100.0, 300.0))
    fault.note(rate=weather.double_rate)
    await fault.last(30)
    weather.double_rate = 0.0


async def _disorder(fault: Fault) -> None:
    weather = fault.net.weather
    weather.overtaken_rate = fault.random.choice((10.0, 100.0, 300.0))
    fault.note(rate=weather.overtaken_rate)
    await fault.last(30)
    weather.overtaken_rate = 0.0


def _two_sides(fault: Fault) -> tuple[list[str], list[str]]:
    addresses = [machine.address for machine in fault.site.machines]
    side = [address for address in addresses if fault.random.random() < 0.5]
    return side, [address for address in addresses if address not in side]


HARMS: Final[dict[str, Harm]] = {
    "cut": _cut,
    "cut-one-way": _cut_one_way,
    "partition": _partition,
    "partition-one-way": _partition_one_way,
    "shifting": _shifting,
    "isolate": _isolate,
    "reset": _reset,
    "torn-frame": _torn_frame,
    "slow-link": _slow_link,
    "thin-link": _thin_link,
    "spikes": _spikes,
    "loss": _loss,
    "doubles": _doubles,
    "disorder": _disorder,
}
