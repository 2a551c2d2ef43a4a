"""What a simulated disk keeps, and what a power cut may take."""

import random
from collections.abc import Callable

import pytest

from node.storage.memory_files import PowerCut
from tests.sim.disks import SimDisk


def test_a_cut_takes_what_was_not_synced_in_this_life_only() -> None:
    """Found by seed 584769374749: a node stopped in order and started again lost its head."""
    kept = set()
    for seed in range(20):
        disk = SimDisk(random.Random(seed), lambda: None)
        disk.plug().store.write([(b"former", b"1")], sync=False)
        disk.unplug()
        disk.plug().store.write([(b"present", b"1")], sync=False)
        disk.cut_power()
        assert disk.raw_values.get(b"former") == b"1"
        kept.add(disk.raw_values.get(b"present"))
    assert kept == {None, b"1"}


def test_nothing_is_read_by_whoever_has_lost_the_power() -> None:
    """Found by seed 716621995879: what was still to be done read a database that had lost all."""
    disk = SimDisk(random.Random(1), lambda: None)
    store = disk.plug().store
    store.write([(b"key", b"1")], sync=False)
    disk.cut_power()
    reads: list[Callable[[], object]] = [
        lambda: store.get(b"key"),
        lambda: store.scan(b"", b"\xff"),
    ]
    for read in reads:
        with pytest.raises(PowerCut):
            read()
