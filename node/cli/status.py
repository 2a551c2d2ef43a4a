"""`khazana status`: how one node is, or several, and whether they tell the same."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import indented, within
from node.cli.endings import URL_HINT
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, urls_option
from node.cli.output import counted, emit, json_option, table

if TYPE_CHECKING:
    from node.client import Client

HEAD: Final = ("node", "height", "earliest", "block age", "peers", "pool", "state root", "state")
NARROW: Final = ("node", "height", "block age", "peers", "pool", "root", "state")
"""What fits into 80 columns."""
DOCTOR: Final = "on its machine `khazana doctor --home HOME`, its folder, says what to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found at one address."""

    url: str
    status: Mapping[str, Any] | None
    """The answer to `khz_status`."""
    error: str | None
    """Why there is none."""
    block_age_ms: int | None
    """By the clock of this machine; None before the first block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What several nodes hold at the last height that all of them have."""

    height: int
    roots: Mapping[str, str]
    """State root by address of the node."""

    @property
    def agree(self) -> bool:
        """Whether there is one state."""
        return len(set(self.roots.values())) <= 1


@click.command()
@urls_option
@click.option(
    "--trust",
    is_flag=True,
    help="Print the lines by which a new node trusts this one's newest snapshot.",
)
@click.option("--watch", is_flag=True, help="Look again and again, until q or Ctrl-C.")
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(0.1, 3_600),
    default=2.0,
    show_default=True,
    help="With --watch: seconds between two looks.",
)
@click.option("--times", type=click.IntRange(1), help="With --watch: end after so many looks.")
@timeout_option(10)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    urls: tuple[str, ...],
    timeout_s: float,
    every_s: float,
    times: int | None,
    *,
    trust: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Say how a node is: its height, its peers, its pool, and what it lacks.

    With several --url it compares them: their state at the last height that all have is the same,
    or something is badly wrong. Exit code 3 when a node does not answer or is not ready, 1 when two
    belong to different networks or hold different states. What a node warns of, such as an index
    that does not go on, changes no code.

    With --watch it looks again and again, and ends with the code of the last look; a node that does
    not answer is asked again. `khazana top` shows more of the same.

    With --trust it prints the block of the newest snapshot as lines of a configuration file; a new
    node that has them joins by a snapshot. Ask a node that you trust, over a way that you trust.

    \b
    Examples:
      khazana status --url http://127.0.0.1:26680 --url http://127.0.0.1:26681
      khazana status --watch --every 5
      khazana status --trust
    """
    if watch:
        if trust or as_json:
            raise click.UsageError("--watch is for people: leave --json and --trust away")
        nodes, comparison = asyncio.run(_watch(urls, timeout_s, every_s, times))
        _end(ctx, nodes, comparison)
        return
    nodes, comparison = asyncio.run(_look(urls, timeout_s))
    if all(seen.status is None for seen in nodes):
        raise CommandError(
            Exit.UNREACHABLE,
            "\n".join(f"{seen.url}: {seen.error}" for seen in nodes),
            advice=URL_HINT,
        )
    if trust:
        point = _trusted_point(nodes)
        emit(
            point,
            f"[sync]\ntrusted_height = {point['trusted_height']}\n"
            f'trusted_block = "{point["trusted_block"]}"',
            as_json=as_json,
        )
        return
    emit(_facts(nodes, comparison), "\n\n".join(_parts(nodes, comparison)), as_json=as_json)
    _end(ctx, nodes, comparison)


def _end(ctx: click.Context, nodes: Sequence[Seen], comparison: Comparison | None) -> None:
    if not _are_one_network(nodes) or (comparison is not None and not comparison.agree):
        ctx.exit(Exit.REFUSED)
    if not all(seen.status is not None and seen.status["ready"] for seen in nodes):
        ctx.exit(Exit.UNREACHABLE)


def amendments_of(status: Mapping[str, Any]) -> str:
    """Return a line for each amendment of the validator set that a node follows."""
    # An older release follows none, and does not say so.
    return "".join(
        f"\namendment {each['serial']} rules from height {each['height']} on: {each['id']},"
        f" {each['reason']}"
        for each in status.get("amendments", ())
    )


def _trusted_point(nodes: Sequence[Seen]) -> Mapping[str, Any]:
    """Return the newest snapshot's block that all nodes asked serve alike."""
    offers = [
        {(each["height"], each["block_id"]) for each in seen.status["snapshots"]}
        for seen in nodes
        if seen.status is not None
    ]
    common = set.intersection(*offers)
    if not common:
        raise CommandError(
            Exit.UNREACHABLE,
            "there is no snapshot to trust yet"
            if len(offers) == 1
            else "no snapshot is served by all of these nodes",
            advice="Nodes pin a snapshot when they start with a chain that has blocks, and at every"
            " multiple of sync.snapshot_interval (1,000 by default; 0 serves none). Try again after"
            " the next one, or ask one node alone.",
        )
    height, block_id = max(common)
    return {"trusted_height": height, "trusted_block": block_id}


async def _watch(
    urls: Sequence[str], timeout_s: float, every_s: float, times: int | None
) -> tuple[tuple[Seen, ...], Comparison | None]:
    from rich.text import Text

    from node.cli.live import plain, show, sign_of_life
    from node.clock import SystemClock

    clock = SystemClock()
    seen: tuple[tuple[Seen, ...], Comparison | None] = (), None

    async def look() -> None:
        nonlocal seen
        seen = await _look(urls, timeout_s)

    def draw(width: int) -> list[Text]:
        lines = "\n\n".join(_parts(*seen, narrow=True)).splitlines()
        folded = (wrap(line, width, break_on_hyphens=False) or [""] for line in lines)
        told = [Text(plain(part)) for parts in folded for part in parts]
        return [*told, Text(), sign_of_life(clock.now_ms(), every_s)]

    await show(look, draw, every_s=every_s, times=times)
    return seen


async def _look(
    urls: Sequence[str], timeout_s: float
) -> tuple[tuple[Seen, ...], Comparison | None]:
    nodes = tuple(await asyncio.gather(*(_look_at(url, timeout_s) for url in dict.fromkeys(urls))))
    return nodes, await _compare(nodes, timeout_s)


async def _look_at(url: str, timeout_s: float) -> Seen:
    from node.client import ClientError
    from node.clock import SystemClock

    async def ask(client: "Client") -> tuple[Mapping[str, Any], int]:
        found: Mapping[str, Any] = await client.call("khz_status")
        head = (await client.status()).time
        return found, int(head.timestamp() * 1000)

    try:
        status, head_ms = await within(url, timeout_s, ask)
    except ClientError as error:
        return Seen(url=url, status=None, error=str(error), block_age_ms=None)
    except CommandError as error:
        if error.code is not Exit.TIMEOUT:
            raise
        return Seen(url=url, status=None, error=error.message, block_age_ms=None)
    now_ms = SystemClock().now_ms()
    if status["development"] and "clock" in status:
        # Such a network may have travelled; elsewhere a node's word for the time is worth nothing.
        now_ms = int(datetime.fromisoformat(status["clock"]).timestamp() * 1000)
    age_ms = now_ms - head_ms if status["height"] else None
    return Seen(url=url, status=status, error=None, block_age_ms=age_ms)


async def _compare(nodes: Sequence[Seen], timeout_s: float) -> Comparison | None:
    """Ask for the last block that all have; None where there is nothing to compare."""
    from node.client import ClientError

    heights = {seen.url: seen.status["height"] for seen in nodes if seen.status is not None}
    height = min(heights.values(), default=0)
    if len(heights) < 2 or height == 0 or not _are_one_network(nodes):
        return None

    async def root(client: "Client") -> str:
        return (await client.block(height, transactions="none")).value.header.state_root

    roots: dict[str, str] = {}
    for url in heights:
        try:
            roots[url] = await within(url, timeout_s, root)
        except (ClientError, CommandError):
            continue  # It answered a moment ago; what it says about itself is still worth showing.
    return Comparison(height=height, roots=roots) if len(roots) > 1 else None


def _are_one_network(nodes: Sequence[Seen]) -> bool:
    return len({seen.status["genesis_hash"] for seen in nodes if seen.status is not None}) <= 1


def _facts(nodes: Sequence[Seen], comparison: Comparison | None) -> dict[str, object]:
    return {
        "nodes": [
            {
                "url": seen.url,
                "error": seen.error,
                "block_age_ms": seen.block_age_ms,
                "status": seen.status,
            }
            for seen in nodes
        ],
        "one_network": _are_one_network(nodes),
        "compared": None
        if comparison is None
        else {
            "height": comparison.height,
            "agree": comparison.agree,
            "state_roots": dict(comparison.roots),
        },
    }


def _parts(
    nodes: Sequence[Seen], comparison: Comparison | None, *, narrow: bool = False
) -> Iterator[str]:
    networks = {seen.status["genesis_hash"]: seen.status for seen in nodes if seen.status}
    for status in networks.values():
        yield (
            f"{status['network_name']}, genesis {status['genesis_hash']}\n"
            f"{counted(status['validators'], 'validator')}, {status['quorum']}"
            f" {'decides' if status['quorum'] == 1 else 'decide'}"
            f" ({status['fault_model']}: {status['faults_survived']} may be faulty)"
            + amendments_of(status)
        )
    if not _are_one_network(nodes):
        yield "THESE NODES BELONG TO DIFFERENT NETWORKS."
    yield table([_row(seen, narrow=narrow) for seen in nodes], head=NARROW if narrow else HEAD)
    for seen in nodes:
        if seen.error is not None:
            yield f"{seen.url}: {seen.error}"
        elif seen.status is not None and not seen.status["ready"]:
            lacking = "\n".join(seen.status["not_ready"])
            yield f"{seen.status['node']} is not ready:\n{indented(lacking)}"
        if seen.status is not None and (warnings := seen.status.get("warnings")):
            told = "\n".join([*warnings, DOCTOR])
            yield f"{seen.status['node']} warns:\n{indented(told)}"
    if comparison is not None:
        yield from _compared(nodes, comparison)
    if len(nodes) == 1 and nodes[0].status is not None and nodes[0].status["peers"]:
        rows = [
            (peer["name"], peer["role"], "yes" if peer["connected"] else "no", peer["height"])
            for peer in nodes[0].status["peers"]
        ]
        yield table(rows, head=("peer", "role", "connected", "height"))


def _row(seen: Seen, *, narrow: bool) -> tuple[object, ...]:
    status = seen.status
    if status is None:
        return (seen.url, *("-" * (len(NARROW if narrow else HEAD) - 2)), "no answer")
    connected = sum(peer["connected"] for peer in status["peers"])
    age = "-" if seen.block_age_ms is None else f"{seen.block_age_ms / 1000:.1f} s"
    return (
        status["node"],
        status["height"],
        *(() if narrow else (status["earliest_height"],)),
        age,
        f"{connected} of {len(status['peers'])}",
        status["mempool"]["transactions"],
        status["state_root"][: 8 if narrow else 16],
        "ready" if status["ready"] else "not ready",
    )


def _compared(nodes: Sequence[Seen], comparison: Comparison) -> Iterator[str]:
    if comparison.agree:
        (root,) = set(comparison.roots.values())
        yield f"one state at height {comparison.height}: {root}"
        return
    names = {seen.url: seen.status["node"] for seen in nodes if seen.status is not None}
    rows = [(names[url], root) for url, root in comparison.roots.items()]
    yield (
        f"DIFFERENT STATES AT HEIGHT {comparison.height}. Stop the nodes in the minority, keep"
        f" their data, and report it.\n{indented(table(rows))}"
    )
