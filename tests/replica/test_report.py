"""What an operator reads of consensus: a line for each height, and when nothing is decided."""

import io

from consensus.certificates import QuorumCertificate
from consensus.types import Height, Step
from node.clock import ManualClock
from node.log import open_log
from node.mempool import Mempool
from node.metrics import Metrics
from node.replica.report import LOOKED_BACK_AT, ROUNDS_UNTOLD, Reporter
from tests.replica.builders import certificate, make_validators


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

    reporter.keep(validators, 0)
    reporter.missed(next(iter(validators)).id)
    reporter.keep(validators, 0)

    for counter in ("khazana_equivocations_total", "khazana_proposals_missed_total"):
        told = [
            metrics.registry.get_sample_value(counter, {"validator": each.id})
            for each in validators
        ]
        assert told == [float("missed" in counter), 0, 0, 0]


def test_a_validator_that_was_silent_before_the_start_has_a_height_as_the_others() -> None:
    """Without one the rule that looks for silent validators has nothing to look at."""
    clock = ManualClock()
    reporter = Reporter(
        metrics=Metrics(), log=open_log(io.StringIO(), now_ms=clock.now_ms), mempool=Mempool(clock)
    )
    validators = make_validators()
    first, second, *_, silent = (each.id for each in validators)
    earliest = 880
    asked: list[int] = []

    def kept(height: int) -> QuorumCertificate | None:
        asked.append(height)
        signers = [first] if height % 2 else [first, second]
        return certificate("".join(signers), height=height) if height > earliest else None

    for head, floor in ((901, 880), (1_001, 901), (880, 880)):
        reporter.totals.signed_before.clear()
        asked.clear()
        reporter.begin(validators, head, kept)

        before = reporter.totals.signed_before
        assert set(before) == {each.id for each in validators}
        assert before[silent] == floor
        assert before[first] == head
        assert before[second] == (head - 1 if head > earliest else floor)
        assert len(asked) <= LOOKED_BACK_AT
    assert reporter.totals.signed_last == {}, "that is what was seen since the start"
