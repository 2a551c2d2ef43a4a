"""The votes of one height: counted by round and kind, each validator once, within bounds.

What is kept:
- for the rounds from `rounds_kept_max` before the present one to `rounds_ahead_max` after it, the
  first prevote and the first precommit of each validator;
- beyond those, for each validator the one vote of its highest round, which counts only towards
  moving there (L55).
Whatever peers send, that is at most (kept + ahead + 1) * 2n + n votes. A vote that is not kept
comes again: honest validators repeat the votes of the round they stand in.
"""

from collections.abc import Iterable
from enum import Enum, auto

from consensus.certificates import QuorumCertificate, assemble
from consensus.evidence import Equivocation
from consensus.messages import SignedVote
from consensus.quorum import quorum, skip
from consensus.types import BlockId, FaultModel, Round, ValidatorId, VoteType
from consensus.validators import ValidatorSet


class Added(Enum):
    """What became of a vote."""

    IGNORED = auto()
    """Known, too old, of a stranger, or of an equivocator who has been reported."""

    COUNTED = auto()
    """No threshold was reached by it."""

    THRESHOLD = auto()
    """It is the one that reached a quorum or the honest threshold: said once for each."""

    PARKED = auto()
    """Too far ahead: kept in place of the validator's vote of a lower round."""

    PARKED_THRESHOLD = auto()
    """Likewise, and now the honest threshold stands beyond the rounds that are counted."""


class Tally:
    """The votes of one kind in one round."""

    __slots__ = ("_counts", "_quorum", "any_quorum", "block_quorum", "nil_quorum", "votes")

    def __init__(self, quorum_: int) -> None:
        """Start empty."""
        self._quorum = quorum_
        self._counts: dict[BlockId | None, int] = {}

        self.votes: dict[ValidatorId, SignedVote] = {}
        """The first vote of each validator."""

        self.any_quorum = False
        """A quorum has voted, for whatever."""

        self.block_quorum: BlockId | None = None
        """The block that a quorum has voted for: one at most, for quorums share a voter."""

        self.nil_quorum = False
        """A quorum has voted nil."""

    def add(self, signed: SignedVote) -> bool:
        """Count the first vote of its validator; say whether it reached a threshold."""
        block_id = signed.vote.block_id
        self.votes[signed.vote.validator] = signed
        count = self._counts.get(block_id, 0) + 1
        self._counts[block_id] = count
        reached = False
        if len(self.votes) == self._quorum:
            self.any_quorum = reached = True
        if count == self._quorum:
            reached = True
            if block_id is None:
                self.nil_quorum = True
            else:
                self.block_quorum = block_id
        return reached

    def certificate(self) -> QuorumCertificate:
        """Return the certificate of `block_quorum`, which there must be."""
        assert self.block_quorum is not None
        return assemble(s for s in self.votes.values() if s.vote.block_id == self.block_quorum)


class _RoundVotes:
    """The votes of one round."""

    __slots__ = ("precommits", "prevotes", "reported", "voters")

    def __init__(self, quorum_: int) -> None:
        self.prevotes = Tally(quorum_)
        self.precommits = Tally(quorum_)
        self.voters: set[ValidatorId] = set()
        """Who voted while the round was still ahead (L55)."""
        self.reported: set[tuple[VoteType, ValidatorId]] = set()
        """Whose equivocation has been reported."""


class VoteKeeper:
    """Counts what it is given; the driver asks what has been reached."""

    def __init__(
        self,
        *,
        validators: ValidatorSet,
        model: FaultModel,
        rounds_kept_max: int,
        rounds_ahead_max: int,
    ) -> None:
        """Start in round 0, empty."""
        self._validators = validators
        self._quorum = quorum(model, len(validators))
        self._skip = skip(model, len(validators))
        self._rounds_kept_max = rounds_kept_max
        self._rounds_ahead_max = rounds_ahead_max
        self._rounds: dict[Round, _RoundVotes] = {}
        self._parked: dict[ValidatorId, SignedVote] = {}
        self._nothing = Tally(self._quorum)
        self._current = Round(0)
        self._skip_round = Round(0)

    @property
    def skip_round(self) -> Round:
        """The highest round in which the honest threshold has voted while it was ahead."""
        return self._skip_round

    @property
    def parked(self) -> Iterable[SignedVote]:
        """The votes too far ahead to be counted, one a validator; those of a skip are its cause."""
        return self._parked.values()

    def prevotes(self, round_: Round) -> Tally:
        """Return the round's prevotes; none if nothing has come or it is long past."""
        votes = self._rounds.get(round_)
        return self._nothing if votes is None else votes.prevotes

    def precommits(self, round_: Round) -> Tally:
        """Return the round's precommits; none if nothing has come or it is long past."""
        votes = self._rounds.get(round_)
        return self._nothing if votes is None else votes.precommits

    def add(self, signed: SignedVote) -> Added | Equivocation:
        """Take a vote of this height; say what became of it.

        The first vote of a validator counts and stays; a second one that differs is returned
        with it as evidence, once for each round and kind.
        """
        vote = signed.vote
        if vote.validator not in self._validators:
            return Added.IGNORED
        if vote.round < self._current - self._rounds_kept_max:
            return Added.IGNORED
        if vote.round > self._current + self._rounds_ahead_max:
            return self._park(signed)
        votes = self._rounds.get(vote.round)
        if votes is None:
            votes = self._rounds[vote.round] = _RoundVotes(self._quorum)
        tally = votes.prevotes if vote.kind is VoteType.PREVOTE else votes.precommits
        first = tally.votes.get(vote.validator)
        if first is not None:
            mark = (vote.kind, vote.validator)
            if first.vote.block_id == vote.block_id or mark in votes.reported:
                return Added.IGNORED
            votes.reported.add(mark)
            return Equivocation(first=first, second=signed)
        reached = tally.add(signed)
        if vote.round > self._current and vote.validator not in votes.voters:
            votes.voters.add(vote.validator)
            if len(votes.voters) == self._skip:
                self._skip_round = max(self._skip_round, vote.round)
                reached = True
        return Added.THRESHOLD if reached else Added.COUNTED

    def go_to(self, round_: Round) -> None:
        """Take a higher round for the present one, and forget what is too far from it."""
        self._current = round_
        for old in [r for r in self._rounds if r < round_ - self._rounds_kept_max]:
            del self._rounds[old]
        # A vote that may be counted from now on will come again from whoever stands there.
        counted = round_ + self._rounds_ahead_max
        for validator in [v for v, s in self._parked.items() if s.vote.round <= counted]:
            del self._parked[validator]

    def _park(self, signed: SignedVote) -> Added:
        vote = signed.vote
        known = self._parked.get(vote.validator)
        if known is not None and known.vote.round >= vote.round:
            return Added.IGNORED
        self._parked[vote.validator] = signed
        if len(self._parked) < self._skip:
            return Added.PARKED
        # So many validators have reached the lowest of these rounds, one of them honest. They
        # need not have voted in the very same round, which they may never do while they move on.
        lowest = min(parked.vote.round for parked in self._parked.values())
        self._skip_round = max(self._skip_round, lowest)
        return Added.PARKED_THRESHOLD
