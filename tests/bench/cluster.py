"""What a whole network does on this machine: `python -m tests.bench.cluster`. Prints JSON.

Validators as processes of their own, with TLS and LevelDB, on the processors that the load shares
with them. Transactions are signed beforehand by 1,000 accounts and sent in an open loop: at a fixed
rate, a fortieth of a second's worth at a time, to the validators in turn, whatever they answer. One
counts when it is final and applied on **all** of them; its latency runs from the moment it was due
to be sent to the moment the last validator told of the block that holds it. After a warm-up of 20 s
a window of 60 s is measured. Afterwards the state roots are compared, the supply with the sum of
holdings, and what every account holds with what it must hold when each transaction was applied
once.

    --rate 5000 --repeats 5             the figures the project has to reach: median and spread
    --sustained                         the highest rate at which everything is final within 2 s
    --rates 1000,2000,4000              one network, several rates
    --kind dvp                          two signers, four operations: delivery against payment
    --size 1000                         transfers of this many bytes
    --validators 7 --block-size 500     another network
    --rate 2000 --kill                  one validator killed at 20 s, back at 40 s (see `outage`)
    --idle --seconds 20                 one transaction at a time on an idle network
    --accounts 100000 --minutes 10 --rate 300     memory of a validator under load
    --rate 2000 --flames F.svg          and a flame graph of the first validator

`share_of_signature_bound` is validators x rate x signers x time of a verification / processors:
what of this machine verifying signatures takes alone. The time of a verification is measured in the
same run, and so is the budget: the processor time of a transaction on one node by stage, of which a
table goes to standard error. Exit code 1 when a check did not hold.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from node.provision.description import Blocks
from tests.bench import flames
from tests.bench.costs import budget_table
from tests.bench.machine import interpreter, verify_us
from tests.bench.measuring import Book, Plan, all_held, check, measure, when_idle
from tests.bench.orders import Kind, trial_clerk
from tests.bench.outage import outage
from tests.bench.repeats import held_in, median_of, spread_of, table
from tests.bench.search import best, next_rate
from tests.bench.town import Town, running_town

VALIDATORS: Final = (1, 3, 4, 7, 10)
KILLED_S: Final = 20.0
BACK_S: Final = 40.0
"""A killed validator is started again."""
TOLD: Final = (
    "tps",
    "share_of_signature_bound",
    "latency_ms.p50",
    "latency_ms.p95",
    "cpu_us_per_transaction_and_node",
    "cpu_us_beyond_verification",
    "cpu_us_beyond_verification_as_charged",
    "verify_us",
    "wire_bytes_against_size",
    "transactions_per_block",
    "answers.-429",
)
"""Of several runs in a table on standard error; all else is in the JSON."""
ACCOUNTS_TRIED: Final = 100
"""More than take part in any transaction."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for; ends the process where that makes no sense."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rate", type=_positive, default=2_000, help="transactions a second")
    what.add_argument("--rates", type=_rates, help="several, in one network, such as 1000,2000")
    what.add_argument("--sustained", action="store_true", help="search for the highest rate")
    what.add_argument("--idle", action="store_true", help="one transaction at a time")
    parser.add_argument("--kill", action="store_true", help="one validator, and start it again")
    parser.add_argument("--validators", type=int, choices=VALIDATORS, default=4)
    parser.add_argument("--kind", type=Kind, choices=list(Kind), default=Kind.TRANSFER)
    parser.add_argument("--size", type=_positive, help="bytes of a transfer; default: the least")
    parser.add_argument("--block-size", type=_positive, help="transactions in a block at most")
    parser.add_argument("--accounts", type=_positive, default=1_000)
    parser.add_argument(
        "--verification",
        choices=("auto", "on", "off"),
        help="signatures in a process of their own; default: on for one validator, else auto",
    )
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before the window")
    parser.add_argument("--seconds", type=float, default=60.0, help="the window")
    parser.add_argument("--minutes", type=float, default=0.0, help="instead of --seconds")
    parser.add_argument("--flames", type=Path, help="SVG: where a validator's time went, by py-spy")
    parser.add_argument("--repeats", type=_positive, default=1, help="each with a new network")
    parser.add_argument("--first", type=_positive, default=2_000, help="rate a search begins with")
    options = parser.parse_args(arguments)
    if options.verification is None:
        # One validator has the processors to itself.
        options.verification = "on" if options.validators == 1 else "auto"
    if options.kill and (options.rates or options.sustained or options.idle):
        parser.error("--kill goes with --rate")
    if options.flames is not None and not flames.PROGRAM.exists():
        parser.error('--flames wants py-spy: pip install -e ".[bench]"')
    try:
        trial_clerk(options.kind, options.size, accounts=min(options.accounts, ACCOUNTS_TRIED))
    except ValueError as error:
        parser.error(str(error))
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def _rates(text: str) -> list[int]:
    return [_positive(each) for each in text.split(",")]


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure one new network; return what came of it."""
    blocks = Blocks() if options.block_size is None else Blocks(transactions_max=options.block_size)
    plan = Plan(
        kind=options.kind,
        size_bytes=options.size,
        warm_up_s=options.warm_up,
        window_s=options.minutes * 60 or options.seconds,
    )
    cost_us = verify_us()
    book = Book()
    async with running_town(
        accounts=options.accounts,
        validators=options.validators,
        blocks=blocks,
        assets=plan.assets,
        verification=options.verification,
    ) as town:

        async def at(rate: int) -> dict[str, Any]:
            with _watched(town, options.flames):
                return await measure(town, plan, rate=rate, verify_us=cost_us, book=book)

        found: dict[str, Any] = {"verify_us": cost_us}
        if options.idle:
            found |= await when_idle(town, seconds=plan.window_s)
            book.is_complete = False
        elif options.kill:
            times = {
                "killed_s": KILLED_S,
                "back_s": BACK_S,
                "seconds": BACK_S + options.seconds / 2,
            }
            found |= await outage(town, rate=options.rate, **times, book=book)
        elif options.rates:
            found["rows"] = [await at(rate) for rate in options.rates]
        elif options.sustained:
            found["rows"] = await _search(at, options.first)
            rows = {row["rate_asked"]: row["sustained"] for row in found["rows"]}
            found["sustained_rate"] = best(rows)
        else:
            found |= await at(options.rate)
        return found | await check(town, plan, book)


def _watched(town: Town, into: Path | None) -> contextlib.AbstractContextManager[None]:
    process = town.network.process(town.network.validators[0].name)
    if into is None or process is None:
        return contextlib.nullcontext()
    return flames.drawn(process.pid, into)


async def _search(
    at: Callable[[int], Awaitable[dict[str, Any]]], first: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        rate = next_rate({row["rate_asked"]: row["sustained"] for row in rows}, first)
        if rate is None:
            return rows
        rows.append(await at(rate))
        print(f"{rate}/s: {_words(rows[-1])}", file=sys.stderr, flush=True)


def _words(row: Mapping[str, Any]) -> str:
    return f"{row['tps']}/s final, {'sustained' if row['sustained'] else 'not sustained'}"


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark that the command line asks for."""
    options = parse(arguments)
    runs = []
    for number in range(1, options.repeats + 1):
        runs.append(asyncio.run(run(options)))
        if options.repeats > 1 and "tps" in runs[-1]:
            print(f"run {number}: {_words(runs[-1])}", file=sys.stderr, flush=True)
    settings = {
        "validators": options.validators,
        "accounts": options.accounts,
        "processors": os.cpu_count(),
        "interpreter": interpreter(),
        "kind": str(options.kind),
        "verification": options.verification,
        "warm_up_s": options.warm_up,
    }
    rows = [row for each in runs for row in each.get("rows", [each]) if "budget_us" in row]
    if rows:
        print(budget_table(rows), file=sys.stderr)
    report = settings | runs[0]
    if len(runs) > 1:
        print(f"\n{table(runs, TOLD)}", file=sys.stderr)
        report = settings | {
            "runs": runs,
            "median": median_of(runs),
            "spread": spread_of(runs),
            "checks": held_in(runs),
        }
    print(json.dumps(report, indent=2))
    return 0 if all_held(runs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
