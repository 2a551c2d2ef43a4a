"""Validators that lie: whole nodes whose links say other things than the node did.

A liar's node works as ours does; its hand is on the frames that leave it, and it has the key. What
a liar does is drawn from `LIES`. All liars of a run conspire: they agree on who is told what.

=============  =====================================================================================
lie            what the others get
=============  =====================================================================================
`equivocate`   half of the honest a second, equally good block, and votes for it: another block time
               makes another block id. Votes for a block without a twin become votes for nil.
`withhold`     one victim no proposals, or no votes, or neither blocks nor transactions
`delay`        consensus messages up to two seconds late: a proposer just within the timeout
`invalid`      proposals whose form breaks one rule of blocks each: every field of the header, a
               transaction twice or too many, ids that are not the header's
`smuggle`      proposals, and blocks to catch up with, whose form is sound and whose contents break
               a rule; and to whoever asks, the transactions that go with them (`invalid`)
`forge`        claims of absurd heights and of memories; blocks, certificates, transactions,
               snapshots and their parts that are tampered with or withheld; votes in the names of
               others, of absurd rounds, with bad signatures
`malform`      frames that are no messages: cut, grown, flipped, random, empty
`stall`        votes for no block, but tells one victim in four rounds of a height that it does,
               which locks it; and its proposals, however late the round, are each another block, as
               full as the rules and its pool allow
=============  =====================================================================================
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from consensus.messages import Proposal, Vote, sign_bytes
from consensus.types import BlockId, Height, Round, ValidatorId, VoteType
from node.app import Node
from node.blocks import Header, block_id, decode_header
from node.codec import encode, replace
from node.genesis import Genesis
from node.keys import LocalSigner
from node.network import (
    BlockItem,
    Blocks,
    BlockTransactions,
    CertificateMessage,
    ChunkMessage,
    Handovers,
    Hello,
    Memory,
    ProposalMessage,
    ProposedBlock,
    RecentIdsMessage,
    Snapshots,
    Status,
    VoteMessage,
    WireLimits,
    WireMessage,
)
from node.network.errors import WireError
from node.network.messages import decode_message, encode_message
from node.network.transport import Link
from tests.chain.town import key
from tests.sim.invalid import INVALID, SMUGGLED, Contents, spoiled
from tests.sim.loop import SimLoop
from tests.sim.smuggler import Smuggler
from tests.sim.trace import Trace

_DRAWN: Final = ("equivocate", "withhold", "delay", "invalid", "forge", "malform")
LIES: Final = (*_DRAWN, "smuggle", "stall")
"""Every kind of lie."""
LOCKING_ROUNDS: Final = range(4, 8)
"""In these a victim hears the prevotes of who stalls: of four proposers one has one that counts."""
WAYS: Final[Mapping[str, tuple[str, ...]]] = {"invalid": INVALID, "smuggle": SMUGGLED}
"""Kinds that can be told in one way only: `invalid:parent`."""


class Conspiracy:
    """What the liars of one simulation have agreed on."""

    def __init__(
        self,
        genesis: Genesis,
        *,
        seed: object,
        trace: Trace,
        loop: SimLoop,
        lies: Sequence[str] | None,
        steady: bool,
        node_of: Callable[[str], Node | None],
    ) -> None:
        """Agree on nothing yet.

        Args:
            node_of: the node of a liar; None while it is down.
            lies: what they do; None lets the seed choose for each.
            steady: who is told what never changes: how a fork comes about, if one can.
        """
        self.genesis = genesis
        self.trace = trace
        self.loop = loop
        self.node_of = node_of
        self.counts: Counter[str] = Counter()
        self.twins: dict[bytes, bytes] = {}
        """The second block of a proposal, by the id of the first."""
        self._seed = seed
        self._lies = lies
        self._steady = steady
        self._sides: dict[str, int] = {}
        self._names: Mapping[bytes, str] = {}
        self.limits = WireLimits(
            block_size_max=genesis.blocks.size_bytes_max,
            block_transactions_max=genesis.blocks.transactions_max,
        )

    def plot(
        self, liars: Sequence[str], validators: Sequence[str], names: Mapping[bytes, str]
    ) -> None:
        """Divide the honest between the two stories; liars tell each other the first.

        Args:
            names: of nodes, by certificate.
        """
        self._names = names
        honest = [name for name in validators if name not in liars]
        self._sides = {name: place % 2 for place, name in enumerate(honest)}

    def name_of(self, certificate: bytes) -> str:
        """Return whose certificate this is."""
        return self._names.get(certificate, "")

    def second_story(self, peer: str, height: int) -> bool:
        """Whether this peer is told the second story at this height."""
        side = self._sides.get(peer)
        if side is None:
            return False
        return bool(side if self._steady else (side + height) % 2)

    def wrap(self, name: str) -> Callable[[Link], Link]:
        """Return what puts a liar's hand on its node's links."""
        chance = random.Random(f"{self._seed}/liar/{name}")
        apart = random.Random(f"{self._seed}/smuggler/{name}")
        lies = self._lies
        if lies is None:
            lies = [lie for lie in _DRAWN if chance.random() < 0.4] or ["equivocate"]
            # A later kind, with a chance of its own: who does not tell it lies as before.
            lies += ["smuggle"] if apart.random() < 0.4 else []
        self.trace.add(name, "lies", kinds=",".join(lies))
        liar = Liar(self, name, lies, chance, apart)
        return lambda link: LyingLink(link, liar, self.name_of(link.certificate))


class Liar:
    """One lying validator."""

    def __init__(
        self,
        conspiracy: Conspiracy,
        name: str,
        lies: Sequence[str],
        chance: random.Random,
        apart: random.Random,
    ) -> None:
        """Lie in these kinds.

        Args:
            apart: the chance of what it smuggles.
        """
        self.name = name
        kinds = [lie.partition(":") for lie in lies]
        self.lies: Mapping[str, str | None] = {kind: way or None for kind, _, way in kinds}
        """Kinds, each with the only way in which it is told, where there is one."""
        self.random = chance
        self._conspiracy = conspiracy
        self._key: LocalSigner = key(f"{name}/consensus/0")
        honest = [peer for peer in conspiracy._sides if peer != name]
        self._victim = chance.choice(honest) if honest else ""
        self._full: dict[int, tuple[Header, tuple[bytes, ...]]] = {}
        """What it has proposed in place of a smaller block, by round."""
        self._hides: tuple[type[WireMessage], ...] = chance.choice(
            (
                (ProposalMessage, ProposedBlock),
                (VoteMessage,),
                (Blocks, BlockTransactions),
                (VoteMessage, ProposalMessage, CertificateMessage),
            )
        )
        self._smuggler = Smuggler(
            conspiracy.genesis,
            name=name,
            victim=self._victim,
            signer=self._key,
            chance=apart,
            node=lambda: conspiracy.node_of(name),
            way=self.lies.get("smuggle"),
        )

    def told(self, lie: str) -> None:
        """Count a lie."""
        self._conspiracy.counts[lie] += 1

    def instead_of(self, frame: bytes, peer: str) -> tuple[float, list[bytes]]:
        """Return what a peer gets instead of a frame: after how many seconds, and which frames."""
        try:
            message = decode_message(frame, self._conspiracy.limits)
        except WireError:
            return 0.0, [frame]
        frames = [frame]
        if "equivocate" in self.lies:
            changed = self._equivocate(message, peer)
            if changed is not None:
                self.told("equivocate")
                message, frames = changed, [encode_message(changed)]
        if "stall" in self.lies:
            stalling = self._stall(message, peer)
            if stalling is not None:
                self.told("stall")
                frames = [encode_message(stalling)]
        if "invalid" in self.lies and self.random.random() < 0.5:
            broken = self._invalid(message)
            if broken is not None:
                self.told("invalid")
                frames = [encode_message(broken)]
        if "smuggle" in self.lies:
            smuggled = self._smuggle(message)
            if smuggled is not None:
                self.told("smuggle")
                frames = [encode_message(each) for each in smuggled]
        if "forge" in self.lies and self.random.random() < 0.1:
            forged = self._forge(message)
            if forged is not None:
                self.told("forge")
                frames = [encode_message(forged)]
        if "withhold" in self.lies and peer == self._victim and isinstance(message, self._hides):
            self.told("withhold")
            frames = []
        if "malform" in self.lies and self.random.random() < 0.005:
            self.told("malform")
            frames.append(self._malformed(frame))
        delay_s = 0.0
        if (
            "delay" in self.lies
            and isinstance(message, ProposalMessage | VoteMessage)
            and self.random.random() < 0.3
        ):
            self.told("delay")
            delay_s = self.random.choice((0.3, 0.59, 2.0)) * self.random.uniform(0.9, 1.0)
        return delay_s, frames

    # Two stories.

    def _equivocate(self, message: WireMessage, peer: str) -> WireMessage | None:
        match message:
            case ProposalMessage(proposer=self.name, valid_round=None):
                if self._conspiracy.second_story(peer, message.height):
                    return self._second_proposal(message)
            case VoteMessage(validator=self.name):
                if self._conspiracy.second_story(peer, message.height):
                    return self._second_vote(message)
            case _:
                pass
        return None

    def _second_proposal(self, message: ProposalMessage) -> ProposalMessage:
        header = decode_header(message.header)
        twin = replace(header, time_ms=header.time_ms + 1)
        self._conspiracy.twins[message.block_id] = block_id(twin)
        return self._propose(message, encode(twin), block_id(twin))

    def _second_vote(self, message: VoteMessage) -> VoteMessage | None:
        first = message.block_id
        if first is None:
            return None
        return self._vote(message, block_id=self._conspiracy.twins.get(first))

    def _vote(self, message: VoteMessage, *, block_id: bytes | None) -> VoteMessage:
        vote = Vote(
            kind=VoteType(message.vote_type),
            height=Height(message.height),
            round=Round(message.round),
            block_id=None if block_id is None else BlockId(block_id),
            validator=ValidatorId(self.name),
        )
        signature = self._key.sign(sign_bytes(vote, self._conspiracy.genesis.hash))
        return replace(message, block_id=block_id, signature=signature)

    def _propose(self, message: ProposalMessage, header: bytes, new_id: bytes) -> ProposalMessage:
        proposal = Proposal(
            height=Height(message.height),
            round=Round(message.round),
            block_id=BlockId(new_id),
            valid_round=None,
            proposer=ValidatorId(self.name),
        )
        signature = self._key.sign(sign_bytes(proposal, self._conspiracy.genesis.hash))
        return replace(
            message,
            block_id=new_id,
            valid_round=None,
            polka=None,
            signature=signature,
            header=header,
        )

    # Heights that do not end.

    def _stall(self, message: WireMessage, peer: str) -> WireMessage | None:
        match message:
            case VoteMessage(vote_type=1, round=round_) if (
                peer == self._victim and round_ in LOCKING_ROUNDS
            ):
                return None
            case VoteMessage(validator=self.name):
                return self._vote(message, block_id=None)
            case ProposalMessage(proposer=self.name, valid_round=None):
                header, ids = self._full_block(message)
                return replace(
                    self._propose(message, encode(header), block_id(header)),
                    transaction_ids=ids,
                    evidence=(),
                )
            case _:
                return None

    def _full_block(self, message: ProposalMessage) -> tuple[Header, tuple[bytes, ...]]:
        """Return what a block of this round would be if it were built in the first."""
        header = decode_header(message.header)
        node = self._conspiracy.node_of(self.name)
        assert node is not None
        if not self._full or header.height != next(iter(self._full.values()))[0].height:
            self._full.clear()
        if message.round not in self._full:
            limits = self._conspiracy.genesis.blocks
            built = node.chain.build(
                round=message.round,
                time_ms=header.time_ms,
                transactions=node.mempool.take(
                    count_max=limits.transactions_max, size_bytes_max=limits.size_bytes_max
                ),
            )
            self._full[message.round] = built.header, built.transaction_ids
        return self._full[message.round]

    # Blocks that no honest validator votes for.

    def _invalid(self, message: WireMessage) -> WireMessage | None:
        if not isinstance(message, ProposalMessage) or message.proposer != self.name:
            return None
        ids = message.transaction_ids
        way = self.lies["invalid"] or self.random.choice(INVALID)
        if way == "other-ids" or (way == "twice" and not ids):
            # Ids that are not the header's, repeated, or of nothing (adversarial 44).
            more = (*ids, self._noise(32))
            return replace(
                message,
                transaction_ids=self.random.choice((more, more[:1] * 2, more[:-1][::-1])),
            )
        contents = spoiled(message, way, noise=self._noise, victim=self._victim)
        return self._proposing(message, contents)

    def _smuggle(self, message: WireMessage) -> list[WireMessage] | None:
        if not isinstance(message, ProposalMessage):
            return self._smuggler.answers(message)
        contents = None
        if message.proposer == self.name:
            contents = self._smuggler.proposes(message)
        return None if contents is None else [self._proposing(message, contents)]

    def _proposing(self, message: ProposalMessage, contents: Contents) -> ProposalMessage:
        header = contents.header
        changed = self._propose(message, encode(header), block_id(header))
        return replace(
            changed, transaction_ids=contents.transaction_ids, evidence=contents.evidence
        )

    # What was never so.

    def _forge(self, message: WireMessage) -> WireMessage | None:
        match message:
            case Hello() | Status():
                far = self.random.choice((1, 5, 1_000, (1 << 63) - 2))
                return replace(message, height=min(message.height + far, (1 << 63) - 1))
            case VoteMessage():
                return self._forged_vote(message)
            case CertificateMessage():
                return replace(message, certificate=self._tampered(message.certificate))
            case BlockTransactions():
                raws = tuple(self._tampered(raw) for raw in message.raws)
                return replace(message, raws=self.random.choice(((), raws, raws[:1] * 2)))
            case ProposedBlock():
                ids = (*message.transaction_ids, self._noise(32))
                return replace(message, transaction_ids=ids)
            case Memory():
                return replace(
                    message,
                    height=message.height + self.random.choice((0, 1, 5)),
                    round=self.random.choice((0, message.round + 3)),
                    remembers=self.random.random() < 0.5,
                    begun=self.random.random() < 0.5,
                )
            case Snapshots(points=points) if points:
                bad_points = tuple(self._tampered(point) for point in points)
                return replace(message, points=self.random.choice(((), bad_points, points[::-1])))
            case ChunkMessage(chunk=chunk) if chunk:
                return replace(message, chunk=self.random.choice((None, self._tampered(chunk))))
            case Handovers(items=items) | RecentIdsMessage(items=items) if items:
                bad_items = tuple(self._tampered(item) for item in items)
                return replace(
                    message, items=self.random.choice((None, (), bad_items, items[::-1]))
                )
            case Blocks(items=items) if items:
                place = self.random.randrange(len(items))
                item = items[place]
                bad = self.random.choice(
                    (
                        BlockItem(block=self._tampered(item.block), certificate=item.certificate),
                        BlockItem(block=item.block, certificate=self._tampered(item.certificate)),
                        BlockItem(block=items[0].block, certificate=items[-1].certificate),
                    )
                )
                changed = (*items[:place], bad, *items[place + 1 :])
                return replace(
                    message,
                    items=self.random.choice((changed, (), items[::-1])),
                    from_height=message.from_height + self.random.choice((0, 0, 1)),
                )
            case _:
                return None

    def _forged_vote(self, message: VoteMessage) -> VoteMessage:
        match self.random.randrange(4):
            case 0:
                return replace(message, signature=self._noise(64))
            case 1:
                return replace(message, validator=self._victim or "nobody")
            case 2:
                absurd = replace(message, round=(1 << 31) - 1)
                return self._vote(absurd, block_id=message.block_id)
            case _:
                later = replace(message, height=message.height + self.random.choice((1, 1_000)))
                return self._vote(later, block_id=self._noise(32))

    def _malformed(self, frame: bytes) -> bytes:
        match self.random.randrange(5):
            case 0:
                return frame[: self.random.randrange(len(frame))]
            case 1:
                return frame + self._noise(1 + self.random.randrange(8))
            case 2:
                return self._tampered(frame)
            case 3:
                return self._noise(self.random.randrange(200))
            case _:
                return frame[:2] + b"\xdf\xff\xff\xff\xff"

    def _tampered(self, data: bytes) -> bytes:
        changed = bytearray(data)
        place = self.random.randrange(len(changed))
        changed[place] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def _noise(self, size: int) -> bytes:
        return self.random.randbytes(size)


class LyingLink:
    """A `Link` with a liar's hand on what leaves it."""

    def __init__(self, inner: Link, liar: Liar, peer: str) -> None:
        self._inner = inner
        self._liar = liar
        self._peer = peer

    @property
    def certificate(self) -> bytes:
        return self._inner.certificate

    @property
    def address(self) -> str:
        return self._inner.address

    async def send(self, frame: bytes) -> None:
        delay_s, frames = self._liar.instead_of(frame, self._peer)
        if delay_s > 0:
            await asyncio.sleep(delay_s)
        for each in frames:
            await self._inner.send(each)

    async def receive(self) -> bytes:
        return await self._inner.receive()

    async def close(self, reason: str) -> None:
        await self._inner.close(reason)
