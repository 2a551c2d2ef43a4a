"""One good message of every kind, and more of them for hypothesis."""

from hypothesis import strategies as st

from node.network import (
    BlockItem,
    Blocks,
    BlockTransactions,
    CertificateMessage,
    ChunkMessage,
    Forgot,
    GetBlocks,
    GetChunk,
    GetHandovers,
    GetProposedBlock,
    GetRecentIds,
    GetSnapshots,
    GetTransactions,
    Handovers,
    Hello,
    Memory,
    ProposalMessage,
    ProposedBlock,
    RecentIdsMessage,
    Snapshots,
    Status,
    Transactions,
    VoteMessage,
    WireMessage,
)

HASH = bytes(range(32))
SIGNATURE = bytes(range(64))

SAMPLES: tuple[WireMessage, ...] = (
    Hello(
        version=2,
        network=HASH,
        name="central-bank",
        instance=7,
        height=3,
        earliest=1,
        software="khazana 0",
    ),
    Status(height=3, block_id=HASH, earliest=1),
    ProposalMessage(
        height=3,
        round=2,
        block_id=HASH,
        valid_round=1,
        proposer="central-bank",
        signature=SIGNATURE,
        polka=b"certificate",
        header=b"header",
        transaction_ids=(HASH, HASH[::-1]),
        evidence=(b"evidence",),
    ),
    VoteMessage(
        vote_type=2, height=3, round=0, block_id=None, validator="regulator", signature=SIGNATURE
    ),
    CertificateMessage(height=3, block_id=HASH, certificate=b"certificate"),
    GetProposedBlock(height=3, block_id=HASH),
    ProposedBlock(height=3, block_id=HASH, header=b"header", transaction_ids=(), evidence=()),
    GetTransactions(block_id=HASH, ids=(HASH,)),
    BlockTransactions(block_id=HASH, raws=(b"raw", b"raw")),
    GetBlocks(from_height=4, count=16),
    Blocks(from_height=4, items=(BlockItem(block=b"block", certificate=b"certificate"),)),
    Transactions(raws=(b"raw", b"another")),
    Forgot(height=3, round=4, begins=False),
    Memory(height=3, remembers=True, round=2, begun=True),
    GetSnapshots(),
    Snapshots(points=(b"point", b"point")),
    GetHandovers(height=9, above=0),
    Handovers(height=9, above=0, items=(b"handover",), more=True),
    GetChunk(height=9, path=b"\1\15"),
    ChunkMessage(height=9, path=b"\1\15", chunk=b"chunk"),
    GetRecentIds(height=9, below=10),
    RecentIdsMessage(height=9, below=10, items=(b"ids",)),
)

_heights = st.integers(0, (1 << 63) - 1)
_rounds = st.integers(0, (1 << 32) - 1)
_names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32)
_hashes = st.binary(min_size=32, max_size=32)
_blobs = st.binary(min_size=1, max_size=300)
_paths = st.lists(st.integers(0, 15), max_size=63).map(bytes)
_signatures = st.binary(min_size=64, max_size=64)
_blob_lists = st.lists(_blobs, min_size=1, max_size=5).map(tuple)
_hash_lists = st.lists(_hashes, min_size=1, max_size=5).map(tuple)

messages: st.SearchStrategy[WireMessage] = st.one_of(
    st.builds(
        Hello,
        version=st.integers(0, 65_535),
        network=_hashes,
        name=_names,
        instance=_heights,
        height=_heights,
        earliest=_heights,
        software=st.text("khazana 0.1~", max_size=64),
    ),
    st.builds(Status, height=_heights, block_id=_hashes, earliest=_heights),
    st.builds(Forgot, height=_heights, round=_rounds, begins=st.booleans()),
    st.builds(
        Memory,
        height=_heights,
        remembers=st.booleans(),
        round=_rounds,
        begun=st.booleans(),
    ),
    st.builds(
        ProposalMessage,
        height=_heights,
        round=_rounds,
        block_id=_hashes,
        valid_round=st.none(),
        proposer=_names,
        signature=_signatures,
        polka=st.none(),
        header=_blobs,
        transaction_ids=_hash_lists,
        evidence=_blob_lists,
    ),
    st.builds(
        VoteMessage,
        vote_type=st.integers(1, 2),
        height=_heights,
        round=_rounds,
        block_id=st.none() | _hashes,
        validator=_names,
        signature=_signatures,
    ),
    st.builds(CertificateMessage, height=_heights, block_id=_hashes, certificate=_blobs),
    st.builds(GetProposedBlock, height=_heights, block_id=_hashes),
    st.builds(
        ProposedBlock,
        height=_heights,
        block_id=_hashes,
        header=_blobs,
        transaction_ids=_hash_lists,
        evidence=_blob_lists,
    ),
    st.builds(GetTransactions, block_id=_hashes, ids=_hash_lists),
    st.builds(BlockTransactions, block_id=_hashes, raws=_blob_lists),
    st.builds(GetBlocks, from_height=_heights, count=st.integers(1, 256)),
    st.builds(
        Blocks,
        from_height=_heights,
        items=st.lists(st.builds(BlockItem, block=_blobs, certificate=_blobs), max_size=4).map(
            tuple
        ),
    ),
    st.builds(Transactions, raws=_blob_lists),
    st.builds(GetSnapshots),
    st.builds(Snapshots, points=st.lists(_blobs, max_size=4).map(tuple)),
    st.builds(GetHandovers, height=_heights, above=_heights),
    st.builds(
        Handovers,
        height=_heights,
        above=_heights,
        items=st.none() | _blob_lists,
        more=st.booleans(),
    ),
    st.builds(GetChunk, height=_heights, path=_paths),
    st.builds(ChunkMessage, height=_heights, path=_paths, chunk=st.none() | _blobs),
    st.builds(GetRecentIds, height=_heights, below=_heights),
    st.builds(RecentIdsMessage, height=_heights, below=_heights, items=st.none() | _blob_lists),
)
