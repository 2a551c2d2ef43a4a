"""What nodes say about versions of the protocol: asked of each, and compared."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.cli.asking import within
from node.cli.endings import URL_HINT
from node.cli.exits import CommandError, Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What one node says."""

    url: str
    name: str
    software: str
    height: int
    rules: int
    """The version of the next height."""
    known: tuple[int, ...]
    upgrade: Mapping[str, Any] | None
    error: str | None = None
    """Why there is no answer; the rest is empty then."""

    def knows(self, version: int) -> bool:
        """Whether its software can apply blocks of this version."""
        return version in self.known


def look(urls: Sequence[str], timeout_s: float) -> tuple[Node, ...]:
    """Return what each node says.

    Raises:
        CommandError: none answers, or they are of different networks.
    """
    return asyncio.run(_look(urls, timeout_s))


async def _look(urls: Sequence[str], timeout_s: float) -> tuple[Node, ...]:
    found = await asyncio.gather(*(_ask(url, timeout_s) for url in dict.fromkeys(urls)))
    answered = [node for node, _ in found if node.error is None]
    if not answered:
        raise CommandError(
            Exit.UNREACHABLE,
            "\n".join(f"{node.url}: {node.error}" for node, _ in found),
            advice=URL_HINT,
        )
    networks = {network for node, network in found if node.error is None}
    if len(networks) > 1:
        raise CommandError(
            Exit.REFUSED,
            f"these nodes belong to {len(networks)} networks: {', '.join(sorted(networks))}",
            advice="Name only nodes of one network with --url; `khazana status` prints whose each"
            " is.",
        )
    return tuple(node for node, _ in found)


async def _ask(url: str, timeout_s: float) -> tuple[Node, str]:
    from node.client import Client, ClientError

    async def status(client: "Client") -> Mapping[str, Any]:
        found: Mapping[str, Any] = await client.call("khz_status")
        return found

    try:
        told = await within(url, timeout_s, status)
    except (ClientError, CommandError) as error:
        empty = Node(
            url=url,
            name="-",
            software="-",
            height=0,
            rules=0,
            known=(),
            upgrade=None,
            error=str(error),
        )
        return empty, ""
    node = Node(
        url=url,
        name=told["node"],
        software=told["software"],
        height=told["height"],
        rules=told["protocol_version"],
        # A release that does not say knows the first version alone.
        known=tuple(told.get("protocol_versions_known", (1,))),
        upgrade=told.get("upgrade"),
    )
    return node, told["genesis_hash"]


def newest(nodes: Sequence[Node]) -> Node:
    """Return the node that is furthest: what it says of the ledger counts."""
    return max(nodes, key=lambda node: node.height)


def render_known(known: Sequence[int]) -> str:
    """Return the versions as people write them."""
    if not known:
        return "-"
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"
