"""What can stop a replica, as types.

    ReplicaError
    +-- SigningRefused       the guard would not sign; the node goes on, without this signature
    +-- Divergence           our state is not the one that a quorum certified; the node stops
    +-- LogRemembers         nothing may be asserted about a log that knows what was signed
    +-- LogMismatch          the consensus log is another node's or network's; it does not start

Every one carries its data as attributes; the sentence is built from them.
"""


class ReplicaError(Exception):
    """Base of this room's errors."""


class SigningRefused(ReplicaError):
    """The guard refused to sign a consensus message.

    Attributes:
        what: the message, in one line.
        reason: the rule that forbids it.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"not signed: {what}: {reason}")
        self.what = what
        self.reason = reason


class Divergence(ReplicaError):
    """A quorum certified a block that this node computes otherwise.

    Either this node's state or program is damaged, or more validators are faulty than the network
    survives. Nothing of the block has been written.

    Attributes:
        height: of the block.
        block_id: the certified block.
        reason: what differs, with the certified and the computed value.
    """

    def __init__(self, height: int, block_id: bytes, reason: str) -> None:
        super().__init__(
            f"block {block_id.hex()} at height {height} is certified by a quorum, "
            f"but this node finds it invalid: {reason}"
        )
        self.height = height
        self.block_id = block_id
        self.reason = reason


class LogRemembers(ReplicaError):
    """The consensus log knows what was signed where an operator would answer for it.

    Attributes:
        height: up to which it knows.
        above: the height that was to be asserted.
    """

    def __init__(self, *, height: int, above: int) -> None:
        super().__init__(
            f"the consensus log knows what was signed at height {height}, and nobody need answer"
            f" for what was signed above {above}: start the node, it goes on where its log ends"
        )
        self.height = height
        self.above = above


class LogMismatch(ReplicaError):
    """The consensus log belongs to another key or network.

    Attributes:
        found: what the log says.
        expected: what this node is configured as.
    """

    def __init__(self, *, found: str, expected: str) -> None:
        super().__init__(
            f"the consensus log was made for {found}, this node is {expected}; "
            "point data_dir at this node's own directory"
        )
        self.found = found
        self.expected = expected
