"""`khazana upgrade check`: whether every node is ready for a version."""

from collections.abc import Sequence

import click

from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, urls_option
from node.cli.output import emit, json_option
from node.cli.upgrade.looking import Node, look, newest, render_known


@click.command()
@click.option(
    "--version",
    "version",
    type=click.IntRange(1, 255),
    help="Of the protocol; by default what is scheduled, or the one after that which rules.",
)
@urls_option
@timeout_option(10)
@json_option
def command(version: int | None, urls: tuple[str, ...], timeout_s: float, *, as_json: bool) -> None:
    """Say whether the software of every node knows a version; ends with code 1 if one does not.

    Give the address of every node of the network, validators and observers: a node that is not
    asked is not checked.

    \b
    Example:
      khazana upgrade check --version 2 \\
        --url http://127.0.0.1:26680 --url http://127.0.0.1:26681
    """
    nodes = look(urls, timeout_s)
    wanted = _wanted(nodes) if version is None else version
    behind = [node for node in nodes if not node.knows(wanted)]
    facts: dict[str, object] = {
        "version": wanted,
        "ready": [node.name for node in nodes if node.knows(wanted)],
        "not_ready": [node.name if node.error is None else node.url for node in behind],
    }
    if behind:
        raise CommandError(
            Exit.REFUSED,
            "\n".join(_why(node, wanted) for node in behind),
            advice=f"Install a release of khazana that knows version {wanted} there, one node after"
            " the other, before an upgrade is proposed.",
            facts=facts,
        )
    emit(facts, f"{_count(nodes)} asked: all know version {wanted}", as_json=as_json)


def _wanted(nodes: Sequence[Node]) -> int:
    furthest = newest(nodes)
    if furthest.upgrade is not None:
        return int(furthest.upgrade["version"])
    return furthest.rules + 1


def _why(node: Node, version: int) -> str:
    if node.error is not None:
        return f"{node.url}: {node.error}"
    return (
        f"{node.name} runs {node.software}, which knows versions {render_known(node.known)}, not"
        f" {version}"
    )


def _count(nodes: Sequence[Node]) -> str:
    return "one node" if len(nodes) == 1 else f"{len(nodes)} nodes"
