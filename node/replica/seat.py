"""This node's seat among the validators: whether its key may sign at a height, and why not.

Three things must be true: the set of the height has this node's name with this node's key; the
guard has a floor, and the height is above it. How the floor is found after a start is the table in
`journal`; what the others must have said where the log does not know is in `join`.
"""

import contextlib
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from consensus.inputs import Input
from consensus.messages import Proposal, Vote
from consensus.types import FaultModel, Height, Signature, ValidatorId
from consensus.validators import ValidatorSet
from node.log import Logger
from node.replica.errors import SigningRefused
from node.replica.guard import Guard
from node.replica.join import floor_of_fresh, floor_of_returning
from node.replica.journal import Journal


class _Past(Enum):
    """What is known of the signatures made before this start."""

    KNOWN = auto()
    FRESH = auto()
    """None were made, unless somebody is further than the genesis."""
    UNKNOWN = auto()


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
        self._blocks: tuple[bytes, ...] = ()

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
        if found.born and head == 0:
            self._past = _Past.FRESH
        elif head == 0 and found.height == 0:
            self._log.info("no log of consensus here: waiting for all others to be at the genesis")
        elif found.born or found.height < head:
            self._log.warning(
                "the consensus log does not reach the chain: nothing is signed before the other"
                " validators were heard",
                log_height=found.height,
                head=head,
            )
        else:
            self._past = _Past.KNOWN
            self.guard.set_floor(found.height - 1)
            if found.height > head + 1:
                self._log.warning(
                    "the database is behind the consensus log: nothing is signed before it has"
                    " caught up",
                    log_height=found.height,
                    head=head,
                )

    def may_vote(self, height: int, validators: ValidatorSet) -> bool:
        """Whether this key may sign at this height, which this set rules."""
        floor = self.guard.floor
        return (
            floor is not None
            and height > floor
            and self.name in validators
            and validators[self.name].public_key == self.guard.public_key
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
        if self._past is _Past.FRESH:
            if head > 0 or any(height > 0 for height in claims.values()):
                self._past = _Past.UNKNOWN
            elif floor_of_fresh(others, claims, model=model) is not None:
                self.guard.set_floor(0)
                self._past = _Past.KNOWN
                self._log.info("a new network begins", heard=len(claims))
        if self._past is _Past.UNKNOWN:
            floor = floor_of_returning(others, claims, head=head, model=model)
            if floor is not None:
                # Durable first: a restart before that height must find the floor again.
                await self.journal.reach_above(floor)
                self.guard.set_floor(floor)
                self._past = _Past.KNOWN
                self._log.info("signing resumes", above_height=floor)

    def recall(self, height: Height) -> tuple[tuple[Input, ...], tuple[bytes, ...]]:
        """Return what the log holds of this height, once: the engine's inputs and the blocks."""
        if self._height != height:
            return (), ()
        inputs, blocks = self._inputs, self._blocks
        self._inputs, self._blocks = (), ()
        return inputs, blocks

    def remembers(self, height: int) -> bool:
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

    async def reach(self, height: int) -> None:
        """Bring the log to a height before its block is committed, where it is worth anything.

        Raises:
            StorageError: the disk's reasons.
        """
        # A log that has lost its past must not look as if it knew the height.
        if self.is_settled:
            await self.journal.reach(height)
