"""This node's seat among the validators: whether its key may sign at a height, and why not.

Three things must be true: the set of the height has this node's name with this node's key; the
guard has a floor, and the height is above it. How the floor is found after a start is the table in
`journal`; what the others must have said where the log does not know is in `join`, and how a new
network begins in `begin`.

A log that agrees with the chain may still be an old copy, put back together with an old copy of the
chain: then it knows nothing of what was signed since. So nothing is signed after a start before
enough of the others were heard to decide anything with, and this node has caught up with them
(`join.why_behind`). That costs nothing: alone it could not decide, and below them nothing is left
to decide.

A validator that came back in a later round (`join.Later`) keeps that in its log: how it enters the
height and the next one is found again by any restart in between.
"""

import contextlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum, auto

from consensus.inputs import Input
from consensus.messages import Proposal, Vote
from consensus.types import ROUND_FIRST, FaultModel, Height, Round, Signature, ValidatorId
from consensus.validators import ValidatorSet
from node.log import Logger
from node.network import Memory
from node.replica.begin import Step, way_of_beginning
from node.replica.errors import SigningRefused
from node.replica.guard import Guard
from node.replica.join import (
    Later,
    Silent,
    Waiting,
    way_of_returning,
    why_behind,
)
from node.replica.journal import Journal


class _Past(Enum):
    """What is known of the signatures made before this start."""

    KNOWN = auto()
    NONE = auto()
    """None were made, says the log; before the first block the others are asked (`begin`)."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """How a height is entered."""

    round: Round = ROUND_FIRST
    witnesses: frozenset[ValidatorId] = frozenset()
    """Who must have prevoted a block before this validator does."""

    @property
    def is_plain(self) -> bool:
        """Whether it is entered as every other."""
        return self.round == ROUND_FIRST


class Seat:
    """The key, its guard and its log, of one validator."""

    def __init__(
        self, *, name: str, network: bytes, guard: Guard, journal: Journal, log: Logger
    ) -> None:
        """Store what is given; `open` comes first.

        Args:
            name: the validator's name on the ledger.
            network: the 32-byte genesis hash.
        """
        self.name = ValidatorId(name)
        self.guard = guard
        self.journal = journal
        self._network = network
        self._log = log
        self._past = _Past.UNKNOWN
        self._height = 0
        self._inputs: tuple[Input, ...] = ()
        self._blocks: Mapping[bytes, bytes] = {}
        self._entrances: dict[int, Entrance] = {}
        self._entered = 0  # the last height whose entrance is in the log
        self._forgot_until = 0
        """This node is no witness before it has committed this height."""
        self._silent_until = 0
        """It signs nothing up to here, unless the others cannot go on without it."""
        self._unnoted: set[ValidatorId] = set()
        """Witnesses that have not taken note yet of the round in which this node comes back."""
        self._is_born = False
        """The log holds its birth."""
        self._begun: set[str] = set()
        """Validators that have begun to sign, of which the log has a note, perhaps this one."""
        self._memories: dict[str, Memory] = {}
        self._why_unknown = "it waits to hear from the other validators"
        self._why_behind: str | None = None
        """What is still to be heard before a log that agrees with the chain is believed."""

    @property
    def is_settled(self) -> bool:
        """Whether it is known from which height on this key may sign."""
        return self._past is _Past.KNOWN

    def open(self, head: int) -> None:
        """Read the log, and find out what it is worth beside a chain of this height.

        Raises:
            LogMismatch: the log is not this validator's.
            StorageError: the log is damaged, or the disk's reasons.
        """
        found = self.journal.load(name=self.name, network=self._network)
        self._height, self._inputs, self._blocks = found.height, found.inputs, found.blocks
        self._is_born, self._begun = found.born, set(found.begun)
        if found.returned is not None:
            entered = found.returned
            names = frozenset(ValidatorId(name) for name in entered.witnesses)
            self._plan(entered.height, Round(entered.round), names)
            self._entered = entered.height
            if found.inputs:
                self._unnoted.clear()  # It has voted there since.
        if found.resumed is not None:
            self._log.warning(
                "signing rests on the operator's word that nothing was decided above this height",
                above_height=found.resumed.above,
                at_ms=found.resumed.at_ms,
                reason=found.resumed.reason,
            )
        if found.blank and head == 0:
            self._past = _Past.NONE
            if not found.born:
                self._log.info("a log of consensus without a birth: waiting to hear all others")
        elif found.blank or found.height < head:
            self._log.warning(
                "the consensus log does not reach the chain: nothing is signed before the other"
                " validators were heard",
                log_height=found.height,
                head=head,
            )
        else:
            self._past = _Past.KNOWN
            self._why_behind = "it waits to hear from the other validators"
            self.guard.set_floor(found.height - 1)
            if found.floored is not None and found.returned is None:
                self._stay_silent(found.floored.above)
            if found.height > head + 1:
                self._log.warning(
                    "the database is behind the consensus log: nothing is signed before it has"
                    " caught up",
                    log_height=found.height,
                    head=head,
                )

    @property
    def is_compared(self) -> bool:
        """Whether the others were heard since the start, and none is ahead of this node."""
        return self._why_behind is None

    @property
    def is_hearing(self) -> bool:
        """Whether the others are still to be heard before any height is begun."""
        return not self.is_compared or self._past is _Past.NONE

    def begins(self, head: int) -> bool:
        """Whether the others are to take note that this validator begins to sign."""
        return head == 0 and self.name in self._begun

    def has_begun(self, peer: str, *, head: int) -> bool:
        """Whether another validator has begun to sign, or may have, as far as this log tells."""
        # One that has left the first height has no notes of it.
        return head > 0 or not self.journal.is_at_first or peer in self._begun

    async def note_begun(self, peer: str, *, head: int, validators: ValidatorSet) -> None:
        """Take note for good that another validator begins to sign.

        Raises:
            StorageError: it is not known whether the note is durable; the node stops.
        """
        if peer in validators and not self.has_begun(peer, head=head):
            await self.journal.note_begun(peer)
            self._begun.add(peer)

    def remembers(self, head: int) -> bool:
        """Whether all is known that this key has signed above this head.

        Not before the others were heard: an older copy of log and chain would be no witness.
        """
        floor = self.guard.floor
        return (
            self.is_settled
            and self.is_compared
            and floor is not None
            and head >= max(floor, self._forgot_until)
        )

    def why_silent(self, height: int, validators: ValidatorSet) -> str | None:
        """Return why this validator signs nothing at this height and what it waits for; None if it
        signs, or is no validator."""
        if self.name not in validators or self.may_vote(height, validators):
            return None
        if validators[self.name].public_key not in self.guard.public_keys:
            return (
                f"the ledger has another key for {self.name}:"
                f" {validators[self.name].public_key.hex()}, this node has"
                f" {' and '.join(key.hex() for key in self.guard.public_keys)}"
            )
        if self.guard.floor is None:
            return (
                "this node does not know what its key has signed (its consensus log is missing, new"
                f" or old): {self._why_unknown}"
            )
        if self._why_behind is not None:
            return f"it may have been put back as an older copy: {self._why_behind}"
        if self._unnoted:
            names = ", ".join(sorted(self._unnoted))
            lost = [name for name in self._unnoted if not self._has_witness(name)]
            return (
                self._why_unknown
                if lost
                else f"it waits for {names} to take note of the round in which it comes back"
            )
        return f"its key may have signed at heights up to {self.guard.floor}: it waits for them"

    def forget(self, peer: str) -> None:
        """Forget what a peer said that is gone: it may come back without a memory of its own."""
        self._memories.pop(peer, None)

    def _has_witness(self, name: str) -> bool:
        memory = self._memories.get(name)
        return memory is not None and memory.remembers

    def asks(self, head: int) -> bool:
        """Whether this node wants to know where the others stand."""
        return self._past is not _Past.KNOWN or head < self._forgot_until

    def calls_to(self, height: int) -> Round:
        """Return the round in which this node comes back at a height; 0: it enters it plainly."""
        return self._entrances.get(height, Entrance()).round

    def heard(self, peer: str, memory: Memory, validators: ValidatorSet) -> None:
        """Take in where another validator stands."""
        if peer not in validators:
            return
        self._memories[peer] = memory
        for height, entrance in self._entrances.items():
            if peer in entrance.witnesses and (
                memory.height >= height
                or (memory.height == height - 1 and memory.round >= entrance.round)
            ):
                self._unnoted.discard(ValidatorId(peer))

    def may_vote(self, height: int, validators: ValidatorSet) -> bool:
        """Whether this key may sign at this height, which this set rules."""
        floor = self.guard.floor
        return (
            floor is not None
            and height > floor
            and self.is_compared
            and not (self._unnoted and self._entrances.get(height, Entrance()).witnesses)
            and self.name in validators
            and validators[self.name].public_key in self.guard.public_keys
        )

    async def settle(
        self,
        *,
        head: int,
        validators: ValidatorSet,
        claims: Mapping[str, int],
        model: FaultModel,
    ) -> None:
        """Find the floor, if the peers have said enough for it by now.

        Args:
            validators: the set that rules after `head`.
            claims: the height that each connected validator says it has committed.

        Raises:
            StorageError: the floor could not be made durable.
        """
        others = [validator.id for validator in validators if validator.id != self.name]
        if self._why_behind is not None:
            self._compare(others, claims, head=head, model=model)
        if self._past is _Past.NONE:
            await self._begin(others, claims, head=head, model=model)
        if self._past is _Past.UNKNOWN or head < self._silent_until or self._unnoted:
            await self._return(others, claims, head=head, model=model)

    def _compare(
        self, others: Sequence[str], claims: Mapping[str, int], *, head: int, model: FaultModel
    ) -> None:
        before = self._why_behind
        self._why_behind = why_behind(others, claims, head=head, model=model)
        if self._why_behind not in (None, before):
            self._log.info("nothing is signed yet", reason=self._why_behind)

    async def _begin(
        self,
        others: Sequence[str],
        claims: Mapping[str, int],
        *,
        head: int,
        model: FaultModel,
    ) -> None:
        if head > 0:
            self._past = _Past.UNKNOWN
            return
        match way_of_beginning(
            others,
            claims,
            self._memories,
            born=self._is_born,
            announced=self.name in self._begun,
            model=model,
        ):
            case Waiting(why=why):
                self._why_unknown = why
            case Step.ANNOUNCE:
                self._why_unknown = "it waits for the others to take note that it begins"
                await self.journal.note_begun(self.name)
                self._begun.add(self.name)
            case Step.SIGN:
                self.guard.set_floor(0)
                self._past = _Past.KNOWN
                self._log.info("a new network begins", heard=len(claims))
            case Step.REMEMBER:
                self._past = _Past.UNKNOWN
                self._log.warning(
                    "this key has begun to sign before, and its consensus log does not say so:"
                    " nothing is signed before the other validators were heard"
                )

    async def _return(
        self,
        others: Sequence[str],
        claims: Mapping[str, int],
        *,
        head: int,
        model: FaultModel,
    ) -> None:
        # Durable first: a restart before that height must find the same again.
        match way_of_returning(others, claims, self._memories, head=head, model=model):
            case Waiting(why=why):
                self._why_unknown = why
                return
            case Silent() if self._past is _Past.KNOWN and not self._unnoted:
                return
            case Silent(floor=floor):
                await self.journal.stay_silent(head + 1, floor)
                self._entrances.clear()
                self._unnoted.clear()
                self._stay_silent(floor)
                self._log.info("signing resumes", above_height=floor)
            case Later(height=height, round=round_, witnesses=witnesses):
                names = frozenset(ValidatorId(name) for name in witnesses)
                if self._unnoted and self._entrances.get(height, Entrance()).witnesses == names:
                    return
                # Another plan where a witness was lost before it took note: nothing was signed yet.
                self._plan(height, Round(round_), names)
                self._entered = 0
                if head + 1 in self._entrances:
                    await self._enter(head + 1)
                else:
                    await self.journal.stay_silent(head + 1, head)
                    self.guard.set_floor(head)
                self._log.warning(
                    "signing resumes behind those who remember",
                    height=height,
                    round=round_,
                    witnesses=", ".join(witnesses),
                )
        self._past = _Past.KNOWN

    def _stay_silent(self, floor: int) -> None:
        self.guard.set_floor(floor)
        self._silent_until = self._forgot_until = floor

    def _plan(self, height: int, round_: Round, witnesses: frozenset[ValidatorId]) -> None:
        """Note how a height is to be entered, and the one after it."""
        self._entrances[height] = Entrance(round=round_, witnesses=witnesses)
        self._unnoted = set(witnesses)
        self._silent_until = 0
        self._forgot_until = height
        if witnesses:
            # It may have been the only one to know the decision, and have gone on by itself.
            self._entrances[height + 1] = Entrance(round=Round(1))
            self._forgot_until = height + 1

    async def enter(self, height: Height, validators: ValidatorSet) -> Entrance:
        """Return how a height is to be entered; what is special about it is durable by then.

        Args:
            validators: the set that rules it and has this validator, with one of its keys.

        Raises:
            StorageError: as for `persist`.
        """
        if self.guard.take_up(validators[self.name].public_key):
            self._log.info("key taken up", height=height, public_key=self.guard.public_key)
        self._entrances = {key: value for key, value in self._entrances.items() if key >= height}
        entrance = self._entrances.get(height, Entrance())
        if not entrance.is_plain:
            await self._enter(height)
        return entrance

    async def _enter(self, height: int) -> None:
        entrance = self._entrances[height]
        if self._entered < height:
            await self.journal.enter(height, entrance.round, sorted(entrance.witnesses))
            self._entered = height
        self.guard.reopen(height, entrance.round)

    def recall(self, height: Height) -> tuple[tuple[Input, ...], Mapping[bytes, bytes]]:
        """Return what the log holds of this height, once: the engine's inputs, and blocks by id."""
        if self._height != height:
            return (), {}
        inputs, blocks = self._inputs, self._blocks
        self._inputs, self._blocks = (), {}
        return inputs, blocks

    def holds(self, height: int) -> bool:
        """Whether the log holds something of this height that was not recalled yet."""
        return self._height == height and bool(self._inputs)

    async def persist(
        self,
        height: int,
        *,
        inputs: Sequence[Input],
        blocks: Sequence[tuple[bytes, bytes]],
        next_signed: Proposal | Vote | None,
    ) -> None:
        """Make inputs and bodies durable, and with them the seal of what is to be signed next: one
        sync for both.

        Raises:
            StorageError: it is not known what is durable; the node stops.
        """
        seal = None
        if next_signed is not None:
            # A refusal is for `sign` to report: the inputs are durable in any case.
            with contextlib.suppress(SigningRefused):
                seal = self.guard.seal(next_signed)
        await self.journal.persist(height, inputs=inputs, blocks=blocks, seal=seal)

    def has_body(self, block_id: bytes) -> bool:
        """Whether the log holds the body of this block."""
        return self.journal.has_body(block_id)

    async def keep_bodies(self, block_ids: Set[bytes]) -> None:
        """Let the log forget the bodies of all blocks but these, when it is worth it.

        Raises:
            StorageError: as for `persist`.
        """
        await self.journal.keep_bodies(block_ids)

    async def sign(self, message: Proposal | Vote) -> Signature:
        """Return the signature, once the guard's seal of the message is durable.

        Raises:
            SigningRefused: a rule forbids it.
            StorageError: as for `persist`.
        """
        seal = self.guard.seal(message)
        if seal is not None:
            await self.journal.persist(message.height, seal=seal)
        return self.guard.sign(message)

    async def pass_over(self, height: int) -> None:
        """Bring the log to a height that a quorum has decided, and sign nothing at or below it.

        One sync for all the blocks up to there: the log may stand further ahead of the chain than
        one height, because nothing is lost by not voting where the decision is known.

        Raises:
            StorageError: the disk's reasons.
        """
        if self.is_settled:
            await self.journal.reach(height)
            self.guard.set_floor(height)

    async def reach(self, height: int) -> None:
        """Bring the log to a height before its block is committed, where it is worth anything.

        Raises:
            StorageError: the disk's reasons.
        """
        # A log that has lost its past must not look as if it knew the height.
        if self.is_settled:
            await self.journal.reach(height)
