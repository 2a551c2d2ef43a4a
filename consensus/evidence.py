"""Equivocation: two signed messages of which an honest validator makes one.

Whoever holds both can show them to anybody who knows the validator's key. This room finds and
reports them; a block carries them; nobody is removed by a machine.
"""

from dataclasses import dataclass

from typing_extensions import override

from consensus.errors import InvalidValue
from consensus.messages import Proposal, SignedMessage, SignedProposal, SignedVote, Vote
from consensus.types import Height, Round, ValidatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivocation:
    """Two messages of one validator that contradict each other. Raises InvalidValue."""

    first: SignedMessage
    """The one seen first, which counts."""

    second: SignedMessage

    def __post_init__(self) -> None:
        """Check that the two conflict."""
        if not conflict(self.first, self.second):
            found = f"{self.first} and {self.second}"
            raise InvalidValue("equivocation", found, "two messages that conflict")

    @property
    def validator(self) -> ValidatorId:
        """The author of both."""
        if isinstance(self.first, SignedVote):
            return self.first.vote.validator
        return self.first.proposal.proposer

    @property
    def height(self) -> Height:
        """The height of both."""
        return _body(self.first).height

    @property
    def round(self) -> Round:
        """The round of both."""
        return _body(self.first).round

    @override
    def __str__(self) -> str:
        """Return e.g. `prevote 12/0 ab12cd34 by x, prevote 12/0 nil by x`."""
        return f"{self.first}, {self.second}"


def conflict(first: SignedMessage, second: SignedMessage) -> bool:
    """Say whether both have one author, kind, height and round but do not say the same.

    The same words under two signatures are no conflict. A proposal says its valid round too: the
    same block with two valid rounds is two proposals.
    """
    if isinstance(first, SignedVote) and isinstance(second, SignedVote):
        one, other = first.vote, second.vote
        return (
            one.validator == other.validator
            and one.kind is other.kind
            and one.round == other.round
            and one.height == other.height
            and one.block_id != other.block_id
        )
    if isinstance(first, SignedProposal) and isinstance(second, SignedProposal):
        this, that = first.proposal, second.proposal
        return (
            this.proposer == that.proposer
            and this.round == that.round
            and this.height == that.height
            and this != that
        )
    return False


def _body(signed: SignedMessage) -> Proposal | Vote:
    return signed.vote if isinstance(signed, SignedVote) else signed.proposal
