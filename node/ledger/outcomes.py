"""Every result a transaction can have: one enumeration, permanent numbers, in order of precedence.

When several rules are broken, the one declared first is reported, as far as one operation goes:
operations are looked at in their order, and so are the accounts that act in one. Each outcome has a
sentence for people: what was found, what was expected, which rule, what to do. The words in braces
are the details that a refusal carries; addresses, keys and hashes among them are hexadecimal.
Receipts are hashed, so details never repeat the wording of a library.
"""

from collections.abc import Callable, Mapping
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

Detail: TypeAlias = int | str
Details: TypeAlias = tuple[tuple[str, Detail], ...]

SHOWN_MAX: Final = 600
"""Characters of a detail that a sentence shows; of our own, the longest lists sixteen offices."""
ADDRESS_DETAILS: Final = frozenset({"account", "proposer"})
"""The details that are addresses, in hexadecimal: every detail of these names, and no other."""


class Outcome(IntEnum):
    """The result of a transaction. The number is encoded and permanent; the sentence is not."""

    sentence: str
    since: int
    """The version of the protocol that brought the rule."""

    def __new__(cls, number: int, sentence: str, since: int = 1) -> "Outcome":
        """Make a member that is its number and carries its sentence."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.sentence = sentence
        member.since = since
        return member

    APPLIED = 0, "Applied."

    # The envelope: decided before any state is read. Never in a block.
    TOO_LARGE = (
        1,
        "The transaction has {found} bytes; at most {expected} are accepted. Split its operations"
        " over several transactions.",
    )
    MALFORMED = (
        2,
        "These bytes are not a transaction: {reason}. Every value has one encoding; build the"
        " transaction with a current client.",
    )
    WRONG_VERSION = (
        3,
        "The transaction has version {found}; this network understands version {expected}. Use a"
        " client of this network's release.",
    )
    WRONG_NETWORK = (
        4,
        "The transaction is for network {found}, this is network {expected}. A signature counts on"
        " one network only; sign it again for this one.",
    )
    EXPIRED = (
        5,
        "The transaction was valid until {found} ms; block time is {expected} ms. It was not"
        " applied and never will be; sign a new one.",
    )
    TOO_FAR_AHEAD = (
        6,
        "The transaction is valid until {found} ms, later than {expected} ms, the furthest this"
        " network accepts now. Choose an earlier end.",
    )
    WRONG_SIGNATURE_COUNT = (
        7,
        "The transaction names {expected} signers and carries {found} signatures. Each signer signs"
        " once, in the order of the signers.",
    )
    BAD_SIGNATURE = (
        8,
        "The signature of {signer} does not fit this transaction. Sign the transaction's id with"
        " the key that the transaction names.",
    )
    DUPLICATE = (
        9,
        "This transaction is already in block {height}, and what became of it there is final. An id"
        " is used once; ask for its receipt.",
    )
    DEVELOPMENT_KEY = (
        10,
        "The key of {signer} is a development key ({label}); everybody has it, and this network is"
        " no development network. Make a key with `khazana keys generate`.",
    )

    OPERATION_NOT_IN_FORCE = (
        11,
        "The operation {operation} exists from version {expected} of the protocol on; version"
        " {found} rules. Send it again once the network has been upgraded.",
    )

    # Who acts: the accounts that stand behind an operation, one after the other.
    ACCOUNT_UNKNOWN = (
        20,
        "No account has the address {account}. Accounts belong to a registered participant; have a"
        " registrar open it first, and check the address.",
    )
    ACCOUNT_CLOSED = 21, "Account {account} is closed for good. Use another account."
    ACCOUNT_ON_HOLD = (
        22,
        "Account {account} is on hold by {placed_by}, reference {legal_reference}. Nothing leaves"
        " it until the hold is released.",
    )
    PARTICIPANT_SUSPENDED = (
        23,
        "Participant {participant}, the owner of account {account}, is suspended and may not act."
        " Its supervisor can lift the suspension.",
    )
    SIGNATURES_MISSING = (
        24,
        "The signers present weigh {found} for account {account}; its policy asks for {expected}"
        " for operations of the class {account_class}. Let more of its signers sign.",
    )

    # Who and what is concerned.
    OTHER_ACCOUNT_UNKNOWN = (
        30,
        "The account concerned, {account}, does not exist. Accounts belong to a registered"
        " participant; check the address, or have a registrar open it first.",
    )
    OTHER_ACCOUNT_CLOSED = (
        31,
        "The account concerned, {account}, is closed for good. Ask its owner for another one.",
    )
    PARTICIPANT_UNKNOWN = (
        32,
        "No participant is registered as '{participant}'. A registrar must register it first.",
    )
    OTHER_PARTICIPANT_SUSPENDED = (
        33,
        "The participant concerned, {participant}, is suspended and receives nothing. Its"
        " supervisor can lift the suspension.",
    )
    ASSET_UNKNOWN = 34, "No asset is defined as '{asset}'. Check the code, or define it first."

    AUCTION_UNKNOWN = (
        200,
        "No auction is called '{auction}'. Check the name, or announce it first.",
        3,
    )

    # By what power.
    POWER_NOT_GRANTED = (
        40,
        "Nobody has the power to {operation} for {subject}: the powers matrix has no such row. A"
        " joint decision (set_powers) can add it.",
    )
    OFFICES_MISSING = (
        41,
        "To {operation} for {subject} takes {expected} of these offices: {offices}; {found} stand"
        " behind this. Let accounts of the others approve it, or propose it.",
    )
    LICENCE_INACTIVE = (
        42,
        "The licence of {participant} for {activity} is not active: it was revoked or has run out."
        " Its supervisor can grant it anew.",
    )
    OFFICE_NOT_HELD = (
        43,
        "Participant {participant} holds no office. Proposals are made and approved by accounts of"
        " participants that hold one.",
    )
    NOT_ISSUER = (
        44,
        "The issuer of {asset} is {expected}, but {found} acts. The issuer must stand behind this.",
    )
    NOT_REGISTRAR = (
        45,
        "Participant {owner} was registered by {expected}, not by {found}. A licensee opens"
        " accounts for those whom it registered itself, or who approve it by an account that they"
        " have; it identifies those alone whom it registered.",
    )

    BID_MANDATE_MISSING = (
        220,
        "Account {account} has let {expected} hand in its bids on paper, and {found} acts. Mandates"
        " are given first, by it and by the account that pays (give_bid_mandate).",
        3,
    )
    ENVELOPE_OF_ANOTHER_OFFICE = (
        221,
        "Envelope {number} of the auction {auction} is with {expected}, and {found} act. The office"
        " that it was handed to must stand behind this.",
        3,
    )

    # What is said.
    TEXT_NOT_ACCEPTED = (
        60,
        "The field {field} is empty, or not plain text of at most {expected} characters in normal"
        " form C (NFC). Remove control characters and shorten it.",
    )
    NAME_NOT_ACCEPTED = (
        61,
        "The field {field} holds '{found}'. Names are 1 to 32 of a-z, 0-9 and inner hyphens; asset"
        " codes 1 to 32 of A-Z, 0-9, point and hyphen.",
    )
    IDENTIFIER_MISSING = (
        62,
        "A {kind} needs the identifier {scheme}. Add it to the definition.",
    )
    IDENTIFIER_NOT_VALID = (
        63,
        "'{found}' is not a valid {scheme}: its form or check digit is wrong. Compare it with the"
        " source, character by character.",
    )
    TERMS_NOT_VALID = (
        64,
        "The terms of the asset contradict each other: {reason}. Correct the definition.",
    )
    POLICY_NOT_VALID = (
        65,
        "The account policy cannot work: {reason}. Signers stand in ascending order of key, each"
        " once, with weights of 1 to 255; no threshold is above the sum of the weights.",
    )
    KEY_NOT_VALID = (
        66,
        "{key} is not a usable Ed25519 public key: it must be the canonical encoding of a point"
        " that has no small order. Take the key as the key file shows it.",
    )
    AMOUNT_OUT_OF_RANGE = (
        67,
        "The field {field} is {found}; it must be at least 1 and at most {expected} minor units."
        " Give another amount; `decimals` of the asset says how many minor units make one unit.",
    )
    TIME_NOT_ACCEPTED = (
        68,
        "The field {field} is {found} ms; it must lie after block time, {earliest} ms, and not"
        " after {latest} ms. Choose a time within these bounds, counted from the time of the last"
        " block.",
    )

    # Participants, licences, accounts.
    PARTICIPANT_EXISTS = (
        80,
        "A participant is already registered as '{participant}'. Choose another id, or use the"
        " participant that is there.",
    )
    IDENTIFIER_TAKEN = (
        81,
        "The {scheme} '{found}' already belongs to {holder}. One identifier names one thing.",
    )
    STATUS_UNCHANGED = 82, "Participant {participant} already is {status}. Nothing to change."
    OFFICE_ALREADY_HELD = (
        83,
        "Participant {participant} already holds the office {office}. One participant, one office:"
        " nobody may stand for two.",
    )
    LICENCE_UNCHANGED = (
        84,
        "Participant {participant} already has this licence for {activity}, in this phase and with"
        " this end. Nothing to change.",
    )
    LICENCE_UNKNOWN = (
        85,
        "Participant {participant} has no licence for {activity} that could be revoked. Look the"
        " participant's licences up first.",
    )
    PHASE_LIMIT_REACHED = (
        86,
        "In its phase, the licence of {participant} for {activity} allows {expected} accounts, and"
        " {found} were opened. A later phase allows more.",
    )
    ACCOUNT_EXISTS = (
        87,
        "An account with the address {account} already exists: same owner, policy and salt. Take"
        " another salt.",
    )
    ACCOUNT_ALREADY_ON_HOLD = (
        88,
        "Account {account} is already on hold by {placed_by}, reference {legal_reference}. Release"
        " that hold first, if yours is to take its place.",
    )
    ACCOUNT_NOT_ON_HOLD = 89, "Account {account} is not on hold. Nothing to release."
    ACCOUNT_NOT_EMPTY = (
        90,
        "Account {account} still holds {asset}. Move every holding elsewhere before closing it.",
    )

    PARTICIPANT_NOT_A_PERSON = (
        91,
        "Participant {participant} is a {kind}, and only persons are identified by a token. Legal"
        " entities are told apart by their LEI.",
        3,
    )
    IDENTITY_UNCHANGED = (
        92,
        "This already is what is known of who {participant} is. Nothing to change.",
        3,
    )
    PERSON_KNOWN_ALREADY = (
        93,
        "The person with this token is registered already, as {participant}. Open an account for"
        " that participant: it may have accounts with several intermediaries. If the token is not"
        " that one's, two offices correct it (identify_person).",
        3,
    )

    # Assets and holdings.
    ASSET_EXISTS = 100, "An asset is already defined as '{asset}'. Definitions do not change."
    NOT_A_MULTIPLE = (
        101,
        "{found} is not a multiple of {expected} minor units, the legal denomination of {asset}."
        " Issues and ceilings are whole denominations; holdings may be smaller.",
    )
    CEILING_EXCEEDED = (
        102,
        "The supply of {asset} would be {found}; its ceiling is {expected} minor units. Issue"
        " less.",
    )
    SELF_TRANSFER = 103, "Account {account} would transfer to itself. Nothing would change."
    FORCED_TRANSFER_NOT_ALLOWED = (
        104,
        "The asset {asset} was defined without forced transfer. That cannot be changed later.",
    )
    FACE_NOT_IN_UNITS = (
        260,
        "{found} minor units of {asset} are no whole units of its face, of {expected} minor units"
        " each. Less than the legal denomination may be held and moved, in whole units: give a"
        " multiple of {expected}.",
        3,
    )
    HOLD_UNKNOWN = (
        105,
        "Account {account} has no hold {hold}. It was released, has expired, or never existed.",
    )
    NOT_DUE = (
        106,
        "{asset} matures on day {expected} (counted from 1970-01-01) and today is day {found}. It"
        " cannot be redeemed earlier.",
    )
    HOLDING_INSUFFICIENT = (
        107,
        "Account {account} has {found} minor units of {asset} available, not counting {held} on"
        " hold; {expected} are needed. Nothing was moved.",
    )

    HOLDS_FULL = (
        108,
        "Account {account} has {expected} holds, as many as an account may have. Release one first,"
        " or hold the account as a whole.",
        2,
    )

    # Governance.
    PROPOSAL_NOT_READABLE = (
        120,
        "The operations of the proposal cannot be read. They are the canonical bytes of a list of 1"
        " to {expected} operations; build it with a current client.",
    )
    OPERATION_NOT_PROPOSABLE = (
        121,
        "Operation {index} of the proposal is {operation}. Only operations that the powers matrix"
        " governs can be proposed.",
    )
    APPROVERS_IN_PROPOSAL = (
        122,
        "Operation {index} of the proposal names approvers, or another account than the proposer's."
        " In a proposal the proposing account acts, and the approvals are the approvers.",
    )
    PROPOSALS_FULL = (
        123,
        "{found} proposals are open, as many as the parameter proposals-open-max allows. Wait for"
        " one to be decided, or withdraw one.",
    )
    PROPOSAL_UNKNOWN = (
        124,
        "No proposal {proposal} is open. It was completed, withdrawn, has expired, or never"
        " existed.",
    )
    ALREADY_APPROVED = (
        125,
        "Participant {participant} has already approved proposal {proposal}. Nothing more is"
        " needed from it; the offices that are missing must approve.",
    )
    NOT_PROPOSER = (
        126,
        "Proposal {proposal} was made by account {proposer}, not by {account}. Only its proposer"
        " withdraws it; the others need not approve.",
    )
    PARAMETER_UNKNOWN = (
        127,
        "No parameter is called '{parameter}'. `khz_parameters` lists them all.",
    )
    PARAMETER_OUT_OF_RANGE = (
        128,
        "The parameter {parameter} would be {found}; it ranges from {lowest} to {highest}. Choose"
        " a value in that range.",
    )
    OPERATION_UNKNOWN = (
        129,
        "No operation under the powers matrix is called '{operation}'. `khz_powers` lists them"
        " all.",
    )
    POWER_NOT_VALID = (
        130,
        "This row of the powers matrix cannot work: {reason}. Names stand in ascending order, each"
        " once; the number required is 1 to the number of offices, or 0 without offices.",
    )
    POWER_TOO_WEAK = (
        131,
        "To {operation} for {subject} must take at least {expected} offices and no licence; this"
        " row would let {found} decide. No institution does this alone.",
    )
    OFFICE_VACANT = (
        132,
        "Nobody holds the office {office}. Grant it first: nobody could act for it.",
    )
    VALIDATOR_UNKNOWN = (
        133,
        "No validator is called '{validator}'. `khz_validators` lists them all.",
    )
    VALIDATOR_EXISTS = (
        134,
        "The validator {validator} already has this {field}. Each participant runs at most one"
        " validator, under a name and certificate of its own.",
    )
    KEY_ALREADY_USED = (
        135,
        "The consensus key {key} is or was that of validator {validator}. A consensus key is used"
        " once for ever, or old signatures could be mistaken for new ones.",
    )
    VALIDATORS_TOO_FEW = (
        136,
        "{found} validators would remain, and the parameter validators-min asks for {expected}. Add"
        " another first.",
    )
    VALIDATORS_TOO_MANY = (
        137,
        "There are {found} validators, the most that a network can have. Remove one first.",
    )
    PROPOSALS_FULL_FOR_PARTICIPANT = (
        138,
        "Participant {participant} has {expected} proposals open, as many as one may: a quarter of"
        " the parameter proposals-open-max. Wait for one to be decided, or withdraw one.",
    )

    LEI_OF_PERSON = (
        139,
        "Participant {participant} would be a person with the LEI {found}, which names a legal"
        " entity. Register it without, or as the entity that it is.",
    )

    UPGRADE_ALREADY_SCHEDULED = (
        140,
        "The upgrade to version {version} of the protocol is scheduled for height {height}. Cancel"
        " it first to schedule another.",
    )
    VERSION_NOT_NEXT = (
        141,
        "Version {found} of the protocol cannot follow: the next one is {expected}. Versions are"
        " taken one after the other.",
    )
    UPGRADE_HEIGHT_NOT_ACCEPTED = (
        142,
        "The height {found} is not accepted: an upgrade takes place from height {earliest} to"
        " height {latest}. Choose a later one, so that every node can be upgraded before it.",
    )
    UPGRADE_NOT_SCHEDULED = (
        143,
        "No upgrade to version {version} of the protocol is scheduled. What has taken place cannot"
        " be cancelled.",
    )

    # The whole transaction: looked at when every operation has been applied, so after those below.
    SIGNATURE_NOT_NEEDED = (
        150,
        "The signer {signer} stands in the policy of no account that acts in this transaction."
        " Remove it, or name the account it signs for.",
    )

    # Calendars.
    CALENDAR_UNKNOWN = (
        160,
        "No calendar is defined as '{calendar}'. Check the name, or define it first.",
        3,
    )
    CALENDAR_EXISTS = (
        161,
        "A calendar is already defined as '{calendar}', in version {version}. Amend it instead.",
        3,
    )
    CALENDAR_VERSION_PASSED = (
        162,
        "The amendment is of version {found} of the calendar '{calendar}'; version {expected}"
        " rules. Look at what has changed, and amend that one.",
        3,
    )
    CALENDAR_NOT_VALID = (
        163,
        "The calendar '{calendar}' would not be in order: {reason}. Days stand in ascending order,"
        " each once.",
        3,
    )
    HOLIDAY_UNKNOWN = (
        164,
        "Day {day} (counted from 1970-01-01) is no holiday of the calendar '{calendar}'. Nothing to"
        " withdraw.",
        3,
    )
    CALENDAR_UNCHANGED = (
        165,
        "The calendar '{calendar}' already says all this, in version {version}. Nothing to change.",
        3,
    )
    CALENDAR_DAY_PAST = (
        166,
        "Day {found} (counted from 1970-01-01) cannot become or cease to be a holiday of the"
        " calendar '{calendar}': today is day {today}, and only days after it change. Give the"
        " change for a later day.",
        3,
    )
    CALENDAR_DAY_USED = (
        167,
        "Day {found} (counted from 1970-01-01) cannot become or cease to be a holiday of the"
        " calendar '{calendar}': what was paid already relied on its days up to day {expected}."
        " Give the change for a later day.",
        3,
    )

    # The life of securities.
    ASSET_NOT_SERVICED = (
        170,
        "{asset} is a {kind} on which the ledger makes no payments. Only bonds, sukuk, and bills"
        " with a paying agent have any.",
        3,
    )
    PAYING_AGENT_ABSENT = (
        171,
        "The paying agent's account {account} belongs to {participant}, who does not stand behind"
        " this definition. The ledger takes payments from that account: let its owner approve.",
        3,
    )
    PAYMENT_CASH_NOT_VALID = (
        172,
        "Payments in {asset} do not fit: they take cash in {currency} with {decimals} decimals, as"
        " the face has. Name other cash, or other decimals.",
        3,
    )
    SCHEDULE_NOT_VALID = (
        173,
        "No schedule of payments follows from the terms: {reason}. Correct the definition.",
        3,
    )
    NOTHING_LEFT_TO_PAY = (
        174,
        "{asset} would have no payment left: its last record would have been taken at the end of"
        " day {found} (counted from 1970-01-01). Correct the days, or leave it out.",
        3,
    )
    REGISTER_CLOSED = (
        175,
        "The register of {asset} is closed: the record of its last payment is taken, and the ledger"
        " redeems what each holder has. Nothing of it is issued or moved any more.",
        3,
    )
    PAYMENT_NOT_DUE = (
        176,
        "Payment {payment} of {asset} is not to be funded: its day has not come, or it is being"
        " paid already. Nothing was taken.",
        3,
    )
    ACCOUNT_TIED = (
        177,
        "Account {account} cannot be closed: something is still to come to it ({tie}, {to})."
        " OWED ends when the payment is made, RESIDUE with the security, COLLECTOR when another"
        " account collects.",
        3,
    )
    WITHHOLDING_NOT_VALID = (
        178,
        "These rates cannot rule: {reason}. Name a class of taxpayer, such as person or"
        " person-inactive, and one of bond or sukuk; rows stand in ascending order of day, each day"
        " once.",
        3,
    )
    RECORDS_PENDING = (
        179,
        "{asset} cannot be issued or moved in this block: more records of securities are due than"
        " one block takes, and its own may be among them. Submit it again in some seconds.",
        3,
    )
    ASSET_NOT_FLOATING = (
        180,
        "{asset} is a {kind} whose rate does not float. There is nothing to fix.",
        3,
    )
    FIXING_WITHOUT_SOURCE = (
        181,
        "The reference for payment {payment} of {asset} comes without a source. Say which"
        " publication it is from, and of which days.",
        3,
    )
    FIXING_NOT_AWAITED = (
        182,
        "The rate of payment {payment} of {asset} is not awaited: its fixing day has not come, or"
        " there is no such payment. The ledger looks at its auctions first.",
        3,
    )
    RATE_ALREADY_FIXED = (
        183,
        "The rate of payment {payment} of {asset} is fixed at {found} millionths a year, by"
        " {source}. What is fixed does not change.",
        3,
    )
    ASSET_NOT_CALLABLE = (
        184,
        "{asset} cannot be called: its terms give the issuer no right to repay it early. It is"
        " repaid as its schedule says.",
        3,
    )
    ALREADY_CALLED = (
        185,
        "Payment {payment} of {asset}, or all that is left of it, is called already. A call is not"
        " taken back and not made twice.",
        3,
    )
    CALL_NOT_WITHIN_TERMS = (
        186,
        "{asset} cannot be called on day {found} (counted from 1970-01-01): {reason}. The terms"
        " name the days, the notice and the price.",
        3,
    )

    ASSET_NOT_STRIPPABLE = (
        187,
        "{asset} cannot be stripped: {reason}. What is stripped is a bond with fixed coupons and a"
        " single repayment, whose strips its issuer has registered (define_strips).",
        3,
    )
    STRIPS_EXIST = (
        188,
        "The strips of {asset} are registered already, the face as {found}. They do not change.",
        3,
    )
    STRIP_DIFFERS = (
        189,
        "{found} is something else than a strip of {asset} would be: {reason}. Lines share the"
        " coupons of a series where issuer, agent, cash, calendar and days are the same; name"
        " another series.",
        3,
    )
    STRIP_NOT_A_MULTIPLE = (
        190,
        "{found} minor units of {asset} cannot be stripped or put together: some strip would be no"
        " whole number of units of its face, or the bond no whole denominations. Take a multiple of"
        " {expected}.",
        3,
    )
    STRIP_RECORD_DIFFERS = (
        191,
        "{asset} cannot be stripped or put together now: of payment {payment}, either the record of"
        " the bond or that of its strip is taken, and the other is still to come. Submit it again"
        " when both are.",
        3,
    )
    STRIPPING_CROWDED = (
        192,
        "{asset} cannot be stripped or put together in this block: that would move {found} strips,"
        " and the block moves {expected} more. Submit it again in some seconds.",
        3,
    )
    STRIP_NOT_ISSUED = (
        193,
        "{asset} is a strip: there is as much of it as was stripped. Issue the bond and strip it"
        " (strip_security).",
        3,
    )

    # Auctions.
    AUCTION_EXISTS = (
        201,
        "An auction is already called '{auction}', and names are not used again. Take another.",
        3,
    )
    AUCTION_TERMS_NOT_VALID = (
        202,
        "The terms of the auction cannot work: {reason}. Correct the announcement.",
        3,
    )
    AUCTION_ASSET_DIFFERS = (
        203,
        "The auction {auction} sells {expected}; this bid is for {found}. Name what it sells.",
        3,
    )
    AUCTION_STEP_TOO_EARLY = (
        204,
        "The auction {auction} takes a {operation} from {expected} ms on; block time is {found} ms."
        " Come back then.",
        3,
    )
    AUCTION_STEP_TOO_LATE = (
        205,
        "The auction {auction} took a {operation} before {expected} ms; block time is {found} ms."
        " Nothing can be added now.",
        3,
    )
    BIDDER_NOT_ACCEPTED = (
        206,
        "Participant {participant}, a {kind}, may not {operation} in the auction {auction}: its"
        " announcement says who may bid, with a price or without one. Bid in the part that is open"
        " to this kind, or leave it.",
        3,
    )
    BIDDER_EXCLUDED = (
        207,
        "Participant {participant} may not bid before {expected} ms: it left {unrevealed} sealed"
        " bids unopened and {failed} allotments unpaid. Block time is {found} ms.",
        3,
    )
    BIDDER_NOT_IDENTIFIED = (
        241,
        "Participant {participant} may not bid yet: one person bids under one name, and nobody has"
        " said which person it is. Its registrar, or an office that registers persons, states its"
        " token first (identify_person).",
        3,
    )
    BIDS_FULL_FOR_BIDDER = (
        208,
        "Participant {participant} has {expected} sealed bids in the auction {auction}, as many as"
        " one may. Withdraw one to hand in another.",
        3,
    )
    AUCTION_FULL = (
        209,
        "The auction {auction} has {expected} bids of this kind, as many as one can have. Use the"
        " bids there are: withdraw one before the close, or place it in the next auction.",
        3,
    )
    SEALED_BID_UNKNOWN = (
        210,
        "Account {account} has no sealed bid {number} in the auction {auction}. It was withdrawn,"
        " belongs to another account, or never existed.",
        3,
    )
    ENVELOPE_UNKNOWN = (
        222,
        "No envelope has the number {number} in the auction {auction}. It was taken back, came from"
        " its bidder's own key, or never existed; `khz_envelopes` lists those there are.",
        3,
    )
    SEALED_BID_OPENED = (
        211,
        "Sealed bid {number} of the auction {auction} is already opened. Nothing more is to be"
        " done for it.",
        3,
    )
    SEALED_BID_DIFFERS = (
        212,
        "What was opened is not what was sealed: its hash is {found}, that of bid {number} in the"
        " auction {auction} is {expected}. Give price, face and salt as they were sealed.",
        3,
    )
    PRICE_OFF_QUANTUM = (
        213,
        "The price is {found} and the auction {auction} takes multiples of {expected}, in units of"
        " 0.0001 per hundred. Round the price to such a multiple.",
        3,
    )
    FACE_NOT_A_MULTIPLE = (
        214,
        "The face is {found} minor units and the auction {auction} takes positive multiples of"
        " {expected}. Bid for such a multiple.",
        3,
    )
    BIDDER_LIMIT_EXCEEDED = (
        215,
        "The bids of {participant} in the auction {auction} would be for {found} minor units; one"
        " bidder may bid for {expected}. What is above it stays unopened.",
        3,
    )
    NONCOMPETITIVE_FACE_NOT_ACCEPTED = (
        216,
        "A bid without a price in the auction {auction} is for {lowest} to {highest} minor units;"
        " this one is for {found}. Bid for a face within these bounds.",
        3,
    )
    AUCTION_NOT_TO_BE_DECIDED = (
        217,
        "The auction {auction} is {found}; it is decided once its book is complete, and once only."
        " `khz_auction` says at which stage it is and what comes next.",
        3,
    )
    CUT_OFF_NOT_ACCEPTED = (
        218,
        "The cut-off {found} of the auction {auction}, in units of 0.0001, is not accepted:"
        " {reason}. Take the price of a bid at which the target suffices for all better ones.",
        3,
    )
    ACCRUAL_NOT_KNOWN = (
        219,
        "What has accrued on {asset} until day {found} is not known: the rate of the period is not"
        " fixed. Fix it before something is delivered.",
        3,
    )
    BID_MANDATE_UNCHANGED = (
        223,
        "Account {account} has already let {office} hand in its bids on paper, paid from the same"
        " account. Nothing to change.",
        3,
    )
    BID_MANDATE_UNKNOWN = (
        224,
        "Account {account} has given no mandate for paper bids that this account could take back."
        " The one that bids or the one that pays takes it back, while there is one.",
        3,
    )
    BID_OUT_OF_RANGE = (
        225,
        "The bid is {found} in units of 0.0001; the auction {auction} takes {lowest} to {highest}."
        " Only a margin may be zero or below.",
        3,
    )
    SEALED_BID_EXISTS = (
        226,
        "This hash is already sealed bid {number} of its bidder in the auction {auction}. One paper"
        " or file is one bid: for another one, seal it with another salt.",
        3,
    )
    SWITCH_NOT_POSSIBLE = (
        230,
        "What would be given, {asset}, is worth nothing: the interest that stays with others is as"
        " much as its price. Announce a higher price, or settle before the record of a payment.",
        3,
    )
    PLAN_VERSION_PASSED = (
        231,
        "The plan {plan} is in version {expected}, and version {found} was to be replaced. Look at"
        " it as it is, and publish what still holds.",
        3,
    )
    PLAN_NOT_VALID = (
        232,
        "The plan {plan} is not one: {reason}. Publish it without this contradiction.",
        3,
    )
    ENVELOPE_WITHDRAWN = (
        240,
        "Account {account} took this envelope back in the auction {auction}, or took back"
        " {expected} others. Ask the bidder for a new one, sealed with another salt, or let it bid"
        " by its own key.",
        3,
    )

    TAX_STATUS_DAY_PAST = (
        245,
        "A taxpayer cannot be of another status from day {found} (counted from 1970-01-01) on:"
        " today is day {today}, and records that are taken keep what ruled. Give a later day.",
        3,
    )
    TAX_STATUS_CHANGING = (
        246,
        "The positions of {participant} are still being marked with its status from day {found}"
        " (counted from 1970-01-01) on. Submit it again in some seconds.",
        3,
    )
    TAX_STATUS_UNCHANGED = (
        247,
        "Participant {participant} is {status} as a taxpayer already, or will be from that day on."
        " Nothing to change.",
        3,
    )
    TAX_STATUS_DAY_USED = (
        248,
        "A taxpayer cannot be of another status from day {found} (counted from 1970-01-01) on:"
        " before the clock of the network was set back, what ruled up to day {expected} was relied"
        " on. Give a later day.",
        3,
    )

    # What others did in the block.
    BLOCK_CROWDED = (
        250,
        "The block has no room for this: it is work of {found} units of 10 microseconds, and"
        " {expected} are left of what all such work may take in a block. Submit it again in some"
        " seconds; operations of one transaction that are too much together, each by itself.",
        3,
    )


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


def explain(
    outcome: Outcome,
    details: Details,
    *,
    render_address: Callable[[bytes], str] = bytes.hex,
) -> str:
    """Return the outcome's sentence with its details, in one printable line.

    What was found may be any text that somebody signed: control characters are shown as escapes, so
    that it neither steers a terminal nor reads as something else, and long text is cut.

    Args:
        render_address: how this network writes addresses; hexadecimal unless the caller knows.
    """
    found = _Details((name, shown(value)) for name, value in details)
    for name in ADDRESS_DETAILS & found.keys():
        found[name] = render_address(bytes.fromhex(str(found[name])))
    return outcome.sentence.format_map(found)


def shown(value: Detail) -> Detail:
    """Return a detail as a sentence shows it: printable, and cut where it is long."""
    if isinstance(value, int):
        return value
    if len(value) > SHOWN_MAX:
        value = f"{value[:SHOWN_MAX]}…"
    return value if value.isprintable() else value.encode("unicode_escape").decode()


class _Details(dict[str, Detail]):
    """Details by name; one that a node of another release did not send reads as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"
