"""How long a proposer is waited for: the whole timeout, or a grace if it is known to be away.

A proposer is away when this node has no link to it, when its link broke, or when it let a whole
timeout pass in silence; and it stays away until it says something of a height that is being
decided. A process that was killed is noticed at once by its link, a machine that lost its power by
its first turn. Each later turn then costs a grace and one round of votes.

Only what this node sees itself counts, link by link, and peers are who their certificates say they
are. So nobody can make others pass over an honest proposer except by cutting the wire between
them, over which its proposal could not come either.

Progress rests on no guess made here. The grace is given in the first rounds of a height only, one
for each validator; from then on every timeout is whole and grows as ever (line 20), and the paper's
argument holds from there on. Agreement rests on no timeout at all.
"""

from collections.abc import Container
from typing import Final

from consensus.types import Round, ValidatorId

GRACE_MS: Final = 50
"""For a link that is up again at once, and for a proposer of whose return nothing was heard yet."""


class Patience:
    """What one validator knows of the others' presence."""

    def __init__(self, name: ValidatorId | None) -> None:
        """Begin with no links.

        Args:
            name: this validator, which never waits short for itself.
        """
        self._name = name
        self._linked: set[str] = set()
        self._silent: set[str] = set()
        """Lost, or missed in their turn, and not heard since."""

    def linked(self, peer: str) -> None:
        """Note that there is a link to this peer: that it is there, not yet that it keeps up."""
        self._linked.add(peer)

    def lost(self, peer: str) -> None:
        """Note that the link to this peer is gone."""
        self._linked.discard(peer)
        self._silent.add(peer)

    def missed(self, proposer: ValidatorId) -> None:
        """Note that nothing came from a proposer in its turn."""
        if proposer != self._name:
            self._silent.add(proposer)

    def heard(self, peer: str) -> bool:
        """Note that a peer speaks of the height at hand; return whether it was away until now."""
        if peer not in self._silent:
            return False
        self._silent.discard(peer)
        return True

    def keep(self, names: Container[str]) -> None:
        """Forget all but these: nobody else has a turn."""
        self._silent = {name for name in self._silent if name in names}

    def is_away(self, proposer: ValidatorId) -> bool:
        """Whether there is no point in waiting long for this proposer."""
        if proposer == self._name:
            return False
        return proposer not in self._linked or proposer in self._silent

    def wait_ms(
        self, proposer: ValidatorId, round_: Round, *, validators: int, timeout_ms: int
    ) -> int:
        """Return how long to wait for the proposal of this round.

        Args:
            validators: how many there are: whoever is away has had a turn once in so many rounds.
            timeout_ms: the whole timeout of this round.
        """
        if round_ < validators and self.is_away(proposer):
            return min(GRACE_MS, timeout_ms)
        return timeout_ms
