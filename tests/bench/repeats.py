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


def held_in(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return in how many of the rows that have it each check held: "5 of 5"."""
    found: dict[str, str] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row[key] for row in rows if key in row]
        if all(isinstance(value, bool) for value in values):
            found[key] = f"{sum(values)} of {len(values)}"
    return found


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return median, least and largest of these figures, a line each, and then the checks.

    Args:
        names: keys of a row; `latency_ms.p50` is one within another.
    """
    flat = [_flat(row) for row in rows]
    medians, spreads = median_of(flat), spread_of(flat)
    lines = [f"{'of ' + str(len(rows)):<34}{'median':>10}{'least':>10}{'largest':>10}"]
    for name in names:
        if name in medians:
            least, largest = spreads[name]
            lines.append(f"{name:<34}{medians[name]:>10,}{least:>10,}{largest:>10,}")
    lines += [f"{name:<34}{held:>10}" for name, held in held_in(rows).items()]
    return "\n".join(lines)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{inner}": each for inner, each in _flat(value).items()}
        else:
            found[key] = value
    return found
