"""What the reports share: the option, the sheet of paper, and the one door to matplotlib.

The same ledger gives the same file: no date is written into it but the ledger's own.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from typing_extensions import override

from node.cli.exits import CommandError, Exit

Command = TypeVar("Command", bound=Callable[..., Any])

SUFFIXES: Final = (".pdf", ".png", ".svg")
COLOURS: Final = {"bill": "#2f7d57", "bond": "#35628f", "sukuk": "#b57a1d"}
"""Those of the pages."""
LABELS: Final = {"bill": "treasury bills", "bond": "bonds", "sukuk": "sukuk"}
REST: Final = "#b9c2bb"
CUT: Final = "#a3242a"
INK: Final = "#16211b"
PAPER_INCHES: Final = (11.69, 8.27)
"""A4, lying."""
DOTS_PER_INCH: Final = 150
GROUPED: Final = "{x:,g}"
"""How figures on an axis are written: their thousands apart."""
_UNITS: Final = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_PARTED_MAX: Final = 200
_TIMELESS: Final[Mapping[str, Mapping[str, None]]] = {
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


class Drawing(click.ParamType[Path]):
    """A file to draw into; its name says in which form."""

    name = "file"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.suffix not in SUFFIXES:
            self.fail(f"{path.name!r} should end with one of {', '.join(SUFFIXES)}", param, ctx)
        return path


def out_option(command: Command) -> Command:
    """Give a command the option `--out`: the file to draw into."""
    return click.option(
        "--out", type=Drawing(), required=True, help="A file whose name ends .pdf, .png or .svg."
    )(command)


@contextmanager
def paper(out: Path, title: str, place: Mapping[str, Any]) -> Iterator[Any]:
    """Yield axes to draw on; then write the file.

    Args:
        place: of the answer that is drawn: height and time are written below.

    Raises:
        CommandError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        matplotlib: Any = importlib.import_module("matplotlib")
        figures: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        raise CommandError(
            Exit.USAGE,
            "matplotlib is not installed: nothing can be drawn",
            advice='Install it with: pip install "khazana[reports]"',
        ) from None
    settings = {
        "svg.hashsalt": "khazana",
        "svg.fonttype": "none",
        "text.color": INK,
        "axes.edgecolor": REST,
        "axes.labelcolor": INK,
        "font.size": 11,
        # Names of securities are text, never formulas.
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        figure = figures.Figure(figsize=PAPER_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.3, h_pad=0.3)
        axes = figure.subplots()
        figure.suptitle(title, x=0.01, ha="left", fontsize=16, fontweight="bold")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, axis="y", color="#dde3dc", linewidth=0.8)
        axes.set_axisbelow(True)
        yield axes
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="lower left", frameon=False, bbox_to_anchor=(0, 1), ncols=4)
        moment = f"{datetime.fromisoformat(place['time']).astimezone(UTC):%Y-%m-%d %H:%M}"
        note = f"Read from the ledger after block {place['height']}, {moment} UTC."
        figure.supxlabel(note, x=0.01, ha="left", fontsize=9, color="#55635b")
        try:
            figure.savefig(out, metadata=_TIMELESS.get(out.suffix))
        except OSError as error:
            raise CommandError(
                Exit.CONFIGURATION,
                f"{out} cannot be written: {error.strerror or error}",
                advice="Name a file that you may write, ending in .pdf, .png or .svg, with --out.",
            ) from None


def unit_of(highest: object) -> tuple[int, str]:
    """Return by what amounts are divided on an axis, and what that is called."""
    value = float(str(highest))
    return next(((unit, name) for unit, name in _UNITS if value >= unit), (1, ""))


def counted(number: int, what: str) -> str:
    """Return how many there are of something, such as `1 bid`, `2 bids`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def blocks(axes: Any, shapes: Sequence[tuple[float, float, float, str]], *, floor: float) -> None:
    """Draw upright blocks as one collection: twenty thousand take a second, as bars a minute.

    Args:
        shapes: left, right, height and colour of each, in order.
        floor: where they stand.
    """
    collections: Any = importlib.import_module("matplotlib.collections")
    corners = [
        ((left, floor), (left, top), (right, top), (right, floor)) for left, right, top, _ in shapes
    ]
    # Of very many the white between them would be all that is seen.
    line = 0.8 if len(shapes) <= _PARTED_MAX else 0
    axes.add_collection(
        collections.PolyCollection(
            corners,
            facecolors=[colour for *_, colour in shapes],
            edgecolors="white",
            linewidths=line,
        )
    )
