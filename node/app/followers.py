"""What follows the chain beside the node: the index, and the stream of what is committed."""

from typing import TYPE_CHECKING

from node.chain import Chain
from node.config import NodeConfig
from node.index import IndexUnusable, database_of, is_wanted
from node.log import Logger
from node.metrics import Metrics
from node.rpc.stream import Feed
from node.storage import KeyValueStore
from node.stream import StreamUnusable, link_of
from node.stream import is_wanted as is_published

if TYPE_CHECKING:
    from node.index.follower import Follower
    from node.stream.publisher import Publisher


def make_index(
    store: KeyValueStore,
    *,
    config: NodeConfig,
    chain: Chain,
    metrics: Metrics,
    log: Logger,
) -> "Follower | None":
    """Return what follows the chain into the index, if this node has one."""
    if not is_wanted(config):
        return None
    # Imported here: a validator without an index needs no SQL.
    from node.index.follower import Follower

    try:
        database = database_of(config)
    except IndexUnusable as error:
        log.error("no index", error=str(error))
        return None
    index = Follower(
        database,
        store,
        chain.genesis,
        head=lambda: chain.head.height,
        metrics=metrics,
        log=log,
    )
    chain.listeners.append(index.note)
    return index


def make_stream(
    feed: Feed, *, config: NodeConfig, chain: Chain, metrics: Metrics, log: Logger
) -> "Publisher | None":
    """Return what publishes what is committed, if this node is to."""
    if not is_published(config):
        return None
    try:
        link = link_of(config, chain.genesis)
    except StreamUnusable as error:
        log.error("no stream", error=str(error))
        return None
    # Imported here: a node that publishes nothing needs no NATS.
    from node.stream.publisher import Publisher

    history = chain.history

    def block_id(height: int) -> bytes | None:
        certificate = history.certificate(height)
        return None if certificate is None else certificate.block_id

    return Publisher(
        link,
        feed,
        block_id=block_id,
        earliest=lambda: history.earliest,
        tells_gaps=config.stream.gaps,
        metrics=metrics,
        log=log,
    )
