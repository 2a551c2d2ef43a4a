"""Token buckets refuse at once and say when to come back."""

import math

import pytest

from node.clock import ManualClock
from node.rpc.errors import Limited
from node.rpc.limits import OWED_S_MAX, RateLimiter, TokenBucket, caller


def make_limiter(clock: ManualClock, **overrides: int) -> RateLimiter:
    figures = {"per_second": 10, "burst": 5, "addresses_max": 1_000, **overrides}
    return RateLimiter(
        clock,
        per_second=figures["per_second"],
        burst=figures["burst"],
        addresses_max=figures["addresses_max"],
    )


def refusal(limiter: RateLimiter, address: str = "a", count: int = 1) -> int:
    with pytest.raises(Limited) as refused:
        limiter.take(address, count)
    return refused.value.retry_after_ms


def test_burst_passes_and_the_next_is_told_when_to_come_back() -> None:
    limiter = make_limiter(ManualClock())
    for _ in range(5):
        limiter.take("a")

    assert refusal(limiter) == 100


def test_caller_that_waits_as_told_passes() -> None:
    clock = ManualClock()
    limiter = make_limiter(clock)
    limiter.take("a", 5)

    clock.advance(refusal(limiter, count=3))

    limiter.take("a", 3)
    assert refusal(limiter) == 100


def test_refused_call_costs_nothing() -> None:
    clock = ManualClock()
    limiter = make_limiter(clock)
    limiter.take("a", 5)
    for _ in range(100):
        refusal(limiter)

    clock.advance(100)

    limiter.take("a")


def test_bucket_never_holds_more_than_its_burst() -> None:
    clock = ManualClock()
    limiter = make_limiter(clock)
    clock.advance(3_600_000)

    limiter.take("a", 5)

    refusal(limiter)


def test_one_call_larger_than_the_burst_passes_when_full_and_leaves_a_debt() -> None:
    limiter = make_limiter(ManualClock())

    limiter.take("a", 25)

    assert refusal(limiter) == 2_100


def test_callers_are_counted_apart() -> None:
    limiter = make_limiter(ManualClock())
    limiter.take("a", 5)

    limiter.take("b", 5)

    refusal(limiter, "a")


def test_callers_remembered_are_bounded() -> None:
    limiter = make_limiter(ManualClock(), addresses_max=3)

    for index in range(100):
        limiter.take(f"a{index}", 5)

    assert len(limiter._buckets) == 3
    refusal(limiter, "a99")


def test_limiter_without_a_figure_counts_nothing() -> None:
    limiter = RateLimiter(ManualClock(), per_second=None, burst=1)

    limiter.take("a", 1_000_000)


def test_who_was_given_much_waits_until_it_would_have_been_allowed_as_much() -> None:
    clock = ManualClock()
    limiter = make_limiter(clock)

    limiter.take("a")
    limiter.owe("a", 7)

    assert refusal(limiter) == 400  # three owed, and one to take
    limiter.take("b", 5)
    clock.advance(400)
    limiter.take("a")
    assert refusal(limiter) == 100


def test_debt_is_of_one_burst_at_most() -> None:
    clock = ManualClock()
    limiter = make_limiter(clock)
    for _ in range(100):
        limiter.owe("a", 1_000)

    assert refusal(limiter) == 600
    clock.advance(3_600_000)
    limiter.take("a", 5)


@pytest.mark.parametrize("per_second", [1, 500, 250_000])
def test_a_debt_shuts_nobody_out_for_longer_than_some_seconds(per_second: int) -> None:
    """A key of one call a second has five hundred times less of the processor than an address."""
    clock = ManualClock()
    limiter = RateLimiter(clock, per_second=250_000, burst=2_000_000)
    for _ in range(3):
        limiter.owe("key a", 5_000_000, per_second=per_second)

    with pytest.raises(Limited) as refused:
        limiter.take("key a", per_second=per_second)

    to_come = math.ceil(1_000 / per_second)  # And one to take.
    assert 0 <= refused.value.retry_after_ms - OWED_S_MAX * 1_000 - to_come <= 1
    clock.advance(refused.value.retry_after_ms)
    limiter.take("key a", per_second=per_second)


def test_a_debt_is_not_forgiven_by_another() -> None:
    bucket = TokenBucket(per_second=1, burst=20, now=0.0)
    assert bucket.take(60, 0.0) == 0  # The whole bucket at once, and 40 more than it has.

    bucket.owe(5, 0.0)

    assert bucket.take(1, 0.0) == 41_000


def test_what_took_nothing_owes_nothing() -> None:
    limiter = make_limiter(ManualClock())

    limiter.owe("a", 0)
    RateLimiter(ManualClock(), per_second=None, burst=1).owe("a", 1_000_000)

    assert not limiter._buckets


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", ""),
    ],
)
def test_caller_is_counted_by_what_it_owns(remote: str | None, name: str) -> None:
    assert caller(remote) == name
