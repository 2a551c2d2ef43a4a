"""States made of any bytes, their snapshots, and the taking over of one without a network."""

from collections.abc import Callable, Mapping

from node.blocks import Header
from node.chain import Committed
from node.codec import replace
from node.genesis import Genesis
from node.ledger.commitment import Subtree, hash_of_key
from node.snapshots import Assembly, Installation, Leaves, Snapshot
from node.storage import Batch, MemoryStore, layout
from tests.ledger.commitment_twin import twin


def batch_of(records: Mapping[bytes, bytes]) -> tuple[bytes, Batch]:
    """Return the root of these records, and what a store holds of them."""
    root, branches = twin(dict(records))
    batch: list[tuple[bytes, bytes | None]] = []
    for key, value in records.items():
        batch += [(layout.state_key(key), value), (layout.hash_key(hash_of_key(key)), key)]
    batch += [(layout.node_key(path), branch) for path, branch in branches.items()]
    return root, batch


def snapshot_of(records: Mapping[bytes, bytes], committed: Committed, genesis: Genesis) -> Snapshot:
    """Return the snapshot of a block after which the state is said to be this."""
    store = MemoryStore()
    root, batch = batch_of(records)
    store.write(batch, sync=True)
    header: Header = replace(committed.candidate.header, state_root=root)
    return Snapshot(store.view(), header, committed.certificate, genesis)


def take_over(
    snapshot: Snapshot,
    installation: Installation,
    *,
    chunks_max: int | None = None,
    choose: Callable[[int], int] = lambda count: count - 1,
) -> Assembly:
    """Take over a state, or so many chunks of it; return how far it came.

    Args:
        choose: given n, which of n places asked for is answered next.
    """
    assembly = Assembly(snapshot.point.header.state_root)
    asked: list[tuple[bytes, bytes]] = []
    taken = 0
    while not assembly.is_complete:
        while len(asked) < 3 and (place := assembly.take()) is not None:
            asked.append(place)
        path, slot = asked.pop(choose(len(asked)))
        if installation.has(path, slot):
            assembly.skip(path)
            continue
        if taken == chunks_max:
            return assembly
        chunk = snapshot.chunk(path)
        taken += 1
        subtree = assembly.fill(path, chunk)
        if isinstance(subtree, Subtree):
            assert isinstance(chunk, Leaves)
            installation.place(path, subtree, zip(chunk.keys, chunk.values, strict=True))
    return assembly
