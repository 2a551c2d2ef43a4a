"""What an operator reads of consensus: a line for each height, and when nothing is decided."""

import io

from consensus.types import Height, Step
from node.clock import ManualClock
from node.log import open_log
from node.mempool import Mempool
from node.metrics import Metrics
from node.replica.report import ROUNDS_UNTOLD, Reporter
from tests.replica.builders import make_validators


def test_rounds_are_told_at_info_only_where_nothing_is_decided_for_long() -> None:
    stream, clock = io.StringIO(), ManualClock()
    metrics = Metrics()
    reporter = Reporter(
        metrics=metrics,
        log=open_log(stream, now_ms=clock.now_ms, level="info"),
        mempool=Mempool(clock),
    )

    for height in (1, 2):
        for round_ in range(ROUNDS_UNTOLD):
            assert reporter.moved(Height(height), round_, Step.PROPOSE)
    assert stream.getvalue() == ""

    for round_ in range(ROUNDS_UNTOLD, 40):
        reporter.moved(Height(2), round_, Step.PROPOSE)
        reporter.moved(Height(2), round_, Step.PREVOTE)
    lines = stream.getvalue().splitlines()
    assert [line.rpartition("round=")[2] for line in lines] == ["4", "8", "16", "32"]
    assert all("warning" in line and "nothing is decided yet height=2" in line for line in lines)
    assert metrics.value("khazana_rounds_skipped_total") == 3 + 39


def test_what_a_validator_does_wrong_is_counted_from_zero_on() -> None:
    """Prometheus sees no increase in a counter that first appears at 1."""
    clock, metrics = ManualClock(), Metrics()
    reporter = Reporter(
        metrics=metrics,
        log=open_log(io.StringIO(), now_ms=clock.now_ms, level="info"),
        mempool=Mempool(clock),
    )
    validators = make_validators()

    reporter.keep(validators)
    reporter.missed(next(iter(validators)).id)
    reporter.keep(validators)

    for counter in ("khazana_equivocations_total", "khazana_proposals_missed_total"):
        told = [
            metrics.registry.get_sample_value(counter, {"validator": each.id})
            for each in validators
        ]
        assert told == [float("missed" in counter), 0, 0, 0]
