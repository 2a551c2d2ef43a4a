"""The queues of one peer: order, limits, and what gives way."""

import pytest

from node.network import Lane, LaneLimits, NetworkSettings
from node.network.lanes import LaneOverflow, Lanes

SMALL = LaneLimits(count_max=3, size_max=30)
SETTINGS = NetworkSettings(consensus_lane=SMALL, sync_lane=SMALL, transactions_lane=SMALL)


def drained(lanes: Lanes) -> list[tuple[Lane, bytes]]:
    taken = []
    while (item := lanes.take()) is not None:
        taken.append(item)
    return taken


def test_lanes_empty_in_order_of_urgency_and_each_in_order_of_arrival() -> None:
    lanes = Lanes(SETTINGS)
    for lane, frame in (
        (Lane.TRANSACTIONS, b"t1"),
        (Lane.SYNC, b"s1"),
        (Lane.CONSENSUS, b"c1"),
        (Lane.TRANSACTIONS, b"t2"),
        (Lane.CONSENSUS, b"c2"),
    ):
        assert lanes.put(lane, frame)

    assert lanes.size_bytes == 10
    assert [frame for _, frame in drained(lanes)] == [b"c1", b"c2", b"s1", b"t1", b"t2"]
    assert lanes.size_bytes == 0


@pytest.mark.parametrize("frames", [[b"x"] * 3, [b"x" * 15] * 2])
def test_a_full_consensus_lane_overflows_by_count_and_by_bytes(frames: list[bytes]) -> None:
    lanes = Lanes(SETTINGS)
    for frame in frames:
        lanes.put(Lane.CONSENSUS, frame)

    with pytest.raises(LaneOverflow):
        lanes.put(Lane.CONSENSUS, b"y" * 15)

    assert lanes.dropped == [1, 0, 0]
    assert lanes.waiting(Lane.CONSENSUS) == len(frames)


def test_a_full_sync_lane_refuses_the_newest() -> None:
    lanes = Lanes(SETTINGS)
    for number in range(3):
        assert lanes.put(Lane.SYNC, b"%d" % number)

    assert not lanes.put(Lane.SYNC, b"3")

    assert lanes.dropped == [0, 1, 0]
    assert [frame for _, frame in drained(lanes)] == [b"0", b"1", b"2"]


def test_a_full_transactions_lane_lets_the_oldest_go() -> None:
    lanes = Lanes(SETTINGS)
    for number in range(5):
        assert lanes.put(Lane.TRANSACTIONS, b"%d" % number)

    assert lanes.put(Lane.TRANSACTIONS, b"x" * 29)

    assert lanes.dropped == [0, 0, 4]
    assert [frame for _, frame in drained(lanes)] == [b"4", b"x" * 29]


@pytest.mark.parametrize("lane", list(Lane))
def test_an_empty_lane_takes_a_frame_of_any_size(lane: Lane) -> None:
    lanes = Lanes(SETTINGS)

    assert lanes.put(lane, b"x" * 1000)

    assert lanes.dropped == [0, 0, 0]
