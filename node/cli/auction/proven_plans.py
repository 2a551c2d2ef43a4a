"""Plans of auctions, from records that are proven."""

from typing import TYPE_CHECKING, Any

from node.amounts import render_amount
from node.client.verifying import Reader, Recency
from node.ledger.auctions.plans import PlanRecord
from node.ledger.dates import date_of
from node.ledger.tables import AssetRecord

if TYPE_CHECKING:
    from node.client import Client
    from node.genesis import Genesis


async def proven_plan(
    client: "Client", plan: str, genesis: "Genesis", recency: Recency
) -> dict[str, Any]:
    """Return a plan of auctions as the interface shows it, from records that are proven.

    Raises:
        NotFound: there is no such plan.
        Unproven: a proof does not hold.
        Stale: a proof is of an older block than was asked for.
    """
    reader = Reader(client, genesis, recency)
    record = await reader.record("plan", plan, PlanRecord)
    codes = {each.asset for each in record.auctions}
    cash = {code: await reader.record("asset", code, AssetRecord) for code in sorted(codes)}
    return {
        "plan": plan,
        "version": record.version,
        "auctions": [
            {
                "day": date_of(each.day).isoformat(),
                "settlement_day": date_of(each.settlement_day).isoformat(),
                "kind": each.kind,
                "tenor_months": each.tenor_months,
                "form": each.form.name.lower(),
                "line": each.line,
                "asset": each.asset,
                "currency": cash[each.asset].identifiers.currency,
                "target": render_amount(each.target, decimals=cash[each.asset].decimals),
                "provisional": each.provisional,
            }
            for each in record.auctions
        ],
    }
