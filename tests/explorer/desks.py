"""Desks that act on nothing: they say how things stand, and note what they are asked for."""

from collections.abc import Mapping
from typing import Final

from node.cli.devnet.desk import PLAYS
from node.explorer.contents import CheckLine, DeskView, PlayLine, Run, RunRefusal, StepLine
from node.explorer.development import Deny, Report

STATES: Final = ("done", "ready", "later")


class QuietDesk:
    """A desk that notes what it is asked for."""

    def __init__(self, *, everywhere: bool = False) -> None:
        self.everywhere = everywhere
        self.asked: list[dict[str, str]] = []
        self.view = DeskView(
            time="2026-11-26T09:00:00.000Z",
            today="2026-11-26",
            ahead_days=0,
            faucet_most=1,
            travel_most=1,
            plays=[],
            runs=[],
        )

    async def look(self) -> DeskView:
        return self.view

    async def begin(self, form: Mapping[str, str], report: Report) -> None:  # noqa: ARG002
        self.asked.append(dict(form))


class BusyDesk(QuietDesk):
    """A desk with both demonstrations begun, and a past: each kind of act, and one refused."""

    def __init__(self) -> None:
        super().__init__()
        self.view = DeskView(
            time="2026-11-29T09:00:00.000Z",
            today="2026-11-29",
            ahead_days=3,
            faucet_most=1_000_000,
            travel_most=366,
            plays=[
                PlayLine(
                    name=play.name,
                    steps=[
                        StepLine(name=step.name, state=STATES[min(place, 2)])
                        for place, step in enumerate(play.steps)
                    ],
                )
                for play in PLAYS
            ],
            runs=[
                run(4, act="step", play="debt", step="define", state="failed", refusal=REFUSED),
                run(3, act="step", play="dvp", step="gather", checks=CHECKS),
                run(2, act="travel", wanted="2026-11-29"),
                run(1, act="faucet", wanted="10000", private_key="0" * 64),
            ],
        )


REFUSED: Final = RunRefusal(
    reason=Deny.LEDGER,
    values={},
    outcome="ASSET_EXISTS",
    details={"asset": "MTB-6M"},
    sentence="An asset of this name exists.",
)
CHECKS: Final = [
    CheckLine(name="no bill is left", holds=True, found="0"),
    CheckLine(name="the chain went on without it", holds=False, found="3 blocks"),
]


def run(
    number: int,
    *,
    act: str,
    play: str | None = None,
    step: str | None = None,
    state: str = "done",
    wanted: str | None = None,
    private_key: str | None = None,
    checks: list[CheckLine] | None = None,
    refusal: RunRefusal | None = None,
) -> Run:
    """Return something that a desk was asked to do."""
    return Run(
        number=number,
        act=act,
        play=play,
        step=step,
        state=state,
        wanted=wanted,
        address=None,
        private_key=private_key,
        transactions=[],
        from_height=number,
        to_height=number + 1,
        lines=["as a terminal tells it"],
        checks=checks or [],
        refusal=refusal,
    )
