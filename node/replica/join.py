"""From which height on a key may sign whose log does not say what it signed before.

A log can be lost with its disk, or come back as an old copy. Then this node does not know what it
signed, and must not sign where it may have signed (adversarial 29, 68). What it can know: it voted
at height S only after S - 1 was decided, so a quorum precommitted S - 1, and everyone in that
quorum had committed S - 2 by then. Any quorum heard now shares an honest validator with that one.
So once a quorum of the others has told its height and this node has caught up with all of them, at
head H, nothing was ever signed above H + 2.

Peers may lie about their height. A height too low cannot hide that of an honest peer heard with it;
one too high delays until sync finds the peer unable to serve it and strikes the claim.

Before the first block the rule would let nobody begin. A log that was born with its key (`Born`)
and never signed may sign from height 1 on once a quorum, itself included, has said that it stands
at the genesis too; it asks because `khazana init` can be run again over a lost disk with an old
key. Without such a log, as on a new volume with keys from elsewhere, all the others must say so:
then nothing was ever decided, and at worst this node contradicts its own first votes, which is one
fault, and the network survives one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from consensus.quorum import quorum
from consensus.types import FaultModel

MARGIN: Final = 2
"""Heights above the joined head that may have been signed; see above."""


def floor_of_fresh(
    others: Sequence[str], claims: Mapping[str, int], *, model: FaultModel
) -> int | None:
    """Return 0 if a network that begins has gathered, None while too few were heard.

    Args:
        others: the validators beside this node.
        claims: the height each connected peer says it has committed.

    The caller has seen that no claim is above 0.
    """
    heard = sum(1 for name in others if name in claims)
    # This node's own voice is part of the first quorum.
    return 0 if heard + 1 >= quorum(model, len(others) + 1) else None


def floor_of_returning(
    others: Sequence[str], claims: Mapping[str, int], *, head: int, model: FaultModel
) -> int | None:
    """Return the last height that may have been signed, None while it cannot be known.

    Args:
        others: the validators beside this node, in the set that rules after `head`.
        claims: the height each connected peer says it has committed.
        head: what this node has committed.
    """
    if not others:
        # Alone on its network, it can contradict nobody.
        return head
    heard = [claims[name] for name in others if name in claims]
    if head == 0 and len(heard) == len(others) and max(heard) == 0:
        return 0
    # Where no fault is survived the others are fewer than a quorum: then all of them.
    if len(heard) < min(quorum(model, len(others) + 1), len(others)):
        return None
    return head + MARGIN if max(heard) <= head else None
