"""The cadence: by demand, gathered under load, a heartbeat when idle, nothing else."""

import pytest

from node.replica.pace import QUIET_S, Pace


def make_pace(*, idle_ms: int = 0) -> Pace:
    return Pace(gather_ms=50, heartbeat_ms=5_000, now_s=100.0, idle_ms=idle_ms)


def test_an_idle_chain_begins_no_height_before_the_heartbeat() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False)

    assert pace.start_delay_s(101.0, waiting=False, called=False) == pytest.approx(5.0)
    assert pace.start_delay_s(105.5, waiting=False, called=False) == pytest.approx(0.5)
    assert pace.start_delay_s(106.0, waiting=False, called=False) == 0


def test_a_transaction_or_a_validator_begins_it_at_once() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False)

    assert pace.start_delay_s(101.0, waiting=True, called=False) == 0
    assert pace.start_delay_s(101.0, waiting=False, called=True) == 0


def test_the_heartbeat_counts_from_the_last_block_across_a_restart() -> None:
    assert make_pace(idle_ms=3_000).start_delay_s(
        100.0, waiting=False, called=False
    ) == pytest.approx(2.0)
    assert make_pace(idle_ms=10**9).start_delay_s(
        100.0 + QUIET_S, waiting=False, called=False
    ) == pytest.approx(0.0)


def test_a_block_from_a_peers_store_is_followed_by_quiet_unless_called() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=True)

    assert pace.start_delay_s(101.0, waiting=True, called=False) == pytest.approx(QUIET_S)
    assert pace.start_delay_s(101.0, waiting=True, called=True) == 0


def test_a_proposer_builds_at_once_when_idle_and_gathers_under_load() -> None:
    pace = make_pace()
    assert pace.build_delay_s(100.0) == 0

    pace.committed(101.0, synced=False)

    assert pace.build_delay_s(101.010) == pytest.approx(0.040)
    assert pace.build_delay_s(101.050) == pytest.approx(0.0)
    assert pace.build_delay_s(109.0) == 0


def test_after_a_synced_block_nothing_is_gathered() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=True)

    assert pace.build_delay_s(101.0) == 0


def test_a_beat_lets_the_heartbeat_be_due_at_once() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False)

    pace.beat(101.5)

    assert pace.start_delay_s(101.5, waiting=False, called=False) == 0
    pace.committed(101.6, synced=False)
    assert pace.start_delay_s(101.6, waiting=False, called=False) == pytest.approx(5.0)


def test_a_beat_does_not_put_off_what_is_overdue() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False)

    pace.beat(120.0)
    pace.beat(110.0)

    assert pace.start_delay_s(115.0, waiting=False, called=False) == 0
