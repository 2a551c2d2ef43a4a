"""A peer whose strings the test pulls: a real link under a member's identity, nothing behind it.

It has the member's keys, so it can say whatever that member could: also what no honest one would.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import TypeVar

from consensus.messages import Proposal, Vote, sign_bytes
from consensus.types import BlockId, Height, Round, ValidatorId, VoteType
from node.blocks import block_id
from node.chain import Candidate
from node.codec import encode
from node.keys.development import development_signer
from node.log import silent_log
from node.metrics import Metrics
from node.network import (
    Forgot,
    Introduction,
    Memory,
    Network,
    Observer,
    ProposalMessage,
    VoteMessage,
    WireMessage,
)
from tests.app.cluster import Cluster

MessageT = TypeVar("MessageT")


class Puppet:
    """One member's end of its links."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self.height = 0
        """What its Hello claims; set it before linking."""
        self.heard: list[tuple[str, WireMessage]] = []
        self.answer: Callable[[str, WireMessage], None] = lambda _peer, _message: None
        """Called with each message, after it was noted."""
        self._begun: set[str] = set()
        """Of whom it has taken note that they begin to sign."""
        self._cluster = cluster
        self._signer = development_signer(f"{name}/consensus")
        self._genesis_hash = cluster.genesis.hash
        self.network = Network(
            Introduction(name=name, genesis_hash=cluster.genesis.hash, height=lambda: self.height),
            transport=cluster.net.transport(
                cluster.address(name), cluster.founded.keys[name].tls_certificate
            ),
            addresses={
                other: cluster.address(other) for other in cluster.machines if other != name
            },
            observers=[
                Observer(name=other, tls_certificate=keys.tls_certificate)
                for other, keys in cluster.founded.keys.items()
                if keys.public_key is None
            ],
            log=silent_log(),
            metrics=Metrics(),
            random=Random(name),
        )
        self.network.set_validators(cluster.genesis.record.validators)

    def connected(self, peer: str) -> None:
        del peer

    def disconnected(self, peer: str) -> None:
        del peer

    async def received(self, peer: str, message: WireMessage) -> None:
        self.heard.append((peer, message))
        if isinstance(message, Forgot):
            self._take_note(peer, message)
        self.answer(peer, message)

    def _take_note(self, peer: str, message: Forgot) -> None:
        """Note that a validator begins to sign, as everybody does before the first block."""
        if message.begins:
            self._begun.add(peer)
        begun = peer in self._begun or self.height > 0
        memory = Memory(height=self.height, remembers=True, round=0, begun=begun)
        self.network.send(peer, memory)

    def of_kind(self, kind: type[MessageT]) -> list[MessageT]:
        """Return what was heard of one kind."""
        return [message for _, message in self.heard if isinstance(message, kind)]

    async def linked(self, count: int) -> None:
        """Let virtual time pass until there are so many links."""
        await self._cluster.until(lambda: len(self.network.peers()) >= count)

    def vote(
        self,
        block: bytes | None,
        *,
        kind: VoteType = VoteType.PREVOTE,
        height: int = 1,
        round_: int = 0,
        network: bytes | None = None,
        name: str | None = None,
    ) -> VoteMessage:
        """Return a vote signed with this member's key; in another's name if asked to."""
        vote = Vote(
            kind=kind,
            height=Height(height),
            round=Round(round_),
            block_id=None if block is None else BlockId(block),
            validator=ValidatorId(name or self.name),
        )
        return VoteMessage(
            vote_type=int(kind),
            height=height,
            round=round_,
            block_id=block,
            validator=name or self.name,
            signature=self._signer.sign(sign_bytes(vote, network or self._genesis_hash)),
        )

    def proposal(self, candidate: Candidate, **changes: object) -> ProposalMessage:
        """Return a proposal of this block, with fields replaced before or after signing.

        Header fields are changed before: the block id follows. The rest is changed after.
        """
        header = candidate.header
        in_header = {k: v for k, v in changes.items() if hasattr(header, k)}
        for key, value in in_header.items():
            header = _replaced(header, key, value)
        proposal = Proposal(
            height=Height(header.height),
            round=Round(0),
            block_id=BlockId(block_id(header)),
            valid_round=None,
            proposer=ValidatorId(self.name),
        )
        message = ProposalMessage(
            height=header.height,
            round=0,
            block_id=block_id(header),
            valid_round=None,
            proposer=self.name,
            signature=self._signer.sign(sign_bytes(proposal, self._genesis_hash)),
            polka=None,
            header=encode(header),
            transaction_ids=candidate.transaction_ids,
            evidence=candidate.block.evidence,
        )
        for key, value in changes.items():
            if key not in in_header:
                message = _replaced(message, key, value)
        return message


RecordT = TypeVar("RecordT")


def _replaced(record: RecordT, key: str, value: object) -> RecordT:
    fields = type(record).__struct_fields__  # type: ignore[attr-defined]
    values = {name: getattr(record, name) for name in fields}
    values[key] = value
    return type(record)(**values)


@asynccontextmanager
async def puppet(cluster: Cluster, name: str, *, height: int = 0) -> AsyncIterator[Puppet]:
    """Yield a puppet in this member's place; its links come about while it is there."""
    result = Puppet(cluster, name)
    result.height = height
    task = cluster.tasks.create_task(result.network.run(result), name=f"puppet-{name}")
    await result.network.wait_started()
    try:
        yield result
    finally:
        result.network.stop()
        await asyncio.wait([task])
