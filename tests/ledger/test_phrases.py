"""The vocabulary of reasons: closed, unambiguous, permanent, and every phrase of it in use.

The English sentences stand in receipts, which are hashed: `phrases.txt` holds each as it is, for
good.

python -m tests.ledger.test_phrases --rewrite   add what is new
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import ledger
from node.codec import INTEGER_MAX, INTEGER_MIN
from node.ledger.outcomes import PHRASES, Outcome, Reject
from node.ledger.phrases import (
    SUBJECTS,
    VOCABULARY,
    WRITTEN_MAX,
    Kind,
    Meaning,
    Phrase,
    Reason,
    ScheduleFault,
    Value,
    recognise,
)
from node.ledger.units import DAY_MAX
from tests.ledger.reasons import CASES, Case, text_of

GOLDEN: Final = Path(__file__).with_name("phrases.txt")
ROOM: Final = Path(ledger.__file__).parent
NAMES: Final = {subject.__name__: subject for subject in SUBJECTS}


def golden() -> str:
    return "".join(f"{name}\t{phrase.value}\n" for name, phrase in VOCABULARY.items())


def test_sentences_are_permanent() -> None:
    assert GOLDEN.read_text(encoding="utf-8") == golden(), (
        "receipts are hashed: what a phrase says does not change. Add what is new by"
        " `python -m tests.ledger.test_phrases --rewrite`"
    )


def test_names_are_of_one_phrase_each() -> None:
    assert len(VOCABULARY) == sum(len(subject) for subject in SUBJECTS)
    assert len({phrase.value for phrase in VOCABULARY.values()}) == len(VOCABULARY)


def test_reason_is_given_by_the_outcomes_whose_sentence_has_one() -> None:
    assert {each for each in Outcome if "{reason}" in each.sentence} == PHRASES.keys()
    assert {subject for subjects in PHRASES.values() for subject in subjects} == set(SUBJECTS)


# Written and read back.


def values(kind: Kind) -> st.SearchStrategy[Value]:
    match kind.meaning:
        case Meaning.DAY:
            return st.integers(0, DAY_MAX)
        case Meaning.TEXT:
            return st.text(max_size=32) | st.sampled_from(HOSTILE)
        case Meaning.TIME | Meaning.AMOUNT | Meaning.RATE | Meaning.COUNT:
            return st.integers(INTEGER_MIN, INTEGER_MAX)
        case _:
            return st.from_regex(kind.shape, fullmatch=True).filter(lambda text: len(text) < 33)


HOSTILE: Final = tuple(
    sorted({phrase.value.replace("{", "").replace("}", "")[:32] for phrase in VOCABULARY.values()})
)
"""What somebody could write so that it reads as another reason."""


def read_back(reason: Reason) -> None:
    """Hold that a reason is read back by its phrase, and by no other."""
    written = str(reason)
    assert len(written) <= WRITTEN_MAX
    assert [each for each in VOCABULARY.values() if each.read(written)] == [reason.phrase]
    found = recognise(written)
    assert found is not None
    assert str(found) == written
    for (name, kind), value in zip(reason.phrase.places.items(), found.values, strict=True):
        said = dict(reason.values)[name]
        if kind.meaning is Meaning.TEXT:
            said = str(said).replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
        assert value == (name, said)


@settings(max_examples=200)
@given(data=st.data())
def test_what_is_written_is_read_back_by_this_phrase_alone(data: st.DataObject) -> None:
    phrase = data.draw(st.sampled_from(list(VOCABULARY.values())))

    read_back(phrase.of(**{name: data.draw(values(kind)) for name, kind in phrase.places.items()}))


def test_no_text_in_a_reason_reads_as_another_reason() -> None:
    samples: dict[Meaning, Value] = {
        Meaning.ASSET: "A.1-B",
        Meaning.PARTICIPANT: "a-1",
        Meaning.KIND: "bond",
        Meaning.FIELD: "reveals_until",
        Meaning.CODE: "array of length >= 1",
        Meaning.WORDS: "bill, bond",
    }
    for phrase in VOCABULARY.values():
        texts = [each.meaning is Meaning.TEXT for each in phrase.places.values()]
        for hostile in HOSTILE if any(texts) else ("",):
            samples[Meaning.TEXT] = hostile
            read_back(
                phrase.of(
                    **{name: samples.get(kind.meaning, 7) for name, kind in phrase.places.items()}
                )
            )


@pytest.mark.parametrize("text", ["", "it is of a later release", "x" * (WRITTEN_MAX + 1)])
def test_what_no_phrase_made_is_not_recognised(text: str) -> None:
    assert recognise(text) is None


# In use.


def uses() -> Iterator[tuple[Phrase, frozenset[str | None]]]:
    """Yield each place in the ledger where a phrase is said, and what it is given."""
    for path in ROOM.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id=subject), attr=name), attr="of"
                    )
                ) if subject in NAMES:
                    assert not call.args, path
                    yield NAMES[subject][name], frozenset(each.arg for each in call.keywords)


def test_every_phrase_is_said_with_what_stands_in_it() -> None:
    said = list(uses())

    assert [phrase for phrase, given_names in said if given_names != phrase.places.keys()] == []
    # The differences of strips are looked up and then said.
    looked_up = {phrase for phrase in NAMES["StripFault"] if phrase.name.startswith("OTHER_")}
    assert {phrase for phrase, _ in said} | looked_up == set(VOCABULARY.values())


def test_no_reason_is_a_text() -> None:
    """The type checker holds it too: what a refusal is given as its reason is a `Reason`."""
    texts = (ast.Constant, ast.JoinedStr, ast.BinOp)
    for path in ROOM.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in (
                "Reject",
                "TransactionError",
            ):
                given_reason = [each.value for each in call.keywords if each.arg == "reason"]
                assert not any(isinstance(each, texts) for each in given_reason), path
                assert all(each.arg is not None for each in call.keywords), path


def test_every_phrase_has_a_case() -> None:
    assert set(VOCABULARY.values()) - CASES.keys() == {ScheduleFault.INTEREST_TOO_FINE}


@pytest.mark.parametrize(("phrase", "case"), CASES.items(), ids=[each.name for each in CASES])
def test_ledger_refuses_with_every_phrase(phrase: Phrase, case: Case) -> None:
    found = recognise(text_of(case))

    assert found is not None
    assert found.phrase is phrase


def test_reason_is_the_last_detail_of_a_refusal() -> None:
    reason = ScheduleFault.PERIODS_DO_NOT_DIVIDE.of(months=5)

    refusal = Reject(Outcome.CUT_OFF_NOT_ACCEPTED, reason=reason, auction="a", found=1)

    assert refusal.details == (("auction", "a"), ("found", 1), ("reason", str(reason)))


def main(arguments: Sequence[str]) -> int:
    """Write the sentences anew."""
    if list(arguments) != ["--rewrite"]:
        sys.stderr.write("usage: python -m tests.ledger.test_phrases --rewrite\n")
        return 2
    GOLDEN.write_text(golden(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
