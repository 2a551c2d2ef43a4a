"""`khazana auction`: the group of commands about auctions."""

import click

from node.cli.application import LazyGroup, Place


@click.group(
    cls=LazyGroup,
    places={
        "list": Place("node.cli.auction.list_", "List the auctions, by name."),
        "calendar": Place(
            "node.cli.auction.calendar_", "Print what is still to happen, the next first."
        ),
        "plan": Place("node.cli.auction.plan", "Publish which auctions are planned."),
        "announce": Place("node.cli.auction.announce", "Announce an auction, for good."),
        "show": Place("node.cli.auction.show", "Print an auction's terms, stage and result."),
        "bid": Place("node.cli.auction.bid", "Bid under seal, or without a price."),
        "bids": Place("node.cli.auction.bids", "Print a bidder's own bids and standing."),
        "withdraw": Place("node.cli.auction.withdraw", "Withdraw sealed bids before the close."),
        "reveal": Place("node.cli.auction.reveal", "Open the bids that were sealed here."),
        "decide": Place("node.cli.auction.decide", "Set the cut-off, or reject all bids."),
        "result": Place("node.cli.auction.result", "Print the result with the whole ladder."),
        "verify": Place("node.cli.auction.verify", "Work the result out again and compare."),
        "mandate": Place("node.cli.auction.mandate", "Let an office hand in bids on paper."),
        "envelope": Place("node.cli.auction.envelope", "Print the form of a bid on paper."),
        "lodge": Place("node.cli.auction.lodge", "Hand in an envelope, or give it back."),
        "envelopes": Place("node.cli.auction.envelopes", "List the bids on paper of an auction."),
        "enter": Place("node.cli.auction.enter", "Enter what an envelope holds, as two offices."),
        "references": Place("node.cli.auction.references", "List the averages of last auctions."),
    },
)
def command() -> None:
    """Hold primary auctions, bid in them, and check their results.

    Offices `plan`, `announce` and `decide`; the rest happens by itself at the announced times. A
    bid with a price goes in under seal: only a hash is handed in, and what it hides is kept in a
    file here until `reveal` opens it after the close. Who has no key bids on paper: `mandate` once,
    `envelope` prints the form, an office runs `lodge` and, with a second office, `enter`.
    """
