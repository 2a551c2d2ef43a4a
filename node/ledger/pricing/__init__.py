"""Price, yield and accrued interest, exact: rationals in, integers on a named grid out.

Nothing here is a float, and no power with a fractional exponent is ever rounded before the one
rounding that the market prints (`grid`): where a price is irrational, it is bracketed until its
last printed digit is certain (`radicals`).
"""

from node.ledger.pricing.bills import (
    bill_discount_rate,
    bill_price_from_discount,
    bill_price_from_yield,
    bill_yield,
    investment_rate,
)
from node.ledger.pricing.bonds import (
    Bond,
    FirstPeriod,
    Position,
    accrued_interest,
    bond_price,
    bond_yield,
    position,
)
from node.ledger.pricing.daycounts import DayCount, year_fraction
from node.ledger.pricing.floaters import (
    Floater,
    floater_margin,
    floater_price,
    floater_share,
)
from node.ledger.pricing.grid import half_up, percent, text
from node.ledger.pricing.periods import add_months, is_end_of_month
from node.ledger.pricing.problems import PricingError

__all__ = [
    "Bond",
    "DayCount",
    "FirstPeriod",
    "Floater",
    "Position",
    "PricingError",
    "accrued_interest",
    "add_months",
    "bill_discount_rate",
    "bill_price_from_discount",
    "bill_price_from_yield",
    "bill_yield",
    "bond_price",
    "bond_yield",
    "floater_margin",
    "floater_price",
    "floater_share",
    "half_up",
    "investment_rate",
    "is_end_of_month",
    "percent",
    "position",
    "text",
    "year_fraction",
]
