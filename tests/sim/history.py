"""What clients saw, held against the one order that the blocks give: is it linearizable?

The sequential specification is the ledger (`Model`), its order that of the chain: height, then
index. Given the order, a history is linearizable when every answer is what the ledger says at its
place, and no answer contradicts real time. That is checked as each answer comes:

- a transaction that was told final stands where it was told to stand, with the receipt it was told;
- it stands behind everything that had been told final, to anyone, before it was first sent;
- a read through a node shows the ledger after one block, whole: what the account held then;
- that block is not before one which this node had shown or told of before the read began, and not
  one that nobody has committed.

Reads through different nodes may show different blocks: a node tells what it has, and Khazana
promises no more. Who wants to see its own write asks the node that told of it, or waits for the
height.
"""

from collections import Counter
from collections.abc import Callable

from node.ledger.tables import HoldingRecord
from tests.sim.model import Model


class History:
    """All that clients have sent and heard in one run."""

    def __init__(self, model: Model, fail: Callable[[str, str], None]) -> None:
        """Begin with nothing seen.

        Args:
            fail: told the rule and what was found.
        """
        self._model = model
        self._fail = fail
        self._told_height = 0
        """The highest block of which anything was told final to anyone."""
        self._after: dict[bytes, int] = {}
        """The height that each transaction must be above."""
        self._shown: dict[str, int] = {}
        """The highest block that each node has shown since it last lost what it had."""
        self._losses: Counter[str] = Counter()
        self.reads = 0

    def lost(self, node: str) -> None:
        """Note that a node has lost what it had: it may show older blocks again."""
        self._shown.pop(node, None)
        self._losses[node] += 1

    def sending(self, tx_id: bytes) -> None:
        """Note that a transaction is on its way to a node, unless it was before."""
        self._after.setdefault(tx_id, self._told_height)

    def included(self, tx_id: bytes, height: int) -> None:
        """Hold a block to the real time of what is in it."""
        after = self._after.get(tx_id, 0)
        if height <= after:
            self._fail(
                "real-time",
                f"{tx_id.hex()} is in block {height}, and was sent after block {after} was told",
            )

    def told_final(self, node: str, since: tuple[int, int], height: int) -> None:
        """Note that a node has told a client, who began to ask at `since`, of what is final."""
        self._told_height = max(self._told_height, height)
        self._has_shown(node, since, height)

    def asking(self, node: str) -> tuple[int, int]:
        """Begin to ask a node; return what `read` and `told_final` want to know at the end."""
        return self._losses[node], self._shown.get(node, 0)

    def read(
        self,
        node: str,
        since: tuple[int, int],
        height: int,
        key: bytes,
        found: HoldingRecord | None,
    ) -> None:
        """Hold a node to what it showed of a holding, after the block of this height."""
        self.reads += 1
        losses, shown = since
        # A node that was wiped while the question was on its way has begun anew.
        if height < shown and losses == self._losses[node]:
            self._fail("read", f"{node} showed block {height}, after it had shown {shown}")
        if height > self._model.height:
            self._fail("read", f"{node} showed block {height}, which nobody has committed")
            return
        expected = self._model.held_at(key, height)
        if found != expected:
            self._fail(
                "read", f"{node} showed {found} for {key.hex()} after {height}, not {expected}"
            )
        self._has_shown(node, since, height)

    def _has_shown(self, node: str, since: tuple[int, int], height: int) -> None:
        # An answer on its way while the node lost what it had binds only what was lost.
        if since[0] == self._losses[node]:
            self._shown[node] = max(self._shown.get(node, 0), height)
