"""The wire messages: one tagged record a kind, each with a lane, a size limit and bounded fields.

A frame is the canonical MessagePack array of one record, led by the kind's permanent tag. The tag
is read first (two bytes), so that the limit of the kind is applied before anything is parsed. What
a consensus header, certificate or evidence contains is not the wire's business: they travel as
their own canonical bytes and are decoded by the room that knows them.

Limits: every collection has a maximum of its own, which the parser applies before it builds one; a
frame of a block-bearing kind is limited by the genesis (`WireLimits`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from node.blocks import (
    BLOCK_EVIDENCE_MAX,
    BLOCK_SIZE_MAX,
    BLOCK_TRANSACTIONS_MAX,
    CERTIFICATE_SIZE_MAX,
    EVIDENCE_SIZE_MAX,
)
from node.codec import RECORD_SIZE_MAX, CodecError, Record, decode, encode
from node.ledger.transactions import TRANSACTION_SIZE_MAX
from node.network.errors import WireError, WireFault
from node.snapshots.parts import (
    BLOCK_IDS_SIZE_MAX,
    CHUNK_SIZE_MAX,
    HANDOVER_SIZE_MAX,
    PAGE_ITEMS_MAX,
    PAGE_SIZE_TARGET,
    POINT_SIZE_MAX,
    PathBytes,
)

PROTOCOL_VERSION: Final = 2

FRAME_SIZE_MAX: Final = RECORD_SIZE_MAX
BATCH_SIZE_BYTES: Final = 1 << 16  # a batch is sent once it holds this much (DESIGN section 6)
BATCH_TRANSACTIONS_MAX: Final = 2048  # 64 KiB of the smallest transactions are about 400
BLOCKS_MAX: Final = 256  # blocks in one answer; its bytes are limited first
BLOCKS_SIZE_TARGET: Final = 1 << 20  # an answer stops growing here: a vote waits behind one frame
HEADER_SIZE_MAX: Final = 1 << 12
SNAPSHOTS_MAX: Final = 4  # that one node offers

_INTEGER_MAX: Final = (1 << 63) - 1

Height64: TypeAlias = Annotated[int, Meta(ge=0, le=_INTEGER_MAX)]
Round32: TypeAlias = Annotated[int, Meta(ge=0, le=(1 << 32) - 1)]
Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
Hash: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature64: TypeAlias = Annotated[bytes, Meta(min_length=64, max_length=64)]
HeaderBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=HEADER_SIZE_MAX)]
CertificateBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=CERTIFICATE_SIZE_MAX)]
EvidenceBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=EVIDENCE_SIZE_MAX)]
EvidenceList: TypeAlias = Annotated[tuple[EvidenceBytes, ...], Meta(max_length=BLOCK_EVIDENCE_MAX)]
RawTransaction: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=TRANSACTION_SIZE_MAX)]
TransactionIds: TypeAlias = Annotated[tuple[Hash, ...], Meta(max_length=BLOCK_TRANSACTIONS_MAX)]
BlockBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=BLOCK_SIZE_MAX)]


PointBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=POINT_SIZE_MAX)]
HandoverBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=HANDOVER_SIZE_MAX)]
BlockIdsBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=BLOCK_IDS_SIZE_MAX)]
ChunkBytes: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=CHUNK_SIZE_MAX)]


class Lane(IntEnum):
    """Order of sending to one peer: a lower lane is emptied first."""

    CONSENSUS = 0
    SYNC = 1
    TRANSACTIONS = 2


class Hello(Record, tag=1):
    """The first frame of each side of a link; anything else first closes it."""

    version: Annotated[int, Meta(ge=0, le=65_535)]
    """`PROTOCOL_VERSION` of the sender."""
    network: Hash
    """Hash of the genesis."""
    name: Name
    """The sender's name in the validator set or the observer list; must be the certificate's."""
    instance: Annotated[int, Meta(ge=0, le=_INTEGER_MAX)]
    """Drawn by chance when the sender's process starts: tells a restart from a second link."""
    height: Height64
    """The sender's last committed height."""
    earliest: Height64
    """The first height whose block the sender can serve; above its height while it has none."""
    software: Annotated[str, Meta(pattern=r"\A[ -~]{0,64}\Z")]
    """For the operator's eyes only; printable ASCII."""


class Status(Record, tag=2):
    """The sender's head has moved, or somebody asked by connecting."""

    height: Height64
    block_id: Hash
    earliest: Height64
    """As in `Hello`: moves on while the sender prunes."""


class ProposalMessage(Record, tag=10):
    """A signed proposal with its block in compact form: header and transaction ids."""

    height: Height64
    round: Round32
    block_id: Hash
    valid_round: Round32 | None
    proposer: Name
    signature: Signature64
    """Of consensus.messages.sign_bytes of the six fields above."""
    polka: CertificateBytes | None
    """The prevote certificate of `valid_round`; nil exactly when `valid_round` is."""
    header: HeaderBytes
    transaction_ids: TransactionIds
    """In block order."""
    evidence: EvidenceList


class VoteMessage(Record, tag=11):
    """A signed prevote or precommit."""

    vote_type: Annotated[int, Meta(ge=1, le=2)]
    """1 prevote, 2 precommit."""
    height: Height64
    round: Round32
    block_id: Hash | None
    """None votes nil."""
    validator: Name
    signature: Signature64


class CertificateMessage(Record, tag=12):
    """A commit certificate, for a peer that is behind."""

    height: Height64
    block_id: Hash
    certificate: CertificateBytes


class GetProposedBlock(Record, tag=13):
    """Ask for the compact form of a block that is voted for and not known here."""

    height: Height64
    block_id: Hash


class ProposedBlock(Record, tag=14):
    """Answer to `GetProposedBlock`: header and transaction ids, as in a proposal."""

    height: Height64
    block_id: Hash
    header: HeaderBytes
    transaction_ids: TransactionIds
    evidence: EvidenceList


class Forgot(Record, tag=15):
    """The sender does not know all that its key has signed above its head, and asks every validator
    what that one remembers."""

    height: Height64
    """The sender's head."""
    round: Round32
    """Of the height after the head, in which the sender is to vote first; 0 while it has none."""
    begins: bool
    """Whether the sender begins to sign on a network without a block: whoever has none either is to
    take note of it for good."""


class Memory(Record, tag=16):
    """Answer to `Forgot`: where the sender stands, and whether it knows how it came there."""

    height: Height64
    """The sender's head."""
    remembers: bool
    """Whether the sender knows all that its key has signed above its head."""
    round: Round32
    """Of the height after the head, the highest that the sender has been in or was called to; 0
    where it has not begun."""
    begun: bool
    """Whether the one who asked has begun to sign, as far as the sender's log can tell. Where the
    sender has a block it says so of everybody."""


class GetTransactions(Record, tag=20):
    """Ask for transactions of a proposed block."""

    block_id: Hash
    ids: Annotated[tuple[Hash, ...], Meta(min_length=1, max_length=BLOCK_TRANSACTIONS_MAX)]


class BlockTransactions(Record, tag=21):
    """Answer to `GetTransactions`: what the sender has of them; may take several messages."""

    block_id: Hash
    raws: Annotated[tuple[RawTransaction, ...], Meta(max_length=BLOCK_TRANSACTIONS_MAX)]


class GetBlocks(Record, tag=30):
    """Ask for committed blocks, ascending from a height."""

    from_height: Height64
    count: Annotated[int, Meta(ge=1, le=BLOCKS_MAX)]


class BlockItem(Record):
    """One committed block and the certificate that decided it, in canonical bytes."""

    block: BlockBytes
    certificate: CertificateBytes


class Blocks(Record, tag=31):
    """Answer to `GetBlocks`: one block if the sender has it, then more up to the target size."""

    from_height: Height64
    """Height of the first item; the others follow without a gap."""
    items: Annotated[tuple[BlockItem, ...], Meta(max_length=BLOCKS_MAX)]


class GetSnapshots(Record, tag=50):
    """Ask which snapshots the receiver serves."""


class Snapshots(Record, tag=51):
    """Answer to `GetSnapshots`: the points of all, the newest last."""

    points: Annotated[tuple[PointBytes, ...], Meta(max_length=SNAPSHOTS_MAX)]


class GetHandovers(Record, tag=52):
    """Ask for the changes of validators from a height up to a snapshot."""

    height: Height64
    """Of the snapshot."""
    above: Height64
    """Changes decided above this height."""


class Handovers(Record, tag=53):
    """Answer to `GetHandovers`: at least one if there is one, then more up to the target size."""

    height: Height64
    above: Height64
    items: Annotated[tuple[HandoverBytes, ...], Meta(max_length=PAGE_ITEMS_MAX)] | None
    """Ascending; None: the snapshot is not kept here any more."""
    more: bool


class GetChunk(Record, tag=54):
    """Ask for what is beneath a path of a snapshot's state."""

    height: Height64
    path: PathBytes


class ChunkMessage(Record, tag=55):
    """Answer to `GetChunk`."""

    height: Height64
    path: PathBytes
    chunk: ChunkBytes | None
    """None: the snapshot is not kept here any more."""


class GetRecentIds(Record, tag=56):
    """Ask for the ids of the blocks below a height, down to the edge of a snapshot's window."""

    height: Height64
    below: Height64


class RecentIdsMessage(Record, tag=57):
    """Answer to `GetRecentIds`: one block if there is one, then more up to the target size."""

    height: Height64
    below: Height64
    items: Annotated[tuple[BlockIdsBytes, ...], Meta(max_length=PAGE_ITEMS_MAX)] | None
    """Descending; None: the snapshot is not kept here any more."""


class Transactions(Record, tag=40):
    """A batch of raw signed transactions, pushed once by the node that received them first."""

    raws: Annotated[
        tuple[RawTransaction, ...], Meta(min_length=1, max_length=BATCH_TRANSACTIONS_MAX)
    ]


WireMessage: TypeAlias = (
    Hello
    | Status
    | ProposalMessage
    | VoteMessage
    | CertificateMessage
    | GetProposedBlock
    | ProposedBlock
    | Forgot
    | Memory
    | GetTransactions
    | BlockTransactions
    | GetBlocks
    | Blocks
    | Transactions
    | GetSnapshots
    | Snapshots
    | GetHandovers
    | Handovers
    | GetChunk
    | ChunkMessage
    | GetRecentIds
    | RecentIdsMessage
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """What the genesis allows a block to be; bounds every frame that carries one."""

    block_size_max: int = BLOCK_SIZE_MAX
    """Bytes of an encoded block; at most `BLOCK_SIZE_MAX`."""
    block_transactions_max: int = BLOCK_TRANSACTIONS_MAX
    """Transactions in a block; at most `BLOCK_TRANSACTIONS_MAX`."""

    def __post_init__(self) -> None:
        assert 0 < self.block_size_max <= BLOCK_SIZE_MAX
        assert 0 < self.block_transactions_max <= BLOCK_TRANSACTIONS_MAX

    @property
    def frame_size_max(self) -> int:
        """The largest frame of any kind, in bytes."""
        return max(size_max(kind, self) for kind in KINDS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How one kind travels."""

    lane: Lane
    size_max: int
    """Bytes of a frame; of the part that is not the block where the kind carries one."""
    with_ids: bool = False
    with_transactions: bool = False
    """The frame may be as large as a block."""
    with_blocks: bool = False


KINDS: Final[dict[int, type[WireMessage]]] = {
    1: Hello,
    2: Status,
    10: ProposalMessage,
    11: VoteMessage,
    12: CertificateMessage,
    13: GetProposedBlock,
    14: ProposedBlock,
    15: Forgot,
    16: Memory,
    20: GetTransactions,
    21: BlockTransactions,
    30: GetBlocks,
    31: Blocks,
    40: Transactions,
    50: GetSnapshots,
    51: Snapshots,
    52: GetHandovers,
    53: Handovers,
    54: GetChunk,
    55: ChunkMessage,
    56: GetRecentIds,
    57: RecentIdsMessage,
}
"""Kinds by tag. The tags are permanent."""

_SMALL: Final = 1 << 10
_ID_SIZE: Final = 34  # a 32-byte string with its MessagePack header
_PROPOSAL_SIZE: Final = (
    _SMALL + CERTIFICATE_SIZE_MAX + HEADER_SIZE_MAX + BLOCK_EVIDENCE_MAX * (EVIDENCE_SIZE_MAX + 3)
)

_PAGE_SIZE: Final = _SMALL + PAGE_SIZE_TARGET + 5 * PAGE_ITEMS_MAX

_FORMS: Final[dict[type[WireMessage], _Form]] = {
    Hello: _Form(lane=Lane.CONSENSUS, size_max=_SMALL),
    Status: _Form(lane=Lane.SYNC, size_max=_SMALL),
    ProposalMessage: _Form(lane=Lane.CONSENSUS, size_max=_PROPOSAL_SIZE, with_ids=True),
    VoteMessage: _Form(lane=Lane.CONSENSUS, size_max=_SMALL),
    CertificateMessage: _Form(lane=Lane.CONSENSUS, size_max=_SMALL + CERTIFICATE_SIZE_MAX),
    GetProposedBlock: _Form(lane=Lane.CONSENSUS, size_max=_SMALL),
    ProposedBlock: _Form(lane=Lane.CONSENSUS, size_max=_PROPOSAL_SIZE, with_ids=True),
    Forgot: _Form(lane=Lane.CONSENSUS, size_max=_SMALL),
    Memory: _Form(lane=Lane.CONSENSUS, size_max=_SMALL),
    GetTransactions: _Form(lane=Lane.CONSENSUS, size_max=_SMALL, with_ids=True),
    # Not in the consensus lane although consensus waits for it: it can be as large as a block, and
    # a consensus lane that overflows costs the link.
    BlockTransactions: _Form(lane=Lane.SYNC, size_max=_SMALL, with_transactions=True),
    GetBlocks: _Form(lane=Lane.SYNC, size_max=_SMALL),
    Blocks: _Form(lane=Lane.SYNC, size_max=_SMALL, with_blocks=True),
    GetSnapshots: _Form(lane=Lane.SYNC, size_max=_SMALL),
    Snapshots: _Form(lane=Lane.SYNC, size_max=_SMALL + SNAPSHOTS_MAX * (POINT_SIZE_MAX + 5)),
    GetHandovers: _Form(lane=Lane.SYNC, size_max=_SMALL),
    Handovers: _Form(lane=Lane.SYNC, size_max=_PAGE_SIZE + HANDOVER_SIZE_MAX),
    GetChunk: _Form(lane=Lane.SYNC, size_max=_SMALL),
    ChunkMessage: _Form(lane=Lane.SYNC, size_max=_SMALL + CHUNK_SIZE_MAX),
    GetRecentIds: _Form(lane=Lane.SYNC, size_max=_SMALL),
    RecentIdsMessage: _Form(lane=Lane.SYNC, size_max=_PAGE_SIZE + BLOCK_IDS_SIZE_MAX),
    Transactions: _Form(
        lane=Lane.TRANSACTIONS,
        # A batch is closed by the transaction that fills it, which may itself be of full size.
        size_max=_SMALL + BATCH_SIZE_BYTES + TRANSACTION_SIZE_MAX,
    ),
}


def lane_of(kind: type[WireMessage]) -> Lane:
    """Return the lane in which messages of this kind travel."""
    return _FORMS[kind].lane


def size_max(kind: type[WireMessage], limits: WireLimits) -> int:
    """Return the largest frame of this kind, in bytes."""
    form = _FORMS[kind]
    size = form.size_max
    if form.with_ids:
        size += limits.block_transactions_max * _ID_SIZE
    if form.with_transactions:
        size += limits.block_size_max
    if form.with_blocks:
        # One full block with its certificate, or several up to the target.
        size += max(limits.block_size_max, BLOCKS_SIZE_TARGET) + CERTIFICATE_SIZE_MAX
    return min(size, FRAME_SIZE_MAX)


def encode_message(message: WireMessage) -> bytes:
    """Return the frame of a message.

    Raises:
        CodecError: a field without a canonical form. Bounds are checked by the receiver.
    """
    return encode(message)


def kind_of(frame: bytes) -> type[WireMessage] | None:
    """Return the kind that a frame claims to be, or None; looks at two bytes."""
    # A short array (0x90..0x9f) led by a one-byte tag: no kind has more than 15 fields.
    if len(frame) < 2 or frame[0] & 0xF0 != 0x90:
        return None
    return KINDS.get(frame[1])


def decode_message(frame: bytes, limits: WireLimits) -> WireMessage:
    """Return the message of a frame; the only way bytes from a peer become a message.

    Raises:
        WireError: not a message, larger than its kind may be, or a field out of its bounds.
    """
    if not frame:
        raise WireError(WireFault.EMPTY, "unknown", "no bytes")
    kind = kind_of(frame)
    if kind is None:
        raise WireError(WireFault.UNKNOWN_KIND, "unknown", f"starts with {frame[:2].hex()}")
    name = kind.__name__
    allowed = size_max(kind, limits)
    if len(frame) > allowed:
        raise WireError(WireFault.TOO_LARGE, name, f"{len(frame)} bytes, at most {allowed}")
    try:
        message = decode(frame, kind, size_max=allowed)
    except CodecError as error:
        raise WireError(WireFault.NOT_CANONICAL, name, error.reason) from None
    _check_bounds(message, limits)
    return message


# Private.


def _check_bounds(message: WireMessage, limits: WireLimits) -> None:
    """Check what the field types cannot say: the genesis' limits, and fields that go together."""
    match message:
        case ProposalMessage(valid_round=valid_round, polka=polka, transaction_ids=ids):
            if (valid_round is None) != (polka is None):
                raise WireError(
                    WireFault.OUT_OF_BOUNDS, "ProposalMessage", "valid_round and polka go together"
                )
            if valid_round is not None and valid_round >= message.round:
                raise WireError(
                    WireFault.OUT_OF_BOUNDS,
                    "ProposalMessage",
                    f"valid round {valid_round} is not before round {message.round}",
                )
        case ProposedBlock(transaction_ids=ids) | GetTransactions(ids=ids):
            pass
        case BlockTransactions(raws=raws):
            ids = raws
        case GetChunk(path=path) | ChunkMessage(path=path):
            if path and max(path) > 15:
                raise WireError(
                    WireFault.OUT_OF_BOUNDS,
                    type(message).__name__,
                    f"{path.hex()} is no path: a nibble is at most 15",
                )
            return
        case _:
            return
    if len(ids) > limits.block_transactions_max:
        raise WireError(
            WireFault.OUT_OF_BOUNDS,
            type(message).__name__,
            f"{len(ids)} transactions, at most {limits.block_transactions_max} in a block",
        )
