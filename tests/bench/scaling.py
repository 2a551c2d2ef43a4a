"""How rate and cost grow: `python -m tests.bench.scaling`. Against validators, accounts, the size
of a transaction, and the size of a block, one at a time, all else as in `tests.bench.cluster`.

Each network is measured twice. The costs are those of a rate that it sustains (`--sustained`): the
processor time of one transaction on one node, and its bytes on the wire. The rate is what becomes
final when more is offered than this machine can take (`--rate`). Each measurement is a line of
`plots/scaling.jsonl`; tables go into README.md, plots beside the lines. `--draw` makes both of the
lines there are. One run takes some ten minutes.
"""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench import cluster

HERE: Final = Path(__file__).parent
README: Final = HERE / "README.md"
PLOTS: Final = HERE / "plots"
LINES: Final = PLOTS / "scaling.jsonl"
BEGIN, END = "<!-- scaling: written by the command -->", "<!-- end of scaling -->"

SWEEPS: Final[Mapping[str, Sequence[int]]] = {
    "validators": (3, 4, 7, 10),
    "accounts": (1_000, 5_000, 20_000),
    "size": (189, 300, 600, 1_200),
    "block-size": (100, 500, 2_000, 5_000),
}
TITLES: Final = {
    "validators": "validators",
    "accounts": "accounts",
    "size": "bytes of a transfer",
    "block-size": "transactions in a block at most",
}
FIGURES: Final = {
    "tps": "final and applied everywhere, /s",
    "cpu_us_per_transaction_and_node": "CPU of one on one node, us",
    "cpu_us_beyond_verification": "of it beyond the verification, us",
    "wire_bytes_against_size": "bytes on the wire against its size",
}


def measure(against: str, value: int, rates: tuple[int, int], *words: str) -> None:
    """Measure one setting at a rate that it sustains and at one beyond, and append the line."""
    asked = ["--rates", f"{rates[0]},{rates[1]}", f"--{against}", str(value)]
    found = asyncio.run(cluster.run(cluster.parse([*asked, *words])))
    assert found["state_roots_equal"]
    assert found["conserved"]
    sustained, beyond = found["rows"]
    line: dict[str, Any] = {"against": against, "value": value, "rates": rates}
    line |= {name: sustained.get(name) for name in FIGURES} | {"tps": beyond["tps"]}
    line["sustained"] = sustained["sustained"]
    with LINES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), file=sys.stderr, flush=True)


def read_lines(text: str) -> dict[str, list[dict[str, Any]]]:
    """Return the lines by what they are against, each value's last one, ascending."""
    found: dict[str, dict[int, dict[str, Any]]] = {against: {} for against in SWEEPS}
    for line in text.splitlines():
        entry = json.loads(line)
        found[entry["against"]][entry["value"]] = entry
    return {
        against: [entries[value] for value in sorted(entries)] for against, entries in found.items()
    }


def table(against: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the Markdown of one sweep."""
    rows = [
        f"| {TITLES[against]} | {' | '.join(FIGURES.values())} |",
        "|" + "---|" * (1 + len(FIGURES)),
    ]
    for entry in entries:
        cells = (entry.get(name) for name in FIGURES)
        shown = " | ".join("-" if cell is None else f"{cell:,}" for cell in cells)
        rows.append(f"| {entry['value']:,} | {shown} |")
    return "\n".join(rows)


def written_into(page: str, lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the page with the tables, and the plots' places, between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, "the page has no place for the tables"
    parts = [
        f"{table(against, entries)}\n\n![{TITLES[against]}](plots/{against}.svg)"
        for against, entries in lines.items()
        if entries
    ]
    return before + "\n\n".join([BEGIN, *parts, END]) + after


def draw(lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw a plot for each sweep: the rate on the left, the cost on the right."""
    try:
        matplotlib: Any = importlib.import_module("matplotlib")
        matplotlib.use("svg")
        pyplot = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        print('no plots: matplotlib is not installed: pip install -e ".[bench]"', file=sys.stderr)
        return
    # The same lines make the same bytes, and text stays text.
    matplotlib.rcParams |= {"svg.hashsalt": "khazana", "svg.fonttype": "none", "font.size": 9}
    for against, entries in lines.items():
        if not entries:
            continue
        figure, left = pyplot.subplots(figsize=(5, 2.8), layout="constrained")
        right = left.twinx()
        places = [str(entry["value"]) for entry in entries]
        for axes, name, colour, mark in (
            (left, "tps", "tab:blue", "o-"),
            (right, "cpu_us_per_transaction_and_node", "tab:red", "s--"),
        ):
            values = [float("nan") if entry[name] is None else entry[name] for entry in entries]
            axes.plot(places, values, mark, color=colour)
            axes.set_ylim(bottom=0)
            axes.set_ylabel(FIGURES[name], color=colour)
        left.set_xlabel(TITLES[against])
        left.grid(alpha=0.3)
        figure.savefig(PLOTS / f"{against}.svg", metadata={"Date": None})
        pyplot.close(figure)


def main(arguments: Sequence[str]) -> int:
    """Measure, then write tables and plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sustained", type=int, default=500, help="rate at which costs are taken")
    parser.add_argument("--rate", type=int, default=6_000, help="offered, beyond what is possible")
    parser.add_argument("--warm-up", type=float, default=4.0, help="seconds before the window")
    parser.add_argument("--seconds", type=float, default=8.0, help="the window")
    parser.add_argument("--only", choices=list(SWEEPS), action="append", help="this sweep")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    PLOTS.mkdir(exist_ok=True)
    words = ["--warm-up", str(options.warm_up), "--seconds", str(options.seconds)]
    rates = (options.sustained, options.rate)
    for against in () if options.draw else options.only or SWEEPS:
        for value in SWEEPS[against]:
            measure(against, value, rates, *words)
    lines = read_lines(LINES.read_text(encoding="utf-8"))
    README.write_text(written_into(README.read_text(encoding="utf-8"), lines), encoding="utf-8")
    draw(lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
