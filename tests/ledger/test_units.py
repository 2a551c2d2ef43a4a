"""Days, and which text has one spelling."""

import pytest

from node.ledger.units import MS_PER_DAY, is_text, local_day


@pytest.mark.parametrize(
    ("time_ms", "offset_minutes", "day"),
    [
        (0, 0, 0),
        (MS_PER_DAY - 1, 0, 0),
        (MS_PER_DAY, 0, 1),
        (MS_PER_DAY - 5 * 3_600_000 - 1, 300, 0),
        (MS_PER_DAY - 5 * 3_600_000, 300, 1),
        (0, -1, -1),
        (59_999, -1, -1),
        (60_000, -1, 0),
    ],
)
def test_day_begins_at_local_midnight(time_ms: int, offset_minutes: int, day: int) -> None:
    assert local_day(time_ms, offset_minutes) == day


@pytest.mark.parametrize(
    "text", ["", "Market Treasury Bill", "خزانہ", "Ünye", "ٹریژری بل ۳ ماہ", "中央", "x" * 140]
)
def test_text_is_accepted(text: str) -> None:
    assert is_text(text, 140)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("too long", "x" * 141),
        ("a line end", "a\nb"),
        ("a bell", "a\x07"),
        ("delete", "a\x7f"),
        ("decomposed: NFC has one letter", "U\u0308nye"),
        ("turns the reading direction", "abc\u202ecba"),
        ("an invisible joiner", "a\u200db"),
        ("a line separator", "a\u2028b"),
        ("a private character", "\ue000"),
        ("half of a pair", "\ud800"),
        ("younger than Unicode 3.2: interpreters disagree about the youngest", "\U0001f600"),
        ("never a character", "\uffff"),
    ],
)
def test_text_is_refused(why: str, text: str) -> None:
    assert not is_text(text, 140), why
