"""`khazana demo debt`: half a year of public debt in a minute."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.output import fields, json_option

if TYPE_CHECKING:
    from node.cli.demo.narrator import Narrator


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Play in this new folder and leave it: chain, logs, genesis.",
)
@click.option(
    "--validators",
    type=click.Choice(["1", "4"]),
    default="4",
    show_default=True,
    help="How many institutions run a node; with one the same is over sooner.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, keep: Path | None, validators: str, *, as_json: bool) -> None:
    """Take a bill, a bond, a floater and a sukuk through their whole life, in a minute.

    Announce, bid under seal and on paper, decide, settle, trade, fix, reopen, switch, pay, default,
    cure, redeem: half a year on a development network of four validators, whose dates pass day by
    day. What everybody must have is worked out beside the ledger, by hand, and compared; exit code
    0 only if every check holds.

    \b
    Example:
      khazana demo debt --validators 1
    """
    from node.cli.demo.debt.playing import STEPS
    from node.cli.demo.performing import perform

    plays = partial(_play, validators=int(validators))
    ctx.exit(perform(plays, _last_page, steps=STEPS, keep=keep, as_json=as_json))


async def _play(root: Path, narrator: "Narrator", *, validators: int) -> dict[str, Any]:
    from node.cli.demo.debt.playing import STEPS
    from node.cli.demo.debt.stage import set_stage
    from node.cli.demo.steps import play
    from node.clock import SystemClock

    async with set_stage(root, narrator, SystemClock(), validators=validators) as stage:
        narrator.tell("the network is ready; its dates pass when it is told so")
        narrator.tell(f"watch it in a browser: {stage.client_url}/securities")
        for step in STEPS:
            await play(stage, step)
        return stage.closing


def _last_page(result: Mapping[str, Any]) -> str:
    from node.cli.demo.performing import checks_line, verdict

    summary = {
        "from": result["from"],
        "to": result["to"],
        "height": result["height"],
        "state root": next(iter(result["state_roots"].values())),
        "checks": checks_line(result),
        "time": f"{result['seconds']} s",
    }
    return f"{fields(summary)}\n\n{verdict(result)}"
