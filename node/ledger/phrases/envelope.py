"""Why bytes are no transaction, an account's policy none, a row of the powers matrix none."""

from enum import unique

from node.ledger.phrases.phrase import Phrase


@unique
class EncodingFault(Phrase):
    """Of MALFORMED: never in a block."""

    TOO_MANY_BYTES = "{found:count} bytes where at most {most:count} are allowed"
    CUT_OFF = "they end too early"
    GOES_ON = "more follows after byte {place:count}"
    NO_MESSAGEPACK = "byte {place:count} begins nothing that MessagePack has"
    OTHER_SPELLING = "another spelling of the same value"
    OTHER_TYPE = "{expected:code} was expected at {place:code}, and {found:code} found"
    OUT_OF_BOUNDS = "{expected:code} was expected at {place:code}"
    NO_SUCH_TAG = "nothing has the number {found:count} that stands at {place:code}"
    NOT_READABLE = "they cannot be read"
    SIGNERS_OUT_OF_ORDER = "its signers are not in ascending order, each once"
    MEMO_NOT_TEXT = "its memo is not plain text in NFC"


@unique
class PolicyFault(Phrase):
    """Of POLICY_NOT_VALID."""

    COUNT_OF_SIGNERS = "{found:count} signers"
    POLICY_OUT_OF_ORDER = "its signers are not in ascending order"
    WEIGHT_OUT_OF_RANGE = "a weight is out of range"
    THRESHOLD_OUT_OF_REACH = "a threshold cannot be reached, or is 0"


@unique
class PowerFault(Phrase):
    """Of POWER_NOT_VALID."""

    POWER_OUT_OF_ORDER = "its names are not in ascending order"
    POWER_WITHOUT_NAME = "it holds what is not a name"
    MORE_REQUIRED_THAN_LISTED = "it requires {required:count} of {listed:count} offices"
    REQUIRED_OF_NONE = "it requires {required:count} offices and lists none"
