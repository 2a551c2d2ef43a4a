"""What a node tells, as typed values. Members that a newer node adds are ignored.

Amounts are `Decimal`, exact, in units of the asset; times are aware `datetime`s in UTC; hashes and
ids are lower-case hexadecimal text, as people and tools write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from node.ledger.outcomes import Outcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """A value, and the block after which it was so."""

    value: T
    height: int
    block_id: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRead:
    """What became of a transaction."""

    code: int
    name: str
    sentence: str
    details: Mapping[str, Any]
    operation: int | None
    """Index of the operation refused."""

    @property
    def applied(self) -> bool:
        """Whether the transaction took effect."""
        return self.code == Outcome.APPLIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The final word of a block on a transaction."""

    height: int
    index: int
    time: datetime
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]

    @property
    def applied(self) -> bool:
        """Whether the transaction took effect."""
        return self.outcome.applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a transaction asks for."""

    id: str
    valid_until: datetime
    signers: tuple[str, ...]
    operations: tuple[Mapping[str, Any], ...]
    memo: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionState:
    """What a node knows of a transaction."""

    id: str
    status: str
    """`final`, `pending`, or `unknown`: in no block up to the height of the answer."""
    transaction: Transaction | None
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What would become of a transaction in the next block."""

    id: str
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A member of the network as the node sees it."""

    name: str
    role: str
    connected: bool
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mempool:
    """What waits for a block at the node."""

    transactions: int
    transactions_max: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Another version of the protocol, from a height on."""

    version: int
    height: int
    known: bool
    """Whether the node's software knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Another set of validators, decided outside the chain."""

    serial: int
    id: str
    height: int
    """The first that it rules."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A node and its network."""

    height: int
    block_id: str
    time: datetime
    node: str
    software: str
    api_version: str
    network: str
    network_name: str
    genesis_hash: str
    test_network: bool
    development: bool
    protocol_version: int
    """Rules the next height."""
    state_root: str
    earliest_height: int
    fault_model: str
    validators: int
    quorum: int
    faults_survived: int
    transaction_window_ms: int
    ready: bool
    not_ready: tuple[str, ...]
    mempool: Mempool
    peers: tuple[Peer, ...]
    protocol_versions_known: tuple[int, ...] = ()
    """By whose rules the node's software can apply blocks; an older release does not say."""
    upgrade: Upgrade | None = None
    """What is scheduled."""
    amendments: tuple[Amendment, ...] = ()
    """Those of the validator set that were decided outside the chain; an older release has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key of an account's policy."""

    public_key: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who must sign for what."""

    signers: tuple[Signer, ...]
    thresholds: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a participant acts through."""

    address: str
    owner: str
    policy: Policy
    opened_by: str
    status: str
    hold: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """How much of one asset an account has."""

    asset: str
    decimals: int
    available: Decimal
    held: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A part of a holding that stays where it is."""

    id: str
    asset: str
    amount: Decimal
    reason: str
    legal_reference: str
    expires: datetime | None
    placed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Anything the ledger holds amounts of."""

    asset: str
    kind: str
    name: str
    issuer: str
    identifiers: Mapping[str, str | None]
    terms: Mapping[str, Any]
    term_sheet_hash: str
    decimals: int
    multiple: Decimal
    face_unit: Decimal | None
    """What is held and moved is a multiple of it. None: of no security with a plan."""
    ceiling: Decimal
    supply: Decimal
    forced_transfer_allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMade:
    """How far a payment has come whose record is taken."""

    status: str
    face: Decimal
    interest_due: Decimal
    principal_due: Decimal
    payer: str | None
    holders: int
    paid: Decimal
    withheld: Decimal
    residue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixing:
    """By what a rate that floats is fixed; without a reference it is awaited from the offices."""

    reference: Decimal | None
    """Per cent a year, without the margin."""
    auction: str | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedDay:
    """A day without business that a payment moved over."""

    day: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A row of a security's schedule; days are YYYY-MM-DD."""

    number: int
    start: str
    end: str
    record_day: str
    funding_day: str
    nominal_day: str
    """By the terms, before any roll."""
    payment_day: str
    passed: tuple[PassedDay, ...]
    """From the day of the terms on; empty: it did not move."""
    provisional: tuple[str, ...]
    """Holidays to be confirmed, by which its days were counted."""
    fixing_day: str | None
    """None: it does not float."""
    fixing: Fixing | None
    """None until the fixing day has come."""
    rate: Decimal | None
    """Per cent a year; None, as interest is: not fixed yet."""
    interest: str | None
    """Of a unit of face, exactly: a fraction."""
    interest_per_hundred: Decimal | None
    principal_per_hundred: Decimal
    """Face that is repaid, of a hundred that was issued."""
    price: Decimal
    """Paid for a hundred of that face: par, unless it was called."""
    called: bool
    final: bool
    made: PaymentMade | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A strip of a bond."""

    asset: str
    payment: int
    """With which payment of the bond it is paid."""
    payment_day: str
    per_hundred: Decimal
    """What a hundred of the bond's face is stripped into."""
    share: str
    """Of a unit of the bond's face, exactly: a fraction."""
    supply: Decimal
    open: bool
    """Whether its record is still to come."""
    held: Decimal | None
    """What the account has available; None where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strips:
    """The strips of a bond."""

    asset: str
    multiple: Decimal
    """What is stripped and put together is a multiple of this face."""
    supply: Decimal
    """Of the bond: what is not stripped."""
    stripped: Decimal
    coupons: tuple[Strip, ...]
    principal: Strip
    held: Decimal | None
    """Of the bond, what the account has available."""
    reconstitutable: Decimal | None
    """The face that the account has all open strips of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A holding of an asset as other systems know it."""

    asset: str
    dictionary: str
    """The version of the ACTUS data dictionary whose names these are."""
    contract: Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What terms are worth: a price per hundred, and what belongs to it. None: not of this kind."""

    price: Decimal
    yield_percent: Decimal | None = None
    """Of a bill or a bond."""
    discount_percent: Decimal | None = None
    """Of a bill."""
    coupon_equivalent_percent: Decimal | None = None
    """Of a bill between two days."""
    discount_margin_percent: Decimal | None = None
    """Of a floater."""
    accrued: Decimal | None = None
    full_price: Decimal | None = None
    days: int | None = None
    """Of a bill, to its maturity."""
    days_to_next_coupon: int | None = None
    days_in_period: int | None = None
    next_payment: date | None = None
    next_payment_per_hundred: Decimal | None = None
    face: Decimal | None = None
    """As given; None: what follows was not asked for."""
    cost: Decimal | None = None
    accrued_interest: Decimal | None = None
    payable: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestByDayCount:
    """What accrues by a day count."""

    day_count: str
    share: str
    """Of a year, exactly: a fraction."""
    decimal: Decimal
    interest: Decimal
    """On the face, half up to the hundredth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestQuote:
    """What accrues on a face between two days."""

    rate_percent: Decimal
    days: int
    face: Decimal
    day_counts: tuple[InterestByDayCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchQuote:
    """What a face of an old line comes to in a new one."""

    face: Decimal
    worth: Decimal
    """Of it, with the interest accrued."""
    given: Decimal
    """Face of the new line."""
    given_worth: Decimal
    cash: Decimal
    """What is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a licence allows."""

    activity: str
    phase: str
    revoked: bool
    expires: datetime | None
    accounts_opened: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A legal entity or person known to the ledger."""

    participant: str
    kind: str
    jurisdiction: str
    lei: str | None
    file_commitment: str
    registrar: str
    office: str | None
    status: str
    licences: tuple[Licence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A member of the validator set."""

    name: str
    participant: str | None
    """None for a set that no longer rules."""
    public_key: str
    tls_certificate: str | None
    """DER in base64; None as `participant` is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """Those who decide, or decided, one height."""

    rules_height: int
    fault_model: str
    quorum: int
    faults_survived: int
    validators: tuple[Validator, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Operations that wait for offices."""

    id: str
    proposer: str
    operations: tuple[Mapping[str, Any], ...]
    approvals: tuple[str, ...]
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdingRate:
    """A rate from a day on."""

    from_day: date
    rate: Decimal
    """Per cent of the interest."""
    source: str
    rules: bool
    """Whether it rules today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """What is withheld from the interest that a kind of security pays a class of taxpayer."""

    taxpayer: str
    kind: str
    collector: str
    """Address of the account that receives it."""
    rates: tuple[WithholdingRate, ...]
    """In order of day; before the first nothing is withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSummary:
    """A calendar of business days, in short."""

    calendar: str
    title: str
    version: int
    holidays: int
    """How many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which no business is done."""

    day: date
    provisional: bool
    """Expected, and to be confirmed or put on another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The ruling version of a calendar."""

    calendar: str
    title: str
    version: int
    weekend: tuple[str, ...]
    """Days of the week, in English, from Monday on."""
    holidays: tuple[Holiday, ...]
    used_until: date | None
    """What was paid relied on days up to this one: they do not change any more."""
    moving: bool
    """Whether what hangs on it is being looked at after an amendment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDay:
    """A day by a calendar."""

    calendar: str
    version: int
    day: date
    business: bool
    why: str
    """`business day`, `weekend`, `holiday` or `provisional holiday`."""
    following: date | None
    """Where each convention moves it; None: beyond the year 9999."""
    modified_following: date | None
    preceding: date | None
    business_days: int
    """That were counted from it."""
    counted: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionResult:
    """What the ministry's decision came to. Prices are per hundred, yields in per cent."""

    cut_off: Decimal
    average_price: Decimal
    average_yield: Decimal | None
    noncompetitive_price: Decimal
    competitive: Decimal
    noncompetitive: Decimal
    settlement_day: date
    decided: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionSummary:
    """An auction, in short."""

    auction: str
    asset: str
    form: str
    """`price`, `rate`, `margin`, `buyback` or `switch`."""
    destination: str | None
    """The line that is given in a switch."""
    stage: str
    target: Decimal
    opens: datetime
    closes: datetime
    settles: datetime
    settlement_day: date
    """By the calendar as it is; once it is decided, as it was then."""
    currency: str | None
    result: AuctionResult | None
    settled: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction:
    """An auction."""

    auction: str
    stage: str
    terms: Mapping[str, Any]
    decimals: int
    sealed: int
    noncompetitive_bids: int
    unrevealed: int
    settlement_day: date
    """For which yields count; before the decision as the calendar has it."""
    result: AuctionResult | None
    settled: Decimal
    paid: Decimal
    """In a switch only what was left of the worth."""
    failed: Decimal
    reallotted: Decimal
    """Of what failed, delivered to others."""
    issued: Decimal | None
    """In a switch: the face of the destination that was given."""
    destination: str | None
    destination_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderRow:
    """A bid without its bidder."""

    price: Decimal | None
    """None: without a price."""
    face: Decimal
    allotted: Decimal
    state: str
    reallotted: Decimal
    """Delivered besides, of what others did not pay for."""
    paid: Decimal | None
    """With the interest accrued; None: nothing was delivered."""
    accrued: Decimal | None
    """None where nothing accrues."""
    issued: Decimal | None
    """What was given for it of the destination of a switch."""
    issued_accrued: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bidder has failed to do, in all auctions."""

    unrevealed: int
    failed: int
    excluded_until: datetime | None
    unentered: int
    """Envelopes of others that it lodged as an office and did not enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A bid of one bidder."""

    number: int
    account: str
    commitment: str | None
    """None: without a price."""
    price: Decimal | None
    """None: sealed, or without a price."""
    face: Decimal | None
    """None: sealed."""
    cash_account: str | None
    void: bool
    office: str | None
    """That handed it in on paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bidder:
    """How a bidder stands, and its bids in an auction."""

    participant: str
    standing: Standing
    bids: tuple[Bid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAuction:
    """An auction that is to be announced."""

    day: date
    settlement_day: date
    kind: str
    tenor_months: int
    form: str
    line: str | None
    """None: a new one, or not yet chosen."""
    asset: str
    """The cash that it is to be paid in."""
    currency: str | None
    target: Decimal
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionPlan:
    """The ruling version of a plan of auctions to come."""

    plan: str
    version: int
    published: datetime
    auctions: tuple[PlannedAuction, ...]
    """In order of day; none: it was withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The weighted average of the last auction under a name."""

    reference: str
    auction: str
    day: date
    settlement_day: date
    average_price: Decimal
    average_yield: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What governance may turn."""

    name: str
    value: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """A row of the powers matrix."""

    operation: str
    subject: str
    offices: tuple[str, ...]
    required: int
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What validators sign, by its hash."""

    version: int
    network: str
    height: int
    round: int
    time: datetime
    parent: str
    proposer: str
    transactions_root: str
    receipts_root: str
    evidence_root: str
    state_root: str
    validators_hash: str
    next_validators_hash: str
    parameters_hash: str
    transaction_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTransaction:
    """A transaction in its block."""

    index: int
    transaction: Transaction
    outcome: OutcomeRead
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A page of a block."""

    id: str
    header: Header
    certificate: Mapping[str, Any]
    transaction_ids: tuple[str, ...]
    transactions: tuple[BlockTransaction, ...]
    next_index: int | None
    events: tuple[Mapping[str, Any], ...]
    evidence: tuple[Mapping[str, Any], ...]
    size_bytes: int
    next_event: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that a record is so, or is not there."""

    statement: str
    file: str
    """The proof file; every character counts."""
