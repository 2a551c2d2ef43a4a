"""Keys that everybody knows: for `devnet`, the demonstration and tests, and nowhere else.

Each is derived from a printed seed and a label, so they are the same on every machine. A node whose
genesis is not marked `development` refuses them: `is_development_key` is how it tells. It can tell
only for labels that are listed here, so `development_signer` gives no key for any other label.
"""

from collections.abc import Collection, Mapping
from typing import Final

from node.hashing import Domain, tagged_hash
from node.keys.ed25519 import PublicKey
from node.keys.signers import LocalSigner

DEVELOPMENT_SEED: Final = b"khazana development keys: known to everybody, worth nothing"

_OFFICES: Final = (
    "central-bank",
    "finance-ministry",
    "crypto-council",
    "virtual-asset-regulator",
)
# Institutions of the reference networks; each acts as a participant and may run a node.
_INSTITUTIONS: Final = (*_OFFICES, "exchange", "registrar", "supervisor", "auditor")
NUMBERED_MAX: Final = 100
_NUMBERED: Final = ("account", "dealer", "validator", "office", "participant", "observer")

DEVELOPMENT_LABELS: Final = frozenset(
    (
        *_INSTITUTIONS,
        *(f"{name}/{use}" for name in _INSTITUTIONS for use in ("consensus", "tls", "account")),
        *(f"{kind}-{number}" for kind in _NUMBERED for number in range(NUMBERED_MAX)),
        *(
            f"{kind}-{number}/{use}"
            for kind in ("validator", "observer")
            for number in range(NUMBERED_MAX)
            for use in ("consensus", "tls", "account")
        ),
    )
)
"""Every label that has a key: an institution's name, `<name>/consensus|tls|account`, and
`account-0` … `account-99`, likewise dealer, validator, office, participant and observer."""

_known: dict[PublicKey, str] = {}


def development_signer(label: str) -> LocalSigner:
    """Return the development key of a label of `DEVELOPMENT_LABELS`.

    Raises:
        KeyError: another label. A key that `is_development_key` does not know could slip into a
            real network.
    """
    if label not in DEVELOPMENT_LABELS:
        raise KeyError(f"{label!r} is not a development label")
    return LocalSigner(_seed(label))


def is_development_key(public_key: bytes) -> bool:
    """Return whether the key is one of those. The first call derives all of them: some 30 ms."""
    return development_label(public_key) is not None


def development_label(public_key: bytes) -> str | None:
    """Return the label of a development key, or None for any other key."""
    return _labels().get(public_key)


def first_development_key(public_keys: Collection[bytes]) -> tuple[PublicKey, str] | None:
    """Return the first of these that is a development key, with its label."""
    labels = _labels()
    if labels.keys().isdisjoint(public_keys):
        return None
    for public_key in public_keys:
        if public_key in labels:
            return public_key, labels[public_key]
    return None


def _labels() -> Mapping[PublicKey, str]:
    if not _known:
        _known.update((LocalSigner(_seed(label)).public_key, label) for label in DEVELOPMENT_LABELS)
    return _known


def _seed(label: str) -> bytes:
    return tagged_hash(Domain.DEVELOPMENT_KEY, DEVELOPMENT_SEED, label.encode())
