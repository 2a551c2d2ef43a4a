"""A backup holds what a node needs and no more; what is not exactly that is never put back."""

import asyncio
import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.chain import Chain
from node.chain.head import HandoverRecord
from node.codec import decode, encode, replace
from node.genesis import Genesis, genesis_of
from node.ledger.tables import PARTICIPANTS, name_key
from node.proofs import render_proof, verify_proof_file
from node.snapshots import Installation, Leaves, source
from node.storage import KeyValueStore, layout, open_leveldb
from node.upkeep import BackupError, Report, back_up_stopped, check_home, restore, restoring
from node.upkeep.backup_file import (
    MAGIC,
    About,
    BackupReader,
    Kind,
    StoredBlock,
    frame,
)
from tests.chain.stores import contents
from tests.chain.town import make_record, make_town
from tests.upkeep.builders import RECORD, disk_town, lived_in

HEAD = 12


class Town:
    """A database on disk, and a backup of it with blocks and one without."""

    def __init__(self, folder: Path, **options: int) -> None:
        self.chain = folder / "chain"
        self.genesis = asyncio.run(disk_town(self.chain, **options))
        self.whole = folder / "whole"
        self.state = folder / "state"
        for file, blocks in ((self.whole, True), (self.state, False)):
            back_up_stopped(self.chain, self.genesis, file, blocks=blocks, software="test")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with pytest.MonkeyPatch.context() as patch:
        # Small parts, so that there are many.
        patch.setattr(source, "CHUNK_RECORDS_MAX", 16)
        patch.setattr(source, "PAGE_SIZE_TARGET", 2_000)
        yield Town(tmp_path_factory.mktemp("town"), blocks=HEAD)


def check(chain: Path, genesis: Genesis) -> Report:
    return check_home(chain=chain, log=chain.with_name("log"), genesis=genesis, name="a")


def stored(chain: Path) -> dict[bytes, bytes]:
    store: KeyValueStore = open_leveldb(chain, create=False)
    try:
        return contents(store)
    finally:
        store.close()


def frames(file: Path) -> list[tuple[Kind, bytes]]:
    with file.open("rb") as data:
        reader = BackupReader(data)
        return [(Kind.ABOUT, encode(reader.check())), *reader.frames()]


def written(file: Path, parts: list[tuple[Kind, bytes]]) -> Path:
    """A file of these frames whose checksum fits."""
    data = MAGIC + b"".join(frame(kind, payload) for kind, payload in parts)
    file.write_bytes(data + frame(Kind.END, hashlib.sha256(data).digest()))
    return file


def test_a_backup_with_blocks_gives_the_database_back(town: Town, tmp_path: Path) -> None:
    restored = restore(town.whole, tmp_path / "chain", town.genesis)

    assert (restored.about.height, restored.blocks) == (HEAD, HEAD)
    assert restored.chunks > 10
    report = check(tmp_path / "chain", town.genesis)
    assert report.faults == ()
    assert (report.from_height, report.good_to) == (1, HEAD)
    before, after = stored(town.chain), stored(tmp_path / "chain")
    assert {key: value for key, value in after.items() if key[:1] != b"M"} == {
        key: value for key, value in before.items() if key[:1] != b"M"
    }


@pytest.mark.adversarial(56)
async def test_a_backup_without_blocks_is_a_chain_that_goes_on(town: Town, tmp_path: Path) -> None:
    restored = restore(town.state, tmp_path / "chain", town.genesis)

    assert restored.blocks == 0
    report = check(tmp_path / "chain", town.genesis)
    assert report.faults == ()
    assert (report.from_height, report.height) == (HEAD + 1, HEAD)
    assert any("begins at height 12" in note for note in report.notes)
    store = open_leveldb(tmp_path / "chain", create=False)
    again = make_town(store, record=RECORD)
    again.generations["crypto-council"] = 1
    assert again.chain.validators_at(3) != again.chain.validators_at(4)
    recent = [key[1:] for key in stored(town.chain) if key[:1] == b"T"]
    assert recent
    # Ids of the last window are known, so nothing of it is applied again.
    assert sum(map(again.chain.seen, recent)) > 4
    await again.decide(again.transfer("a3", "a4", 5))
    proof = again.chain.prove(PARTICIPANTS, name_key("central-bank"))
    verify_proof_file(render_proof(proof), town.genesis)
    store.close()
    assert check(tmp_path / "chain", town.genesis).faults == ()


def test_a_backup_holds_no_key_and_no_log(town: Town) -> None:
    kinds = {kind for kind, _ in frames(town.whole)}

    assert kinds == set(Kind) - {Kind.END, Kind.AMENDMENT}
    assert town.whole.stat().st_mode & 0o777 == 0o600
    with town.whole.open("rb") as file:
        about = BackupReader(file).check()
    assert about.network == town.genesis.hash
    assert about.blocks_from == 1


def test_a_backup_of_a_pruned_node_holds_what_is_kept(tmp_path: Path) -> None:
    town = Town(tmp_path / "a", blocks=40, keep_blocks=5)

    restored = restore(town.whole, tmp_path / "chain", town.genesis)

    assert restored.about.blocks_from is not None
    assert restored.about.blocks_from > 1
    report = check(tmp_path / "chain", town.genesis)
    assert report.faults == ()
    assert report.from_height == restored.about.blocks_from
    # What was restored can be backed up again.
    back_up_stopped(tmp_path / "chain", town.genesis, tmp_path / "b", blocks=True, software="test")
    assert [kind for kind, _ in frames(tmp_path / "b")] == [kind for kind, _ in frames(town.whole)]


def test_nothing_is_overwritten(town: Town, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="is there already"):
        back_up_stopped(town.chain, town.genesis, town.whole, blocks=True, software="test")
    with pytest.raises(BackupError, match="cannot be written"):
        back_up_stopped(town.chain, town.genesis, tmp_path / "no/b", blocks=True, software="")
    before = stored(town.chain)
    with pytest.raises(BackupError, match="holds a chain"):
        restore(town.whole, town.chain, town.genesis)
    assert stored(town.chain) == before
    file = tmp_path / "a file"
    file.write_text("of somebody")
    with pytest.raises(BackupError, match="is a file, expected a directory"):
        restore(town.whole, file, town.genesis)
    assert file.read_text() == "of somebody"


def test_there_is_nothing_to_back_up_before_the_first_block(tmp_path: Path) -> None:
    store = open_leveldb(tmp_path / "chain", create=True)
    genesis = make_town(store).genesis
    store.close()
    with pytest.raises(BackupError, match="no block yet"):
        back_up_stopped(tmp_path / "chain", genesis, tmp_path / "b", blocks=True, software="")
    assert not list(tmp_path.glob("b*"))


def test_the_backup_of_another_network_is_refused(town: Town, tmp_path: Path) -> None:
    other = genesis_of(make_record(window_ms=20_000))

    with pytest.raises(BackupError, match="is of the network with genesis") as refused:
        restore(town.whole, tmp_path / "chain", other)
    assert other.hash.hex() in str(refused.value)
    # Nor with its first frame forged.
    (kind, about), *rest = frames(town.whole)
    forged = encode(replace(decode(about, About), network=other.hash))
    with pytest.raises(BackupError, match="does not hold"):
        restore(written(tmp_path / "f", [(kind, forged), *rest]), tmp_path / "chain", other)
    assert not (tmp_path / "chain").exists()
    assert not (tmp_path / "chain.restoring").exists()


def test_a_cut_file_is_refused_wherever_it_is_cut(town: Town, tmp_path: Path) -> None:
    data = town.state.read_bytes()
    file = tmp_path / "cut"
    for size in (0, 5, len(MAGIC), len(MAGIC) + 3, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:size])
        with pytest.raises(BackupError):
            restore(file, tmp_path / "chain", town.genesis)
    file.write_bytes(data + b"x")
    with pytest.raises(BackupError, match="more behind"):
        restore(file, tmp_path / "chain", town.genesis)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut"]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_altered_byte_is_put_back(town: Town, data: st.DataObject) -> None:
    content = bytearray(town.state.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BackupError):
        BackupReader(io.BytesIO(bytes(content))).check()


Parts = list[tuple[Kind, bytes]]


def without(kind: Kind, which: int = 0) -> Callable[[Parts], Parts]:
    def change(parts: Parts) -> Parts:
        places = [place for place, part in enumerate(parts) if part[0] is kind]
        return [part for place, part in enumerate(parts) if place != places[which]]

    return change


def swapped(kind: Kind) -> Callable[[Parts], Parts]:
    def change(parts: Parts) -> Parts:
        one, other = [place for place, part in enumerate(parts) if part[0] is kind][1:3]
        parts[one], parts[other] = parts[other], parts[one]
        return parts

    return change


def of_all(kind: Kind, alter: Callable[[bytes], bytes], which: int = 0) -> Callable[[Parts], Parts]:
    def change(parts: Parts) -> Parts:
        places = [place for place, part in enumerate(parts) if part[0] is kind]
        parts[places[which]] = (kind, alter(parts[places[which]][1]))
        return parts

    return change


def another_value(payload: bytes) -> bytes:
    size = payload[0]
    chunk = decode(payload[1 + size :], Leaves)
    values = (chunk.values[0][:-1] + bytes((chunk.values[0][-1] ^ 1,)), *chunk.values[1:])
    return payload[: 1 + size] + encode(replace(chunk, values=values))


def other_receipts(payload: bytes) -> bytes:
    block = decode(payload, StoredBlock)
    return encode(replace(block, receipts=block.receipts[:-1] + b"\x91"))


def blocks_from_two(payload: bytes) -> bytes:
    return encode(replace(decode(payload, About), blocks_from=2))


def a_root_of_its_own(payload: bytes) -> bytes:
    return encode(replace(decode(payload, About), state_root=bytes(32)))


@pytest.mark.adversarial(53)
@pytest.mark.parametrize(
    "change",
    [
        without(Kind.POINT),
        without(Kind.HANDOVER),
        without(Kind.HANDOVER, 1),
        without(Kind.CHUNK),
        without(Kind.CHUNK, -1),
        without(Kind.IDS),
        without(Kind.IDS, -1),
        without(Kind.BLOCK),
        without(Kind.BLOCK, -1),
        swapped(Kind.CHUNK),
        swapped(Kind.IDS),
        swapped(Kind.BLOCK),
        lambda parts: [parts[0], *reversed(parts[1:])],
        lambda parts: [*parts, parts[0]],
        lambda parts: [*parts, parts[1]],
        of_all(Kind.CHUNK, another_value, -1),
        of_all(Kind.CHUNK, lambda _: b""),
        of_all(Kind.CHUNK, lambda payload: payload[:-1]),
        of_all(Kind.POINT, lambda _: b"\x90"),
        of_all(Kind.HANDOVER, lambda _: b"\x90"),
        of_all(Kind.IDS, lambda _: b"\x90"),
        of_all(Kind.BLOCK, lambda _: b"\x90"),
        of_all(Kind.BLOCK, other_receipts, 5),
        of_all(Kind.ABOUT, blocks_from_two),
        of_all(Kind.ABOUT, a_root_of_its_own),
    ],
)
def test_a_forged_file_is_refused_and_leaves_nothing(
    town: Town, tmp_path: Path, change: Callable[[Parts], Parts]
) -> None:
    """Each with a checksum that fits: whoever made the file meant it."""
    forged = written(tmp_path / "forged", change(frames(town.whole)))

    with pytest.raises(BackupError) as refused:
        restore(forged, tmp_path / "chain", town.genesis)

    assert str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["forged"]


@pytest.mark.adversarial(53)
def test_a_file_mixed_of_two_backups_is_refused(town: Town, tmp_path: Path) -> None:
    """Chunks of one height under the header of another, both true."""
    store = open_leveldb(tmp_path / "later", create=True)
    later = asyncio.run(lived_in(store, blocks=HEAD + 3))
    store.close()
    assert later.genesis.hash == town.genesis.hash
    other = tmp_path / "other"
    back_up_stopped(tmp_path / "later", town.genesis, other, blocks=True, software="test")
    ours, theirs = frames(town.whole), frames(other)

    for kind in (Kind.CHUNK, Kind.IDS, Kind.BLOCK):
        mixed = [part for part in ours if part[0] < kind]
        mixed += [part for part in theirs if part[0] is kind]
        mixed += [part for part in ours if part[0] > kind]
        with pytest.raises(BackupError):
            restore(written(tmp_path / "mixed", mixed), tmp_path / "chain", town.genesis)
        (tmp_path / "mixed").unlink()
    assert not (tmp_path / "chain").exists()


@pytest.mark.adversarial(65)
def test_a_restore_that_was_killed_is_begun_anew(town: Town, tmp_path: Path) -> None:
    """Killed at any part; what it leaves is in nobody's way."""
    chain = tmp_path / "chain"
    count = len(frames(town.whole))
    half_made = tmp_path / "half"
    for stop in range(1, count, 7):

        def killed(parts: int, stop: int = stop) -> None:
            if parts == stop:
                shutil.copytree(chain.with_name("chain.restoring"), half_made)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            restore(town.whole, chain, town.genesis, progress=killed)
        assert not chain.exists()
        # A process that is killed tidies nothing up.
        half_made.rename(chain.with_name("chain" + restoring.RESTORING))
    restore(town.whole, chain, town.genesis)

    assert check(chain, town.genesis).faults == ()
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]
    store = open_leveldb(chain, create=False)
    assert Chain.open(store, town.genesis).head.height == HEAD
    store.close()


def test_a_check_holds_the_point_of_a_restored_chain_to_its_certificate(
    town: Town, tmp_path: Path
) -> None:
    restore(town.state, tmp_path / "chain", town.genesis)
    store = open_leveldb(tmp_path / "chain", create=False)
    point = decode(store.get(layout.Meta.POINT.value) or b"", HandoverRecord)
    (first, *rest) = point.certificate.signatures
    forged = replace(first, signature=bytes(64))
    certificate = replace(point.certificate, signatures=(forged, *rest))
    altered = encode(replace(point, certificate=certificate))
    store.write([(layout.Meta.POINT.value, altered)], sync=True)
    store.close()

    places = [fault.place for fault in check(tmp_path / "chain", town.genesis).faults]

    assert places == ["point of joining, certificate", f"certificate {HEAD}"]


def test_a_database_that_is_being_joined_is_no_chain_yet(town: Town, tmp_path: Path) -> None:
    store = open_leveldb(tmp_path / "chain", create=True)
    Installation(store, town.genesis).begin()
    store.close()

    (fault,) = check(tmp_path / "chain", town.genesis).faults

    assert "being taken over" in fault.found
    assert "start the node" in fault.advice


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from(sorted(set(Kind) - {Kind.END})), st.binary(max_size=40)),
        max_size=5,
    ),
    place=st.integers(0, 40),
)
def test_whatever_a_file_holds_is_refused_in_a_sentence(
    town: Town, tmp_path: Path, parts: Parts, place: int
) -> None:
    """Any frames among the true ones, under a checksum that fits."""
    true = frames(town.whole)
    cut = min(place, len(true) - 1)
    forged = written(tmp_path / "any", [*true[:cut], *parts, *true[cut + 1 :]])
    if frames_are(forged, true):
        return
    with pytest.raises(BackupError) as refused:
        restore(forged, tmp_path / "chain", town.genesis)
    assert str(refused.value)
    assert not (tmp_path / "chain").exists()


def frames_are(file: Path, parts: Parts) -> bool:
    try:
        return frames(file) == parts
    except BackupError:
        return False
