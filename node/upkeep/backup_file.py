"""A backup as a file: what it is, in one stream of frames, written and read front to back.

    magic      "khazana-backup/1\\n"
    frames     kind (1 byte), size (4 bytes, big-endian), payload
               1 about      `About`: network, height, root, what is in the file
               2 point      header and certificate of the height
               3 handover   a change of validators, ascending
               4 chunk      path length (1), path, a chunk of the state
               5 ids        header and ids of a recent block, descending
               6 block      `StoredBlock`: a block that is kept, ascending; only with blocks
               8 amendment  an amendment of the validator set that the chain went on by, ascending;
                            after the point
               7 end        SHA-256 of everything before this frame
    nothing after the end

Never in it: keys, which belong to other hands than the data, and the consensus log. A log put back
from a backup would say that nothing was signed since, and the guard against double signatures would
believe it (adversarial 68); without it the node knows that it does not know.
"""

import hashlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, BinaryIO, Final

import msgspec

from node.blocks import BLOCK_SIZE_MAX, CERTIFICATE_SIZE_MAX
from node.blocks.merkle import Hash
from node.chain.receipts import RECEIPTS_SIZE_MAX
from node.codec import CodecError, Record, decode
from node.ledger.units import Milliseconds

MAGIC: Final = b"khazana-backup/1\n"
HEADER_SIZE: Final = 5
FRAME_SIZE_MAX: Final = BLOCK_SIZE_MAX + CERTIFICATE_SIZE_MAX + RECEIPTS_SIZE_MAX + (1 << 10)

_Height = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


class BackupError(Exception):
    """A file that is no backup, damaged, cut, or of another network; or a place it cannot go to.

    Attributes:
        detail: what was found and what was expected.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Kind(IntEnum):
    """Kinds of frames; permanent."""

    ABOUT = 1
    POINT = 2
    HANDOVER = 3
    CHUNK = 4
    IDS = 5
    BLOCK = 6
    END = 7
    AMENDMENT = 8


class About(Record):
    """What a backup is of: the first frame."""

    network: Hash
    """Hash of the genesis."""
    height: _Height
    block_id: Hash
    time_ms: Milliseconds
    state_root: Hash
    blocks_from: _Height | None
    """The first block in the file; None: there are none."""
    software: Annotated[str, msgspec.Meta(max_length=64)]


class StoredBlock(Record):
    """A block as a node keeps it."""

    block: Annotated[bytes, msgspec.Meta(max_length=BLOCK_SIZE_MAX)]
    certificate: Annotated[bytes, msgspec.Meta(max_length=CERTIFICATE_SIZE_MAX)]
    receipts: Annotated[bytes, msgspec.Meta(max_length=RECEIPTS_SIZE_MAX)]


def frame(kind: Kind, payload: bytes) -> bytes:
    """Return a frame."""
    assert len(payload) <= FRAME_SIZE_MAX
    return bytes((kind,)) + len(payload).to_bytes(4) + payload


class BackupReader:
    """Reads one file from its beginning; `check` first, then `frames`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def check(self) -> About:
        """Read the whole file once: every frame is there, and the hash at the end is theirs.

        Raises:
            BackupError: it is no backup, or not whole.
        """
        self._file.seek(0)
        digest = hashlib.sha256()
        if self._file.read(len(MAGIC)) != MAGIC:
            raise BackupError("this is no backup of this format (khazana-backup/1)")
        digest.update(MAGIC)
        about: About | None = None
        while True:
            kind, payload = self._frame()
            if kind is Kind.END:
                break
            if (kind is Kind.ABOUT) != (about is None):
                raise BackupError("the file does not begin with what it is a backup of")
            if about is None:
                about = decode_about(payload)
            digest.update(frame(kind, payload))
        if about is None or payload != digest.digest():
            raise BackupError("the file was altered: its checksum does not fit its content")
        if self._file.read(1):
            raise BackupError("there is more behind the file's end")
        return about

    def frames(self) -> Iterator[tuple[Kind, bytes]]:
        """Yield kind and payload of every frame after the first, without the end."""
        self._file.seek(len(MAGIC))
        self._frame()
        while True:
            kind, payload = self._frame()
            if kind is Kind.END:
                return
            yield kind, payload

    def _frame(self) -> tuple[Kind, bytes]:
        header = self._file.read(HEADER_SIZE)
        if len(header) < HEADER_SIZE:
            raise BackupError("the file is cut: its end is missing")
        size = int.from_bytes(header[1:])
        try:
            kind = Kind(header[0])
        except ValueError:
            raise BackupError(f"the file is damaged: a frame of kind {header[0]}") from None
        if size > FRAME_SIZE_MAX:
            raise BackupError(f"the file is damaged: a frame of {size} bytes")
        payload = self._file.read(size)
        if len(payload) < size:
            raise BackupError("the file is cut: its end is missing")
        return kind, payload


def decode_about(payload: bytes) -> About:
    """Return the first frame's content.

    Raises:
        BackupError: it is none.
    """
    try:
        return decode(payload, About)
    except CodecError as error:
        raise BackupError(f"the file is damaged: {error}") from None
