"""`khazana validator resume`: an operator's word in the place of a lost log."""

import asyncio
from pathlib import Path
from typing import Final

import click

from node.cli.asking import confirm, within
from node.cli.exits import CommandError, Exit
from node.cli.options import home_option
from node.cli.output import box, emit, json_option, note
from node.cli.validator.changing import status_of

WARNING: Final = (
    "THIS KEY WILL SIGN WITHOUT KNOWING WHAT IT HAS SIGNED.",
    "If any node anywhere holds a block above this height, the network",
    "may decide two blocks at one height, and no program can mend that.",
    "What only lost disks knew is given up.",
)
REASON_MAX: Final = 256


@click.command()
@click.option(
    "--above",
    type=click.IntRange(0, (1 << 62)),
    required=True,
    help="The highest block that any node is left with.",
)
@click.option(
    "--other",
    "others",
    multiple=True,
    metavar="URL",
    required=True,
    help="Where a node answers that is left; once for each of them all.",
)
@click.option("--reason", required=True, help="For the log: who compared what, and when.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def command(
    above: int, others: tuple[str, ...], reason: str, home: Path, *, yes: bool, as_json: bool
) -> None:
    """Let this validator sign above a height although its log is lost. The last resort.

    Needed only where so many have lost their logs that those who remember prove nothing: three of
    four. `khazana status` says so. Every operator does it on its own machine, with the node
    stopped, for the same height: that of the highest block that any validator, observer or backup
    holds, which one that is named must have. Refused while one of them is higher, or the log still
    knows what it signed.

    \b
    Example:
      khazana validator resume --home finance-ministry --above "$HEIGHT" \\
        --other http://127.0.0.1:26680 \\
        --reason "heads compared by telephone, 25 November, all four institutions"
    """
    from node.cli.upkeep import load_home
    from node.clock import SystemClock
    from node.replica import write_resumption
    from node.storage import open_consensus_log

    place = load_home(home)
    if not 1 <= len(reason) <= REASON_MAX:
        raise CommandError(
            Exit.USAGE,
            f"--reason has {len(reason)} characters, 1 to {REASON_MAX} are needed",
            advice='Say in a sentence what was lost and who agreed: --reason "disk replaced,'
            ' agreed with the others on 4 May".',
        )
    heights = asyncio.run(_heights(others, place.genesis.hash.hex()))
    contradicting = {url: height for url, height in heights.items() if height > above}
    if contradicting:
        found = ", ".join(f"{url} is at {height}" for url, height in contradicting.items())
        raise CommandError(
            Exit.REFUSED,
            f"there are blocks above {above}: {found}",
            advice=f"Compare all nodes again; the highest says {max(heights.values())}.",
        )
    highest = max(heights.values())
    if highest < above:
        # Silent up to a height that nobody can reach, it would never sign again.
        raise CommandError(
            Exit.REFUSED,
            f"no node named has block {above}: the highest is at {highest}",
            advice="Name the node that has it, and let it run; the others get the block from it.",
        )
    note(box(WARNING))
    if not yes:
        confirm(f"Sign above {above}?")
    write_resumption(
        open_consensus_log(place.log),
        above=above,
        at_ms=SystemClock().now_ms(),
        reason=reason,
        under=place.genesis.domain(above + 1) if place.genesis.amendments else None,
    )
    emit(
        {"name": place.config.name, "above": above, "reason": reason, "others": heights},
        f"{place.config.name} will sign above {above}; start it now. Its log says why.",
        as_json=as_json,
    )


async def _heights(urls: tuple[str, ...], genesis_hash: str) -> dict[str, int]:
    """Return the head of each of these nodes.

    Raises:
        CommandError: one is of another network, or does not answer in time.
    """
    heights = {}
    for url in dict.fromkeys(urls):
        status = await within(url, 10, status_of)
        if status["genesis_hash"] != genesis_hash:
            raise CommandError(
                Exit.REFUSED,
                f"{url} is on {status['network_name']}, {status['genesis_hash'][:16]}…: another"
                " network than this home's",
                advice="Name nodes of this home's network; `khazana genesis show` and `khazana"
                " status` print the genesis hash of each.",
            )
        heights[url] = int(status["height"])
    return heights
