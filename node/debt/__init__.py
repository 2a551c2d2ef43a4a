"""What a state owes, summed up: maturity ladder, debt-service calendar, cost of debt.

Lines come from the interface (`khz_debt`); everything here is arithmetic on them, the same for the
command line, the pages and the reports. Amounts of different currencies are never added.
"""

from node.debt.costs import Cost, cost
from node.debt.figures import DAYS_OF_YEAR, percent
from node.debt.lines import KINDS, DebtLine, DebtPayment, read_lines
from node.debt.maturities import (
    LADDER_MONTHS,
    LadderStep,
    ServicePeriod,
    Span,
    ladder,
    maturing,
    service,
    wall,
)
from node.debt.sales import CURVES, Sale, auction_yields, curve, read_sales
from node.debt.yields import AT_PAR, average_yield_at, cut_off_yield, yield_at

__all__ = [
    "AT_PAR",
    "CURVES",
    "DAYS_OF_YEAR",
    "KINDS",
    "LADDER_MONTHS",
    "Cost",
    "DebtLine",
    "DebtPayment",
    "LadderStep",
    "Sale",
    "ServicePeriod",
    "Span",
    "auction_yields",
    "average_yield_at",
    "cost",
    "curve",
    "cut_off_yield",
    "ladder",
    "maturing",
    "percent",
    "read_lines",
    "read_sales",
    "service",
    "wall",
    "yield_at",
]
