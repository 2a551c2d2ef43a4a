"""`khazana query transaction`: a transaction, and what became of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from node.cli.asking import ask, indented, render
from node.cli.exits import Exit
from node.cli.options import parse_id, timeout_option, url_option
from node.cli.output import fields, json_option


@click.command()
@click.argument("id_", metavar="ID", callback=parse_id)
@url_option
@timeout_option(10)
@json_option
@click.pass_context
def command(ctx: click.Context, id_: str, url: str, timeout_s: float, *, as_json: bool) -> None:
    """Print the transaction with this ID and its receipt: applied, or refused and why.

    Exit code 1 when the node knows nothing of it: it is in no block up to the height in the answer,
    and does not wait there.

    \b
    Example:
      khazana query transaction "$ID"
    """
    found = ask(url, timeout_s, "khz_transaction", as_json=as_json, text=_text, id=id_)
    if found["status"] == "unknown":
        ctx.exit(Exit.REFUSED)


def _text(result: Mapping[str, Any]) -> str:
    return "\n".join(_parts(result))


def _parts(result: Mapping[str, Any]) -> Iterator[str]:
    transaction, receipt = result["transaction"], result["receipt"]
    lines: dict[str, object] = {"id": result["id"], "status": result["status"]}
    if result["status"] == "unknown" and result["forgotten_until"] is not None:
        lines["pruned"] = (
            f"valid until {result['forgotten_until']} or before, it may be in a block that is no"
            " longer kept here: ask a node that keeps all"
        )
    if receipt is not None:
        outcome = receipt["outcome"]
        lines["block"] = f"{receipt['height']}, index {receipt['index']}, {receipt['time']}"
        lines["outcome"] = f"{outcome['name']}: {outcome['told']}"
        if outcome["operation"] is not None:
            lines["refused at"] = f"operation {outcome['operation']}"
    if transaction is not None:
        lines |= {
            "valid until": transaction["valid_until"],
            "signed by": "\n".join(transaction["signers"]),
            "memo": transaction["memo"] or "-",
            "size": f"{transaction['size_bytes']} bytes",
        }
    width = max(map(len, lines))
    yield fields(
        {name: str(text).replace("\n", "\n" + " " * (width + 2)) for name, text in lines.items()}
    )
    for index, operation in enumerate(transaction["operations"] if transaction else ()):
        yield f"operation {index}:\n{indented(render(operation))}"
    for event in receipt["events"] if receipt else ():
        yield f"event:\n{indented(render(event))}"
