"""The terms of a security, from what its issuer says of it and what is usual in Pakistan.

Bills pay nothing but the face; bonds and Ijara sukuk twice a year, by a rate, by a reference, or
not at all. Unless it is said otherwise, payments that fall on a day of no business are made on the
next, and the periods stay.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from node.amounts import AmountError, parse_amount
from node.cli.documents import digest_of
from node.cli.exits import CommandError, Exit
from node.cli.quote.figures import plain

KINDS: Final = ("bill", "bond", "sukuk")
ROLLS: Final = ("none", "following", "modified-following", "preceding")
ORDERS: Final = ("calculate-then-shift", "shift-then-calculate")
STUBS: Final = ("none", "short-front", "long-front", "short-back", "long-back")
_OF_WHAT_FLOATS: Final = ("margin", "floor", "cap", "fixing_days", "stale_days")
_OF_A_CALL: Final = ("call_notice_days", "call_in_part")
_OF_INTEREST: Final = ("months", "stub", "order", "end_of_month")
_OF_WHAT_IS_PAID: Final = (
    "day_count",
    "pricing_day_count",
    "calendar",
    "roll",
    "record_days",
    "grace_days",
    "face_unit",
    "callable",
    "instalments",
)
_WINDOW: Final = re.compile(r"([^=.]{1,12})(?:\.\.([^=.]{1,12}))?=([0-9]{1,5}(?:\.[0-9]{1,4})?)")
_INSTALMENT: Final = re.compile(r"([1-9][0-9]{0,3})=([0-9]{1,3}(?:\.[0-9]{1,4})?)")
_E4: Final = 10_000
_TENOR: Final = re.compile(r"([1-9][0-9]{0,4})([dmy])")
_PPM_OF_PERCENT: Final = 10_000
_ALL_PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the options say. None, or empty: nothing."""

    kind: str
    issue: date
    matures: date | None
    tenor: str | None
    rate: Fraction | None
    steps: tuple[str, ...]
    reference: str | None
    margin: Fraction
    floor: Fraction
    cap: Fraction | None
    fixing_days: int
    stale_days: int
    months: int
    day_count: str | None
    pricing_day_count: str | None
    calendar: str
    roll: str
    stub: str
    order: str
    end_of_month: bool
    record_days: int
    grace_days: int
    pool: tuple[str, ...]
    face_unit: str
    callable: tuple[str, ...]
    call_notice_days: int
    call_in_part: bool
    instalments: tuple[str, ...]
    brought_back: bool
    written: frozenset[str] = frozenset()
    """Names of what an option says, rather than what is usual."""


def terms_of(
    said: Terms, *, currency: str, cash: str, decimals: int, agent: str, residue: str
) -> dict[str, Any]:
    """Return terms as `khazana tx operations define_asset` has them.

    Args:
        currency: of the face.
        cash: in what is paid.
        decimals: of the cash, and so of the face.
        agent, residue: accounts that pay, and that receive what rounding leaves.

    Raises:
        CommandError: options contradict each other, or one is no figure of its kind.
    """
    maturity = _maturity(said)
    pays = bool(said.rate is not None or said.steps or said.reference)
    _check(said, pays=pays)
    if said.brought_back:
        return {
            "type": "bill_terms",
            "issue_day": said.issue.isoformat(),
            "maturity_day": maturity.isoformat(),
            "face_currency": currency,
        }
    plan = {
        "issue_day": said.issue.isoformat(),
        "maturity_day": maturity.isoformat(),
        "months": said.months if pays else 0,
        "rates": _rates(said),
        "floating": None if said.reference is None else _floating(said),
        "call": _call(said),
        "instalments": [_instalment(text) for text in said.instalments],
        "day_count": said.day_count or ("ACT/ACT ICMA" if said.kind == "bond" else "ACT/365F"),
        "pricing_day_count": said.pricing_day_count
        or ("ACT/365F" if said.kind == "bill" else "ACT/ACT ICMA"),
        "calendar": said.calendar,
        "roll": said.roll,
        "order": said.order,
        "end_of_month": said.end_of_month,
        "stub": said.stub,
        "record_days": said.record_days,
        "grace_days": said.grace_days,
        "cash": cash,
        "face_unit": _face_unit(said.face_unit, decimals),
        "paying_agent": agent,
        "residue_account": residue,
    }
    kind = "serviced_bill" if said.kind == "bill" else said.kind
    pool = {"pool": _pool(said.pool)} if said.kind == "sukuk" else {}
    return {"type": f"{kind}_terms", "face_currency": currency, "plan": plan, **pool}


def _check(said: Terms, *, pays: bool) -> None:
    if said.kind == "bill" and pays:
        raise CommandError(
            Exit.USAGE,
            "a bill pays nothing but its face: no rate, no reference",
            advice="Leave --rate and --reference out; what pays interest is a --kind bond.",
        )
    if said.brought_back and said.kind != "bill":
        raise CommandError(
            Exit.USAGE,
            f"--brought-back is of bills, and this is a {said.kind}",
            advice="Leave --brought-back out; only bills are given back to be redeemed.",
        )
    if said.reference is not None and (said.rate is not None or said.steps):
        raise CommandError(
            Exit.USAGE,
            "found --reference and --rate, expected one of them",
            advice="Fixed: --rate 12.5; floating: --reference NAME, with --margin for what is"
            " added.",
        )
    if said.steps and said.rate is None:
        raise CommandError(
            Exit.USAGE,
            "found --step without --rate, which is paid before it",
            advice="Say with --rate what is paid before the first step: --rate 12 --step"
            " 2029-02-11=12.5.",
        )
    if said.reference is None:
        _refuse(said, _OF_WHAT_FLOATS, "the rate does not float: there is no --reference")
    if not said.callable:
        _refuse(said, _OF_A_CALL, "nothing is to be called: there is no --callable")
    if not pays:
        _refuse(said, _OF_INTEREST, "it pays its face alone, without --rate or --reference")
    if said.brought_back:
        _refuse(said, _OF_WHAT_IS_PAID, "--brought-back is not paid by the ledger")
    if (said.kind == "sukuk") is not bool(said.pool):
        raise CommandError(
            Exit.USAGE,
            "a sukuk names the assets that are let, and nothing else does",
            advice='Say --pool "M-2 motorway=title.pdf", once for each.',
        )


def _refuse(said: Terms, names: Sequence[str], why: str) -> None:
    """Refuse what would be said for nothing: a definition is for ever."""
    spelled = {"instalments": "--instalment"}
    found = [
        spelled.get(name, f"--{name.replace('_', '-')}") for name in names if name in said.written
    ]
    if found:
        raise CommandError(
            Exit.USAGE,
            f"found {', '.join(found)}, and {why}",
            advice=f"Leave {', '.join(found)} out; `khazana security define --help` says what goes"
            " with what.",
        )


def _maturity(said: Terms) -> date:
    if (said.matures is None) is (said.tenor is None):
        raise CommandError(
            Exit.USAGE,
            "expected either --matures or --tenor",
            advice="Say the day, --matures 2031-02-11, or how long after the issue, --tenor 5y.",
        )
    if said.matures is not None:
        return said.matures
    from node.ledger.dates import DatesError, add_months, date_of, from_date

    found = _TENOR.fullmatch(said.tenor or "")
    if found is None:
        raise CommandError(
            Exit.USAGE,
            f"--tenor is {(said.tenor or '')[:20]!r}; expected such as 84d, 6m or 5y",
            advice="Write days, months or years after the number: --tenor 6m.",
        )
    count, begins = int(found[1]), from_date(said.issue)
    months = {"m": count, "y": 12 * count}
    try:
        if found[2] == "d":
            return date_of(begins + count)
        return date_of(add_months(begins, months[found[2]], False))
    except (DatesError, OverflowError, ValueError) as error:
        raise CommandError(
            Exit.USAGE,
            f"--tenor {said.tenor}: {error}",
            advice="Name the day itself with --matures 2031-02-11.",
        ) from None


def _rates(said: Terms) -> list[dict[str, object]]:
    if said.rate is None:
        return []
    steps = [_step(text) for text in said.steps]
    first = {"from_day": said.issue.isoformat(), "rate_ppm": _ppm(said.rate, "--rate")}
    return [first, *sorted(steps, key=lambda each: str(each["from_day"]))]


def _call(said: Terms) -> dict[str, object] | None:
    if not said.callable:
        return None
    windows = sorted(map(_window, said.callable), key=lambda each: str(each["from_day"]))
    return {
        "windows": windows,
        "notice_days": said.call_notice_days,
        "in_part": said.call_in_part,
    }


def _window(text: str) -> dict[str, object]:
    from node.ledger.dates import DatesError, parse_date

    found = _WINDOW.fullmatch(text)
    if found is None:
        raise CommandError(
            Exit.USAGE,
            f"--callable is {text[:40]!r}; expected days and a price per hundred with at most four"
            " decimals: 2029-02-11=101 or 2029-02-11..2031-02-10=100.5",
            advice="Write --callable 2029-02-11=101, once for each day or window.",
        )
    try:
        first, last = (parse_date(day).isoformat() for day in (found[1], found[2] or found[1]))
    except DatesError as error:
        raise CommandError(
            Exit.USAGE,
            f"--callable {text[:40]}: {error}",
            advice="Write days as 2029-02-11: --callable 2029-02-11=101.",
        ) from None
    return {"from_day": first, "to_day": last, "price_e4": int(Fraction(found[3]) * _E4)}


def _instalment(text: str) -> dict[str, object]:
    found = _INSTALMENT.fullmatch(text)
    if found is None:
        raise CommandError(
            Exit.USAGE,
            f"--instalment is {text[:40]!r}; expected the number of a payment and per cent of the"
            " face with at most four decimals: 3=12.5",
            advice="Write --instalment 3=12.5, once for each payment of the face.",
        )
    return {"payment": int(found[1]), "share_ppm": _ppm(Fraction(found[2]), "--instalment")}


def _step(text: str) -> dict[str, object]:
    from node.ledger.dates import DatesError, parse_date

    day, sign, rate = text.partition("=")
    try:
        parsed = parse_date(day)
    except DatesError as error:
        raise CommandError(
            Exit.USAGE,
            f"--step {text[:40]}: {error}",
            advice="Write the day as 2029-02-11: --step 2029-02-11=12.5.",
        ) from None
    if not sign or re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", rate) is None:
        raise CommandError(
            Exit.USAGE,
            f"--step is {text[:40]!r}; expected a day and a rate: 2029-02-11=12.5",
            advice="Write --step 2029-02-11=12.5, once for each change of the rate.",
        )
    return {"from_day": parsed.isoformat(), "rate_ppm": _ppm(Fraction(rate), "--step")}


def _floating(said: Terms) -> Mapping[str, object]:
    return {
        "reference": said.reference,
        "margin_ppm": _ppm(said.margin, "--margin", below_zero=True),
        "floor_ppm": _ppm(said.floor, "--floor"),
        "cap_ppm": _ALL_PPM if said.cap is None else _ppm(said.cap, "--cap"),
        "fixing_days": said.fixing_days,
        "stale_days": said.stale_days,
    }


def _pool(pool: Sequence[str]) -> list[dict[str, str]]:
    found = []
    for text in pool:
        name, sign, document = text.rpartition("=")
        if not sign or not name.strip():
            raise CommandError(
                Exit.USAGE,
                f"--pool is {text[:40]!r}; expected a name and a file: M-2 motorway=title.pdf",
                advice='Write --pool "M-2 motorway=title.pdf": the name, and the file whose hash'
                " goes on the ledger.",
            )
        found.append({"name": name.strip(), "document_hash": digest_of(Path(document))})
    return found


def _face_unit(text: str, decimals: int) -> int:
    """Return the unit of face in minor units."""
    try:
        unit = parse_amount(text, decimals=decimals)
    except AmountError as error:
        raise CommandError(
            Exit.USAGE,
            f"--face-unit: {error}",
            advice="Write it with as many decimals as the currency has: --face-unit 100.",
        ) from None
    if not unit:
        raise CommandError(
            Exit.USAGE,
            "--face-unit is 0; expected such as 1, for a rupee",
            advice="Say the least face that is held, such as --face-unit 100.",
        )
    return unit


def _ppm(percent: Fraction, option: str, *, below_zero: bool = False) -> int:
    """Return per cent in millionths.

    Raises:
        CommandError: it has more than four decimals, or is no rate of a security.
    """
    ppm = percent * _PPM_OF_PERCENT
    least = -_ALL_PPM if below_zero else 0
    if ppm.denominator != 1 or not least <= ppm <= _ALL_PPM:
        raise CommandError(
            Exit.USAGE,
            f"{option} is {plain(percent)} %; expected from {least // _PPM_OF_PERCENT} to 100, with"
            " at most four decimals",
            advice=f"Write {option} in per cent: 12.5 for an eighth.",
        )
    return ppm.numerator
