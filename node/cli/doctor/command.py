"""`khazana doctor`: everything that a node stands on, looked at, with what to do."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from node.cli.doctor.findings import Finding, Verdict, failed, ok, warning, worst
from node.cli.exits import Exit
from node.cli.homes import pasteable
from node.cli.options import home_option, timeout_option
from node.cli.output import emit, json_option

MARKS: Final = {
    Verdict.OK: "ok     ",
    Verdict.WARNING: "WARNING",
    Verdict.FAILED: "FAILED ",
    Verdict.UNKNOWN: "unknown",
}


@click.command()
@home_option
@timeout_option(5)
@json_option
@click.pass_context
def command(ctx: click.Context, home: Path, timeout_s: float, *, as_json: bool) -> None:
    """Look at everything that a node stands on, and say what to do where something is amiss.

    Clock, disk, the time of a sync, ports, permissions, certificate and keys, database, genesis,
    version, peers, and the index and the stream of a node that has them. Of a running node it asks
    what the node knows; of a stopped one it opens the database and calls the peers itself. Nothing
    is changed. --timeout is for the peers.

    Exit code 1 when a check failed; warnings leave it at 0.

    \b
    Example:
      khazana doctor --home central-bank
    """
    findings = examine(home, timeout_s)
    verdict = worst(findings)
    emit(
        {
            "home": str(home),
            "verdict": verdict.value,
            "findings": [
                {
                    "check": each.check,
                    "verdict": each.verdict.value,
                    "found": each.found,
                    "expected": each.expected,
                    "advice": each.advice or None,
                }
                for each in findings
            ],
        },
        text_of(findings),
        as_json=as_json,
    )
    if verdict is Verdict.FAILED:
        ctx.exit(Exit.REFUSED)


def examine(home: Path, timeout_s: float) -> tuple[Finding, ...]:
    """Return everything that was found, in the order in which one mends it."""
    return tuple(
        replace(each, advice=pasteable(each.advice, home)) for each in _examine(home, timeout_s)
    )


def _examine(home: Path, timeout_s: float) -> Iterator[Finding]:
    from node.cli.doctor.files import (
        certificate_findings,
        listener_findings,
        permission_findings,
        voting_findings,
    )
    from node.cli.doctor.index import index_findings
    from node.cli.doctor.kernel import read_kernel_clock
    from node.cli.doctor.machine import clock_findings, disk_findings, port_findings
    from node.cli.doctor.network import (
        genesis_finding,
        peer_findings,
        quorum_finding,
        ready_finding,
        version_findings,
    )
    from node.cli.doctor.seeing import look
    from node.cli.doctor.stream import stream_findings
    from node.cli.upkeep import load_home
    from node.clock import SystemClock
    from node.config import ConfigError
    from node.genesis import AmendmentError, GenesisError

    kernel = read_kernel_clock()
    try:
        place = load_home(home)
    except (AmendmentError, ConfigError, GenesisError) as error:
        yield failed(
            "config",
            str(error),
            "a configuration and a genesis without a fault",
            "Each line says what to write. The rest can be looked at once it is mended.",
        )
        yield from clock_findings(kernel, None)
        return
    config = place.config
    yield ok("config", f"node {config.name} of network {place.genesis.name}", "no fault")
    seen = asyncio.run(look(place, timeout_s))
    if not seen.running:
        yield warning(
            "running",
            "the node is stopped",
            "running",
            f"`khazana start --home {home}`, or its service, starts it; its log says why it ended.",
        )
    yield from clock_findings(kernel, seen.outlook)
    yield from disk_findings(config.data_dir)
    yield from permission_findings(config)
    now_ms = SystemClock().now_ms()
    yield from certificate_findings(config, seen.validators, now_ms)
    yield from listener_findings(config, now_ms)
    yield from voting_findings(place, seen.validators)
    yield from port_findings(config, running=seen.running, answers=seen.answers)
    yield from seen.findings
    yield genesis_finding(place, seen.outlook)
    height = None if seen.outlook is None else seen.outlook.height
    yield from index_findings(place, height)
    yield from stream_findings(place, height)
    yield from version_findings(seen.outlook, seen.software)
    if seen.peers is not None:
        yield from peer_findings(place, seen.peers, seen.software)
        yield quorum_finding(place, [each.name for each in seen.validators], seen.peers)
    if seen.outlook is not None:
        yield ready_finding(seen.outlook)


def text_of(findings: Sequence[Finding]) -> str:
    """Return what a person reads."""
    width = max(len(finding.check) for finding in findings)
    lines = []
    for each in findings:
        lines.append(
            f"{MARKS[each.verdict]}  {each.check.ljust(width)}  {_hung(each.found, width)}"
        )
        if each.verdict is not Verdict.OK:
            lines.append(f"{'':{len(MARKS[each.verdict]) + width + 4}}expected: {each.expected}")
        if each.advice:
            lines.append(
                f"{'':{len(MARKS[each.verdict]) + width + 4}}do: {_hung(each.advice, width)}"
            )
    counts = [
        f"{sum(each.verdict is verdict for each in findings)} {word}"
        for verdict, word in (
            (Verdict.FAILED, "failed"),
            (Verdict.WARNING, "to be looked at"),
            (Verdict.UNKNOWN, "unknown"),
            (Verdict.OK, "well"),
        )
    ]
    return "\n".join([*lines, "", ", ".join(counts)])


def _hung(text: str, width: int) -> str:
    """Let the second line of a text begin below the first."""
    return ("\n" + " " * (width + 11)).join(text.splitlines())
