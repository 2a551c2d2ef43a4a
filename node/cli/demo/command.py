"""`khazana demo`: four institutions sell, settle and prove a treasury bill."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.application import LazyGroup, Place
from node.cli.exits import Exit
from node.cli.output import emit, fields, is_terminal, json_option, table

if TYPE_CHECKING:
    from node.cli.demo.narrator import Narrator


@click.group(
    cls=LazyGroup,
    places={
        "debt": Place(
            "node.cli.demo.debt", "Take four securities through half a year, to redemption."
        ),
    },
    invoke_without_command=True,
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Play in this new folder and leave it: chain, logs, genesis, proof.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, keep: Path | None, *, as_json: bool) -> None:
    """Play the sale of a treasury bill on a network of its own, through the public client.

    Four validators and an observer run as processes of their own, with keys, TLS and databases.
    Eight steps, each checked; exit code 0 only if every check holds. Takes under a minute.

    \b
    Example:
      khazana demo
    """
    if ctx.invoked_subcommand is not None:
        return
    from node.cli.demo.narrator import Narrator, PlainVoice, TerminalVoice
    from node.cli.demo.playing import STEPS
    from node.clock import SystemClock

    voice = (
        TerminalVoice()
        if is_terminal() and not as_json
        else PlainVoice(sys.stderr if as_json else sys.stdout)
    )
    narrator = Narrator(voice, SystemClock(), steps=len(STEPS))
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="khazana-demo-") as folder:
            closing = asyncio.run(_play(Path(folder) / "network", narrator))
    else:
        closing = asyncio.run(_play(keep, narrator))
    result = {
        "holds": narrator.all_hold,
        "seconds": round(narrator.elapsed_s, 1),
        **closing,
        "checks": [
            {"step": c.step, "name": c.name, "holds": c.holds, "found": c.found}
            for c in narrator.checks
        ],
    }
    emit(result, "\n" + _table(result, narrator), as_json=as_json)
    ctx.exit(Exit.OK if narrator.all_hold else Exit.REFUSED)


async def _play(root: Path, narrator: "Narrator") -> dict[str, Any]:
    from node.cli.demo.playing import STEPS
    from node.cli.demo.stage import EXCHANGE, set_stage
    from node.cli.demo.steps import play
    from node.clock import SystemClock

    async with set_stage(root, narrator, SystemClock()) as stage:
        narrator.tell("the network is ready: any three of the four validators decide")
        narrator.tell(f"watch it in a browser while it plays: {stage.network.nodes[EXCHANGE].url}/")
        for step in STEPS:
            await play(stage, step)
        return stage.closing


def _table(result: dict[str, Any], narrator: "Narrator") -> str:
    summary = {
        "height": result["height"],
        "transactions": ", ".join(f"{n:,} {name}" for name, n in result["transactions"].items()),
    }
    for when, latency in result["latency_ms"].items():
        figures = ", ".join(f"{name} {value:.0f} ms" for name, value in latency.items())
        summary[f"submit to final, {when}"] = figures
    summary |= {
        "checks": f"{sum(c.holds for c in narrator.checks)} of {len(narrator.checks)} hold",
        "time": f"{result['seconds']} s",
    }
    return "\n\n".join(
        [
            fields(summary),
            table(list(result["state_roots"].items()), head=("node", "state root")),
            table(
                [(a["asset"], a["supply"], a["holdings"]) for a in result["assets"]],
                head=("asset", "supply", "sum of holdings"),
            ),
            "Every check holds."
            if result["holds"]
            else "FAILED: " + "; ".join(c.name for c in narrator.checks if not c.holds),
        ]
    )
