"""`khazana upgrade status`: which version rules, which is scheduled, and who knows which."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from node.cli.options import timeout_option, urls_option
from node.cli.output import emit, json_option, table
from node.cli.upgrade.looking import Node, look, newest, render_known


@click.command()
@urls_option
@timeout_option(10)
@json_option
def command(urls: tuple[str, ...], timeout_s: float, *, as_json: bool) -> None:
    """Print which version of the protocol rules, which is scheduled, and what each node knows.

    \b
    Example:
      khazana upgrade status --url http://127.0.0.1:26680 --url http://127.0.0.1:26681
    """
    from node.ledger.protocol import VERSIONS

    nodes = look(urls, timeout_s)
    facts: dict[str, Any] = {
        "rules": newest(nodes).rules,
        "upgrade": newest(nodes).upgrade,
        "versions": {str(version): what for version, what in VERSIONS.items()},
        "nodes": [asdict(node) for node in nodes],
    }
    emit(facts, "\n".join(_lines(nodes)), as_json=as_json)


def _lines(nodes: Sequence[Node]) -> Iterator[str]:
    from node.ledger.protocol import VERSIONS

    furthest = newest(nodes)
    yield f"version {furthest.rules} rules after block {furthest.height}"
    upgrade = furthest.upgrade
    if upgrade is None:
        yield "no upgrade is scheduled"
    else:
        version, height = upgrade["version"], upgrade["height"]
        yield f"version {version} rules from height {height} on"
        yield f"that is {height - furthest.height} blocks ahead"
    yield ""
    rows = [(node.name, node.software, node.height, render_known(node.known)) for node in nodes]
    yield table(rows, head=("node", "software", "height", "knows versions"))
    for node in nodes:
        if node.error is not None:
            yield f"{node.url}: {node.error}"
        elif upgrade is not None and not node.knows(upgrade["version"]):
            last = upgrade["height"] - 1
            yield f"{node.name} WILL STOP after height {last}: install a newer release there"
    yield ""
    yield "this release knows"
    yield table([(version, what) for version, what in VERSIONS.items()], head=("version", "brings"))
