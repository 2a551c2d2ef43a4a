"""The life of securities: payments, fixings, calls, strips, and taxpayers."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "ASSET_NOT_SERVICED": (
        "{asset} is a {kind} on which the ledger makes no payments. Only bonds, sukuk, and bills"
        " with a paying agent have any."
    ),
    "PAYING_AGENT_ABSENT": (
        "The paying agent's account {account} belongs to {participant}, who does not stand behind"
        " this definition. The ledger takes payments from that account: let its owner approve."
    ),
    "PAYMENT_CASH_NOT_VALID": (
        "Payments in {asset} do not fit: they take cash in {currency} with {decimals} decimals, as"
        " the face has. Name other cash, or other decimals."
    ),
    "SCHEDULE_NOT_VALID": (
        "No schedule of payments follows from the terms: {reason}. Correct the definition."
    ),
    "NOTHING_LEFT_TO_PAY": (
        "{asset} would have no payment left: its last record would have been taken at the end of"
        " day {found} (counted from 1970-01-01). Correct the days, or leave it out."
    ),
    "REGISTER_CLOSED": (
        "The register of {asset} is closed: the record of its last payment is taken, and the ledger"
        " redeems what each holder has. Nothing of it is issued or moved any more."
    ),
    "PAYMENT_NOT_DUE": (
        "Payment {payment} of {asset} is not to be funded: its day has not come, or it is being"
        " paid already. Nothing was taken."
    ),
    "ACCOUNT_TIED": (
        "Account {account} cannot be closed: something is still to come to it ({tie}, {to})."
        " OWED ends when the payment is made, RESIDUE with the security, COLLECTOR when another"
        " account collects."
    ),
    "WITHHOLDING_NOT_VALID": (
        "These rates cannot rule: {reason}. Name a class of taxpayer, such as person or"
        " person-inactive, and one of bond or sukuk; rows stand in ascending order of day, each day"
        " once."
    ),
    "RECORDS_PENDING": (
        "{asset} cannot be issued or moved in this block: more records of securities are due than"
        " one block takes, and its own may be among them. Submit it again in some seconds."
    ),
    "ASSET_NOT_FLOATING": "{asset} is a {kind} whose rate does not float. There is nothing to fix.",
    "FIXING_WITHOUT_SOURCE": (
        "The reference for payment {payment} of {asset} comes without a source. Say which"
        " publication it is from, and of which days."
    ),
    "FIXING_NOT_AWAITED": (
        "The rate of payment {payment} of {asset} is not awaited: its fixing day has not come, or"
        " there is no such payment. The ledger looks at its auctions first."
    ),
    "RATE_ALREADY_FIXED": (
        "The rate of payment {payment} of {asset} is fixed at {found} millionths a year, by"
        " {source}. What is fixed does not change."
    ),
    "ASSET_NOT_CALLABLE": (
        "{asset} cannot be called: its terms give the issuer no right to repay it early. It is"
        " repaid as its schedule says."
    ),
    "ALREADY_CALLED": (
        "Payment {payment} of {asset}, or all that is left of it, is called already. A call is not"
        " taken back and not made twice."
    ),
    "CALL_NOT_WITHIN_TERMS": (
        "{asset} cannot be called on day {found} (counted from 1970-01-01): {reason}. The terms"
        " name the days, the notice and the price."
    ),
    "ASSET_NOT_STRIPPABLE": (
        "{asset} cannot be stripped: {reason}. What is stripped is a bond with fixed coupons and a"
        " single repayment, whose strips its issuer has registered (define_strips)."
    ),
    "STRIPS_EXIST": (
        "The strips of {asset} are registered already, the face as {found}. They do not change."
    ),
    "STRIP_DIFFERS": (
        "{found} is something else than a strip of {asset} would be: {reason}. Lines share the"
        " coupons of a series where issuer, agent, cash, calendar and days are the same; name"
        " another series."
    ),
    "STRIP_NOT_A_MULTIPLE": (
        "{found} minor units of {asset} cannot be stripped or put together: some strip would be no"
        " whole number of units of its face, or the bond no whole denominations. Take a multiple of"
        " {expected}."
    ),
    "STRIP_RECORD_DIFFERS": (
        "{asset} cannot be stripped or put together now: of payment {payment}, either the record of"
        " the bond or that of its strip is taken, and the other is still to come. Submit it again"
        " when both are."
    ),
    "STRIPPING_CROWDED": (
        "{asset} cannot be stripped or put together in this block: that would move {found} strips,"
        " and the block moves {expected} more. Submit it again in some seconds."
    ),
    "STRIP_NOT_ISSUED": (
        "{asset} is a strip: there is as much of it as was stripped. Issue the bond and strip it"
        " (strip_security)."
    ),
    "TAX_STATUS_DAY_PAST": (
        "A taxpayer cannot be of another status from day {found} (counted from 1970-01-01) on:"
        " today is day {today}, and records that are taken keep what ruled. Give a later day."
    ),
    "TAX_STATUS_CHANGING": (
        "The positions of {participant} are still being marked with its status from day {found}"
        " (counted from 1970-01-01) on. Submit it again in some seconds."
    ),
    "TAX_STATUS_UNCHANGED": (
        "Participant {participant} is {status} as a taxpayer already, or will be from that day on."
        " Nothing to change."
    ),
    "TAX_STATUS_DAY_USED": (
        "A taxpayer cannot be of another status from day {found} (counted from 1970-01-01) on:"
        " before the clock of the network was set back, what ruled up to day {expected} was relied"
        " on. Give a later day."
    ),
}
