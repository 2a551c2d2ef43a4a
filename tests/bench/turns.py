"""Two versions of the code by turns: `python -m tests.bench.turns A B -- pipeline`. Prints JSON.

A machine that others use too is another one from minute to minute, so a figure of yesterday says
little about one of today. Here the same benchmark runs in both checkouts, never two at a time, in
rounds: A, B, then B, A, so that whoever comes second is not always the same. Each runs by its own
`.venv`, which `make setup` makes there (`git worktree add ../before REVISION`).

A figure is told by its median in each, by the second's divided by the first's, and by the rounds in
which the second had less: a difference that is in all rounds is one, whatever the machine does.
Exit code 1 when a benchmark's check did not hold in one of them.

    --rounds 5
    --only stages_us            figures whose name begins so; again for more; default: all
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PYTHON: Final = Path(".venv/bin/python")


def run(checkout: Path, words: Sequence[str]) -> tuple[dict[str, float], bool]:
    """Run a benchmark in a checkout; return its figures, and whether its checks held.

    Raises:
        SystemExit: it printed no JSON object.
    """
    module, *rest = words
    done = subprocess.run(
        [checkout / PYTHON, "-m", f"tests.bench.{module}", *rest],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        found = dict(figures(json.loads(done.stdout)))
    except json.JSONDecodeError:
        raise SystemExit(f"{module} in {checkout} printed no JSON: {done.returncode}") from None
    return found, done.returncode == 0


def figures(report: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a report under the names that lead to it, joined by dots."""
    if isinstance(report, Mapping):
        for key, value in report.items():
            yield from figures(value, f"{name}.{key}" if name else str(key))
    elif isinstance(report, Sequence) and not isinstance(report, str):
        for number, value in enumerate(report):
            yield from figures(value, f"{name}.{number}" if name else str(number))
    elif isinstance(report, int | float) and not isinstance(report, bool):
        yield name, report


def compare(
    first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]
) -> dict[str, dict[str, Any]]:
    """Return of each figure that all rounds have what it is in both, and how they differ.

    Args:
        first: a mapping a round, and `second` those of the same rounds.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in first[0]:
        if not all(name in each for each in (*first, *second)):
            continue
        ours, theirs = ([each[name] for each in rows] for rows in (first, second))
        before, after = statistics.median(ours), statistics.median(theirs)
        less = sum(b < a for a, b in zip(ours, theirs, strict=True))
        found[name] = {
            "first": round(before, 3),
            "second": round(after, 3),
            "ratio": round(after / before, 3) if before else None,
            "less_in": f"{less} of {len(ours)}",
        }
    return found


def table(compared: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a line a figure, for people."""
    lines = [f"{'':<44}{'first':>12}{'second':>12}{'ratio':>8}  second is less"]
    for name, row in compared.items():
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.3f}"
        lines.append(
            f"{name:<44}{row['first']:>12,}{row['second']:>12,}{ratio:>8}  in {row['less_in']}"
        )
    return "\n".join(lines)


def revision(checkout: Path) -> str:
    """Return which commit a checkout is at, and whether something in it was changed."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main(arguments: Sequence[str]) -> int:
    """Let the two take turns, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkouts", type=Path, nargs=2, metavar="CHECKOUT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help="figures whose name begins so")
    parser.add_argument("benchmark", nargs="+", help="its name and options, after --")
    options = parser.parse_args(arguments)
    places: list[Path] = [each.absolute() for each in options.checkouts]
    for place in places:
        if not (place / PYTHON).exists():
            parser.error(f"{place} has no {PYTHON}: `make setup` there makes it")
    if options.rounds < 1:
        parser.error("at least one round")
    rows: list[list[dict[str, float]]] = [[], []]
    held = True
    for number in range(options.rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            found, holds = run(places[which], options.benchmark)
            rows[which].append(found)
            held &= holds
    compared = compare(*rows)
    if options.only:
        wanted = tuple(options.only)
        compared = {name: row for name, row in compared.items() if name.startswith(wanted)}
    print(table(compared), file=sys.stderr)
    report = {
        "benchmark": options.benchmark,
        "rounds": options.rounds,
        "revisions": [revision(place) for place in places],
        "checks_held": held,
        "figures": compared,
    }
    print(json.dumps(report, indent=2))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
