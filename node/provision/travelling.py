"""Dates pass on a development network of this machine: all its nodes set ahead in step.

One step after the other. At each, every node is set ahead by the same, to the next local midnight
or to the next thing that is due on the ledger, whichever comes first; then a block is made, and
every node has it before the next step. So every day has a block, what is due happens at its time,
and what takes several blocks gets them. While nothing is in flight no node's clock differs from
another's by more than it did before, so block times keep their bounds; a transaction that is
handed in at the moment of a step may cost a round.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.control import LATEST_MS, STEP_MAX_MS, Moment, Timekeeper
from node.control.place import socket_path
from node.ledger.dates import date_of, moment_ms
from node.ledger.units import MS_PER_DAY, local_day
from node.provision.homes import DATA_FOLDER
from node.provision.local import LocalNetwork

TRIES_MAX: Final = 6
"""Times that a block is asked for, a few seconds each, before the network is given up."""


class NodesStopped(Exception):
    """Nodes of the network do not run: they would be left behind.

    Attributes:
        names: which.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"{', '.join(names)} must run as well, or would be left behind")
        self.names = tuple(names)


class NoBlock(Exception):
    """The network makes no block, so its dates do not pass."""


class TooLate(Exception):
    """The time is further than any network travels: `LATEST_MS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """How far a network has come."""

    now_ms: int
    """By the clocks of its nodes."""
    travelled_ms: int
    """Of it, how far they are ahead of this machine."""
    height: int
    head_ms: int


async def time_of(network: LocalNetwork) -> Passed:
    """Return what time it is on the network.

    Raises:
        NodesStopped: none of its nodes runs.
        ControlError: a node does not answer.
        Refused: the network is not for development.
    """
    names = [name for name, _ in network.running()]
    if not names:
        raise NodesStopped(list(network.nodes))
    async with Timekeeper(_socket(network, names[0])) as keeper:
        return _passed([await keeper.moment()])


async def travel(
    network: LocalNetwork,
    to_ms: int,
    *,
    utc_offset_minutes: int,
    progress: Callable[[Passed], None] = lambda _: None,
) -> Passed:
    """Let the dates pass until the network's last block is not before a time; return where it is.

    Args:
        utc_offset_minutes: of the ledger: when its days begin.
        progress: told after each step.

    Raises:
        TooLate: no network travels so far, and this one has not set out.
        NodesStopped: a node does not run.
        NoBlock: the network does not go on.
        ControlError: a node does not answer.
        Refused: the network is not for development.
    """
    if to_ms > LATEST_MS:
        raise TooLate(f"no network travels beyond {date_of(LATEST_MS // MS_PER_DAY)} (UTC)")
    stopped = [name for name in network.nodes if network.process(name) is None]
    if stopped:
        raise NodesStopped(stopped)
    async with AsyncExitStack() as stack:
        keepers = [
            await stack.enter_async_context(Timekeeper(_socket(network, name)))
            for name in network.nodes
        ]
        moments = await asyncio.gather(*(keeper.moment() for keeper in keepers))
        await _align(keepers, moments)
        moments = await asyncio.gather(*(keeper.moment() for keeper in keepers))
        while (passed := _passed(moments)).head_ms < to_ms:
            stop_ms = _next_stop(moments, to_ms, utc_offset_minutes)
            ahead_ms = passed.travelled_ms + max(0, stop_ms - passed.now_ms)
            await asyncio.gather(*(keeper.move(ahead_ms) for keeper in keepers))
            moments = await _next_block(keepers, passed.height)
            progress(_passed(moments))
    return passed


async def _align(keepers: Sequence[Timekeeper], moments: Sequence[Moment]) -> None:
    """Bring nodes that were left behind, by a step that was broken off, to where the others are."""
    furthest = max(moment.travelled_ms for moment in moments)
    for keeper, moment in zip(keepers, moments, strict=True):
        travelled = moment.travelled_ms
        while travelled < furthest:
            travelled = min(furthest, travelled + STEP_MAX_MS)
            await keeper.move(travelled)


async def _next_block(keepers: Sequence[Timekeeper], above: int) -> list[Moment]:
    """Return the moments at which every node has a block above this height."""
    for _ in range(TRIES_MAX):
        moments = await asyncio.gather(*(keeper.next_block(above) for keeper in keepers))
        if all(moment.height > above for moment in moments):
            return moments
    raise NoBlock(f"no block above {above} at every node, after {TRIES_MAX} times of asking")


def _next_stop(moments: Sequence[Moment], to_ms: int, utc_offset_minutes: int) -> int:
    """Return the next time at which there is to be a block; not later than a day ahead.

    Now, if more is due than one block took.
    """
    passed = _passed(moments)
    due_ms = min((each.due_ms for each in moments if each.due_ms is not None), default=to_ms)
    if due_ms <= passed.now_ms:
        return passed.now_ms
    tomorrow = local_day(passed.now_ms, utc_offset_minutes) + 1
    midnight_ms = moment_ms(tomorrow, 0, utc_offset_minutes)
    return max(passed.now_ms, min(to_ms, midnight_ms, due_ms))


def _passed(moments: Sequence[Moment]) -> Passed:
    """Return where the network is: what every node has reached."""
    return Passed(
        now_ms=max(moment.now_ms for moment in moments),
        travelled_ms=max(moment.travelled_ms for moment in moments),
        height=max(moment.height for moment in moments),
        head_ms=min(moment.head_ms for moment in moments),
    )


def _socket(network: LocalNetwork, name: str) -> Path:
    return socket_path(network.nodes[name].home / DATA_FOLDER)
