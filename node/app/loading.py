"""A node's own keys and certificates, from the files that its configuration names.

Raises throughout: `ConfigError` for what does not fit the network or cannot be read, `KeysError`
for what is wrong with a keystore or its passphrase.
"""

import ssl
from pathlib import Path

from node.config import ConfigError, Fault, NodeConfig
from node.genesis import Genesis
from node.keys import CertificateError, Signer
from node.keys.certificates import CERTIFICATE_SIZE_MAX, check_certificate
from node.keys.development import development_signer, is_development_key
from node.keys.following import following_of
from node.keys.keystore import load_key, read_passphrase
from node.network.tls import TlsIdentity


def load_identity(config: NodeConfig) -> TlsIdentity:
    """Return the key and certificate that peers know this node by."""
    return _identity(config.tls.key, config.tls.certificate)


def load_following_identity(config: NodeConfig) -> TlsIdentity | None:
    """Return the key and certificate that are prepared to follow, None where there are none."""
    key, certificate = following_of(config.tls.key), following_of(config.tls.certificate)
    return _identity(key, certificate) if key.exists() or certificate.exists() else None


def load_following_signer(config: NodeConfig, genesis: Genesis) -> Signer | None:
    """Return the voting key that is prepared to follow, under the same passphrase."""
    validator = config.validator
    if validator is None or validator.keystore is None:
        return None
    keystore = following_of(validator.keystore)
    if not keystore.exists():
        return None
    assert validator.passphrase_file is not None
    signer = load_key(keystore, read_passphrase(validator.passphrase_file), purpose="consensus")
    _check_development(signer, genesis)
    return signer


def _identity(key: Path, certificate: Path) -> TlsIdentity:
    try:
        pem = key.read_bytes()
    except OSError as error:
        raise _unusable("tls.key", _told(key, error)) from None
    return TlsIdentity(certificate=load_certificate(certificate), private_key_pem=pem)


def load_certificate(path: Path) -> bytes:
    """Return the DER bytes of a certificate file in either form."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * CERTIFICATE_SIZE_MAX + 1)  # PEM takes a third more than DER.
        if data.startswith(b"-----BEGIN"):
            data = ssl.PEM_cert_to_DER_cert(data.decode("ascii"))
        check_certificate(data)
    except OSError as error:
        raise _unusable("certificate", _told(path, error)) from None
    except (ValueError, CertificateError) as error:
        raise _unusable("certificate", f"{path}: {error}") from None
    return data


def load_signer(config: NodeConfig, genesis: Genesis) -> Signer | None:
    """Return the key that votes, None for an observer; no development key on a real network."""
    validator = config.validator
    if validator is None:
        return None
    signer: Signer
    if validator.development_key is not None:
        try:
            signer = development_signer(f"{validator.development_key}/consensus")
        except KeyError as error:
            raise _unusable("validator.development_key", str(error.args[0])) from None
    else:
        assert validator.keystore is not None
        assert validator.passphrase_file is not None
        passphrase = read_passphrase(validator.passphrase_file)
        signer = load_key(validator.keystore, passphrase, purpose="consensus")
    _check_development(signer, genesis)
    return signer


def _check_development(signer: Signer, genesis: Genesis) -> None:
    if not genesis.development and is_development_key(signer.public_key):
        raise _unusable(
            "validator",
            f"a development key, which everybody knows, on {genesis.name}, which is no development"
            " network; make a key with `khazana keys generate`",
        )


def _told(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"{path}: {error.strerror}: chown it to the user that runs the node"
    return f"{path}: {error.strerror}"


def _unusable(key: str, message: str) -> ConfigError:
    return ConfigError((Fault(file="configuration", line=None, key=key, message=message),))
