"""`khazana validator list`: who votes, how each of them is, and what is pending."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.asking import with_client
from node.cli.options import timeout_option, url_option
from node.cli.output import emit, json_option, table
from node.cli.status import amendments_of
from node.cli.validator.changing import status_of

if TYPE_CHECKING:
    from node.client import Client

LOOK_BACK: Final = 20
"""Blocks in which the last signature of each is looked for."""
CHANGES: Final = ("add_validator", "remove_validator", "rotate_validator_key")


@click.command(name="list")
@url_option
@timeout_option(30)
@json_option
def command(url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print who votes, how far each has come, when it signed last, and which changes are proposed.

    As the node asked sees it. A block names a quorum of those who signed it: whoever is slower than
    the others is missing in some, and one that is missing in all of the last 20 does not vote.

    \b
    Example:
      khazana validator list --url http://127.0.0.1:26680
    """
    facts = with_client(url, timeout_s, _look)
    emit(facts, _text(facts), as_json=as_json)


async def _look(client: "Client") -> dict[str, Any]:
    status = await status_of(client)
    validators = (await client.validators()).value.validators
    signed = await _last_signed(client, [each.name for each in validators], status)
    peers = {peer["name"]: peer for peer in status["peers"]}
    rows = []
    for each in validators:
        own, peer = each.name == status["node"], peers.get(each.name)
        height = status["height"] if own else None if peer is None else peer["height"]
        rows.append(
            {
                "name": each.name,
                "participant": each.participant,
                "public_key": each.public_key,
                "connected": own or (peer is not None and peer["connected"]),
                "height": height,
                "signed_last": signed.get(each.name),
            }
        )
    page = await client.call("khz_proposals", limit=200)
    pending = [
        proposal
        for proposal in page["proposals"]
        if any(operation["type"] in CHANGES for operation in proposal["operations"])
    ]
    return {
        "node": status["node"],
        "height": status["height"],
        "quorum": status["quorum"],
        "faults_survived": status["faults_survived"],
        "fault_model": status["fault_model"],
        "not_ready": status["not_ready"],
        "amendments": status.get("amendments", []),
        "validators": rows,
        "pending": pending,
    }


async def _last_signed(
    client: "Client", names: list[str], status: Mapping[str, Any]
) -> dict[str, int]:
    found: dict[str, int] = {}
    height = status["height"]
    least = max(1, height - LOOK_BACK + 1, status["earliest_height"])
    while height >= least and len(found) < len(names):
        block = await client.call("khz_block", height=height, transactions="none")
        for signature in block["certificate"]["signatures"]:
            found.setdefault(signature["validator"], height)
        height -= 1
    return found


def _text(facts: Mapping[str, Any]) -> str:
    rows = [
        (
            each["name"],
            each["participant"] or "-",
            "yes" if each["connected"] else "no",
            "-" if each["height"] is None else each["height"],
            "-" if each["signed_last"] is None else each["signed_last"],
            each["public_key"][:16],
        )
        for each in facts["validators"]
    ]
    head = ("validator", "participant", "connected", "height", "signed last", "public key")
    parts = [
        table(rows, head=head),
        f"{facts['quorum']} of {len(rows)} decide ({facts['fault_model']}:"
        f" {facts['faults_survived']} may be faulty); as {facts['node']} sees it at height"
        f" {facts['height']}" + amendments_of(facts),
    ]
    if facts["not_ready"]:
        lacking = "\n".join(f"  {line}" for line in facts["not_ready"])
        parts.append(f"{facts['node']} is not ready:\n{lacking}")
    for proposal in facts["pending"]:
        what = ", ".join(
            f"{operation['type']} {operation.get('name', '')}".strip()
            for operation in proposal["operations"]
        )
        parts.append(
            f"proposed: {what}\n  {proposal['id']}, approvals: {len(proposal['approvals'])}, until"
            f" {proposal['expires']}"
        )
    return "\n\n".join(parts)
