"""Harm to disks: full, slow, lost, rotten, or an older copy put back."""

import asyncio
from typing import Final

from tests.sim.disks import Copy
from tests.sim.harm.fault import Fault, Harm
from tests.sim.machines import Machine

ANSWER_LASTS_S: Final = 0.05
"""After so long no answer of a former life is on its way to a client."""
OLD_LOG_BEHIND: Final = 4
"""So many blocks after the copy of a log was made, the chain shows that it is old.

A log stands at most two heights above the chain. A copy from the height that is being decided looks
like the log itself: nothing on the machine can tell.
"""


async def _disk_full(fault: Fault) -> None:
    machine = fault.pick()
    if machine is not None:
        with fault.in_hand(machine):
            fault.note(machine=machine.name)
            machine.expects_failure = machine.disk.full = True
            await asyncio.sleep(1 + fault.some_s(20))
            machine.disk.full = False
            await fault.back(machine, 1)


async def _slow_disk(fault: Fault) -> None:
    machine = fault.any_honest()
    longest_s = fault.random.choice((0.02, 0.2, 1.0))
    fault.note(machine=machine.name, longest_s=longest_s)
    fault.site.slow_disks[machine.name] = longest_s
    await fault.last(60)
    fault.site.slow_disks.pop(machine.name, None)


async def _rot(fault: Fault) -> None:
    """Values rot, unnoticed until somebody reads them: at work, or at the next start."""
    machine = fault.impair()
    if machine is None:
        return
    with fault.in_hand(machine):
        if fault.random.random() < 0.5:
            machine.kill()
            await fault.last(5)
        hit = machine.disk.rot(fault.random.choice((1, 10, 100)))
        fault.note(machine=machine.name, values=hit)
        machine.expects_damage = True
        if not machine.is_up:
            await machine.start()
        await fault.last(20)
        await _stopped(machine)
        fault.note("database-aside", machine=machine.name, ended=machine.failure is not None)
        machine.disk.wipe_values()
        fault.site.checker.lost_values(machine.name)
        machine.expects_damage = False
        await machine.start()
    await fault.rejoined(machine)


def _impaired_with_log(fault: Fault) -> Machine | None:
    """Choose a machine that may be impaired for long, and has a log: one that votes."""
    machine = fault.impair()
    if machine is not None and machine.signer is None:
        fault.site.observing_later.discard(machine.name)
        fault.happened = False
        return None
    return machine


async def _rot_log(fault: Fault) -> None:
    """The consensus log rots: the next start refuses it, and the node goes on without."""
    machine = _impaired_with_log(fault)
    if machine is None:
        return
    with fault.in_hand(machine):
        machine.kill()
        await fault.last(5)
        await _stopped(machine)
        what = machine.disk.rot_log()
        fault.note(machine=machine.name, what=what)
        machine.expects_damage = True
        await machine.start()
        await machine.wait_ended()
        fault.note("log-aside", machine=machine.name)
        machine.disk.wipe_log()
        fault.site.checker.lost_log(machine.name)
        machine.expects_damage = False
        await machine.start()
    await fault.rejoined(machine)


async def _wipe(fault: Fault) -> None:
    machine = fault.impair()
    if machine is None:
        return
    with fault.in_hand(machine):
        machine.kill()
        await asyncio.sleep(1 + fault.some_s(20))
        born = fault.random.random() < 0.5
        fault.note(machine=machine.name, born=born)
        machine.disk.wipe()
        fault.site.checker.lost(machine.name)
        if born and machine.signer is not None:
            machine.bear()
        await machine.start()
    await fault.rejoined(machine)


async def _reborn(fault: Fault) -> None:
    """The copy from the day of `khazana init` is put back at once, best before the first block."""
    machine = _impaired_with_log(fault)
    if machine is None:
        return
    with fault.in_hand(machine):
        machine.kill_after(fault.random.randrange(200))
        await fault.last(2)
        await _stopped(machine)
        await asyncio.sleep(ANSWER_LASTS_S)
        fault.note(machine=machine.name, height=fault.site.checker.height)
        machine.disk.wipe()
        fault.site.checker.lost(machine.name)
        machine.bear()
        await machine.start()
    await fault.rejoined(machine)


async def _wipe_to_snapshot(fault: Fault) -> None:
    """The disk is lost, and its operator lets the node join by a snapshot, as often as it dies."""
    site = fault.site
    newest = max(
        (
            point
            for machine in site.honest
            if machine.node is not None
            for point in machine.node.snapshots.points()
        ),
        default=None,
    )
    machine = None if newest is None else fault.impair()
    if machine is None or newest is None:
        return
    if site.key_of(machine.name) is not None:
        # Some have to keep the first blocks, for those who begin at the genesis.
        if site.without_past not in (None, machine.name):
            site.impaired.discard(machine.name)
            fault.happened = False
            return
        site.without_past = machine.name
    with fault.in_hand(machine):
        machine.kill()
        await asyncio.sleep(1 + fault.some_s(10))
        fault.note(machine=machine.name, trusted=newest[0])
        machine.disk.wipe()
        site.checker.lost(machine.name)
        site.checker.without_past.add(machine.name)
        machine.trusts = newest
        for _ in range(fault.random.choice((0, 0, 1, 2))):
            await machine.start()
            machine.kill_after(fault.random.randrange(400))
            await asyncio.sleep(1 + fault.some_s(3))
        await machine.start()
    await fault.rejoined(machine)
    machine.trusts = None


async def _old_disk(fault: Fault) -> None:
    """An older copy of the database, beside the log as it is."""
    machine = fault.impair()
    if machine is None:
        return
    with fault.in_hand(machine):
        old = machine.disk.copy()
        await asyncio.sleep(5 + fault.some_s(20))
        machine.kill()
        await asyncio.sleep(1 + fault.some_s(10))
        fault.note(machine=machine.name)
        machine.disk.put_back(old.values)
        fault.site.checker.lost_values(machine.name)
        await machine.start()
    await fault.rejoined(machine)


async def _old_log(fault: Fault) -> None:
    """An older copy of the log, beside the database as it is."""
    machine = _impaired_with_log(fault)
    if machine is None:
        return
    with fault.in_hand(machine):
        old = await _copy_long_ago(fault, machine)
        if old is not None:
            fault.note(machine=machine.name)
            machine.disk.put_back_log(old.log)
            fault.site.checker.lost_log(machine.name)
        await machine.start()
    await fault.rejoined(machine)


async def _copy_long_ago(fault: Fault, machine: Machine) -> Copy | None:
    """Return a copy that is old by now, of a machine that has died since; None: it is not old."""
    old, height = machine.disk.copy(), machine.height
    await asyncio.sleep(5 + fault.some_s(20))
    reached = machine.height
    machine.kill()
    await asyncio.sleep(1 + fault.some_s(10))
    await _stopped(machine)
    return old if reached >= height + OLD_LOG_BEHIND else None


async def _stopped(machine: Machine) -> None:
    """Let the machine be down, and nothing of it run any more."""
    machine.kill()
    await machine.wait_ended()


HARMS: Final[dict[str, Harm]] = {
    "disk-full": _disk_full,
    "slow-disk": _slow_disk,
    "rot": _rot,
    "rot-log": _rot_log,
    "wipe": _wipe,
    "reborn": _reborn,
    "wipe-to-snapshot": _wipe_to_snapshot,
    "old-disk": _old_disk,
    "old-log": _old_log,
}
