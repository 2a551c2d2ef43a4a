"""A demonstration as a list of steps: the terminal plays them through, a page one by one.

What has been played is read from the ledger, never remembered: whoever opens a stage again, after a
restart or in another process, goes on where the ledger is. A step that was broken off is played
again from its beginning, and leaves out what it finds done.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from node.cli.demo.narrator import Narrator


class Stage(Protocol):
    """Where steps are played."""

    @property
    def narrator(self) -> Narrator:
        """Who tells of it."""
        ...


StageT = TypeVar("StageT", bound=Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[StageT]):
    """One step of a demonstration."""

    name: str
    """By which the pages call it, and have texts for it."""
    title: str
    """What it shows, as the terminal says it."""
    play: Callable[[StageT], Awaitable[None]]
    """Acts, tells, checks; enters into the stage's book what comes of it."""
    is_played: Callable[[StageT], Awaitable[bool]] | None = None
    """Whether the ledger shows that it was played, as long as no later step was. None: it leaves
    nothing there by which one could tell, and may be played as often as one likes."""
    enter: Callable[[StageT], Awaitable[None]] | None = None
    """Enters into the book what came of it, on a stage that is opened after it was played."""


async def play(stage: StageT, step: Step[StageT]) -> None:
    """Play one step."""
    stage.narrator.step(step.title)
    await step.play(stage)


async def count_played(stage: StageT, steps: Sequence[Step[StageT]]) -> int:
    """Return how many of the steps are behind: the last one that the ledger shows, and all before.

    Later ones are asked first: what an early step shows may be gone after a late one, such as a
    security that was redeemed.
    """
    for place in range(len(steps), 0, -1):
        is_played = steps[place - 1].is_played
        if is_played is not None and await is_played(stage):
            return place
    return 0


async def catch_up(stage: StageT, steps: Sequence[Step[StageT]]) -> None:
    """Enter into the book what came of these steps, which have been played."""
    for step in steps:
        if step.enter is not None:
            await step.enter(stage)


def is_ready(steps: Sequence[Step[StageT]], place: int, played: int) -> bool:
    """Return whether the step at this place can be played after so many."""
    if steps[place].is_played is None:
        return all(step.is_played is None for step in steps[played:place])
    return place >= played and all(step.is_played is None for step in steps[played:place])
