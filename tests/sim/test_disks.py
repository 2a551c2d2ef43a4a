"""What a simulated disk keeps, and what a power cut may take."""

import random

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
