"""`khazana auction verify`: work an auction's result out again, from what everybody can see."""

import click

from node.cli.asking import with_client
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet


@click.command()
@click.argument("auction")
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(auction: str, url: str, timeout_s: float, *, as_json: bool, as_csv: bool) -> None:
    """Work out cut-off, averages and allotments of an AUCTION again, and compare.

    It takes the announced terms, the anonymous ladder and the ministry's cut-off, and nothing else.
    Ends with 1 if anything comes out differently.

    \b
    Example:
      khazana auction verify mtb-3m-574
    """
    from node.cli.auction.recomputing import recompute

    figures = with_client(url, timeout_s, lambda client: recompute(client, auction))
    facts = {
        "auction": auction,
        "verified": all(figure.agrees for figure in figures),
        "figures": [
            {"name": figure.name, "published": figure.published, "recomputed": figure.recomputed}
            for figure in figures
        ],
    }
    rows = [
        (each.name, each.published, each.recomputed, "" if each.agrees else "DIFFERS")
        for each in figures
    ]
    head = ("figure", "published", "recomputed", "agrees")
    sheet = Sheet(
        head=head,
        rows=[
            (each.name, each.published, each.recomputed, "yes" if each.agrees else "no")
            for each in figures
        ],
    )
    said = table(rows, head=(*head[:-1], ""))
    emit_sheet(facts, said, sheet, as_json=as_json, as_csv=as_csv)
    if not facts["verified"]:
        wrong = ", ".join(figure.name for figure in figures if not figure.agrees)
        raise CommandError(
            Exit.REFUSED, f"the result of {auction} is not what it comes to: {wrong}"
        )
