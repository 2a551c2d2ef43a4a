"""`khazana demo debt`: half a year of public debt in a minute."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import Exit
from node.cli.output import emit, fields, is_terminal, json_option

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
    from node.cli.demo.narrator import Narrator, PlainVoice, TerminalVoice
    from node.clock import SystemClock

    voice = (
        TerminalVoice()
        if is_terminal() and not as_json
        else PlainVoice(sys.stderr if as_json else sys.stdout)
    )
    narrator = Narrator(voice, SystemClock(), steps=len(STEPS))
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="khazana-demo-") as folder:
            closing = asyncio.run(_play(Path(folder) / "network", narrator, int(validators)))
    else:
        closing = asyncio.run(_play(keep, narrator, int(validators)))
    result = {
        "holds": narrator.all_hold,
        "seconds": round(narrator.elapsed_s, 1),
        **closing,
        "checks": [
            {"step": c.step, "name": c.name, "holds": c.holds, "found": c.found}
            for c in narrator.checks
        ],
    }
    emit(result, "\n" + _summary(result, narrator), as_json=as_json)
    ctx.exit(Exit.OK if narrator.all_hold else Exit.REFUSED)


async def _play(root: Path, narrator: "Narrator", validators: int) -> dict[str, Any]:
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


def _summary(result: dict[str, Any], narrator: "Narrator") -> str:
    failed = [check.name for check in narrator.checks if not check.holds]
    return "\n\n".join(
        [
            fields(
                {
                    "from": result["from"],
                    "to": result["to"],
                    "height": result["height"],
                    "state root": result["state_root"],
                    "checks": f"{len(narrator.checks) - len(failed)} of"
                    f" {len(narrator.checks)} hold",
                    "time": f"{result['seconds']} s",
                }
            ),
            "Every check holds." if not failed else "FAILED: " + "; ".join(failed),
        ]
    )
