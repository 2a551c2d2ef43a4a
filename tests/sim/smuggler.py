"""What a liar hides in blocks of sound form, and how it gets past those who look for it.

A proposal names transactions that nobody else has, and accuses whom it likes. Whoever asks for them
gets them: made up, with signatures that hold, or taken from blocks of long ago. Blocks are handed
on to those who catch up with other contents than were decided. The ways are listed in `invalid`.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Final

from consensus.evidence import Equivocation
from consensus.messages import SignedVote, Vote, sign_bytes
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.app import Node
from node.blocks import (
    BLOCK_EVIDENCE_MAX,
    Header,
    block_id,
    decode_block,
    decode_header,
    encode_block,
    encode_evidence,
    evidence_root,
    transactions_root,
)
from node.codec import replace
from node.genesis import Genesis
from node.keys import LocalSigner
from node.ledger.acts.governance.propose import Propose
from node.ledger.tables import PROPOSAL_SIZE_MAX
from node.ledger.transactions import (
    TransactionBody,
    decode_signed,
    network_of,
    transaction_id,
)
from node.ledger.units import TIME_MS_MAX
from node.network import (
    BlockItem,
    Blocks,
    BlockTransactions,
    ProposalMessage,
    VoteMessage,
    WireMessage,
)
from tests.chain.town import BANK, address_of, key, sign
from tests.sim.invalid import SMUGGLED, Contents

KEPT_MAX: Final = 16
"""So many blocks back does a liar still have the transactions that it made up."""
ANSWER_SIZE: Final = 1 << 20
"""Bytes of one answer; a block that is too large takes several."""
FLOOD: Final = 40
"""So many transactions are made up at most for one block, where they need not be large."""
STRANGER: Final = "stranger"
"""Whose key signs what is made up: anybody's is good enough for a signature that holds."""
HANDED_ON: Final = "handed-on"


class Smuggler:
    """What one liar hides in blocks of sound form."""

    def __init__(
        self,
        genesis: Genesis,
        *,
        name: str,
        victim: str,
        signer: LocalSigner,
        chance: random.Random,
        node: Callable[[], Node | None],
        way: str | None,
    ) -> None:
        """Hide nothing yet.

        Args:
            node: the liar's own, for what is in its chain and its pool; None while it is down.
            way: the only one that is gone; None: any.
        """
        self._genesis = genesis
        self._name = name
        self._victim = victim
        self._signer = signer
        self._random = chance
        self._node = node
        self._ways = SMUGGLED if way is None else (way,)
        self._salt = 0
        self._looked = 0
        """Up to this height has the liar looked for accusations."""
        self._was_shown: tuple[bytes, ...] = ()
        self._hidden: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        """Transactions by the id of the block that names them."""

    def proposes(self, message: ProposalMessage) -> Contents | None:
        """Return what a proposal of the liar says instead; None: as it is."""
        ways = [way for way in self._ways if not way.startswith(HANDED_ON)]
        if not ways or self._random.random() < 0.5:
            return None
        way = self._random.choice(ways)
        if way.startswith("accusing"):
            contents = self._accusing(message, way)
        else:
            contents = self._holding(message, way)
        if contents is not None:
            self._hide(message, contents)
        return contents

    def answers(self, message: WireMessage) -> list[WireMessage] | None:
        """Return what goes out in place of another message; None: as it is."""
        match message:
            case BlockTransactions(block_id=wanted) if wanted in self._hidden:
                return self._deliveries(wanted)
            case Blocks(items=items) if items:
                return self._handed_on(message)
            case VoteMessage(validator=self._name):
                return self._votes_twice(message)
            case _:
                return None

    # Transactions.

    def _holding(self, message: ProposalMessage, way: str) -> Contents | None:
        header = decode_header(message.header)
        count_max = self._genesis.blocks.transactions_max
        match way:
            case "stale":
                return self._stale(message, header)
            case "too-many":
                ids = tuple(self._random.randbytes(32) for _ in range(count_max + 1))
                return self._naming(message, header, ids, ())
            case "too-large":
                raws = self._bulk
                if len(raws) > count_max:
                    return None
            case "applied":
                raws = self._applied()
                if not raws:
                    return None
            case _:
                flood = self._random.randint(1, min(FLOOD, count_max))
                raws = tuple(self._made_up(header, way) for _ in range(flood))
        names = tuple(self._id_of(raw) for raw in raws)
        ids = tuple(each for each in message.transaction_ids if each not in names)
        return self._naming(message, header, (*ids[: count_max - len(names)], *names), raws)

    def _stale(self, message: ProposalMessage, header: Header) -> Contents | None:
        """Return the same a millisecond after its parent: far behind, where that is long ago."""
        node = self._node()
        if node is None:
            return None
        return Contents(
            header=replace(header, time_ms=node.chain.head.time_ms + 1),
            transaction_ids=message.transaction_ids,
            evidence=message.evidence,
        )

    def _naming(
        self,
        message: ProposalMessage,
        header: Header,
        ids: tuple[bytes, ...],
        raws: tuple[bytes, ...],
    ) -> Contents:
        return Contents(
            header=replace(
                header, transaction_count=len(ids), transactions_root=transactions_root(ids)
            ),
            transaction_ids=ids,
            evidence=message.evidence,
            made_up=raws,
        )

    @cached_property
    def _bulk(self) -> tuple[bytes, ...]:
        """Transactions that are too many bytes for any block; their time is long over."""
        content = self._random.randbytes(PROPOSAL_SIZE_MAX - 512)
        propose = Propose(account=address_of(BANK, STRANGER), operations=content, expires_ms=1)
        one = self._signed(valid_until_ms=1, operations=(propose, propose))
        count = self._genesis.blocks.size_bytes_max // len(one) + 1
        others = (
            self._signed(valid_until_ms=1, operations=(propose, propose)) for _ in range(1, count)
        )
        return (one, *others)

    def _applied(self) -> tuple[bytes, ...]:
        """Return transactions of some block of the liar's own chain."""
        node = self._node()
        if node is None:
            return ()
        head = node.chain.head.height
        block = node.chain.block(self._random.randint(max(1, head - 20), max(1, head)))
        count_max = self._genesis.blocks.transactions_max
        return () if block is None else block.transactions[:count_max]

    def _made_up(self, header: Header, way: str) -> bytes:
        if way == "expired":
            return self._signed(valid_until_ms=header.time_ms - 1)
        if way == "far-ahead":
            return self._signed(valid_until_ms=TIME_MS_MAX)
        assert way == "elsewhere"
        return self._signed(valid_until_ms=header.time_ms, network=self._random.randbytes(8))

    def _signed(
        self,
        *,
        valid_until_ms: int,
        network: bytes | None = None,
        operations: tuple[Propose, ...] | None = None,
    ) -> bytes:
        """Return a transaction whose signature holds."""
        self._salt += 1
        account = address_of(BANK, STRANGER)
        small = Propose(account=account, operations=b"\x90", expires_ms=1)
        body = TransactionBody(
            version=1,
            network=network or network_of(self._genesis.hash),
            valid_until_ms=valid_until_ms,
            salt=self._salt.to_bytes(8, "big"),
            signers=(key(STRANGER).public_key,),
            operations=operations or (small,),
            memo=self._name,
        )
        return sign(body, (STRANGER,), self._genesis.hash)

    def _id_of(self, raw: bytes) -> bytes:
        return transaction_id(self._genesis.hash, decode_signed(raw)[0].body)

    def _hide(self, message: ProposalMessage, contents: Contents) -> None:
        """Keep what whoever believes the proposal will ask for."""
        node = self._node()
        pool = None if node is None else node.mempool
        raws = []
        named = set(contents.transaction_ids)
        for each in message.transaction_ids:
            waiting = pool.get(each) if pool is not None and each in named else None
            if waiting is not None:
                raws.append(waiting.raw)
        self._hidden[block_id(contents.header)] = (*contents.made_up, *raws)
        if len(self._hidden) > KEPT_MAX:
            self._hidden.popitem(last=False)

    def _deliveries(self, wanted: bytes) -> list[WireMessage]:
        deliveries: list[WireMessage] = []
        pack: list[bytes] = []
        for raw in self._hidden[wanted]:
            if pack and sum(map(len, pack)) + len(raw) > ANSWER_SIZE:
                deliveries.append(BlockTransactions(block_id=wanted, raws=tuple(pack)))
                pack = []
            pack.append(raw)
        return [*deliveries, BlockTransactions(block_id=wanted, raws=tuple(pack))]

    # Evidence.

    def _accusing(self, message: ProposalMessage, way: str) -> Contents | None:
        header = decode_header(message.header)
        match way:
            case "accusing-in-noise":
                accusations = [self._random.randbytes(100)]
            case "accusing-unsigned":
                accusations = [self._accusation(header.height, of=self._victim)]
            case "accusing-a-stranger":
                accusations = [self._accusation(header.height, of="nobody")]
            case "accusing-early":
                accusations = [self._accusation(header.height + 1)]
            case "accusing-twice":
                accusations = [self._accusation(header.height) for _ in range(2)]
            case _:
                assert way == "accusing-again"
                accusations = list(self._shown())
                if not accusations:
                    return None
        evidence = (*accusations, *message.evidence)[:BLOCK_EVIDENCE_MAX]
        return Contents(
            header=replace(header, evidence_root=evidence_root(evidence)),
            transaction_ids=message.transaction_ids,
            evidence=evidence,
        )

    def _shown(self) -> tuple[bytes, ...]:
        """Return accusations that stand in some block of the liar's own chain."""
        node = self._node()
        head = 0 if node is None else node.chain.head.height
        while node is not None and not self._was_shown and self._looked < head:
            self._looked += 1
            block = node.chain.block(self._looked)
            self._was_shown = () if block is None else block.evidence
        return self._was_shown

    def _votes_twice(self, message: VoteMessage) -> list[WireMessage] | None:
        """Give the honest something to accuse the liar of."""
        if "accusing-again" not in self._ways or self._shown() or self._random.random() < 0.9:
            return None
        vote = self._vote(message.height, message.round, kind=VoteType(message.vote_type))
        other = replace(message, block_id=vote.vote.block_id, signature=vote.signature)
        return [message, other]

    def _accusation(self, height: int, *, of: str | None = None) -> bytes:
        """Return a double vote of this height; only the liar's own is truly signed."""
        first, second = (self._vote(height, 0, of=of) for _ in range(2))
        return encode_evidence(Equivocation(first=first, second=second))

    def _vote(
        self, height: int, round_: int, *, kind: VoteType = VoteType.PREVOTE, of: str | None = None
    ) -> SignedVote:
        """Return a vote for a block that nobody has seen."""
        vote = Vote(
            kind=kind,
            height=Height(height),
            round=Round(round_),
            block_id=BlockId(self._random.randbytes(32)),
            validator=ValidatorId(of or self._name),
        )
        data = sign_bytes(vote, self._genesis.hash)
        return SignedVote(vote=vote, signature=Signature(self._signer.sign(data)))

    # Blocks that were decided.

    def _handed_on(self, message: Blocks) -> list[WireMessage] | None:
        ways = [way for way in self._ways if way.startswith(HANDED_ON)]
        if not ways or self._random.random() < 0.5:
            return None
        place = self._random.randrange(len(message.items))
        item = message.items[place]
        changed = self._with_other_contents(item, self._random.choice(ways))
        if changed is None:
            return None
        items = (*message.items[:place], changed, *message.items[place + 1 :])
        return [replace(message, items=items)]

    def _with_other_contents(self, item: BlockItem, way: str) -> BlockItem | None:
        block = decode_block(item.block)
        match way:
            case "handed-on-short":
                if not block.transactions:
                    return None
                block = replace(block, transactions=block.transactions[:-1])
            case "handed-on-long":
                more = self._signed(valid_until_ms=block.header.time_ms)
                block = replace(block, transactions=(*block.transactions, more))
            case _:
                assert way == "handed-on-accusing"
                accusation = self._accusation(block.header.height)
                block = replace(block, evidence=(accusation, *block.evidence[1:]))
        return BlockItem(block=encode_block(block), certificate=item.certificate)
