"""A private key in a file, under a passphrase: JSON, Argon2id, ChaCha20-Poly1305.

    {
      "format": "khazana-keystore/1",
      "purpose": "consensus",             what the key is for: a key has one purpose
      "public_key": "<64 hex digits>",    in clear, so that keys can be listed without a passphrase
      "kdf": {"name": "argon2id", "memory_kib": 65536, "passes": 3, "lanes": 4, "salt": "<32>"},
      "cipher": {"name": "chacha20-poly1305", "nonce": "<24>"},
      "ciphertext": "<96>",               the 32-byte seed and the authentication tag
      "checksum": "<64>"                  SHA-256 of everything above in its canonical encoding
    }

Everything but the last two fields is authenticated with the seed, so no other public key or purpose
can be put in front of it. Authentication alone could not tell a wrong passphrase from a damaged
file; the checksum can, against accidents: only a file that is whole is worth another passphrase.
What the file asks for is bounded before it is done: a hostile file costs at most 256 MiB and some
seconds. A file is never overwritten.

PKCS#8 is not used because its usual password derivation has 2,048 rounds.
"""

import hashlib
import os
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta

from node.codec import encode
from node.keys.ed25519 import SEED_SIZE, PublicKey
from node.keys.errors import (
    KeystoreDamaged,
    KeystoreError,
    KeystoreExists,
    KeystoreMissing,
    PassphraseError,
    WrongPassphrase,
    WrongPurpose,
)
from node.keys.signers import LocalSigner

FILE_SIZE_MAX: Final = 4096  # bytes; ours have about 550
PASSPHRASE_SIZE_MAX: Final = 1024  # bytes of UTF-8

Purpose = Literal["account", "consensus"]
"""An account's key moves assets, a validator's signs votes. TLS keys live in PEM files."""

_HASH: Final = "^[0-9a-f]{64}\\Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much Argon2id has to do, within the bounds of a file."""

    memory_kib: int
    """Kibibytes, at least 8 for each lane."""

    passes: int
    lanes: int


WORK_DEFAULT: Final = Work(memory_kib=1 << 16, passes=3, lanes=4)
"""RFC 9106, section 4, second recommended option: some 90 ms and 64 MiB."""


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file: every field is there, no other is."""


class _Kdf(_Strict, frozen=True):
    # Argon2 needs 8 KiB for each lane: the least memory is enough for the most lanes.
    name: Literal["argon2id"]
    memory_kib: Annotated[int, Meta(ge=64, le=1 << 18)]
    passes: Annotated[int, Meta(ge=1, le=16)]
    lanes: Annotated[int, Meta(ge=1, le=8)]
    salt: Annotated[str, Meta(pattern="^[0-9a-f]{32}\\Z")]


class _Cipher(_Strict, frozen=True):
    name: Literal["chacha20-poly1305"]
    nonce: Annotated[str, Meta(pattern="^[0-9a-f]{24}\\Z")]


class _File(_Strict, frozen=True):
    format: Literal["khazana-keystore/1"]
    purpose: Purpose
    public_key: Annotated[str, Meta(pattern=_HASH)]
    kdf: _Kdf
    cipher: _Cipher
    ciphertext: Annotated[str, Meta(pattern="^[0-9a-f]{96}\\Z")]
    checksum: Annotated[str, Meta(pattern=_HASH)]

    def header(self) -> bytes:
        """The bytes that are authenticated together with the seed."""
        return encode(
            (
                self.format,
                self.purpose,
                self.public_key,
                (
                    self.kdf.name,
                    self.kdf.memory_kib,
                    self.kdf.passes,
                    self.kdf.lanes,
                    self.kdf.salt,
                ),
                (self.cipher.name, self.cipher.nonce),
            )
        )

    def expected_checksum(self) -> str:
        return hashlib.sha256(self.header() + bytes.fromhex(self.ciphertext)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeystoreFacts:
    """What a keystore says without its passphrase; not authenticated before the key is loaded."""

    public_key: PublicKey
    purpose: Purpose


def store_key(
    path: Path, seed: bytes, passphrase: str, *, purpose: Purpose, work: Work = WORK_DEFAULT
) -> None:
    """Write a new keystore with mode 0600; it is there whole and durable, or not at all.

    Args:
        seed: the 32-byte private key.
        passphrase: not empty; compared in Unicode's normal form NFKC.

    Raises:
        KeystoreExists: there is a file of this name, whatever is in it.
        KeystoreError: the disk refuses.
    """
    assert len(seed) == SEED_SIZE
    assert passphrase
    kdf = _Kdf(
        name="argon2id",
        memory_kib=work.memory_kib,
        passes=work.passes,
        lanes=work.lanes,
        salt=secrets.token_hex(16),
    )
    blank = _File(
        format="khazana-keystore/1",
        purpose=purpose,
        public_key=LocalSigner(seed).public_key.hex(),
        kdf=kdf,
        cipher=_Cipher(name="chacha20-poly1305", nonce=secrets.token_hex(12)),
        ciphertext="",
        checksum="",
    )
    cipher = ChaCha20Poly1305(_derive(passphrase, kdf))
    sealed = cipher.encrypt(bytes.fromhex(blank.cipher.nonce), seed, blank.header())
    file = msgspec.structs.replace(blank, ciphertext=sealed.hex())
    file = msgspec.structs.replace(file, checksum=file.expected_checksum())
    _write_new(path, msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")


def load_key(path: Path, passphrase: str, *, purpose: Purpose | None = None) -> LocalSigner:
    """Open a keystore; takes as long as its `Work` says, without holding up other threads.

    Args:
        purpose: what the key must be for; None accepts any.

    Raises:
        KeystoreMissing, KeystoreDamaged, WrongPurpose, WrongPassphrase: as their names say.
    """
    file = _read(path)
    if purpose is not None and file.purpose != purpose:
        raise WrongPurpose(path, f"a key for {file.purpose} where one for {purpose} is needed")
    cipher = ChaCha20Poly1305(_derive(passphrase, file.kdf))
    try:
        seed = cipher.decrypt(
            bytes.fromhex(file.cipher.nonce), bytes.fromhex(file.ciphertext), file.header()
        )
    except InvalidTag:
        raise WrongPassphrase(path, "the passphrase is another one") from None
    signer = LocalSigner(seed)
    if signer.public_key.hex() != file.public_key:
        raise KeystoreDamaged(path, "the key inside is not the one named outside")
    return signer


def read_keystore(path: Path) -> KeystoreFacts:
    """Return what the file says of itself, without a passphrase.

    Raises:
        KeystoreMissing, KeystoreDamaged: as their names say.
    """
    file = _read(path)
    return KeystoreFacts(public_key=bytes.fromhex(file.public_key), purpose=file.purpose)


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file: its text without the line's end.

    Raises:
        PassphraseError: no such file, empty, several lines, too long, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(PASSPHRASE_SIZE_MAX + 3)
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise PassphraseError(path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise PassphraseError(path, "is not UTF-8 text") from None
    if not text:
        raise PassphraseError(path, "is empty")
    if len(text.encode()) > PASSPHRASE_SIZE_MAX:
        raise PassphraseError(path, f"holds more than {PASSPHRASE_SIZE_MAX} bytes")
    if "\n" in text:
        raise PassphraseError(path, "holds more than one line")
    return text


def _derive(passphrase: str, kdf: _Kdf) -> bytes:
    # Keyboards differ in how they compose a letter; the passphrase is the same.
    secret = unicodedata.normalize("NFKC", passphrase).encode()
    return Argon2id(
        salt=bytes.fromhex(kdf.salt),
        length=32,
        iterations=kdf.passes,
        lanes=kdf.lanes,
        memory_cost=kdf.memory_kib,
    ).derive(secret)


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as source:
            data = source.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        raise KeystoreMissing(path, error.strerror or str(error)) from None
    if len(data) > FILE_SIZE_MAX:
        raise KeystoreDamaged(path, f"more than {FILE_SIZE_MAX} bytes: not a keystore")
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise KeystoreDamaged(path, f"not a keystore of this version: {error}") from None
    if file.checksum != file.expected_checksum():
        raise KeystoreDamaged(path, "its checksum does not fit: it was altered or badly copied")
    return file


def _write_new(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            # Unlike a rename, a link never replaces a file that is there.
            os.link(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        _sync_directory(path.parent)
    except FileExistsError:
        raise KeystoreExists(path, "is there already, and a key is never overwritten") from None
    except OSError as error:
        raise KeystoreError(path, f"cannot be written: {error.strerror}") from None


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
