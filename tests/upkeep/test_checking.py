"""A check finds each thing that can be wrong with a database, names it, and changes nothing."""

import asyncio
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consensus.types import Signature
from node.blocks import decode_block, decode_certificate, encode_block, encode_certificate
from node.chain.head import HeadRecord
from node.codec import decode, encode, replace
from node.genesis import Genesis
from node.ledger.commitment import hash_of_key, update
from node.ledger.tables import (
    ACCOUNTS,
    HOLDINGS,
    VALIDATOR_SETS,
    height_key,
    holding_key,
)
from node.storage import MemoryStore, StorageLocked, StorageMissing, layout, open_leveldb
from node.storage.nodes import StoredNodes
from node.upkeep import Part, check_home
from tests.chain.stores import contents
from tests.chain.town import BANK, CASH, Town, address_of, make_town
from tests.damage import damage_database
from tests.upkeep.builders import check, disk_town, faults_after, memory_town

HEAD = 12


@pytest.fixture(scope="module")
def sound() -> Town:
    return asyncio.run(memory_town(blocks=HEAD))


@pytest.fixture
def town(sound: Town) -> Town:
    """A copy that a test may damage."""
    store = MemoryStore()
    store.write(list(contents(sound.store).items()), sync=True)
    return Town(sound.genesis, store, sound.chain, sound.clock, sound.pool, sound.admission)


def test_a_sound_database_has_no_fault(town: Town) -> None:
    before = contents(town.store)

    report = check(town)

    assert report.faults == ()
    assert report.is_whole
    assert report.state_is_whole
    assert (report.height, report.from_height, report.good_to, report.blocks) == (
        HEAD,
        1,
        HEAD,
        HEAD,
    )
    assert report.transactions > 12
    assert report.records == sum(1 for key in before if key.startswith(b"S"))
    assert contents(town.store) == before


async def test_a_pruned_database_has_no_fault() -> None:
    town = await memory_town(blocks=40, keep_blocks=5)

    report = check(town)

    assert report.faults == ()
    assert report.from_height == town.chain.history.earliest > 1
    assert report.good_to == 40
    assert "pruned" in report.notes[0]


async def test_a_founded_database_has_no_fault() -> None:
    town = make_town()

    assert check(town).is_whole
    assert check(town).height == 0


def flip(value: bytes) -> bytes:
    return value[:-1] + bytes((value[-1] ^ 1,))


def other_signature(value: bytes) -> bytes:
    certificate = decode_certificate(value)
    (name, signature), *rest = certificate.signatures
    signatures = ((name, Signature(flip(signature))), *rest)
    return encode_certificate(dataclasses.replace(certificate, signatures=signatures))


def other_transaction_signature(value: bytes) -> bytes:
    block = decode_block(value)
    raws = (flip(block.transactions[0]), *block.transactions[1:])
    return encode_block(replace(block, transactions=raws))


def other_time(value: bytes) -> bytes:
    block = decode_block(value)
    header = replace(block.header, time_ms=block.header.time_ms + 1)
    return encode_block(replace(block, header=header))


def other_name(value: bytes) -> bytes:
    """The name of a validator as none may be."""
    return value.replace(b"central-bank", b"Central-bank")


A_RECORD = ACCOUNTS.prefix + address_of(BANK, "a3")
SET_2 = VALIDATOR_SETS.prefix + height_key(4)


@pytest.mark.adversarial(69)
@pytest.mark.parametrize(
    ("key", "change", "part", "place"),
    [
        (layout.block_key(6), None, Part.BLOCKS, "block 6"),
        (layout.block_key(6), flip, Part.BLOCKS, "block 6"),
        (layout.block_key(6), other_transaction_signature, Part.BLOCKS, "signature"),
        (layout.block_key(6), other_time, Part.BLOCKS, "certificate 6"),
        (layout.certificate_key(6), None, Part.BLOCKS, "certificate 6"),
        (layout.certificate_key(6), other_signature, Part.BLOCKS, "certificate 6"),
        (layout.certificate_key(6), lambda _: b"\xc1", Part.BLOCKS, "certificate 6"),
        (layout.receipts_key(6), None, Part.BLOCKS, "receipts 6"),
        (layout.receipts_key(6), flip, Part.BLOCKS, "receipts 6"),
        (layout.block_key(HEAD), None, Part.BLOCKS, f"block {HEAD}"),
        (layout.handover_key(4), None, Part.TRAIL, "handover to height 4"),
        (layout.handover_key(4), flip, Part.TRAIL, "handover to height 4"),
        (layout.state_key(A_RECORD), None, Part.STATE, "accounts"),
        (layout.state_key(A_RECORD), flip, Part.STATE, "accounts"),
        (layout.state_key(SET_2), None, Part.STATE, "validator sets"),
        (layout.state_key(SET_2), other_name, Part.TRAIL, "validator set from height 4"),
        (layout.hash_key(hash_of_key(A_RECORD)), None, Part.STATE, "index entry"),
        (layout.hash_key(hash_of_key(A_RECORD)), flip, Part.STATE, "index entry"),
        (layout.node_key(b""), None, Part.STATE, "branch (root)"),
        (layout.node_key(b""), flip, Part.STATE, "branch (root)"),
        (layout.Meta.HEAD.value, None, Part.DATABASE, "head"),
        (layout.Meta.HEAD.value, lambda _: b"\xc1", Part.DATABASE, "head"),
        (layout.Meta.FORMAT.value, flip, Part.DATABASE, "format version"),
        (layout.Meta.GENESIS.value, flip, Part.DATABASE, "genesis"),
    ],
)
def test_whatever_is_lost_or_altered_is_named(
    town: Town, key: bytes, change: Callable[[bytes], bytes] | None, part: Part, place: str
) -> None:
    value = town.store.get(key)
    assert value is not None

    faults = faults_after(town, [(key, None if change is None else change(value))])

    assert any(fault.part is part and place in fault.place for fault in faults), faults
    for fault in faults:
        assert fault.found
        assert fault.expected
        assert fault.found != fault.expected
        assert fault.advice


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        (layout.block_key(HEAD + 1), b"x", f"block {HEAD + 1}"),
        (layout.receipts_key(0), b"x", "receipts 0"),
        (layout.transaction_key(bytes(32)), layout.encode_place(3, 99), "index of ids"),
        (layout.transaction_key(bytes(32)), layout.encode_place(99, 0), "id 00"),
        (layout.handover_key(7), b"x", "handover"),
        (layout.state_key(b"Azz"), b"x", "records"),
        (layout.hash_key(bytes(32)), b"Azz", "index entry"),
        (layout.node_key(b"\x01\x02\x03\x04\x05"), b"x", "branch 12345"),
        (b"X", b"x", "key 58"),
        (b"Mother", b"x", "key"),
    ],
)
def test_whatever_does_not_belong_is_named(
    town: Town, key: bytes, value: bytes, place: str
) -> None:
    faults = faults_after(town, [(key, value)])

    assert any(place in fault.place for fault in faults), faults


def test_an_id_that_points_elsewhere_is_named(town: Town) -> None:
    start, stop = layout.range_of(b"T")
    key, value = next(iter(town.store.scan(start, stop)))
    height, index = layout.decode_place(value)

    for batch in ([(key, None)], [(key, layout.encode_place(height, index + 1))]):
        faults = faults_after(town, batch)
        assert any(fault.place == f"id {key[1:].hex()}" for fault in faults)
        town.store.write([(key, value)], sync=True)


def test_a_head_that_is_not_its_block_is_named(town: Town) -> None:
    data = town.store.get(layout.Meta.HEAD.value)
    assert data is not None
    head = decode(data, HeadRecord)
    for change in ({"state_root": bytes(32)}, {"time_ms": 1}, {"block_id": bytes(32)}):
        altered = encode(replace(head, **change))
        faults = faults_after(town, [(layout.Meta.HEAD.value, altered)])
        assert any(fault.place.startswith("head") for fault in faults)


def test_an_older_head_leaves_blocks_that_do_not_belong(town: Town) -> None:
    data = town.store.get(layout.Meta.HEAD.value)
    assert data is not None
    older = encode(replace(decode(data, HeadRecord), height=HEAD - 1))

    faults = faults_after(town, [(layout.Meta.HEAD.value, older)])

    assert any(fault.place == f"block {HEAD}" for fault in faults)


def test_good_blocks_are_counted_up_to_the_first_bad_one(town: Town) -> None:
    town.store.write([(layout.block_key(6), None)], sync=True)

    report = check(town)

    assert report.good_to == 5
    assert report.state_is_whole


async def test_a_state_that_breaks_a_rule_is_named_although_its_tree_is_sound() -> None:
    """The ledger's own invariants, where the hashes agree with each other."""
    town = await memory_town()
    key = HOLDINGS.prefix + holding_key(address_of(BANK, "a3"), CASH)
    record = town.chain.record(HOLDINGS, key[1:])
    assert record is not None
    value = encode(replace(record, available=record.available + 1))
    tree = update(StoredNodes(town.store), {key: value})
    head = decode(town.store.get(layout.Meta.HEAD.value) or b"", HeadRecord)
    faults = faults_after(
        town,
        [
            (layout.state_key(key), value),
            *((layout.node_key(path), branch) for path, branch in tree.nodes.items()),
            (layout.Meta.HEAD.value, encode(replace(head, state_root=tree.root))),
        ],
    )

    assert [fault.part for fault in faults] == [Part.DATABASE, Part.LEDGER]
    assert "its holdings" in faults[1].found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_changed_byte_of_any_value_escapes(town: Town, data: st.DataObject) -> None:
    """Every byte that is stored is bound by something."""
    pairs = sorted(contents(town.store).items())
    key, value = data.draw(st.sampled_from(pairs))
    index = data.draw(st.integers(0, len(value) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = value[:index] + bytes((value[index] ^ 1 << bit,)) + value[index + 1 :]
    try:
        assert faults_after(town, [(key, altered)]), key
    finally:
        town.store.write([(key, value)], sync=True)


# On a disk.


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Genesis]:
    folder = tmp_path_factory.mktemp("sound")
    return folder, asyncio.run(disk_town(folder / "chain"))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_a_check_of_a_disk_writes_nothing(home: tuple[Path, Genesis]) -> None:
    folder, genesis = home
    before = snapshot(folder / "chain")

    report = check_home(
        chain=folder / "chain", log=folder / "consensus", genesis=genesis, name="central-bank"
    )

    assert report.faults == ()
    assert snapshot(folder / "chain") == before
    assert not (folder / "consensus").exists()


def test_a_running_node_is_not_checked(home: tuple[Path, Genesis]) -> None:
    folder, genesis = home
    store = open_leveldb(folder / "chain", create=False)
    try:
        with pytest.raises(StorageLocked):
            check_home(chain=folder / "chain", log=folder / "l", genesis=genesis, name="a")
    finally:
        store.close()
    with pytest.raises(StorageMissing):
        check_home(chain=folder / "none", log=folder / "l", genesis=genesis, name="a")


@pytest.mark.adversarial(69)
@pytest.mark.parametrize("damage", ["bits", "current", "manifest", "cut"])
def test_damage_of_the_files_is_found_and_not_touched(
    home: tuple[Path, Genesis], tmp_path: Path, damage: str
) -> None:
    folder, genesis = home
    chain = tmp_path / "chain"
    shutil.copytree(folder / "chain", chain)
    match damage:
        case "bits":
            damage_database(chain)
        case "current":
            (chain / "CURRENT").unlink()
        case "manifest":
            (manifest,) = chain.glob("MANIFEST-*")
            manifest.write_bytes(manifest.read_bytes()[:-7] + bytes(7))
        case _:
            largest = max(chain.iterdir(), key=lambda path: path.stat().st_size)
            largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    before = snapshot(chain)

    report = check_home(chain=chain, log=tmp_path / "consensus", genesis=genesis, name="a")

    assert not report.is_whole
    assert snapshot(chain) == before
