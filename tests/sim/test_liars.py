"""Every ground on which a block can be refused has a liar who leads there, and the honest refuse.

Each test is a short day with one liar of four, who knows one way; the command to replay it is in
the failure. That the chain went on is what the end of every day holds: three more blocks, and a
fresh unit of cash through each node.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from consensus.engine import Engine
from consensus.types import BlockId
from node.blocks import block_id
from node.chain import BlockFault
from node.replica import journal
from node.replica.entries import Body, decode_entry
from node.storage import ConsensusLog
from tests.sim.disks import SimDisk
from tests.sim.invalid import INVALID, PROVOKES, SMUGGLED, STOPPED, UNPROVOKED, Stopped
from tests.sim.liars import WAYS
from tests.sim.lives import SPENT_BYTES, round_of
from tests.sim.machines import Machine
from tests.sim.options import Options
from tests.sim.stage import Stage
from tests.sim.world import simulate

DAY = Options(seed=42, faults=(), liars=1, client_pause_s=1)
"""Of a network whose blocks may hold many transactions, and follow each other fast."""
LONG_AGO_S = 70.0
"""A block is refused if it is more than 60 s behind the clock."""


ROUNDS_KEPT = 16 + 3
"""Blocks of so many rounds may still count, with those of this one, a locked and a valid one."""

LEADING = [(fault, way) for fault, ways in PROVOKES.items() for way in ways]
STOPPING = [(stopped, way) for each in STOPPED.values() for stopped in each for way in stopped.ways]


@dataclass(kw_only=True)
class Refused:
    """How often the honest have said a thing so far."""

    event: str
    reason: str
    liar: str = ""
    count: int = 0

    def listen(self, line: str) -> None:
        """Take a line of the trace."""
        _, name, event, *details = line.split(maxsplit=3)
        if event == "lies":
            self.liar = name
        elif event == self.event and name != self.liar and self.reason in "".join(details):
            self.count += 1


Days = Callable[[Stage, Refused], Awaitable[None]]


def refuses(way: str, days: Days, *, event: str, reason: str) -> None:
    """Let one liar know this way only, until an honest node says so of it; and go on."""
    refused = Refused(event=event, reason=reason)
    options = replace(DAY, lies=(way,))
    result = simulate(options, refused.listen, lambda stage: days(stage, refused))
    assert result.violation is None, f"{result.violation}\n{options.command}"
    assert refused.count > 0


def test_every_ground_has_a_liar_or_a_reason_and_every_way_leads_somewhere() -> None:
    assert set(BlockFault) == PROVOKES.keys() | STOPPED.keys() | UNPROVOKED.keys()
    assert not UNPROVOKED.keys() & (PROVOKES.keys() | STOPPED.keys())
    named = [name for _, name in (*LEADING, *STOPPING)]
    assert sorted(named) == sorted(f"{lie}:{way}" for lie, known in WAYS.items() for way in known)
    assert len(set(INVALID)) + len(set(SMUGGLED)) == len(named)


async def until_refused(stage: Stage, refused: Refused) -> None:
    began_height = stage.height
    await stage.until(
        lambda: refused.count > 0 or stage.height > began_height + 40, within_s=90, step_s=0.1
    )


async def someone_catches_up(stage: Stage, refused: Refused) -> None:
    """Let the honest be away in turn, and ask whom they like for what they missed."""
    await stage.until_height(3, *stage.machines, within_s=60)
    for machine in itertools.islice(itertools.cycle(honest(stage)), 20):
        machine.kill()
        await stage.until_height(stage.height + 3, within_s=60)
        await machine.start()
        await stage.until_height(stage.height, machine, within_s=60)
        if refused.count:
            break


async def nothing_happens_for_long(stage: Stage, refused: Refused) -> None:
    """Let so many be away that no block comes, until it is the liar who may propose."""
    await stage.until_height(3, *stage.machines, within_s=60)
    for _ in range(20):
        gone = honest(stage)[:2]
        for machine in gone:
            machine.kill()
        await asyncio.sleep(LONG_AGO_S)
        for machine in gone:
            await machine.start()
        await stage.until_height(stage.height + 1, *stage.machines, within_s=60)
        if refused.count:
            break


def honest(stage: Stage) -> list[Machine]:
    return [machine for machine in stage.machines if machine.honest]


@pytest.mark.adversarial(32, 43, 44, 57, 59, 63)
@pytest.mark.parametrize(("fault", "way"), LEADING, ids=[way for _, way in LEADING])
def test_an_honest_validator_refuses_on_this_ground_and_the_chain_goes_on(
    fault: BlockFault, way: str
) -> None:
    reason = f"{fault.value}: "
    if "handed-on" in way:
        refuses(way, someone_catches_up, event="sync-peer-struck", reason=reason)
    elif way == "smuggle:stale":
        refuses(way, nothing_happens_for_long, event="proposal-refused", reason=reason)
    else:
        refuses(way, until_refused, event="proposal-refused", reason=reason)


@pytest.mark.adversarial(43, 44, 63)
@pytest.mark.parametrize(("stopped", "way"), STOPPING, ids=[way for _, way in STOPPING])
def test_what_cannot_reach_the_chain_is_refused_at_an_earlier_door(
    stopped: Stopped, way: str
) -> None:
    refuses(way, until_refused, event=stopped.event, reason=stopped.reason)


@pytest.mark.adversarial(38, 44)
def test_transactions_that_no_block_may_hold_keep_no_others_out() -> None:
    """The liar names some without end in each of its blocks, and then proposes nothing more."""

    async def play(stage: Stage) -> None:
        await stage.until_height(stage.height + 40, within_s=120)
        (liar,) = (machine for machine in stage.machines if not machine.honest)
        liar.kill()
        chance = stage.chance
        for machine in honest(stage):
            assert machine.node is not None
            assert len(machine.node.mempool) < 20
            await stage.clients.insist(
                stage.clients.load.one_unit, client="payer", chance=chance, only=machine
            )
        await liar.start()

    # Blocks of at most three transactions, so that few that nobody can apply fill them all.
    result = simulate(
        Options(seed=4, faults=(), liars=1, lies=("smuggle:far-ahead",), client_pause_s=1),
        play=play,
    )

    assert result.violation is None, result.violation
    assert result.lies["smuggle"] > 10


@pytest.mark.adversarial(28, 43, 65)
def test_a_height_that_does_not_end_costs_no_more_memory_the_longer_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of four is away, and one proposes blocks as full as they may be and votes for none.

    Whoever is started again in a late round knows the block it is locked on, and of all others
    those only that may still count; and the height ends when the fourth is back.
    """
    monkeypatch.setattr(journal, "SPENT_BYTES_MAX", SPENT_BYTES)
    held: list[int] = []
    locks: list[BlockId | None] = []

    async def play(stage: Stage) -> None:
        await stage.until_height(6, *stage.machines, within_s=60)
        gone, *others = honest(stage)
        gone.kill()
        height = stage.height
        for round_ in range(8, 48, 8):
            await stage.until(
                lambda round_=round_: all(round_of(each) >= round_ for each in others),  # type: ignore[misc]
                within_s=150,
                step_s=0.1,
            )
            locks[:] = [engine_of(each).locked_block_id for each in others]
            assert any(locks), "the liar has locked one of them in an early round"
            # The second goes on from here: what its pool forgets, it forgets by itself.
            killed = others if round_ == 8 else others[:1]
            for machine in killed:
                machine.kill()
            for machine in killed:
                held.append(len(bodies_in(machine.disk)))
                await machine.start()
            await stage.until(
                lambda: all(each.node is not None and round_of(each) > 0 for each in others),
                within_s=30,
                step_s=0.01,
            )
            for machine, lock in zip(others, locks, strict=True):
                assert machine.node is not None
                engine, bodies = engine_of(machine), machine.node.replica._blocks.bodies
                assert engine.locked_block_id == lock
                assert lock is None or bodies.get(lock) is not None
                assert len(bodies) <= len(engine.blocks) <= ROUNDS_KEPT
        assert stage.height == height
        for machine in others:
            assert machine.node is not None
            # The genesis lets clocks be a minute behind, and a round takes some ten seconds.
            earliest_ms = machine.clock.now_ms() - 75_000
            waiting = machine.node.mempool.waiting()
            assert all(each.body.valid_until_ms > earliest_ms for each in waiting)
        await gone.start()
        await stage.until_height(height + 1, *others, within_s=60)
        machine = others[0]
        assert machine.node is not None
        block = machine.node.chain.history.block(height + 1)
        assert block is not None
        assert block_id(block.header) in locks, "it is proposed again until it is decided"

    result = simulate(replace(DAY, lies=("stall",)), play=play)

    assert result.violation is None, result.violation
    assert result.lies["stall"] > 100
    assert max(held) <= max(held[:4]), "it grows no more after the third start"


def engine_of(machine: Machine) -> Engine:
    assert machine.node is not None
    return machine.node.replica._engine


def bodies_in(disk: SimDisk) -> list[Body]:
    """What the log of a machine that is down holds of blocks."""
    log = ConsensusLog(Path("log"), disk.raw_files)
    entries = [decode_entry(data) for data in log.load()]
    return [entry for entry in entries if isinstance(entry, Body)]
