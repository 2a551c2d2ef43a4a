"""The blocks that are proposed at the height at hand: wanted, put together, judged, and forgotten.

Each part knows one of these: `obtaining` what is asked for, `bodies` what is held, `contents` what
comes as bytes of transactions, `workshop` what is built and judged. Here they are in one hand.
"""

from collections.abc import Callable, Mapping, Set

from consensus.effects import ValidateBlock
from consensus.inputs import BlockValidated
from consensus.types import BlockId, Height
from node.blocks import decode_block
from node.chain import Chain
from node.log import Logger
from node.replica.bodies import Bodies
from node.replica.contents import Contents
from node.replica.obtaining import Obtaining
from node.replica.parts import ReplicaParts
from node.replica.workshop import Workshop


class ProposedBlocks:
    """The blocks of one height after the other, and the parts that know of them."""

    def __init__(
        self,
        *,
        chain: Chain,
        bodies: Bodies,
        obtaining: Obtaining,
        contents: Contents,
        workshop: Workshop,
    ) -> None:
        """Store what is given; all of them know the same bodies."""
        self._chain = chain
        self.bodies = bodies
        self.obtaining = obtaining
        self.contents = contents
        self.workshop = workshop

    @classmethod
    def of(
        cls, parts: ReplicaParts, *, retry: Callable[[bytes], None], log: Logger
    ) -> "ProposedBlocks":
        """Return the blocks of this replica; there is none yet.

        Args:
            retry: called with a block id when its peer has not answered in time.
        """
        chain, mempool, metrics, limits = parts.chain, parts.mempool, parts.metrics, parts.limits
        bodies = Bodies()
        return cls(
            chain=chain,
            bodies=bodies,
            obtaining=Obtaining(
                wire=parts.wire,
                mempool=mempool,
                bodies=bodies,
                retry=retry,
                timeout_s=limits.fetch_timeout_ms / 1000,
                patience_s=limits.patience_ms / 1000,
                size_bytes_max=chain.genesis.blocks.size_bytes_max,
                metrics=metrics,
            ),
            contents=Contents(
                chain=chain, admission=parts.admission, mempool=mempool, metrics=metrics
            ),
            workshop=Workshop(
                chain=chain,
                mempool=mempool,
                bodies=bodies,
                clock=parts.clock,
                metrics=metrics,
                log=log,
            ),
        )

    def want(self, effect: ValidateBlock) -> BlockValidated | None:
        """Note that the engine waits for a block; return its verdict if it is complete already."""
        proposer = self._chain.validators.proposer(effect.height, effect.round).id
        self.obtaining.want(
            effect.block_id,
            height=effect.height,
            proposer=proposer,
            ignore_clock=effect.ignore_clock,
        )
        return self.judged(effect.block_id)

    def judged(self, block_id: bytes) -> BlockValidated | None:
        """Judge a block that is wanted and complete by now; None: it is not."""
        wanted = self.obtaining.get(block_id)
        body = None if wanted is None else self.obtaining.obtain(block_id)
        if wanted is None or body is None:
            return None
        self.obtaining.done(block_id)
        return BlockValidated(
            height=Height(self._chain.head.height + 1),
            block_id=BlockId(block_id),
            valid=self.workshop.is_valid(body, ignore_clock=wanted.ignore_clock),
            ignore_clock=wanted.ignore_clock,
        )

    async def restore(self, logged: Mapping[bytes, bytes], wanted: Set[bytes]) -> None:
        """Have those bodies again that the log holds, and that may still count.

        Args:
            logged: the bytes of blocks, by id.
            wanted: the ids of those that may still count.
        """
        for block_id, data in logged.items():
            if block_id not in wanted:
                continue
            block = decode_block(data)
            transactions = await self.contents.authenticate(block.transactions)
            self.workshop.keep_whole(block, transactions)

    def keep(self, block_ids: Set[bytes]) -> None:
        """Forget all blocks but these: their rounds are long past, and a height may take days."""
        self.obtaining.keep(block_ids)
        self.bodies.keep(block_ids)
        self.workshop.keep(block_ids)

    def clear(self) -> None:
        """Forget all blocks, and ask for none: the height is over."""
        self.obtaining.clear()
        self.bodies.clear()
