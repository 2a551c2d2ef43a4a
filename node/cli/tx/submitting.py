"""What the commands that submit have in common: from operations, or a draft, to the final word."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from node.cli.moments import written
from node.cli.output import emit

if TYPE_CHECKING:
    from node.cli.tx.operations import OperationReader
    from node.client import Client, Draft
    from node.client.reads import Receipt
    from node.keys import Signer


async def operation_reader(client: "Client", values: Sequence[object]) -> "OperationReader":
    """Return a reader that knows the network's addresses and the decimals of the assets named."""
    from node.cli.tx.operations import OperationReader
    from node.client import NotFound

    decimals: dict[str, int] = {}
    for code in sorted(set(_assets(values))):
        try:
            decimals[code] = (await client.asset(code)).value.decimals
        except NotFound:
            continue  # It may be defined by these very operations, which then say it.
    for value in _objects(values):
        if isinstance(value.get("decimals"), int) and isinstance(value.get("asset"), str):
            decimals.setdefault(value["asset"], value["decimals"])
    return OperationReader(parse_address=client.network.parse_address, decimals_of=decimals.get)


async def build(
    client: "Client",
    values: Sequence[object],
    *,
    memo: str,
    valid_for_ms: int,
    signers: Sequence[bytes],
) -> "Draft":
    """Return the draft of operations in JSON form, naming these public keys as its signers.

    Raises:
        OperationError: one of them is no operation.
        DraftError: together they are no transaction.
    """
    reader = await operation_reader(client, values)
    places = [f"operation {n}" if len(values) > 1 else "" for n in range(len(values))]
    operations = [reader.read(v, place=p) for v, p in zip(values, places, strict=True)]
    builder = await client.transaction(valid_for_ms=valid_for_ms, memo=memo, signers=signers)
    return builder.add(*operations).draft()


async def submit(
    client: "Client",
    values: Sequence[object],
    signers: "Sequence[Signer]",
    *,
    memo: str,
    valid_for_s: float,
) -> "tuple[Draft, Receipt]":
    """Build, sign and submit operations; return once they are final."""
    draft = await build(
        client,
        values,
        memo=memo,
        valid_for_ms=int(valid_for_s * 1000),
        signers=[signer.public_key for signer in signers],
    )
    draft = draft.sign(*signers)
    return draft, await client.submit(draft)


def report(draft: "Draft", receipt: "Receipt", *, as_json: bool) -> None:
    """Print what became of a transaction that was applied."""
    facts: dict[str, Any] = {
        "id": draft.id.hex(),
        "outcome": receipt.outcome.name,
        "height": receipt.height,
        "index": receipt.index,
        "time": written(receipt.time),
        "events": list(receipt.events),
    }
    text = f"applied in block {receipt.height}, transaction {draft.id.hex()}"
    emit(facts, text, as_json=as_json)


def _objects(values: Sequence[object]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for value in values:
        if isinstance(value, dict):
            found.append(value)
            for inner in value.values():
                if isinstance(inner, dict):
                    found += _objects([inner])
                elif isinstance(inner, list):
                    found += _objects(inner)
    return found


def _assets(values: Sequence[object]) -> list[str]:
    return [v["asset"] for v in _objects(values) if isinstance(v.get("asset"), str)]
