"""The one place where this node signs for consensus, and the rules that keep it from lying.

A validator that signs two different messages for one place (height, round, kind) can fork the
chain, whatever else it does right. So: `sign` is the only function that asks the key for a
signature, and it signs

- only what has a seal that is durable in the consensus log (`seal`, then `confirm`): after any
  crash, what may have left this process is known;
- the identical message as often as it is asked, since the signature is the same;
- otherwise only a place after the last one sealed: height, then round, then proposal, prevote,
  precommit, the order in which the algorithm speaks;
- at a height that was entered in a later round, nothing before that round (`reopen`);
- nothing at or below `floor`: the last height of which this node cannot know what it signed. A log
  that does not reach back to the birth of the key (it was lost, or an old copy came back without
  it) has no floor until the peers were heard, and then signs nothing until that floor is passed.

Two processes on one key are kept apart by the lock on the log's directory, which whoever opens the
log holds. What this does not protect from: a copy of the key on another machine.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from consensus.messages import Proposal, Vote, sign_bytes
from consensus.types import Signature, VoteType
from node.keys import Signer
from node.replica.entries import Sealed
from node.replica.errors import SigningRefused

_Place: TypeAlias = tuple[int, int, int]
"""Height, round, and kind: 0 a proposal, 1 a prevote, 2 a precommit."""

_PRECOMMIT: Final = 2
_KINDS: Final = {VoteType.PREVOTE: 1, VoteType.PRECOMMIT: _PRECOMMIT}
_PLACES_MAX: Final = 4096
"""Seals of one height that are remembered, of more than a thousand rounds: those before the latest
are not signed again, and nothing else is signed in their places either."""
_END_OF_HEIGHT: Final = 1 << 62


class Guard:
    """What one key has signed, and may sign."""

    def __init__(
        self,
        signer: Signer,
        domain: Callable[[int], bytes],
        *,
        following: Signer | None = None,
    ) -> None:
        """Begin unable to sign: `restore` and `set_floor` come first.

        Args:
            domain: the 32 bytes that every signature on a height covers, `Genesis.domain`. What is
                sealed and restored is of one domain for each height.
            following: the key that is to take its place, once the ledger says so.
        """
        self._signer = signer
        self._following = following
        self._domain = domain
        self._sealed: dict[_Place, bytes] = {}  # of the height of the last place
        self._last: _Place = (0, 0, 0)
        self._durable: set[_Place] = set()
        self._floor: int | None = None

    @property
    def public_key(self) -> bytes:
        """The key that others verify with."""
        return self._signer.public_key

    @property
    def public_keys(self) -> tuple[bytes, ...]:
        """The key in use, and the one prepared to follow it."""
        following = () if self._following is None else (self._following.public_key,)
        return (self._signer.public_key, *following)

    def take_up(self, public_key: bytes) -> bool:
        """Sign with this key from now on, if it is the one prepared; return whether it was.

        The caller is at the beginning of a height: its set names one key, so that no height is
        signed with two. What was sealed stays sealed, whichever key signed it.
        """
        if self._following is None or public_key != self._following.public_key:
            return False
        self._signer, self._following = self._following, self._signer
        return True

    @property
    def floor(self) -> int | None:
        """It signs at heights above this; None: at no height yet."""
        return self._floor

    @property
    def height(self) -> int:
        """Height of the last seal; 0 if there is none."""
        return self._last[0]

    def reopen(self, height: int, round_: int) -> None:
        """Sign at this height in this round and later ones only, as if the rest had been signed.

        The one thing that lowers a floor: witnesses have proven that nothing was signed there.
        """
        assert round_ >= 1
        self._floor = height - 1
        place = (height, round_ - 1, _PRECOMMIT)
        if place > self._last:
            if height > self._last[0]:
                self._sealed.clear()
                self._durable.clear()
            self._last = place

    def restore(self, seals: Iterable[Sealed]) -> None:
        """Take in the seals of a log, in their order."""
        for seal in seals:
            self._note(seal)
            self.confirm(seal)

    def set_floor(self, floor: int) -> None:
        """Allow signing above this height; the floor never falls."""
        assert floor >= 0
        self._floor = floor if self._floor is None else max(floor, self._floor)

    def seal(self, message: Proposal | Vote) -> Sealed | None:
        """Return what must be durable before this is signed; None if it is already.

        Raises:
            SigningRefused: a rule forbids this signature.
        """
        place = _place(message)
        data = sign_bytes(message, self._domain(message.height))
        if self._floor is None:
            raise SigningRefused(
                str(message), "it is not known yet what this key signed before the log was lost"
            )
        if place[0] <= self._floor:
            raise SigningRefused(
                str(message),
                f"this key may have signed at heights up to {self._floor} before the log was lost",
            )
        known = self._sealed.get(place)
        if known is not None and known != data:
            raise SigningRefused(str(message), "another message was signed for this place")
        if known is None and place <= self._last:
            height, round_, kind = self._last
            raise SigningRefused(
                str(message), f"height {height}, round {round_}, kind {kind} was signed already"
            )
        seal = Sealed(height=place[0], round=place[1], kind=place[2], sign_bytes=data)
        if known is None:
            self._note(seal)
        return None if place in self._durable else seal

    def confirm(self, seal: Sealed) -> None:
        """Note that the seal is durable."""
        place = (seal.height, seal.round, seal.kind)
        if self._sealed.get(place) == seal.sign_bytes:
            self._durable.add(place)

    def sign(self, message: Proposal | Vote) -> Signature:
        """Return the signature of a message whose seal is durable. Nothing else in the program
        signs for consensus.

        Raises:
            SigningRefused: it has no durable seal, or another message has.
        """
        data = sign_bytes(message, self._domain(message.height))
        place = _place(message)
        if self._sealed.get(place) != data or place not in self._durable:
            raise SigningRefused(str(message), "its seal is not durable")
        return Signature(self._signer.sign(data))

    def end_height(self, height: int) -> None:
        """Forget the seals of a committed height; nothing at or below it is signed again."""
        if height >= self._last[0]:
            self._last = (height, _END_OF_HEIGHT, _PRECOMMIT)
            self._sealed.clear()
            self._durable.clear()

    def _note(self, seal: Sealed) -> None:
        place = (seal.height, seal.round, seal.kind)
        if place[0] > self._last[0]:
            self._sealed.clear()
            self._durable.clear()
        elif place[0] < self._last[0]:
            return
        self._sealed[place] = seal.sign_bytes
        self._last = max(self._last, place)
        if len(self._sealed) > _PLACES_MAX:
            # Not the end of signing: however long a height lasts, its next round may decide it.
            earliest = next(iter(self._sealed))
            del self._sealed[earliest]
            self._durable.discard(earliest)


def _place(message: Proposal | Vote) -> _Place:
    kind = _KINDS[message.kind] if isinstance(message, Vote) else 0
    return (message.height, message.round, kind)
