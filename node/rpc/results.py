"""The shape of results: what the generated document describes and what is sent. Here are those of
transactions, blocks and proofs, and what all have in common; `ledger_results` and `node_results`
have others, and so has whatever method has its own.

Every read says at which head it was answered: `height`, `block_id`, `time`. Members may be added,
never taken away or given another meaning.
"""

from typing import Annotated, Any, TypeAlias

import msgspec

from node.chain import Chain, Head
from node.rpc.rendering import render_time

Address: TypeAlias = Annotated[
    str, msgspec.Meta(description="bech32m, khz1… or on test networks tkhz1…")
]
Amount: TypeAlias = Annotated[
    str, msgspec.Meta(description="a decimal string in units of the asset")
]
Hex: TypeAlias = Annotated[str, msgspec.Meta(description="lower-case hexadecimal")]
Time: TypeAlias = Annotated[
    str, msgspec.Meta(description="RFC 3339 in UTC with milliseconds, 2026-11-20T11:05:00.125Z")
]
Day: TypeAlias = Annotated[str, msgspec.Meta(description="YYYY-MM-DD, in the ledger's local time")]
Object: TypeAlias = dict[str, Any]
"""A ledger record as JSON; its members follow the record's fields."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Where the answer was read."""

    height: int
    """Of the last block that this node has committed; 0 before the first."""
    block_id: Hex
    time: Time
    """Of that block. No later block holds a transaction that was valid until before it."""


def at_head(head: Head) -> dict[str, Any]:
    """Return the members of `Result` for this head."""
    return {
        "height": head.height,
        "block_id": head.block_id.hex(),
        "time": render_time(head.time_ms),
    }


class AtHead:
    """The members of `Result` for what a chain's head is now, written once for all reads at it."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._head = chain.head
        self._members = at_head(chain.head)

    def __call__(self) -> dict[str, Any]:
        """Return them; nobody changes them."""
        if self._head is not self._chain.head:
            self._head = self._chain.head
            self._members = at_head(self._head)
        return self._members


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a transaction, and why."""

    code: int
    name: str
    """Permanent, in capitals."""
    sentence: str
    """What was found, what was expected, which rule, what to do."""
    details: Object
    """The numbers and names in the sentence; amounts among them in minor units."""
    told: str
    """The sentence for people: amounts with decimals and asset, dates, rates in per cent."""
    reason: "ReasonView | None"
    """Why, where the details say `reason`: for whoever words it in another language."""
    operation: int | None
    """Index of the operation that was refused."""


class ReasonView(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase of the ledger's vocabulary; `node/cli/refusals.md` has them all."""

    code: str
    """Permanent, in capitals."""
    arguments: Object
    """What stands in its places, by name: days counted from 1970-01-01, times in ms since 1970,
    amounts in minor units, rates in millionths."""


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """The final word on a transaction."""

    height: int
    index: int
    """Of the transaction in its block."""
    time: Time
    outcome: OutcomeView
    events: list[Object]


class TransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction asks for."""

    id: Hex
    valid_until: Time
    signers: list[Hex]
    operations: list[Object]
    memo: str
    size_bytes: int


ForgottenUntil: TypeAlias = Annotated[
    str | None,
    msgspec.Meta(
        description="A transaction whose validity ended by this time may be in a block that is no"
        " longer kept here, so that `unknown` says nothing of it; null: every block is kept"
    ),
]


class TransactionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What this node knows of one transaction."""

    id: Hex
    status: Annotated[
        str,
        msgspec.Meta(
            description="`final`: in a block; `pending`: waits here; `unknown`: not here, and in no"
            " block up to `height`"
        ),
    ]
    receipt: ReceiptView | None


class TransactionResult(Result, frozen=True, kw_only=True):
    """One transaction."""

    id: Hex
    status: str
    transaction: TransactionView | None
    receipt: ReceiptView | None
    forgotten_until: ForgottenUntil


class TransactionsResult(Result, frozen=True, kw_only=True):
    """Several transactions, in the order of the ids."""

    transactions: list[TransactionStatus]
    forgotten_until: ForgottenUntil


class SubmissionResult(Result, frozen=True, kw_only=True):
    """A transaction that was taken, or had been."""

    id: Hex
    status: Annotated[
        str, msgspec.Meta(description="`pending`: waits for a block; `final`: has its receipt")
    ]
    receipt: ReceiptView | None


class ErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """Why one member of a list was not taken; code, message and data as in an error."""

    code: int
    message: str
    data: Object


class SubmittedItem(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one transaction of a list."""

    id: Hex | None
    status: Annotated[
        str, msgspec.Meta(description="`pending`, `final`, or `refused`: see `error`")
    ]
    receipt: ReceiptView | None
    error: ErrorView | None


class SubmissionsResult(Result, frozen=True, kw_only=True):
    """One answer for each transaction, in order."""

    results: list[SubmittedItem]


class SimulationResult(Result, frozen=True, kw_only=True):
    """What would become of a transaction in the next block; nothing has changed."""

    id: Hex
    outcome: OutcomeView
    events: list[Object]


class HeaderView(msgspec.Struct, frozen=True, kw_only=True):
    """What validators sign, by its hash."""

    version: int
    network: Hex
    height: int
    round: int
    time: Time
    parent: Hex
    proposer: str
    transactions_root: Hex
    receipts_root: Hex
    evidence_root: Hex
    state_root: Hex
    validators_hash: Hex
    next_validators_hash: Hex
    parameters_hash: Hex
    transaction_count: int


class SignatureView(msgspec.Struct, frozen=True, kw_only=True):
    """One validator's precommit."""

    validator: str
    signature: Hex


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """The quorum of precommits that made the block final."""

    height: int
    round: int
    block_id: Hex
    signatures: list[SignatureView]


class BlockTransactionView(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in its block."""

    index: int
    transaction: TransactionView
    outcome: OutcomeView
    events: list[Object]


class BlockResult(Result, frozen=True, kw_only=True):
    """A block; its own height stands in the header."""

    id: Hex
    header: HeaderView
    certificate: CertificateView
    transaction_ids: list[Hex]
    """Of this page; empty unless asked for."""
    transactions: list[BlockTransactionView]
    """Of this page; empty unless asked for in full."""
    next_index: int | None
    """Where the next page begins; null on the last."""
    events: list[Object]
    """Of the block itself, such as expiries."""
    next_event: int | None
    """Where the next page of them begins; null on the last, which has all where none is asked."""
    evidence: list["EvidenceView"]
    size_bytes: int


class ProofResult(Result, frozen=True, kw_only=True):
    """A proof that needs nothing but the genesis to be verified."""

    statement: str
    """What is proven, in words."""
    file: str
    """The proof file, to be kept as it is: `khazana verify` reads it, every character counts."""


class SignedMessageView(msgspec.Struct, frozen=True, kw_only=True):
    """What a validator signed."""

    kind: str
    block_id: Hex | None
    """Null is nil: a vote against every block of the round."""
    signature: Hex


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """Two conflicting signatures of one validator."""

    shown_in: int
    """Height of the block that holds it."""
    validator: str
    height: int
    round: int
    first: SignedMessageView | None
    """Null where this node does not keep the block that holds the messages."""
    second: SignedMessageView | None


class EvidenceResult(Result, frozen=True, kw_only=True):
    """A page of the evidence, newest block first."""

    evidence: list[EvidenceView]
    next: str | None
