"""The terms of an auction, from what its ministry says of them and what is usual.

Whatever is not said is as in an earlier auction, where one is named, and otherwise as Pakistan's
auctions are held: bills and bonds at many prices to four decimals, sukuk, rates and margins at one;
banks bid, whoever else has no price of its own to name; what settles settles on the next day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from node.cli.auction.cycles import cycle_of, settlement_of
from node.cli.auction.summary import BPS_OF_PERCENT, E4, OF_A_LINE
from node.cli.exits import CommandError, Exit
from node.cli.moments import moment_of, written
from node.cli.quote.figures import plain

if TYPE_CHECKING:
    from node.client.reads import Asset
    from node.ledger.dates import Calendar

FORMS: Final = ("price", "rate", "margin", "buyback", "switch")
METHODS: Final = ("multiple", "uniform")
NONCOMPETITIVE_PRICES: Final = ("average", "cut-off")
OVERSUBSCRIPTIONS: Final = ("pro-rata", "smallest-first")
REALLOTMENTS: Final = ("none", "cut-short")
KINDS: Final = ("bank", "company", "institution", "person")
_STAGES: Final = (
    ("opens", "--opens"),
    ("closes", "--closes"),
    ("reveals_until", "--reveals-until"),
    ("decides_until", "--decides-until"),
    ("settles", "--settles"),
)
_OF_BIDS_WITHOUT_PRICE: Final = (
    "noncompetitive_kinds",
    "noncompetitive_least",
    "noncompetitive_most",
    "noncompetitive_price",
    "oversubscription",
)
_FOR_REVEALS: Final = timedelta(hours=1)
_FOR_DECISION: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the options say. None, or empty: nothing."""

    form: str | None
    target: str
    opens: str
    closes: str
    reveals_until: str | None
    decides_until: str | None
    settles: str | None
    calendar: str | None
    method: str | None
    multiple: str | None
    quantum: Fraction | None
    cash: str | None
    proceeds: str | None
    bidders: tuple[str, ...]
    licences: tuple[str, ...]
    bids_per_bidder: int | None
    bidder_share: Fraction | None
    noncompetitive: Fraction | None
    noncompetitive_kinds: tuple[str, ...]
    noncompetitive_least: str | None
    noncompetitive_most: str | None
    noncompetitive_price: str | None
    oversubscription: str | None
    prorata_step: str | None
    filled_whole: str | None
    reallotment: str | None
    failing_days: int | None
    unrevealed_days: int | None
    reference: str | None
    destination: str | None
    destination_price: Fraction | None


def terms_of(
    wanted: Wanted,
    line: "Asset",
    like: Mapping[str, Any] | None,
    *,
    cash: str,
    proceeds: str,
    now: datetime,
    zone: timezone,
    days: "Calendar | None" = None,
) -> dict[str, Any]:
    """Return the terms of an auction as `khazana tx operations announce_auction` has them.

    Args:
        like: the terms of an earlier auction, as the interface shows them.
        cash, proceeds: in what is paid, and to whom, unless the options or that auction say it.
        zone: the network's local time.
        days: the calendar by which the settlement is counted, where --settles says T+1.

    Raises:
        CommandError: an option is no figure of its kind, or one is missing.
    """
    form = wanted.form or (like or {}).get("form") or "price"
    usual = _usual(form, wanted, line, cash=cash, proceeds=proceeds) | _amounts_of(like)
    said = {
        "form": form,
        "method": wanted.method and f"{wanted.method}_price",
        "target": wanted.target,
        "multiple": wanted.multiple,
        "quantum_e4": _units(wanted.quantum, E4, "--quantum", most=100),
        "cash": wanted.cash,
        "proceeds": wanted.proceeds,
        "calendar": wanted.calendar,
        "kinds": sorted(set(wanted.bidders)) or None,
        "licences": sorted(set(wanted.licences)) or None,
        "bids_per_bidder": wanted.bids_per_bidder,
        "bidder_share_bps": _units(wanted.bidder_share, BPS_OF_PERCENT, "--bidder-share", most=100),
        "noncompetitive_price": _name(wanted.noncompetitive_price),
        "oversubscription": _name(wanted.oversubscription),
        "prorata_step": wanted.prorata_step or wanted.multiple,
        "filled_whole": wanted.filled_whole,
        "reallotment": _name(wanted.reallotment),
        "failing_exclusion_days": wanted.failing_days,
        "unrevealed_exclusion_days": wanted.unrevealed_days,
        "reference": wanted.reference,
        **_without_price(wanted, line, like),
    }
    given = {name: value for name, value in said.items() if value is not None}
    terms = {**usual, **given, "asset": line.asset, "destination": _destination(wanted, form, like)}
    return terms | {
        name: written(moment)
        for name, moment in _stages(wanted, line, like, now=now, zone=zone, days=days).items()
    }


def _usual(form: str, wanted: Wanted, line: "Asset", *, cash: str, proceeds: str) -> dict[str, Any]:
    """Return what an auction of this form is like, where nobody says otherwise."""
    is_uniform = form in OF_A_LINE or (form == "price" and line.kind == "sukuk")
    method = wanted.method or ("uniform" if is_uniform else "multiple")
    multiple = wanted.multiple or str(line.multiple)
    return {
        "cash": cash,
        "proceeds": proceeds,
        "method": f"{method}_price",
        "multiple": multiple,
        "quantum_e4": 100 if form in OF_A_LINE else 1,  # a basis point; a price to four decimals
        "calendar": (line.terms.get("plan") or {}).get("calendar"),
        "kinds": ["bank"],
        "licences": [],
        "bids_per_bidder": 10,
        "bidder_share_bps": 100 * BPS_OF_PERCENT,
        "noncompetitive_kinds": [],
        "noncompetitive_share_bps": 0,
        "noncompetitive_least": "0",
        "noncompetitive_most": "0",
        "noncompetitive_price": "cut_off" if method == "uniform" else "average",
        "oversubscription": "pro_rata",
        "prorata_step": multiple,
        "filled_whole": "0",
        "reallotment": "none",
        "failing_exclusion_days": 0,
        "unrevealed_exclusion_days": 0,
        "reference": None,
    }


def _amounts_of(like: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what an auction takes over from an earlier one: all but its line and its moments."""
    own = {"asset", "form", "target", "destination", *(name for name, _ in _STAGES)}
    return {name: value for name, value in (like or {}).items() if name not in own}


def _without_price(
    wanted: Wanted, line: "Asset", like: Mapping[str, Any] | None
) -> dict[str, object]:
    """Return the rule about bids without a price, as far as the options say one.

    Raises:
        CommandError: there is a share for them, and nothing says how much one of them is at most;
            or there is none, and something is said of them.
    """
    kinds = sorted(set(wanted.noncompetitive_kinds)) or None
    share = _units(wanted.noncompetitive, BPS_OF_PERCENT, "--noncompetitive", least=0, most=50)
    if not (share or (share is None and (like or {}).get("noncompetitive_share_bps"))):
        _refuse_what_needs_a_share(wanted)
    if share == 0:
        return {
            "noncompetitive_share_bps": 0,
            "noncompetitive_kinds": [],
            "noncompetitive_least": "0",
            "noncompetitive_most": "0",
        }
    least, most = wanted.noncompetitive_least, wanted.noncompetitive_most
    if share and not (like or {}).get("noncompetitive_share_bps"):
        if most is None:
            raise CommandError(
                Exit.USAGE,
                "found --noncompetitive without --noncompetitive-most",
                advice="Say the most that one bid without a price may be for.",
            )
        taken = wanted.bidders or tuple((like or {}).get("kinds", ("bank",)))
        kinds = kinds or [kind for kind in ("company", "person") if kind not in taken]
        least = least or wanted.multiple or str(line.multiple)
    return {
        "noncompetitive_share_bps": share,
        "noncompetitive_kinds": kinds,
        "noncompetitive_least": least,
        "noncompetitive_most": most,
    }


def _refuse_what_needs_a_share(wanted: Wanted) -> None:
    for name in _OF_BIDS_WITHOUT_PRICE:
        if getattr(wanted, name):
            option = f"--{name.replace('_kinds', '_kind').replace('_', '-')}"
            raise CommandError(
                Exit.USAGE,
                f"found {option}, and no share of the target is for bids without a price",
                advice="Say the share in per cent with --noncompetitive 10, or leave it out.",
            )


def _destination(
    wanted: Wanted, form: str, like: Mapping[str, Any] | None
) -> dict[str, object] | None:
    before = (like or {}).get("destination") or {}
    price = _units(wanted.destination_price, E4, "--destination-price", most=10_000)
    asset = wanted.destination or before.get("asset")
    if form != "switch":
        if wanted.destination or price is not None:
            raise CommandError(
                Exit.USAGE,
                f"only a switch has a --destination, and the form is {form}",
                advice="Leave --destination and --destination-price out, or say --form switch.",
            )
        return None
    if asset is None or (price is None and "price_e4" not in before):
        raise CommandError(
            Exit.USAGE,
            "a switch names the line that is given, and its price",
            advice="Say --destination CODE --destination-price 99.2500.",
        )
    return {"asset": asset, "price_e4": before.get("price_e4") if price is None else price}


def _stages(
    wanted: Wanted,
    line: "Asset",
    like: Mapping[str, Any] | None,
    *,
    now: datetime,
    zone: timezone,
    days: "Calendar | None",
) -> dict[str, datetime]:
    """Return when each stage ends, in order: what is not said lasts as long as it usually does."""
    found: dict[str, datetime] = {}
    after = now
    for name, option in _STAGES:
        text = getattr(wanted, name)
        cycle = cycle_of(text) if name == "settles" else None
        if cycle is not None and days is not None:
            found[name] = settlement_of(cycle, found["closes"], days, zone, option)
        elif text is not None:
            also = ", or such as T+1, up to T+99" if name == "settles" else ""
            found[name] = moment_of(text, option, zone=zone, after=after, also=also)
        elif like is not None:
            found[name] = found["closes"] + (_moment(like[name]) - _moment(like["closes"]))
        elif name == "settles":
            day = found["decides_until"].astimezone(zone).date() + timedelta(days=1)
            issue_day = (line.terms.get("plan") or line.terms).get("issue_day")
            if issue_day is not None:  # a new line is delivered on the day from which it counts
                day = max(day, date.fromisoformat(issue_day))
            found[name] = datetime.combine(day, time(), zone)
        else:
            found[name] = after + (_FOR_REVEALS if name == "reveals_until" else _FOR_DECISION)
        after = found[name]
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _name(value: str | None) -> str | None:
    return None if value is None else value.replace("-", "_")


def _units(
    value: Fraction | None, scale: int, option: str, *, least: int = 1, most: int
) -> int | None:
    """Return a figure in whole units of its scale.

    Args:
        least: in these units.
        most: as it is written.

    Raises:
        CommandError: it is none, or out of its range.
    """
    if value is None:
        return None
    units = value * scale
    if units.denominator != 1 or not least <= units <= most * scale:
        raise CommandError(
            Exit.USAGE,
            f"{option} is {plain(value)}; expected from {plain(Fraction(least, scale))} to {most},"
            f" with at most {len(str(scale)) - 1} decimals",
            advice=f"Give {option} a figure in that range; `khazana auction announce --help` says"
            " what it is of.",
        )
    return units.numerator
