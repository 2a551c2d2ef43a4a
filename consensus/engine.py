"""The engine: one validator (or observer) across heights, as inputs and effects.

Use:

    engine = Engine(validator_id, network, params)
    effects = engine.step(StartHeight(height=1, validators=validators))
    ... execute the effects in order, and step with whatever happens ...
    ... on Decide: commit the block, then step with StartHeight of the next height ...

After a restart: step with the same StartHeight, throw its effects away, and execute those of
`replay(entries)` with what was persisted at that height.

The engine is a pure function of its inputs: no clock, no chance, no I/O. It never raises for what
peers say; it raises EngineMisuse for a bug of the shell, and InvariantViolation when agreement
itself is in doubt. What it holds is bounded, whatever peers send: see `votes`, `proposals`, and
`early_messages_max` for the messages of the next height.
"""

from collections.abc import Sequence, Set
from typing import assert_never

from consensus.driver import Driver
from consensus.effects import Effect, ReportEvidence
from consensus.errors import EngineMisuse
from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    HeightInput,
    Input,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    StartHeight,
    TimeoutElapsed,
    VoteReceived,
    VoteSigned,
)
from consensus.messages import SignedMessage
from consensus.params import ConsensusParams
from consensus.round import RoundState
from consensus.types import NETWORK_SIZE, BlockId, Height, Round, Step, ValidatorId, VoteType
from consensus.validators import ProposerRule, ValidatorSet


class Engine:
    """Agreement on one block after another."""

    def __init__(
        self,
        validator_id: ValidatorId | None,
        network: bytes,
        params: ConsensusParams,
        *,
        proposer: ProposerRule = ValidatorSet.proposer,
    ) -> None:
        """Stand before the first StartHeight.

        Args:
            validator_id: In whose name to propose and vote, at the heights whose set has it; at
                the others, and with None, the engine only follows.
            network: The genesis hash, 32 bytes: what `sign_bytes` of this engine's messages takes.
            params: The genesis' parameters.
            proposer: Whose turn a round is; published traces have another rotation.
        """
        assert len(network) == NETWORK_SIZE
        self._validator_id = validator_id
        self._network = network
        self._params = params
        self._proposer = proposer

        self._driver: Driver | None = None
        self._height = Height(0)
        self._validators: ValidatorSet | None = None
        self._fresh = False
        """The height has been started, and nothing of it has come."""
        self._early: dict[ValidatorId, list[ProposalReceived | VoteReceived]] = {}
        """What validators said about the next height, in the order they said it."""

    @property
    def validator_id(self) -> ValidatorId | None:
        """In whose name this engine acts; None: an observer."""
        return self._validator_id

    @property
    def network(self) -> bytes:
        """The genesis hash."""
        return self._network

    @property
    def params(self) -> ConsensusParams:
        """The genesis' parameters."""
        return self._params

    @property
    def height(self) -> Height:
        """The height being decided, or just decided; 0 before the first."""
        return self._height

    @property
    def state(self) -> RoundState:
        """The variables of the algorithm. Raises EngineMisuse before the first height."""
        if self._driver is None:
            raise EngineMisuse("no height has been started")
        return self._driver.state

    @property
    def round(self) -> Round:
        """The round the engine stands in."""
        return self.state.round

    @property
    def round_step(self) -> Step:
        """Where in the round it stands; DECIDED until the next height starts."""
        return self.state.step

    @property
    def awaits_proposal(self) -> bool:
        """Whether it stands at step propose and has not seen the proposal of this round."""
        return self._driver is not None and self._driver.awaits_proposal

    @property
    def locked_block_id(self) -> BlockId | None:
        """The block last precommitted at this height."""
        return self.state.locked_block_id

    @property
    def locked_round(self) -> Round | None:
        """The round it was precommitted in."""
        return self.state.locked_round

    @property
    def valid_block_id(self) -> BlockId | None:
        """The latest valid block that a quorum prevoted at this height."""
        return self.state.valid_block_id

    @property
    def valid_round(self) -> Round | None:
        """The round it was prevoted in."""
        return self.state.valid_round

    @property
    def called_round(self) -> Round | None:
        """The highest round of this height that a validator has called to; None without one."""
        return None if self._driver is None else self._driver.called_round

    @property
    def blocks(self) -> Set[BlockId]:
        """The blocks of this height that may still be voted for or decided, as far as it has had
        them validated or built; those of rounds long past are forgotten, and asked for again if
        they turn up once more. Their contents are all that the shell has to keep.
        """
        return frozenset() if self._driver is None else self._driver.blocks

    def votes(self, kind: VoteType) -> dict[ValidatorId, BlockId | None]:
        """Return who has voted for what in the round it stands in; nothing before the first."""
        return {} if self._driver is None else self._driver.votes(kind)

    def step(self, input_: Input) -> tuple[Effect, ...]:
        """Take one input; return what is to be done, in this order.

        Messages and certificates must have been verified. An input that is stale, early beyond the
        next height, of a stranger, or known, has no effect.

        Raises:
            EngineMisuse: StartHeight of a height that is not above the present one.
            InvariantViolation: a quorum decided a block that is invalid here, or two blocks.
        """
        if isinstance(input_, StartHeight):
            return self._start(input_)
        driver = self._driver
        if driver is None:
            return ()
        height = height_of(input_)
        if height == self._height:
            self._fresh = False
            driver.handle(input_)
            return driver.take_effects()
        if height == self._height + 1 and isinstance(input_, ProposalReceived | VoteReceived):
            self._hold(input_)
        return ()

    def replay(self, entries: Sequence[Input]) -> tuple[Effect, ...]:
        """Stand again where the log of this height ends; return what must be done now.

        Called right after StartHeight, whose effects these replace. `entries` are what was
        persisted at this height, in order, a torn tail cut off. The effects are the validations,
        timers, builds and signatures that are still waited for, the evidence found, or the
        decision. The blocks that count are asked for again, with `ignore_clock`, because the
        shell holds nothing in memory; whatever it answers, earlier verdicts stand.

        Raises:
            EngineMisuse: something of this height has been taken already, or the log is another
                height's.
        """
        driver = self._driver
        if driver is None or not self._fresh:
            raise EngineMisuse("replay comes right after StartHeight")
        log: list[HeightInput] = []
        for entry in entries:
            if isinstance(entry, StartHeight) or height_of(entry) != self._height:
                raise EngineMisuse(f"the log of height {self._height} holds: {entry}")
            log.append(entry)
        self._fresh = False
        evidence: list[Effect] = []
        driver.take_effects()
        for logged in log:
            driver.handle(logged)
            evidence += (e for e in driver.take_effects() if isinstance(e, ReportEvidence))
        return (*evidence, *driver.resume())

    def resend(self) -> tuple[SignedMessage, ...]:
        """Return what a peer may lack: to be sent on connecting, and now and then without progress.

        These are: our proposal of this round, with the prevotes of its valid round; our votes of
        this round; those of validators that have come back in it, whom others follow as we did; and
        the precommits of the round before, everybody's, for a peer who is behind leaves his round
        by them. Once a quorum of precommits is known: these instead. All are of
        the present height: who is further behind needs blocks and certificates.

        That is enough for liveness: some honest validator stands in the highest round, and brought
        the quorum of precommits that led there; with it all others follow.
        """
        return () if self._driver is None else self._driver.resend()

    def _start(self, start: StartHeight) -> tuple[Effect, ...]:
        if start.height <= self._height:
            raise EngineMisuse(f"height {start.height} cannot start after {self._height}")
        follows = start.height == self._height + 1
        early = [i for held in self._early.values() for i in held] if follows else []
        votes = self._validator_id in start.validators
        driver = Driver(
            height=start.height,
            validators=start.validators,
            validator_id=self._validator_id if votes else None,
            params=self._params,
            proposer=self._proposer,
            witnesses=start.witnesses,
        )
        self._driver = driver
        self._height = start.height
        self._validators = start.validators
        self._early = {}
        self._fresh = not early
        driver.start(start.round)
        for input_ in early:
            driver.handle(input_)
        return driver.take_effects()

    def _hold(self, input_: ProposalReceived | VoteReceived) -> None:
        """Keep a message of the next height, unless its author has had enough kept.

        Its author must be a validator now: who joins with the next height will say it again.
        """
        author = author_of(input_)
        if self._validators is None or author not in self._validators:
            return
        held = self._early.setdefault(author, [])
        if len(held) < self._params.early_messages_max and input_ not in held:
            held.append(input_)


def height_of(input_: HeightInput) -> Height:
    """Return the height an input is about."""
    match input_:
        case VoteReceived(signed=signed) | VoteSigned(signed=signed):
            return signed.vote.height
        case ProposalReceived(signed=signed_proposal) | ProposalSigned(signed=signed_proposal):
            return signed_proposal.proposal.height
        case CertificateReceived(certificate=certificate):
            return certificate.height
        case TimeoutElapsed(timeout=timeout):
            return timeout.height
        case BlockBuilt() | BlockValidated() | RoundCalled():
            return input_.height
        case _:
            assert_never(input_)


def author_of(input_: ProposalReceived | VoteReceived) -> ValidatorId:
    """Return who signed the message."""
    if isinstance(input_, VoteReceived):
        return input_.signed.vote.validator
    return input_.signed.proposal.proposer
