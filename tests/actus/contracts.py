"""A contract as the dictionary writes it: names of attributes to texts, read as they are asked for.

Source: ACTUS data dictionary 1.4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final, TypeVar

from node.ledger.pricing.daycounts import DayCount
from tests.actus.times import (
    ActusError,
    BusinessDays,
    Cycle,
    Moment,
    every_day,
    monday_to_friday,
    parse_cycle,
    parse_moment,
)


class ContractType(StrEnum):
    """The types that are computed here."""

    PAM = "PAM"
    LAM = "LAM"
    NAM = "NAM"
    ANN = "ANN"
    LAX = "LAX"
    CLM = "CLM"
    UMP = "UMP"
    CSH = "CSH"
    COM = "COM"
    STK = "STK"


DAY_COUNTS: Final = {
    "A365": DayCount.ACT_365F,
    "A360": DayCount.ACT_360,
    "AA": DayCount.ACT_ACT_ISDA,
    "30E360": DayCount.THIRTY_E_360,
    "30E360ISDA": DayCount.THIRTY_E_360_ISDA,
}
_SIGNS: Final = {"RPA": 1, "RPL": -1}
_CALENDARS: Final = {
    "": every_day,
    "NC": every_day,
    "NOCALENDAR": every_day,
    "MF": monday_to_friday,
}
_CONVENTIONS: Final = {"": "", "NULL": "", "NOS": ""}
_CONVENTIONS_THAT_MOVE: Final = {
    order + rule for order in ("SC", "CS") for rule in ("F", "MF", "P", "MP")
}

KNOWN: Final = frozenset(
    {
        # What says who and what it is.
        "contractType",
        "contractID",
        "creatorID",
        "counterpartyID",
        "contractDealDate",
        "currency",
        "statusDate",
        "contractRole",
        "notionalPrincipal",
        "quantity",
        "unit",
        "marketValueObserved",
        # Days.
        "calendar",
        "businessDayConvention",
        "endOfMonthConvention",
        "initialExchangeDate",
        "maturityDate",
        "amortizationDate",
        "purchaseDate",
        "terminationDate",
        "xDayNotice",
        "fixingDays",
        # Money.
        "premiumDiscountAtIED",
        "priceAtPurchaseDate",
        "priceAtTerminationDate",
        "accruedInterest",
        # Interest.
        "nominalInterestRate",
        "dayCountConvention",
        "cycleAnchorDateOfInterestPayment",
        "cycleOfInterestPayment",
        "capitalizationEndDate",
        "interestCalculationBase",
        "interestCalculationBaseAmount",
        "cycleAnchorDateOfInterestCalculationBase",
        "cycleOfInterestCalculationBase",
        "arrayCycleAnchorDateOfInterestPayment",
        "arrayCycleOfInterestPayment",
        # Rates that are reset.
        "cycleAnchorDateOfRateReset",
        "cycleOfRateReset",
        "marketObjectCodeOfRateReset",
        "rateMultiplier",
        "rateSpread",
        "nextResetRate",
        "lifeCap",
        "lifeFloor",
        "periodCap",
        "periodFloor",
        "arrayCycleAnchorDateOfRateReset",
        "arrayCycleOfRateReset",
        "arrayRate",
        "arrayFixedVariable",
        # Principal.
        "cycleAnchorDateOfPrincipalRedemption",
        "cycleOfPrincipalRedemption",
        "nextPrincipalRedemptionPayment",
        "arrayCycleAnchorDateOfPrincipalRedemption",
        "arrayCycleOfPrincipalRedemption",
        "arrayNextPrincipalRedemptionPayment",
        "arrayIncreaseDecrease",
        # Scaling, dividends.
        "marketObjectCodeOfScalingIndex",
        "scalingIndexAtContractDealDate",
        "notionalScalingMultiplier",
        "interestScalingMultiplier",
        "cycleAnchorDateOfScalingIndex",
        "cycleOfScalingIndex",
        "scalingEffect",
        "cycleAnchorDateOfDividendPayment",
        "cycleOfDividendPayment",
        "marketObjectCodeOfDividends",
    }
)
"""The attributes that are computed here, or say nothing that is computed."""

Named = TypeVar("Named")


def number_of(value: Any) -> Fraction:
    """Return the number that is written so, exactly; vectors write some with spaces."""
    if isinstance(value, bool):
        raise ActusError(f"{value!r} is no number")
    try:
        return Fraction(str(value).strip())
    except (ValueError, ZeroDivisionError):
        raise ActusError(f"{value!r} is no number") from None


@dataclass(frozen=True, slots=True)
class Contract:
    """Its attributes, none of which is unknown."""

    attributes: Mapping[str, Any]
    calendars: Mapping[str, Callable[[int], bool]] = field(default_factory=dict)
    """Whether business is done on a day, by the names of calendars beyond those of ACTUS."""

    def __post_init__(self) -> None:
        """Refuse what the engine would silently leave out."""
        unknown = sorted(set(self.attributes) - KNOWN)
        if unknown:
            raise ActusError(f"the engine does not compute {', '.join(unknown)}")

    @property
    def type(self) -> ContractType:
        """What rules it has."""
        try:
            return ContractType(self.text("contractType"))
        except ValueError:
            raise ActusError(
                f"contractType {self.text('contractType')!r}: one of"
                f" {', '.join(ContractType)} was expected"
            ) from None

    @property
    def sign(self) -> int:
        """1 for who owns the claim, -1 for who owes it."""
        return self._one_of("contractRole", _SIGNS)

    @property
    def end_of_month(self) -> bool:
        """Whether times step from the last day of a month to last days of months."""
        return self._one_of("endOfMonthConvention", {"": False, "SD": False, "EOM": True})

    @property
    def business_days(self) -> BusinessDays:
        """Where its events move."""
        conventions = {**_CONVENTIONS, **{name: name for name in _CONVENTIONS_THAT_MOVE}}
        return BusinessDays(
            convention=self._one_of("businessDayConvention", conventions),
            is_open=self._one_of("calendar", {**_CALENDARS, **self.calendars}),
        )

    @property
    def day_count(self) -> DayCount:
        """How its years are counted."""
        return self._one_of("dayCountConvention", DAY_COUNTS)

    def has(self, name: str) -> bool:
        """Return whether the attribute is there."""
        return self.attributes.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text, empty where it is missing."""
        return str(self.attributes.get(name) or "").strip()

    def number(self, name: str, default: Fraction | int | None = None) -> Fraction:
        """Return a number that must be there, unless there is a default."""
        if self.has(name):
            return number_of(self.attributes[name])
        if default is None:
            raise ActusError(f"{name} is missing")
        return Fraction(default)

    def moment(self, name: str) -> Moment | None:
        """Return a time, or None."""
        return parse_moment(self.text(name)) if self.has(name) else None

    def cycle(self, name: str) -> Cycle | None:
        """Return a cycle, or None."""
        return parse_cycle(self.text(name)) if self.has(name) else None

    def array(self, name: str) -> Sequence[Any]:
        """Return the members of an array; a single value is an array of one."""
        value = self.attributes.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list | tuple) else (value,)

    def _one_of(self, name: str, names: Mapping[str, Named]) -> Named:
        found = self.text(name)
        if found not in names:
            raise ActusError(f"{name} {found!r}: one of {', '.join(sorted(names))} was expected")
        return names[found]
