"""Charts as SVG, drawn by the server: sixty bars, a scale, a sentence for who cannot see them.

They need no script, and a strict content policy lets them through: no style attribute, only
classes and geometry, all of it integers. Time runs from left to right in every language.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

WIDTH: Final = 600
HEIGHT: Final = 120
TOP: Final = 16
"""Above the highest bar: the text of the scale."""
GAP: Final = 2

_CHART: Final = Markup(
    '<svg class="chart {kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}"'
    ' preserveAspectRatio="none" direction="ltr"><g class="grid">'
    '<line x1="0" y1="{top}" x2="{width}" y2="{top}"/>'
    '<line x1="0" y1="{middle}" x2="{width}" y2="{middle}"/>'
    '<line x1="0" y1="{height}" x2="{width}" y2="{height}"/></g><g class="bars">{bars}</g></svg>'
)


def bars(values: Sequence[int | None], *, kind: str, label: str, highest: int) -> Markup:
    """Return a chart of one bar for each value; None and 0 have no bar.

    Args:
        kind: class of the chart, for its colour.
        label: what it shows, with the figures that matter, in words.
        highest: the value at the top of the scale, at least 1.
    """
    step = WIDTH // max(1, len(values))
    room = HEIGHT - TOP
    drawn = "".join(
        f'<rect x="{place * step + GAP // 2}" y="{HEIGHT - height}"'
        f' width="{step - GAP}" height="{height}"/>'
        for place, value in enumerate(values)
        if value and (height := max(2, min(room, value * room // highest)))
    )
    return _CHART.format(
        kind=kind,
        label=label,
        width=WIDTH,
        height=HEIGHT,
        top=TOP,
        middle=TOP + room // 2,
        bars=Markup(drawn),
    )
