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
from node.keys.keystore import load_key, read_passphrase
from node.network.tls import TlsIdentity


def load_identity(config: NodeConfig) -> TlsIdentity:
    """Return the key and certificate that peers know this node by."""
    try:
        key = config.tls.key.read_bytes()
    except OSError as error:
        raise _unusable("tls.key", f"{config.tls.key}: {error.strerror}") from None
    return TlsIdentity(certificate=load_certificate(config.tls.certificate), private_key_pem=key)


def load_certificate(path: Path) -> bytes:
    """Return the DER bytes of a certificate file in either form."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * CERTIFICATE_SIZE_MAX + 1)  # PEM takes a third more than DER.
        if data.startswith(b"-----BEGIN"):
            data = ssl.PEM_cert_to_DER_cert(data.decode("ascii"))
        check_certificate(data)
    except OSError as error:
        raise _unusable("certificate", f"{path}: {error.strerror}") from None
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
    if not genesis.development and is_development_key(signer.public_key):
        raise _unusable(
            "validator",
            f"a development key, which everybody knows, on {genesis.name}, which is no development"
            " network; make a key with `khazana keys generate`",
        )
    return signer


def _unusable(key: str, message: str) -> ConfigError:
    return ConfigError((Fault(file="configuration", line=None, key=key, message=message),))
