"""Values for the tests of blocks: headers, keys, votes, certificates."""

from collections.abc import Sequence

from consensus.certificates import QuorumCertificate
from consensus.messages import Proposal, SignedProposal, SignedVote, Vote, sign_bytes
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from consensus.validators import Validator, ValidatorSet
from node.blocks import Header
from node.keys import LocalSigner

NETWORK = bytes(range(32))
BLOCK = b"B" * 32
OTHER = b"O" * 32
NAMES = ("a", "b", "c", "d")


def key(name: str) -> LocalSigner:
    return LocalSigner(name.encode().ljust(32, b"\0"))


def make_validators(names: Sequence[str] = NAMES) -> ValidatorSet:
    return ValidatorSet(
        tuple(
            Validator(id=ValidatorId(name), public_key=key(name).public_key)
            for name in sorted(names)
        )
    )


def make_vote(
    name: str = "a",
    *,
    kind: VoteType = VoteType.PRECOMMIT,
    height: int = 7,
    round_: int = 2,
    block: bytes | None = BLOCK,
    signer: str | None = None,
    network: bytes = NETWORK,
) -> SignedVote:
    vote = Vote(
        kind=kind,
        height=Height(height),
        round=Round(round_),
        block_id=None if block is None else BlockId(block),
        validator=ValidatorId(name),
    )
    signature = key(signer or name).sign(sign_bytes(vote, network))
    return SignedVote(vote=vote, signature=Signature(signature))


def make_proposal(
    name: str = "a",
    *,
    height: int = 7,
    round_: int = 2,
    block: bytes = BLOCK,
    valid_round: int | None = None,
    polka: QuorumCertificate | None = None,
    signer: str | None = None,
) -> SignedProposal:
    proposal = Proposal(
        height=Height(height),
        round=Round(round_),
        block_id=BlockId(block),
        valid_round=None if valid_round is None else Round(valid_round),
        proposer=ValidatorId(name),
    )
    signature = key(signer or name).sign(sign_bytes(proposal, NETWORK))
    return SignedProposal(proposal=proposal, signature=Signature(signature), polka=polka)


def make_certificate(
    names: Sequence[str] = ("a", "b", "c"),
    *,
    kind: VoteType = VoteType.PRECOMMIT,
    height: int = 7,
    round_: int = 2,
    block: bytes = BLOCK,
    forged: Sequence[str] = (),
    network: bytes = NETWORK,
) -> QuorumCertificate:
    """Names in the order given; those in `forged` are signed with another key."""
    return QuorumCertificate(
        kind=kind,
        height=Height(height),
        round=Round(round_),
        block_id=BlockId(block),
        signatures=tuple(
            (
                ValidatorId(name),
                make_vote(
                    name,
                    kind=kind,
                    height=height,
                    round_=round_,
                    block=block,
                    signer="thief" if name in forged else None,
                    network=network,
                ).signature,
            )
            for name in names
        ),
    )


def make_header(
    *,
    height: int = 7,
    transaction_count: int = 0,
    transactions_root: bytes = bytes(32),
    evidence_root: bytes = bytes(32),
) -> Header:
    return Header(
        version=1,
        network=NETWORK[:8],
        height=height,
        round=2,
        time_ms=1_600_000_000_123,
        parent=b"P" * 32,
        proposer="b",
        transactions_root=transactions_root,
        receipts_root=b"R" * 32,
        evidence_root=evidence_root,
        state_root=b"S" * 32,
        validators_hash=b"V" * 32,
        next_validators_hash=b"N" * 32,
        parameters_hash=b"M" * 32,
        transaction_count=transaction_count,
    )
