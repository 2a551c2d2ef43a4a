"""`python -m tests.sim --seed S`: one simulation, one line an event, and the command to replay."""

import argparse
import sys

from tests.sim.harm import KINDS
from tests.sim.liars import LIES, WAYS
from tests.sim.options import Options, Result
from tests.sim.shrink import shrunk
from tests.sim.world import simulate


def main() -> int:
    """Run what the command line asks for; 1 if a rule was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validators", type=int, default=4)
    parser.add_argument("--observers", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=2.0, help="virtual, until faults end")
    parser.add_argument(
        "--faults", help=f"comma-separated: {', '.join(KINDS)}; all; none. Default: by the seed"
    )
    parser.add_argument("--liars", type=int, help="validators that lie; default: by the seed")
    parser.add_argument("--twins", type=int, default=0, help="validators that run twice at once")
    parser.add_argument(
        "--lies",
        help=f"comma-separated: {', '.join(LIES)}; one way of telling it: invalid:parent. Default:"
        " by the seed",
    )
    parser.add_argument("--steady", action="store_true", help="liars never change their stories")
    parser.add_argument("--order", choices=["lanes", "any"])
    parser.add_argument("--fault-pause", type=float, help="seconds between faults, on average")
    parser.add_argument("--client-pause", type=float, help="seconds between one client's acts")
    parser.add_argument(
        "--keep-blocks", type=int, default=0, help="half of the machines prune, and keep so many"
    )
    parser.add_argument("--version", type=int, default=1, help="of the protocol, to begin with")
    parser.add_argument("--auctions", action="store_true", help="clients want little else")
    parser.add_argument("--bad", action="store_true", help="much of what they want is bad")
    parser.add_argument("--day", type=float, default=0.0, help="seconds until days have passed")
    parser.add_argument(
        "--paid-per-block", type=int, default=0, help="holders that a payment pays in a block"
    )
    parser.add_argument("--skip", default="", help="numbers of faults to leave out: 3,7,12")
    parser.add_argument(
        "--shrink", action="store_true", help="of a run that fails, look for a smaller one"
    )
    parser.add_argument("--quiet", action="store_true", help="only what came of it")
    arguments = parser.parse_args()
    options = Options(
        seed=arguments.seed,
        validators=arguments.validators,
        observers=arguments.observers,
        minutes=arguments.minutes,
        faults=kinds_of(arguments.faults),
        liars=arguments.liars,
        twins=arguments.twins,
        lies=lies_of(arguments.lies),
        steady=arguments.steady,
        order=arguments.order,
        fault_pause_s=arguments.fault_pause,
        client_pause_s=arguments.client_pause,
        keep_blocks=arguments.keep_blocks,
        version=arguments.version,
        auctions=arguments.auctions,
        bad=arguments.bad,
        day_s=arguments.day,
        paid_per_block=arguments.paid_per_block,
        skip=tuple(int(number) for number in arguments.skip.split(",") if number),
    )
    if arguments.shrink:
        result = shrunk(options, say=lambda command: print(f"fails too: {command}", flush=True))
    else:
        result = simulate(options, None if arguments.quiet else print)
    print(summary(result))
    return 0 if result.violation is None else 1


def kinds_of(text: str | None) -> tuple[str, ...] | None:
    """Return the kinds of faults that the command line names."""
    if text is None:
        return None
    if text == "all":
        return KINDS
    if text == "none":
        return ()
    kinds = tuple(text.split(","))
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise SystemExit(f"no such fault: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    return kinds


def lies_of(text: str | None) -> tuple[str, ...] | None:
    """Return the lies that the command line names."""
    if text is None:
        return None
    lies = tuple(text.split(","))
    known = {*LIES, *(f"{lie}:{way}" for lie, ways in WAYS.items() for way in ways)}
    unknown = sorted(set(lies) - known)
    if unknown:
        raise SystemExit(
            f"no such lie: {', '.join(unknown)}; there are {', '.join(LIES)}, and as single ways"
            f" {', '.join(sorted(known.difference(LIES)))}"
        )
    return lies


def summary(result: Result) -> str:
    """Return what came of a run, in a few lines."""
    clients = result.clients
    operations = ", ".join(f"{name} {n}" for name, n in result.operations.items())
    lines = [
        f"seed {result.options.seed}: {result.heights} blocks in {result.virtual_s:.0f} virtual s,"
        f" {result.starts} starts, {result.signatures} consensus signatures, {result.steps} steps",
        f"clients: {clients.sent} sent, {clients.final} final, {clients.expired} expired,"
        f" {clients.refused} refused, {clients.retried} retries, {clients.read} reads",
        f"operations applied: {operations or 'none'}",
        f"auctions settled: {', '.join(f'{form} {n}' for form, n in result.auctions.items()) or 0}",
        f"faults: {', '.join(f'{kind} {n}' for kind, n in result.faults.items()) or 'none'}",
    ]
    if result.liars:
        told = ", ".join(f"{kind} {n}" for kind, n in result.lies.items()) or "nothing"
        lines.append(f"liars: {result.liars}, told {told}")
    lines.append(f"trace: {result.digest}")
    if result.violation is None:
        lines.append("no rule was broken")
    else:
        lines.append(f"BROKEN {result.violation.rule}: {result.violation.detail}")
    lines.append(f"replay: {result.options.command}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
