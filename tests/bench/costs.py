"""What a transaction costs a node, and the network: budget by stage, bytes on the wire.

From two samples of what the nodes count about themselves, and of the processor time that the system
counts for them; what happened between the two is what the window cost.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.town import Town

STAGES: Final = (
    "verification",
    "admission",
    "gossip",
    "proposal",
    "apply",
    "commitment",
    "store",
    "serve",
)
VERIFICATION: Final = STAGES[0]
"""A signature costs more beside four validators that share caches and cores than one after the
other on an idle machine, which is what `verify_us` is: a stage of its own tells by how much."""
REST: Final = "rest"
"""What no stage counts: the event loop, TLS, HTTP and WebSocket frames, garbage collection."""

_SAMPLE: Final = re.compile(rb'^(khazana_\w+?)(?:\{\w+="(\w+)"\})? ([-+.\de]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What all validators had used and sent up to a moment, summed."""

    cpu_s: float
    stages_s: Mapping[str, float]
    sent_bytes: float
    """Of frames to peers, before WebSocket and TLS add theirs."""


async def sample(town: Town) -> Sample:
    """Take a sample now."""
    stages = dict.fromkeys(STAGES, 0.0)
    sent = 0.0
    for poster in town.posters:
        for name, label, value in read_metrics(await poster.get("/metrics")):
            if name == "khazana_stage_seconds_total":
                stages[label] += value
            elif name == "khazana_bytes_sent_total":
                sent += value
    return Sample(cpu_s=town.cpu_s(), stages_s=stages, sent_bytes=sent)


def read_metrics(text: bytes) -> list[tuple[str, str, float]]:
    """Return name, label ("" without one) and value of the samples with at most one label."""
    return [
        (name.decode(), label.decode(), float(value))
        for name, label, value in _SAMPLE.findall(text)
    ]


def costs(
    before: Sample,
    after: Sample,
    *,
    transactions: int,
    validators: int,
    size_bytes: float,
    verify_us: float,
    signers: int,
) -> dict[str, Any]:
    """Return what one transaction cost between the samples; {} when there was none.

    Args:
        size_bytes: of one transaction.
        verify_us: measured for one signature, on this machine and in this run.
        signers: of one transaction.
    """
    if transactions == 0:
        return {}
    each = 1e6 / transactions / validators
    cpu_us = (after.cpu_s - before.cpu_s) * each
    budget = {
        stage: round((after.stages_s[stage] - before.stages_s[stage]) * each, 1) for stage in STAGES
    }
    wire_bytes = (after.sent_bytes - before.sent_bytes) / transactions
    return {
        "cpu_us_per_transaction_and_node": round(cpu_us, 1),
        "cpu_us_beyond_verification": round(cpu_us - verify_us * signers, 1),
        "cpu_us_beyond_verification_as_charged": round(cpu_us - budget[VERIFICATION], 1),
        "budget_us": budget | {REST: round(cpu_us - sum(budget.values()), 1)},
        "wire_bytes_per_transaction": round(wire_bytes),
        "wire_bytes_against_size": round(wire_bytes / size_bytes, 2),
    }


def share_of_bound(
    *, validators: int, tps: float, verify_us: float, signers: int, cores: int
) -> float:
    """Return which share of all processors' time verifying signatures would take alone."""
    return round(validators * tps * signers * verify_us / 1e6 / cores, 3)


def budget_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the budgets of some runs as a table: a stage a line, microseconds, a run a column."""
    lines = [f"{'stage':<12}" + "".join(f"{row['rate_asked']:>9}/s" for row in rows)]
    for stage in (*STAGES, REST):
        cells = (row.get("budget_us", {}).get(stage) for row in rows)
        lines.append(f"{stage:<12}" + "".join(f"{_cell(cell):>11}" for cell in cells))
    totals = (row.get("cpu_us_per_transaction_and_node") for row in rows)
    lines.append(f"{'all':<12}" + "".join(f"{_cell(cell):>11}" for cell in totals))
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
