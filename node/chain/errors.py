"""What the chain raises.

::

    ChainError
    ├── AmendmentMissing  the chain goes on by an amendment that this node was not given
    ├── ChainDamaged      what is stored contradicts itself
    │   └── ForeignChain    it belongs to another network; or genesis.json does
    ├── InvalidBlock      a block from outside that breaks a rule: prevote nil, ask another peer
    ├── NothingToProve    no block has been decided yet, so no certificate stands behind the state
    └── UpgradeRequired   the next block is of a version of the protocol that is not known here

`node.ledger.errors.InvariantViolation` is raised where this node contradicts itself or a quorum of
the others: it stops before anything is committed.
"""

from collections.abc import Collection
from enum import StrEnum

from node.genesis import missing_sentence


class ChainError(Exception):
    """Base of everything this room raises on purpose."""


class ChainDamaged(ChainError):
    """The database cannot be the chain of this genesis. The node does not start.

    Attributes:
        detail: what was found and what was expected.
    """

    def __init__(
        self,
        detail: str,
        *,
        advice: str = "`khazana check` says what else is wrong, `khazana repair` puts a sound"
        " database in its place",
    ) -> None:
        super().__init__(f"the chain in the database is not usable: {detail}. {advice}")
        self.detail = detail


class ForeignChain(ChainDamaged):
    """Database and genesis are of different networks: which of them is the wrong one is not known.

    Attributes:
        found: hash of the genesis that the database belongs to.
        expected: hash of the genesis that the node was given.
    """

    def __init__(self, *, found: bytes, expected: bytes) -> None:
        super().__init__(
            f"it belongs to genesis {found.hex()}, this is {expected.hex()}",
            advice="Compare genesis.json with the other institutions first: where that is the wrong"
            " one, the database is whole",
        )
        self.found = found
        self.expected = expected


class AmendmentMissing(ChainError):
    """The chain goes on by an amendment of its validator set that this node was not given.

    Attributes:
        height: the first block after it.
        amendment: its id.
    """

    def __init__(self, *, height: int, amendment: bytes) -> None:
        super().__init__(missing_sentence(height, amendment))
        self.height = height
        self.amendment = amendment


class NothingToProve(ChainError):
    """No block has been decided yet. Try again after the first one."""

    def __init__(self) -> None:
        super().__init__("no block has been decided yet; try again after the first one")


class UpgradeRequired(ChainError):
    """The network has decided to go on by rules that this software does not know.

    Nothing is wrong with what is stored: newer software continues from it.

    Attributes:
        version: of the protocol.
        height: the next block, which that version rules.
        supported: the versions that this software knows.
    """

    def __init__(self, version: int, height: int, supported: Collection[int]) -> None:
        super().__init__(
            f"from height {height} on, version {version} of the protocol rules; this software knows"
            f" {render_versions(supported)}. Install a release of khazana that knows version"
            f" {version} and start it on the same data directory: it goes on where this one stopped"
        )
        self.version = version
        self.height = height
        self.supported = tuple(sorted(supported))


def render_versions(versions: Collection[int]) -> str:
    """Return known versions for a sentence: `version 1` or `versions 1 to 2`."""
    lowest, highest = min(versions), max(versions)
    return f"version {lowest}" if lowest == highest else f"versions {lowest} to {highest}"


class BlockFault(StrEnum):
    """Why a block is invalid, in the order in which the rules are looked at."""

    WRONG_VERSION = "wrong-version"
    WRONG_NETWORK = "wrong-network"
    WRONG_HEIGHT = "wrong-height"
    WRONG_PARENT = "wrong-parent"
    WRONG_PROPOSER = "wrong-proposer"
    WRONG_VALIDATORS = "wrong-validators"
    NOT_AS_AMENDED = "not-as-amended"
    """It is not the block that an installed amendment of the validator set stands on."""
    TIME_NOT_AFTER_PARENT = "time-not-after-parent"
    TIME_TOO_FAR_AHEAD = "time-too-far-ahead"
    TIME_TOO_FAR_BEHIND = "time-too-far-behind"
    TOO_MANY_TRANSACTIONS = "too-many-transactions"
    TOO_LARGE = "too-large"
    WRONG_TRANSACTIONS = "wrong-transactions"
    """Not those that the header commits to."""
    WRONG_EVIDENCE = "wrong-evidence"
    """Not what the header commits to."""
    TRANSACTION_TWICE = "transaction-twice"
    TRANSACTION_SEEN = "transaction-seen"
    """Already applied in an earlier block."""
    TRANSACTION_REFUSED = "transaction-refused"
    """By its envelope at the block's time: no honest proposer includes it."""
    EVIDENCE_REFUSED = "evidence-refused"
    WRONG_RESULT = "wrong-result"
    """State, receipts, next validators or parameters differ from what this node computes."""


class InvalidBlock(ChainError):
    """A block that no honest proposer builds.

    Attributes:
        fault: which rule it breaks.
        detail: what was found and what was expected.
    """

    def __init__(self, fault: BlockFault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail
