"""Changes of the validator set, decided at H, ruling from H + 1, on running nodes."""

import asyncio

import pytest

from node.admission import Refusal
from node.codec import encode, replace
from node.keys.development import development_signer
from node.ledger.acts.governance.add_validator import AddValidator
from node.ledger.acts.governance.approve import Approve
from node.ledger.acts.governance.propose import Propose
from node.ledger.acts.governance.remove_validator import RemoveValidator
from node.ledger.acts.governance.rotate_validator_key import RotateValidatorKey
from node.ledger.outcomes import Outcome
from node.ledger.tables import PROPOSALS
from node.ledger.transactions import decode_signed
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, LoopClock, cluster
from tests.app.test_restarts import equivocations, signed
from tests.network.virtual_time import run_virtual

A, B, C, D = VALIDATORS


def names(network: Cluster, machine: str) -> list[str]:
    return [validator.id for validator in network[machine].up.chain.validators]


def approvers(network: Cluster, *offices: str) -> tuple[bytes, ...]:
    return tuple(sorted(network.account(office) for office in offices))


def removal(network: Cluster, name: str) -> bytes:
    operation = RemoveValidator(
        account=network.account(A), approvers=approvers(network, B, C, D), name=name
    )
    return network.signed(operation, *VALIDATORS)


def addition(network: Cluster, name: str) -> bytes:
    operation = AddValidator(
        account=network.account(A),
        approvers=approvers(network, B, C, D),
        name=name,
        participant=name,
        public_key=development_signer(f"{name}/consensus").public_key,
        tls_certificate=network.founded.keys[name].tls_certificate,
    )
    return network.signed(operation, *VALIDATORS)


def rotation(network: Cluster, public_key: bytes) -> bytes:
    operation = RotateValidatorKey(
        account=network.account(A),
        approvers=approvers(network, B, C, D),
        name=D,
        public_key=public_key,
        tls_certificate=network.founded.keys[D].tls_certificate,
    )
    return network.signed(operation, *VALIDATORS)


@pytest.mark.adversarial(23, 46)
def test_a_removed_validator_votes_and_is_heard_no_more() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            await network.settle(A, removal(network, D))
            height = network[A].height
            await network.until(
                lambda: D not in {member.name for member in network[A].up.network.status()}
            )

            assert names(network, A) == [A, B, C]
            assert {peer.name for peer in network[A].up.network.peers()} == {B, C}
            before = signed(network, D)
            for _ in range(4):
                await network.settle(A, network.transaction())
            assert signed(network, D) == before
            assert network[D].height <= height
            certificate = network[A].up.chain.certificate(height + 1)
            assert certificate is not None
            assert {name for name, _ in certificate.signatures} == {A, B, C}

    run_virtual(main())


@pytest.mark.adversarial(23, 30)
def test_an_observer_that_is_made_a_validator_votes_from_the_next_height() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            network.signers.add(OBSERVER)
            await network.meet()
            await network.settle(A, network.transaction())
            await network.settle(A, addition(network, OBSERVER))
            height = network[A].height
            await network.until_height(height)

            assert names(network, OBSERVER) == sorted([*VALIDATORS, OBSERVER])
            for _ in range(10):
                await network.settle(A, network.transaction())
                await asyncio.sleep(1.0)

            # Its log is as new as it is on the network, which is further: two heights of silence.
            assert signed(network, OBSERVER) > 0
            await network.stop(D)
            for _ in range(6):
                assert await network.settle(A, network.transaction()) < 5.0
            assert equivocations(network) == 0
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(30)
def test_a_validator_that_is_off_when_it_is_voted_in_costs_no_more_than_one_fault() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            network.signers.add(OBSERVER)
            await network.start(*VALIDATORS)
            await network.until_meshed()
            await network.settle(A, addition(network, OBSERVER))
            for _ in range(6):
                assert await network.settle(A, network.transaction()) < 8.0

            await network.start(OBSERVER)
            await network.until_height(network[A].height, OBSERVER)
            for _ in range(6):
                await network.settle(A, network.transaction())
                await asyncio.sleep(1.0)
            assert signed(network, OBSERVER) > 0

    run_virtual(main())


@pytest.mark.adversarial(71)
def test_a_key_that_was_prepared_takes_over_at_its_height_without_a_gap() -> None:
    following = development_signer("validator-7/consensus")

    async def main() -> None:
        async with cluster() as network:
            network.following[D] = following
            await network.meet()
            await network.settle(A, network.transaction())
            seat = network[D].up.replica._seat
            assert seat is not None
            guard = seat.guard
            assert guard.public_key == development_signer(f"{D}/consensus").public_key
            await network.settle(A, rotation(network, following.public_key))
            height = network[A].height
            await network.until_height(height)
            # Without D there is no quorum: its next vote counts, by the new key.
            await network.stop(C)
            for _ in range(4):
                assert await network.settle(A, network.transaction()) < 5.0

            assert guard.public_key == following.public_key
            await network.until_height(network[A].height, A, B, D)
            certificate = network[A].up.chain.certificate(height + 1)
            assert certificate is not None
            assert {name for name, _ in certificate.signatures} == {A, B, D}
            await network.stop(D)
            await network.start(C, D)
            for _ in range(3):
                await network.settle(A, network.transaction())
            await network.until_height(network[A].height)
            assert network[D].up.replica.why_silent is None
            assert equivocations(network) == 0
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(71)
def test_after_a_key_is_rotated_the_old_one_signs_no_more() -> None:
    async def main() -> None:
        async with cluster() as network:
            await network.meet()
            new = development_signer("validator-7/consensus").public_key
            await network.settle(A, rotation(network, new))
            await network.until_height(network[A].height)
            assert "another key" in str(network[D].up.replica.why_silent)
            before = signed(network, D)

            for _ in range(6):
                await network.settle(A, network.transaction())
                await asyncio.sleep(1.0)

            assert signed(network, D) == before
            await network.until_height(network[A].height)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(23)
def test_a_late_node_follows_the_chain_across_changes_of_its_validators() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await network.start(*VALIDATORS)
            await network.until_meshed()
            await network.settle(A, network.transaction())
            await network.settle(A, removal(network, D))
            for _ in range(5):
                await network.settle(A, network.transaction())

            await network.start(OBSERVER)
            await network.until_height(7, OBSERVER)

            assert names(network, OBSERVER) == [A, B, C]

    run_virtual(main())


@pytest.mark.adversarial(24)
def test_validators_leave_one_by_one_the_last_stays_and_another_joins_it() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            network.signers.add(OBSERVER)
            await network.meet()
            for count, name in enumerate((D, C, B), start=1):
                await network.settle(A, removal(network, name))
                assert names(network, A) == [A, B, C, D][:-count]
            refused = await outcome_at(network, A, removal(network, A))
            assert refused is Outcome.VALIDATORS_TOO_FEW

            # A key is never used again: who comes back brings another, and needs its node.
            await network.settle(A, addition(network, OBSERVER))
            assert sorted(names(network, A)) == sorted([A, OBSERVER])
            await network.settle(A, network.transaction())
            await network.until_height(network[A].height, A, OBSERVER)
            network.check_agreement()

    run_virtual(main())


@pytest.mark.adversarial(25)
@pytest.mark.parametrize("kind", ["add", "drop"])
def test_approvals_expire_alike_on_every_node_also_on_one_that_comes_late(kind: str) -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await network.start(*VALIDATORS)
            await network.until_meshed()
            bare = replace(
                decoded(addition(network, OBSERVER) if kind == "add" else removal(network, D)),
                approvers=(),
            )
            expires_ms = LoopClock().now_ms() + 20_000
            propose = Propose(
                account=network.account(A), operations=encode((bare,)), expires_ms=expires_ms
            )
            raw = network.signed(propose, A)
            await network.settle(A, raw)
            ((key, proposal),) = network[A].up.chain.scan(PROPOSALS, b"", 5)
            assert proposal.approvals
            early = network.signed(Approve(account=network.account(B), proposal=key), B)
            await network.settle(A, early)
            await asyncio.sleep(30.0)  # Heartbeats let the time of blocks pass.

            await network.start(OBSERVER)
            await network.until_height(network[A].height, *VALIDATORS, OBSERVER)
            for name in (*VALIDATORS, OBSERVER):
                late = network.signed(Approve(account=network.account(C), proposal=key), C)
                assert await outcome_at(network, name, late) is Outcome.PROPOSAL_UNKNOWN
                assert not network[name].up.chain.scan(PROPOSALS, b"", 5)
                assert names(network, name) == list(VALIDATORS)
            network.check_agreement()

    run_virtual(main())


def decoded(raw: bytes) -> AddValidator | RemoveValidator:
    """Return the one operation of a transaction."""
    _, body = decode_signed(raw)
    (operation,) = body.operations
    assert isinstance(operation, AddValidator | RemoveValidator)
    return operation


async def outcome_at(network: Cluster, name: str, raw: bytes) -> Outcome:
    """Return why a node refuses a transaction at its door."""
    (result,) = await network[name].up.intake.submit([raw])
    assert isinstance(result, Refusal)
    return result.outcome
