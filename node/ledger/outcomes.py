"""Every result a transaction can have: one enumeration, permanent numbers, in order of precedence.

When several rules are broken, the one declared first is reported, as far as one operation goes:
operations are looked at in their order, and so are the accounts that act in one. What each says to
people stands in `sentences/`; how a receipt is told by it, in `explaining.py`.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, TypeAlias

from node.codec import INTEGER_MAX, INTEGER_MIN
from node.ledger.errors import LedgerError
from node.ledger.phrases import (
    AuctionFault,
    AuctionPlanFault,
    CalendarFault,
    CallFault,
    CashFault,
    CutOffFault,
    EncodingFault,
    LineFault,
    Phrase,
    PolicyFault,
    PowerFault,
    Reason,
    ScheduleFault,
    StripFault,
    StrippingFault,
    TermsFault,
    WithholdingFault,
)
from node.ledger.sentences import SENTENCES

Detail: TypeAlias = int | str
Details: TypeAlias = tuple[tuple[str, Detail], ...]


class Outcome(IntEnum):
    """The result of a transaction: a number, encoded and permanent; then what brought it, if not 1.

    A number is given once; a rule that was added later has a later one, wherever it stands.
    """

    since: int
    """The version of the protocol that brought the rule."""

    def __new__(cls, number: int, since: int = 1) -> "Outcome":
        """Make a member that is its number."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.since = since
        return member

    @property
    def sentence(self) -> str:
        """What it says to people, with the names of details in braces."""
        return SENTENCES[self.name]

    APPLIED = 0

    # The envelope: decided before any state is read. Never in a block.
    TOO_LARGE = 1
    MALFORMED = 2
    WRONG_VERSION = 3
    WRONG_NETWORK = 4
    EXPIRED = 5
    TOO_FAR_AHEAD = 6
    WRONG_SIGNATURE_COUNT = 7
    BAD_SIGNATURE = 8
    DUPLICATE = 9
    DEVELOPMENT_KEY = 10
    OPERATION_NOT_IN_FORCE = 11

    # Who acts: the accounts that stand behind an operation, one after the other.
    ACCOUNT_UNKNOWN = 20
    ACCOUNT_CLOSED = 21
    ACCOUNT_ON_HOLD = 22
    PARTICIPANT_SUSPENDED = 23
    SIGNATURES_MISSING = 24

    # Who and what is concerned.
    OTHER_ACCOUNT_UNKNOWN = 30
    OTHER_ACCOUNT_CLOSED = 31
    PARTICIPANT_UNKNOWN = 32
    OTHER_PARTICIPANT_SUSPENDED = 33
    ASSET_UNKNOWN = 34
    AUCTION_UNKNOWN = 200, 3

    # By what power.
    POWER_NOT_GRANTED = 40
    OFFICES_MISSING = 41
    LICENCE_INACTIVE = 42
    OFFICE_NOT_HELD = 43
    NOT_ISSUER = 44
    NOT_REGISTRAR = 45
    BID_MANDATE_MISSING = 220, 3
    ENVELOPE_OF_ANOTHER_OFFICE = 221, 3

    # What is said.
    TEXT_NOT_ACCEPTED = 60
    NAME_NOT_ACCEPTED = 61
    IDENTIFIER_MISSING = 62
    IDENTIFIER_NOT_VALID = 63
    TERMS_NOT_VALID = 64
    POLICY_NOT_VALID = 65
    KEY_NOT_VALID = 66
    AMOUNT_OUT_OF_RANGE = 67
    TIME_NOT_ACCEPTED = 68

    # Participants, licences, accounts.
    PARTICIPANT_EXISTS = 80
    IDENTIFIER_TAKEN = 81
    STATUS_UNCHANGED = 82
    OFFICE_ALREADY_HELD = 83
    LICENCE_UNCHANGED = 84
    LICENCE_UNKNOWN = 85
    PHASE_LIMIT_REACHED = 86
    ACCOUNT_EXISTS = 87
    ACCOUNT_ALREADY_ON_HOLD = 88
    ACCOUNT_NOT_ON_HOLD = 89
    ACCOUNT_NOT_EMPTY = 90
    PARTICIPANT_NOT_A_PERSON = 91, 3
    IDENTITY_UNCHANGED = 92, 3
    PERSON_KNOWN_ALREADY = 93, 3

    # Assets and holdings.
    ASSET_EXISTS = 100
    NOT_A_MULTIPLE = 101
    CEILING_EXCEEDED = 102
    SELF_TRANSFER = 103
    FORCED_TRANSFER_NOT_ALLOWED = 104
    FACE_NOT_IN_UNITS = 260, 3
    HOLD_UNKNOWN = 105
    NOT_DUE = 106
    HOLDING_INSUFFICIENT = 107
    HOLDS_FULL = 108, 2

    # Governance.
    PROPOSAL_NOT_READABLE = 120
    OPERATION_NOT_PROPOSABLE = 121
    APPROVERS_IN_PROPOSAL = 122
    PROPOSALS_FULL = 123
    PROPOSAL_UNKNOWN = 124
    ALREADY_APPROVED = 125
    NOT_PROPOSER = 126
    PARAMETER_UNKNOWN = 127
    PARAMETER_OUT_OF_RANGE = 128
    OPERATION_UNKNOWN = 129
    POWER_NOT_VALID = 130
    POWER_TOO_WEAK = 131
    OFFICE_VACANT = 132
    VALIDATOR_UNKNOWN = 133
    VALIDATOR_EXISTS = 134
    KEY_ALREADY_USED = 135
    VALIDATORS_TOO_FEW = 136
    VALIDATORS_TOO_MANY = 137
    PROPOSALS_FULL_FOR_PARTICIPANT = 138
    LEI_OF_PERSON = 139
    UPGRADE_ALREADY_SCHEDULED = 140
    VERSION_NOT_NEXT = 141
    UPGRADE_HEIGHT_NOT_ACCEPTED = 142
    UPGRADE_NOT_SCHEDULED = 143

    # The whole transaction: looked at when every operation has been applied, so after those below.
    SIGNATURE_NOT_NEEDED = 150

    # Calendars.
    CALENDAR_UNKNOWN = 160, 3
    CALENDAR_EXISTS = 161, 3
    CALENDAR_VERSION_PASSED = 162, 3
    CALENDAR_NOT_VALID = 163, 3
    HOLIDAY_UNKNOWN = 164, 3
    CALENDAR_UNCHANGED = 165, 3
    CALENDAR_DAY_PAST = 166, 3
    CALENDAR_DAY_USED = 167, 3

    # The life of securities.
    ASSET_NOT_SERVICED = 170, 3
    PAYING_AGENT_ABSENT = 171, 3
    PAYMENT_CASH_NOT_VALID = 172, 3
    SCHEDULE_NOT_VALID = 173, 3
    NOTHING_LEFT_TO_PAY = 174, 3
    REGISTER_CLOSED = 175, 3
    PAYMENT_NOT_DUE = 176, 3
    ACCOUNT_TIED = 177, 3
    WITHHOLDING_NOT_VALID = 178, 3
    RECORDS_PENDING = 179, 3
    ASSET_NOT_FLOATING = 180, 3
    FIXING_WITHOUT_SOURCE = 181, 3
    FIXING_NOT_AWAITED = 182, 3
    RATE_ALREADY_FIXED = 183, 3
    ASSET_NOT_CALLABLE = 184, 3
    ALREADY_CALLED = 185, 3
    CALL_NOT_WITHIN_TERMS = 186, 3
    ASSET_NOT_STRIPPABLE = 187, 3
    STRIPS_EXIST = 188, 3
    STRIP_DIFFERS = 189, 3
    STRIP_NOT_A_MULTIPLE = 190, 3
    STRIP_RECORD_DIFFERS = 191, 3
    STRIPPING_CROWDED = 192, 3
    STRIP_NOT_ISSUED = 193, 3

    # Auctions.
    AUCTION_EXISTS = 201, 3
    AUCTION_TERMS_NOT_VALID = 202, 3
    AUCTION_ASSET_DIFFERS = 203, 3
    AUCTION_STEP_TOO_EARLY = 204, 3
    AUCTION_STEP_TOO_LATE = 205, 3
    BIDDER_NOT_ACCEPTED = 206, 3
    BIDDER_EXCLUDED = 207, 3
    BIDDER_NOT_IDENTIFIED = 241, 3
    BIDS_FULL_FOR_BIDDER = 208, 3
    AUCTION_FULL = 209, 3
    SEALED_BID_UNKNOWN = 210, 3
    ENVELOPE_UNKNOWN = 222, 3
    SEALED_BID_OPENED = 211, 3
    SEALED_BID_DIFFERS = 212, 3
    PRICE_OFF_QUANTUM = 213, 3
    FACE_NOT_A_MULTIPLE = 214, 3
    BIDDER_LIMIT_EXCEEDED = 215, 3
    NONCOMPETITIVE_FACE_NOT_ACCEPTED = 216, 3
    AUCTION_NOT_TO_BE_DECIDED = 217, 3
    CUT_OFF_NOT_ACCEPTED = 218, 3
    ACCRUAL_NOT_KNOWN = 219, 3
    BID_MANDATE_UNCHANGED = 223, 3
    BID_MANDATE_UNKNOWN = 224, 3
    BID_OUT_OF_RANGE = 225, 3
    SEALED_BID_EXISTS = 226, 3
    SWITCH_NOT_POSSIBLE = 230, 3
    PLAN_VERSION_PASSED = 231, 3
    PLAN_NOT_VALID = 232, 3
    ENVELOPE_WITHDRAWN = 240, 3
    TAX_STATUS_DAY_PAST = 245, 3
    TAX_STATUS_CHANGING = 246, 3
    TAX_STATUS_UNCHANGED = 247, 3
    TAX_STATUS_DAY_USED = 248, 3

    # What others did in the block.
    BLOCK_CROWDED = 250, 3


ENVELOPE_OUTCOMES: Final = tuple(
    outcome for outcome in Outcome if Outcome.TOO_LARGE <= outcome <= Outcome.OPERATION_NOT_IN_FORCE
)
"""Refusals before a block: whoever admits transactions raises them, and no receipt carries them."""


SETTLEMENT_OUTCOMES: Final = (Outcome.ACCRUAL_NOT_KNOWN, Outcome.SWITCH_NOT_POSSIBLE)
"""Why an allotment can fail by time, and no operation: an event carries them, and no receipt."""


PHRASES: Final[Mapping[Outcome, tuple[type[Phrase], ...]]] = {
    Outcome.MALFORMED: (EncodingFault,),
    Outcome.TERMS_NOT_VALID: (TermsFault,),
    Outcome.POLICY_NOT_VALID: (PolicyFault,),
    Outcome.POWER_NOT_VALID: (PowerFault,),
    Outcome.CALENDAR_NOT_VALID: (CalendarFault,),
    Outcome.SCHEDULE_NOT_VALID: (ScheduleFault,),
    Outcome.WITHHOLDING_NOT_VALID: (WithholdingFault,),
    Outcome.CALL_NOT_WITHIN_TERMS: (CallFault,),
    Outcome.ASSET_NOT_STRIPPABLE: (StrippingFault,),
    Outcome.STRIP_DIFFERS: (StripFault,),
    Outcome.AUCTION_TERMS_NOT_VALID: (AuctionFault, CashFault, LineFault),
    Outcome.CUT_OFF_NOT_ACCEPTED: (CutOffFault, LineFault, CashFault, ScheduleFault),
    Outcome.PLAN_NOT_VALID: (AuctionPlanFault, CashFault),
}
"""The phrases that an outcome can give as its `reason`: no other outcome has one."""


class Reject(LedgerError):
    """Refuse the transaction: nothing changes. Caught once, in `transition.Application`.

    Attributes:
        outcome: which rule.
        details: what was found and expected, by name, in the order given; bytes in hexadecimal,
            integers beyond 64 bits as decimal text; last the reason, in English.
        reason: why, by a phrase of `PHRASES`; None for the other outcomes.
    """

    def __init__(
        self, outcome: Outcome, *, reason: Reason | None = None, **details: Detail | bytes
    ) -> None:
        """Name what was found and expected as the outcome's sentence does."""
        super().__init__(outcome.name, details, reason)
        self.outcome = outcome
        self.reason = reason
        found = tuple((name, _detail(value)) for name, value in details.items())
        self.details: Details = found if reason is None else (*found, ("reason", str(reason)))


def _detail(value: Detail | bytes) -> Detail:
    """Return the value as a receipt can hold it.

    A sum of two amounts can be above 64 bits: the refusal that names it must still have an
    encoding, or one transaction would stop every node that meets it in a block.
    """
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not INTEGER_MIN <= value <= INTEGER_MAX:
        return str(value)
    return value
