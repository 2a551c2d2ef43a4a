"""The shape of every result: what the generated document describes and what is sent.

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


class SignerView(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an account's policy."""

    public_key: Hex
    weight: int


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """Who must sign for what."""

    signers: list[SignerView]
    thresholds: dict[str, int]
    """The weight that each class of operation takes, by its name."""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """What a participant acts through."""

    address: Address
    owner: str
    policy: PolicyView
    opened_by: str
    status: str
    hold: Object | None


class AccountResult(Result, frozen=True, kw_only=True):
    """One account."""

    account: AccountView


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a holding that stays where it is."""

    id: Hex
    asset: str
    amount: Amount
    reason: str
    legal_reference: str
    expires: Time | None
    placed_by: str


class HoldingView(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one asset an account has."""

    asset: str
    decimals: int
    available: Amount
    held: Amount
    total: Amount


class HoldingsResult(Result, frozen=True, kw_only=True):
    """A page of an account's holdings, by asset code."""

    address: Address
    holdings: list[HoldingView]
    next: str | None
    """What to give as `after` for the next page; null on the last."""


class HoldsResult(Result, frozen=True, kw_only=True):
    """A page of the holds on an account's holdings, by id."""

    address: Address
    holds: list[HoldView]
    next: Hex | None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """Anything the ledger holds amounts of."""

    asset: str
    kind: str
    name: str
    issuer: str
    identifiers: Object
    terms: Object
    term_sheet_hash: Hex
    decimals: int
    multiple: Amount
    """The legal denomination: issues and bids are multiples of it."""
    face_unit: Amount | None
    """Below it, what is held and moved is a multiple of this. None: cash, or a bill that is brought
    back."""
    ceiling: Amount
    supply: Amount
    forced_transfer_allowed: bool


class AssetResult(Result, frozen=True, kw_only=True):
    """One asset."""

    asset: AssetView


class AssetsResult(Result, frozen=True, kw_only=True):
    """A page of the assets, by code."""

    assets: list[AssetView]
    next: str | None


class CalendarSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar of business days, in short."""

    calendar: str
    title: str
    version: int
    holidays: int
    """How many."""


class CalendarsResult(Result, frozen=True, kw_only=True):
    """A page of the calendars, by name."""

    calendars: list[CalendarSummary]
    next: str | None


class HolidayView(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which no business is done."""

    day: Day
    provisional: bool
    """Expected, and to be confirmed or put on another day."""


class CalendarView(msgspec.Struct, frozen=True, kw_only=True):
    """The ruling version of a calendar."""

    calendar: str
    title: str
    version: int
    weekend: list[str]
    """Days of the week, in English, from Monday on."""
    holidays: list[HolidayView]
    used_until: Day | None
    """What was paid relied on days up to this one: they do not change any more."""
    moving: bool
    """Whether what hangs on it is being looked at after an amendment."""


class CalendarResult(Result, frozen=True, kw_only=True):
    """One calendar."""

    today: Day
    """In the ledger's local time, by the time of the block."""
    calendar: CalendarView


class BusinessDayResult(Result, frozen=True, kw_only=True):
    """A day by a calendar. Days beyond the year 9999 are null."""

    calendar: str
    version: int
    day: Day
    business: bool
    why: str
    """`business day`, `weekend`, `holiday` or `provisional holiday`."""
    following: Day | None
    """Where each convention moves it: to itself, if business is done on it."""
    modified_following: Day | None
    preceding: Day | None
    business_days: int
    """That were counted from it."""
    counted: Day | None
    """Where that leads; for 0 as `following`."""


class LicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a licence allows."""

    activity: str
    phase: str
    revoked: bool
    expires: Time | None
    accounts_opened: int


class ParticipantView(msgspec.Struct, frozen=True, kw_only=True):
    """A legal entity or person known to the ledger."""

    participant: str
    kind: str
    jurisdiction: str
    lei: str | None
    file_commitment: Hex
    registrar: str
    office: str | None
    status: str
    licences: list[LicenceView]


class ParticipantResult(Result, frozen=True, kw_only=True):
    """One participant."""

    participant: ParticipantView


class ParticipantSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A participant in a list."""

    participant: str
    kind: str
    jurisdiction: str
    office: str | None
    status: str


class ParticipantsResult(Result, frozen=True, kw_only=True):
    """A page of the participants, by id."""

    participants: list[ParticipantSummary]
    next: str | None


class OfficeView(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds an office."""

    office: str
    participant: str


class OfficesResult(Result, frozen=True, kw_only=True):
    """The offices, by name."""

    offices: list[OfficeView]


class HeldLicenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A licence with who has it."""

    participant: str
    licence: LicenceView


class LicencesResult(Result, frozen=True, kw_only=True):
    """A page of the licences, by participant and activity."""

    licences: list[HeldLicenceView]
    next: str | None


class IdentifierResult(Result, frozen=True, kw_only=True):
    """What an identifier names."""

    identifier: str
    scheme: str
    """`isin`, `dti` or `lei`."""
    holder: str
    """The code of the asset; of an LEI, the id of the participant."""


class ValidatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the validator set."""

    name: str
    participant: str | None
    """Null for a set that no longer rules: only names and keys of those are on the ledger."""
    public_key: Hex
    tls_certificate: Annotated[str, msgspec.Meta(description="DER in base64")] | None
    """Null as `participant` is."""


class ValidatorsResult(Result, frozen=True, kw_only=True):
    """Those who decide, or decided, one height."""

    rules_height: int
    fault_model: str
    quorum: int
    faults_survived: int
    validators: list[ValidatorView]


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """Operations that wait for offices."""

    id: Hex
    proposer: Address
    operations: list[Object]
    approvals: list[Address]
    expires: Time


class ProposalResult(Result, frozen=True, kw_only=True):
    """One open proposal."""

    proposal: ProposalView


class ProposalsResult(Result, frozen=True, kw_only=True):
    """A page of the open proposals, by id."""

    proposals: list[ProposalView]
    next: Hex | None


class ParameterView(msgspec.Struct, frozen=True, kw_only=True):
    """What governance may turn."""

    name: str
    value: int
    lowest: int
    highest: int


class ParametersResult(Result, frozen=True, kw_only=True):
    """All parameters, by name."""

    parameters: list[ParameterView]


class PowerView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the powers matrix."""

    operation: str
    subject: str
    offices: list[str]
    required: int
    """How many of the offices must stand behind the operation."""
    licences: list[str]
    """Activities of which one active licence is enough instead."""


class PowersResult(Result, frozen=True, kw_only=True):
    """A page of the powers matrix, by operation and subject."""

    powers: list[PowerView]
    next: str | None


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
    mempool: MempoolView
    peers: list[PeerSummary]
