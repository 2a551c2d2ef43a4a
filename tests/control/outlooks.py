"""An outlook to change single members of."""

import msgspec

from node.control import Outlook, PeerOutlook, ValidatorOutlook

PEER = PeerOutlook(
    name="crypto-council",
    role="validator",
    connected=True,
    address="127.0.0.1:26602",
    height=7,
    software="khazana 0.1.0",
    reason="",
    banned_s=0.0,
    clock_ahead_ms=-3,
    clock_drift_ms_per_hour=None,
)
OUTLOOK = Outlook(
    node="central-bank",
    software="khazana 0.1.0",
    genesis_hash="ab" * 32,
    height=7,
    protocol_version=3,
    protocol_versions_known=[1, 2, 3],
    upgrade_version=None,
    upgrade_height=None,
    clock_ahead_max_ms=3_000,
    clock_behind_max_ms=30_000,
    why_silent=None,
    lacks=[],
    validators=[
        ValidatorOutlook(name="central-bank", public_key="01" * 32, tls_certificate="02"),
        ValidatorOutlook(name="crypto-council", public_key="03" * 32, tls_certificate="04"),
    ],
    peers=[PEER],
)


def peer_like(**changed: object) -> PeerOutlook:
    """Return the peer with other members."""
    return msgspec.structs.replace(PEER, **changed)


def outlook_like(**changed: object) -> Outlook:
    """Return the outlook with other members."""
    return msgspec.structs.replace(OUTLOOK, **changed)
