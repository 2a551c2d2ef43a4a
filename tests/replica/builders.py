"""Values for the replica's tests, with defaults: keys, validators, votes, certificates."""

from consensus.messages import (
    Proposal,
    QuorumCertificate,
    SignedProposal,
    SignedVote,
    Vote,
    sign_bytes,
)
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from consensus.validators import Validator, ValidatorSet
from node.keys import LocalSigner

NETWORK = bytes(range(32))
NAMES = ("a", "b", "c", "d", "e", "f", "g")
BLOCK = BlockId(b"B" * 32)
OTHER = BlockId(b"O" * 32)


def signer(name: str) -> LocalSigner:
    return LocalSigner(name.encode().ljust(32, b"\0"))


def make_validators(count: int = 4) -> ValidatorSet:
    return ValidatorSet(
        tuple(
            Validator(id=ValidatorId(name), public_key=signer(name).public_key)
            for name in NAMES[:count]
        )
    )


def vote(
    name: str = "a",
    *,
    kind: VoteType = VoteType.PREVOTE,
    height: int = 1,
    round_: int = 0,
    block: BlockId | None = BLOCK,
) -> Vote:
    return Vote(
        kind=kind,
        height=Height(height),
        round=Round(round_),
        block_id=block,
        validator=ValidatorId(name),
    )


def sign_vote(unsigned: Vote, *, key: str | None = None, network: bytes = NETWORK) -> SignedVote:
    signature = signer(key or unsigned.validator).sign(sign_bytes(unsigned, network))
    return SignedVote(vote=unsigned, signature=Signature(signature))


def proposal(
    name: str = "b",
    *,
    height: int = 1,
    round_: int = 0,
    block: BlockId = BLOCK,
    valid_round: int | None = None,
) -> Proposal:
    """At height 1, round 0 it is the turn of "b"."""
    return Proposal(
        height=Height(height),
        round=Round(round_),
        block_id=block,
        valid_round=None if valid_round is None else Round(valid_round),
        proposer=ValidatorId(name),
    )


def sign_proposal(
    unsigned: Proposal, *, key: str | None = None, polka: QuorumCertificate | None = None
) -> SignedProposal:
    signature = signer(key or unsigned.proposer).sign(sign_bytes(unsigned, NETWORK))
    return SignedProposal(proposal=unsigned, signature=Signature(signature), polka=polka)


def certificate(
    names: str = "abc",
    *,
    kind: VoteType = VoteType.PRECOMMIT,
    height: int = 1,
    round_: int = 0,
    block: BlockId = BLOCK,
    forged: str = "",
) -> QuorumCertificate:
    """Votes of these validators; those in `forged` are signed with another key."""
    return QuorumCertificate(
        kind=kind,
        height=Height(height),
        round=Round(round_),
        block_id=block,
        signatures=tuple(
            (
                ValidatorId(name),
                sign_vote(
                    vote(name, kind=kind, height=height, round_=round_, block=block),
                    key="thief" if name in forged else None,
                ).signature,
            )
            for name in names
        ),
    )
