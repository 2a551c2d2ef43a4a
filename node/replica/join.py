"""From where on a key may sign whose log does not say what it signed before.

A log can be lost with its disk, or come back as an old copy. Then this node does not know what it
signed, and must not sign where it may have signed (adversarial 29, 68). It asks every validator
(`Forgot`) where it stands and whether it knows how it came there (`Memory`). Those who do are the
witnesses; those who have forgotten too say so, and prove nothing.

What the witnesses prove. Of n validators, q are a quorum. A quorum has at least w + q - n members
among w witnesses. Where that is more than can be liars, one of them is honest and remembers; so

- it voted at height S only after S - 1 was decided: a quorum precommitted S - 1, an honest witness
  among them, who had committed S - 2 by then. So with the highest of the witnesses' heads at H, it
  has signed nothing above H + 2;
- it stood in round r of H + 1 only if a quorum precommitted in round r - 1, or an honest one stood
  in r before it. So it has signed nothing in a round beyond the highest of a witness and one;
- it was at H + 2 only if it alone, or with others who have forgotten, knew the decision of H + 1.
  No witness was there, so no quorum has voted there: it can have signed in round 0, and no more.

Two ways back follow, chosen by whether the witnesses are a quorum themselves.

They are: they go on without this node, which stays silent up to H + 2 (`Silent`). It goes on asking
meanwhile: if witnesses are lost on the way, the other way is open.

They are not: the network stands still until those who have forgotten vote again. They enter H + 1
in a round that none of them can have been in, and H + 2 in round 1 (`Later`). What is lost besides
is the lock: a block may have been decided at H + 1 by votes of theirs that nobody alive remembers.
Then a quorum precommitted it, an honest witness among them, and that one is locked on it. So at
H + 1 they prevote a block only after all witnesses have (`consensus.upon`), and contradict no
lock that a decision rests on. Once H + 2 is committed they remember again.

Before it signs there, every witness has taken note of that round for good (`Forgot` names it, and
`Memory` tells it from then on): whoever is wiped next comes back in a later one still. Whoever
has taken note follows its first vote there, since it might wait in an earlier round for votes that
nobody can give; to go to a later round is always safe. That too is bounded (`returning`).

How many liars? This node's own loss is a fault, and where others have forgotten too there are more
faults than the genesis survives; then no rule is safe against every liar as well. With a quorum of
the others for witnesses as many liars as ever are survived. With fewer, all others must be heard,
and of the witnesses one fewer may lie than the genesis survives: of four validators none, of seven
one. Witnesses too few even for that prove nothing; then an operator must (`khazana validator
resume`).

Peers may lie about their height. A height too low cannot hide that of an honest witness heard with
it; one too high delays until sync finds the peer unable to serve it and strikes the claim. A round
above `ROUNDS_BELIEVED_MAX` is not believed, so that nobody pushes the network to the end of rounds.

Before the first block the rule would let nobody begin. How that is done, and how it is found out
that a validator has begun before, is in `begin`; one that has is here like any other, with every
head at 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from consensus.quorum import faults_survived, quorum
from consensus.types import FaultModel
from node.network import Memory

MARGIN: Final = 2
"""Heights above the witnesses' highest that may have been signed; see above."""
ROUNDS_BELIEVED_MAX: Final = 1 << 20
"""A witness that claims to stand beyond is not one: at the longest timeouts that is a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nothing is signed up to this height; it is passed without this node."""

    floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """A height is entered in a later round behind the witnesses, and the next one in round 1."""

    height: int
    """One above the highest of the witnesses' heads."""
    round: int
    witnesses: tuple[str, ...]
    """By name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """It cannot be known yet, or ever."""

    why: str
    """A sentence for the operator, that names who is waited for."""


Way: TypeAlias = Silent | Later | Waiting


def why_behind(
    others: Sequence[str], claims: Mapping[str, int], *, head: int, model: FaultModel
) -> str | None:
    """Return why the others may know more of this network than this node; None: they do not.

    Args:
        others: the validators beside this node, in the set that rules after `head`.
        claims: the height each connected peer says it has committed.
        head: what this node has committed.
    """
    heard = [claims[name] for name in others if name in claims]
    if len(heard) + 1 < quorum(model, len(others) + 1):
        unheard = ", ".join(name for name in others if name not in claims)
        return f"it has to hear from more of {unheard}"
    highest = max(heard, default=0)
    return f"it is at height {head}, others are at {highest}" if highest > head else None


def way_of_returning(
    others: Sequence[str],
    claims: Mapping[str, int],
    memories: Mapping[str, Memory],
    *,
    head: int,
    model: FaultModel,
) -> Way:
    """Return from where on this key may sign.

    Args:
        others: the validators beside this node, in the set that rules after `head`.
        claims: the height each connected peer says it has committed.
        memories: the last answer of each since this node started.
        head: what this node has committed.
    """
    if not others:
        # Alone on its network, it can contradict nobody.
        return Silent(floor=head)
    highest = max((claims[name] for name in others if name in claims), default=0)
    if highest > head:
        return Waiting(why=f"it is at height {head}, others are at {highest}")
    unheard = [name for name in others if name not in claims or name not in memories]
    witnesses = tuple(
        name
        for name in others
        if name not in unheard
        and memories[name].remembers
        and memories[name].round <= ROUNDS_BELIEVED_MAX
    )
    # What it claims may have been struck since it said so.
    heads = {name: min(memories[name].height, claims[name]) for name in witnesses}
    joined = max(heads.values(), default=0)
    n = len(others) + 1
    if len(witnesses) >= quorum(model, n):
        return Silent(floor=joined + MARGIN)
    if unheard:
        return Waiting(why=f"it waits to hear from {', '.join(unheard)}")
    needed = witnesses_min(model, n)
    if len(witnesses) < needed:
        forgot = ", ".join(name for name in others if name not in witnesses)
        return Waiting(
            why=f"{forgot} do not remember either, and {len(witnesses)} of the {needed} witnesses"
            " that are needed are left: only the operators together can say what was decided last"
            " (`khazana validator resume --help`)"
        )
    reached = max(memories[name].round for name in witnesses if heads[name] == joined)
    return Later(height=joined + 1, round=reached + 2, witnesses=witnesses)


def witnesses_min(model: FaultModel, n: int) -> int:
    """Return how many of n validators must remember, where the others have forgotten.

    One more than are outside a quorum, and than may lie: in the `crash` model nobody does.
    """
    liars = max(0, faults_survived(model, n) - 1) if model is FaultModel.BYZANTINE else 0
    return n - quorum(model, n) + 1 + liars
