"""A dealer takes bonds apart into zeros and puts them together: what is owed stays what it is."""

from typing import Final

from node.cli.demo.debt.securities import BOND
from node.cli.demo.debt.stage import PAISA, DebtStage
from node.client import NotFound
from node.debt import DebtLine
from node.ledger.operations import DefineStrips, ReconstituteSecurity, StripSecurity
from node.provision.acts import document_hash

SERIES: Final = "PIBS"
DEALER: Final = "dealer-1"
_TIMES: Final = 10
"""Multiples that are stripped."""


async def strip_and_reconstitute(stage: DebtStage) -> None:
    """Register the strips of the bond, strip some of it, and put it together again."""
    narrator, client, dealer = stage.narrator, stage.client, stage[DEALER]
    before = await _owed(stage)
    if not await _is_registered(stage):  # by a play that was broken off
        await _register(stage)
    multiple = int((await client.strips(BOND)).value.multiple * PAISA)
    face = _TIMES * multiple
    await stage.act(StripSecurity(account=dealer.address, asset=BOND, face=face), by=[dealer])
    strips = (await client.strips(BOND)).value
    during = await _owed(stage)
    narrator.check(
        "a bond that is stripped is owed once: the same face, the same on every day",
        holds=before.payments == during.payments and before.outstanding == during.outstanding,
        found=f"Rs {face // PAISA:,} as {len(strips.coupons)} coupons and a face",
    )
    narrator.check(
        "the strips are what the bond would pay, to the paisa",
        holds=all(
            each.supply * PAISA * int(each.share.partition("/")[2])
            == face * int(each.share.partition("/")[0])
            for each in (*strips.coupons, strips.principal)
        ),
    )
    await stage.act(
        ReconstituteSecurity(account=dealer.address, asset=BOND, face=face), by=[dealer]
    )
    strips = (await client.strips(BOND)).value
    narrator.check(
        "put together again, nothing is left of them",
        holds=not any(each.supply for each in (*strips.coupons, strips.principal)),
    )


async def _is_registered(stage: DebtStage) -> bool:
    try:
        await stage.client.strips(BOND)
    except NotFound:
        return False
    return True


async def _register(stage: DebtStage) -> None:
    await stage.act(
        DefineStrips(
            account=stage.ministry.address,
            approvers=(stage.bank.address,),
            asset=BOND,
            series=SERIES,
            term_sheet_hash=document_hash("Strips of Pakistan investment bonds"),
        ),
        by=[stage.ministry, stage.bank],
    )


async def _owed(stage: DebtStage) -> DebtLine:
    lines = (await stage.client.debt()).value
    return next(line for line in lines if line.asset == BOND)
