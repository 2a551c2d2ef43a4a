"""What callers may cost a node, all together and each: the limits, and what is counted by them."""

from dataclasses import dataclass
from typing import Self

from node.clock import Clock
from node.rpc.allowances import Allowances
from node.rpc.bodies import LargeBodies
from node.rpc.limits import RpcLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits of one interface, and the accounts that are kept by them."""

    limits: RpcLimits
    allowances: Allowances
    """Calls, transactions and processor time, by caller."""
    held: LargeBodies
    """Large requests and answers that are under way."""

    @classmethod
    def of(cls, limits: RpcLimits, clock: Clock) -> Self:
        """Return what these limits give; nothing of it is used yet."""
        return cls(
            limits=limits,
            allowances=Allowances(limits, clock),
            held=LargeBodies.within(limits, clock.monotonic),
        )
