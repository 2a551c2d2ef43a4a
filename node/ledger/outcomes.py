"""Every result a transaction can have: one enumeration, permanent numbers, in order of precedence.

When several rules are broken, the one declared first is reported, as far as one operation goes;
operations are looked at in their order. Each outcome has a sentence for people: what was found,
what was expected, which rule, what to do. The words in braces are the details that a refusal
carries; addresses and hashes among them are bytes, for the reader's edge to render.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, TypeAlias

from node.ledger.errors import LedgerError

Detail: TypeAlias = int | str | bytes
Details: TypeAlias = tuple[tuple[str, Detail], ...]


class Outcome(IntEnum):
    """The result of a transaction. The number is encoded and permanent; the sentence is not."""

    sentence: str

    def __new__(cls, number: int, sentence: str) -> "Outcome":
        """Make a member that is its number and carries its sentence."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.sentence = sentence
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
        "This transaction was already applied in block {height}. An id is applied once; nothing"
        " more is to be done.",
    )

    # Who acts.
    ACCOUNT_UNKNOWN = (
        20,
        "No account has the address {account}. Accounts belong to a registered participant; have a"
        " registrar open it first, and check the address.",
    )
    ACCOUNT_CLOSED = 21, "Account {account} is closed for good. Use another account."
    ACCOUNT_ON_HOLD = (
        22,
        "Account {account} is on hold by {placed_by}, reference {legal_reference}. Nothing leaves"
        " it until that office releases it.",
    )
    PARTICIPANT_SUSPENDED = (
        23,
        "Participant {participant} is suspended and neither acts nor receives. Its supervisor can"
        " lift the suspension.",
    )
    SIGNATURES_MISSING = (
        24,
        "The signers present weigh {found} for account {account}; its policy asks for {expected}"
        " for this class of operation ({account_class}). Let more of its signers sign.",
    )
    POWER_NOT_GRANTED = (
        25,
        "Nobody has the power to {operation} for {subject}. The powers matrix has no such row; a"
        " joint decision (set_powers) can add it.",
    )
    OFFICES_MISSING = (
        26,
        "To {operation} for {subject} takes {expected} of the offices {offices}; {found} stand"
        " behind this. Let accounts of the others approve it, or propose it.",
    )
    LICENCE_INACTIVE = (
        27,
        "The licence of {participant} for {activity} is not active. It was revoked or has run out;"
        " its supervisor can grant it anew.",
    )
    OFFICE_NOT_HELD = (
        28,
        "Participant {participant} holds no office. Proposals are made and approved by accounts of"
        " participants that hold one.",
    )
    APPROVERS_IN_PROPOSAL = (
        29,
        "Operation {index} of the proposal names approvers, or an account that has not approved."
        " The approvals of a proposal are its approvers: name the proposing account alone.",
    )

    # What is said.
    TEXT_NOT_ACCEPTED = (
        40,
        "The field {field} is not plain text of at most {expected} characters in normal form C"
        " (NFC), or is empty. Remove control characters and shorten it.",
    )
    NAME_NOT_ACCEPTED = (
        41,
        "The field {field} holds '{found}'. Names are 1 to 32 of a-z, 0-9 and inner hyphens; asset"
        " codes 1 to 32 of A-Z, 0-9, point and hyphen.",
    )
    IDENTIFIER_NOT_VALID = (
        42,
        "'{found}' is not a valid {scheme}. Its form or check digit is wrong; compare it with the"
        " source, digit by digit.",
    )
    IDENTIFIER_MISSING = (
        43,
        "A {kind} needs an identifier of the scheme {scheme}. Add it to the definition.",
    )
    IDENTIFIER_TAKEN = (
        44,
        "The {scheme} '{found}' already belongs to {holder}. One identifier names one thing.",
    )
    KEY_NOT_VALID = (
        45,
        "{key} is not a usable Ed25519 public key: it must be the canonical encoding of a point"
        " that has no small order. Take the key as the key file shows it.",
    )
    POLICY_NOT_VALID = (
        46,
        "The account policy cannot work: {reason}. Signers stand in ascending order of key, each"
        " once, with weights of 1 to 255; no threshold is above the sum of the weights.",
    )
    TERMS_NOT_VALID = (
        47,
        "The terms of the asset contradict each other: {reason}. Correct the definition.",
    )
    AMOUNT_OUT_OF_RANGE = (
        48,
        "The amount is {found}; amounts are at least 1 and at most {expected} minor units.",
    )
    TIME_NOT_ACCEPTED = (
        49,
        "The field {field} is {found} ms; it must lie after block time and at most at {expected}"
        " ms.",
    )

    # Participants, licences, accounts.
    PARTICIPANT_UNKNOWN = (
        60,
        "No participant is registered as '{participant}'. A registrar must register it first.",
    )
    PARTICIPANT_EXISTS = 61, "A participant is already registered as '{participant}'."
    STATUS_UNCHANGED = 62, "Participant {participant} already has this status. Nothing to change."
    OFFICE_ALREADY_HELD = (
        63,
        "Participant {participant} already holds the office {office}. One participant, one office:"
        " nobody may stand for two.",
    )
    LICENCE_EXISTS = (
        64,
        "Participant {participant} already has this licence for {activity} in this phase.",
    )
    LICENCE_UNKNOWN = 65, "Participant {participant} has no active licence for {activity}."
    NOT_REGISTRAR = (
        66,
        "Participant {owner} was registered by {expected}, not by {found}. A licensee opens"
        " accounts for those it registered itself.",
    )
    PHASE_LIMIT_REACHED = (
        67,
        "The licence of {participant} for {activity} allows {expected} accounts in its phase, and"
        " {found} were opened. A later phase allows more.",
    )
    ACCOUNT_EXISTS = (
        68,
        "An account with the address {account} already exists: same owner, policy and salt. Take"
        " another salt.",
    )
    ACCOUNT_NOT_ON_HOLD = 69, "Account {account} is not on hold. Nothing to release."
    ACCOUNT_NOT_EMPTY = (
        70,
        "Account {account} still holds {asset}. Move every holding elsewhere before closing it.",
    )

    # Assets and holdings.
    ASSET_UNKNOWN = 80, "No asset is defined as '{asset}'. Check the code."
    ASSET_EXISTS = 81, "An asset is already defined as '{asset}'. Definitions do not change."
    NOT_ISSUER = (
        82,
        "The issuer of {asset} is {expected}; {found} acts. The issuer must stand behind this.",
    )
    NOT_A_MULTIPLE = (
        83,
        "{found} is not a multiple of {expected} minor units of {asset}, its legal denomination."
        " Issues are made in whole denominations; holdings may be smaller.",
    )
    CEILING_EXCEEDED = (
        84,
        "The supply of {asset} would be {found}; its ceiling is {expected} minor units.",
    )
    SELF_TRANSFER = 85, "Account {account} would transfer to itself. Nothing would change."
    HOLDING_INSUFFICIENT = (
        86,
        "Account {account} has {found} minor units of {asset} available (without {held} on hold);"
        " {expected} are needed. Nothing was moved.",
    )
    FORCED_TRANSFER_NOT_ALLOWED = (
        87,
        "The asset {asset} was defined without forced transfer. That cannot be changed later.",
    )
    HOLD_UNKNOWN = (
        88,
        "Account {account} has no hold {hold}. It was released, has expired, or never existed.",
    )
    NOT_DUE = (
        89,
        "{asset} matures on day {expected} (counted from 1970-01-01) and today is day {found}. It"
        " cannot be redeemed earlier.",
    )

    # Governance.
    PROPOSAL_UNKNOWN = (
        100,
        "No proposal {proposal} is open. It was completed, withdrawn, has expired, or never"
        " existed.",
    )
    PROPOSALS_FULL = (
        101,
        "{found} proposals are open, as many as the parameter proposals-open-max allows. Wait for"
        " some to be decided or withdraw one.",
    )
    PROPOSAL_NOT_READABLE = (
        102,
        "The operations of the proposal cannot be read: {reason}. They are the canonical bytes of"
        " 1 to {expected} operations.",
    )
    OPERATION_NOT_PROPOSABLE = (
        103,
        "Operation {index} of the proposal is {operation}. Only operations that the powers matrix"
        " governs can be proposed.",
    )
    ALREADY_APPROVED = 104, "Participant {participant} has already approved proposal {proposal}."
    NOT_PROPOSER = (
        105,
        "Proposal {proposal} was made by {expected}, not by {found}. Only its proposer withdraws"
        " it; the others need not approve.",
    )
    PARAMETER_UNKNOWN = 106, "No parameter is called '{parameter}'."
    PARAMETER_OUT_OF_RANGE = (
        107,
        "The parameter {parameter} would be {found}; it ranges from {lowest} to {highest}.",
    )
    OPERATION_UNKNOWN = 108, "No operation under the powers matrix is called '{operation}'."
    OFFICE_VACANT = (
        109,
        "Nobody holds the office {office}. A power that needs it could never be used; grant the"
        " office first.",
    )
    POWER_TOO_WEAK = (
        110,
        "To {operation} for {subject} must take at least {expected} offices and no licence; this"
        " row would let {found} decide. No institution does this alone.",
    )
    VALIDATOR_EXISTS = (
        111,
        "The validator {validator} already has this name, participant or certificate. Each"
        " participant runs at most one validator, under a name and certificate of its own.",
    )
    VALIDATOR_UNKNOWN = 112, "No validator is called '{validator}'."
    VALIDATORS_TOO_FEW = (
        113,
        "{found} validators would remain; the parameter validators-min asks for {expected}. Add"
        " another first.",
    )
    VALIDATORS_TOO_MANY = 114, "There are already {found} validators, the most a network can have."
    KEY_ALREADY_USED = (
        115,
        "The consensus key {key} was used before by validator {validator}. A consensus key is used"
        " once for ever, or old signatures could be mistaken for new ones.",
    )

    # The whole transaction: looked at when every operation has been applied.
    SIGNATURE_NOT_NEEDED = (
        120,
        "The signer {signer} stands in the policy of no account that this transaction names. Remove"
        " it, or name the account it signs for.",
    )


ENVELOPE_OUTCOMES: Final = tuple(
    outcome for outcome in Outcome if Outcome.TOO_LARGE <= outcome <= Outcome.DUPLICATE
)
"""Refusals before a block: whoever admits transactions raises them, and no receipt carries them."""


class Reject(LedgerError):
    """Refuse the transaction: nothing changes. Caught once, in `transition.apply_transaction`.

    Attributes:
        outcome: which rule.
        details: what was found and expected, by name, in the order given.
    """

    def __init__(self, outcome: Outcome, **details: Detail) -> None:
        """Name what was found and expected as the outcome's sentence does."""
        super().__init__(outcome.name, details)
        self.outcome = outcome
        self.details: Details = tuple(details.items())


def explain(
    outcome: Outcome, details: Details, *, render_bytes: Callable[[bytes], str] = bytes.hex
) -> str:
    """Return the outcome's sentence with its details.

    Args:
        render_bytes: turns an address (20 bytes), a key, hash or id into text; hexadecimal unless
            the caller knows the network's address prefix.
    """
    found = {
        name: render_bytes(value) if isinstance(value, bytes) else value for name, value in details
    }
    return outcome.sentence.format_map(_Details(found))


class _Details(dict[str, int | str]):
    """Details by name; one that an older or newer node did not send reads as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"
