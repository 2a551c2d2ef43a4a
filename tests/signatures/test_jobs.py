"""Jobs and answers over the pipe, and the process that answers, without a process."""

import io

from hypothesis import given
from hypothesis import strategies as st

from node.keys import LocalSigner, verify
from node.signatures.__main__ import serve
from node.signatures.jobs import (
    CHECK_SIZE,
    HEAD_SIZE,
    NUMBER_SIZE,
    Check,
    answer,
    checks_of,
    encode_job,
)

SIGNER = LocalSigner(bytes(range(32)))


def check(number: int) -> Check:
    message = number.to_bytes(32)
    return SIGNER.public_key, message, SIGNER.sign(message)


CHECKS = st.lists(
    st.tuples(
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=32, max_size=32),
        st.binary(min_size=64, max_size=64),
    ),
    max_size=5,
)


@given(CHECKS)
def test_checks_arrive_as_they_were_given(checks: list[Check]) -> None:
    job = encode_job(checks)

    assert int.from_bytes(job[:NUMBER_SIZE]) == len(checks)
    assert list(checks_of(job[NUMBER_SIZE:])) == checks


@given(st.lists(st.booleans(), max_size=8))
def test_verdicts_are_those_of_the_rule(goods: list[bool]) -> None:
    checks = [check(number) for number in range(len(goods))]
    given_ = [
        each if good else (each[0], bytes(32), each[2])
        for each, good in zip(checks, goods, strict=True)
    ]
    # One message is all zeros: then the exchanged message is the same.
    expected = [verify(*each) for each in given_]

    answered = answer(encode_job(given_)[NUMBER_SIZE:], verify, lambda: 0.0)

    assert int.from_bytes(answered[:NUMBER_SIZE]) == len(goods)
    assert list(map(bool, answered[HEAD_SIZE:])) == expected


def test_jobs_are_answered_in_their_order_until_the_input_ends_or_is_cut() -> None:
    jobs = [[check(1)], [check(2), (bytes(32), bytes(32), bytes(64))], []]
    whole = b"".join(map(encode_job, jobs))
    for cut in (b"", b"\0\0", b"\0\0\0\1" + bytes(CHECK_SIZE - 1)):
        answers = io.BytesIO()
        serve(io.BytesIO(whole + cut), answers)

        data = answers.getvalue()
        verdicts = []
        while data:
            end = HEAD_SIZE + int.from_bytes(data[:NUMBER_SIZE])
            verdicts.append(list(data[HEAD_SIZE:end]))
            data = data[end:]
        assert verdicts == [[], [1], [1, 0], []]  # The first says that it is up.
