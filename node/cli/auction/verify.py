"""`khazana auction verify`: work an auction's result out again, from what everybody can see."""

from pathlib import Path

import click

from node.cli.asking import with_client
from node.cli.auction.naming import named
from node.cli.exits import CommandError, Exit
from node.cli.options import timeout_option, url_option
from node.cli.output import json_option, table
from node.cli.sheets import Sheet, csv_option, emit_sheet
from node.cli.trusted import amendments_option, founded, max_age_option, recency_of


@click.command()
@click.argument("auction")
@click.option(
    "--genesis",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The network's genesis. With it every record is proven, and no node is believed.",
)
@amendments_option
@max_age_option
@url_option
@timeout_option(60)
@json_option
@csv_option
def command(
    auction: str,
    genesis: Path | None,
    amendments: tuple[Path, ...],
    max_age_s: float,
    url: str,
    timeout_s: float,
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Work out cut-off, averages, allotments and payments of an AUCTION again, and compare.

    It takes the announced terms, the anonymous ladder, the ministry's cut-off and the security's
    terms, and nothing else; each comes with a proof. Ends with 1 if anything comes out differently,
    or a proof does not hold, or is of an older block than --max-age allows.

    \b
    Example:
      khazana auction verify mtb-3m-574 --genesis genesis.json
    """
    if amendments and genesis is None:
        raise CommandError(
            Exit.USAGE,
            "an --amendment says nothing without the --genesis",
            advice="Add --genesis genesis.json, which every institution has; or leave --amendment"
            " out.",
        )
    trusted = None if genesis is None else founded(genesis, amendments)

    found = with_client(
        url,
        timeout_s,
        lambda client: client.verify_auction(
            auction, genesis=trusted, recency=recency_of(max_age_s)
        ),
    )
    figures = found.figures
    facts = {
        "auction": auction,
        "verified": found.verified,
        "proven": found.proven,
        "figures": [
            {
                "name": named(figure),
                "published": figure.published,
                "recomputed": figure.recomputed,
            }
            for figure in figures
        ],
    }
    rows = [
        (named(each), each.published, each.recomputed, "" if each.agrees else "DIFFERS")
        for each in figures
    ]
    head = ("figure", "published", "recomputed", "agrees")
    sheet = Sheet(
        head=head,
        rows=[
            (named(each), each.published, each.recomputed, "yes" if each.agrees else "no")
            for each in figures
        ],
    )
    believed = (
        "each record is proven against the genesis"
        if found.proven
        else "the records are this node's word; --genesis proves them"
    )
    said = f"{table(rows, head=(*head[:-1], ''))}\n\n{believed}"
    emit_sheet(facts, said, sheet, as_json=as_json, as_csv=as_csv)
    if not found.verified:
        wrong = ", ".join(map(named, found.differing))
        raise CommandError(
            Exit.REFUSED,
            f"the result of {auction} is not what it comes to: {wrong}",
            advice="Believe neither figure: ask a second node with --url, keep both answers"
            " (--json), and show them to the finance ministry and the operator of the node.",
        )
