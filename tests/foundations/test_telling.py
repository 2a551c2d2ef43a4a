"""Refusals told in a terminal: dates with their zone, amounts with their asset, reasons."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import AuctionFault, CallFault, LineFault, Reason, TermsFault
from node.telling import PEOPLE, TELLER, TOLD, Teller, say, tell_reject

TELLING = Teller(decimals_of={"PKR": 2, "MTB": 2}.get, sold_by={"mtb-3m": "MTB"}.get)


@pytest.mark.parametrize(
    ("name", "details", "expected"),
    [
        (
            "HOLDING_INSUFFICIENT",
            {"account": "tkhz1a", "asset": "PKR", "found": 150, "held": 0, "expected": 2_000},
            "Account tkhz1a has 1.50 PKR available, not counting 0.00 on hold; 20.00 are needed.",
        ),
        (
            "FACE_NOT_A_MULTIPLE",
            {"auction": "mtb-3m", "found": 150, "expected": 500_000},
            "The face is 1.50 MTB and the auction mtb-3m takes positive multiples of 5000.00 MTB.",
        ),
        (
            "AUCTION_STEP_TOO_EARLY",
            {
                "auction": "mtb-3m",
                "operation": "commit_bid",
                "found": 1_600_000_000_000,
                "expected": 1_600_000_060_000,
            },
            "takes this (commit_bid) from 2020-09-13 12:27:40 UTC on; the time of the block is"
            " 2020-09-13 12:26:40 UTC.",
        ),
        (
            "RATE_ALREADY_FIXED",
            {"asset": "MTB", "payment": 1, "found": 115_000, "source": "PKRV"},
            "is fixed at 11.5000 % a year",
        ),
        ("BID_OUT_OF_RANGE", {"auction": "m", "found": -1, "lowest": 1, "highest": 2}, "-0.0001"),
        (
            "CUT_OFF_NOT_ACCEPTED",
            {
                "auction": "mtb-3m",
                "found": 983_800,
                "reason": "bids better than it are for 5000, and 100 is left for bids with a price",
            },
            "The cut-off 98.3800 of the auction mtb-3m is not accepted: bids better than it are for"
            " 50.00 MTB, and 1.00 MTB is left",
        ),
        (
            "TERMS_NOT_VALID",
            {"reason": "it matures on day 20000, which is not after the day of issue, 20001"},
            "it matures on 2024-10-04, which is not after the day of issue, 2024-10-05.",
        ),
        (
            "AMOUNT_OUT_OF_RANGE",
            {"field": "amount", "found": 0, "expected": 5},
            "The field amount is 0 minor units; more than nothing is expected, and at most 5 minor",
        ),
    ],
)
def test_refusal_is_told_in_units_of_people(
    name: str, details: Mapping[str, object], expected: str
) -> None:
    told = TELLING.tell(name, details)

    assert told is not None
    assert expected in told
    assert "{" not in told


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("SELF_TRANSFER", {"account": "a"}),
        ("HOLDING_INSUFFICIENT", {"asset": "NONE", "found": 1, "held": 1, "expected": 1}),
        ("TERMS_NOT_VALID", {"reason": "of a later release"}),
        ("OF_A_LATER_RELEASE", {"found": 1}),
    ],
)
def test_what_cannot_be_told_better_is_left_to_the_ledger(
    name: str, details: Mapping[str, object]
) -> None:
    assert TELLING.tell(name, details) is None


def test_amount_is_of_the_asset_of_the_operation() -> None:
    details = {"field": "amount", "found": 0, "expected": 500}

    told = TELLING.tell("AMOUNT_OUT_OF_RANGE", details, "PKR")

    assert told is not None
    assert told.startswith("The field amount is 0.00 PKR;")
    assert "at most 5.00 PKR" in told


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            AuctionFault.TIMES_OUT_OF_ORDER.of(after="opens", later=0, before="now", earlier=1_000),
            "opens is 1970-01-01 00:00:00 UTC, not after now, 1970-01-01 00:00:01 UTC",
        ),
        (
            AuctionFault.TARGET_ABOVE_SUPPLY.of(supply=100, asset="PKR"),
            "there are 1.00 of PKR, fewer than the target",
        ),
        (LineFault.RATE_HELD.of(supply=5), "its rate is not decided any more: 0.05 MTB are held"),
        (TermsFault.FLOOR_ABOVE_CAP.of(floor=15_000, cap=0), "its floor of 1.5000 % is above its"),
        (CallFault.NOTICE_TOO_SHORT.of(today=0, notice=3), "today is 1970-01-01, and 3 days"),
        (AuctionFault.BIDS_BOTH_WAYS.of(kind="a\x1b[0m"), "a 'a\\x1b[0m' may bid"),
    ],
)
def test_reason_is_said_in_units_of_people(reason: Reason, expected: str) -> None:
    assert expected in say(reason, "MTB", TELLING.decimals_of)


@pytest.mark.parametrize(
    ("minutes", "opens", "now"),
    [
        (300, "2020-09-13 17:27:40 UTC+05:00", "2020-09-13 17:26:40 UTC+05:00"),
        (-210, "2020-09-13 08:57:40 UTC-03:30", "2020-09-13 08:56:40 UTC-03:30"),
        (0, "2020-09-13 12:27:40 UTC", "2020-09-13 12:26:40 UTC"),
    ],
)
def test_moments_are_told_in_the_local_time_of_the_network(
    minutes: int, opens: str, now: str
) -> None:
    teller = replace(TELLING, offset_minutes=lambda: minutes)
    times: dict[str, object] = {"found": 1_600_000_000_000, "expected": 1_600_000_060_000}
    reason = AuctionFault.TIMES_OUT_OF_ORDER.of(after="opens", later=0, before="now", earlier=1_000)

    told = teller.tell(
        "AUCTION_STEP_TOO_EARLY", times | {"auction": "mtb-3m", "operation": "commit_bid"}
    )
    said = say(reason, None, TELLING.decimals_of, lambda: 300)

    assert told is not None
    assert f"takes this (commit_bid) from {opens} on; the time of the block is {now}." in told
    assert (
        "opens is 1970-01-01 05:00:00 UTC+05:00, not after now, 1970-01-01 05:00:01 UTC+05:00"
        in said
    )


def test_a_moment_at_the_end_of_the_years_is_told_in_utc() -> None:
    last = 253_402_300_799_000
    teller = replace(TELLING, offset_minutes=lambda: 300)

    told = teller.tell("EXPIRED", {"found": last, "expected": last})

    assert told is not None
    assert "valid until 9999-12-31T23:59:59.000Z;" in told


def test_refusal_that_was_never_sent_is_told() -> None:
    with_reason = Reject(
        Outcome.TERMS_NOT_VALID, reason=TermsFault.LIVES_TOO_LONG.of(days=9, most=8)
    )
    times = Reject(Outcome.EXPIRED, found=0, expected=1)

    assert "it lives 9 days, more than 8" in tell_reject(with_reason)
    assert "1970-01-01 00:00:00 UTC" in tell_reject(times)
    assert tell_reject(Reject(Outcome.SELF_TRANSFER, account=bytes(20))).startswith("Account 00")


def test_sentences_for_people_are_of_outcomes_that_have_figures() -> None:
    assert PEOPLE.keys() == TOLD
    assert TELLER.tell("APPLIED", {}) is None
