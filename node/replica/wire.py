"""What the engine says, as messages to peers; and the seam to whatever carries them."""

from typing import Protocol

from consensus.certificates import QuorumCertificate
from consensus.messages import SignedProposal, SignedVote
from node.blocks import encode_certificate
from node.codec import encode
from node.network import (
    CertificateMessage,
    PeerView,
    ProposalMessage,
    VoteMessage,
    WireMessage,
)
from node.replica.bodies import Body


class Wire(Protocol):
    """The part of `node.network.Network` that the replica and sync use."""

    def broadcast(self, message: WireMessage, *, observers: bool = False) -> int:
        """Queue a message for every connected validator; return how many will get it."""
        ...

    def send(self, peer: str, message: WireMessage) -> bool:
        """Queue a message for one peer; return whether it will be sent if the link lives."""
        ...

    def peers(self) -> tuple[PeerView, ...]:
        """Return the connected peers, by name."""
        ...

    def punish(self, peer: str, reason: str) -> None:
        """Hold something against a peer."""
        ...


def vote_message(signed: SignedVote) -> VoteMessage:
    """Return the wire form of a vote."""
    vote = signed.vote
    return VoteMessage(
        vote_type=int(vote.kind),
        height=vote.height,
        round=vote.round,
        block_id=vote.block_id,
        validator=vote.validator,
        signature=signed.signature,
    )


def proposal_message(signed: SignedProposal, body: Body) -> ProposalMessage:
    """Return the wire form of a proposal of this block."""
    proposal = signed.proposal
    assert body.block_id == proposal.block_id
    return ProposalMessage(
        height=proposal.height,
        round=proposal.round,
        block_id=proposal.block_id,
        valid_round=proposal.valid_round,
        proposer=proposal.proposer,
        signature=signed.signature,
        polka=None if signed.polka is None else encode_certificate(signed.polka),
        header=encode(body.header),
        transaction_ids=body.transaction_ids,
        evidence=body.evidence,
    )


def certificate_message(certificate: QuorumCertificate) -> CertificateMessage:
    """Return the wire form of a commit certificate."""
    return CertificateMessage(
        height=certificate.height,
        block_id=certificate.block_id,
        certificate=encode_certificate(certificate),
    )
