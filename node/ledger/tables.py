"""Every record the ledger keeps, and the table that holds it. This page is the database schema.

What belongs to the life of securities stands on a page of its own, `securities.py`.

A state key is the table's one-byte prefix and the key named here. Numbers in keys are big-endian,
so that the order of bytes is the order of numbers. Prefixes are permanent.
"""

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.auctions.plans import PlanRecord
from node.ledger.auctions.records import (
    AuctionRecord,
    BidderRecord,
    BidRecord,
    EnvelopeRecord,
    LadderRecord,
    MandateRecord,
    ReferenceRecord,
    StandingRecord,
)
from node.ledger.dates import MINUTES_OF_DAY, Calendar, Roll
from node.ledger.identifiers import Address, AssetCode, Hash, Name, PublicKey
from node.ledger.policies import AccountPolicy
from node.ledger.powers import PowerRecord
from node.ledger.securities import (
    CALLS,
    FIXINGS,
    PAYMENTS,
    POSITIONS,
    SERVICES,
    STRIPPINGS,
    TAX_CHANGES,
    TAX_DAYS,
    TAXED_POSITIONS,
    TAXPAYERS,
    TIES,
    WITHHOLDINGS,
)
from node.ledger.state import Table
from node.ledger.terms import AssetTerms
from node.ledger.units import DECIMALS_MAX, Day, Milliseconds

TEXT_MAX: Final = 140
"""Characters of a name, reason or reference."""
TLS_CERTIFICATE_SIZE_MAX: Final = 2_048
PROPOSAL_SIZE_MAX: Final = 32_768
"""Bytes of a proposal's operations: half of the largest transaction."""
VALIDATORS_MAX: Final = 100
HOLDS_PER_ACCOUNT_MAX: Final = 256
"""From protocol version 2 on: what one placing of a hold has to count."""
SUBJECT_MAX: Final = 64
"""Characters of what an appointment is about."""
BUSINESS_DAYS_MAX: Final = 31
"""Before or after the day that an appointment hangs on."""
VERSION_MAX: Final = 255
"""Of the protocol: a header has one byte for it."""

Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
Version = Annotated[int, msgspec.Meta(ge=1, le=VERSION_MAX)]
"""Of the protocol."""
UpgradeHeight = Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


# --- participants --------------------------------------------------------------------------------


class ParticipantKind(StrEnum):
    """What a participant is; the text is the subject of its rows in the powers matrix."""

    INSTITUTION = "institution"
    """A public body."""
    BANK = "bank"
    """Supervised by the central bank; primary dealers are banks."""
    COMPANY = "company"
    """Any other legal entity: exchanges, custodians, firms."""
    PERSON = "person"


class ParticipantStatus(IntEnum):
    """Whether a participant may act and receive."""

    ACTIVE = 1
    SUSPENDED = 2


class ParticipantRecord(Record):
    """A legal entity or person known to the ledger. Holds no personal data."""

    kind: ParticipantKind
    jurisdiction: str
    """ISO 3166-1 alpha-2."""
    lei: str | None
    """Legal entity identifier, ISO 17442; nobody else has the same."""
    file_commitment: Hash
    """Salted hash of the file that the registrar keeps."""
    registrar: Name
    """The participant that registered it; its own name at genesis."""
    office: Name | None
    """The office it holds; nobody else holds it."""
    status: ParticipantStatus


class OfficeRecord(Record):
    """Who holds an office."""

    participant: Name


class Activity(StrEnum):
    """What a licence allows. The classes of the Virtual Assets Act, 2026."""

    EXCHANGE = "exchange"
    CUSTODY = "custody"
    BROKERAGE = "brokerage"
    DERIVATIVES = "derivatives"
    ISSUANCE = "issuance"


class LicencePhase(IntEnum):
    """How far the licensing has come; each phase caps the accounts that may be opened."""

    NO_OBJECTION = 1
    PROVISIONAL = 2
    FULL = 3


class LicenceRecord(Record):
    """The licence of a participant for one activity. A revoked one stays, with its count."""

    phase: LicencePhase
    revoked: bool
    expires_ms: Milliseconds | None
    """Active before this block time; None: until revoked."""
    accounts_opened: int
    """How many accounts were ever opened by this licence; closing gives no place back."""


class IdentityRecord(Record):
    """Which human being a person is, and who says so."""

    token: Hash
    """A keyed hash of the national identity number; nobody else has the same (`identities.py`)."""
    identified_by: Name
    """The participant that stated it, the first of those who did."""


# --- accounts ------------------------------------------------------------------------------------


class AccountStatus(IntEnum):
    """Whether an account can be used. A closed one stays, so that its address is never reused."""

    OPEN = 1
    CLOSED = 2


class AccountHold(Record):
    """Why nothing leaves an account."""

    reason: Text
    legal_reference: Text
    placed_by: Name


class AccountRecord(Record):
    """What a participant acts through."""

    owner: Name
    policy: AccountPolicy
    opened_by: Name
    status: AccountStatus
    hold: AccountHold | None


# --- assets --------------------------------------------------------------------------------------


class AssetIdentifiers(Record):
    """What the world calls an asset."""

    isin: str | None
    """ISO 6166; nobody else has the same."""
    currency: str | None
    """ISO 4217 alphabetic code, for cash and what stands for it. May be shared."""
    dti: str | None
    """ISO 24165 digital token identifier; nobody else has the same."""


class AssetRecord(Record):
    """Anything the ledger holds amounts of. All but the supply is fixed when it is defined."""

    name: Text
    issuer: Name
    identifiers: AssetIdentifiers
    terms: AssetTerms
    """Their type says the kind."""
    term_sheet_hash: Hash
    """SHA-256 of the document that governs the asset."""
    decimals: Annotated[int, msgspec.Meta(ge=0, le=DECIMALS_MAX)]
    """A holding of 10^decimals minor units reads as 1."""
    multiple: int
    """The legal denomination in minor units: issues are multiples of it. Holdings need not be."""
    ceiling: int
    """The most that may ever exist, in minor units."""
    supply: int
    """The sum of all holdings, in minor units."""
    forced_transfer_allowed: bool


class IdentifierRecord(Record):
    """Whom an identifier belongs to: an asset's code or a participant's id."""

    holder: str


class HoldingRecord(Record):
    """How much of one asset an account has. An empty holding has no record."""

    available: int
    held: int
    """Under holds; the account's total is the sum of both."""


class HoldRecord(Record):
    """A part of a holding that stays where it is until released or expired."""

    asset: AssetCode
    amount: int
    reason: Text
    legal_reference: Text
    expires_ms: Milliseconds | None
    """Released by the ledger at the first block from this time on; None: never."""
    placed_by: Name


# --- governance ----------------------------------------------------------------------------------


class ProposalRecord(Record):
    """Operations that wait for offices."""

    proposer: Address
    operations: bytes
    """Canonical encoding of the tuple of operations."""
    approvals: tuple[Address, ...]
    """Accounts, one a participant, in order of approval; the proposer's first."""
    expires_ms: Milliseconds


class ProposalCountRecord(Record):
    """How many proposals a participant has open; none has no record."""

    open: int


class ParameterRecord(Record):
    """The value of a parameter."""

    value: int


class Upgrade(Record):
    """Another version of the protocol, from a height on."""

    version: Version
    height: UpgradeHeight
    """The first that it rules."""


class ProtocolRecord(Record):
    """By which version's rules blocks are applied."""

    version: Version
    """Rules, until the upgrade takes its place."""
    upgrade: Upgrade | None
    """Scheduled for a height that has not come; to the version after this one."""


class ValidatorRecord(Record):
    """A member of the validator set that rules from the next height on. Each has one vote."""

    name: Name
    participant: Name
    public_key: PublicKey
    """Signs proposals and votes."""
    tls_certificate: Annotated[
        bytes, msgspec.Meta(min_length=1, max_length=TLS_CERTIFICATE_SIZE_MAX)
    ]
    """DER; opaque here, pinned by the network."""


class ConsensusKeyRecord(Record):
    """Who has, or had, a consensus key."""

    validator: Name


class RulingKey(Record):
    """The part of a validator that decides what a certificate is worth."""

    name: Name
    public_key: PublicKey


class ValidatorSetRecord(Record):
    """Those who decide from a height on, until the next set does."""

    validators: Annotated[
        tuple[RulingKey, ...], msgspec.Meta(min_length=1, max_length=VALIDATORS_MAX)
    ]
    """Ascending by name."""


class AmendmentRecord(Record):
    """That another set of validators was put in, by a decision outside the chain. Never deleted."""

    id: Hash
    """Of the document, which every node needs to follow the chain across it."""
    serial: int
    """1 for the first of the network."""
    reason: Text


class AccusedKind(IntEnum):
    """What a validator signed twice."""

    PROPOSAL = 0
    PREVOTE = 1
    PRECOMMIT = 2


class AccusationRecord(Record):
    """A proven double signature: whose, and in which block the proof stands. Never deleted."""

    validator: Name
    height: int
    round: int
    kind: AccusedKind
    shown: int
    """Height of the block with both messages."""


class DueKind(IntEnum):
    """What happens to the target when its time has come."""

    HOLD_EXPIRES = 1
    PROPOSAL_EXPIRES = 2
    SERVICE = 20
    """Holders of a security are paid, or what is unpaid is tried again."""
    RECORD_DAY = 21
    """A record of a security is taken: the day is over."""
    FUNDING_DAY = 22
    """The paying agent's cash is looked at."""
    PAYMENT_DAY = 23
    FIXING_DAY = 25
    """A rate that floats is fixed."""
    CALENDAR_AMENDED = 10
    """Appointments of the calendar are looked at, from the target on."""
    APPOINTMENT = 11
    """What the appointment says happens, if its day is still this one."""
    AUCTION_STEP = 30


class DueRecord(Record):
    """Something that happens by time, in the queue of its hour."""

    kind: DueKind
    target: bytes
    """The key of the hold, proposal, appointment, ... in its table."""


# --- calendars -----------------------------------------------------------------------------------


class CalendarRecord(Record):
    """Which days are of business, and what hangs on that."""

    title: Text
    calendar: Calendar
    """The ruling version."""
    used_until: Day
    """Days up to this one have been relied on by what has happened: they do not change. 0: none."""
    moving_since_ms: Milliseconds | None
    """Since when appointments are being looked at after an amendment; None: they are not."""


class AppointmentRecord(Record):
    """Something that happens on a business day, wherever the calendar moves it."""

    kind: DueKind
    target: bytes
    """What happens, and to which record."""
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=SUBJECT_MAX)]
    """What it is about, for whoever reads that it moved."""
    nominal: Day
    """The day of the terms."""
    convention: Roll
    business_days: Annotated[int, msgspec.Meta(ge=-BUSINESS_DAYS_MAX, le=BUSINESS_DAYS_MAX)]
    """Counted from where the nominal day moves to."""
    minute: Annotated[int, msgspec.Meta(ge=0, le=MINUTES_OF_DAY)]
    """Of the local day."""
    moved: Day
    """Where the nominal day moves to, by the calendar as it was last looked at."""
    day: Day
    """By the same calendar."""
    due_ms: Milliseconds
    """Where it stands in the queue."""


class BacklogRecord(Record):
    """More records of securities were due than one block takes: no register may move meanwhile."""

    time_ms: Milliseconds
    """Of the newest block that left some to the next one."""


# --- tables --------------------------------------------------------------------------------------

ACCOUNTS: Final = Table("accounts", b"A", AccountRecord)
"""Key: address."""
PROPOSAL_COUNTS: Final = Table("proposal counts", b"B", ProposalCountRecord, ordered=True)
"""Key: participant id."""
CONSENSUS_KEYS: Final = Table("consensus keys", b"C", ConsensusKeyRecord)
"""Key: public key. Never deleted."""
DUE: Final = Table("due", b"D", DueRecord, ordered=True)
"""Key: time in ms (8 bytes), then a 32-byte id."""
ASSETS: Final = Table("assets", b"E", AssetRecord)
"""Key: asset code."""
ACCUSATIONS: Final = Table("accusations", b"F", AccusationRecord)
"""Key: 32-byte id of the place: validator, kind of message, height and round."""
VALIDATOR_SETS: Final = Table("validator sets", b"G", ValidatorSetRecord)
"""Key: height (8 bytes) from which the set rules. Never deleted."""
HOLDINGS: Final = Table("holdings", b"H", HoldingRecord, ordered=True)
"""Key: address, then asset code."""
IDENTIFIERS: Final = Table("identifiers", b"I", IdentifierRecord)
"""Key: scheme (isin, lei, dti, person), a colon, the identifier; of a person its token in hex."""
CALENDARS: Final = Table("calendars", b"K", CalendarRecord)
"""Key: name of the calendar. Never deleted."""
LICENCES: Final = Table("licences", b"L", LicenceRecord)
"""Key: participant, a slash, activity."""
AMENDMENTS: Final = Table("amendments", b"M", AmendmentRecord)
"""Key: height (8 bytes) from which the amended set rules. Never deleted."""
HOLDS: Final = Table("holds", b"O", HoldRecord, ordered=True)
"""Key: address of the account, then the 32-byte id of the hold."""
PARTICIPANTS: Final = Table("participants", b"P", ParticipantRecord)
"""Key: participant id."""
IDENTITIES: Final = Table("identities", b"p", IdentityRecord)
"""Key: participant id. Of persons whose token was stated."""
PROPOSALS: Final = Table("proposals", b"Q", ProposalRecord, ordered=True)
"""Key: 32-byte id of the proposal. Only open ones."""
PROTOCOL: Final = Table("protocol", b"R", ProtocolRecord)
"""One record, under `PROTOCOL_KEY`. None: version 1 rules, and no upgrade was ever scheduled."""
OFFICES: Final = Table("offices", b"S", OfficeRecord)
"""Key: office."""
PARAMETERS: Final = Table("parameters", b"T", ParameterRecord)
"""Key: name of the parameter. Only those that differ from their default or once did."""
VALIDATORS: Final = Table("validators", b"V", ValidatorRecord, ordered=True)
"""Key: validator name."""
POWERS: Final = Table("powers", b"W", PowerRecord)
"""Key: operation, a slash, subject."""
APPOINTMENTS: Final = Table("appointments", b"k", AppointmentRecord, ordered=True)
"""Key: name of the calendar, a slash, 32-byte id. Those that have not happened yet."""
AUCTIONS: Final = Table("auctions", b"Y", AuctionRecord, ordered=True)
"""Key: name of the auction. Never deleted."""
BIDS: Final = Table("bids", b"Z", BidRecord, ordered=True)
"""Key: auction, a slash, number (4 bytes). Until the auction is over."""
BIDDERS: Final = Table("bidders", b"a", BidderRecord, ordered=True)
"""Key: auction, a slash, participant. Until the auction is over."""
PLANS: Final = Table("plans of auctions", b"o", PlanRecord, ordered=True)
"""Key: name of the plan, such as 2027-q1. Never deleted."""
REFERENCES: Final = Table("references", b"b", ReferenceRecord, ordered=True)
"""Key: name of the reference, such as mtb-6m."""
STANDINGS: Final = Table("standings", b"c", StandingRecord)
"""Key: participant. Only of those who failed to do something."""
LADDERS: Final = Table("ladders", b"d", LadderRecord, ordered=True)
"""Key: auction, a slash, number of the piece from 0 (2 bytes). Never deleted."""
MANDATES: Final = Table("mandates", b"m", MandateRecord)
"""Key: address of the account whose bids may be handed in on paper."""
ENVELOPES: Final = Table("envelopes", b"n", EnvelopeRecord, ordered=True)
"""Key: as in `BIDS`, of those handed in on paper. Until the auction is over."""
RECORDS_DUE: Final = Table("records due", b"f", DueRecord, ordered=True)
"""Key: as in `DUE`. The appointments of record days: a queue of their own, taken first."""
BACKLOG: Final = Table("record backlog", b"g", BacklogRecord)
"""Key: `BACKLOG_KEY`. Only while records are due that could not be taken."""

TABLES: Final = (
    ACCOUNTS,
    PROPOSAL_COUNTS,
    CONSENSUS_KEYS,
    DUE,
    ASSETS,
    ACCUSATIONS,
    VALIDATOR_SETS,
    HOLDINGS,
    IDENTIFIERS,
    SERVICES,
    CALENDARS,
    LICENCES,
    AMENDMENTS,
    POSITIONS,
    HOLDS,
    PARTICIPANTS,
    PROPOSALS,
    PROTOCOL,
    OFFICES,
    PARAMETERS,
    PAYMENTS,
    VALIDATORS,
    POWERS,
    WITHHOLDINGS,
    AUCTIONS,
    BIDS,
    BIDDERS,
    REFERENCES,
    STANDINGS,
    LADDERS,
    TIES,
    RECORDS_DUE,
    BACKLOG,
    FIXINGS,
    CALLS,
    STRIPPINGS,
    APPOINTMENTS,
    MANDATES,
    ENVELOPES,
    PLANS,
    IDENTITIES,
    TAXPAYERS,
    TAXED_POSITIONS,
    TAX_CHANGES,
    TAX_DAYS,
)
"""All of them, in order of prefix."""


PROTOCOL_KEY: Final = b"version"
BACKLOG_KEY: Final = b"records"


name_key: Final[Callable[[str], bytes]] = str.encode
"""Returns the key of a record that is found by one name: participant, office, asset, ..."""


def holding_key(address: bytes, asset: str) -> bytes:
    """Return the key of an account's holding of an asset."""
    return address + asset.encode()


def hold_key(address: bytes, hold_id: bytes) -> bytes:
    """Return the key of a hold on an account's holding."""
    return address + hold_id


def licence_key(participant: str, activity: str) -> bytes:
    """Return the key of a participant's licence for an activity."""
    return f"{participant}/{activity}".encode()


def power_key(operation: str, subject: str) -> bytes:
    """Return the key of a row of the powers matrix."""
    return f"{operation}/{subject}".encode()


def appointment_key(calendar: str, appointment_id: bytes) -> bytes:
    """Return the key of an appointment by a calendar."""
    return name_key(calendar) + b"/" + appointment_id


def identifier_key(scheme: str, value: str) -> bytes:
    """Return the key under which an identifier's holder is found."""
    return f"{scheme}:{value}".encode()


def bid_key(auction: str, number: int) -> bytes:
    """Return the key of a bid."""
    return f"{auction}/".encode() + number.to_bytes(4, "big")


def bidder_key(auction: str, participant: str) -> bytes:
    """Return the key of what a participant has in an auction."""
    return f"{auction}/{participant}".encode()


def ladder_key(auction: str, piece: int) -> bytes:
    """Return the key of a piece of an auction's ladder."""
    return f"{auction}/".encode() + piece.to_bytes(2, "big")


def height_key(height: int) -> bytes:
    """Return the key of what begins at a height."""
    return height.to_bytes(8, "big")


def due_key(due_ms: int, due_id: bytes) -> bytes:
    """Return the key of an entry of the due queue."""
    return due_ms.to_bytes(8, "big") + due_id
