"""`khazana demo`: four institutions sell, settle and prove a treasury bill."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.application import LazyGroup, Place
from node.cli.output import fields, json_option, table

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
    from node.cli.demo.performing import perform
    from node.cli.demo.playing import STEPS

    ctx.exit(perform(_play, _last_page, steps=STEPS, keep=keep, as_json=as_json))


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


def _last_page(result: Mapping[str, Any]) -> str:
    from node.cli.demo.performing import checks_line, verdict

    summary = {
        "height": result["height"],
        "transactions": ", ".join(f"{n:,} {name}" for name, n in result["transactions"].items()),
    }
    for when, latency in result["latency_ms"].items():
        figures = ", ".join(f"{name} {value:.0f} ms" for name, value in latency.items())
        summary[f"submit to final, {when.replace('_', ' ')}"] = figures
    summary |= {"checks": checks_line(result), "time": f"{result['seconds']} s"}
    assets = [(each["asset"], each["supply"], each["holdings"]) for each in result["assets"]]
    return "\n\n".join(
        [
            fields(summary),
            table(list(result["state_roots"].items()), head=("node", "state root")),
            table(assets, head=("asset", "supply", "sum of holdings")),
            verdict(result),
        ]
    )
