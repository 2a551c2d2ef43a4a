"""When a key may sign for the first time, on a network that has no block yet.

A log that holds nothing but its birth is what `khazana init` makes, and also what a backup from
that day puts back later, with a key that has voted since. An empty log is on a new volume, and on
one that was lost. Nothing on the machine tells the two apart, nor do heights before the first
block. So others must know of it before anything is signed:

1. It asks every validator whether that one has taken note of its beginning (`Forgot`, `Memory`).
2. Where so many have not that they and this node are a quorum, it begins: its own log says so, and
   then it tells them.
3. Each of them takes note for good (`Begun`), and then says so. Once they and this node are a
   quorum, it signs.

Whoever is stopped on the way finds in its log that it has begun, and goes on with the third step.

What that proves. Of n validators, q are a quorum, and f = n - q faults are survived. Before it
signed for the first time, q - 1 others had taken note. A log put back begins again only where q - 1
others have not. Of two sets of q - 1 among n - 1 others at least 2q - n - 1 are in both, and where
two quorums share more members than can lie (3q > 2n) that is f or more. So f of the others would
have to lie, or to have lost what they noted; with the one put back that is one fault more than is
survived. A vote that was under way, or that nobody has kept, does not matter: what counts was noted
before there was any. In the `crash` model, where 2q > n, one validator is in both if n is even; if
n is odd there need be none, and it holds only where one who took note is among those heard.

Who has lost what it noted counts as faulty until those who have begun have told it again: each of
them tells it to whoever connects, as long as there is no block.

Where more than f others have taken note, one of them is honest: this key has begun before, and may
have signed. Then it is a validator that has forgotten (`join`). With fewer, the rest are enough for
the second step once they are heard, so that no f liars keep a new validator out. Where all were
heard, it is always one or the other.

A log without its birth waits until all others were heard: keys from elsewhere are more often old.

Whose log stands above height 1 without a block (its database was lost) has no notes of that height
any more, and says of everybody that it has begun. With the first block all this is over: nobody
begins here any more, and heights tell what is to be known (`join`).
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import TypeAlias

from consensus.quorum import faults_survived, quorum
from consensus.types import FaultModel
from node.network import Memory
from node.replica.join import Waiting


class Step(Enum):
    """What a validator does next whose log says that it has signed nothing."""

    ANNOUNCE = auto()
    """It says that it begins, first in its log and then to the others."""
    SIGN = auto()
    """It may sign from height 1 on."""
    REMEMBER = auto()
    """It has begun before, and has to find out what it may have signed."""


Beginning: TypeAlias = Step | Waiting


def way_of_beginning(
    others: Sequence[str],
    claims: Mapping[str, int],
    memories: Mapping[str, Memory],
    *,
    born: bool,
    announced: bool,
    model: FaultModel,
) -> Beginning:
    """Return what a validator does next that has no block and has signed nothing, says its log.

    Args:
        others: the validators of the genesis beside this node.
        claims: the height each connected validator says it has committed.
        memories: the last answer of each since this node started.
        born: whether the log holds its birth.
        announced: whether it says that this node has begun.
    """
    if any(height > 0 for height in claims.values()):
        # True, and sync brings a block; or a lie, and sync strikes it.
        return Waiting(why="it waits for the first block, which others say they have")
    n = len(others) + 1
    needed = quorum(model, n) - 1
    heard = [name for name in others if name in claims and name in memories]
    noted = [name for name in heard if memories[name].begun]
    if announced or not others:
        if len(noted) >= needed:
            return Step.SIGN
        missing = ", ".join(name for name in others if name not in noted)
        return Waiting(why=f"it waits for more of {missing} to take note that it begins")
    if len(noted) > faults_survived(model, n):
        return Step.REMEMBER
    unheard = [name for name in others if name not in heard]
    if len(heard) - len(noted) >= needed and (born or not unheard):
        return Step.ANNOUNCE
    more = "" if not born else "more of "
    return Waiting(
        why=f"it waits to hear from {more}{', '.join(unheard)} whether it has begun before"
    )
