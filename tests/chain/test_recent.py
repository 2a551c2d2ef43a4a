"""The ids of late: what is said of an id against a plain set of all that were ever applied."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chain import BlockEnvelope
from node.chain.recent import PLACES, RecentIds
from node.ledger.outcomes import Outcome
from node.ledger.transactions import TransactionBody
from node.mempool import AdmittedTransaction
from tests.chain.town import Town, make_town

WINDOW_MS = 1_000


def id_of(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, signed=True)).digest()


def waiting(transaction_id: bytes, valid_until_ms: int) -> AdmittedTransaction:
    """A transaction of which nothing else matters."""
    body = TransactionBody(
        version=1,
        network=bytes(8),
        valid_until_ms=valid_until_ms,
        salt=bytes(8),
        signers=(),
        operations=(),
        memo="",
    )
    return AdmittedTransaction(id=transaction_id, raw=b"", body=body, size_bytes=0)


def look_ups(town: Town) -> list[bytes]:
    """Return a list that is told each id for which the store is asked from now on."""
    reads: list[bytes] = []
    history = town.chain.history
    place_of, was_seen = history.transaction, history.seen

    def transaction(transaction_id: bytes) -> tuple[int, int] | None:
        reads.append(transaction_id)
        return place_of(transaction_id)

    def seen(transaction_id: bytes) -> bool:
        reads.append(transaction_id)
        return was_seen(transaction_id)

    history.transaction = transaction  # type: ignore[method-assign]
    history.seen = seen  # type: ignore[method-assign]
    return reads


@given(
    st.lists(
        st.tuples(st.integers(1, 700), st.lists(st.integers(0, WINDOW_MS), max_size=6)),
        max_size=30,
    ),
    st.sampled_from((8, 64, 4_096)),
    st.booleans(),
)
def test_what_is_ruled_out_was_never_applied(
    blocks: list[tuple[int, list[int]]], places: int, is_first: bool
) -> None:
    """Blocks after so many milliseconds, each with transactions valid for so much longer."""
    time_ms, number = 5_000, 0
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=None if is_first else time_ms, places=places)
    applied: list[tuple[bytes, int]] = []
    for elapsed_ms, lifetimes_ms in blocks:
        time_ms += elapsed_ms
        block = []
        for lifetime_ms in lifetimes_ms:
            number += 1
            block.append((id_of(number), time_ms + lifetime_ms))
        recent.note([each for each, _ in block], time_ms)
        applied += block
        assert not any(recent.rules_out(*each) for each in applied)
        asked = [*applied, *((id_of(-each), time_ms + each) for each in range(2, WINDOW_MS, 97))]
        assert recent.doubted([waiting(*each) for each in asked]) == {
            transaction_id
            for transaction_id, until_ms in asked
            if not recent.rules_out(transaction_id, until_ms)
        }


def test_new_id_is_ruled_out_once_all_blocks_that_could_hold_it_are_known() -> None:
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=5_000, places=4_096)
    recent.note([id_of(1)], 5_500)

    assert not recent.rules_out(id_of(2), 6_000), "it may stand in the block of 5,000 ms"
    assert recent.rules_out(id_of(2), 6_001)
    assert not recent.rules_out(id_of(1), 6_001)


def test_before_the_first_block_all_blocks_are_known() -> None:
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=None, places=4_096)
    assert recent.rules_out(id_of(1), 0)

    recent.note([id_of(1)], 5_000)
    assert not recent.rules_out(id_of(1), 5_000)
    assert recent.rules_out(id_of(2), 5_000)
    for number in range(2, 20):
        recent.note([id_of(number)], 5_000 + 100 * number)
    assert recent.rules_out(id_of(-1), 6_901)


def test_ids_are_known_for_a_window_at_least_and_forgotten_after_two() -> None:
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=0, places=1 << 20)
    for number in range(100):
        time_ms = 100 * number
        recent.note([id_of(number)], time_ms)
        # Valid until this very block's time: it may have been applied a whole window before.
        assert recent.rules_out(id_of(10_000 + number), time_ms + 1) == (number >= 10)
    assert sum(bits.bit_count() for bits in recent._young[:] + recent._old[:]) <= 22


def test_a_crowd_shortens_what_is_known_and_takes_no_more_room() -> None:
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=0, places=64)
    for number in range(1, 101):
        recent.note([id_of(8 * number + each) for each in range(8)], number)

    assert len(recent._young) == len(recent._old) == 8
    assert recent._known_after_ms > 90


@pytest.mark.adversarial(57)
async def test_a_transaction_is_applied_once_across_a_restart_and_a_window() -> None:
    """Before the bits know enough, and after: the store is asked where they cannot say."""
    town = make_town()
    reads = look_ups(town)
    await town.settle(4)
    before = town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + 600_000)
    await town.decide(before)
    assert reads == [], "it has been there since before the first block"
    again = make_town(town.store)
    reads = look_ups(again)
    (copy,) = again.admission.verify_batch([before])
    assert getattr(copy, "outcome", None) is Outcome.DUPLICATE
    assert len(reads) == 2, "once for its list, once for itself"
    again.clock.advance(1_000)
    await again.decide(again.transfer("a1", "a2"))
    reads.clear()

    new = again.transfer("a2", "a3", valid_until_ms=again.clock.now_ms() + 600_000)
    (admitted,) = again.admission.verify_batch([new])
    assert isinstance(admitted, AdmittedTransaction)
    assert reads == []


async def test_a_new_id_at_the_place_of_another_costs_a_read_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After some minutes under load nearly every list has one."""
    town = make_town()
    await town.settle(4)
    raws = [town.transfer("a0", "a1", salt=number.to_bytes(8)) for number in range(3)]
    ids = [each.id for each in town.admit(*raws)]
    town.chain._recent.note([ids[1][:8] + bytes(24)], town.chain.head.time_ms)
    one_by_one: list[TransactionBody] = []
    accepts = BlockEnvelope.accepts

    def noted(envelope: BlockEnvelope, body: TransactionBody) -> bool:
        one_by_one.append(body)
        return accepts(envelope, body)

    monkeypatch.setattr(BlockEnvelope, "accepts", noted)
    reads = look_ups(town)

    results = town.admission.verify_batch(raws)

    assert [each.id for each in results if isinstance(each, AdmittedTransaction)] == ids
    assert reads == [ids[1]]
    assert one_by_one == []


def test_generations_are_of_the_size_that_is_stated() -> None:
    recent = RecentIds(window_ms=WINDOW_MS, time_ms=0)
    assert len(recent._young) == len(recent._old) == PLACES // 8 == 8 << 20
