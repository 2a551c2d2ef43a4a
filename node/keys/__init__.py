"""Keys of validators, accounts and TLS identities: what signs, and what counts as a signature."""

from node.keys.ed25519 import (
    PUBLIC_KEY_SIZE,
    SEED_SIZE,
    SIGNATURE_SIZE,
    PublicKey,
    Signature,
    is_valid_public_key,
    verify,
    verify_each,
)
from node.keys.errors import (
    CertificateError,
    KeysError,
    KeystoreDamaged,
    KeystoreError,
    KeystoreExists,
    KeystoreMissing,
    PassphraseError,
    WrongPassphrase,
    WrongPurpose,
)
from node.keys.signers import LocalSigner, Signer

__all__ = [
    "PUBLIC_KEY_SIZE",
    "SEED_SIZE",
    "SIGNATURE_SIZE",
    "CertificateError",
    "KeysError",
    "KeystoreDamaged",
    "KeystoreError",
    "KeystoreExists",
    "KeystoreMissing",
    "LocalSigner",
    "PassphraseError",
    "PublicKey",
    "Signature",
    "Signer",
    "WrongPassphrase",
    "WrongPurpose",
    "is_valid_public_key",
    "verify",
    "verify_each",
]
