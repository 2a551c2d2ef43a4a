"""The seam through which everything is signed: a key in memory now, a module or a service later."""

import secrets
from typing import Protocol

import nacl.bindings
from typing_extensions import override

from node.keys.ed25519 import SEED_SIZE, SIGNATURE_SIZE, PublicKey, Signature


class Signer(Protocol):
    """Whoever holds a private key. Not a guard: what must not be signed twice is decided above."""

    @property
    def public_key(self) -> PublicKey:
        """The 32 bytes others verify with."""
        ...

    def sign(self, message: bytes) -> Signature:
        """Return the 64-byte signature of the message; deterministic for one key and message."""
        ...


class LocalSigner:
    """A private key in this process's memory."""

    __slots__ = ("_public_key", "_secret_key")

    def __init__(self, seed: bytes) -> None:
        """Take the 32-byte seed of RFC 8032, section 5.1.5."""
        assert len(seed) == SEED_SIZE
        self._public_key, self._secret_key = nacl.bindings.crypto_sign_seed_keypair(seed)

    @override
    def __repr__(self) -> str:
        """Name the key by its public half; the secret is never shown."""
        return f"LocalSigner(public_key={self._public_key.hex()})"

    @classmethod
    def generate(cls) -> "LocalSigner":
        """Make a new key from the system's randomness."""
        return cls(secrets.token_bytes(SEED_SIZE))

    @property
    def public_key(self) -> PublicKey:
        return self._public_key

    @property
    def seed(self) -> bytes:
        """The secret itself: for the keystore, and nothing else."""
        return self._secret_key[:SEED_SIZE]

    def sign(self, message: bytes) -> Signature:
        return nacl.bindings.crypto_sign(message, self._secret_key)[:SIGNATURE_SIZE]
