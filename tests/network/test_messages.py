"""Wire messages: what decodes is what was encoded, and nothing else decodes."""

import itertools
import tracemalloc
from pathlib import Path
from typing import Any, Final

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.blocks import BLOCK_SIZE_MAX, BLOCK_TRANSACTIONS_MAX
from node.network import Lane, WireError, WireFault, WireLimits, WireMessage
from node.network.messages import (
    FRAME_SIZE_MAX,
    KINDS,
    ChunkMessage,
    GetChunk,
    ProposalMessage,
    decode_message,
    encode_message,
    kind_of,
    lane_of,
    size_max,
)
from tests.fuzz import structured
from tests.fuzz.harness import examine
from tests.fuzz.mutation import ODDITIES
from tests.fuzz.targets import BY_NAME
from tests.network.samples import HASH, SAMPLES, SIGNATURE, messages

LIMITS: Final = WireLimits()


def fault_of(frame: bytes, limits: WireLimits = LIMITS) -> WireFault:
    with pytest.raises(WireError) as caught:
        decode_message(frame, limits)
    return caught.value.fault


def check_harmless(frame: bytes) -> None:
    """A frame is a message, byte for byte, or is refused."""
    with BY_NAME["wire"].opened() as read:
        examine(BY_NAME["wire"], read, frame)


def tree_of(message: WireMessage) -> list[Any]:
    tree: list[Any] = msgpack.unpackb(encode_message(message), raw=False)
    return tree


def check_accepted(frame: bytes, limits: WireLimits) -> None:
    assert encode_message(decode_message(frame, limits)) == frame


def test_tags_are_permanent() -> None:
    assert {tag: kind.__name__ for tag, kind in KINDS.items()} == {
        1: "Hello",
        2: "Status",
        10: "ProposalMessage",
        11: "VoteMessage",
        12: "CertificateMessage",
        13: "GetProposedBlock",
        14: "ProposedBlock",
        15: "Forgot",
        16: "Memory",
        20: "GetTransactions",
        21: "BlockTransactions",
        30: "GetBlocks",
        31: "Blocks",
        40: "Transactions",
        50: "GetSnapshots",
        51: "Snapshots",
        52: "GetHandovers",
        53: "Handovers",
        54: "GetChunk",
        55: "ChunkMessage",
        56: "GetRecentIds",
        57: "RecentIdsMessage",
    }
    assert {type(sample) for sample in SAMPLES} == set(KINDS.values())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_kind_leads_with_its_tag_and_has_a_lane_and_a_limit(sample: WireMessage) -> None:
    frame = encode_message(sample)

    assert KINDS[frame[1]] is type(sample)
    assert kind_of(frame) is type(sample)
    assert lane_of(type(sample)) in Lane
    assert len(frame) <= size_max(type(sample), LIMITS) <= LIMITS.frame_size_max


def test_votes_travel_before_blocks_and_blocks_before_transactions() -> None:
    lanes = {kind.__name__: lane_of(kind) for kind in KINDS.values()}

    assert lanes["VoteMessage"] is lanes["ProposalMessage"] is Lane.CONSENSUS
    assert lanes["Blocks"] is lanes["BlockTransactions"] is Lane.SYNC
    assert lanes["Transactions"] is Lane.TRANSACTIONS


@given(messages)
@settings(deadline=None)
def test_what_is_encoded_decodes_to_the_same_message(message: WireMessage) -> None:
    assert decode_message(encode_message(message), LIMITS) == message


def test_a_frame_at_the_limit_of_every_list_still_fits_its_kind() -> None:
    proposal = ProposalMessage(
        height=(1 << 63) - 1,
        round=(1 << 32) - 1,
        block_id=HASH,
        valid_round=(1 << 32) - 2,
        proposer="x" * 32,
        signature=SIGNATURE,
        polka=b"p" * 16384,
        header=b"h" * 4096,
        transaction_ids=(HASH,) * BLOCK_TRANSACTIONS_MAX,
        evidence=(b"e" * 16384,) * 64,
    )

    assert decode_message(encode_message(proposal), LIMITS) == proposal


@pytest.mark.adversarial(39)
@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", WireFault.EMPTY),
        (b"\x92", WireFault.UNKNOWN_KIND),
        (b"\x93\x03\x00\x00", WireFault.UNKNOWN_KIND),
        (b"\xc0\x01", WireFault.UNKNOWN_KIND),
        (b"\x81\x01\x02", WireFault.UNKNOWN_KIND),
        (b"\xdc\x00\x03\x02\x03", WireFault.UNKNOWN_KIND),
        (b"\x93\xcc\x02\x03", WireFault.UNKNOWN_KIND),
        (b"\x93\x02\x03", WireFault.NOT_CANONICAL),
        (b"\x93\x02\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00\xc4\x20" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\xc7\x01\x05x\xc4\x20" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\x82\x01\x01\x01\x01\xc4\x20" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\xcc\x03\xc4\x20" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\x03\xc5\x00\x20" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\x03\xc6\xff\xff\xff\xff" + HASH, WireFault.NOT_CANONICAL),
        (b"\x93\x02\x03\xc4\x20" + HASH + b"\x00", WireFault.NOT_CANONICAL),
        (b"\x92\x28" + b"\x91" * 100_000, WireFault.NOT_CANONICAL),
        (b"\x92\x28\xdd\xff\xff\xff\xff", WireFault.NOT_CANONICAL),
        (b"\x92\x28\xdd\x7f\xff\xff\xff\xc4\x01x", WireFault.NOT_CANONICAL),
    ],
)
def test_a_malformed_frame_is_refused_with_its_fault(frame: bytes, fault: WireFault) -> None:
    assert fault_of(frame) is fault


@pytest.mark.adversarial(39)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_truncation_is_refused(sample: WireMessage) -> None:
    frame = encode_message(sample)

    for size in range(len(frame)):
        fault_of(frame[:size])


@pytest.mark.adversarial(40)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_field_of_every_kind_replaced_or_left_out_does_no_harm(sample: WireMessage) -> None:
    tree = tree_of(sample)

    for position in range(1, len(tree)):
        assert fault_of(msgpack.packb(tree[:position] + tree[position + 1 :]))
        for oddity in ODDITIES:
            check_harmless(msgpack.packb([*tree[:position], oddity, *tree[position + 1 :]]))
    for oddity in ODDITIES:
        assert fault_of(msgpack.packb([*tree, oddity]))


@pytest.mark.adversarial(40)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_two_fields_replaced_at_once_do_no_harm(sample: WireMessage) -> None:
    tree = tree_of(sample)

    for first, second in itertools.combinations(range(1, len(tree)), 2):
        for one, other in itertools.product(ODDITIES[::3], ODDITIES[1::3]):
            changed = list(tree)
            changed[first] = one
            changed[second] = other
            check_harmless(msgpack.packb(changed))


@pytest.mark.adversarial(40)
def test_thousands_of_altered_messages_do_no_harm(tmp_path: Path) -> None:
    """`python -m tests.fuzz wire --structured` tries a million."""
    run = structured.run(BY_NAME["wire"], cases=20_000, seconds=None, seed=1, findings=tmp_path)

    assert not run.findings
    assert run.outcomes["read"] > 1_000
    assert run.outcomes["WireError"] > 5_000


_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.binary(max_size=70)
    | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=30,
)


@pytest.mark.adversarial(40)
@given(st.sampled_from(sorted(KINDS)), st.lists(_trees, max_size=11))
@settings(max_examples=500, deadline=None)
def test_any_tree_under_any_tag_does_no_harm(tag: int, fields: list[Any]) -> None:
    check_harmless(msgpack.packb([tag, *fields]))


@pytest.mark.adversarial(40)
@given(messages, st.data())
@settings(max_examples=500, deadline=None)
def test_a_message_with_altered_bytes_does_no_harm(
    message: WireMessage, data: st.DataObject
) -> None:
    frame = bytearray(encode_message(message))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    check_harmless(bytes(frame))


@pytest.mark.adversarial(40)
@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_do_no_harm(frame: bytes) -> None:
    check_harmless(frame)


@pytest.mark.adversarial(43)
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_a_frame_larger_than_its_kind_is_refused_unparsed(kind: type[WireMessage]) -> None:
    tag = next(tag for tag, known in KINDS.items() if known is kind)
    allowed = size_max(kind, LIMITS)
    frame = bytes((0x92, tag)) + b"\x90" * (allowed - 1)

    assert len(frame) == allowed + 1
    assert fault_of(frame) is WireFault.TOO_LARGE


@pytest.mark.adversarial(43)
def test_a_genesis_with_small_blocks_makes_large_proposals_too_large() -> None:
    small = WireLimits(block_size_max=1 << 16, block_transactions_max=10)
    proposal = tree_of(SAMPLES[2])

    proposal[9] = [HASH] * 11
    assert fault_of(msgpack.packb(proposal), small) is WireFault.OUT_OF_BOUNDS
    proposal[9] = [HASH] * 10
    check_accepted(msgpack.packb(proposal), small)
    blocks = tree_of(SAMPLES[10])
    blocks[2] = [[bytes((1 << 20) + (1 << 16)), b"certificate"]]
    assert fault_of(msgpack.packb(blocks), small) is WireFault.TOO_LARGE
    assert small.frame_size_max < LIMITS.frame_size_max <= FRAME_SIZE_MAX


def test_the_largest_block_fits_a_frame() -> None:
    blocks = tree_of(SAMPLES[10])

    blocks[2] = [[bytes(BLOCK_SIZE_MAX), bytes(16384)]]

    check_accepted(msgpack.packb(blocks), LIMITS)


@pytest.mark.adversarial(45)
def test_a_frame_of_empty_lists_does_not_become_a_large_tree() -> None:
    frame = b"\x94\x1f\x03\xdd" + (LIMITS.frame_size_max - 8).to_bytes(4, "big")
    frame += b"\x90" * (LIMITS.frame_size_max - len(frame))
    tracemalloc.start()
    try:
        assert fault_of(frame) is WireFault.NOT_CANONICAL
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1 << 16


@pytest.mark.adversarial(40, 53)
@pytest.mark.parametrize("path", [b"\x10", b"\0\xff", bytes(62) + b"\x10"])
def test_a_path_of_more_than_nibbles_is_refused(path: bytes) -> None:
    request, answer = GetChunk(height=1, path=path), ChunkMessage(height=1, path=path, chunk=None)

    for message in (request, answer):
        assert fault_of(encode_message(message)) is WireFault.OUT_OF_BOUNDS
    assert fault_of(msgpack.packb([54, 1, bytes(64)])) is WireFault.NOT_CANONICAL


def test_software_that_could_upset_a_terminal_is_refused() -> None:
    hello = tree_of(SAMPLES[0])
    hello[6] = "khazana\x1b[2J"

    assert fault_of(msgpack.packb(hello)) is WireFault.NOT_CANONICAL


@pytest.mark.parametrize(
    ("valid_round", "polka"), [(1, None), (None, b"certificate"), (2, b"c"), (3, b"c")]
)
def test_a_valid_round_and_its_certificate_go_together_and_lie_before_the_round(
    valid_round: int | None, polka: bytes | None
) -> None:
    proposal = tree_of(SAMPLES[2])  # of round 2
    proposal[4] = valid_round
    proposal[7] = polka

    assert fault_of(msgpack.packb(proposal)) is WireFault.OUT_OF_BOUNDS
