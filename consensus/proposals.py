"""The proposals of one height by round, and what the application thinks of their blocks.

The first proposal of a round counts; another one is evidence. That a proposal is its round's
proposer's, and not too far ahead, the driver has checked.
"""

from collections.abc import Set
from enum import Enum, auto

from consensus.evidence import Equivocation
from consensus.messages import SignedProposal
from consensus.types import BlockId, Round


class Stored(Enum):
    """What became of a proposal."""

    NEW = auto()
    KNOWN = auto()


class Verdict(Enum):
    """How far the judgement of a block has come."""

    NOT_ASKED = auto()

    ASKED = auto()

    ASKED_IGNORING_CLOCK = auto()

    VALID = auto()
    """Final."""

    REFUSED = auto()
    """Invalid when it was judged by the clock too: enough to prevote nil, not to stop the node."""

    INVALID = auto()
    """Invalid by everything but the clock. Final."""


class ProposalKeeper:
    """Holds one proposal a round, and one verdict a block."""

    def __init__(self) -> None:
        """Start empty."""
        self._proposals: dict[Round, SignedProposal] = {}
        self._reported: set[Round] = set()
        self._verdicts: dict[BlockId, Verdict] = {}

    def get(self, round_: Round) -> SignedProposal | None:
        """Return the round's proposal, if it has come."""
        return self._proposals.get(round_)

    def add(self, signed: SignedProposal) -> Stored | Equivocation:
        """Take a proposal; say what became of it.

        A known one that now brings the prevotes of its valid round takes the place of the one
        that did not. Evidence is returned once a round.
        """
        round_ = signed.proposal.round
        first = self._proposals.get(round_)
        if first is not None and first.proposal != signed.proposal:
            if round_ in self._reported:
                return Stored.KNOWN
            self._reported.add(round_)
            return Equivocation(first=first, second=signed)
        if first is not None and (first.polka is not None or signed.polka is None):
            return Stored.KNOWN
        self._proposals[round_] = signed
        return Stored.NEW

    @property
    def blocks(self) -> Set[BlockId]:
        """The blocks that the application was asked about, or built, and that are not forgotten."""
        return self._verdicts.keys()

    def verdict(self, block_id: BlockId) -> Verdict:
        """Return what is known about the block."""
        return self._verdicts.get(block_id, Verdict.NOT_ASKED)

    def mark_valid(self, block_id: BlockId) -> None:
        """Take a block that our own application built."""
        self._verdicts[block_id] = Verdict.VALID

    def ask(self, block_id: BlockId, *, ignore_clock: bool) -> bool:
        """Say whether the application must be asked (again), and remember that it was."""
        known = self.verdict(block_id)
        if known is Verdict.NOT_ASKED or (
            ignore_clock and known in (Verdict.ASKED, Verdict.REFUSED)
        ):
            asked = Verdict.ASKED_IGNORING_CLOCK if ignore_clock else Verdict.ASKED
            self._verdicts[block_id] = asked
            return True
        return False

    def answer(self, block_id: BlockId, *, valid: bool, ignore_clock: bool) -> bool:
        """Take the application's answer; say whether it told anything new.

        The first final answer stays: what a signature rested on must not change under it.
        """
        known = self.verdict(block_id)
        asked = known in (Verdict.ASKED, Verdict.ASKED_IGNORING_CLOCK)
        if valid and (asked or known is Verdict.REFUSED):
            self._verdicts[block_id] = Verdict.VALID
        elif asked and not valid and ignore_clock:
            self._verdicts[block_id] = Verdict.INVALID
        elif known is Verdict.ASKED and not valid:
            self._verdicts[block_id] = Verdict.REFUSED
        else:
            return False
        return True

    def forget(self, before: Round, keep: Set[BlockId | None]) -> None:
        """Drop the proposals of earlier rounds, and verdicts on blocks neither kept nor in use."""
        for old in [r for r in self._proposals if r < before]:
            del self._proposals[old]
        self._reported = {r for r in self._reported if r >= before}
        used = keep | {signed.proposal.block_id for signed in self._proposals.values()}
        self._verdicts = {b: v for b, v in self._verdicts.items() if b in used}
