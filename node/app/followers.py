"""What follows the chain beside the node: the index, and the stream of what is committed."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

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

LAG_BLOCKS: Final = 50
"""Beyond which it is told of, as the alerts have it."""


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
        rebuild="khazana index rebuild"
        + ("" if config.home is None else f" --home {shlex.quote(str(config.home))}"),
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


def follower_warnings(
    config: NodeConfig, *, index: "Follower | None", stream: "Publisher | None", head: int
) -> Iterator[str]:
    """Yield a sentence for each of them that this node is to have and that does not keep up.

    For everybody who may ask for the status: where it is, and what it said, is the operator's.

    Args:
        head: the height of the chain.
    """
    wanted = {"index": is_wanted(config), "stream": is_published(config)}
    places = {
        "index": None if index is None else index.checkpoint,
        "stream": None if stream is None else stream.standing,
    }
    for part, follower in (("index", index), ("stream", stream)):
        if not wanted[part]:
            continue
        if follower is None:
            yield f"{part}: this node is to have one and has none open; its log says why"
            continue
        if places[part] is None:
            # It has not found out where it stands, or may not use what is there.
            if follower.failure is not None:
                yield f"{part}: it does not go on; the log says why under part={part}"
            continue
        lag = max(0, head - follower.height)
        stands = f"{part}: it stands at block {follower.height}, {lag} behind this node"
        if follower.failure is not None:
            yield f"{stands}, and does not go on; the log says why under part={part}"
        elif lag > LAG_BLOCKS:
            yield f"{stands}, and goes on"
