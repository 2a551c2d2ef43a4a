"""The demonstration of delivery against payment, step by step."""

from typing import Final

from node.cli.demo.auction import AUCTION_DATE
from node.cli.demo.closing import close
from node.cli.demo.primary import is_issued, is_settled, issue_bill, settle_auction
from node.cli.demo.proof import prove_holding
from node.cli.demo.refusals import refuse_everything
from node.cli.demo.retail import VICTIM, is_open, lose_validator, open_retail
from node.cli.demo.stage import Stage, gather, is_gathered
from node.cli.demo.steps import Step

STEPS: Final[tuple[Step[Stage], ...]] = (
    Step(
        name="gather",
        title="Nine banks and the exchange are registered and have accounts",
        play=gather,
        is_played=is_gathered,
    ),
    Step(
        name="issue",
        title="Ministry and central bank define and issue the bill of the 574th auction",
        play=issue_bill,
        is_played=is_issued,
    ),
    Step(
        name="settle",
        title=f"The rupee goes to the banks; every bid of {AUCTION_DATE} settles against payment",
        play=settle_auction,
        is_played=is_settled,
    ),
    Step(
        name="retail",
        title="The licensed exchange opens accounts; banks sell fractions; people pay each other",
        play=open_retail,
        is_played=is_open,
    ),
    Step(
        name="outage",
        title=f"{VICTIM} is killed in the middle of as many payments more, and started again",
        play=lose_validator,
    ),
    Step(
        name="refusals",
        title="What must fail, fails with its named outcome",
        play=refuse_everything,
    ),
    Step(
        name="proof",
        title="A holder proves a holding, offline, with a file",
        play=prove_holding,
    ),
    Step(
        name="close",
        title="Closing: every node at one height, every asset added up",
        play=close,
    ),
)
