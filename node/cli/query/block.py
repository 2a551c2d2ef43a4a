"""`khazana query block`: a block, its certificate and its transactions."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from node.cli.asking import ask, indented, render
from node.cli.options import timeout_option, url_option
from node.cli.output import fields, json_option, table


@click.command()
@click.argument("height", type=click.IntRange(1), required=False)
@click.option(
    "--transactions",
    type=click.Choice(["none", "ids", "full"]),
    default="ids",
    show_default=True,
    help="How much of each transaction.",
)
@click.option(
    "--index",
    type=click.IntRange(0),
    default=0,
    help="Transaction that the page begins with.",
)
@url_option
@timeout_option(10)
@json_option
def command(
    height: int | None, transactions: str, index: int, url: str, timeout_s: float, *, as_json: bool
) -> None:
    """Print the block of a HEIGHT, or the last one: header, who decided it, transactions.

    A block with many transactions comes in pages; the text says where the next one begins, the
    JSON in `next_index`.

    \b
    Example:
      khazana query block 2 --transactions full
    """
    ask(
        url,
        timeout_s,
        "khz_block",
        as_json=as_json,
        text=_text,
        height=height,
        transactions=transactions,
        index=index,
    )


def _text(result: Mapping[str, Any]) -> str:
    return "\n\n".join(_parts(result))


def _parts(result: Mapping[str, Any]) -> Iterator[str]:
    header, certificate = result["header"], result["certificate"]
    yield fields(
        {
            "height": header["height"],
            "id": result["id"],
            "time": header["time"],
            "parent": header["parent"],
            "proposer": f"{header['proposer']}, in round {header['round']}",
            "decided by": ", ".join(each["validator"] for each in certificate["signatures"])
            + f", in round {certificate['round']}",
            "state root": header["state_root"],
            "transactions": f"{header['transaction_count']}, {result['size_bytes']:,} bytes",
        }
    )
    if result["transaction_ids"]:
        yield "\n".join(result["transaction_ids"])
    if result["transactions"]:
        rows = [
            (
                entry["index"],
                entry["outcome"]["name"],
                ", ".join(operation["type"] for operation in entry["transaction"]["operations"]),
                entry["transaction"]["id"],
            )
            for entry in result["transactions"]
        ]
        yield table(rows, head=("index", "outcome", "operations", "id"))
    if result["next_index"] is not None:
        yield f"the next page begins with --index {result['next_index']}"
    for member in ("events", "evidence"):
        if result[member]:
            shown = "\n\n".join(render(item) for item in result[member])
            yield f"{member} of the block:\n{indented(shown)}"
