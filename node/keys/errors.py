"""What can be wrong with keys and the files they live in.

    KeysError
    ├── KeystoreError        attribute `path`
    │   ├── KeystoreMissing    no such file, or it may not be read
    │   ├── KeystoreExists     a key would be overwritten
    │   ├── KeystoreDamaged    not a keystore, altered, or asking for absurd work
    │   ├── WrongPurpose       a key for something else
    │   └── WrongPassphrase    a sound keystore, another passphrase
    ├── PassphraseError      the file that should hold the passphrase; attribute `path`
    └── CertificateError     not a certificate that Khazana makes

That a signature does not fit is not an error: `verify` says False.
"""

from pathlib import Path


class KeysError(Exception):
    """Base of this room's errors."""


class KeystoreError(KeysError):
    """A keystore file that cannot be used.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, explanation: str) -> None:
        super().__init__(f"keystore {path}: {explanation}")
        self.path = path


class KeystoreMissing(KeystoreError):
    """There is no file, or this user may not read it."""


class KeystoreExists(KeystoreError):
    """The file is there already: a key is never overwritten."""


class KeystoreDamaged(KeystoreError):
    """The file is not a keystore, is of another version, was altered, or asks for absurd work."""


class WrongPurpose(KeystoreError):
    """The key in it is for something else: an account's key must not sign votes."""


class WrongPassphrase(KeystoreError):
    """The file is sound, and the passphrase is another one."""


class PassphraseError(KeysError):
    """A passphrase file that is missing, empty, too long, or not one line of text.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, explanation: str) -> None:
        super().__init__(f"passphrase file {path}: {explanation}")
        self.path = path


class CertificateError(KeysError):
    """Bytes that are not a certificate of a Khazana node."""
