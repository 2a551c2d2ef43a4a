"""Transactions in the making: built, signed apart, combined, kept in files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.addresses import AddressError
from node.client import ClientNetwork, Draft, DraftError, WrongNetwork, transaction
from node.keys import LocalSigner, verify
from node.ledger.operations import Transfer
from node.ledger.transactions import decode_signed, transaction_id

NETWORK = ClientNetwork(genesis_hash=bytes(range(32)), test=True)
ALICE, BOB, CAROL = (LocalSigner(bytes([number]) * 32) for number in (1, 2, 3))
ONE, OTHER = b"\x01" * 20, b"\x02" * 20


def builder(network: ClientNetwork = NETWORK, **more: Any) -> Any:
    fields = {"valid_until_ms": 1_700_000_000_000, "salt": bytes(8), **more}
    return transaction(network, **fields).transfer(account=ONE, to=OTHER, asset="PKR", amount=5)


def test_signed_draft_is_the_transaction_that_the_ledger_reads() -> None:
    draft = builder(memo="rent").sign(ALICE)

    signed, body = decode_signed(draft.raw())

    assert body.operations == (Transfer(account=ONE, to=OTHER, asset="PKR", amount=5),)
    assert body.signers == (ALICE.public_key,)
    assert body.network == NETWORK.genesis_hash[:8]
    assert (body.memo, body.valid_until_ms) == ("rent", 1_700_000_000_000)
    assert draft.id == transaction_id(NETWORK.genesis_hash, signed.body)
    assert verify(ALICE.public_key, draft.id, signed.signatures[0])


def test_operations_keep_their_order() -> None:
    back = Transfer(account=OTHER, to=ONE, asset="BILL", amount=7)

    draft = builder().add(back).act("close_account", account=ONE).sign(ALICE)

    assert [type(operation).__name__ for operation in draft.body.operations] == [
        "Transfer",
        "Transfer",
        "CloseAccount",
    ]


def test_addresses_are_taken_as_text_of_this_network_alone() -> None:
    text = NETWORK.render_address(OTHER)
    main = ClientNetwork(genesis_hash=NETWORK.genesis_hash, test=False)
    empty = transaction(NETWORK, valid_until_ms=1_700_000_000_000, salt=bytes(8))

    draft = empty.transfer(account=NETWORK.render_address(ONE), to=text, asset="PKR", amount=5)

    assert draft.sign(ALICE).id == builder().sign(ALICE).id
    with pytest.raises(AddressError):
        draft.transfer(account=ONE, to=main.render_address(OTHER), asset="PKR", amount=5)
    with pytest.raises(AddressError):
        draft.transfer(account=text[:-1], to=OTHER, asset="PKR", amount=5)


def test_equal_transactions_differ_by_their_salt() -> None:
    first, second = builder(salt=None).sign(ALICE), builder(salt=None).sign(ALICE)

    assert first.id != second.id
    assert builder().sign(ALICE).id == builder().sign(ALICE).id


@pytest.mark.adversarial(58)
def test_transaction_for_another_network_is_another_transaction() -> None:
    other = ClientNetwork(genesis_hash=bytes(32), test=True)

    assert builder().sign(ALICE).id != builder(other).sign(ALICE).id


def test_joint_act_is_signed_apart_in_any_order_and_combined() -> None:
    draft = builder().signed_by(ALICE.public_key, BOB.public_key, CAROL.public_key).draft()
    assert len(draft.missing) == 3

    by_alice, by_bob, by_carol = (draft.sign(signer) for signer in (ALICE, BOB, CAROL))
    whole = by_carol.combine(by_alice, by_bob)

    assert whole.missing == ()
    assert whole.raw() == draft.sign(BOB).sign(ALICE, CAROL).raw()
    assert draft.signatures == {}
    _, body = decode_signed(whole.raw())
    assert list(body.signers) == sorted(body.signers)


def test_signing_twice_changes_nothing() -> None:
    draft = builder().sign(ALICE)

    assert draft.sign(ALICE) == draft


def test_draft_without_all_signatures_has_no_bytes() -> None:
    draft = builder(signers=[ALICE.public_key, BOB.public_key]).sign(ALICE)

    assert draft.missing == (BOB.public_key,)
    with pytest.raises(DraftError, match=BOB.public_key.hex()):
        draft.raw()


def test_signer_that_the_transaction_does_not_name_is_refused() -> None:
    with pytest.raises(DraftError, match="does not name"):
        builder().sign(ALICE).sign(BOB)


def test_copies_of_different_transactions_do_not_combine() -> None:
    with pytest.raises(DraftError, match="different transactions"):
        builder().sign(ALICE).combine(builder(memo="x").sign(ALICE))


class WrongSigner:
    """A module that answers with somebody else's signature."""

    @property
    def public_key(self) -> bytes:
        return ALICE.public_key

    def sign(self, message: bytes) -> bytes:
        return BOB.sign(message)


def test_signature_that_does_not_fit_is_refused_by_the_hand_that_receives_it() -> None:
    with pytest.raises(DraftError, match="does not fit"):
        builder().sign(WrongSigner())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: transaction(NETWORK, valid_until_ms=1).sign(ALICE), "0 operations"),
        (lambda: builder().draft(), "0 signers"),
        (lambda: builder(memo="x" * 141).sign(ALICE), "memo|not a transaction"),
        (lambda: builder(memo="a\nb").sign(ALICE), "memo"),
        (lambda: builder(salt=b"short").sign(ALICE), "salt|not a transaction"),
        (lambda: builder(valid_until_ms=-1).sign(ALICE), "not a transaction"),
        (lambda: builder(valid_until_ms=1 << 64).sign(ALICE), "not a transaction"),
        (lambda: builder().act("burn", account=ONE), "no act 'burn'"),
        (lambda: builder().act("transfer", account=ONE), "transfer: "),
        (
            lambda: (
                builder().act("transfer", account=b"", to=OTHER, asset="PKR", amount=1).sign(ALICE)
            ),
            "not a transaction",
        ),
        (
            lambda: builder(signers=[bytes([number]) * 32 for number in range(17)]).draft(),
            "17 signers",
        ),
        (lambda: builder().add(*builder()._operations * 100).sign(ALICE), "101 operations"),
    ],
)
def test_what_is_no_transaction_is_refused_before_it_is_signed(make: Any, says: str) -> None:
    with pytest.raises(DraftError, match=says):
        make()


def test_transaction_of_too_many_bytes_is_refused() -> None:
    draft = builder()
    for _ in range(60):
        draft.act("propose", account=ONE, operations=bytes(2_000), expires_ms=1)

    with pytest.raises(DraftError, match="Split"):
        draft.sign(ALICE).raw()


# Files.


def test_file_reads_back_as_the_same_draft(tmp_path: Path) -> None:
    draft = builder(signers=[ALICE.public_key, BOB.public_key]).sign(ALICE)
    draft.save(tmp_path / "tx.json")

    read = Draft.load(tmp_path / "tx.json", NETWORK)

    assert read == draft
    assert read.sign(BOB).raw() == draft.sign(BOB).raw()


def test_bytes_read_back_as_the_same_draft() -> None:
    draft = builder().sign(ALICE)

    assert Draft.of_raw(draft.raw(), NETWORK) == draft
    with pytest.raises(DraftError):
        Draft.of_raw(b"\x00", NETWORK)


def test_file_of_another_network_is_refused() -> None:
    text = builder().sign(ALICE).render()

    with pytest.raises(WrongNetwork):
        Draft.parse(text, ClientNetwork(genesis_hash=bytes(32), test=True))


def changed(**fields: Any) -> str:
    content = json.loads(builder().sign(ALICE).render())
    return json.dumps({name: value for name, value in (content | fields).items() if value})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        changed(format="khz-transaction/2"),
        changed(body="00"),
        changed(body="zz"),
        changed(body=7),
        changed(id="00" * 32),
        changed(id=None),
        changed(signatures=None),
        changed(signatures=[]),
        changed(signatures={BOB.public_key.hex(): "00" * 64}),
        changed(signatures={ALICE.public_key.hex(): "00" * 64}),
        changed(signatures={ALICE.public_key.hex(): "00"}),
        changed(signatures={"": ""}),
    ],
)
def test_spoilt_file_is_refused(text: str) -> None:
    with pytest.raises(DraftError):
        Draft.parse(text, NETWORK)


def test_file_larger_than_any_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tx.json"
    path.write_text(" " * ((1 << 20) + 1))

    with pytest.raises(DraftError, match="larger"):
        Draft.load(path, NETWORK)


@given(st.data())
def test_changing_any_digit_of_a_file_is_found(data: st.DataObject) -> None:
    text = builder().sign(ALICE).render()
    places = [
        index
        for index, character in enumerate(text)
        if character in "0123456789abcdef" and text.rfind('"', 0, index) > text.find('"id"')
    ]
    place = data.draw(st.sampled_from(places))
    digit = "0" if text[place] != "0" else "1"

    with pytest.raises((DraftError, WrongNetwork)):
        Draft.parse(text[:place] + digit + text[place + 1 :], NETWORK)
