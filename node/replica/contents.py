"""The transactions of others' blocks: authenticated, and held against the block that names them."""

from collections.abc import Sequence

from node.admission import Admission, AdmissionError
from node.blocks import Block
from node.chain import Chain, InvalidBlock
from node.mempool import AdmittedTransaction, Mempool
from node.metrics import Metrics
from node.replica.bodies import Body
from node.replica.events import Certified
from node.replica.gate import BadMessage, Fault


class Contents:
    """What comes in as bytes of transactions, whichever way, and leaves authenticated."""

    def __init__(
        self, *, chain: Chain, admission: Admission, mempool: Mempool, metrics: Metrics
    ) -> None:
        self._chain = chain
        self._admission = admission
        self._mempool = mempool
        self._stage = metrics.stages.admission

    async def authenticate(self, raws: Sequence[bytes]) -> list[AdmittedTransaction]:
        """Return transactions from outside, each signature verified once in this node's life.

        Raises:
            BadMessage: one is unreadable or not truly signed.
        """
        try:
            return await self._stage.of(self._admission.verify_block, raws)
        except AdmissionError as error:
            raise BadMessage(Fault.BAD_TRANSACTION, str(error)) from None

    async def look_ahead(self, blocks: Sequence[Block]) -> None:
        """Authenticate the transactions of these blocks before anybody asks for them."""
        raws = [raw for block in blocks for raw in block.transactions]
        await self._stage.of(self._admission.look_ahead, raws)

    async def fill(self, body: Body, raws: Sequence[bytes]) -> None:
        """Put into a block what it lacked; the pool gets of it what a client could bring now.

        Raises:
            BadMessage: as for `authenticate`, or the block does not name one. Those before it are
                in their places.
        """
        named, missing = set(body.transaction_ids), set(body.missing())
        for transaction in await self.authenticate(raws):
            if transaction.id not in named:
                raise BadMessage(Fault.UNASKED, f"transaction {transaction.id.hex()}")
            if transaction.id in missing:
                body.found[transaction.id] = transaction
                if self._admission.may_wait(transaction):
                    self._mempool.add(transaction)

    async def of_run(
        self, run: Sequence[Certified]
    ) -> tuple[list[list[AdmittedTransaction]], InvalidBlock | BadMessage | None]:
        """Return the transactions of each block up to the first whose contents are not its own, and
        why they are not.

        Before this node gives up a height for decided it must hold what was decided: a peer that
        shows a certificate, and not the block, would silence it where its vote is needed.
        """
        contents: list[list[AdmittedTransaction]] = []
        for block, _ in run:
            try:
                transactions = await self.authenticate(block.transactions)
                self._chain.check_contents(block.header, transactions, block.evidence)
            except (InvalidBlock, BadMessage) as error:
                return contents, error
            contents.append(transactions)
        return contents, None
