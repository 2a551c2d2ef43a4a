"""A validator with a large ledger beside one with a small: `python -m tests.bench.large A B`. JSON.

    python -m tests.bench.population --accounts 10000 --folder A
    python -m tests.bench.population --accounts 10000000 --folder B
    python -m tests.bench.large A B [--rate 12000] [--active 1000] [--rounds 1]

The whole program, as in `tests.bench.cluster --validators 1`: a process with its interface, TLS and
LevelDB, a second one that verifies for it, and the same load over HTTP. So many accounts of the
population pay each other; the others are there. The networks take turns, never two at a time, and
each round begins with a start of the process. `memory_mb` is resident, of the validator and its
second process, when all is final. `relative` compares the last folder with the first: by processor
time, and by the clock, which says only that the last can do as much where the first took all that
it was offered (`kept_up`); then ask for a higher `--rate`.

Afterwards what each of the active accounts holds is compared with what it held before and what was
applied, and the supply with what they and all others hold. Blocks are added to the databases.

`tests.bench.accounts` looks at the chain alone, where also all accounts can be active.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from node.provision.acts import RUPEE
from node.provision.homes import CONFIG_FILE
from node.provision.local import open_network
from tests.bench.joining import PATIENCE_S, VALIDATOR
from tests.bench.machine import interpreter, verify_us
from tests.bench.measuring import Book, Plan, all_held, check, measure
from tests.bench.population import accounts_of, address, owner_signer
from tests.bench.repeats import held_in, median_of
from tests.bench.town import Town

VERIFICATION: Final = '\n[verification]\nprocess = "on"\n'


async def run(root: Path, plan: Plan, *, rate: int, active: int) -> dict[str, Any]:
    """Start the validator of this folder, load it, and end it."""
    network = open_network(root)
    config = network.nodes[VALIDATOR].home / CONFIG_FILE
    if VERIFICATION not in config.read_text():
        with config.open("a") as file:
            file.write(VERIFICATION)
    accounts, cost_us = accounts_of(root), verify_us()
    town = Town(
        network,
        [owner_signer()] * active,
        addresses=[address(number) for number in range(active)],
    )
    began = time.monotonic()
    try:
        network.start(VALIDATOR, leashed=True)
        await network.wait_ready(VALIDATOR, timeout_s=PATIENCE_S)
        ready_s = time.monotonic() - began
        before = await town.holdings()
        book = Book(before=before)
        town.held_by_others = await town.supply_of(RUPEE) - sum(each[RUPEE] for each in before)
        found = await measure(town, plan, rate=rate, verify_us=cost_us, book=book)
        found |= await check(town, plan, book)
    finally:
        for poster in town.posters:
            poster.close()
        await network.stop()
    return {"accounts": accounts, "verify_us": cost_us, "ready_s": round(ready_s, 2)} | found


def against(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, float]:
    """Return what the last does of what the first does: by the clock, and by processor time."""
    cpu = "cpu_us_per_transaction_and_node"
    return {
        "rate": round(last["tps"] / max(first["tps"], 0.1), 3),
        "rate_by_cpu": round(first.get(cpu, 0.0) / max(last.get(cpu, 0.0), 0.1), 3),
    }


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", help="networks of tests.bench.population")
    parser.add_argument("--rate", type=int, default=12_000, help="transfers a second")
    parser.add_argument("--active", type=int, default=1_000, help="accounts that pay each other")
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds before the window")
    parser.add_argument("--seconds", type=float, default=12.0, help="the window")
    parser.add_argument("--rounds", type=int, default=1, help="each with a new process")
    options = parser.parse_args(arguments)
    plan = Plan(warm_up_s=options.warm_up, window_s=options.seconds)
    runs: dict[Path, list[dict[str, Any]]] = {root: [] for root in options.folders}
    for _ in range(options.rounds):
        for root, found in runs.items():
            found.append(asyncio.run(run(root, plan, rate=options.rate, active=options.active)))
    medians = [median_of(found) for found in runs.values()]
    every = [each for found in runs.values() for each in found]
    report = {
        "processors": os.cpu_count(),
        "interpreter": interpreter(),
        "active": options.active,
        "runs": every,
        "checks": held_in(every),
        "kept_up": [held_in(found)["sustained"] for found in runs.values()],
        "relative": against(medians[0], medians[-1]),
    }
    print(json.dumps(report, indent=2))
    return 0 if all_held(every) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
