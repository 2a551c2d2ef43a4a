"""What the commands share that change the validator set: checks, and what became of a proposal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.cli.asking import within
from node.cli.exits import CommandError, Exit
from node.cli.output import emit

if TYPE_CHECKING:
    from node.client import Client
    from node.provision.requests import ValidatorRequest


def outcome_of(events: Any) -> dict[str, Any]:
    """Return what events say of a proposal: its id, and whether it was complete."""
    found: dict[str, Any] = {"proposal": None, "state": "open", "refused": None}
    for event in events:
        kind = event.get("type")
        if "proposal" in event:
            found["proposal"] = event["proposal"]
        if kind == "proposal_applied":
            found["state"] = "applied"
        elif kind == "proposal_refused":
            found["state"], found["refused"] = "refused", event
    return found


def tell(facts: Mapping[str, Any], what: str, *, as_json: bool) -> None:
    """Print what became of a proposal.

    Raises:
        CommandError: one of its operations was refused.
    """
    if facts["state"] == "refused":
        raise CommandError(
            Exit.REFUSED,
            f"{what}: the ledger has refused the proposal: {refusal_of(facts['refused'])}",
            facts=dict(facts),
            advice=what_next(facts["refused"]),
        )
    if facts["state"] == "applied":
        text = f"{what}: decided in block {facts['height']}, in force from the next on"
    else:
        text = (
            f"{what}: proposed, and approved by your office. The others read and approve it:\n"
            f"  khazana query proposal {facts['proposal']}\n"
            f"  khazana validator approve {facts['proposal']} --account ADDRESS --key FILE"
        )
    emit(facts, text, as_json=as_json)


def request_of(path: Path, status: Mapping[str, Any]) -> "ValidatorRequest":
    """Return the request in a file, if it is for this network.

    Raises:
        RequestError: it is none, or its proof does not hold.
        CommandError: it is for another network.
    """
    from node.provision.requests import read_request

    request = read_request(path)
    if request.network.hex() != status["genesis_hash"]:
        raise CommandError(
            Exit.REFUSED,
            f"{path} is a request for the network {request.network.hex()[:16]}…, this is"
            f" {status['network_name']}, {status['genesis_hash'][:16]}…",
            advice="It is made with `khazana validator request` in a home with this genesis.",
        )
    return request


async def status_of(client: "Client") -> dict[str, Any]:
    """Return the answer to `khz_status`."""
    found: dict[str, Any] = await client.call("khz_status")
    return found


async def seen_in_sync(url: str, request: "ValidatorRequest", network: Mapping[str, Any]) -> str:
    """Return a sentence about the newcomer's node, which is where the network is.

    Raises:
        CommandError: it is another node, on another network, or behind.
    """
    from node.rpc.health import LAG_MAX

    found = await within(url, 10, status_of)
    if found["genesis_hash"] != network["genesis_hash"] or found["node"] != request.name:
        raise CommandError(
            Exit.REFUSED,
            f"{url} is {found['node']} of {found['network_name']}, expected {request.name} of"
            f" {network['network_name']}",
            advice=f"Name with --newcomer where {request.name} itself answers clients; `khazana"
            " status --url URL` prints who answers.",
        )
    if found["height"] < network["height"] - LAG_MAX:
        raise CommandError(
            Exit.REFUSED,
            f"{request.name} is at height {found['height']}, the network at {network['height']}:"
            " as a validator it would be a missing vote until it has caught up",
            advice="Wait until `khazana status` shows it at the network's height.",
        )
    missing = [
        peer["name"]
        for peer in found["peers"]
        if peer["role"] == "validator" and not peer["connected"]
    ]
    said = f"{request.name} has caught up: height {found['height']}"
    if not missing:
        return said
    return f"{said}; it has no link to {', '.join(missing)}, and will vote once it has heard them"


def refusal_of(event: Mapping[str, Any]) -> str:
    """Return the outcome in an event with its sentence; its name alone where it is a newer one."""
    from node.ledger.explaining import ADDRESS_DETAILS, explain
    from node.ledger.outcomes import Outcome
    from node.telling import TELLER

    name = str(event["outcome"])
    if name not in Outcome.__members__:
        return name
    details = tuple(
        # Addresses come as text from the node, and `explain` takes their bytes.
        (key, value.encode().hex() if key in ADDRESS_DETAILS else value)
        for key, value in event["details"].items()
    )
    told = TELLER.tell(name, event["details"])
    return f"{name}: {told or explain(Outcome[name], details, render_address=bytes.decode)}"


def what_next(event: Mapping[str, Any]) -> str:
    """Return where it stands what to do about the outcome in an event."""
    return f"`khazana explain {event['outcome']}` says which rule it breaks and what to do."
