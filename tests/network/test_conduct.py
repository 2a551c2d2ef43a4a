"""Budgets and penalties, as arithmetic on a given time."""

import pytest

from node.network import NetworkSettings
from node.network.conduct import Conduct, TokenBucket

SETTINGS = NetworkSettings(penalty_max=100, penalty_decay_per_s=1.0, ban_s=30.0)


def test_a_burst_is_free_and_what_is_beyond_it_must_be_waited_for() -> None:
    bucket = TokenBucket(rate_per_s=10.0, burst=20.0, now_s=0.0)

    assert bucket.take(20, 0.0) == 0.0
    assert bucket.take(5, 0.0) == pytest.approx(0.5)
    assert bucket.take(0, 0.5) == pytest.approx(0.0)


def test_tokens_come_back_up_to_the_burst_and_no_further() -> None:
    bucket = TokenBucket(rate_per_s=10.0, burst=20.0, now_s=0.0)
    bucket.take(20, 0.0)

    assert bucket.take(20, 1000.0) == 0.0
    assert bucket.take(10, 1000.0) == pytest.approx(1.0)


def test_trying_leaves_the_bucket_as_it_was_when_there_is_too_little() -> None:
    bucket = TokenBucket(rate_per_s=1.0, burst=2.0, now_s=0.0)

    assert [bucket.try_take(1, 0.0) for _ in range(4)] == [True, True, False, False]
    assert bucket.try_take(1, 1.0)


def test_a_peer_is_kept_out_once_its_offences_add_up() -> None:
    conduct = Conduct(SETTINGS)

    assert [conduct.penalise(40, 0.0) for _ in range(3)] == [False, False, True]

    assert conduct.ban_left_s(0.0) == 30.0
    assert conduct.ban_left_s(29.0) == 1.0
    assert conduct.ban_left_s(31.0) == 0.0


def test_offences_fade() -> None:
    conduct = Conduct(SETTINGS)

    for second in range(0, 1000, 50):
        assert not conduct.penalise(40, float(second))
    assert conduct.penalty(10_000.0) == 0.0


def test_a_peer_that_comes_back_from_a_ban_starts_clean() -> None:
    conduct = Conduct(SETTINGS)
    conduct.penalise(100, 0.0)

    assert not conduct.penalise(40, 31.0)
