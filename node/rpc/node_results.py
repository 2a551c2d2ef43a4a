"""The shape of what a node says of itself: pool, peers, agreement on the next height, status."""

from typing import Annotated

import msgspec

from node.genesis import Amendment
from node.rpc.results import Hex, Result, Time


class SnapshotSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of the state that this node serves to new nodes."""

    height: int
    block_id: Hex


class PeerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the network as this node sees it."""

    name: str
    role: str
    connected: bool
    height: int
    """The highest it has told of; 0 while it is not connected."""


class MempoolView(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a block at this node."""

    transactions: int
    transactions_max: int
    size_bytes: int


class MempoolResult(Result, frozen=True, kw_only=True):
    """The pool."""

    mempool: MempoolView


class UpgradeView(msgspec.Struct, frozen=True, kw_only=True):
    """Another version of the protocol, from a height on."""

    version: int
    height: int
    """The first that it rules."""
    known: bool
    """Whether this node's software knows it; if not, the node stops before that height."""


class AmendmentView(msgspec.Struct, frozen=True, kw_only=True):
    """Another set of validators, decided outside the chain."""

    serial: int
    id: Hex
    height: int
    """The first that it rules."""
    reason: str


def amendment_view(amendment: Amendment) -> AmendmentView:
    """Return an amendment as methods tell it."""
    return AmendmentView(
        serial=amendment.serial,
        id=amendment.id.hex(),
        height=amendment.rules_from,
        reason=amendment.body.reason,
    )


class VoterView(msgspec.Struct, frozen=True, kw_only=True):
    """A validator, as far as this node has heard of it."""

    name: str
    prevote: Annotated[
        str | None,
        msgspec.Meta(description="Of this round: a block id, `nil`, or null where none has come"),
    ]
    precommit: Annotated[str | None, msgspec.Meta(description="As `prevote`")]
    signed_last: int | None
    """The last height whose certificate names it, since the node started."""
    proposals_missed: int
    """Rounds in which it brought no proposal in time, since the node started."""


class ConsensusResult(Result, frozen=True, kw_only=True):
    """Where agreement on the next height stands at this node."""

    next_height: int
    deciding: bool
    """Whether this node takes part and the height has begun: it begins when transactions wait, or
    with the heartbeat."""
    round: int | None
    step: Annotated[
        str | None, msgspec.Meta(description="`propose`, `prevote`, `precommit` or `decided`")
    ]
    proposer: str
    validators: list[VoterView]
    blocks: int
    """Committed here since the node started; so are the next three."""
    transactions: int
    applied: int
    rounds_skipped: int


class StatusResult(Result, frozen=True, kw_only=True):
    """This node and its network."""

    node: str
    clock: Time
    """What time it is at this node; on a development network that has travelled, ahead of its
    machine's."""
    software: str
    api_version: str
    network: Hex
    """The first eight bytes of the genesis hash."""
    network_name: str
    genesis_hash: Hex
    test_network: bool
    development: bool
    protocol_version: int
    """Rules the next height."""
    protocol_versions_known: list[int]
    """By whose rules this node's software can apply blocks."""
    upgrade: UpgradeView | None
    """What is scheduled."""
    amendments: list[AmendmentView]
    """Those of the validator set that were decided outside the chain and are installed here."""
    state_root: Hex
    """After the last block."""
    earliest_height: int
    """The first block that is kept here."""
    snapshots: list[SnapshotSummary]
    fault_model: str
    validators: int
    quorum: int
    faults_survived: int
    transaction_window_ms: int
    """How far ahead of block time the end of a transaction's validity may lie."""
    ready: bool
    not_ready: list[str]
    """What is not as it should be, one sentence each."""
    warnings: list[str]
    """What hinders nobody in using this node and should not stay so, such as an index that does not
    go on; one sentence each."""
    mempool: MempoolView
    peers: list[PeerSummary]
