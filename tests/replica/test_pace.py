"""The cadence: by demand, gathered under load, a heartbeat when idle, nothing else."""

import pytest

from node.replica.pace import AGREED_TIMES, EASY_RATE, FULL_RATE, GATHERED_MAX, QUIET_S, Pace

SLOWLY_S = 1.0
"""What agreement takes where there is nothing to spare: more than any block is gathered for."""


def make_pace(
    *,
    idle_ms: int = 0,
    gather_ms: int = 50,
    timeout_ms: int = 1_000,
    transactions_max: int = 5_000,
) -> Pace:
    return Pace(
        gather_ms=gather_ms,
        heartbeat_ms=5_000,
        timeout_ms=timeout_ms,
        transactions_max=transactions_max,
        now_s=100.0,
        idle_ms=idle_ms,
    )


def under_load(pace: Pace, *, rate: float, agreed_s: float = SLOWLY_S) -> float:
    """Commit so much in a hundred blocks a second; return when the last was."""
    blocks = 1_000
    for number in range(1, blocks + 1):
        now_s = 100.0 + number / 100
        pace.at_hand(now_s - agreed_s)
        pace.committed(now_s, synced=False, count=round(rate / 100))
    return 100.0 + blocks / 100


def intervals(*, rate: float, block_s: float, each_s: float, blocks: int = 400) -> list[float]:
    """Return how far apart blocks come where agreement takes so long, and longer by what each
    transaction takes."""
    pace, now_s, found = make_pace(), 100.0, list[float]()
    waiting = 0.0
    for _ in range(blocks):
        delay_s = pace.build_delay_s(now_s, waiting=round(waiting))
        count = waiting + rate * delay_s
        agreed_s = block_s + count * each_s
        pace.at_hand(now_s + delay_s)
        now_s += delay_s + agreed_s
        pace.committed(now_s, synced=False, count=round(count))
        waiting = rate * agreed_s
        found.append(delay_s + agreed_s)
    return found


def near(seconds: float) -> object:
    """As exactly as a rate is known."""
    return pytest.approx(seconds, rel=0.02)


def test_an_idle_chain_begins_no_height_before_the_heartbeat() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False, count=1)

    assert pace.start_delay_s(101.0, waiting=False, called=False) == pytest.approx(5.0)
    assert pace.start_delay_s(105.5, waiting=False, called=False) == pytest.approx(0.5)
    assert pace.start_delay_s(106.0, waiting=False, called=False) == 0


def test_a_transaction_or_a_validator_begins_it_at_once() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False, count=1)

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
    pace.committed(101.0, synced=True, count=1)

    assert pace.start_delay_s(101.0, waiting=True, called=False) == pytest.approx(QUIET_S)
    assert pace.start_delay_s(101.0, waiting=True, called=True) == 0


def test_a_proposer_builds_at_once_when_idle_and_gathers_under_load() -> None:
    pace = make_pace()
    assert pace.build_delay_s(100.0, waiting=1) == 0

    pace.committed(101.0, synced=False, count=1)

    assert pace.build_delay_s(101.010, waiting=1) == pytest.approx(0.040)
    assert pace.build_delay_s(101.050, waiting=1) == pytest.approx(0.0)
    assert pace.build_delay_s(109.0, waiting=1) == 0


def test_after_a_synced_block_nothing_is_gathered() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=True, count=1)

    assert pace.build_delay_s(101.0, waiting=1) == 0


@pytest.mark.parametrize(
    ("rate", "interval_ms"),
    [
        (EASY_RATE / 2, 50),
        (0.99 * EASY_RATE, 50),
        (3 * EASY_RATE, 150),
        (5 * EASY_RATE, 250),
    ],
)
def test_the_faster_transactions_come_the_longer_they_are_gathered(
    rate: float, interval_ms: int
) -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=rate)

    assert pace.build_delay_s(now_s, waiting=0) == near(interval_ms / 1000)
    assert pace.build_delay_s(now_s + 0.010, waiting=0) == near(interval_ms / 1000 - 0.010)
    assert pace.build_delay_s(now_s + 0.4, waiting=0) == 0


@pytest.mark.parametrize(
    ("rate", "agreed_ms", "interval_ms"),
    [
        (2 * EASY_RATE, 10, 50),
        (2 * EASY_RATE, 30, 75),
        (2 * EASY_RATE, 50, 100),
        (FULL_RATE / 2, 10, 89),
        (FULL_RATE / 2, 40, 100),
        (FULL_RATE / 2, 80, 179),
        (FULL_RATE, 10, 357),
        (1.2 * FULL_RATE, 10, 300),
    ],
)
def test_where_blocks_are_agreed_on_quickly_they_are_gathered_for_a_part_of_that_time(
    rate: float, agreed_ms: int, interval_ms: float
) -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=rate, agreed_s=agreed_ms / 1000)

    assert pace.build_delay_s(now_s, waiting=0) == near(interval_ms / 1000)


@pytest.mark.parametrize("rate", [1_200, 2_500, 4_000, 5_000, 6_000])
@pytest.mark.parametrize(("block_ms", "each_us"), [(12, 30), (20, 60), (60, 100), (200, 40)])
def test_blocks_come_evenly_whatever_agreement_takes_for_what_they_hold(
    rate: int, block_ms: int, each_us: int
) -> None:
    """The longer is gathered the more a block holds, the longer agreement takes, the longer is
    gathered: it must come to rest, and no further than where nothing is to spare."""
    found = intervals(rate=rate, block_s=block_ms / 1000, each_s=each_us / 1e6)[-50:]

    assert max(found) < 1.02 * min(found)
    most_s = min(0.050 * rate / EASY_RATE, GATHERED_MAX / rate)
    least_s = (0.050 + block_ms / 1000) / (1 - rate * each_us / 1e6)
    assert max(found) == near(max(most_s, least_s)) or max(found) < most_s


def test_one_block_that_was_held_up_is_soon_forgotten() -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=FULL_RATE / 2, agreed_s=0.025)
    usual_s = pace.build_delay_s(now_s, waiting=0)

    for took_s in (0.200, *[0.025] * 15):
        now_s += 0.1
        pace.at_hand(now_s - took_s)
        pace.committed(now_s, synced=False, count=250)

    assert pace.build_delay_s(now_s, waiting=0) == near(usual_s)


def test_what_agreement_takes_is_counted_from_the_first_block_of_a_height() -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=FULL_RATE / 2, agreed_s=0.025)

    for _ in range(100):
        now_s += 0.1
        pace.at_hand(now_s - 0.045)
        pace.at_hand(now_s - 0.005)
        pace.committed(now_s, synced=False, count=250)

    assert pace.build_delay_s(now_s, waiting=0) == near(AGREED_TIMES * 0.045)


def test_what_waits_already_need_not_be_gathered_again() -> None:
    pace = make_pace()
    rate = 4 * EASY_RATE  # Blocks are to come 200 ms apart.
    now_s = under_load(pace, rate=rate)

    assert pace.build_delay_s(now_s, waiting=round(rate * 0.060)) == near(0.140)
    assert pace.build_delay_s(now_s, waiting=round(rate)) == pytest.approx(0.050)
    assert pace.build_delay_s(now_s + 0.060, waiting=round(rate)) == 0


def test_a_proposal_is_not_put_off_until_it_is_given_up() -> None:
    pace = make_pace(timeout_ms=300)
    now_s = under_load(pace, rate=5 * EASY_RATE)

    assert pace.build_delay_s(now_s, waiting=0) == near(0.120)


def test_it_is_gathered_eight_times_as_long_at_most() -> None:
    pace = make_pace(gather_ms=20)
    now_s = under_load(pace, rate=10 * EASY_RATE)

    assert pace.build_delay_s(now_s, waiting=0) == near(0.160)


def test_no_more_is_gathered_than_what_shares_the_cost_of_a_block_well() -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=2 * GATHERED_MAX / 0.400)
    assert pace.build_delay_s(now_s, waiting=0) == near(0.200)

    small = make_pace(transactions_max=1_000)
    now_s = under_load(small, rate=5 * EASY_RATE)
    assert small.build_delay_s(now_s, waiting=0) == near(500 / (5 * EASY_RATE))

    now_s = under_load(pace, rate=100 * EASY_RATE)
    assert pace.build_delay_s(now_s, waiting=0) == near(0.050)


def test_a_rush_is_forgotten_and_two_blocks_close_together_are_none() -> None:
    pace = make_pace()
    now_s = under_load(pace, rate=4 * EASY_RATE)
    pace.committed(now_s + 10.0, synced=False, count=1)
    assert pace.build_delay_s(now_s + 10.0, waiting=0) == pytest.approx(0.050)

    pace.committed(now_s + 10.001, synced=False, count=round(EASY_RATE / 2))
    assert pace.build_delay_s(now_s + 10.001, waiting=0) == pytest.approx(0.050)


@pytest.mark.parametrize("apart_s", [0.01, 0.1, 0.35])
def test_a_rate_is_the_same_however_far_apart_its_blocks_are(apart_s: float) -> None:
    pace, now_s = make_pace(), 100.0
    for _ in range(1_000):
        now_s += apart_s
        pace.at_hand(now_s - SLOWLY_S)
        pace.committed(now_s, synced=False, count=round(4 * EASY_RATE * apart_s))

    assert pace.build_delay_s(now_s, waiting=0) == near(0.200)


def test_blocks_from_a_peers_store_are_no_load() -> None:
    pace = make_pace()
    for number in range(100):
        pace.committed(100.0 + number / 100, synced=True, count=5_000)
    pace.committed(101.05, synced=False, count=1)

    assert pace.build_delay_s(101.05, waiting=0) == pytest.approx(0.050)


def test_a_beat_lets_the_heartbeat_be_due_at_once() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False, count=1)

    pace.beat(101.5)

    assert pace.start_delay_s(101.5, waiting=False, called=False) == 0
    pace.committed(101.6, synced=False, count=1)
    assert pace.start_delay_s(101.6, waiting=False, called=False) == pytest.approx(5.0)


def test_a_beat_does_not_put_off_what_is_overdue() -> None:
    pace = make_pace()
    pace.committed(101.0, synced=False, count=1)

    pace.beat(120.0)
    pace.beat(110.0)

    assert pace.start_delay_s(115.0, waiting=False, called=False) == 0
