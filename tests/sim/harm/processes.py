"""Harm to processes: killed at any moment, stopped in order, put to sleep."""

import asyncio
from collections.abc import Callable
from typing import Final

from tests.sim.harm.fault import Fault, Harm
from tests.sim.machines import Machine


async def _crash(fault: Fault) -> None:
    machine = fault.pick()
    if machine is not None:
        with fault.in_hand(machine):
            machine.kill()
            await fault.back(machine, fault.some_s(20))


async def _crash_in_write(fault: Fault) -> None:
    await _crash_within(fault, lambda machine: machine.disk.arm())


async def _crash_at_event(fault: Fault) -> None:
    def arm(machine: Machine) -> None:
        machine.dies_at_event = fault.random.randrange(8)

    await _crash_within(fault, arm)


async def _crash_at_step(fault: Fault) -> None:
    await _crash_within(fault, lambda machine: machine.kill_after(fault.random.randrange(2_000)))


async def _crash_within(fault: Fault, arm: Callable[[Machine], None]) -> None:
    """Prepare a death at some moment soon, and start the machine again after it."""
    machine = fault.pick()
    if machine is not None:
        with fault.in_hand(machine):
            starts = machine.starts
            arm(machine)
            for _ in range(1 + int(fault.some_s(20))):
                await asyncio.sleep(1)
                if not machine.is_up:
                    break
            if machine.starts == starts:
                machine.kill()
            await fault.back(machine, fault.some_s(3))


async def _crash_all(fault: Fault) -> None:
    machines = [m for m in fault.site.honest if m.name not in fault.site.busy]
    with fault.in_hand(*machines):
        fault.note(machines=len(machines))
        for machine in machines:
            machine.kill()
        await fault.last(10)
        for machine in machines:
            await fault.back(machine, fault.some_s(1))


async def _restart(fault: Fault) -> None:
    machine = fault.pick()
    if machine is not None:
        with fault.in_hand(machine):
            await machine.stop()
            await fault.back(machine, fault.some_s(10))


async def _pause(fault: Fault) -> None:
    await _pause_for(fault, fault.some_s(5))


async def _pause_long(fault: Fault) -> None:
    await _pause_for(fault, 10 + fault.some_s(170))


async def _pause_for(fault: Fault, length_s: float) -> None:
    machine = fault.pick()
    if machine is not None:
        with fault.in_hand(machine):
            fault.note(machine=machine.name, length_s=length_s)
            machine.pause()
            await asyncio.sleep(length_s)
            fault.note("wake", machine=machine.name)
            machine.wake()


HARMS: Final[dict[str, Harm]] = {
    "crash": _crash,
    "crash-in-write": _crash_in_write,
    "crash-at-event": _crash_at_event,
    "crash-at-step": _crash_at_step,
    "crash-all": _crash_all,
    "restart": _restart,
    "pause": _pause,
    "pause-long": _pause_long,
}
