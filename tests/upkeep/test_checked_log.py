"""The consensus log in a check: read, never cut, and named where it is not this node's."""

from pathlib import Path

import pytest

from node.replica.journal import write_birth
from node.storage import ConsensusLog, StorageLocked, open_consensus_log
from node.storage.consensus_log import LOG_NAME
from node.upkeep import Faults, Part
from node.upkeep.checked_log import LogSeen, check_log

NETWORK = bytes(range(32))
KEY = bytes(range(32, 64))


def born(path: Path, *, name: str = "a", key: bytes = KEY, network: bytes = NETWORK) -> None:
    write_birth(open_consensus_log(path), name=name, public_key=key, network=network)


def look(path: Path, faults: Faults) -> LogSeen | None:
    return check_log(path, faults, name="a", public_key=KEY, network=NETWORK)


def test_a_log_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    faults = Faults()

    assert look(tmp_path / "log", faults) is None
    assert faults.count == 0
    assert not (tmp_path / "log").exists()


def test_a_sound_log_is_described(tmp_path: Path) -> None:
    born(tmp_path)
    faults = Faults()

    assert look(tmp_path, faults) == LogSeen(height=1, entries=1, torn_bytes=0)
    assert faults.count == 0


def test_a_torn_tail_is_left_where_it_is(tmp_path: Path) -> None:
    born(tmp_path)
    file = tmp_path / LOG_NAME
    file.write_bytes(file.read_bytes() + bytes(100))
    before = file.read_bytes()
    faults = Faults()

    assert look(tmp_path, faults) == LogSeen(height=1, entries=1, torn_bytes=100)
    assert faults.count == 0
    assert file.read_bytes() == before


def test_damage_is_named_with_its_file(tmp_path: Path) -> None:
    born(tmp_path)
    file = tmp_path / LOG_NAME
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(bytes(data))
    faults = Faults()

    assert look(tmp_path, faults) is None
    (fault,) = faults.first
    assert fault.part is Part.LOG
    assert "move the directory" in fault.advice


def test_entries_of_another_program_are_named(tmp_path: Path) -> None:
    log: ConsensusLog = open_consensus_log(tmp_path)
    log.load()
    log.reset(1)
    log.append([b"\x91\xff"])
    log.close()
    faults = Faults()

    assert look(tmp_path, faults) is None
    assert faults.first[0].expected == "readable entries"


@pytest.mark.parametrize(
    ("field", "other", "place"),
    [("name", "b", "validator"), ("key", bytes(32), "key"), ("network", bytes(32), "network")],
)
def test_the_log_of_somebody_else_is_named(
    tmp_path: Path, field: str, other: object, place: str
) -> None:
    born(tmp_path, **{field: other})  # type: ignore[arg-type]
    faults = Faults()

    assert look(tmp_path, faults) is not None
    (fault,) = faults.first
    assert place in fault.place


def test_a_running_validators_log_is_not_read(tmp_path: Path) -> None:
    born(tmp_path)
    log = open_consensus_log(tmp_path)
    with pytest.raises(StorageLocked):
        look(tmp_path, Faults())
    log.close()
