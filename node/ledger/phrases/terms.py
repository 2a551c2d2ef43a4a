"""Why an asset's terms are none, no schedule follows from them, a calendar is out of order."""

from enum import unique

from node.ledger.phrases.phrase import Phrase


@unique
class TermsFault(Phrase):
    """Of TERMS_NOT_VALID."""

    DEFINED_AS_STRIP = "it is a strip, which is registered with its bond, by define_strips"
    MATURES_BEFORE_ISSUE = (
        "it matures on {maturity:day}, which is not after the day of issue, {issue:day_number}"
    )
    POOL_NAME_NOT_TEXT = "a name in its pool is not plain text in normal form C (NFC)"
    POOL_NAMES_TWICE = "its pool names an asset twice"
    BILL_WITH_MONTHS = "it is a bill, and pays every {months:count} months"
    BILL_WITH_CALL = "it is a bill, and may be called"
    BILL_PRICED_OTHERWISE = (
        "it is a bill, and priced by {day_count:code}; a bill's yield is simple, by ACT/365F"
    )
    LIVES_TOO_LONG = "it lives {days:count} days, more than {most:count}"
    MATURES_TOO_LATE = "it matures on {maturity:day}, the last that can be is {latest:day_number}"
    PAYS_WITHOUT_MONTHS = "it has rates or instalments, and no months from one payment to the next"
    MONTHS_DO_NOT_DIVIDE = "it pays every {months:count} months, which does not divide a year"
    MONTHS_WITHOUT_PAY = (
        "it pays every {months:count} months, and neither rates nor instalments say what"
    )
    FIRST_RATE_ELSEWHERE = (
        "its first rate counts from {first:day}, not from the day of issue, {issue:day_number}"
    )
    RATES_OUT_OF_ORDER = (
        "its rates are not in ascending order of day, each day once, before maturity"
    )
    INSTALMENTS_OUT_OF_ORDER = (
        "its instalments are not in ascending order of payment, each payment once"
    )
    INSTALMENTS_REPAY_ALL = (
        "its instalments repay {repaid:rate} of the face and leave nothing to mature"
    )
    CALL_WINDOW_OUT_OF_PLACE = (
        "it may be called from {first:day} to {last:day}: expected days in order, after"
        " {after:day} and before maturity on {maturity:day}"
    )
    CALL_BESIDE_INSTALMENTS = (
        "it repays instalments, and may be called in part: one of the two was expected"
    )
    CALL_WITHOUT_PAYMENTS = (
        "it may be called in part, and has no payment before maturity to do so with"
    )
    RATES_AND_REFERENCE = "it has both rates of its own and a reference"
    REFERENCE_NO_NAME = "its reference {found:text} is no name of 1 to 32 of a-z, 0-9 and hyphens"
    FLOOR_ABOVE_CAP = "its floor of {floor:rate} is above its cap, {cap:rate_number}"


@unique
class ScheduleFault(Phrase):
    """Of SCHEDULE_NOT_VALID; those of the dates alone stand first."""

    ENDS_BEFORE_START = "from {start:day} to {end:day}: the end must come after the start"
    STEPS_BACKWARDS = "steps of {months:count} months: at least 0 were expected"
    TOO_MANY_PERIODS = (
        "from {start:day} to {end:day} in steps of {months:count} months: more than {most:count}"
        " periods"
    )
    REST_WITHOUT_STUB = (
        "from {start:day} to {end:day} is no whole number of steps of {months:count} months, and"
        " the terms have no stub"
    )
    PERIODS_DO_NOT_DIVIDE = "periods of {months:count} months: a divisor of 12 was expected"
    SETTLES_OUTSIDE = "settlement on {day:day}: expected from {issue:day} to before {end:day}"
    RATE_NOT_FIXED = "settlement on {day:day}: the rate of payment {payment:count} is not fixed yet"
    TOO_MANY_PAYMENTS = "it has {found:count} payments, more than {most:count}"
    RECORD_BEFORE_ISSUE = (
        "the record of its first payment would be taken on {record:day}, before its issue on"
        " {issue:day}"
    )
    RECORD_BEFORE_PAYMENT = (
        "the record of payment {payment:count} would be taken on {record:day}, and payment"
        " {earlier:count} is made on {paid:day}"
    )
    INSTALMENT_WITH_LAST = (
        "it has {payments:count} payments, and an instalment with payment {payment:count}; the last"
        " one repays the rest"
    )
    INTEREST_TOO_FINE = "the interest of payment {payment:count} is a fraction of more than 63 bits"
    PAYMENT_TOO_LARGE = (
        "payment {payment:count} on the whole ceiling would be more than half of what an amount can"
        " be"
    )


@unique
class CalendarFault(Phrase):
    """Of CALENDAR_NOT_VALID."""

    DAYS_OUT_OF_ORDER = "{later:day} stands after {earlier:day}: ascending order was expected"
    TOO_MANY_HOLIDAYS = "it would have {found:count} holidays, more than {most:count}"
    CLOSED_TOO_LONG = (
        "no business would be done for more than {most:count} days in a row, about {about:day}"
    )
    WITHDRAWN_AND_HOLIDAY = "{both:day} is both withdrawn and a holiday"
