"""The document of an amendment: what it must be, table by table, and who has signed it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from node.codec import encode, replace
from node.genesis import (
    Amendment,
    AmendmentBody,
    AmendmentError,
    AmendmentFault,
    amendment_of,
    decode_amendment,
    encode_amendment,
    genesis_of,
    read_amendment,
    signed_by,
    with_installed,
)
from node.genesis.amendment import AmendmentFile, KeySignature
from node.genesis.installed import discard, install
from node.ledger.tables import RulingKey
from tests.chain.amending import (
    CENTRAL,
    COUNCIL,
    LOST,
    MINISTRY,
    REGULATOR,
    body_of,
    new_records,
    signed,
    signer_of,
)
from tests.chain.town import Town, make_record, make_town

BLOCK = b"T" * 32
GOLDEN = "28fdf06b16796397b3e2e9f370ca094d5ea14a3b99614ebe76fb4c5809aa284b"


@pytest.fixture
def town() -> Town:
    return make_town()


def draft(town: Town) -> AmendmentBody:
    return body_of(town, height=7, block_id=BLOCK)


def complete(town: Town) -> Amendment:
    return signed(town, draft(town))


def fault_of(act: Callable[[], object]) -> AmendmentFault:
    with pytest.raises(AmendmentError) as caught:
        act()
    assert str(caught.value).startswith(f"amendment refused ({caught.value.fault}): ")
    return caught.value.fault


def test_amendment_has_one_spelling_and_one_id(town: Town) -> None:
    amendment = complete(town)
    data = encode_amendment(amendment)

    assert decode_amendment(data) == amendment
    assert decode_amendment(data).id == amendment_of(draft(town)).id, "signatures are not in it"
    assert amendment.rules_from == 8
    assert amendment.missing == ()
    # A golden vector: a change of it is a change of the protocol. The genesis is not part of it,
    # whose hash moves with every row of the default powers.
    assert amendment_of(replace(draft(town), genesis_hash=b"G" * 32)).id.hex() == GOLDEN


def test_every_altered_byte_is_found(town: Town) -> None:
    amendment = complete(town)
    data = encode_amendment(amendment)
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1
        try:
            found = decode_amendment(bytes(altered))
        except AmendmentError:
            continue
        raise AssertionError(f"byte {place}: {found}")


def test_who_has_to_sign_is_named_until_all_have(town: Town) -> None:
    amendment = amendment_of(draft(town))
    names = sorted([CENTRAL, COUNCIL, MINISTRY, REGULATOR])

    assert [each.split()[0] for each in amendment.missing] == names
    assert fault_of(amendment.check_signed) is AmendmentFault.NOT_SIGNED
    for signer in (signer_of(CENTRAL), signer_of(MINISTRY, 1), signer_of(COUNCIL, 1)):
        amendment = signed_by(amendment, signer)
    assert [each.split()[0] for each in amendment.missing] == [REGULATOR]
    # Signing again changes nothing.
    assert signed_by(amendment, signer_of(CENTRAL)) == amendment
    amendment = signed_by(amendment, signer_of(REGULATOR))
    amendment.check_signed()


def test_a_survivor_that_goes_signs_too(town: Town) -> None:
    body = replace(draft(town), validators=tuple(draft(town).validators[1:]))
    gone = draft(town).validators[0].name

    assert gone == CENTRAL
    assert gone in " ".join(amendment_of(body).missing)


@pytest.mark.parametrize("name", LOST)
def test_a_lost_key_cannot_sign(town: Town, name: str) -> None:
    amendment = amendment_of(draft(town))
    fault = fault_of(lambda: signed_by(amendment, signer_of(name)))
    assert fault is AmendmentFault.UNKNOWN_SIGNER


def altered(body: AmendmentBody, **changes: object) -> Callable[[], object]:
    return lambda: amendment_of(replace(body, **changes))


def test_parts_that_do_not_fit_together_are_refused(town: Town) -> None:
    body, (first, second) = draft(town), new_records()
    validators, survivors = body.validators, body.survivors
    named = replace(first, name="somebody")
    table: list[tuple[str, Callable[[], object], AmendmentFault]] = [
        (
            "validators descend",
            altered(body, validators=validators[::-1]),
            AmendmentFault.NOT_ORDERED,
        ),
        (
            "a validator twice",
            altered(body, validators=(validators[0], *validators)),
            AmendmentFault.NOT_ORDERED,
        ),
        ("survivors descend", altered(body, survivors=survivors[::-1]), AmendmentFault.NOT_ORDERED),
        (
            "a survivor twice",
            altered(body, survivors=(survivors[0], *survivors)),
            AmendmentFault.NOT_ORDERED,
        ),
        (
            "one key for two",
            altered(body, validators=(first, replace(second, public_key=first.public_key))),
            AmendmentFault.SHARED,
        ),
        (
            "one certificate for two",
            altered(
                body, validators=(first, replace(second, tls_certificate=first.tls_certificate))
            ),
            AmendmentFault.SHARED,
        ),
        (
            "one participant for two",
            altered(body, validators=(first, replace(second, participant=first.participant))),
            AmendmentFault.SHARED,
        ),
        (
            "a name that is none",
            altered(body, validators=(replace(named, name="Some Body"),)),
            AmendmentFault.UNREADABLE,
        ),
        (
            "a survivor's name that is none",
            altered(body, survivors=(RulingKey(name="?", public_key=bytes(32)),)),
            AmendmentFault.UNREADABLE,
        ),
    ]
    for why, act, fault in table:
        assert fault_of(act) is fault, why


def file_of(town: Town, *signatures: KeySignature) -> Callable[[], object]:
    return lambda: decode_amendment(encode(AmendmentFile(body=draft(town), signatures=signatures)))


def test_signatures_that_prove_nothing_are_refused(town: Town) -> None:
    good = complete(town).signatures
    other = amendment_of(replace(draft(town), height=6))
    elsewhere = signed_by(other, signer_of(CENTRAL)).signatures[0]
    stranger = KeySignature(public_key=signer_of("x").public_key, signature=bytes(64))
    table = [
        ("of another amendment", (elsewhere,), AmendmentFault.BAD_SIGNATURE),
        ("zeros", (replace(good[0], signature=bytes(64)),), AmendmentFault.BAD_SIGNATURE),
        ("a stranger's", (stranger,), AmendmentFault.UNKNOWN_SIGNER),
        ("in another order", good[::-1], AmendmentFault.NOT_ORDERED),
        ("one of them twice", (good[0], *good), AmendmentFault.NOT_ORDERED),
    ]
    for why, signatures, fault in table:
        assert fault_of(file_of(town, *signatures)) is fault, why


@pytest.mark.parametrize(
    "data", [b"", b"\x92", b"{}", b"\x00" * 100, bytes(1 << 20)], ids=lambda data: str(len(data))
)
def test_bytes_that_are_no_amendment_are_refused(data: bytes) -> None:
    assert fault_of(lambda: decode_amendment(data)) is AmendmentFault.UNREADABLE


def test_a_genesis_takes_its_own_amendments_in_order(town: Town) -> None:
    first = complete(town)
    second = signed(town, body_of(town, height=9, block_id=BLOCK, serial=2))
    genesis = town.genesis.amended((first, second))
    assert genesis.hash == town.genesis.hash
    assert genesis.amendment_at(8) is first
    assert genesis.amendment_at(9) is None
    domains = [genesis.domain(height) for height in (1, 7, 8, 9, 10, 11)]
    assert domains == [genesis.hash] * 2 + [first.id] * 2 + [second.id] * 2
    assert genesis.parent_of(8, BLOCK) == first.id
    assert genesis.parent_of(9, BLOCK) == BLOCK

    other = genesis_of(make_record(3))
    same = signed(town, body_of(town, height=7, block_id=BLOCK, serial=2))
    table = [
        ("another network's", lambda: other.amended((first,)), AmendmentFault.WRONG_NETWORK),
        ("the second alone", lambda: town.genesis.amended((second,)), AmendmentFault.WRONG_SERIAL),
        ("one twice", lambda: town.genesis.amended((first, first)), AmendmentFault.WRONG_SERIAL),
        (
            "no block between",
            lambda: town.genesis.amended((first, same)),
            AmendmentFault.WRONG_HEIGHT,
        ),
        (
            "not signed by all",
            lambda: town.genesis.amended((amendment_of(draft(town)),)),
            AmendmentFault.NOT_SIGNED,
        ),
    ]
    for why, act, fault in table:
        assert fault_of(act) is fault, why


def test_what_is_installed_is_there_whole_and_can_be_discarded(town: Town, tmp_path: Path) -> None:
    folder, amendment = tmp_path / "amendments", complete(town)
    assert with_installed(town.genesis, folder) == town.genesis

    path = install(folder, amendment)

    assert path.name == "001.amendment"
    assert [each.name for each in folder.iterdir()] == [path.name]
    assert with_installed(town.genesis, folder).amendments == (amendment,)
    path.write_bytes(path.read_bytes()[:-1])
    assert fault_of(lambda: with_installed(town.genesis, folder)) is AmendmentFault.UNREADABLE
    discard(folder, amendment)
    assert with_installed(town.genesis, folder) == town.genesis
    assert fault_of(lambda: read_amendment(path)) is AmendmentFault.UNREADABLE
