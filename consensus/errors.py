"""What can go wrong in this room that is not merely a message to be ignored.

    ConsensusError
    ├── InvalidValue (also ValueError)   a value outside its range was built
    ├── EngineMisuse                     the caller broke the engine's rules of use
    └── InvariantViolation               agreement itself is in doubt: the node must stop
        ├── DecidedBlockInvalid          a quorum decided what our application refuses
        └── ConflictingQuorums           two blocks of one height each have a quorum

Hostile messages are not errors: the engine ignores them. Whoever turns foreign bytes into
messages catches `InvalidValue` there and answers for the peer.
"""


class ConsensusError(Exception):
    """Base of everything this room raises."""


class InvalidValue(ConsensusError, ValueError):
    """A value outside its range was built; carries the field, what was found and expected."""

    def __init__(self, field: str, found: object, expected: str) -> None:
        """Say which field, what it held and what it may hold."""
        super().__init__(f"{field}: found {found!r}, expected {expected}")
        self.field = field
        self.found = found
        self.expected = expected


class EngineMisuse(ConsensusError):
    """The caller broke the engine's rules of use: a bug of the shell."""


class InvariantViolation(ConsensusError):
    """Agreement is in doubt. Stopping is safe; continuing is not."""


class DecidedBlockInvalid(InvariantViolation):
    """A quorum of precommits exists for a block that our application refuses.

    Either this node computes otherwise than the others, or more validators are faulty than the
    fault model survives.
    """

    def __init__(self, height: int, block_id: bytes) -> None:
        """Name the height and the block."""
        super().__init__(f"height {height}: decided block {block_id.hex()} is invalid here")
        self.height = height
        self.block_id = block_id


class ConflictingQuorums(InvariantViolation):
    """Two blocks of one height each have a quorum of precommits: the network has forked."""

    def __init__(self, height: int, first: bytes, second: bytes) -> None:
        """Name the height and both blocks, the one seen first before the other."""
        super().__init__(
            f"height {height}: quorums for both block {first.hex()} and block {second.hex()}"
        )
        self.height = height
        self.first = first
        self.second = second
