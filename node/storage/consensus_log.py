"""What this validator took in and signed at the present height, durable before it acts on it.

The consensus engine asks for its inputs to be persisted before anything is signed. After a crash
they are replayed, and the engine is where it was: it asks for the same signatures again, never for
different ones.

The file
    magic "khazana-log/1\\n", mark (8 random bytes), height at which the file begins (8), CRC-32 (4)
    then frames, one for each `append`:
      mark (8), payload size (4), height (8), CRC-32 of the payload (4), CRC-32 of this header (4)
      payload: for each entry its size (4) and its bytes

    Numbers are big-endian. The mark is how a frame is recognised in the middle of a damaged file;
    being random, it cannot be planted there through an entry that holds a peer's bytes.

Cost
    One write and one sync for each `append`. A new height costs nothing: `reset` notes it, and the
    frames of the next `append` carry it. Only when the file has grown past `FILE_SIZE` does `reset`
    begin a new one beside it, sync that, and rename it over the old: at any moment the name stands
    for a whole file. Frames of earlier heights stay in the file and are skipped. `rewrite` does the
    same within a height that has gone on for so long that most of what it wrote is of no use.

Torn or damaged
    At most the last frame was not synced when the power went, and nothing was signed for it. What
    can be left of it is a beginning, or its full size with sectors that read as zeros: that is cut
    off. Anything else is damage and refused, because a frame that was synced may stand for a vote
    that was sent: a bad frame with a good one behind it, and a frame that is all there, without a
    blank sector, and yet does not fit its checksum.

What the log cannot tell by itself: that a whole older copy of it was put back, or that it was cut
at a frame's end. Whoever opens it compares `height` with the chain.
"""

import secrets
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from node.storage.errors import StorageDamaged, StorageError, StorageFailed, storage_error
from node.storage.files import DiskFiles, FileSystem, check_writable, sync_directory
from node.storage.lock import DirectoryLock

LOG_NAME: Final = "consensus.log"
NEW_NAME: Final = "consensus.log.new"

FILE_SIZE: Final = 8 << 20  # bytes; a height takes some 3 kB and the blocks voted for
APPEND_SIZE_MAX: Final = 16 << 20  # bytes of one append

_MAGIC: Final = b"khazana-log/1\n"
_MARK_SIZE: Final = 8
_FILE_HEADER: Final = struct.Struct(f">{len(_MAGIC)}s{_MARK_SIZE}sQ")
_FRAME_HEADER: Final = struct.Struct(f">{_MARK_SIZE}sIQI")
_NUMBER: Final = struct.Struct(">I")
_FILE_HEADER_SIZE: Final = _FILE_HEADER.size + _NUMBER.size
_FRAME_HEADER_SIZE: Final = _FRAME_HEADER.size + _NUMBER.size
_SECTOR_SIZE: Final = 512  # the least that a disk writes whole


def open_consensus_log(path: Path) -> "ConsensusLog":
    """Open the log in this directory, made if needed, for this process alone.

    Raises:
        StorageLocked: another process, or another part of this one, has it.
        StorageReadOnly: nothing could be written down here, and so nothing signed.
        StorageError: the others of its tree, for the disk's reasons.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        sync_directory(path.parent)
        check_writable(path)
        lock = DirectoryLock(path)
    except OSError as error:
        raise storage_error(path, error) from error
    return ConsensusLog(path, DiskFiles(path), lock)


class ConsensusLog:
    """The log of one validator. `load` comes first; then `append` and `reset` in any order."""

    def __init__(self, path: Path, files: FileSystem, lock: DirectoryLock | None = None) -> None:
        """Take the directory's files; `open_consensus_log` does it for a real disk."""
        self._path = path
        self._files = files
        self._lock = lock
        self._mark: bytes | None = None
        self._size = 0
        self._height = 0
        self._failure: StorageError | None = None
        self.bytes_cut = 0
        """How long the torn tail was that `load` cut off; 0 after an orderly stop."""

    @property
    def height(self) -> int:
        """The height that the entries belong to; 0 in a log that was just made."""
        return self._height

    def load(self) -> list[bytes]:
        """Return the entries of the last height that was appended to, in the order of appending.

        If that is not the height being decided, the entries are those of a height already
        committed: `reset` to the present one and ignore them.

        Raises:
            StorageDamaged: the log holds something that nobody wrote.
            StorageError: the disk's reasons.
        """
        assert self._mark is None
        if self._files.read(NEW_NAME):
            self._files.truncate(NEW_NAME, 0)  # Whoever wrote it did not come to its end.
        data = self._files.read(LOG_NAME)
        if data is None:
            self._begin_file(0)
            return []
        self._mark, self._height = self._read_header(data)
        entries, end = self._read_frames(data)
        if end < len(data):
            self.bytes_cut = len(data) - end
            self._files.truncate(LOG_NAME, end)
            self._files.sync(LOG_NAME)
        self._size = end
        return entries

    def append(self, entries: Sequence[bytes]) -> None:
        """Add entries to the present height; all are durable on return.

        Raises:
            StorageError: they may or may not be durable, and nothing more can be appended: only
                loading anew tells what is on the disk.
        """
        assert self._mark is not None
        assert self._height > 0
        frame = _frame(self._mark, self._height, entries)
        self._check_usable()
        try:
            self._files.append(LOG_NAME, frame)
            self._files.sync(LOG_NAME)
        except StorageError as failure:
            self._failure = failure
            raise
        self._size += len(frame)

    def reset(self, height: int) -> None:
        """Begin a height, greater than the present one, whose block before it is committed.

        Raises:
            StorageError: as for `append`.
        """
        assert self._mark is not None
        assert height > self._height
        self._check_usable()
        if self._size > FILE_SIZE:
            try:
                self._begin_file(height)
            except StorageError as failure:
                self._failure = failure
                raise
        self._height = height

    def rewrite(self, keep: Callable[[bytes], bool]) -> None:
        """Forget those entries of the present height that are not to be kept: what is on the disk
        is either all that was appended or all that is kept, at any moment.

        Something of this height has been appended.

        Args:
            keep: asked about each entry, in the order of appending.

        Raises:
            StorageDamaged: the file is not what was written; it stays as it is.
            StorageError: as for `append`.
        """
        assert self._mark is not None
        self._check_usable()
        try:
            self._begin_file(self._height, [each for each in self._written() if keep(each)])
        except StorageError as failure:
            self._failure = failure
            raise

    def close(self) -> None:
        """Let go of the file and the directory; a second call does nothing."""
        self._files.close()
        if self._lock is not None:
            self._lock.close()

    def _check_usable(self) -> None:
        # A failed sync may have dropped the data and yet succeed when it is called again.
        if self._failure is not None:
            raise StorageFailed(self._path, f"an earlier write failed: {self._failure.detail}")

    def _begin_file(self, height: int, entries: Sequence[bytes] = ()) -> None:
        mark = secrets.token_bytes(_MARK_SIZE)
        header = _FILE_HEADER.pack(_MAGIC, mark, height)
        header += _NUMBER.pack(zlib.crc32(header))
        if self._files.read(NEW_NAME) is not None:
            self._files.truncate(NEW_NAME, 0)
        self._files.append(NEW_NAME, header)
        size = len(header)
        for part in _parts(entries):
            frame = _frame(mark, height, part)
            self._files.append(NEW_NAME, frame)
            size += len(frame)
        self._files.sync(NEW_NAME)
        self._files.replace(NEW_NAME, LOG_NAME)
        self._mark = mark
        self._size = size

    def _written(self) -> list[bytes]:
        """Return the entries of the present height from the disk."""
        assert self._mark is not None
        height, data = self._height, self._files.read(LOG_NAME)
        if data is None:
            raise self._damage(0, "the file is gone")
        mark, self._height = self._read_header(data)
        entries, end = self._read_frames(data) if mark == self._mark else ([], 0)
        # Nothing is torn while this process lives: what is missing would be forgotten for good.
        found, self._height = self._height, height
        if (end, len(data), found) != (self._size, self._size, height):
            raise self._damage(end, "the file has changed since it was written")
        return entries

    def _read_header(self, data: bytes) -> tuple[bytes, int]:
        if len(data) < _FILE_HEADER_SIZE:
            raise self._damage(0, "the file's header is cut")
        magic, mark, height = _FILE_HEADER.unpack_from(data)
        (checksum,) = _NUMBER.unpack_from(data, _FILE_HEADER.size)
        if magic != _MAGIC or checksum != zlib.crc32(data[: _FILE_HEADER.size]):
            raise self._damage(0, "the file's header is not one of this version")
        return mark, height

    def _read_frames(self, data: bytes) -> tuple[list[bytes], int]:
        """Return the entries of the last height, and where the last good frame ends."""
        assert self._mark is not None
        entries: list[bytes] = []
        start = _FILE_HEADER_SIZE
        while start < len(data):
            frame = _read_frame(data, start, self._mark)
            if frame is None:
                self._check_torn(data, start)
                break
            height, payload = frame
            if height < self._height:
                raise self._damage(start, f"height {height} after height {self._height}")
            if height > self._height:
                entries = []
                self._height = height
            entries += self._entries(start, payload)
            start += _FRAME_HEADER_SIZE + len(payload)
        return entries, start

    def _entries(self, start: int, payload: bytes) -> list[bytes]:
        entries = []
        at = 0
        while at < len(payload):
            size = int.from_bytes(payload[at : at + _NUMBER.size])
            at += _NUMBER.size
            entries.append(payload[at : at + size])
            at += size
        if at != len(payload):
            raise self._damage(start, "an entry is longer than its frame")
        return entries

    def _check_torn(self, data: bytes, start: int) -> None:
        """Refuse unless an append that the power cut interrupted can have left these bytes."""
        assert self._mark is not None
        other = data.find(self._mark, start + 1)
        while other >= 0:
            if _read_frame(data, other, self._mark) is not None:
                raise self._damage(start, f"a bad frame, with a good one behind it at {other}")
            other = data.find(self._mark, other + 1)
        size = _frame_size(data, start, self._mark)
        if size is None and len(data) - start < _FRAME_HEADER_SIZE:
            return
        if size is not None and len(data) - start < size:
            return
        if not _has_blank_sector(data, start):
            raise self._damage(start, "the last frame is all there and does not fit its checksum")

    def _damage(self, offset: int, explanation: str) -> StorageDamaged:
        return StorageDamaged(self._path, f"{LOG_NAME}, byte {offset}: {explanation}")


def _frame(mark: bytes, height: int, entries: Sequence[bytes]) -> bytes:
    """Return the bytes of one append."""
    payload = b"".join(_NUMBER.pack(len(entry)) + entry for entry in entries)
    assert 0 < len(payload) <= APPEND_SIZE_MAX
    header = _FRAME_HEADER.pack(mark, len(payload), height, zlib.crc32(payload))
    return header + _NUMBER.pack(zlib.crc32(header)) + payload


def _parts(entries: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Yield the entries again, as many together as one append may hold."""
    part: list[bytes] = []
    size = 0
    for entry in entries:
        size += _NUMBER.size + len(entry)
        if part and size > APPEND_SIZE_MAX:
            yield part
            part, size = [], _NUMBER.size + len(entry)
        part.append(entry)
    if part:
        yield part


def _frame_size(data: bytes, start: int, mark: bytes) -> int | None:
    """Return the size of the frame whose good header stands here, or None."""
    end = start + _FRAME_HEADER.size
    if len(data) < end + _NUMBER.size:
        return None
    found, size, _, _ = _FRAME_HEADER.unpack_from(data, start)
    (checksum,) = _NUMBER.unpack_from(data, end)
    if found != mark or checksum != zlib.crc32(data[start:end]):
        return None
    return _FRAME_HEADER_SIZE + int(size)


def _read_frame(data: bytes, start: int, mark: bytes) -> tuple[int, bytes] | None:
    """Return the height and the payload of the good frame that stands here, or None."""
    size = _frame_size(data, start, mark)
    if size is None or len(data) < start + size:
        return None
    payload = data[start + _FRAME_HEADER_SIZE : start + size]
    _, _, height, checksum = _FRAME_HEADER.unpack_from(data, start)
    return (height, payload) if checksum == zlib.crc32(payload) else None


def _has_blank_sector(data: bytes, start: int) -> bool:
    while start < len(data):
        end = min(start + _SECTOR_SIZE - start % _SECTOR_SIZE, len(data))
        if not any(data[start:end]):
            return True
        start = end
    return False
