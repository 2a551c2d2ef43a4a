"""Whether the stream that a node publishes to can be reached, and how far behind it is."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from node.cli.doctor.findings import Finding, Verdict, failed, graded

if TYPE_CHECKING:
    from node.cli.upkeep import Home

LAG_BLOCKS: Final = 50
"""As the alert has it."""


def stream_findings(home: "Home", height: int | None) -> Iterator[Finding]:
    """Look at the stream, if the node publishes to one.

    Args:
        height: of the running node; None: it does not run.
    """
    from node.stream import StreamFailure, is_wanted, link_of

    if not is_wanted(home.config):
        return
    expected = "the server answers, and its stream is for this network"
    try:
        link = link_of(home.config, home.genesis)

        async def ask() -> int:
            try:
                await link.open()
                cursor = (await link.locate(create=False)).cursor
            finally:
                await link.close()
            return 0 if cursor is None else cursor.height

        reached = asyncio.run(ask())
    except StreamFailure as error:
        yield failed(
            "stream",
            str(error),
            expected,
            "The node goes on without it, and publishes what was missed once it is mended:"
            " node/stream/README.md.",
        )
        return
    lag = 0 if height is None else max(0, height - reached)
    yield graded(
        "stream",
        Verdict.OK if lag <= LAG_BLOCKS else Verdict.WARNING,
        f"{link.place} stands at block {reached}"
        + ("" if height is None else f", {lag} behind this node"),
        expected + f", at most {LAG_BLOCKS} blocks behind",
        "Its log says why under part=stream; a new stream takes a while to be filled.",
    )
