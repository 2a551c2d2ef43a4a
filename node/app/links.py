"""The network of one node, as it is configured: whom it dials and lets in, over which wires."""

from node.app.ground import Ground
from node.app.loading import load_certificate, load_following_identity
from node.config import NodeConfig
from node.genesis import Genesis
from node.network import Introduction, LaneLimits, Network, NetworkSettings, Observer, WireLimits
from node.network.tls import TlsIdentity
from node.network.transport import Transport
from node.network.websocket import WebSocketTransport


def make_transport(identity: TlsIdentity, ground: Ground) -> Transport:
    """Return the wires: what the parts have, or WebSockets over TLS."""
    config, parts = ground.config, ground.parts
    return parts.transport or WebSocketTransport(
        identity=identity,
        following=None if parts.identity else load_following_identity(config),
        listen=config.network.listen,
        frame_size_max=wire_limits(ground.genesis).frame_size_max,
        log=ground.log,
        metrics=ground.metrics,
        settings=network_settings(config),
    )


def make_network(transport: Transport, introduction: Introduction, ground: Ground) -> Network:
    """Return the network over these wires; it knows no validator yet."""
    config, parts = ground.config, ground.parts
    network = config.network
    return Network(
        introduction,
        transport=transport,
        addresses={name: str(place) for name, place in network.peers.items()},
        observers=[
            Observer(name=name, tls_certificate=certificate)
            for name, certificate in (
                *((name, load_certificate(path)) for name, path in network.observers.items()),
                *parts.observers,
            )
        ],
        log=ground.log,
        metrics=ground.metrics,
        settings=network_settings(config),
        limits=wire_limits(ground.genesis),
        random=parts.random,
    )


def wire_limits(genesis: Genesis) -> WireLimits:
    """Return how large a message may be where blocks are as large as the genesis lets them."""
    blocks = genesis.blocks
    return WireLimits(
        block_size_max=blocks.size_bytes_max, block_transactions_max=blocks.transactions_max
    )


def network_settings(config: NodeConfig) -> NetworkSettings:
    """Return what the configuration lets a peer cost."""
    network, defaults = config.network, NetworkSettings()
    lanes = [
        LaneLimits(count_max=lane.count_max, size_max=network.lane_bytes_max)
        for lane in (defaults.consensus_lane, defaults.sync_lane, defaults.transactions_lane)
    ]
    return NetworkSettings(
        consensus_lane=lanes[0],
        sync_lane=lanes[1],
        transactions_lane=lanes[2],
        frames_per_s=float(network.frames_per_s_max),
        bytes_per_s=float(network.bytes_per_s_max),
        handshakes_max=network.handshakes_max,
    )
