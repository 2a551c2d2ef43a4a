"""Which signatures are valid: the rule, pinned by published edge cases."""

import json
import secrets
from pathlib import Path

import nacl.bindings
import nacl.exceptions
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from node.keys import (
    PUBLIC_KEY_SIZE,
    SIGNATURE_SIZE,
    LocalSigner,
    Signer,
    is_valid_public_key,
    verify,
    verify_each,
)

# RFC 8032, section 7.1, tests 1 to 3: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
        "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

# The eight points of small order in every encoding a decoder could accept.
LOW_ORDER = [
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
]

ORDER = 2**252 + 27742317777372353535851937790883648493
FIELD = 2**255 - 19

# Twelve edge cases by the Novi authors: novifinancial/ed25519-speccheck at 6551933, Apache-2.0.
SPECCHECK = [
    tuple(bytes.fromhex(case[field]) for field in ("pub_key", "message", "signature"))
    for case in json.loads((Path(__file__).parent / "ed25519_speccheck.json").read_text())
]


def openssl_verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def strict_by_openssl(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """The rule as its text says, around another library."""
    for point in (public_key, signature[:32]):
        y = int.from_bytes(point, "little") & (1 << 255) - 1
        if point in LOW_ORDER or y >= FIELD:
            return False
    return openssl_verifies(public_key, message, signature)


@pytest.mark.parametrize(("seed", "public_key", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, public_key: str, message: str, signature: str) -> None:
    signer: Signer = LocalSigner(bytes.fromhex(seed))

    assert signer.public_key.hex() == public_key
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert verify(signer.public_key, bytes.fromhex(message), bytes.fromhex(signature))


def test_speccheck_verdicts_are_the_rule() -> None:
    """Changing one of these letters is a change of protocol."""
    verdicts = "".join("V" if verify(*case) else "x" for case in SPECCHECK)

    assert verdicts == "xxxVxxxxxxxx"
    assert verdicts == "".join("V" if strict_by_openssl(*case) else "x" for case in SPECCHECK)
    # Why one library has to be named: another one says otherwise.
    assert verdicts != "".join("V" if openssl_verifies(*case) else "x" for case in SPECCHECK)


@pytest.mark.parametrize("public_key", LOW_ORDER)
def test_key_of_small_order_verifies_nothing(public_key: bytes) -> None:
    for point in LOW_ORDER:
        for message in (b"", b"Zcash", secrets.token_bytes(32)):
            assert not verify(public_key, message, point + bytes(32))


def test_honest_key_with_a_commitment_of_small_order_verifies_nothing() -> None:
    signer = LocalSigner.generate()

    for point in LOW_ORDER:
        assert not verify(signer.public_key, b"message", point + signer.sign(b"message")[32:])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_signature_is_valid_and_its_second_form_is_not(seed: bytes, message: bytes) -> None:
    signer = LocalSigner(seed)
    signature = signer.sign(message)
    scalar = int.from_bytes(signature[32:], "little") + ORDER

    assert len(signature) == SIGNATURE_SIZE
    assert verify(signer.public_key, message, signature)
    assert openssl_verifies(signer.public_key, message, signature)
    assert not verify(signer.public_key, message, signature[:32] + scalar.to_bytes(32, "little"))


def test_no_bit_of_key_message_or_signature_can_be_changed() -> None:
    signer = LocalSigner.generate()
    message = b"thirty-two bytes of a message id"
    whole = signer.public_key + message + signer.sign(message)

    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        assert not verify(bytes(changed[:32]), bytes(changed[32:64]), bytes(changed[64:]))


@given(st.binary(max_size=80), st.binary(max_size=10), st.binary(max_size=80))
def test_verify_answers_for_any_bytes(public_key: bytes, message: bytes, signature: bytes) -> None:
    assert not verify(public_key, message, signature)


def opened(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """The same function of libsodium, as PyNaCl offers it."""
    try:
        found = nacl.bindings.crypto_sign_open(signature + message, public_key)
    except nacl.exceptions.BadSignatureError:
        return False
    assert found == message
    return True


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=100),
    st.lists(st.tuples(st.integers(0, 95), st.integers(1, 255)), max_size=2),
)
def test_verdict_is_that_of_the_library_as_it_is_offered(
    seed: bytes, message: bytes, flips: list[tuple[int, int]]
) -> None:
    signer = LocalSigner(seed)
    signed = bytearray(signer.public_key + signer.sign(message))
    for place, flip in flips:
        signed[place] ^= flip
    public_key, signature = bytes(signed[:32]), bytes(signed[32:])

    assert verify(public_key, message, signature) == opened(public_key, message, signature)
    shorter = (public_key, message, signature[:-1])
    checks = [(public_key, message, signature), shorter, (public_key + b"\0", message, signature)]
    assert verify_each(checks) == [verify(*check) for check in checks]


def test_speccheck_verdicts_are_those_of_the_library_as_it_is_offered() -> None:
    verdicts = [opened(*case) for case in SPECCHECK]

    assert [verify(*case) for case in SPECCHECK] == verdicts
    assert verify_each([(key, message, signed) for key, message, signed in SPECCHECK]) == verdicts


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_key_of_another_size_is_refused(size: int) -> None:
    signer = LocalSigner.generate()
    public_key = (signer.public_key * 2)[:size]

    assert len(signer.public_key) == PUBLIC_KEY_SIZE
    assert not verify(public_key, b"message", signer.sign(b"message"))
    assert not is_valid_public_key(public_key)


def test_signature_of_another_size_is_refused() -> None:
    signer = LocalSigner.generate()
    signature = signer.sign(b"message")

    # A shorter signature must not borrow from the message, nor a longer one lend to it.
    assert not verify(signer.public_key, signature[63:] + b"message", signature[:63])
    assert not verify(signer.public_key, b"essage", signature + b"m")


@pytest.mark.parametrize("public_key", LOW_ORDER)
def test_key_of_small_order_cannot_be_registered(public_key: bytes) -> None:
    assert not is_valid_public_key(public_key)


def test_key_with_a_part_of_small_order_cannot_be_registered() -> None:
    """It can verify (speccheck 3), but libraries differ on what else it verifies."""
    public_key = SPECCHECK[3][0]

    assert verify(*SPECCHECK[3])
    assert not is_valid_public_key(public_key)


def test_key_in_another_encoding_or_off_the_curve_cannot_be_registered() -> None:
    beyond_the_field = [
        (FIELD + y | sign << 255).to_bytes(32, "little") for y in range(19) for sign in (0, 1)
    ]

    assert not any(is_valid_public_key(public_key) for public_key in beyond_the_field)
    assert not is_valid_public_key((2).to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
def test_key_of_a_signer_can_be_registered(seed: bytes) -> None:
    assert is_valid_public_key(LocalSigner(seed).public_key)


def test_signer_shows_no_secret() -> None:
    signer = LocalSigner.generate()

    assert signer.seed.hex() not in repr(signer) + str(signer)
    assert LocalSigner(signer.seed).public_key == signer.public_key
    assert LocalSigner.generate().public_key != signer.public_key
