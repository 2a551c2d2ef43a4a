"""How a block is put together: the pool, the proposer, the others, with patience and bounds."""

import asyncio

import pytest

from node.blocks import Header, block_id, evidence_root, transactions_root
from node.clock import ManualClock
from node.codec import encode, replace
from node.ledger.transactions import TransactionBody
from node.mempool import AdmittedTransaction, Mempool
from node.metrics import Metrics
from node.network import GetProposedBlock, GetTransactions, Role, Standing
from node.replica.bodies import BODIES_MAX, Bodies, Body, body_of
from node.replica.claims import STRUCK_S, Claims
from node.replica.gate import BadMessage
from node.replica.obtaining import Obtaining
from tests.network.views import peer_view
from tests.replica.wires import NotedWire


def transaction(number: int) -> AdmittedTransaction:
    body = TransactionBody(
        version=1,
        network=bytes(8),
        valid_until_ms=1,
        salt=bytes(8),
        signers=(bytes(32),),
        operations=(),
        memo="",
    )
    return AdmittedTransaction(
        id=number.to_bytes(32, "big"), raw=b"raw%d" % number, body=body, size_bytes=4
    )


def compact(*numbers: int, time_ms: int = 1) -> Body:
    ids = tuple(number.to_bytes(32, "big") for number in numbers)
    header = Header(
        version=1,
        network=bytes(8),
        height=1,
        round=0,
        time_ms=time_ms,
        parent=bytes(32),
        proposer="b",
        transactions_root=transactions_root(ids),
        receipts_root=bytes(32),
        evidence_root=evidence_root(()),
        state_root=bytes(32),
        validators_hash=bytes(32),
        next_validators_hash=bytes(32),
        parameters_hash=bytes(32),
        transaction_count=len(ids),
    )
    return Body(block_id=block_id(header), header=header, transaction_ids=ids, evidence=())


class Setup:
    def __init__(self, *names: str, patience_s: float = 0.0, size_bytes_max: int = 1_000) -> None:
        self.wire = NotedWire(*names)
        self.pool = Mempool(ManualClock())
        self.bodies = Bodies()
        self.retried: list[bytes] = []
        self._retrying = asyncio.Event()
        self.obtaining = Obtaining(
            wire=self.wire,
            mempool=self.pool,
            bodies=self.bodies,
            retry=self._retry,
            timeout_s=0.001,
            patience_s=patience_s,
            size_bytes_max=size_bytes_max,
            metrics=Metrics(),
        )

    def _retry(self, block_id: bytes) -> None:
        self.retried.append(block_id)
        self._retrying.set()

    async def until_retried(self) -> None:
        async with asyncio.timeout(60):
            await self._retrying.wait()

    def want(self, body: Body) -> None:
        self.obtaining.want(body.block_id, height=1, proposer="c", ignore_clock=False)


async def test_a_block_whose_transactions_all_wait_here_is_complete_at_once() -> None:
    setup = Setup("b", "c")
    body = setup.bodies.add(compact(1, 2))
    setup.pool.add(transaction(1))
    setup.pool.add(transaction(2))
    setup.want(body)

    assert setup.obtaining.obtain(body.block_id) is body
    assert [each.raw for each in body.transactions()] == [b"raw1", b"raw2"]
    assert setup.wire.sent == []


async def test_transactions_that_are_on_their_way_are_given_a_little_time() -> None:
    setup = Setup("c", patience_s=0.001)
    body = setup.bodies.add(compact(1, 2))
    setup.pool.add(transaction(1))
    setup.want(body)

    for _ in range(2):
        assert setup.obtaining.obtain(body.block_id) is None
    assert setup.wire.sent == []
    await asyncio.sleep(0.01)
    assert setup.retried == [body.block_id]
    setup.obtaining.elapsed(body.block_id)
    setup.obtaining.obtain(body.block_id)
    assert len(setup.wire.sent) == 1, "it had its time, and came not"
    setup.pool.add(transaction(2))
    assert setup.obtaining.obtain(body.block_id) is body
    setup.obtaining.clear()


async def test_the_proposer_is_asked_for_what_is_missing_then_the_others() -> None:
    setup = Setup("b", "c", "d")
    body = setup.bodies.add(compact(1, 2))
    setup.pool.add(transaction(1))
    setup.want(body)

    for peer in ("c", "b", "d"):
        assert setup.obtaining.obtain(body.block_id) is None
        assert setup.wire.sent[-1] == (
            peer,
            GetTransactions(block_id=body.block_id, ids=((2).to_bytes(32, "big"),)),
        )
        setup.obtaining.answered(body.block_id, peer)

    # All have said no: nobody is asked again before the time is up.
    setup.obtaining.obtain(body.block_id)
    assert len(setup.wire.sent) == 3
    setup.obtaining.elapsed(body.block_id)
    setup.obtaining.obtain(body.block_id)
    assert setup.wire.sent[3][0] == "c"
    setup.obtaining.clear()


async def test_one_peer_is_asked_at_a_time() -> None:
    setup = Setup("b", "c")
    body = setup.bodies.add(compact(1))
    setup.want(body)

    for _ in range(5):
        setup.obtaining.obtain(body.block_id)
    assert len(setup.wire.sent) == 1

    setup.obtaining.answered(body.block_id, "b")  # it was c who was asked
    setup.obtaining.obtain(body.block_id)
    assert len(setup.wire.sent) == 1
    setup.obtaining.clear()


async def test_a_block_that_is_voted_for_and_unknown_is_asked_for_whole() -> None:
    setup = Setup("c")
    body = compact(1)
    setup.want(body)

    setup.obtaining.obtain(body.block_id)

    assert setup.wire.sent == [("c", GetProposedBlock(height=1, block_id=body.block_id))]
    setup.obtaining.clear()


@pytest.mark.adversarial(43)
async def test_of_a_block_that_is_too_large_no_more_is_asked_for() -> None:
    """It names up to five thousand transactions of 64 KiB: all of them are 80 blocks at once."""
    setup = Setup("c", size_bytes_max=11)
    body = setup.bodies.add(compact(1, 2, 3, 4, 5))
    setup.want(body)
    for number in (1, 2):
        body.found[number.to_bytes(32, "big")] = transaction(number)
    assert setup.obtaining.obtain(body.block_id) is None
    assert len(setup.wire.sent) == 1

    body.found[(3).to_bytes(32, "big")] = transaction(3)

    assert setup.obtaining.obtain(body.block_id) is body
    assert [each.raw for each in body.transactions()] == [b"raw1", b"raw2", b"raw3"]
    assert len(setup.wire.sent) == 1
    setup.obtaining.clear()


async def test_an_unanswered_request_is_retried_in_time_and_not_after_the_height() -> None:
    setup = Setup("c")
    body = setup.bodies.add(compact(1))
    setup.want(body)
    setup.obtaining.obtain(body.block_id)
    await setup.until_retried()
    assert setup.retried == [body.block_id]

    setup.obtaining.elapsed(body.block_id)
    setup.obtaining.obtain(body.block_id)
    setup.obtaining.clear()
    await asyncio.sleep(0.01)
    assert setup.retried == [body.block_id]
    assert setup.obtaining.wanted == ()


async def test_without_peers_the_request_waits_for_some() -> None:
    setup = Setup()
    body = setup.bodies.add(compact(1))
    setup.want(body)

    assert setup.obtaining.obtain(body.block_id) is None
    assert setup.wire.sent == []
    setup.wire.views.append(peer_view("c"))
    setup.obtaining.elapsed(body.block_id)
    setup.obtaining.obtain(body.block_id)
    assert len(setup.wire.sent) == 1
    setup.obtaining.clear()


async def test_once_the_clock_may_be_ignored_it_stays_so() -> None:
    setup = Setup("c")
    body = compact(1)
    setup.obtaining.want(body.block_id, height=1, proposer="c", ignore_clock=True)
    wanted = setup.obtaining.want(body.block_id, height=1, proposer="c", ignore_clock=False)

    assert wanted.ignore_clock


def test_a_compact_block_comes_back_from_its_message() -> None:
    body = compact(1, 2, 3)

    assert body_of(body.compact()).block_id == body.block_id
    assert body_of(body.compact()).transaction_ids == body.transaction_ids


@pytest.mark.adversarial(44)
@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_ids": compact(1, 3).transaction_ids},
        {"transaction_ids": compact(2, 1).transaction_ids},
        {"transaction_ids": compact(1).transaction_ids * 2},
        {"transaction_ids": ()},
        {"block_id": bytes(32)},
        {"height": 2},
        {"header": b"\x90"},
        {"header": encode(compact(1, 2, time_ms=9).header)},
        {"evidence": (b"x",)},
    ],
)
def test_a_list_that_is_not_the_headers_is_refused_before_anything_is_fetched(
    changes: dict[str, object],
) -> None:
    message = replace(compact(1, 2).compact(), **changes)

    with pytest.raises(BadMessage):
        body_of(message)


def test_bodies_are_bounded_and_those_voted_for_stay() -> None:
    bodies = Bodies()
    first = bodies.add(compact(0))
    bodies.pin(first.block_id)

    for number in range(1, 3 * BODIES_MAX):
        bodies.add(compact(number))

    assert len(bodies) == BODIES_MAX
    assert bodies.get(first.block_id) is first
    assert bodies.add(compact(0)) is first


async def test_of_rounds_long_past_nothing_is_kept_and_nobody_is_asked() -> None:
    setup = Setup("c")
    past, present = compact(1), compact(2)
    for body in (past, present):
        setup.bodies.add(body)
        setup.want(body)
        setup.obtaining.obtain(body.block_id)

    for keeper in (setup.obtaining, setup.bodies):
        keeper.keep({present.block_id, bytes(32)})

    assert setup.obtaining.wanted == (present.block_id,)
    assert setup.bodies.get(past.block_id) is None
    assert setup.bodies.get(present.block_id) is present
    # The timer of the past one was set first, so it would have rung by now.
    await setup.until_retried()
    assert setup.retried == [present.block_id]
    setup.obtaining.clear()


def test_a_body_gives_what_it_has_and_nothing_else() -> None:
    bodies = Bodies()
    body = bodies.add(compact(1, 2))
    body.found[(1).to_bytes(32, "big")] = transaction(1)

    ids = [number.to_bytes(32, "big") for number in (1, 2, 3)]
    assert bodies.raws(body.block_id, ids) == [b"raw1"]
    assert bodies.raws(bytes(32), ids) == []


@pytest.mark.adversarial(49)
def test_a_struck_claim_counts_as_our_own_height_until_shown_or_forgotten() -> None:
    clock = ManualClock()
    standings = tuple(
        Standing(name=name, role=Role.VALIDATOR, height=height, earliest=1)
        for name, height in (("a", 10**9), ("b", 4))
    )
    claims = Claims(peers=lambda: standings, head=lambda: 7, monotonic=clock.monotonic)
    told: list[bool] = []
    claims.listeners.append(lambda: told.append(True))

    claims.strike("a")
    claims.strike("b")
    assert claims.of_all() == {"a": 7, "b": 4}
    assert len(told) == 2

    claims.served("b")
    clock.advance(int(STRUCK_S * 1000) + 1)
    assert claims.of_validators() == {"a": 10**9, "b": 4}
