"""The terms of an auction as a person reads them: before they are signed, and ever after."""

import re
from collections.abc import Mapping
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from node.cli.moments import day_told, told

if TYPE_CHECKING:
    from node.client.reads import Asset

OF_A_LINE: Final = frozenset({"rate", "margin"})
"""Forms in which one figure is bid for and paid on a new line, in per cent a year."""
TAKING: Final = frozenset({"buyback", "switch"})
"""Forms in which holders offer, and the issuer takes back."""
BPS_OF_PERCENT: Final = 100
E4: Final = 10_000
_AMOUNT: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,8})?")
_UNPAID: Final = {
    "none": "is not issued, or not taken back",
    "cut_short": "goes to who was cut short at the cut-off",
}
_TOO_MANY: Final = {"pro_rata": "share pro rata", "smallest_first": "are served smallest first"}
_FAULTS: Final = {
    "failing_exclusion_days": "does not pay",
    "unrevealed_exclusion_days": "leaves a bid unopened",
}


def summary_of(terms: Mapping[str, Any], line: "Asset", *, zone: timezone) -> dict[str, str]:
    """Return what will be announced, or was, for who reads it."""

    def local(name: str) -> str:
        return told(terms[name], zone)

    share = Decimal(terms["bidder_share_bps"]) / BPS_OF_PERCENT
    who = [*terms["kinds"], *(f"licensed for {each}" for each in terms["licences"])]
    found = {
        "line": f"{line.asset}, {line.name}",
        "form": f"{terms['form']}, {terms['method'].replace('_', ' ')}",
        "target": f"{_shown(terms['target'])} in multiples of {_shown(terms['multiple'])}, paid in"
        f" {terms['cash']}",
        "proceeds": terms["proceeds"],
        "bids": f"from {local('opens')} to {local('closes')}, local time ({zone})",
        "opened until": local("reveals_until"),
        "decided until": local("decides_until"),
        "settles": f"{local('settles')}, by calendar {terms['calendar'] or 'none'}",
        "with a price": f"{', '.join(who)}; each {terms['bids_per_bidder']} bids and"
        f" {share.normalize():f} % of the target",
        "without one": _without_one(terms),
        "bids for": _bid_for(terms),
        "at the cut-off": _at_cut_off(terms),
        "not paid for": _UNPAID[terms["reallotment"]],
        "may not bid": _excluded(terms),
        "reference": terms["reference"] or "none",
    }
    given = terms["destination"]
    if given is not None:
        price = Decimal(given["price_e4"]) / E4
        found["given for it"] = f"{given['asset']} at {price:.4f}"
    return found


def _without_one(terms: Mapping[str, Any]) -> str:
    """Return who may bid without a price, for how much, and what that pays."""
    percent = Decimal(terms["noncompetitive_share_bps"]) / BPS_OF_PERCENT
    if not percent:
        return "nobody"
    least, most = (
        _shown(terms["noncompetitive_least"]),
        _shown(terms["noncompetitive_most"]),
    )
    price = terms["noncompetitive_price"].replace("_", "-")
    return (
        f"{', '.join(terms['noncompetitive_kinds'])}; {percent.normalize():f} % of the target, each"
        f" from {least} to {most} at the {price}; too many"
        f" {_TOO_MANY[terms['oversubscription']]}"
    )


def _bid_for(terms: Mapping[str, Any]) -> str:
    """Return what is bid, and how finely."""
    form = terms["form"]
    what = f"{form}s in per cent a year" if form in OF_A_LINE else "prices per hundred"
    return f"{what}, in multiples of {Decimal(terms['quantum_e4']) / E4:f}"


def _at_cut_off(terms: Mapping[str, Any]) -> str:
    """Return how bids at the cut-off share what is left."""
    whole = terms["filled_whole"]
    first = ""
    if not _AMOUNT.fullmatch(whole) or Decimal(whole):
        first = f", after those up to {_shown(whole)} are filled"
    return f"shared pro rata in steps of {_shown(terms['prorata_step'])}{first}"


def _excluded(terms: Mapping[str, Any]) -> str:
    """Return how long who fails is shut out."""
    found = [
        f"for {terms[name]} days who {fault}" for name, fault in _FAULTS.items() if terms[name]
    ]
    return "; ".join(found) or "nobody is shut out: what is unopened or unpaid is noted"


def _shown(amount: str) -> str:
    """Return an amount with its thousands apart; what is none as it was written."""
    return f"{Decimal(amount):,}" if _AMOUNT.fullmatch(amount) else amount


def decided_of(auction: Mapping[str, Any], *, zone: timezone) -> dict[str, str]:
    """Return what was decided in an auction that has a result, each figure with its unit."""
    form = auction["terms"]["form"]
    unit = "% a year" if form in OF_A_LINE else "per hundred"
    found = auction["result"]
    average_yield = found["average_yield"]
    average = f"{found['average_price']} {unit}"
    if average_yield is not None:
        average += f", a yield of {average_yield} % a year"
    pairs = {
        "decided": told(found["decided"], zone),
        "cut-off": f"{found['cut_off']} {unit}",
        "average": average,
    }
    if auction["terms"]["noncompetitive_share_bps"]:
        pairs["without a price"] = f"at {found['noncompetitive_price']} {unit}"
    return pairs | {
        "allotted": f"{_shown(found['competitive'])} with a price,"
        f" {_shown(found['noncompetitive'])} without",
        "settlement day": day_told(found["settlement_day"]),
    }


def settled_of(auction: Mapping[str, Any]) -> dict[str, str]:
    """Return what came of a settlement."""
    terms = auction["terms"]
    is_taken = terms["form"] in TAKING
    found = {
        "taken back" if is_taken else "delivered": _shown(auction["settled"]),
        "cash besides" if terms["form"] == "switch" else "paid for it": (
            f"{_shown(auction['paid'])} {terms['cash']}"
        ),
        "not delivered" if is_taken else "not paid for": _shown(auction["failed"]),
        "re-allotted": _shown(auction["reallotted"]),
    }
    if auction["destination"] is not None:
        found["given"] = f"{_shown(auction['issued'])} of {auction['destination']}"
    return found
