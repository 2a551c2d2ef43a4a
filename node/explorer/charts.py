"""Charts as SVG, drawn by the server: bars, points, steps; a sentence for who cannot see them.

They need no script, and a strict content policy lets them through: no style attribute, only
classes and geometry, all of it integers. Time runs from left to right in every language.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

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


AXIS: Final = 26
"""Below the drawing: the labels of the axis."""
LABELS_MAX: Final = 8
"""Of an axis; where there are more places, every second or third has one."""

_PLOT: Final = Markup(
    '<svg class="plot {kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}"'
    ' direction="ltr"><g class="grid">'
    '<line x1="0" y1="{top}" x2="{width}" y2="{top}"/>'
    '<line x1="0" y1="{bottom}" x2="{width}" y2="{bottom}"/></g>{drawn}'
    '<g class="axis">{axis}</g></svg>'
)
_PLOT_HEIGHT: Final = 240
_PLOT_TOP: Final = 24
_PLOT_BOTTOM: Final = _PLOT_HEIGHT - AXIS
_COLUMN_MAX: Final = 96
"""How wide a column is at most: one alone is not a wall."""
_LABEL_HALF: Final = 34
"""Half of the widest label of the axis (`2024-Q3`)."""
_CHARACTER: Final = 11
"""How wide a digit of a label is on a narrow screen, where labels are the largest."""
_LINE: Final = 20
"""How high a label is then."""
_POINT: Final = 6
"""Half of a point's width."""
_BESIDE: Final = (-13, 24)
"""How far below a point its value may stand: above it, or, where that is taken, below."""

_Box: TypeAlias = tuple[int, int, int, int]
"""Left, upper, right, lower edge."""


def stacked(
    columns: Sequence[tuple[str, Sequence[int]]],
    *,
    layers: Sequence[str],
    top: str,
    kind: str,
    label: str,
) -> Markup:
    """Return columns of layers on each other, the first at the bottom, with a labelled axis.

    Args:
        columns: name and height of each layer, in any unit.
        layers: the class of each layer, for its colour.
        top: what the upper line stands for, the height of the highest column.
    """
    highest = max((sum(heights) for _, heights in columns), default=0) or 1
    step = WIDTH // max(1, len(columns))
    room = _PLOT_BOTTOM - _PLOT_TOP
    width = min(_COLUMN_MAX, step - max(2, step // 6))
    drawn = []
    for place, (_, heights) in enumerate(columns):
        below = 0
        for layer, height in zip(layers, heights, strict=True):
            # From sums, so that the layers of a column add up to its height.
            low, high = (below * room // highest, (below + height) * room // highest)
            below += height
            if height:
                size = max(1, high - low)
                drawn.append(
                    f'<rect class="{layer}" x="{place * step + (step - width) // 2}"'
                    f' y="{_PLOT_BOTTOM - low - size}" width="{width}" height="{size}"/>'
                )
    every = -(-len(columns) // LABELS_MAX) or 1  # up
    # Counted from the last, which is not what the others are: it gathers all that is later.
    axis = Markup().join(
        _tick(place * step + step // 2, name)
        for place, (name, _) in enumerate(columns)
        if (len(columns) - 1 - place) % every == 0
    )
    scale = Markup('<text class="first" x="0" y="{}">{}</text>').format(_PLOT_TOP - 7, top)
    return _plot(kind, label, scale + Markup("".join(drawn)), axis)


def dotted(
    points: Sequence[tuple[int, int, str, str, str]],
    *,
    joined: Sequence[Sequence[str]],
    kind: str,
    label: str,
) -> Markup:
    """Return points on lines, each with its value above or below it, and its place on the axis.

    Where points are near each other, some are without: no label stands on another or on a point.

    Args:
        points: place from left to right (0 to 1,000), height (0 to 1,000), class, value, name.
        joined: classes whose points are on one line, unless they stand among each other: then
            each class has a line of its own.
    """
    margin = 40
    room_x, room_y = WIDTH - 2 * margin, _PLOT_BOTTOM - _PLOT_TOP - 44
    at = [
        (margin + x * room_x // 1_000, _PLOT_BOTTOM - 14 - y * room_y // 1_000)
        for x, y, *_ in points
    ]
    drawn = []
    for layers in _apart([layer for _, _, layer, _, _ in points], joined):
        line = [
            f"{x},{y}"
            for (x, y), (_, _, layer, _, _) in zip(at, points, strict=True)
            if layer in layers
        ]
        if len(line) > 1:
            drawn.append(Markup('<polyline points="{}"/>').format(" ".join(line)))
    axis = []
    taken = [(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in at]
    for (x, y), (_, _, layer, value, name) in zip(at, points, strict=True):
        drawn.append(
            Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(layer, x, y, _POINT)
        )
        for baseline in (y + below for below in _BESIDE):
            box = _box(x, baseline, value)
            if box[3] < _PLOT_BOTTOM and not any(_meet(box, other) for other in taken):
                drawn.append(Markup('<text x="{}" y="{}">{}</text>').format(x, baseline, value))
                taken.append(box)
                break
        box = _box(_inwards(x), _PLOT_HEIGHT - 6, name)
        if not any(_meet(box, other) for other in taken):
            axis.append(_tick(x, name))
            taken.append(box)
    return _plot(kind, label, Markup().join(drawn), Markup().join(axis))


def _box(x: int, baseline: int, text: str) -> _Box:
    """Return what a label takes of a drawing, its middle at `x`."""
    half = len(text) * _CHARACTER // 2
    return x - half, baseline - _LINE + 4, x + half, baseline + 4


def _meet(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _apart(layers: Sequence[str], joined: Sequence[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield what is on one line: a line to and fro between two classes would be no curve."""
    for classes in joined:
        order = [layer for layer in layers if layer in classes]
        runs = [
            layer for layer, before in zip(order, [None, *order], strict=False) if layer != before
        ]
        if len(runs) == len(set(runs)):
            yield classes
        else:
            yield from ([each] for each in classes)


def steps(
    rows: Sequence[tuple[int, int]], *, cut: int | None, kind: str, label: str, ends: Sequence[str]
) -> Markup:
    """Return a ladder as columns side by side: how wide is the face bid for, how high its price.

    Args:
        rows: width and height of each, 0 to 1,000, in the order of service.
        cut: the height of the cut-off, from 0 to 1,000.
        ends: what stands at the left and the right end of the axis.
    """
    room = _PLOT_BOTTOM - _PLOT_TOP
    whole = sum(width for width, _ in rows) or 1
    drawn, before = [], 0
    for width, height in rows:
        left, right = before * WIDTH // whole, (before + width) * WIDTH // whole
        before += width
        layer = "good" if cut is not None and height >= cut else "rest"
        size = max(2, height * room // 1_000)
        drawn.append(
            f'<rect class="{layer}" x="{left}" y="{_PLOT_BOTTOM - size}"'
            f' width="{max(1, right - left - 1)}" height="{size}"/>'
        )
    if cut is not None:
        y = _PLOT_BOTTOM - max(2, cut * room // 1_000)
        drawn.append(f'<line class="cut" x1="0" y1="{y}" x2="{WIDTH}" y2="{y}"/>')
    axis = Markup('<text class="first" x="0" y="{y}">{}</text>').format(
        ends[0], y=_PLOT_HEIGHT - 6
    ) + Markup('<text class="last" x="{}" y="{y}">{}</text>').format(
        WIDTH, ends[1], y=_PLOT_HEIGHT - 6
    )
    return _plot(kind, label, Markup("".join(drawn)), axis)


def _tick(x: int, name: str) -> Markup:
    """Return a label below a place, moved inwards where it would be cut off at an end."""
    return Markup('<text x="{}" y="{}">{}</text>').format(_inwards(x), _PLOT_HEIGHT - 6, name)


def _inwards(x: int) -> int:
    return min(max(x, _LABEL_HALF), WIDTH - _LABEL_HALF)


def _plot(kind: str, label: str, drawn: Markup, axis: Markup) -> Markup:
    return _PLOT.format(
        kind=kind,
        label=label,
        width=WIDTH,
        height=_PLOT_HEIGHT,
        top=_PLOT_TOP,
        bottom=_PLOT_BOTTOM,
        drawn=drawn,
        axis=axis,
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
