"""Repair: damage a real database by hand, and get a sound one without losing anything for good."""

import asyncio
import shutil
from pathlib import Path

import pytest

from node.chain import Chain
from node.genesis import Genesis
from node.replica.journal import write_birth
from node.storage import (
    StorageLocked,
    StorageMissing,
    layout,
    open_consensus_log,
    open_leveldb,
)
from node.upkeep import Report, check_home
from node.upkeep.repairing import Done, Repaired, RepairRefused, repair
from tests.damage import damage_database
from tests.upkeep.builders import NAME, disk_town

HEAD = 12


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Genesis]:
    path = tmp_path_factory.mktemp("sound") / "chain"
    return path, asyncio.run(disk_town(path, blocks=HEAD))


class Place:
    """A copy that a test may damage."""

    def __init__(self, folder: Path, sound: tuple[Path, Genesis]) -> None:
        self.chain = folder / "chain"
        self.genesis = sound[1]
        self.log = folder / "consensus"
        shutil.copytree(sound[0], self.chain)

    def write(self, key: bytes, value: bytes | None) -> None:
        store = open_leveldb(self.chain, create=False)
        store.write([(key, value)], sync=True)
        store.close()

    def check(self) -> Report:
        return check_home(chain=self.chain, log=self.log, genesis=self.genesis, name=NAME)

    def repair(self, *, to_height: int | None = None) -> Repaired:
        return repair(self.chain, self.genesis, self.check(), to_height=to_height)

    def root(self) -> bytes:
        store = open_leveldb(self.chain, create=False)
        try:
            return Chain.open(store, self.genesis).head.state_root
        finally:
            store.close()


@pytest.fixture
def place(tmp_path: Path, sound: tuple[Path, Genesis]) -> Place:
    return Place(tmp_path, sound)


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def test_a_sound_database_is_left_alone(place: Place) -> None:
    before = files(place.chain)

    repaired = place.repair()

    assert repaired.done is Done.NOTHING
    assert files(place.chain) == before
    assert [path.name for path in place.chain.parent.iterdir()] == ["chain"]


@pytest.mark.adversarial(69)
@pytest.mark.parametrize(
    "key",
    [
        layout.node_key(b""),
        layout.Meta.HEAD.value,
        layout.state_key(b"Vcentral-bank"),
        layout.handover_key(4),
    ],
)
def test_a_damaged_state_is_built_anew_from_the_blocks(place: Place, key: bytes) -> None:
    root = place.root()
    place.write(key, None)
    damaged = files(place.chain)

    repaired = place.repair()

    assert (repaired.done, repaired.height, repaired.stopped_by) == (
        Done.REBUILT,
        HEAD,
        "block 13: it is not there" if key == layout.Meta.HEAD.value else "",
    )
    assert repaired.moved_to is not None
    assert files(repaired.moved_to) == damaged
    assert place.check().is_whole
    assert place.root() == root


def test_a_bad_block_ends_what_is_replayed_and_the_rest_is_fetched(place: Place) -> None:
    place.write(layout.block_key(8), None)

    repaired = place.repair()

    assert (repaired.done, repaired.height) == (Done.REBUILT, 7)
    assert "block 8: it is not there" in repaired.stopped_by
    assert "from height 7" in repaired.next
    assert place.check().is_whole


def test_a_certificate_that_does_not_hold_is_not_replayed(place: Place) -> None:
    store = open_leveldb(place.chain, create=False)
    other = store.get(layout.certificate_key(5))
    store.close()
    place.write(layout.certificate_key(6), other)

    assert place.repair().height == 5


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("damage", ["bits", "current", "manifest"])
def test_files_damaged_by_hand_give_what_is_good_in_them(place: Place, damage: str) -> None:
    match damage:
        case "bits":
            damage_database(place.chain)
        case "current":
            (place.chain / "CURRENT").unlink()
        case _:
            for manifest in place.chain.glob("MANIFEST-*"):
                manifest.unlink()
    damaged = files(place.chain)

    repaired = place.repair()

    assert repaired.moved_to is not None
    assert files(repaired.moved_to) == damaged
    if damage == "bits":
        # How many blocks the bits have spared depends on the file.
        assert repaired.done in (Done.REBUILT, Done.MOVED)
    else:
        assert (repaired.done, repaired.height) == (Done.REBUILT, HEAD)
    if repaired.done is Done.REBUILT:
        assert place.check().is_whole


@pytest.mark.adversarial(66)
def test_a_node_goes_back_to_an_earlier_block(place: Place) -> None:
    repaired = place.repair(to_height=6)

    assert (repaired.done, repaired.height, repaired.stopped_by) == (Done.REBUILT, 6, "")
    report = place.check()
    assert report.is_whole
    assert report.height == 6


@pytest.mark.parametrize("height", [0, 1])
def test_going_back_to_the_beginning_is_allowed(place: Place, height: int) -> None:
    assert place.repair(to_height=height).height == height
    assert place.check().is_whole


def test_a_height_that_is_not_to_be_had_changes_nothing(place: Place) -> None:
    with pytest.raises(RepairRefused, match="head is at height 12"):
        place.repair(to_height=13)
    place.write(layout.block_key(8), None)
    with pytest.raises(RepairRefused, match="good blocks end at height 7"):
        place.repair(to_height=9)
    assert [path.name for path in place.chain.parent.iterdir()] == ["chain"]


def test_where_no_block_is_good_the_peers_are_asked(place: Place) -> None:
    place.write(layout.block_key(1), None)

    repaired = place.repair()

    assert (repaired.done, repaired.height) == (Done.MOVED, 0)
    assert not place.chain.exists()
    assert repaired.moved_to == place.chain.with_name("chain.damaged-1")
    assert "copies the chain from peers" in repaired.next


def test_a_pruned_database_is_moved_aside(tmp_path: Path) -> None:
    genesis = asyncio.run(disk_town(tmp_path / "a/chain", blocks=40, keep_blocks=5))
    place = Place(tmp_path, (tmp_path / "a/chain", genesis))
    with pytest.raises(RepairRefused, match="pruned"):
        place.repair(to_height=39)
    place.write(layout.node_key(b""), None)

    repaired = place.repair()

    assert repaired.done is Done.MOVED
    assert "not here to be replayed" in repaired.stopped_by


@pytest.mark.adversarial(68)
def test_the_consensus_log_is_never_touched(place: Place) -> None:
    write_birth(
        open_consensus_log(place.log),
        name=NAME,
        public_key=bytes(32),
        network=place.genesis.hash,
    )
    before = files(place.log)
    place.write(layout.node_key(b""), None)

    assert place.repair().done is Done.REBUILT

    assert files(place.log) == before


def test_damage_of_the_log_alone_is_not_for_a_repair(place: Place) -> None:
    place.log.mkdir()
    (place.log / "consensus.log").write_bytes(b"no log")

    assert not place.check().is_whole
    assert place.repair().done is Done.NOTHING


def test_every_old_database_is_kept(place: Place) -> None:
    for number in (1, 2, 3):
        place.write(layout.node_key(b""), None)
        assert place.repair().moved_to == place.chain.with_name(f"chain.damaged-{number}")


@pytest.mark.adversarial(65)
def test_a_repair_that_was_killed_goes_on(place: Place) -> None:
    """Killed while it replayed: begun anew. Killed between the two renames: finished."""
    root = place.root()
    rebuilding = place.chain.with_name("chain.rebuilding")
    place.write(layout.node_key(b""), None)
    rebuilding.mkdir()
    (rebuilding / "000007.ldb").write_bytes(b"half")
    assert place.repair().height == HEAD

    place.chain.rename(rebuilding)
    assert not place.chain.exists()
    with pytest.raises(StorageMissing):
        place.check()
    repaired = repair(place.chain, place.genesis, None)

    assert (repaired.done, repaired.height) == (Done.REBUILT, HEAD)
    assert place.root() == root
    with pytest.raises(StorageMissing):
        repair(place.chain.with_name("elsewhere"), place.genesis, None)


def test_a_running_node_is_not_repaired(place: Place) -> None:
    report = place.check()
    store = open_leveldb(place.chain, create=False)
    with pytest.raises(StorageLocked):
        repair(place.chain, place.genesis, report, to_height=3)
    store.close()
    assert [path.name for path in place.chain.parent.iterdir()] == ["chain"]
