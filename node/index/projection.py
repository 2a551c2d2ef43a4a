"""From a block with what became of it to rows: a pure function, the same for old blocks and new.

An item of a block has the number that the stream of the interface gives it (`node.rpc.stream`): the
block 0, its receipts 1, then its own events, then each transaction followed by its events. So a row
of the index and a cursor of the stream name the same thing.

What a row says is in `schema`. Nothing here reads a database, a clock or the state.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias, get_args

from node.blocks import Block
from node.chain import BlockReceipts, Committed
from node.codec import CodecError, Record, decode, encode
from node.index.mentions import accounts_in, texts_of
from node.index.moves import Move, moves_in
from node.index.words import words_of
from node.ledger.events import (
    AccountOpened,
    AssetDefined,
    Event,
    LicenceGranted,
    LicenceRevoked,
    OfficeGranted,
    ParticipantRegistered,
    ParticipantStatusUpdated,
    PersonIdentified,
    TaxStatusRules,
    TaxStatusSet,
    Transferred,
    ValidatorAdded,
)
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.operations import (
    DefineAsset,
    Operation,
    Operations,
    Propose,
    RegisterParticipant,
    Transfer,
)
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    TransactionBody,
    decode_body,
    decode_transactions,
    transaction_ids_of_each,
)
from node.ledger.transition import Receipt
from node.ledger.units import MS_PER_DAY

TEXT_MAX: Final = 4_000
"""Characters of one row of text: the rest of a longer one is not found."""
REFUSED: Final = "refused"
APPLIED: Final = "applied"
NO_ASSET: Final = ""
"""Under which totals stand that are of the network: how many transactions."""

EventRow: TypeAlias = tuple[int, int, int, bytes | None, str, bytes]
HistoryRow: TypeAlias = tuple[bytes, int, int]
TextRow: TypeAlias = tuple[int, int, int, str, str, str, str]
HoldingKey: TypeAlias = tuple[str, bytes]
TotalKey: TypeAlias = tuple[str, int, str]
_Form: TypeAlias = tuple[
    str,
    Callable[[Any], tuple[bytes, ...]],
    Callable[[Any], list[bytes]] | None,
    Callable[[Any], tuple[Move, ...]] | None,
]
"""Of one type of events: its name, whom one names, under what else it stands, and what it moved."""


BLOCK_ITEM: Final = 0
"""The number of a block itself among its items."""


def subject(identifier: bytes) -> bytes:
    """Return under which key of `history` stands what has an id: a block, a proposal.

    It is as long as an address, whose rows those are otherwise. Whoever looks for an id compares
    the whole of it with what is found.
    """
    return identifier[:ADDRESS_SIZE]


def participant_subject(participant: str) -> bytes:
    """Return the same of a participant, whose id may be longer: of a hash of it."""
    return sha256(b"participant " + participant.encode()).digest()[:ADDRESS_SIZE]


def participants_of(event: Event | Receipt) -> tuple[str, ...]:
    """Return whom of the register an event is about; none of what a participant's accounts do."""
    read = _OF_PARTICIPANTS.get(type(event))
    return () if read is None else tuple(name for name in read(event) if name is not None)


@dataclass(slots=True)
class Rows:
    """What blocks that follow each other say, gathered; mutable, and of one owner."""

    first: int
    """Height of the first of them."""
    height: int = 0
    """Of the last."""
    block_id: bytes = b""
    time_ms: int = 0
    transactions: int = 0
    events: list[EventRow] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    texts: list[TextRow] = field(default_factory=list)
    moves: defaultdict[HoldingKey, int] = field(default_factory=lambda: defaultdict(int))
    """By how much each holding changed; 0 where what came went."""
    totals: defaultdict[TotalKey, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    """Count and amount, by asset, day and kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A block as it is projected."""

    height: int
    block_id: bytes
    time_ms: int
    raws: Sequence[bytes]
    """The transactions, in their wire form."""
    receipts: Sequence[Receipt]
    events: Sequence[Event]
    """The block's own."""
    ids: Sequence[bytes] | None
    """Of the transactions; None: not known yet."""


def given_committed(committed: Committed) -> Given:
    """Return a block that was just committed, from what is in memory."""
    candidate = committed.candidate
    return Given(
        height=candidate.height,
        block_id=candidate.block_id,
        time_ms=candidate.header.time_ms,
        raws=candidate.block.transactions,
        receipts=candidate.receipts,
        events=candidate.events,
        ids=candidate.transaction_ids,
    )


def given_stored(block: Block, block_id: bytes, receipts: BlockReceipts) -> Given:
    """Return a block as it was stored."""
    return Given(
        height=block.header.height,
        block_id=block_id,
        time_ms=block.header.time_ms,
        raws=block.transactions,
        receipts=receipts.decoded(),
        events=receipts.block_events(),
        ids=None,
    )


class Projector:
    """Adds the rows of blocks, of one network."""

    def __init__(self, genesis_hash: bytes) -> None:
        self._ids_of = transaction_ids_of_each(genesis_hash)

    def add(self, rows: Rows, given: Given, *, moves: bool = True) -> None:
        """Add what the next block says.

        Args:
            moves: False where the holdings are already as they were after it.
        """
        assert given.height == (rows.height + 1 if rows.height else rows.first)
        rows.height, rows.block_id, rows.time_ms = given.height, given.block_id, given.time_ms
        rows.transactions += len(given.raws)
        rows.history.append((subject(given.block_id), given.height, BLOCK_ITEM))
        block = _Block(rows, given.height, given.time_ms, moves=moves)
        for event in given.events:
            block.add_event(None, event)
        bodies = [signed.body for signed in decode_transactions(given.raws)]
        ids = self._ids_of(bodies) if given.ids is None else given.ids
        for transaction_id, body, receipt in zip(ids, bodies, given.receipts, strict=True):
            block.add_transaction(transaction_id, body, receipt)
        block.close(applied=block.applied, refused=len(given.receipts) - block.applied)


class _Block:
    """The rows of one block, while they are made."""

    __slots__ = ("_day", "_height", "_item", "_moves", "_rows", "_time_ms", "applied")

    def __init__(self, rows: Rows, height: int, time_ms: int, *, moves: bool) -> None:
        self._rows = rows
        self._height = height
        self._time_ms = time_ms
        self._moves = moves
        self._day = time_ms // MS_PER_DAY
        self._item = 2  # behind the block itself and its receipts
        self.applied = 0

    def add_transaction(self, transaction_id: bytes, body: bytes, receipt: Receipt) -> None:
        rows, place = self._rows, self._item
        self._item += 1
        if receipt.outcome is not Outcome.APPLIED:
            self._add_refusal(place, transaction_id, decode_body(body), receipt)
            return
        self.applied += 1
        for event in receipt.events:
            self.add_event(transaction_id, event)
        # What is nothing but transfers has no text besides a memo, which comes last: an empty one
        # is this byte, and so may be the end of another.
        if body[-1] != _EMPTY or _is_more_than_transfers(receipt.events) or not _ends_empty(body):
            rows.texts += _texts(self._height, place, transaction_id, decode_body(body))

    def add_event(self, transaction_id: bytes | None, event: Event) -> None:
        rows, height, item = self._rows, self._height, self._item
        self._item += 1
        form = _FORMS.get(type(event)) or _form_of(type(event))
        kind, accounts_of, subjects_of, moves_of = form
        rows.events.append((height, item, self._time_ms, transaction_id, kind, encode(event)))
        history = rows.history
        for account in accounts_of(event):
            history.append((account, height, item))
        if subjects_of is not None:
            for named in subjects_of(event):
                history.append((named, height, item))
        if moves_of is None:
            return
        moves = moves_of(event)
        if self._moves:
            holdings = rows.moves
            for asset, account, amount in moves:
                if amount:
                    holdings[asset, account] += amount
        for asset, amount in _moved(moves):
            total = rows.totals[asset, self._day, kind]
            total[0] += 1
            total[1] += amount

    def _add_refusal(
        self, item: int, transaction_id: bytes, body: TransactionBody, receipt: Receipt
    ) -> None:
        rows, height = self._rows, self._height
        rows.events.append((height, item, self._time_ms, transaction_id, REFUSED, encode(receipt)))
        accounts = dict.fromkeys(operation.account for operation in body.operations)
        rows.history += [(account, height, item) for account in accounts]

    def close(self, *, applied: int, refused: int) -> None:
        for kind, count in ((APPLIED, applied), (REFUSED, refused)):
            if count:
                self._rows.totals[NO_ASSET, self._day, kind][0] += count


_EMPTY: Final = 0xA0
"""How an empty memo is spelled, at the end of a body."""


def _ends_empty(body: bytes) -> bool:
    """Whether the memo of a body that ends like an empty one is empty.

    A text may end with this byte only as the last of a character that has several: then the byte
    before it is one of such a character too, which no length of an array, number or short text is.
    """
    return body[-2] < 0x80


def _is_more_than_transfers(events: Sequence[Event]) -> bool:
    if len(events) == 1:  # As most have.
        return type(events[0]) is not Transferred
    return any(type(event) is not Transferred for event in events)


def _moved(moves: tuple[Move, ...]) -> Iterable[tuple[str, int]]:
    """Return how much of each asset moved: what came or what went, whichever is more."""
    if len(moves) == 2:  # Most events: from one to another.
        (asset, _, amount), (other, _, back) = moves
        if asset == other and amount == -back:
            return ((asset, abs(amount)),) if amount else ()
    if len(moves) == 1:
        ((asset, _, amount),) = moves
        return ((asset, abs(amount)),) if amount else ()
    came: dict[str, int] = {}
    went: dict[str, int] = {}
    for asset, _, amount in moves:
        if amount:
            side = came if amount > 0 else went
            side[asset] = side.get(asset, 0) + abs(amount)
    return [(asset, max(came.get(asset, 0), went.get(asset, 0))) for asset in {**came, **went}]


def _texts(height: int, item: int, transaction_id: bytes, body: TransactionBody) -> list[TextRow]:
    rows: list[TextRow] = []
    words: list[str] = [body.memo] if body.memo else []
    for part, operation in enumerate(body.operations, 1):
        match operation:
            case Transfer():
                continue
            case DefineAsset():
                rows.append(_row(height, item, part, "asset", operation.asset, texts_of(operation)))
            case RegisterParticipant():
                found = texts_of(operation)
                rows.append(_row(height, item, part, "participant", operation.participant, found))
            case Propose():
                words += texts_of(operation)
                for inner in _proposed(operation):
                    words += texts_of(inner)
            case _:
                words += texts_of(operation)
    if words:
        rows.append(_row(height, item, 0, "transaction", transaction_id.hex(), words))
    return rows


def _row(
    height: int, item: int, part: int, kind: str, subject: str, words: Sequence[str]
) -> TextRow:
    # What is applied is visible text; in what is only proposed nobody has looked yet, and a
    # PostgreSQL takes no NUL: without this one office could end every index that is kept in one.
    text = " ".join(dict.fromkeys(words))[:TEXT_MAX].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return height, item, part, kind, subject, text, " ".join(words_of(text))


def _proposed(operation: Propose) -> tuple[Operation, ...]:
    try:
        return decode(operation.operations, Operations)
    except CodecError:
        return ()  # refused when it was proposed, where it was


def _form_of(kind: type[Event]) -> _Form:
    name = "".join(
        f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__
    ).removeprefix("_")
    is_of_proposal, is_of_participants = kind in _OF_PROPOSALS, kind in _OF_PARTICIPANTS

    def subjects_of(event: Any) -> list[bytes]:
        found = [subject(event.proposal)] if is_of_proposal else []
        return found + [participant_subject(name) for name in participants_of(event)]

    form = _FORMS[kind] = (
        name,
        accounts_in(kind),
        subjects_of if is_of_proposal or is_of_participants else None,
        moves_in(kind),
    )
    return form


_FORMS: Final[dict[type[Record], _Form]] = {}
_OF_PROPOSALS: Final = frozenset(
    kind for kind in get_args(Event) if "proposal" in kind.__struct_fields__
)
"""Events that say what became of a proposal."""
_OF_PARTICIPANTS: Final[Mapping[type[Record], Callable[[Any], tuple[str | None, ...]]]] = {
    ParticipantRegistered: lambda event: (event.participant,),
    ParticipantStatusUpdated: lambda event: (event.participant,),
    PersonIdentified: lambda event: (event.participant,),
    TaxStatusSet: lambda event: (event.participant,),
    TaxStatusRules: lambda event: (event.participant,),
    OfficeGranted: lambda event: tuple(dict.fromkeys((event.participant, event.previous))),
    LicenceGranted: lambda event: (event.participant,),
    LicenceRevoked: lambda event: (event.participant,),
    AccountOpened: lambda event: (event.owner,),
    AssetDefined: lambda event: (event.issuer,),
    ValidatorAdded: lambda event: (event.participant,),
}
"""Events of the register: whom each is about. What a participant does with its accounts is in the
past of those."""
