"""One of the four is not honest: what it says is refused, counted, held against it; no stall."""

import asyncio

import pytest

from consensus.types import VoteType
from node.admission import Admission
from node.chain import Candidate, Chain
from node.clock import ManualClock
from node.mempool import AdmittedTransaction, Mempool
from node.network import (
    BlockTransactions,
    CertificateMessage,
    GetTransactions,
    ProposedBlock,
    Transactions,
    VoteMessage,
)
from node.storage import MemoryStore
from tests.app.cluster import EPOCH_MS, VALIDATORS, Cluster, cluster
from tests.app.puppet import Puppet, puppet
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS
"""Height 1, round 0 is the turn of B."""
HONEST = (A, C, D)


def refused(network: Cluster, reason: str) -> float:
    return sum(
        machine.up.metrics.value("khazana_messages_refused_total", reason=reason)
        for machine in network.running
    )


def faults(network: Cluster, name: str) -> float:
    return sum(
        machine.up.metrics.value("khazana_peer_faults_total", peer=name, reason="reported")
        for machine in network.running
    )


def block_of(network: Cluster, *raws: bytes) -> Candidate:
    """Return what an honest B builds of these at height 1."""
    clock = ManualClock(EPOCH_MS + int(asyncio.get_running_loop().time() * 1000))
    chain = Chain.open(MemoryStore(), network.genesis)
    admitted = Admission(chain, Mempool(clock), clock).verify_batch(raws)
    transactions = [each for each in admitted if isinstance(each, AdmittedTransaction)]
    assert len(transactions) == len(raws)
    return chain.build(round=0, time_ms=clock.now_ms(), transactions=transactions)


def send_all(liar: Puppet, message: object) -> None:
    for name in HONEST:
        liar.network.send(name, message)  # type: ignore[arg-type]


async def started(network: Cluster, liar: Puppet) -> None:
    network.bear(*HONEST)
    await network.start(*HONEST)
    await network.until_meshed()
    await liar.linked(3)


async def goes_on(network: Cluster) -> None:
    """The others decide what they are given, soon."""
    height = network[A].height
    assert await network.settle(A, network.transaction()) < 8.0
    await network.until_height(height + 1, *HONEST, within_s=8.0)
    network.check_agreement()


def test_what_the_puppet_says_honestly_is_decided() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as honest:
            await started(network, honest)
            raw = network.transaction()
            candidate = block_of(network, raw)
            honest.network.gossip([raw])
            send_all(honest, honest.proposal(candidate))

            await network.until_height(1, *HONEST, within_s=1.0)

            assert network[A].up.chain.head.block_id == candidate.block_id
            assert faults(network, B) == 0

    run_virtual(main())


@pytest.mark.adversarial(44)
def test_a_proposal_of_transactions_that_nobody_has_is_given_up() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            candidate = block_of(network, network.transaction(), network.transaction())
            send_all(liar, liar.proposal(candidate))

            await network.until_height(1, *HONEST, within_s=10.0)

            assert network[A].up.chain.head.block_id != candidate.block_id
            requests = liar.of_kind(GetTransactions)
            assert requests
            assert set(requests[0].ids) == set(candidate.transaction_ids)
            assert len(requests) < 40
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(9, 44)
def test_what_is_missing_is_fetched_from_the_proposer() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as honest:
            await started(network, honest)
            raws = [network.transaction() for _ in range(3)]
            candidate = block_of(network, *raws)

            def answer(peer: str, message: object) -> None:
                if isinstance(message, GetTransactions):
                    honest.network.send(
                        peer, BlockTransactions(block_id=message.block_id, raws=tuple(raws))
                    )

            honest.answer = answer
            send_all(honest, honest.proposal(candidate))

            await network.until_height(1, *HONEST, within_s=1.0)

            assert network[A].up.chain.head.block_id == candidate.block_id
            assert all(m.up.admission.signatures_verified == 3 for m in network.running)

    run_virtual(main())


@pytest.mark.adversarial(44)
@pytest.mark.parametrize("kind", ["other", "garbage", "unsigned", "nothing"])
def test_wrong_transactions_for_a_proposal_are_refused_and_held_against_the_peer(
    kind: str,
) -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            raw = network.transaction()
            candidate = block_of(network, raw)
            wrong = {
                "other": network.transaction(),
                "garbage": b"\x91\x00",
                "unsigned": raw[:-64] + bytes(64),
            }

            def answer(peer: str, message: object) -> None:
                if isinstance(message, GetTransactions):
                    raws = (wrong[kind],) if kind in wrong else ()
                    liar.network.send(peer, BlockTransactions(block_id=message.block_id, raws=raws))

            liar.answer = answer
            send_all(liar, liar.proposal(candidate))

            await network.until_height(1, *HONEST, within_s=10.0)

            assert network[A].up.chain.head.block_id != candidate.block_id
            reason = {"other": "unasked", "nothing": None}.get(kind, "bad-transaction")
            if reason is not None:
                assert refused(network, reason) >= 3
                assert faults(network, B) >= 3
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(43, 44, 63)
@pytest.mark.parametrize(
    "field", ["transaction_ids", "twice", "block_id", "header", "evidence", "height"]
)
def test_a_proposal_that_is_not_its_block_is_refused(field: str) -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            candidate = block_of(network, network.transaction(), network.transaction())
            ids = candidate.transaction_ids
            message = {
                "transaction_ids": lambda: liar.proposal(candidate, transaction_ids=ids[::-1]),
                "twice": lambda: liar.proposal(candidate, transaction_ids=ids[:1] * 2),
                "block_id": lambda: liar.proposal(candidate, block_id=bytes(32)),
                "header": lambda: liar.proposal(candidate, header=b"\x90"),
                "evidence": lambda: liar.proposal(candidate, evidence=(b"x",)),
                "height": lambda: liar.proposal(candidate, height=1, transaction_count=7),
            }[field]()

            send_all(liar, message)
            await asyncio.sleep(0.5)

            assert refused(network, "bad-block") >= 3
            assert faults(network, B) >= 3
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(63)
@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("state_root", bytes(32), "wrong-result"),
        ("receipts_root", bytes(32), "wrong-result"),
        ("parent", bytes(32), "wrong-parent"),
        ("proposer", A, "wrong-proposer"),
        ("time_ms", EPOCH_MS + 10**9, "time-too-far-ahead"),
        ("time_ms", 1, "time-not-after-parent"),
        ("validators_hash", bytes(32), "wrong-validators"),
        ("version", 9, "wrong-version"),
    ],
)
def test_a_proposal_of_an_invalid_block_gets_nil(field: str, value: object, fault: str) -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            candidate = block_of(network)
            send_all(liar, liar.proposal(candidate, **{field: value}))
            await asyncio.sleep(0.2)

            votes = [v for v in liar.of_kind(VoteMessage) if v.height == 1 and v.round == 0]
            assert {vote.validator for vote in votes} >= set(HONEST)
            assert {vote.block_id for vote in votes} == {None}
            for name in HONEST:
                metrics = network[name].up.metrics
                assert metrics.value("khazana_proposals_refused_total", reason=fault) == 1
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(1, 2, 3)
def test_two_proposals_for_one_round_decide_at_most_one_and_become_evidence() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            first, second = block_of(network), block_of(network, network.transaction())
            liar.network.send(A, liar.proposal(first))
            liar.network.send(C, liar.proposal(first))
            liar.network.send(D, liar.proposal(second))
            await asyncio.sleep(0.05)
            for name in HONEST:
                for candidate in (first, second):
                    for kind in VoteType:
                        liar.network.send(name, liar.vote(candidate.block_id, kind=kind))
            liar.network.send(A, liar.proposal(second))

            await network.until_height(3, *HONEST, within_s=60.0)

            network.check_agreement()
            seen = [
                machine.up.metrics.value("khazana_equivocations_total", validator=B)
                for machine in network.running
            ]
            assert max(seen) >= 1
            shown = [
                item
                for height in range(1, network[A].height + 1)
                if (block := network[A].up.chain.block(height)) is not None
                for item in block.evidence
            ]
            assert shown
            assert len(shown) == len(set(shown))

    run_virtual(main())


@pytest.mark.adversarial(17, 18, 19)
def test_votes_that_are_not_their_authors_are_refused() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            for vote in (
                liar.vote(None, network=bytes(32)),
                liar.vote(None, name=A),
                liar.vote(None, name="nobody"),
                VoteMessage(
                    vote_type=1,
                    height=1,
                    round=2**31,
                    block_id=None,
                    validator=B,
                    signature=bytes(64),
                ),
            ):
                send_all(liar, vote)
            await asyncio.sleep(0.5)

            assert refused(network, "bad-signature") == 6
            assert refused(network, "unknown-validator") == 3
            assert refused(network, "out-of-range") == 3
            assert {machine.height for machine in network.running} == {0}
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(15, 16)
def test_votes_for_a_thousand_rounds_and_heights_move_nobody_and_stay_bounded() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            for number in range(1000):
                send_all(liar, liar.vote(None, round_=10 + number * 1000))
                send_all(liar, liar.vote(None, height=2 + number))
            await asyncio.sleep(5.0)

            for name in HONEST:
                replica = network[name].up.replica
                assert replica._engine.round == 0
                assert len(replica._early) <= 16
            await goes_on(network)

    run_virtual(main())


@pytest.mark.adversarial(20)
def test_a_certificate_that_proves_nothing_is_refused() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            await network.submit(A, network.transaction())
            send_all(
                liar,
                CertificateMessage(height=1, block_id=bytes(32), certificate=b"\x90"),
            )
            await asyncio.sleep(0.1)

            assert refused(network, "bad-certificate") == 3
            await network.until_height(1, *HONEST, within_s=8.0)

    run_virtual(main())


def test_what_nobody_asked_for_is_passed_over() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            candidate = block_of(network)
            message = liar.proposal(candidate)
            send_all(
                liar,
                ProposedBlock(
                    height=1,
                    block_id=message.block_id,
                    header=message.header,
                    transaction_ids=(),
                    evidence=(),
                ),
            )
            send_all(liar, BlockTransactions(block_id=bytes(32), raws=()))
            await goes_on(network)

            assert faults(network, B) == 0

    run_virtual(main())


def test_pushed_transactions_that_no_honest_peer_passes_on_are_held_against_the_peer() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            raw = network.transaction()
            send_all(liar, Transactions(raws=(raw[:-64] + bytes(64),)))
            await asyncio.sleep(0.1)

            assert faults(network, B) == 3
            assert all(len(machine.up.mempool) == 0 for machine in network.running)
            assert await network.settle(A, raw) < 8.0

    run_virtual(main())
