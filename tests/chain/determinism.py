"""Two processes as different as they can be compute one history, and are compared block by block.

    python -m tests.chain.determinism [--blocks 100000] [--seed 1] [--python PATH ...]

Each process has its own hash seed, time zone, locale; one has the slow twins in the place of what
is fast in the node; and where another interpreter is named, its own version of Python: that one
needs the packages of requirements-dev.lock. Prints how far they agreed, and ends with exit code 1
at the first block in which they do not.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]

SURROUNDINGS = (
    ({"PYTHONHASHSEED": "1", "TZ": "Asia/Karachi", "LC_ALL": "C"}, ()),
    (
        {"PYTHONHASHSEED": "4294967295", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
        ("--twins",),
    ),
    ({"PYTHONHASHSEED": "0", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"}, ()),
)
"""Environment and options of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How far the processes agreed."""

    blocks: int
    transactions: int
    difference: str | None
    """The lines that differ, None if none does."""


def compare(blocks: int, seed: int, pythons: Sequence[str]) -> Compared:
    """Run one process for each interpreter, and hold their lines against each other."""
    running = [
        subprocess.Popen(
            [
                *(python, "-m", "tests.chain.replay"),
                *("--blocks", str(blocks), "--seed", str(seed), *options),
            ],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for python, (environment, options) in zip(pythons, cycle(SURROUNDINGS), strict=False)
    ]
    try:
        return _compared(running)
    finally:
        for process in running:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _compared(running: Sequence[subprocess.Popen[str]]) -> Compared:
    agreed = transactions = 0
    outputs = [process.stdout for process in running if process.stdout is not None]
    for lines in zip_longest(*outputs):
        if len(set(lines)) != 1:
            return Compared(
                blocks=agreed,
                transactions=transactions,
                difference="\n".join(str(line).rstrip() for line in lines),
            )
        agreed += 1
        outcomes = lines[0].split()[3]
        transactions += 0 if outcomes == "-" else len(outcomes.split(","))
    return Compared(blocks=agreed, transactions=transactions, difference=None)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", action="append", default=[], help="another interpreter")
    arguments = parser.parse_args()
    pythons = [sys.executable, *(arguments.python or [sys.executable])]
    compared = compare(arguments.blocks, arguments.seed, pythons)
    print(  # noqa: T201 - a command prints.
        f"{len(pythons)} processes agree on {compared.blocks:,} blocks with"
        f" {compared.transactions:,} transactions"
    )
    if compared.difference is not None:
        print(f"and then differ:\n{compared.difference}")  # noqa: T201
    # The town's own beginning comes before the blocks that were asked for.
    return 0 if compared.difference is None and compared.blocks > arguments.blocks else 1


if __name__ == "__main__":
    sys.exit(main())
