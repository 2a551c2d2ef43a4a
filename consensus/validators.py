"""Who votes: the ordered validator set of a height, and whose turn it is to propose."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from consensus.errors import InvalidValue
from consensus.types import Height, Round, ValidatorId, is_validator_id

VALIDATORS_MAX: Final = 256  # A certificate stays under 25 KiB; a full mesh has ended long before.
PUBLIC_KEY_SIZE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """One vote, and the key that signs it. Raises InvalidValue."""

    id: ValidatorId
    public_key: bytes
    """32 bytes, Ed25519; not used in this room."""

    def __post_init__(self) -> None:
        """Check the name and the size of the key."""
        if not is_validator_id(self.id):
            raise InvalidValue("id", self.id, "1 to 32 of a-z, 0-9 and hyphen")
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            found = f"{len(self.public_key)} bytes"
            raise InvalidValue("public_key", found, f"{PUBLIC_KEY_SIZE} bytes")


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """The validators of one height. Raises InvalidValue."""

    validators: tuple[Validator, ...]
    """Ascending by id, each name and each key once; 1 to VALIDATORS_MAX."""

    _by_id: dict[ValidatorId, Validator] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check number, order and uniqueness."""
        if not 1 <= len(self.validators) <= VALIDATORS_MAX:
            raise InvalidValue("validators", len(self.validators), f"1 to {VALIDATORS_MAX}")
        ids = [validator.id for validator in self.validators]
        if ids != sorted(set(ids)):
            raise InvalidValue("validators", ids, "names ascending, each once")
        # One key under two names would have two votes.
        if len({validator.public_key for validator in self.validators}) != len(ids):
            raise InvalidValue("validators", ids, "a key of its own for each")
        by_id = {validator.id: validator for validator in self.validators}
        object.__setattr__(self, "_by_id", by_id)

    def __len__(self) -> int:
        """Return how many votes there are."""
        return len(self.validators)

    def __iter__(self) -> Iterator[Validator]:
        """Yield the validators, ascending by id."""
        return iter(self.validators)

    def __contains__(self, validator_id: object) -> bool:
        """Say whether a validator of this name is in the set."""
        return validator_id in self._by_id

    def __getitem__(self, validator_id: ValidatorId) -> Validator:
        """Return the validator of this name. Raises KeyError."""
        return self._by_id[validator_id]

    def proposer(self, height: Height, round_: Round) -> Validator:
        """Return whose turn it is: everybody's in turn, by height and by round.

        Source: arXiv:1807.04938 section 2.3, which asks of proposer(h, r) only that each
        validator comes again and again.
        """
        return self.validators[(height + round_) % len(self.validators)]


ProposerRule: TypeAlias = Callable[[ValidatorSet, Height, Round], Validator]
"""The shape of `ValidatorSet.proposer`: published traces rotate otherwise."""
