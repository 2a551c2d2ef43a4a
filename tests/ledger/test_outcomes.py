"""Outcomes: numbers that never change, sentences that say all four things."""

import string

import pytest

from node.codec import decode, encode
from node.ledger.explaining import ADDRESS_DETAILS, SHOWN_MAX, explain
from node.ledger.outcomes import ENVELOPE_OUTCOMES, Details, Outcome, Reject
from node.ledger.sentences import SENTENCES

NUMBERS = {
    "APPLIED": 0,
    "TOO_LARGE": 1,
    "MALFORMED": 2,
    "WRONG_VERSION": 3,
    "WRONG_NETWORK": 4,
    "EXPIRED": 5,
    "TOO_FAR_AHEAD": 6,
    "WRONG_SIGNATURE_COUNT": 7,
    "BAD_SIGNATURE": 8,
    "DUPLICATE": 9,
    "DEVELOPMENT_KEY": 10,
    "OPERATION_NOT_IN_FORCE": 11,
    "ACCOUNT_UNKNOWN": 20,
    "ACCOUNT_CLOSED": 21,
    "ACCOUNT_ON_HOLD": 22,
    "PARTICIPANT_SUSPENDED": 23,
    "SIGNATURES_MISSING": 24,
    "OTHER_ACCOUNT_UNKNOWN": 30,
    "OTHER_ACCOUNT_CLOSED": 31,
    "PARTICIPANT_UNKNOWN": 32,
    "OTHER_PARTICIPANT_SUSPENDED": 33,
    "ASSET_UNKNOWN": 34,
    "POWER_NOT_GRANTED": 40,
    "OFFICES_MISSING": 41,
    "LICENCE_INACTIVE": 42,
    "OFFICE_NOT_HELD": 43,
    "NOT_ISSUER": 44,
    "NOT_REGISTRAR": 45,
    "TEXT_NOT_ACCEPTED": 60,
    "NAME_NOT_ACCEPTED": 61,
    "IDENTIFIER_MISSING": 62,
    "IDENTIFIER_NOT_VALID": 63,
    "TERMS_NOT_VALID": 64,
    "POLICY_NOT_VALID": 65,
    "KEY_NOT_VALID": 66,
    "AMOUNT_OUT_OF_RANGE": 67,
    "TIME_NOT_ACCEPTED": 68,
    "PARTICIPANT_EXISTS": 80,
    "IDENTIFIER_TAKEN": 81,
    "STATUS_UNCHANGED": 82,
    "OFFICE_ALREADY_HELD": 83,
    "LICENCE_UNCHANGED": 84,
    "LICENCE_UNKNOWN": 85,
    "PHASE_LIMIT_REACHED": 86,
    "ACCOUNT_EXISTS": 87,
    "ACCOUNT_ALREADY_ON_HOLD": 88,
    "ACCOUNT_NOT_ON_HOLD": 89,
    "ACCOUNT_NOT_EMPTY": 90,
    "ASSET_EXISTS": 100,
    "NOT_A_MULTIPLE": 101,
    "CEILING_EXCEEDED": 102,
    "SELF_TRANSFER": 103,
    "FORCED_TRANSFER_NOT_ALLOWED": 104,
    "HOLD_UNKNOWN": 105,
    "NOT_DUE": 106,
    "HOLDING_INSUFFICIENT": 107,
    "HOLDS_FULL": 108,
    "PROPOSAL_NOT_READABLE": 120,
    "OPERATION_NOT_PROPOSABLE": 121,
    "APPROVERS_IN_PROPOSAL": 122,
    "PROPOSALS_FULL": 123,
    "PROPOSAL_UNKNOWN": 124,
    "ALREADY_APPROVED": 125,
    "NOT_PROPOSER": 126,
    "PARAMETER_UNKNOWN": 127,
    "PARAMETER_OUT_OF_RANGE": 128,
    "OPERATION_UNKNOWN": 129,
    "POWER_NOT_VALID": 130,
    "POWER_TOO_WEAK": 131,
    "OFFICE_VACANT": 132,
    "VALIDATOR_UNKNOWN": 133,
    "VALIDATOR_EXISTS": 134,
    "KEY_ALREADY_USED": 135,
    "VALIDATORS_TOO_FEW": 136,
    "VALIDATORS_TOO_MANY": 137,
    "PROPOSALS_FULL_FOR_PARTICIPANT": 138,
    "LEI_OF_PERSON": 139,
    "UPGRADE_ALREADY_SCHEDULED": 140,
    "VERSION_NOT_NEXT": 141,
    "UPGRADE_HEIGHT_NOT_ACCEPTED": 142,
    "UPGRADE_NOT_SCHEDULED": 143,
    "SIGNATURE_NOT_NEEDED": 150,
    "CALENDAR_UNKNOWN": 160,
    "CALENDAR_EXISTS": 161,
    "CALENDAR_VERSION_PASSED": 162,
    "CALENDAR_NOT_VALID": 163,
    "HOLIDAY_UNKNOWN": 164,
    "CALENDAR_UNCHANGED": 165,
    "CALENDAR_DAY_PAST": 166,
    "CALENDAR_DAY_USED": 167,
    "AUCTION_UNKNOWN": 200,
    "AUCTION_EXISTS": 201,
    "AUCTION_TERMS_NOT_VALID": 202,
    "AUCTION_ASSET_DIFFERS": 203,
    "AUCTION_STEP_TOO_EARLY": 204,
    "AUCTION_STEP_TOO_LATE": 205,
    "BIDDER_NOT_ACCEPTED": 206,
    "BIDDER_EXCLUDED": 207,
    "BIDS_FULL_FOR_BIDDER": 208,
    "AUCTION_FULL": 209,
    "SEALED_BID_UNKNOWN": 210,
    "SEALED_BID_OPENED": 211,
    "SEALED_BID_DIFFERS": 212,
    "PRICE_OFF_QUANTUM": 213,
    "FACE_NOT_A_MULTIPLE": 214,
    "BIDDER_LIMIT_EXCEEDED": 215,
    "NONCOMPETITIVE_FACE_NOT_ACCEPTED": 216,
    "AUCTION_NOT_TO_BE_DECIDED": 217,
    "ACCRUAL_NOT_KNOWN": 219,
    "SWITCH_NOT_POSSIBLE": 230,
    "PLAN_VERSION_PASSED": 231,
    "PLAN_NOT_VALID": 232,
    "ENVELOPE_WITHDRAWN": 240,
    "BIDDER_NOT_IDENTIFIED": 241,
    "PARTICIPANT_NOT_A_PERSON": 91,
    "IDENTITY_UNCHANGED": 92,
    "PERSON_KNOWN_ALREADY": 93,
    "BID_OUT_OF_RANGE": 225,
    "BID_MANDATE_MISSING": 220,
    "ENVELOPE_OF_ANOTHER_OFFICE": 221,
    "ENVELOPE_UNKNOWN": 222,
    "BID_MANDATE_UNCHANGED": 223,
    "BID_MANDATE_UNKNOWN": 224,
    "SEALED_BID_EXISTS": 226,
    "CUT_OFF_NOT_ACCEPTED": 218,
    "ASSET_NOT_SERVICED": 170,
    "PAYING_AGENT_ABSENT": 171,
    "PAYMENT_CASH_NOT_VALID": 172,
    "SCHEDULE_NOT_VALID": 173,
    "NOTHING_LEFT_TO_PAY": 174,
    "REGISTER_CLOSED": 175,
    "PAYMENT_NOT_DUE": 176,
    "ACCOUNT_TIED": 177,
    "WITHHOLDING_NOT_VALID": 178,
    "RECORDS_PENDING": 179,
    "ASSET_NOT_FLOATING": 180,
    "FIXING_WITHOUT_SOURCE": 181,
    "FIXING_NOT_AWAITED": 182,
    "RATE_ALREADY_FIXED": 183,
    "ASSET_NOT_CALLABLE": 184,
    "ALREADY_CALLED": 185,
    "CALL_NOT_WITHIN_TERMS": 186,
    "ASSET_NOT_STRIPPABLE": 187,
    "STRIPS_EXIST": 188,
    "STRIP_DIFFERS": 189,
    "FACE_NOT_IN_UNITS": 260,
    "STRIP_NOT_A_MULTIPLE": 190,
    "STRIP_RECORD_DIFFERS": 191,
    "STRIPPING_CROWDED": 192,
    "STRIP_NOT_ISSUED": 193,
    "TAX_STATUS_DAY_PAST": 245,
    "TAX_STATUS_CHANGING": 246,
    "TAX_STATUS_UNCHANGED": 247,
    "TAX_STATUS_DAY_USED": 248,
    "BLOCK_CROWDED": 250,
}


def test_numbers_are_permanent() -> None:
    """A number that changes here is a change of protocol; one that goes is never given again."""
    assert {outcome.name: int(outcome) for outcome in Outcome} == NUMBERS


def test_outcomes_are_declared_in_order_of_number() -> None:
    # Numbered later, and found out before others: whether there is an auction before the powers
    # that it comes under, whose paper it is with the powers, what an amount is with the amounts,
    # who a bidder is with whether it may bid.
    earlier = {
        Outcome.FACE_NOT_IN_UNITS,
        Outcome.AUCTION_UNKNOWN,
        Outcome.BID_MANDATE_MISSING,
        Outcome.ENVELOPE_OF_ANOTHER_OFFICE,
        Outcome.ENVELOPE_UNKNOWN,
        Outcome.BIDDER_NOT_IDENTIFIED,
    }
    numbers = [int(outcome) for outcome in Outcome if outcome not in earlier]

    assert numbers == sorted(set(numbers))


def test_each_outcome_has_a_sentence_and_no_other_has_one() -> None:
    assert SENTENCES.keys() == {outcome.name for outcome in Outcome}


def test_envelope_outcomes_come_first() -> None:
    assert list(Outcome)[1 : 1 + len(ENVELOPE_OUTCOMES)] == list(ENVELOPE_OUTCOMES)


@pytest.mark.parametrize("outcome", Outcome)
def test_sentence_is_a_sentence(outcome: Outcome) -> None:
    sentence = outcome.sentence

    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence[0] in "'{"
    assert "  " not in sentence
    assert outcome is Outcome.APPLIED or ". " in sentence, "and what is one to do?"
    for _, name, specification, conversion in string.Formatter().parse(sentence):
        assert name is None or name.isidentifier()
        assert not specification
        assert not conversion


def test_sentence_is_filled_with_what_was_found() -> None:
    reject = Reject(Outcome.NOT_A_MULTIPLE, asset="MTB", found=7, expected=5)

    assert reject.details == (("asset", "MTB"), ("found", 7), ("expected", 5))
    assert explain(reject.outcome, reject.details).startswith(
        "7 is not a multiple of 5 minor units, the legal denomination of MTB."
    )


def test_bytes_are_hexadecimal_and_addresses_as_the_reader_renders_them() -> None:
    reject = Reject(Outcome.HOLD_UNKNOWN, account=bytes(20), hold=b"\xab" * 32)

    plain = explain(reject.outcome, reject.details)
    rendered = explain(
        reject.outcome, reject.details, render_address=lambda address: f"khz1{len(address)}"
    )

    assert f"Account {'00' * 20} has no hold {'ab' * 32}." in plain
    assert f"Account khz120 has no hold {'ab' * 32}." in rendered
    assert {"account", "proposer"} == ADDRESS_DETAILS


def test_integer_beyond_64_bits_is_text() -> None:
    """A receipt must have an encoding whatever was asked for."""
    reject = Reject(Outcome.CEILING_EXCEEDED, asset="PKR", found=2**64, expected=2**64 - 1)

    assert reject.details == (("asset", "PKR"), ("found", str(2**64)), ("expected", 2**64 - 1))
    assert decode(encode(reject.details), Details) == reject.details


@pytest.mark.adversarial(76)
@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("two\nlines", r"two\nlines"),
        ("bank\u202eknab", r"bank\u202eknab"),
        ("خزانہ", "خزانہ"),
        ("{account}", "{account}"),
        ("x" * 60_000, "x" * SHOWN_MAX + "…"),
    ],
)
def test_sentence_is_one_printable_line_whatever_was_found(found: str, shown: str) -> None:
    """What was found is whatever somebody signed, and somebody else reads it in a terminal."""
    reject = Reject(Outcome.NAME_NOT_ACCEPTED, field="name", found=found)

    sentence = explain(reject.outcome, reject.details)

    assert sentence.startswith(f"The field name holds '{shown}'. ")
    assert sentence.isprintable()


def test_missing_detail_reads_as_an_ellipsis() -> None:
    assert explain(Outcome.ASSET_UNKNOWN, ()) == (
        "No asset is defined as '…'. Check the code, or define it first."
    )


def test_reject_names_its_outcome() -> None:
    assert "ASSET_UNKNOWN" in str(Reject(Outcome.ASSET_UNKNOWN, asset="PKR"))
