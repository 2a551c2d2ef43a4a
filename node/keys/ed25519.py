"""Which Ed25519 signatures are valid: a rule of the ledger, in one function over one library.

The rule is libsodium's, and it is strict. A signature (R, S) under a key A is valid if and only if

- S is less than the order of the group (RFC 8032, 5.1.7), so that no signature has a second form,
- neither A nor R is a point of small order: such a key would verify one signature for any message,
- A and R are in their canonical encodings,
- R equals S·B − k·A, compared as bytes and without the cofactor.

OpenSSL differs on small order. The tests pin the rule with published edge cases; changing the
library, or its version to one that answers differently, is a change of protocol.

The function of libsodium is called as PyNaCl has bound it, without PyNaCl's own around it: that one
copies the message out and answers by an exception, 1.7 us of 56 (2026-11-26), and a node does
nothing as often. The tests hold that both answer alike.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

import nacl.bindings
from nacl import _sodium

PublicKey: TypeAlias = bytes
Signature: TypeAlias = bytes

PUBLIC_KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
SEED_SIZE: Final = 32

_OPEN: Final = _sodium.lib.crypto_sign_open
_NOWHERE: Final = _sodium.ffi.NULL
"""Where the message is not wanted back."""


def verify(public_key: PublicKey, message: bytes, signature: Signature) -> bool:
    """Return whether this is a valid signature of the message under the key.

    Total: any bytes are allowed. About 40 µs, during which other threads run.
    """
    # The library reads 32 and 64 bytes whatever it is given.
    if len(public_key) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    signed = signature + message
    return bool(_OPEN(_NOWHERE, _NOWHERE, signed, len(signed), public_key) == 0)


def verify_each(checks: Iterable[tuple[PublicKey, bytes, Signature]]) -> list[bool]:
    """Return `verify(*check)` of each of these, without its call: a node does nothing as often."""
    call, nowhere = _OPEN, _NOWHERE
    verdicts: list[bool] = []
    for public_key, message, signature in checks:
        if len(public_key) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
            verdicts.append(False)
            continue
        signed = signature + message
        verdicts.append(call(nowhere, nowhere, signed, len(signed), public_key) == 0)
    return verdicts


def is_valid_public_key(public_key: bytes) -> bool:
    """Return whether a validator or an account may register this key.

    Stricter than `verify`: the canonical encoding of a point of the prime-order group other than
    the neutral one, so that a key has no small-order part with which libraries could disagree.
    """
    if len(public_key) != PUBLIC_KEY_SIZE:
        return False
    return bool(nacl.bindings.crypto_core_ed25519_is_valid_point(public_key))
