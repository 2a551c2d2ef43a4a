"""The envelope: one spelling, one id, one network, one window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.codec import decode, encode, replace
from node.ledger import transactions
from node.ledger.operations import OPERATIONS_MAX, Transfer
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    MEMO_MAX,
    TRANSACTION_SIZE_MAX,
    SignedTransaction,
    TransactionBody,
    TransactionError,
    check_envelope,
    decode_each,
    decode_transaction,
    decode_transactions,
    network_of,
    transaction_id,
)
from tests.ledger.world import GENESIS_HASH, NOW_MS, public_key, transfer

A, B = sorted((public_key("a"), public_key("b")))
SIGNATURE = bytes(64)
WINDOW_MS = 600_000


def make_body(
    *,
    operations: tuple[Transfer, ...] = (transfer("amina", "bilal", 1),),
    signers: tuple[bytes, ...] = (A,),
    memo: str = "",
    salt: bytes = bytes(8),
    version: int = 1,
    network: bytes = network_of(GENESIS_HASH),
    valid_until_ms: int = NOW_MS,
) -> TransactionBody:
    return TransactionBody(
        version=version,
        network=network,
        valid_until_ms=valid_until_ms,
        salt=salt,
        signers=signers,
        operations=operations,
        memo=memo,
    )


def sign(body: TransactionBody, *, count: int | None = None) -> bytes:
    signatures = (SIGNATURE,) * (len(body.signers) if count is None else count)
    return encode(SignedTransaction(body=encode(body), signatures=signatures))


def decode_signed(raw: bytes) -> tuple[SignedTransaction, TransactionBody]:
    """As the function of that name, after whole columns of them have come to the same."""
    good = sign(make_body())
    columns = decode_each([good, raw, good])
    try:
        decoded = transactions.decode_signed(raw)
    except TransactionError:
        assert columns is None
        raise
    assert columns == [transactions.decode_signed(good), decoded, transactions.decode_signed(good)]
    return decoded


def decode_body(body: bytes) -> TransactionBody:
    """Likewise, of a body by itself."""
    columns = decode_each([encode(SignedTransaction(body=body, signatures=(SIGNATURE,)))])
    try:
        decoded = transactions.decode_body(body)
    except TransactionError:
        assert columns is None
        raise
    assert len(decoded.signers) > 1 or (columns is not None and columns[0][1] == decoded)
    return decoded


def refusal(error: TransactionError) -> tuple[Outcome, dict[str, int | str]]:
    return error.outcome, dict(error.details)


def test_transaction_decodes_to_what_was_encoded() -> None:
    body = make_body(signers=(A, B), memo="for rice")

    signed, decoded = decode_signed(sign(body))

    assert decoded == body
    assert signed.body == encode(body)
    assert signed.signatures == (SIGNATURE, SIGNATURE)


@pytest.mark.adversarial(57)
@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("no signer", make_body(signers=())),
        ("seventeen signers", make_body(signers=tuple(bytes([n]) * 32 for n in range(17)))),
        ("signers out of order", make_body(signers=(B, A))),
        ("a signer twice", make_body(signers=(A, A))),
        ("a short key", make_body(signers=(A[:31],))),
        ("no operation", make_body(operations=())),
        (
            "101 operations",
            make_body(operations=(transfer("amina", "bilal", 1),) * (OPERATIONS_MAX + 1)),
        ),
        ("a short address", make_body(operations=(replace(transfer("a", "b", 1), to=b"x"),))),
        ("no asset", make_body(operations=(replace(transfer("a", "b", 1), asset=""),))),
        ("a long memo", make_body(memo="x" * (MEMO_MAX + 1))),
        ("a memo in another normal form", make_body(memo="U\u0308nye")),
        ("a memo of two lines", make_body(memo="a\nb")),
        ("a short salt", make_body(salt=bytes(7))),
        ("a long salt", make_body(salt=bytes(17))),
        ("a short network", make_body(network=bytes(7))),
        ("a negative time", make_body(valid_until_ms=-1)),
        ("a time beyond all", make_body(valid_until_ms=1 << 53)),
        ("version 256", make_body(version=256)),
    ],
)
def test_body_out_of_bounds_is_malformed(why: str, body: TransactionBody) -> None:
    with pytest.raises(TransactionError) as refused:
        decode_body(encode(body))

    assert refused.value.outcome is Outcome.MALFORMED, why


@pytest.mark.adversarial(60)
@pytest.mark.parametrize(
    ("why", "amount"),
    [
        ("a truth value: in Python True == 1", True),
        ("a floating point number", 1.0),
        ("digits", "1"),
        ("nothing", None),
        ("bytes", b"1"),
    ],
)
def test_amount_of_another_type_is_malformed(why: str, amount: object) -> None:
    operation = replace(transfer("amina", "bilal", 1), amount=amount)

    with pytest.raises(TransactionError) as refused:
        decode_body(encode(make_body(operations=(operation,))))

    assert refused.value.outcome is Outcome.MALFORMED, why


@pytest.mark.adversarial(60)
@pytest.mark.parametrize("amount", [0, -1, -(1 << 63), 1 << 63, (1 << 64) - 1])
def test_amount_that_64_bits_hold_is_left_to_the_act(amount: int) -> None:
    body = make_body(operations=(transfer("amina", "bilal", amount),))

    assert decode_body(encode(body)) == body


@pytest.mark.adversarial(57)
def test_other_spellings_of_a_transaction_are_refused() -> None:
    """The same body with an integer in a longer form must not give a second id."""
    body = encode(make_body())
    longer = body[:1] + b"\xcc\x01" + body[2:]
    assert body[1:2] == b"\x01"

    for spelling in (longer, body + b"\0", body[:-1], b"", b"\xc0"):
        with pytest.raises(TransactionError) as refused:
            decode_body(spelling)
        assert refused.value.outcome is Outcome.MALFORMED


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_with_a_reason(raw: bytes) -> None:
    for read in (decode_transaction, decode_body, decode_signed):
        with pytest.raises(TransactionError) as refused:
            read(raw)
        assert refused.value.outcome is Outcome.MALFORMED


@given(st.integers(0, 400), st.integers(1, 255))
def test_any_flipped_byte_gives_another_transaction_or_none(index: int, flip: int) -> None:
    raw = sign(make_body(signers=(A, B)))
    changed = bytearray(raw)
    changed[index % len(raw)] ^= flip

    try:
        signed, _ = decode_signed(bytes(changed))
    except TransactionError:
        return
    assert encode(signed) == bytes(changed) != raw


def test_size_is_looked_at_first() -> None:
    with pytest.raises(TransactionError) as refused:
        decode_transaction(bytes(TRANSACTION_SIZE_MAX + 1))

    assert refusal(refused.value) == (
        Outcome.TOO_LARGE,
        {"found": TRANSACTION_SIZE_MAX + 1, "expected": TRANSACTION_SIZE_MAX},
    )
    with pytest.raises(TransactionError) as refused:
        decode_transaction(bytes(TRANSACTION_SIZE_MAX))
    assert refused.value.outcome is Outcome.MALFORMED


@pytest.mark.parametrize("count", [1, 3])
def test_every_signer_signs_once(count: int) -> None:
    with pytest.raises(TransactionError) as refused:
        decode_signed(sign(make_body(signers=(A, B)), count=count))

    assert refusal(refused.value) == (
        Outcome.WRONG_SIGNATURE_COUNT,
        {"found": count, "expected": 2},
    )


@pytest.mark.adversarial(58, 59)
@pytest.mark.parametrize(
    ("why", "body", "outcome"),
    [
        ("a version to come", make_body(version=2), Outcome.WRONG_VERSION),
        ("another network", make_body(network=bytes(8)), Outcome.WRONG_NETWORK),
        ("one millisecond late", make_body(valid_until_ms=NOW_MS - 1), Outcome.EXPIRED),
        (
            "one millisecond too far ahead",
            make_body(valid_until_ms=NOW_MS + WINDOW_MS + 1),
            Outcome.TOO_FAR_AHEAD,
        ),
    ],
)
def test_envelope_is_refused(why: str, body: TransactionBody, outcome: Outcome) -> None:
    with pytest.raises(TransactionError) as refused:
        check_envelope(body, network=network_of(GENESIS_HASH), now_ms=NOW_MS, window_ms=WINDOW_MS)

    assert refused.value.outcome is outcome, why


@pytest.mark.adversarial(59)
@pytest.mark.parametrize("valid_until_ms", [NOW_MS, NOW_MS + 1, NOW_MS + WINDOW_MS])
def test_envelope_within_the_window_is_accepted(valid_until_ms: int) -> None:
    check_envelope(
        make_body(valid_until_ms=valid_until_ms),
        network=network_of(GENESIS_HASH),
        now_ms=NOW_MS,
        window_ms=WINDOW_MS,
    )


@given(
    st.lists(
        st.sampled_from(
            [
                sign(make_body()),
                sign(make_body(memo="Ünïcode")),
                sign(make_body(signers=(A, B))),
                sign(make_body(signers=(A, B)), count=1),
                sign(make_body(signers=(B, A))),
                sign(make_body(memo="\n")),
                sign(make_body())[:-1],
                sign(make_body()) + b"\0",
                bytes(TRANSACTION_SIZE_MAX + 1),
            ]
        ),
        max_size=4,
    )
)
def test_columns_are_decoded_where_each_is_good(raws: list[bytes]) -> None:
    try:
        expected = [transactions.decode_signed(raw) for raw in raws]
    except TransactionError:
        assert decode_each(raws) is None
    else:
        assert decode_each(raws) == expected


@pytest.mark.adversarial(57, 58)
def test_id_covers_genesis_and_body_but_no_signature() -> None:
    body = encode(make_body())
    other = encode(make_body(salt=bytes(7) + b"\1"))

    ids = {
        transaction_id(GENESIS_HASH, body),
        transaction_id(bytes(32), body),
        transaction_id(GENESIS_HASH, other),
    }

    assert len(ids) == 3
    assert all(len(one) == 32 for one in ids)


def test_body_is_decoded_again_from_its_own_bytes() -> None:
    body = make_body(memo="خزانہ")

    assert decode(encode(body), TransactionBody) == decode_body(encode(body)) == body


def test_of_many_the_first_that_is_none_is_refused_as_by_itself() -> None:
    raws = [sign(make_body(salt=bytes([number] * 8))) for number in range(4)]
    assert decode_transactions([]) == []
    assert decode_transactions(raws) == [decode_transaction(raw) for raw in raws]

    for bad in (raws[1][:-1], raws[1] + b"\0", b"", bytes(TRANSACTION_SIZE_MAX + 1)):
        with pytest.raises(TransactionError) as alone:
            decode_transaction(bad)
        with pytest.raises(TransactionError) as among:
            decode_transactions([raws[0], bad, raws[2]])
        assert (among.value.outcome, among.value.details) == (
            alone.value.outcome,
            alone.value.details,
        )
