"""Clocks: the machine's, and the one that moves when it is told to."""

import pytest

from node.clock import Clock, ManualClock, SystemClock, TravellingClock


def test_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(now_ms=1_000)

    assert (clock.now_ms(), clock.monotonic()) == (1_000, 0.0)
    clock.advance(1_500)
    assert (clock.now_ms(), clock.monotonic()) == (2_500, 1.5)
    clock.advance(0)
    assert (clock.now_ms(), clock.monotonic()) == (2_500, 1.5)


def test_manual_clock_does_not_go_back() -> None:
    with pytest.raises(AssertionError):
        ManualClock().advance(-1)


def test_travelling_clock_sets_the_date_ahead_and_leaves_durations_alone() -> None:
    behind = ManualClock(now_ms=1_000)
    clock = TravellingClock(behind, travelled_ms=500)

    assert (clock.now_ms(), clock.monotonic(), clock.cpu_s()) == (1_500, 0.0, 0.0)
    clock.travel(86_400_000)
    behind.advance(250)
    assert (clock.now_ms(), clock.monotonic()) == (86_401_250, 0.25)
    assert clock.travelled_ms == 86_400_000


def test_travelling_clock_does_not_go_back() -> None:
    clock = TravellingClock(ManualClock(), travelled_ms=500)

    with pytest.raises(AssertionError):
        clock.travel(499)


def test_system_clock_counts_milliseconds_since_1970() -> None:
    clock: Clock = SystemClock()

    first, second = clock.monotonic(), clock.monotonic()

    assert second >= first
    # Between the years 2020 and 2100: neither seconds nor nanoseconds.
    assert 1_577_836_800_000 < clock.now_ms() < 4_102_444_800_000
