"""The keystore: what it keeps, what it tells apart, and what it refuses to do."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import msgpack
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from node.keys import (
    KeystoreDamaged,
    KeystoreError,
    KeystoreExists,
    KeystoreMissing,
    LocalSigner,
    PassphraseError,
    WrongPassphrase,
    WrongPurpose,
)
from node.keys.keystore import (
    FILE_SIZE_MAX,
    PASSPHRASE_SIZE_MAX,
    WORK_DEFAULT,
    Work,
    load_key,
    read_keystore,
    read_passphrase,
    store_key,
)

LIGHT = Work(memory_kib=64, passes=1, lanes=1)
SEED = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A keystore with the passphrase "right"."""
    path = tmp_path / "account.json"
    store_key(path, SEED, "right", purpose="account", work=LIGHT)
    return path


def change(path: Path, *keys: str, to: Any, checksum: bool = True) -> None:
    """Put another value into the file, as somebody who knows the format would."""
    file = json.loads(path.read_text())
    part = file
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = to
    if checksum:
        data = header(file) + bytes.fromhex(file["ciphertext"])
        file["checksum"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(file))


def header(file: dict[str, Any]) -> bytes:
    fields = [
        file["format"],
        file["purpose"],
        file["public_key"],
        [file["kdf"][field] for field in ("name", "memory_kib", "passes", "lanes", "salt")],
        [file["cipher"][field] for field in ("name", "nonce")],
    ]
    return bytes(msgpack.packb(fields))


def test_key_comes_back_with_its_passphrase(path: Path) -> None:
    signer = load_key(path, "right")

    assert signer.seed == SEED
    assert signer.public_key == LocalSigner(SEED).public_key


def test_default_work_is_real_work(tmp_path: Path) -> None:
    path = tmp_path / "key.json"

    store_key(path, SEED, "right", purpose="consensus")

    kdf = json.loads(path.read_text())["kdf"]
    assert (kdf["memory_kib"], kdf["passes"], kdf["lanes"]) == (65_536, 3, 4)
    assert (WORK_DEFAULT.memory_kib, WORK_DEFAULT.passes, WORK_DEFAULT.lanes) == (65_536, 3, 4)
    assert load_key(path, "right", purpose="consensus").seed == SEED


def test_public_key_and_purpose_are_read_without_a_passphrase(path: Path) -> None:
    facts = read_keystore(path)

    assert facts.public_key == LocalSigner(SEED).public_key
    assert facts.purpose == "account"


def test_file_does_not_hold_the_secret_and_is_different_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        store_key(tmp_path / name, SEED, "right", purpose="account", work=LIGHT)
    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one", "two"))

    assert SEED.hex() not in json.dumps(one)
    for field in ("ciphertext", "checksum", "kdf", "cipher"):
        assert one[field] != two[field]


def test_file_is_for_its_owner_only(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        store_key(tmp_path / "key", SEED, "right", purpose="account", work=LIGHT)
    finally:
        os.umask(former)

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["key"]


def test_passphrase_is_the_same_however_it_is_composed(tmp_path: Path) -> None:
    """One keyboard sends é, another e and an accent."""
    store_key(tmp_path / "key", SEED, "caf\u00e9", purpose="account", work=LIGHT)

    assert load_key(tmp_path / "key", "cafe\u0301").seed == SEED


@pytest.mark.parametrize("passphrase", ["", "wrong", "Right", "right ", "right\n"])
def test_wrong_passphrase_is_called_that(path: Path, passphrase: str) -> None:
    with pytest.raises(WrongPassphrase, match="passphrase is another one") as caught:
        load_key(path, passphrase)

    assert caught.value.path == path


def test_every_changed_bit_is_called_damage(path: Path) -> None:
    """Never a wrong passphrase: the owner would try others for ever."""
    data = path.read_bytes()

    # In its place: to cut a file and write it whole again makes some disks wait for it.
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(data):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)
                with pytest.raises(KeystoreDamaged):
                    read_keystore(path)
            os.pwrite(file.fileno(), bytes([byte]), place)

    assert path.read_bytes() == data
    read_keystore(path)


def test_every_truncation_is_called_damage(path: Path) -> None:
    data = path.read_bytes().rstrip()

    for size in reversed(range(len(data))):
        os.truncate(path, size)
        with pytest.raises(KeystoreDamaged):
            load_key(path, "right")


@pytest.mark.parametrize("content", [b"[" * 4000, b"{}", b"null", b"\xff\xfe", b" " * 5000])
def test_file_that_is_no_keystore_is_called_damaged(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(KeystoreDamaged):
        load_key(path, "right")


def test_least_and_most_work_that_a_file_may_ask_for_are_possible(tmp_path: Path) -> None:
    for work in (Work(memory_kib=64, passes=1, lanes=8), Work(memory_kib=64, passes=16, lanes=1)):
        path = tmp_path / f"{work.lanes}"
        store_key(path, SEED, "right", purpose="account", work=work)
        assert load_key(path, "right").seed == SEED


def test_checksum_is_what_the_format_says(path: Path) -> None:
    before = json.loads(path.read_text())

    change(path, "purpose", to="account")

    assert json.loads(path.read_text()) == before


def test_header_cannot_be_exchanged(path: Path) -> None:
    """Even with a right checksum: the header is authenticated together with the seed."""
    change(path, "public_key", to=LocalSigner.generate().public_key.hex())

    with pytest.raises(WrongPassphrase):
        load_key(path, "right")


def test_key_that_is_not_the_one_named_outside_is_refused(path: Path) -> None:
    """Whoever knows the passphrase can make such a file; it would vote under another's name."""
    change(path, "public_key", to=LocalSigner.generate().public_key.hex())
    file = json.loads(path.read_text())
    kdf = Argon2id(
        salt=bytes.fromhex(file["kdf"]["salt"]), length=32, iterations=1, lanes=1, memory_cost=64
    )
    cipher = ChaCha20Poly1305(kdf.derive(b"right"))
    sealed = cipher.encrypt(bytes.fromhex(file["cipher"]["nonce"]), SEED, header(file))
    change(path, "ciphertext", to=sealed.hex())

    with pytest.raises(KeystoreDamaged, match="not the one named outside"):
        load_key(path, "right")


def test_purpose_cannot_be_exchanged(path: Path) -> None:
    change(path, "purpose", to="consensus")

    with pytest.raises(WrongPassphrase):
        load_key(path, "right", purpose="consensus")


def test_key_for_another_purpose_is_refused(path: Path) -> None:
    """An account's key must not come to sign votes."""
    with pytest.raises(WrongPurpose, match="a key for account where one for consensus is needed"):
        load_key(path, "right", purpose="consensus")


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("kdf", "memory_kib"), 100 << 20),
        (("kdf", "memory_kib"), (1 << 18) + 1),
        (("kdf", "memory_kib"), 2**64),
        (("kdf", "memory_kib"), -1),
        (("kdf", "memory_kib"), 63),
        (("kdf", "memory_kib"), True),
        (("kdf", "memory_kib"), 1024.0),
        (("kdf", "memory_kib"), "1024"),
        (("kdf", "passes"), 0),
        (("kdf", "passes"), 17),
        (("kdf", "passes"), 1 << 31),
        (("kdf", "lanes"), 0),
        (("kdf", "lanes"), 9),
        (("kdf", "salt"), ""),
        (("kdf", "salt"), "0" * 31 + "\n"),
        (("kdf", "name"), "argon2d"),
        (("kdf", "pepper"), "more"),
        (("cipher", "name"), "none"),
        (("cipher", "nonce"), "00"),
        (("ciphertext",), "00"),
        (("ciphertext",), "0" * 96 + "\n"),
        (("purpose",), "tls"),
        (("format",), "khazana-keystore/2"),
        (("public_key",), None),
        (("comment",), "mine"),
    ],
)
def test_hostile_file_is_refused_before_it_costs_anything(
    path: Path, keys: tuple[str, ...], value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(path, *keys, to=value, checksum=False)
    monkeypatch.setattr("node.keys.keystore.Argon2id", None)

    with pytest.raises(KeystoreDamaged, match="not a keystore of this version"):
        load_key(path, "right")


def test_missing_file_is_called_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(KeystoreMissing):
            load_key(path, "right")


def test_key_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(KeystoreExists, match="never overwritten"):
        store_key(path, bytes(32), "other", purpose="account", work=LIGHT)

    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_key_is_not_stored_where_there_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="cannot be written"):
        store_key(tmp_path / "none/key", SEED, "right", purpose="account", work=LIGHT)


def test_file_too_large_is_not_read(path: Path) -> None:
    path.write_bytes(path.read_bytes().ljust(FILE_SIZE_MAX + 1))

    with pytest.raises(KeystoreDamaged, match="more than 4096 bytes"):
        load_key(path, "right")


@pytest.mark.parametrize("content", ["secret", "secret\n", "secret\r\n"])
def test_passphrase_file_gives_its_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_bytes(content.encode())

    assert read_passphrase(tmp_path / "file") == "secret"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"one\ntwo\n", "more than one line"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * (PASSPHRASE_SIZE_MAX + 1), "more than 1024 bytes"),
        (b"x" * 10_000, "more than 1024 bytes"),
    ],
)
def test_passphrase_file_without_a_passphrase_is_refused(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(PassphraseError, match=reason):
        read_passphrase(tmp_path / "file")


def test_missing_passphrase_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="No such file") as caught:
        read_passphrase(tmp_path / "none")

    assert caught.value.path == tmp_path / "none"
