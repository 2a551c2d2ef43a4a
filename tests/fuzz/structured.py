"""Seeded cases without an engine: good inputs, spoiled, as many as one likes; same seed, same."""

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.harness import Finding, Target, examine
from tests.fuzz.mutation import alter

FINDINGS_MAX = 20
"""Of one target in one run: what comes after them is mostly the same again."""
SLOW_S = 5.0
"""An input that costs this much of a processor is a finding as well."""


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run of one target did."""

    target: str
    executions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Path] = field(default_factory=list)


def run(target: Target, *, cases: int, seconds: float | None, seed: int, findings: Path) -> Run:
    """Try so many cases, or as many as the time allows; keep what does not hold in a folder."""
    random = Random(seed)
    done = Run(target=target.name)
    seeds = target.seeds()
    known: set[str] = set()
    stop_at = None if seconds is None else time.monotonic() + seconds
    warnings.simplefilter("error")  # As in the suite: a warning is a finding.
    with target.opened() as read:
        while done.executions < cases and len(done.findings) < FINDINGS_MAX:
            if stop_at is not None and time.monotonic() >= stop_at:
                break
            data = alter(random, random.choice(seeds), target.form)[: target.size_max]
            done.executions += 1
            began = time.process_time()
            try:
                done.outcomes[examine(target, read, data)] += 1
                if time.process_time() - began > SLOW_S:
                    raise Finding(target.name, data, "slow")
            except Finding as finding:
                sort = _sort_of(finding)
                if sort not in known:
                    known.add(sort)
                    done.findings.append(_keep(finding, findings, len(done.findings)))
    return done


def _sort_of(finding: Finding) -> str:
    """Return what two findings of one cause have in common: where the exception came from."""
    trace = finding.__cause__.__traceback__ if finding.__cause__ is not None else None
    place = "nowhere"
    while trace is not None:
        code = trace.tb_frame.f_code
        if "/node/" in code.co_filename or "/consensus/" in code.co_filename:
            place = f"{code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(finding.__cause__).__name__} {place}"


def _keep(finding: Finding, folder: Path, number: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"structured-{number}"
    path.write_bytes(finding.data)
    path.with_suffix(".txt").write_text(f"{finding}\n{_sort_of(finding)}\n")
    return path
