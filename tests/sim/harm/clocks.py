"""Harm to clocks: a little wrong, running away, or a day off."""

from typing import Final

from tests.sim.harm.fault import Fault, Harm


async def _skew(fault: Fault) -> None:
    machine = fault.any_honest()
    if machine.name not in fault.site.impaired:
        machine.clock.offset_ms = fault.random.randrange(-1_000, 1_001)
        fault.note(machine=machine.name, ms=machine.clock.offset_ms)


async def _drift(fault: Fault) -> None:
    machine = fault.any_honest()
    machine.clock.drift_ppm = fault.random.randrange(-500, 501)
    fault.note(machine=machine.name, ppm=machine.clock.drift_ppm)


async def _clock_jump(fault: Fault) -> None:
    machine = fault.impair()
    if machine is not None:
        machine.clock.offset_ms = fault.random.choice((-86_400_000, -10_000, 10_000, 86_400_000))
        fault.note(machine=machine.name, ms=machine.clock.offset_ms)
        await fault.last(60)
        fault.note("clock-right", machine=machine.name)
        machine.clock.offset_ms = 0
        fault.site.impaired.discard(machine.name)
        fault.site.observing_later.discard(machine.name)


HARMS: Final[dict[str, Harm]] = {
    "skew": _skew,
    "drift": _drift,
    "clock-jump": _clock_jump,
}
