"""How far others' clocks are: the least delayed reading counts, and what moves is drift."""

import pytest

from node.replica.skew import DRIFT_AFTER_S, DRIFT_WINDOW_S, READINGS_KEPT, Skew

HOUR_S = 3_600.0


def test_the_least_delayed_reading_counts() -> None:
    skew = Skew()
    delays_ms = (40, 5, 900)

    ahead = [skew.heard("bank", time_ms=1_100, now_ms=1_000 + d, now_s=0.0) for d in delays_ms]

    assert ahead == [60, 95, 95]
    assert skew.offsets()["bank"].ahead_ms == 95


def test_a_clock_that_is_set_right_is_believed_after_some_proposals() -> None:
    skew = Skew()
    skew.heard("bank", time_ms=9_000, now_ms=1_000, now_s=0.0)

    for _ in range(READINGS_KEPT):
        skew.heard("bank", time_ms=1_000, now_ms=1_000, now_s=1.0)

    assert skew.offsets()["bank"].ahead_ms == 0


def test_drift_is_told_once_it_was_watched_for_long_enough() -> None:
    """A clock that gains 360 ms an hour, for three hours; then one that was set right."""
    skew = Skew()
    found: list[float | None] = []
    for minute in range(180):
        now_s = minute * 60.0
        skew.heard("bank", time_ms=int(now_s / 10), now_ms=0, now_s=now_s)
        found.append(skew.offsets()["bank"].drift_ms_per_hour)

    watched = (READINGS_KEPT - 1) + int(DRIFT_AFTER_S / 60)
    assert set(found[:watched]) == {None}
    assert all(drift == pytest.approx(360, rel=0.05) for drift in found[watched:])
    still_s = 180 * 60.0
    for minute in range(int(2 * DRIFT_WINDOW_S / 60)):
        skew.heard("bank", time_ms=1_080, now_ms=0, now_s=still_s + minute * 60)
    assert skew.offsets()["bank"].drift_ms_per_hour == 0


def test_who_is_no_validator_any_more_is_forgotten() -> None:
    skew = Skew()
    for name in ("bank", "council"):
        skew.heard(name, time_ms=1, now_ms=1, now_s=0.0)

    skew.keep({"council"})

    assert set(skew.offsets()) == {"council"}
