"""Short days in which every operation on the disk of one validator is counted, or is its last.

A day says when the counting begins and when it ends. Run without a death it tells how many moments
there are; run with one, the power goes at that very moment, since nothing before it has changed.
The validator is started again, and the day goes on as every run of the simulation ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from node.codec import replace as with_fields
from node.genesis import AMENDMENT_FORMAT, AmendmentBody, Genesis, amendment_of, signed_by
from node.ledger.tables import RulingKey
from node.replica import journal
from node.storage import consensus_log
from tests.chain.town import validator_record
from tests.sim.disks import Fate, Moment, SimDisk
from tests.sim.machines import Machine, consensus_key
from tests.sim.options import Options, Result
from tests.sim.stage import Stage
from tests.sim.world import simulate

AWAY_S: Final = 0.2
"""So long is the power gone."""
LOG_FILE_SIZE: Final = 2_000
"""Bytes after which the consensus log begins a new file, on the day that is about that."""
SPENT_BYTES: Final = 600
"""Bytes of blocks that are spent which leave the consensus log, on the day that is about that."""
STUCK_ROUNDS: Final = range(20, 25)
"""Of a height that does not end: blocks of its first rounds are of no use by then."""
BACK_WITHIN_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of one operation."""

    what: str
    moment: Moment
    takes: bool
    """Something is not synced at that moment, for a power cut to take."""

    @property
    def fates(self) -> tuple[Fate, ...]:
        """What can become of it."""
        return tuple(Fate) if self.takes else (Fate.LOST,)


@dataclass(frozen=True, slots=True)
class Death:
    """One of all that are possible on a day."""

    point: int
    """Counted from 0, since the counting began."""
    fate: Fate


class Watch:
    """Counts the moments of one disk, and lets one of them be the last."""

    def __init__(self, death: Death | None) -> None:
        self.points: list[Point] = []
        self.died = False
        self._death = death
        self._disk: SimDisk | None = None

    def begin(self, machine: Machine) -> None:
        """Count from now on."""
        self._disk = machine.disk
        self._disk.dies = self._dies

    def end(self) -> None:
        """Count no more; what comes next is not for this day to say."""
        if self._disk is not None:
            self._disk.dies = lambda _, __: False
            self._disk.fate = None

    def _dies(self, what: str, moment: Moment) -> bool:
        assert self._disk is not None
        if self.died:
            return False
        takes = moment is Moment.WITHIN or self._disk.is_unsynced
        self.points.append(Point(what, moment, takes))
        death = self._death
        if death is not None and death.point == len(self.points) - 1:
            self.died = True
            self._disk.fate = death.fate
        return self.died


Life: TypeAlias = Callable[[Stage, Machine, Watch], Awaitable[None]]


QUIET: Final = Options(liars=0, faults=(), client_pause_s=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A short day."""

    about: str
    life: Life
    options: Options = QUIET
    log_file_size: int = consensus_log.FILE_SIZE
    spent_bytes: int = journal.SPENT_BYTES_MAX


async def lives_through(
    stage: Stage, victim: Machine, watch: Watch, is_over: Callable[[], bool]
) -> None:
    """Wait until this is so; or until the victim has died, and has come back after all."""
    await _is_up_after(stage, victim, watch, is_over)
    await stage.until_height(stage.height + 2, victim, within_s=BACK_WITHIN_S)


async def _is_up_after(
    stage: Stage, victim: Machine, watch: Watch, is_over: Callable[[], bool]
) -> None:
    await stage.until(lambda: watch.died or is_over(), within_s=BACK_WITHIN_S, step_s=0.005)
    if watch.died:
        await victim.wait_ended()
        await asyncio.sleep(AWAY_S)
        watch.end()
        await victim.start()
    watch.end()


def takes_part(stage: Stage, victim: Machine) -> bool:
    """Whether it has all blocks, and votes."""
    node = victim.node
    return node is not None and node.chain.head.height >= stage.height and node.replica.is_voting


async def _beginning(stage: Stage, victim: Machine, watch: Watch) -> None:
    watch.begin(victim)
    await lives_through(stage, victim, watch, lambda: victim.height >= 3)


async def _load(stage: Stage, victim: Machine, watch: Watch) -> None:
    await stage.until_height(6, *stage.machines, within_s=60)
    height = stage.height
    watch.begin(victim)
    # Each of four has its turn to propose.
    await lives_through(stage, victim, watch, lambda: victim.height >= height + 6)


async def _recovery(stage: Stage, victim: Machine, watch: Watch) -> None:
    await stage.until_height(6, *stage.machines, within_s=60)
    disk = victim.disk

    def at_first_append(what: str, moment: Moment) -> bool:
        disk.fate = Fate.CUT
        return (what, moment) == ("append", Moment.AFTER)

    disk.dies = at_first_append
    await victim.wait_ended()
    await stage.until_height(stage.height + 4, within_s=60)
    disk.fate = None
    watch.begin(victim)
    await victim.start()
    await lives_through(stage, victim, watch, lambda: takes_part(stage, victim))


async def _rejoin(stage: Stage, victim: Machine, watch: Watch) -> None:
    await stage.until_height(10, *stage.machines, within_s=60)
    await _wipe(stage, victim)
    watch.begin(victim)
    await victim.start()
    await lives_through(stage, victim, watch, lambda: takes_part(stage, victim))


async def _snapshot(stage: Stage, victim: Machine, watch: Watch) -> None:
    await stage.until_height(22, *stage.machines, within_s=120)
    other = next(machine for machine in stage.machines if machine is not victim)
    assert other.node is not None
    trusted = other.node.snapshots.points()[-1]
    await _wipe(stage, victim)
    victim.trusts = trusted
    stage.checker.without_past.add(victim.name)
    watch.begin(victim)
    await victim.start()
    await lives_through(stage, victim, watch, lambda: takes_part(stage, victim))
    assert earliest(victim) > 1


async def _pruning(stage: Stage, victim: Machine, watch: Watch) -> None:
    victim.keep_blocks = 1
    await stage.until_height(3, *stage.machines, within_s=60)
    await stage.until(lambda: earliest(victim) > 3, within_s=60, step_s=0.1)
    height = stage.height
    watch.begin(victim)
    await lives_through(stage, victim, watch, lambda: victim.height >= height + 6)
    assert earliest(victim) > 3


def earliest(machine: Machine) -> int:
    """The first height whose block it keeps; 0 while it is down."""
    return 0 if machine.node is None else machine.node.chain.history.earliest


async def _stuck(stage: Stage, victim: Machine, watch: Watch) -> None:
    """One of four is away and one stalls: a height does not end before the former is back."""
    await stage.until_height(6, *stage.machines, within_s=60)
    gone = next(each for each in stage.machines if each.honest and each is not victim)
    gone.kill()
    await stage.until(lambda: round_of(victim) >= STUCK_ROUNDS.start, within_s=300, step_s=0.1)
    height = stage.height
    watch.begin(victim)
    await _is_up_after(stage, victim, watch, lambda: round_of(victim) >= STUCK_ROUNDS.stop)
    assert stage.height == height
    await gone.start()
    await stage.until_height(height + 3, victim, within_s=BACK_WITHIN_S)


def round_of(machine: Machine) -> int:
    """The round in which it stands; 0 while it is in none."""
    position = None if machine.node is None else machine.node.replica.position
    return 0 if position is None else position.round or 0


async def _amendment(stage: Stage, victim: Machine, watch: Watch) -> None:
    """Two of four lose their keys, and all go on by an amendment that gives them others."""
    await stage.until_height(6, *stage.machines, within_s=60)
    for machine in stage.machines:
        machine.kill()
    for machine in stage.machines:
        await machine.wait_ended()
    survivors, lost = stage.machines[:2], stage.machines[2:]
    genesis = _amended(stage, survivors, lost)
    stage.checker.amend(genesis)
    for machine in stage.machines:
        machine.genesis = genesis
    for machine in lost:
        machine.take_over(consensus_key(machine.name, 1), machine.identity)
    height = stage.height
    watch.begin(victim)
    for machine in stage.machines:
        await machine.start()
    await lives_through(stage, victim, watch, lambda: victim.height >= height + 3)


def _amended(stage: Stage, survivors: Sequence[Machine], lost: Sequence[Machine]) -> Genesis:
    """Return the genesis with an amendment that stands on the last block, signed by all."""
    former = {machine.name: validator_record(machine.name) for machine in survivors}
    keys = [consensus_key(machine.name, 0) for machine in survivors]
    records = dict(former)
    for machine in lost:
        key = consensus_key(machine.name, 1)
        keys.append(key)
        record = validator_record(machine.name)
        records[machine.name] = with_fields(record, public_key=key.public_key)
    body = AmendmentBody(
        format=AMENDMENT_FORMAT,
        genesis_hash=survivors[0].genesis.hash,
        serial=1,
        height=stage.height,
        block_id=stage.checker.decided[stage.height].block_id,
        survivors=tuple(
            RulingKey(name=name, public_key=former[name].public_key) for name in sorted(former)
        ),
        validators=tuple(records[name] for name in sorted(records)),
        reason="two keys are lost",
    )
    amendment = amendment_of(body)
    for key in keys:
        amendment = signed_by(amendment, key)
    return survivors[0].genesis.amended([amendment])


async def _wipe(stage: Stage, victim: Machine) -> None:
    victim.kill()
    await victim.wait_ended()
    await asyncio.sleep(1)
    victim.disk.wipe()
    stage.checker.lost(victim.name)


DAYS: Final[Mapping[str, Day]] = {
    "beginning": Day(about="the first seconds of a network, up to block 3", life=_beginning),
    "load": Day(about="six blocks under load", life=_load),
    "turnover": Day(
        about="six blocks whose consensus log begins new files",
        life=_load,
        log_file_size=LOG_FILE_SIZE,
    ),
    "recovery": Day(about="a start behind a log with a torn end, and catching up", life=_recovery),
    "rejoin": Day(about="a wiped validator copies all blocks and votes again", life=_rejoin),
    "snapshot": Day(about="a wiped validator joins by a snapshot and votes again", life=_snapshot),
    "amendment": Day(
        about="an amendment is installed after two keys were lost, up to its third block",
        life=_amendment,
    ),
    "pruning": Day(
        about="six blocks, after each of which older ones are deleted",
        life=_pruning,
        options=replace(QUIET, keep_blocks=1, client_pause_s=2),
    ),
    "stuck": Day(
        about="a height that does not end, whose log is written anew without blocks long past",
        life=_stuck,
        options=replace(QUIET, liars=1, lies=("stall",), client_pause_s=2),
        spent_bytes=SPENT_BYTES,
    ),
}
"""Every day by name."""


def spent(
    day: Day, *, seed: int, victim: int, death: Death | None, show: Callable[[str], None] | None
) -> tuple[Result, Watch]:
    """Run a day once; return what came of it, and what was counted.

    Args:
        victim: which of the validators.
        death: None counts only.
    """
    watch = Watch(death)

    async def play(stage: Stage) -> None:
        await day.life(stage, stage.machines[victim], watch)

    with _logs_of(day.log_file_size, day.spent_bytes):
        result = simulate(replace(day.options, seed=seed), show, play)
    return result, watch


@contextmanager
def _logs_of(file_size: int, spent_bytes: int) -> Iterator[None]:
    """Let consensus logs begin a new file after so many bytes, and be written anew after so many of
    blocks that are spent: else a day has neither."""
    usual = consensus_log.FILE_SIZE, journal.SPENT_BYTES_MAX
    try:
        vars(consensus_log)["FILE_SIZE"], vars(journal)["SPENT_BYTES_MAX"] = file_size, spent_bytes
        yield
    finally:
        vars(consensus_log)["FILE_SIZE"], vars(journal)["SPENT_BYTES_MAX"] = usual
