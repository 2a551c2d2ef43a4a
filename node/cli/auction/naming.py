"""What the commands call the figures of an auction's result."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from node.recomputing import Figure

_NAMES: Final[Mapping[str, str]] = {
    "order": "order of the ladder",
    "cut_off": "cut-off",
    "average_price": "average price",
    "noncompetitive_price": "price without a bid's own",
    "competitive": "allotted with a price",
    "noncompetitive": "allotted without a price",
    "rows": "rows as allotted",
    "average_yield": "average yield",
    "destination_accrued": "accrued on the destination",
    "reallotment": "re-allotment",
}


def named(figure: "Figure") -> str:
    """Return what a figure is called, with the day of what had accrued."""
    name = _NAMES.get(figure.name, figure.name)
    return name if figure.day is None else f"{name} on day {figure.day}"
