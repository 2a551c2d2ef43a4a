"""What a node knows of itself and of the others, as its operator is told: running, or called up.

A node that runs answers at its control socket. For one that is stopped, `call_peers` dials its
peers as the node would, hears their Hello and leaves: nothing is served, signed or stored, and a
peer sees a link that comes and goes. Never beside the running node: the peers would take it for a
restart, and end the node's own links.
"""

import asyncio
from collections.abc import Mapping, Sequence

from node.app.loading import load_certificate, load_identity
from node.chain import Chain
from node.config import NodeConfig
from node.control import Outlook, PeerOutlook, ValidatorOutlook
from node.genesis import Genesis
from node.ledger.tables import ValidatorRecord
from node.log import silent_log
from node.metrics import Metrics
from node.network import Introduction, Network, Observer, PeerView, WireLimits, WireMessage
from node.network.roster import PinnedRecord
from node.network.websocket import WebSocketTransport
from node.replica.replica import Replica
from node.replica.skew import Offset
from node.rpc.health import Check


def outlook_of(
    *,
    name: str,
    software: str,
    chain: Chain,
    network: Network,
    replica: Replica,
    checks: Sequence[Check],
) -> Outlook:
    """Return the outlook of a running node.

    Args:
        checks: of its readiness.
    """
    genesis, offsets = chain.genesis, replica.clock_offsets
    upgrade = chain.upgrade
    return Outlook(
        node=name,
        software=software,
        genesis_hash=genesis.hash.hex(),
        height=chain.head.height,
        protocol_version=chain.version,
        protocol_versions_known=sorted(chain.versions),
        upgrade_version=None if upgrade is None else upgrade.version,
        upgrade_height=None if upgrade is None else upgrade.height,
        clock_ahead_max_ms=genesis.blocks.clock_ahead_max_ms,
        clock_behind_max_ms=genesis.blocks.clock_behind_max_ms,
        why_silent=replica.why_silent,
        lacks=[f"{check.name}: {check.found}" for check in checks if not check.passed],
        validators=[validator_outlook(record) for record in chain.validator_records],
        peers=[peer_outlook(view, offsets) for view in network.status()],
    )


def validator_outlook(record: ValidatorRecord) -> ValidatorOutlook:
    """Return what the ledger says of a validator."""
    return ValidatorOutlook(
        name=record.name,
        public_key=record.public_key.hex(),
        tls_certificate=record.tls_certificate.hex(),
    )


def peer_outlook(view: PeerView, offsets: Mapping[str, Offset]) -> PeerOutlook:
    """Return what is known of a peer."""
    offset = offsets.get(view.name)
    return PeerOutlook(
        name=view.name,
        role=view.role.value,
        connected=view.connected,
        address=view.address,
        height=view.height,
        software=view.software,
        reason=view.last_drop,
        banned_s=view.banned_s,
        clock_ahead_ms=None if offset is None else offset.ahead_ms,
        clock_drift_ms_per_hour=None if offset is None else offset.drift_ms_per_hour,
    )


class _Caller:
    """Hears nothing but that a peer has said Hello."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._missing = set(wanted)
        self.all_there = asyncio.Event()
        self._look()

    def connected(self, peer: str) -> None:
        self._missing.discard(peer)
        self._look()

    def disconnected(self, peer: str) -> None:
        """Whoever has been there once has answered."""

    async def received(self, peer: str, message: WireMessage) -> None:
        """Nothing is taken."""

    def _look(self) -> None:
        if not self._missing:
            self.all_there.set()


async def call_peers(
    config: NodeConfig,
    genesis: Genesis,
    validators: Sequence[PinnedRecord],
    *,
    software: str,
    timeout_s: float,
) -> tuple[PeerOutlook, ...]:
    """Dial the configured peers of a node that is stopped; return what each of them said.

    Args:
        validators: whom to expect, by the ledger as far as it is known.

    Raises:
        ConfigError: the node's own certificate, or an observer's, cannot be used.
        CertificateUnusable: its key and its certificate do not belong together.
    """
    limits = WireLimits(
        block_size_max=genesis.blocks.size_bytes_max,
        block_transactions_max=genesis.blocks.transactions_max,
    )
    metrics, log = Metrics(), silent_log()
    network = Network(
        Introduction(
            name=config.name, genesis_hash=genesis.hash, height=lambda: 0, software=software
        ),
        transport=WebSocketTransport(
            identity=load_identity(config),
            listen=None,
            frame_size_max=limits.frame_size_max,
            log=log,
            metrics=metrics,
        ),
        addresses={name: str(place) for name, place in config.network.peers.items()},
        observers=[
            Observer(name=name, tls_certificate=load_certificate(path))
            for name, path in config.network.observers.items()
        ],
        log=log,
        metrics=metrics,
        limits=limits,
    )
    network.set_validators(validators)
    dialled = [name for name in config.network.peers if name != config.name]
    caller = _Caller(dialled)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(network.run(caller), name="calling")
        try:
            async with asyncio.timeout(timeout_s):
                await caller.all_there.wait()
        except TimeoutError:
            pass
        found = tuple(peer_outlook(view, {}) for view in network.status())
        network.stop()
    return tuple(each for each in found if each.name in dialled)
