"""Several measurements of the same thing: the median of each figure, and how far they lie apart."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def median_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return each figure's median over the rows that have it; what is no figure is left out."""
    return _over(rows, lambda values: round(statistics.median(values), 3))


def spread_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the least and the largest of each figure."""
    return _over(rows, lambda values: [min(values), max(values)])


def _over(rows: Sequence[Mapping[str, Any]], summary: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row[key] for row in rows if key in row]
        if all(isinstance(value, Mapping) for value in values):
            inner = _over(values, summary)
            if inner:
                found[key] = inner
        elif all(isinstance(value, int | float) for value in values) and not any(
            isinstance(value, bool) for value in values
        ):
            found[key] = summary(values)
    return found
