"""What the ledger notes of a serviced security's life: its service, positions, payments, fixings.

A security has one service. It counts the records taken and the payments settled, both from the
first of the schedule on: the payments between are open, the oldest of them is paid first. What a
holder is owed follows from its position: the face that it has now, and marks of what it had when
records were taken that are not settled.
"""

from enum import IntEnum
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.identifiers import ADDRESS_SIZE, Address, AssetCode, Name
from node.ledger.state import Table
from node.ledger.terms import PAR_E4, PPM, PriceE4
from node.ledger.units import Day, Milliseconds

COUPON_STRIPS_MAX: Final = 64
"""Of one line: thirty years of half years have 60. One operation moves as many."""
CALLS_MAX: Final = 400
"""As many as there can be payments."""
OPEN_PAYMENTS_MAX: Final = 8
"""Of one security. While so many are unpaid, the next record waits until one is settled."""
TAXPAYERS_MAX: Final = 8
"""Classes: four kinds of participant, each active or not."""
WITHHOLDING_ROWS_MAX: Final = 64
SOURCE_MAX: Final = 140
RANK_SIZE: Final = 4
PLACE_SIZE: Final = RANK_SIZE + ADDRESS_SIZE
HUNDRED_PERCENT_BPS: Final = 10_000

Number = Annotated[int, msgspec.Meta(ge=1, le=4_096)]
"""Of a payment, from the first of the schedule on."""
Count = Annotated[int, msgspec.Meta(ge=0, le=4_096)]
BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=HUNDRED_PERCENT_BPS)]
Part = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
ReferencePpm = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
"""A yield in millionths a year: per cent in units of 0.0001, as auctions keep their averages."""


# --- positions -----------------------------------------------------------------------------------


class Mark(Record):
    """What a holder had, and was, at records that were taken before its face or class changed."""

    number: Number
    """Of this record, and of those before it down to the mark before."""
    face: int
    taxpayer: Name
    """Its class then."""


class PositionRecord(Record):
    """What an account has of a security, and had when records were taken."""

    face: int
    """The total of its holding. 0 only while something is owed for a record."""
    taxpayer: Name
    """The class of its owner, which decides what is withheld: `taxpayers.class_named`."""
    filed_day: Day
    """Under which it is filed: the day of its owner's latest change that had begun when it did; 0:
    none had."""
    marks: Annotated[tuple[Mark, ...], msgspec.Meta(max_length=OPEN_PAYMENTS_MAX)]
    """Ascending, of records that are not settled. At records after the last one: the face and the
    class as they are."""


# --- payments ------------------------------------------------------------------------------------


class PaymentStatus(IntEnum):
    """How far a payment has come."""

    RECORDED = 1
    """Who is owed what is fixed."""
    ANNOUNCED = 2
    """The paying agent's funding was looked at, the business day before."""
    DUE = 3
    """Its day has come."""
    LATE = 4
    """The agent does not have the cash on the day."""
    IN_GRACE = 5
    IN_DEFAULT = 6
    PAYING = 7
    """The agent was debited; holders are paid block by block."""
    SETTLED = 8


class Withheld(Record):
    """What is withheld from the interest of a class of taxpayer."""

    taxpayer: Name
    rate_bps: BasisPoints


class PaymentRow(Record):
    """A row of the schedule: what is paid for a unit of face."""

    nominal_day: Day
    """When it is paid by the terms, before any roll."""
    interest_numerator: Part
    """Of a unit of face; a holder is paid the floor."""
    interest_denominator: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    principal_ppm: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    """Of a unit of face, in millionths; a holder is paid the floor."""
    price_e4: PriceE4
    """Per hundred of principal: par, unless it was called."""
    final: bool
    """Whether the face is destroyed with it."""


class PaymentRecord(Record):
    """One payment of a security, from its record on. Never deleted."""

    row: PaymentRow
    record_day: Day
    """Whoever held at the end of this day is paid."""
    payment_day: Day
    """When it is paid, as the calendar was when the record was taken; the day itself, once it has
    come."""
    taken_day: Day
    """Local day of the block that took the record, mostly the day after: the classes of taxpayers
    are those that rule on it. Never before the day of another record, also where the clock of the
    network is set back."""
    face: int
    """Held by everybody together when the record was taken."""
    withholding: Annotated[tuple[Withheld, ...], msgspec.Meta(max_length=TAXPAYERS_MAX)]
    """As it rules on the payment day; from whoever is not listed, nothing."""
    interest_due: int
    """Of the whole face, floor."""
    principal_due: int
    status: PaymentStatus
    payer: Address | None
    """The account that was debited for all of it."""
    holders: int
    """How many have been paid."""
    paid: int
    """To them, after what was withheld."""
    withheld: int
    residue: int
    """What rounding left, once settled: paid, withheld and residue are what was due."""


# --- fixings -------------------------------------------------------------------------------------


class FixingRecord(Record):
    """What is paid for a year in a period of a security that floats. Never deleted."""

    day: Day
    """The fixing day by its terms. Whatever was decided before it counts."""
    reference_ppm: ReferencePpm | None
    """None: awaited. The auctions gave none that counts; the offices bring it from elsewhere."""
    rate_ppm: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None
    """The reference with the margin, within floor and cap. None: awaited."""
    auction: Name | None
    """Whose weighted average the reference is."""
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_MAX)] | None
    """Where the offices have it from, in place of an auction."""


# --- calls ---------------------------------------------------------------------------------------


class CalledRecord(Record):
    """An early repayment that the issuer has called."""

    payment: Number
    """With which payment: that in whose period the day lies."""
    day: Day
    """On which it is repaid, by the terms."""
    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=PPM - 1)] | None
    """Of the face that was issued, in millionths; None: all that is left."""
    price_e4: PriceE4
    """Per hundred of what is repaid."""
    called_day: Day


class CallsRecord(Record):
    """What was called of a security, ascending by payment. Nothing follows on the whole."""

    calls: Annotated[tuple[CalledRecord, ...], msgspec.Meta(min_length=1, max_length=CALLS_MAX)]


# --- the service of a security -------------------------------------------------------------------


class ServiceRecord(Record):
    """How far a security has come."""

    next: PaymentRow | None
    """The row whose record is taken next. None: still to be computed, or none is left. Its interest
    is 0 until its rate is fixed."""
    calendar_version: int
    """Of the calendar by which `next` was computed."""
    waits: bool
    """Whether the record of `next` could not be taken on its day: too many payments are unpaid, or
    its rate is not fixed."""
    recorded: Count
    """Records taken; those that lay in the past when it was defined count as taken and settled."""
    settled: Count
    """Payments settled."""
    cursor: Annotated[bytes, msgspec.Meta(max_length=PLACE_SIZE)] | None
    """While the oldest open payment is paid: the last place that was; empty at the start."""
    closed: bool
    """Whether the register is closed: the last record is taken, nothing moves any more."""
    decided: bool
    """Whether an auction has decided its margin, which may be 0."""
    due_ms: Milliseconds | None
    """Its place in the queue: when it is looked at next, appointments apart. None: when one is met.
    """


# --- stripping -----------------------------------------------------------------------------------


class CouponStrip(Record):
    """What a coupon of a line is as a strip."""

    asset: AssetCode
    """Shared by the lines of a series that pay on the same day."""
    numerator: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]
    """Of a unit of the line's face: the payment's interest, exactly."""
    denominator: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)]


class StrippingRecord(Record):
    """The strips of a line. Never deleted."""

    multiple: int
    """Face is stripped and put together in multiples of this: every strip is then a whole number of
    minor units, and what is put together whole denominations."""
    first: Number
    """Of the payments: the first that there is a strip of."""
    coupons: Annotated[
        tuple[CouponStrip, ...], msgspec.Meta(min_length=1, max_length=COUPON_STRIPS_MAX)
    ]
    """Of the payments from the first to the last."""
    principal: AssetCode
    """The strip of the line's face: there is as much of it as is stripped of the line."""


# --- withholding and ties ------------------------------------------------------------------------


class WithholdingRow(Record):
    """A rate from a day on, and who says so."""

    from_day: Day
    rate_bps: BasisPoints
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_MAX)]


class WithholdingRecord(Record):
    """What is withheld from the interest that a kind of security pays a class of taxpayer."""

    collector: Address
    rows: Annotated[
        tuple[WithholdingRow, ...], msgspec.Meta(min_length=1, max_length=WITHHOLDING_ROWS_MAX)
    ]
    """Ascending by day."""


class TaxStatus(IntEnum):
    """Whether a taxpayer is on the tax authority's list of those who have filed their returns."""

    ACTIVE = 1
    INACTIVE = 2


class TaxStanding(Record):
    """What a taxpayer is from a day on, and who says so."""

    status: TaxStatus
    from_day: Day
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_MAX)]


class TaxpayerRecord(Record):
    """The standing of a taxpayer that has been told. Never deleted; without one: active."""

    ruling: TaxStanding | None
    """Which all positions are marked with that the change has not reached. None: active."""
    change: TaxStanding | None
    """The latest that was told, always to the other status: to come, being marked in its positions,
    or marked in all of them, which the progress (`TaxDayRecord`) tells. None: they all have the
    ruling one."""


class TaxedPositionRecord(Record):
    """A position of a taxpayer, under the day on which it is filed."""


class TaxChangeRecord(Record):
    """The latest change of a taxpayer, in the queue of its day."""

    taxpayer: Name
    """The class with which its positions are marked."""


class TaxDayRecord(Record):
    """How far changes of taxpayers have come."""

    day: Day
    """The latest local day on which a record was taken or the marking of a change began."""
    next_change: bytes
    """Key in the queue: all positions are marked with the changes before it. Where it is that of a
    change, this one is being marked."""
    next_position: bytes
    """Key among the positions of its taxpayer: those before it are looked at. Empty: none is."""


class Tie(IntEnum):
    """Why an account cannot be closed: something is still to come to it."""

    OWED = 1
    """It held a security when a record was taken that is not settled."""
    RESIDUE = 2
    """It receives what rounding leaves of a security's payments."""
    COLLECTOR = 3
    """It receives what is withheld."""


class TieRecord(Record):
    """A tie of an account; the key says to what."""

    tie: Tie


# --- tables --------------------------------------------------------------------------------------

SERVICES: Final = Table("services", b"J", ServiceRecord, ordered=True)
"""Key: asset code."""
POSITIONS: Final = Table("positions", b"N", PositionRecord, ordered=True)
"""Key: asset code, a slash, place: the holders of an asset in the order in which they are paid."""
PAYMENTS: Final = Table("payments", b"U", PaymentRecord, ordered=True)
"""Key: asset code, a slash, number (4 bytes)."""
CALLS: Final = Table("calls", b"i", CallsRecord)
"""Key: asset code."""
FIXINGS: Final = Table("fixings", b"h", FixingRecord, ordered=True)
"""Key: asset code, a slash, number (4 bytes), as the payment's."""
STRIPPINGS: Final = Table("strippings", b"j", StrippingRecord)
"""Key: code of the line."""
WITHHOLDINGS: Final = Table("withholding", b"X", WithholdingRecord)
"""Key: class of taxpayer, a slash, kind of asset."""
TAXPAYERS: Final = Table("taxpayers", b"t", TaxpayerRecord)
"""Key: participant."""
TAXED_POSITIONS: Final = Table("positions of taxpayers", b"u", TaxedPositionRecord, ordered=True)
"""Key: participant, a slash, filed day (4 bytes), key of the position. None once it ends."""
TAX_CHANGES: Final = Table("tax changes", b"v", TaxChangeRecord, ordered=True)
"""Key: day from which it rules (4 bytes), participant. Until the next one of it is told."""
TAX_DAYS: Final = Table("tax day", b"w", TaxDayRecord)
"""Key: `latest`."""
TIES: Final = Table("ties", b"e", TieRecord, ordered=True)
"""Key: address, tie (1 byte), asset code or key of the withholding."""

TAX_DAY_KEY: Final = b"latest"

_SLASH: Final = b"/"
_DAY_SIZE: Final = 4


def principal_of(row: PaymentRow, face: int) -> int:
    """Return what is repaid to a holder of so much face: floor."""
    return face * row.principal_ppm * row.price_e4 // (PPM * PAR_E4)


def residue_at_most(row: PaymentRow, holders: int) -> int:
    """Return the most that rounding leaves of a payment to so many holders.

    Interest is one floor for each, and principal another: each takes less than a minor unit, and
    the whole that is due is a whole number.
    """
    floors = 2 if row.principal_ppm else 1
    return floors * max(0, holders - 1)


def register_prefix(asset: str) -> bytes:
    """Return how the keys of an asset's positions and payments begin. No code has a slash."""
    return asset.encode() + _SLASH


def position_key(asset: str, place: bytes) -> bytes:
    """Return the key of a holder's position in an asset, by its place in the register."""
    return asset.encode() + _SLASH + place


def split_position_key(key: bytes) -> tuple[str, bytes]:
    """Return asset and place of a position's key."""
    asset, _, place = key.partition(_SLASH)
    return asset.decode(), place


def payment_key(asset: str, number: int) -> bytes:
    """Return the key of a payment of an asset."""
    return register_prefix(asset) + number.to_bytes(4, "big")


def split_payment_key(key: bytes) -> tuple[str, int]:
    """Return asset and number of a payment's key."""
    asset, _, number = key.partition(_SLASH)
    return asset.decode(), int.from_bytes(number, "big")


def withholding_key(taxpayer: str, kind: str) -> bytes:
    """Return the key of what is withheld from a class of taxpayer on a kind of asset."""
    return f"{taxpayer}/{kind}".encode()


def taxed_prefix(participant: str) -> bytes:
    """Return how the keys of a participant's positions begin where they are filed.

    The name of the position among them follows (`filed_name`). No id has a slash.
    """
    return participant.encode() + _SLASH


def filed_name(position: bytes, filed_day: Day) -> bytes:
    """Return the name of a position among those of its owner.

    Args:
        position: its key.
        filed_day: under which it is filed.
    """
    return filed_day.to_bytes(_DAY_SIZE, "big") + position


def split_filed_name(name: bytes) -> tuple[bytes, Day]:
    """Return the key of the position that is filed by this name, and the day."""
    return name[_DAY_SIZE:], int.from_bytes(name[:_DAY_SIZE], "big")


def tax_change_key(from_day: Day, participant: str) -> bytes:
    """Return where a change of a taxpayer's standing stands in the queue."""
    return from_day.to_bytes(_DAY_SIZE, "big") + participant.encode()


def split_tax_change_key(key: bytes) -> tuple[Day, str]:
    """Return day and participant of a change's key."""
    return int.from_bytes(key[:_DAY_SIZE], "big"), key[_DAY_SIZE:].decode()


def tie_key(address: bytes, tie: Tie, to: bytes) -> bytes:
    """Return the key of a tie of an account."""
    return address + bytes((tie,)) + to
