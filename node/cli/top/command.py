"""`khazana top`: the network live in a terminal."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import urls_option
from node.cli.output import emit, json_option

if TYPE_CHECKING:
    from node.cli.top.polling import Poll


@click.command()
@urls_option
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.1, 3_600),
    default=1.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option(
    "--times", type=click.IntRange(1), help="End after so many looks; by default q or Ctrl-C do."
)
@json_option
@click.pass_context
def command(
    ctx: click.Context, urls: tuple[str, ...], every_s: float, times: int | None, *, as_json: bool
) -> None:
    """Watch nodes: heights, rounds, votes, peers, pools, rates, lag, again and again.

    A node that does not answer stays in the list and is asked again. Votes are those that have come
    to the highest node. Into a pipe each look is plain text; with --json it looks twice, for the
    rates, and prints one object. Ended by q or Ctrl-C. Exit code 3 when no node answered the last
    look.

    \b
    Examples:
      khazana top --url http://127.0.0.1:26680 --url http://127.0.0.1:26681
      KHAZANA_URL="http://127.0.0.1:26680 http://127.0.0.1:26681" khazana top --every 0.5
      khazana top --json
    """
    answered = asyncio.run(_watch(urls, every_s, times, as_json=as_json))
    if not answered:
        ctx.exit(Exit.UNREACHABLE)


async def _watch(
    urls: tuple[str, ...], every_s: float, times: int | None, *, as_json: bool
) -> bool:
    from node.cli.credentials import credentials
    from node.cli.live import show
    from node.cli.top.drawing import picture
    from node.cli.top.polling import Poll
    from node.clock import SystemClock

    try:
        poll = Poll(urls, SystemClock(), credentials().settings())
        async with poll:
            if as_json:
                await poll.look()
                await asyncio.sleep(every_s)
                await poll.look()
                emit(_facts(poll), "", as_json=True)
            else:
                await show(
                    poll.look,
                    lambda width: picture(poll, width, every_s=every_s),
                    every_s=every_s,
                    times=times,
                )
    except ValueError as error:
        raise CommandError(
            Exit.USAGE,
            str(error),
            advice="Name each node with a --url http://HOST:PORT of its own.",
        ) from None
    return poll.furthest is not None


def _facts(poll: "Poll") -> dict[str, Any]:
    import msgspec

    nodes = []
    for node in poll.nodes:
        look = node.last
        nodes.append(
            {
                "url": node.url,
                "error": node.error,
                "status": None if look is None else msgspec.to_builtins(look.status),
                "consensus": None if look is None else msgspec.to_builtins(look.consensus),
                "blocks_per_s": _rounded(node.rate("blocks")),
                "transactions_per_s": _rounded(node.rate("transactions")),
            }
        )
    return {"nodes": nodes}


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 3)
