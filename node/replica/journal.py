"""The consensus log as the replica uses it: what a restart finds in it, and what is written when.

What a log is worth at the start. `L` is the height it was last appended to, `H` the chain's head:

=========================  ========================================================================
the log                    the node
=========================  ========================================================================
L > H + 1                  lost blocks, or an older database was put back: signs at no height below
                           L, catches up to L - 1, then goes on where the log ends
L = H + 1                  goes on where the log ends: the same locks, timers, pending signatures
L = H                      was stopped between the commit and the next height: begins H + 1
L < H, or nothing signed   does not know what its key signed: signs nothing until it has heard the
                           others (see `join`), then above a floor, or from a later round on
nothing was signed, H = 0  is new, or was put back: begins with the others, if none of them knows
                           that it has begun before (see `begin`)
=========================  ========================================================================

So that the fourth line means what it says, the log is brought to a height before its block is
committed, also where this node had nothing to sign (`reach`).

Writing blocks and is done in the storage thread; a simulation gives none and writes inline.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from consensus.errors import InvalidValue
from consensus.inputs import Input
from node.codec import CodecError
from node.metrics import Metrics
from node.replica.entries import (
    Begun,
    Body,
    Born,
    Entry,
    Floored,
    ProposalEntry,
    Reached,
    Resumed,
    Returned,
    Sealed,
    Under,
    VoteEntry,
    decode_entry,
    encode_entry,
    entry_of_input,
    input_of_entry,
)
from node.replica.errors import LogMismatch, LogRemembers
from node.replica.guard import Guard
from node.storage import ConsensusLog, StorageThread

APPEND_BYTES: Final = 12 << 20
"""One append holds at most this and one entry more; the log's own limit is above."""
SPENT_BYTES_MAX: Final = 32 << 20
"""When the blocks in the log that no round can need any more come to this, they leave it. A height
that is decided before the engine forgets its first rounds never gets there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the log said at the start."""

    height: int
    """Last appended to; 0 in an empty log."""
    blank: bool
    """Nothing was ever signed with this log: it holds no more than its birth, and who has begun."""
    born: bool
    """It holds its birth."""
    begun: frozenset[str]
    """Which validators have begun to sign on a network without a block."""
    inputs: tuple[Input, ...]
    """What the engine took at that height, in order."""
    blocks: Mapping[bytes, bytes]
    """Bodies of the blocks that were found valid at that height, or built, by block id: not of all,
    those of rounds long past may have left the log."""
    returned: Returned | None
    """How that height was entered by a validator that had lost its memory."""
    floored: Floored | None
    """Up to where it stays silent all the same."""
    resumed: Resumed | None
    """The operator's word that the log rests on."""


class Journal:
    """One validator's log, and the guard that rests on it."""

    def __init__(
        self,
        log: ConsensusLog,
        guard: Guard,
        *,
        domain: Callable[[int], bytes],
        thread: StorageThread | None,
        metrics: Metrics,
        monotonic: Callable[[], float],
    ) -> None:
        """Store what is given; `load` comes first.

        Args:
            domain: what signatures on a height cover, `Genesis.domain`.
            thread: where the log is written; None writes on the caller's.
            monotonic: a clock in seconds, for the metric.
        """
        self._log = log
        self._guard = guard
        self._domain = domain
        self._thread = thread
        self._metrics = metrics
        self._monotonic = monotonic
        self._network = b""
        self._under = b""
        """The domain that the last entry of the log belongs to."""
        self._appended = 0  # the height that the last durable entry belongs to
        self._begun = 0
        self._bodies: dict[bytes, int] = {}
        """Sizes of the blocks that the log holds under the domain of its height, by block id."""

    def load(self, *, name: str, network: bytes) -> Found:
        """Read the log and restore the guard's seals.

        Entries count that were made under the domain of the log's height; others were of another
        set of validators, before an amendment.

        Raises:
            LogMismatch: the log was made for another key or network, or by another program.
            StorageDamaged: the log's own checks fail.
            StorageError: the disk's reasons.
        """
        raw = self._log.load()
        self._appended = self._begun = self._log.height
        every = _read(raw)
        self._network = self._under = network
        entries = self._of_domain(every)
        try:
            inputs = tuple(
                input_of_entry(entry)
                for entry in entries
                if not isinstance(
                    entry,
                    Born | Reached | Sealed | Body | Returned | Resumed | Floored | Begun | Under,
                )
            )
        except InvalidValue as error:
            raise LogMismatch(
                found=f"another version ({error})", expected="one of this version"
            ) from None
        self._check_owner(every, name=name, network=network)
        self._guard.restore(entry for entry in entries if isinstance(entry, Sealed))
        # The last word stands in the place of those before.
        ways = [entry for entry in entries if isinstance(entry, Returned | Floored)]
        blocks = {entry.block_id: entry.block for entry in entries if isinstance(entry, Body)}
        self._bodies = {block_id: len(block) for block_id, block in blocks.items()}
        way = ways[-1] if ways else None
        return Found(
            height=self._appended,
            blank=_is_blank(every),
            born=any(isinstance(entry, Born) for entry in every),
            begun=frozenset(entry.validator for entry in every if isinstance(entry, Begun)),
            inputs=inputs,
            blocks=blocks,
            returned=way if isinstance(way, Returned) else None,
            floored=way if isinstance(way, Floored) else None,
            resumed=next((entry for entry in entries if isinstance(entry, Resumed)), None),
        )

    async def persist(
        self,
        height: int,
        *,
        inputs: Sequence[Input] = (),
        blocks: Sequence[tuple[bytes, bytes]] = (),
        seal: Sealed | None = None,
    ) -> None:
        """Make these durable, in one sync as long as they are of ordinary size.

        Args:
            height: of all of them; at least that of the entries before.
            blocks: (block id, block bytes) of the blocks that the inputs rest on.
            seal: what the guard wants durable before it signs; it is told.

        Raises:
            StorageError: it is not known what is durable; the node stops.
        """
        entries: list[Entry] = [Body(block_id=key, block=block) for key, block in blocks]
        entries += [entry_of_input(event) for event in inputs]
        if seal is not None:
            entries.append(seal)
        if entries:
            await self._append(height, entries)
        self._bodies |= {block_id: len(block) for block_id, block in blocks}
        if seal is not None:
            self._guard.confirm(seal)

    def has_body(self, block_id: bytes) -> bool:
        """Whether the log holds the body of this block, of the height that it stands at."""
        return block_id in self._bodies

    async def keep_bodies(self, block_ids: Set[bytes]) -> None:
        """Let the bodies of all blocks but these leave the log, once they are large enough together
        for it to be written anew. Everything else stays: every input, every seal, in their order.

        Args:
            block_ids: what a replay of this log may still need; nothing the engine has taken is
                still to be persisted.

        Raises:
            StorageError: as for `persist`.
        """
        spent = self._bodies.keys() - block_ids
        if sum(self._bodies[each] for each in spent) <= SPENT_BYTES_MAX:
            return
        await self._blocking(lambda: self._log.rewrite(self._sifter(spent)))
        for each in spent:
            del self._bodies[each]

    async def reach(self, height: int) -> None:
        """Let the log stand at this height or above, before its block is committed.

        Raises:
            StorageError: as for `persist`.
        """
        if self._appended < height:
            # One ahead: a run of committed blocks then costs one append for two of them. If this
            # process dies now, the block is fetched again before anything is signed.
            await self._append(height + 1, [Reached(height=height + 1)])

    @property
    def is_at_first(self) -> bool:
        """Whether the log stands at the first height, or nowhere yet."""
        return self._begun <= 1

    async def note_begun(self, validator: str) -> None:
        """Note for good that a validator begins to sign; the log is at the first height.

        Raises:
            StorageError: as for `persist`.
        """
        await self._append(1, [Begun(validator=validator)])

    async def stay_silent(self, height: int, floor: int) -> None:
        """Note for good, at this height, that nothing at or below the floor may be signed.

        Raises:
            StorageError: as for `persist`.
        """
        await self._append(height, [Floored(above=floor)])

    async def enter(self, height: int, round_: int, witnesses: Sequence[str]) -> None:
        """Note for good that a height is entered in a later round; nothing stands above it.

        Raises:
            StorageError: as for `persist`.
        """
        entry = Returned(height=height, round=round_, witnesses=tuple(witnesses))
        await self._append(height, [entry])

    def close(self) -> None:
        """Let go of the log and its lock; a second call does nothing."""
        self._log.close()

    # Private.

    def _of_domain(self, every: Sequence[Entry]) -> list[Entry]:
        """Return what was written under the domain of the log's height."""
        domain = self._domain(self._begun)
        entries: list[Entry] = []
        for entry in every:
            if isinstance(entry, Under):
                self._under = entry.domain
            elif self._under == domain:
                entries.append(entry)
        return entries

    def _sifter(self, spent: Set[bytes]) -> Callable[[bytes], bool]:
        """Return what says of each entry in turn whether it stays."""
        domain, under = self._domain(self._begun), self._network

        def stays(data: bytes) -> bool:
            nonlocal under
            entry = decode_entry(data)
            if isinstance(entry, Under):
                under = entry.domain
            # What is of another set of validators may be taken up again.
            return not (isinstance(entry, Body) and under == domain and entry.block_id in spent)

        return stays

    async def _append(self, height: int, entries: Sequence[Entry]) -> None:
        if height > self._begun:
            self._begun = height
            self._bodies.clear()
            self._log.reset(height)
            self._under = self._network
        assert height == self._begun
        domain = self._domain(height)
        if self._under != domain:
            entries = [Under(domain=domain), *entries]
            self._under = domain
        chunk: list[bytes] = []
        size = 0
        for entry in entries:
            data = encode_entry(entry)
            if chunk and size + len(data) > APPEND_BYTES:
                await self._write(chunk)
                chunk, size = [], 0
            chunk.append(data)
            size += len(data)
        await self._write(chunk)
        self._appended = height

    async def _write(self, chunk: Sequence[bytes]) -> None:
        await self._blocking(lambda: self._log.append(chunk))

    async def _blocking(self, work: Callable[[], None]) -> None:
        started = self._monotonic()
        if self._thread is None:
            work()
        else:
            await self._thread.run(work)
        self._metrics.fsync_seconds.observe(self._monotonic() - started)

    def _check_owner(self, entries: Sequence[Entry], *, name: str, network: bytes) -> None:
        for entry in entries:
            if isinstance(entry, Born):
                key = self._guard.public_key
                if entry.name != name or entry.public_key not in self._guard.public_keys:
                    raise LogMismatch(
                        found=f"{entry.name} with key {entry.public_key.hex()}",
                        expected=f"{name} with key {key.hex()}",
                    )
                if entry.network not in (None, network):
                    raise LogMismatch(
                        found=f"the network of genesis {entry.network.hex()}",
                        expected=f"on that of genesis {network.hex()}",
                    )
            elif isinstance(entry, VoteEntry) and entry.own and entry.vote.validator != name:
                raise LogMismatch(found=entry.vote.validator, expected=name)
            elif isinstance(entry, ProposalEntry) and entry.own and entry.proposal.proposer != name:
                raise LogMismatch(found=entry.proposal.proposer, expected=name)


def _read(raw: Sequence[bytes]) -> list[Entry]:
    try:
        return [decode_entry(data) for data in raw]
    except CodecError as error:
        raise LogMismatch(
            found=f"another version ({error})", expected="one of this version"
        ) from None


def _is_blank(entries: Sequence[Entry]) -> bool:
    return all(isinstance(entry, Born | Begun) for entry in entries)


def write_resumption(
    log: ConsensusLog, *, above: int, at_ms: int, reason: str, under: bytes | None = None
) -> None:
    """Make a log that has lost its past say that an operator lets this key sign above a height;
    `log` is closed afterwards.

    It stands there, for whoever reads the log, until the node has passed that height.

    Args:
        under: the id of the amendment that signatures on the next height cover, if they do.

    Raises:
        LogMismatch: the log was made by another program.
        LogRemembers: the log knows of signatures above that height.
        StorageError: the disk's reasons, among them that a node has the log open.
    """
    try:
        entries = _read(log.load())
        if log.height > above and not _is_blank(entries):
            raise LogRemembers(height=log.height, above=above)
        if log.height <= above:
            log.reset(above + 1)
        words: list[Entry] = [] if under is None else [Under(domain=under)]
        words.append(Resumed(above=above, at_ms=at_ms, reason=reason))
        log.append([encode_entry(word) for word in words])
    finally:
        log.close()


def write_birth(log: ConsensusLog, *, name: str, public_key: bytes, network: bytes | None) -> None:
    """Make a new log say that it was born together with its key; `log` is closed afterwards.

    Call it only for a key that has just been generated, or has never been on this network: it is
    what lets the node sign from height 1 on although not all the others are there.

    Args:
        network: the 32-byte genesis hash, where it is known already.

    Raises:
        LogMismatch: the log is not new.
        StorageError: the disk's reasons.
    """
    try:
        if log.load() or log.height > 0:
            raise LogMismatch(found="a validator that has already run", expected="a new one")
        log.reset(1)
        log.append([encode_entry(Born(name=name, public_key=public_key, network=network))])
    finally:
        log.close()
