"""Why a security is not called or stripped, and why rates of withholding cannot rule."""

from enum import unique

from node.ledger.phrases.phrase import Phrase


@unique
class CallFault(Phrase):
    """Of CALL_NOT_WITHIN_TERMS."""

    IN_NO_WINDOW = "it lies in no window"
    NOTICE_TOO_SHORT = "today is {today:date}, and {notice:count} days of notice are due"
    NO_BUSINESS = "no business is done on it"
    ONLY_WHOLE = "it may only be repaid whole"
    SHARE_BESIDE_PAYMENT = (
        "a share is repaid with a payment, and the next one falls on {falls:date}"
    )
    SHARE_LEAVES_NOTHING = "{repaid:rate} are repaid already, and some must be left"
    RECORD_IS_OVER = "its record would have been taken on {record:date}"
    RECORD_TOO_EARLY = (
        "its record would be taken on {record:date}, before the one of the period can be, on"
        " {earliest:date}"
    )
    RECORD_TAKEN = "the record of payment {payment:count} is due or taken already"


@unique
class StrippingFault(Phrase):
    """Of ASSET_NOT_STRIPPABLE."""

    IS_NO_BOND = "it is a {kind:kind}"
    RATE_FLOATS = "its rate floats"
    MAY_BE_CALLED = "it may be called"
    REPAYS_IN_INSTALMENTS = "it repays its face in instalments"
    PAYS_ONLY_FACE = "it pays nothing but its face"
    CALENDAR_DECIDES = "its calendar, which can change, decides for how many days it pays interest"
    TOO_MANY_LEFT = "{left:count} payments are left, more than {most:count}"
    PAYS_NO_INTEREST = "payment {payment:count} pays no interest"
    RECORD_OVERDUE = "the record of payment {payment:count} is overdue"
    LEAST_ABOVE_CEILING = (
        "the least that could be is {least:amount}, more than its ceiling, {ceiling:amount_number}"
    )
    NOT_REGISTERED = "no strips of it are registered"


@unique
class StripFault(Phrase):
    """Of STRIP_DIFFERS."""

    STRIP_OF_OTHER_KIND = "the code is that of a {kind:kind}"
    STRIP_RECORD_TAKEN = "its record is taken"
    OTHER_ISSUER = "it has another issuer"
    OTHER_DECIMALS = "it has other decimals"
    OTHER_TERMS = "it has other terms"
    OTHER_RULE_OF_FORCE = "it has another rule of forced transfers"


@unique
class WithholdingFault(Phrase):
    """Of WITHHOLDING_NOT_VALID."""

    NO_KIND_OF_PARTICIPANT = "{found:text} is no kind of participant"
    NO_KIND_WITH_INTEREST = "{found:text} is no kind of security that pays interest"
    ROWS_OUT_OF_ORDER = "{later:day} stands after {earlier:day}"
