"""Deliveries against payment in the test town: bills for all, and a transaction of four legs."""

from typing import Final

from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.outcomes import Outcome
from node.ledger.tables import AssetIdentifiers
from node.ledger.terms import BillTerms
from tests.chain.town import BANK, CASH, Town, address_of

BILLS: Final = {"TB-3M": "PK0000TB03M9", "TB-6M": "PK0000TB06M2"}
"""What is delivered: two lots, with their ISINs."""
ISSUED: Final = 1_000_000
_OFFICES: Final = ("central-bank", "finance-ministry")


async def issue_bills(town: Town, accounts: int) -> None:
    """Define the bills, and give each numbered account of the town some of both."""
    central, ministry = (address_of(name, name) for name in _OFFICES)
    definitions = [
        DefineAsset(
            account=central,
            approvers=(ministry,),
            asset=bill,
            name=f"Bill {bill}",
            issuer="central-bank",
            identifiers=AssetIdentifiers(isin=isin, currency=None, dti=None),
            terms=BillTerms(issue_day=18_000, maturity_day=30_000, face_currency="PKR"),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=1,
            ceiling=1 << 60,
            forced_transfer_allowed=False,
        )
        for bill, isin in BILLS.items()
    ]
    defined = await town.decide(town.transaction(definitions, _OFFICES))
    assert defined.candidate.receipts[0].outcome is Outcome.APPLIED
    issues = [
        Issue(
            account=central,
            approvers=(ministry,),
            asset=bill,
            amount=ISSUED,
            to=address_of(BANK, f"a{number}"),
        )
        for number in range(accounts)
        for bill in BILLS
    ]
    for first in range(0, len(issues), 10_000):
        chunk = issues[first : first + 10_000]
        await town.decide(
            *(
                town.transaction(chunk[start : start + 100], _OFFICES)
                for start in range(0, len(chunk), 100)
            )
        )


def delivery(town: Town, seller: str, buyer: str, *, valid_until_ms: int | None = None) -> bytes:
    """Return a transaction that both sign: two bills one way, price and fee the other."""
    giving, paying = address_of(BANK, seller), address_of(BANK, buyer)
    legs = [
        *(Transfer(account=giving, to=paying, asset=bill, amount=1) for bill in BILLS),
        *(Transfer(account=paying, to=giving, asset=CASH, amount=amount) for amount in (97, 1)),
    ]
    return town.transaction(legs, [seller, buyer], valid_until_ms=valid_until_ms)
