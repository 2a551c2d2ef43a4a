"""How rate and cost grow: `python -m tests.bench.scaling`. Against validators, accounts, the size
of a transaction, and the size of a block, one at a time, all else as in `tests.bench.cluster`.

Each network is measured twice. At a rate that it sustains (`--sustained`), for what one transaction
costs a node while it has time: small blocks, of which each costs the same beside its transactions.
And while it is offered more than this machine can take, for the highest rate, and for what one
costs then: `--share` of what its processors could do if they verified signatures and nothing else.
Roots, sums and holdings are compared after each, as `cluster` does; exit code 1 where they do not
hold.

Each measurement is a line of `plots/scaling.jsonl`; tables go into README.md, plots beside the
lines. `--draw` makes both of the lines there are. All of it takes some fifteen minutes.

    --only validators           this sweep; the lines of the others stay
    --draw                      measure nothing
"""

import argparse
import asyncio
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from node.clock import SystemClock
from tests.bench import cluster
from tests.bench.machine import verify_us
from tests.bench.measuring import all_held

HERE: Final = Path(__file__).parent
README: Final = HERE / "README.md"
PLOTS: Final = HERE / "plots"
LINES: Final = PLOTS / "scaling.jsonl"
BEGIN, END = "<!-- scaling: written by the command -->", "<!-- end of scaling -->"

VALIDATORS: Final = 4
"""Where something else changes."""
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
    "offered": "offered, /s",
    "tps": "final and applied everywhere, /s",
    "cpu_us_at_the_highest": "CPU of one on one node, µs",
    "cpu_us_per_transaction_and_node": "the same at a rate it sustains, µs",
    "cpu_us_beyond_verification": "of that beyond verification, µs",
    "wire_bytes_against_size": "bytes on the wire against its size",
}
COSTS: Final = {
    "cpu_us_at_the_highest": ("at that rate", "s-"),
    "cpu_us_per_transaction_and_node": ("at a rate it sustains", "o--"),
}
"""As a plot names and marks them."""
RATIOS: Final = frozenset({"accounts", "block-size"})
"""Sweeps whose values are drawn by their ratios: they lie further apart than one can see."""


def offered(share: float, *, validators: int, processors: int, verification_us: float) -> int:
    """Return so much of the rate at which verifying would take all processors by itself."""
    return int(share * processors * 1e6 / (validators * verification_us))


def measure(against: str, value: int, rates: tuple[int, int], *words: str) -> bool:
    """Measure one setting at a rate that it sustains and at one beyond, and append the line.

    Returns:
        Whether all checks held; where they did not, nothing is appended.
    """
    asked = ["--rates", f"{rates[0]},{rates[1]}", f"--{against}", str(value)]
    options = cluster.parse([*asked, *words])
    found = asyncio.run(cluster.run(options))
    if not all_held([found]):
        print(f"{against} {value}: a check did not hold: {json.dumps(found)}", file=sys.stderr)
        return False
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    line = line_of(against, value, found)
    line |= {"day": f"{now:%Y-%m-%d}", "seconds": options.seconds}
    with LINES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), file=sys.stderr, flush=True)
    return True


def line_of(against: str, value: int, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a network: costs of the rate it sustains, the rate of the other."""
    sustained, beyond = found["rows"]
    kept = {name: sustained.get(name) for name in FIGURES} | {
        "offered": beyond["rate_asked"],
        "tps": beyond["tps"],
        "cpu_us_at_the_highest": beyond.get("cpu_us_per_transaction_and_node"),
    }
    return {
        "against": against,
        "value": value,
        "rate_sustained": sustained["rate_asked"],
        "sustained": sustained["sustained"],
    } | kept


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
    return "\n".join([*rows, "", told_of(entries)])


def told_of(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence that says how these were measured."""
    days = " and ".join(sorted({entry["day"] for entry in entries}))
    windows = " and ".join(sorted({f"{entry['seconds']:g}" for entry in entries}))
    rates = " and ".join(sorted({f"{entry['rate_sustained']:,}" for entry in entries}))
    lagging = [f"{entry['value']:,}" for entry in entries if not entry["sustained"]]
    told = f"{days}, one run each, windows of {windows} s; the rate to sustain is {rates} a second"
    return f"{told}, which {', '.join(lagging)} did not." if lagging else f"{told}."


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
    """Draw a plot for each sweep: the highest rate on the left, the costs on the right."""
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
        figure, (rate, cost) = pyplot.subplots(1, 2, figsize=(7.2, 2.6), layout="constrained")
        places = [entry["value"] for entry in entries]

        def values(name: str, entries: Sequence[Mapping[str, Any]] = entries) -> list[float]:
            return [float("nan") if entry[name] is None else entry[name] for entry in entries]

        rate.plot(places, values("tps"), "s-", color="tab:blue")
        rate.set_title("final and applied everywhere, a second", loc="left", fontsize=9)
        for name, (told, mark) in COSTS.items():
            cost.plot(places, values(name), mark, color="tab:red", label=told)
        cost.set_title("processor time of one on one node, µs", loc="left", fontsize=9)
        for axes in (rate, cost):
            if against in RATIOS:
                axes.set_xscale("log")
            axes.set_xticks(places, [f"{value:,}" for value in places])
            axes.set_xticks([], minor=True)
            axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
            axes.yaxis.set_major_formatter("{x:,.0f}")
            axes.set_xlabel(TITLES[against])
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
        cost.legend(frameon=False)
        figure.savefig(PLOTS / f"{against}.svg", metadata={"Date": None})
        pyplot.close(figure)


def main(arguments: Sequence[str]) -> int:
    """Measure, then write tables and plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sustained", type=int, default=500, help="rate at which costs are taken")
    parser.add_argument(
        "--share", type=float, default=0.75, help="of the bound by signatures is offered"
    )
    parser.add_argument("--warm-up", type=float, default=4.0, help="seconds before the window")
    parser.add_argument("--seconds", type=float, default=8.0, help="the window")
    parser.add_argument("--only", choices=list(SWEEPS), action="append", help="this sweep")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    PLOTS.mkdir(exist_ok=True)
    words = ["--warm-up", str(options.warm_up), "--seconds", str(options.seconds)]
    verification_us, held = verify_us(), True
    for against in () if options.draw else options.only or SWEEPS:
        for value in SWEEPS[against]:
            beyond = offered(
                options.share,
                validators=value if against == "validators" else VALIDATORS,
                processors=os.cpu_count() or 1,
                verification_us=verification_us,
            )
            held &= measure(against, value, (options.sustained, beyond), *words)
    lines = read_lines(LINES.read_text(encoding="utf-8"))
    README.write_text(written_into(README.read_text(encoding="utf-8"), lines), encoding="utf-8")
    draw(lines)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
