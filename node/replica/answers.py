"""Blocks that this node has asked for, and their transactions, as peers bring them."""

from node.network import BlockTransactions, ProposedBlock
from node.replica.bodies import body_of
from node.replica.deciding import Deciding
from node.replica.proposed import ProposedBlocks


class Answers:
    """Takes what was asked for. What nobody has asked for, or wants any more, is passed over."""

    def __init__(self, *, blocks: ProposedBlocks, deciding: Deciding) -> None:
        self._bodies = blocks.bodies
        self._obtaining = blocks.obtaining
        self._contents = blocks.contents
        self._deciding = deciding

    async def take_block(self, peer: str, message: ProposedBlock) -> None:
        """Take the compact form of a block, and judge the block if it is complete by that.

        Raises:
            BadMessage: it contradicts itself.
        """
        if self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        if self._bodies.get(message.block_id) is None:
            self._bodies.add(body_of(message))
        await self._deciding.pursue(message.block_id)

    async def take_transactions(self, peer: str, message: BlockTransactions) -> None:
        """Take transactions of a block, and judge the block if it is complete by that.

        Raises:
            BadMessage: one is unreadable, not signed, or not of this block.
        """
        body = self._bodies.get(message.block_id)
        if body is None or self._obtaining.get(message.block_id) is None:
            return
        self._obtaining.answered(message.block_id, peer)
        try:
            await self._contents.fill(body, message.raws)
        finally:
            await self._deciding.pursue(message.block_id)
