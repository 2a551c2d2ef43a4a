"""An amendment of the validator set on whole nodes, in virtual time.

What processes do in `tests/e2e/test_amendment.py`, with what is hard to arrange there: survivors
that have voted for the next block before the amendment, one that was not given it, a ceremony that
is called off, fewer survivors than can witness.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from consensus.messages import SignedVote, Vote, sign_bytes
from consensus.types import BlockId, Height, Round, Signature, ValidatorId, VoteType
from node.genesis import AMENDMENT_FORMAT, Amendment, AmendmentBody, amendment_of, signed_by
from node.keys import LocalSigner
from node.keys.development import development_signer
from node.ledger.tables import AMENDMENTS, RulingKey, height_key
from node.replica import write_birth, write_resumption
from node.replica.errors import LogRemembers
from node.replica.wire import vote_message
from node.storage import ConsensusLog
from tests.app.cluster import OBSERVER, VALIDATORS, Cluster, Disk, cluster
from tests.network.virtual_time import run_virtual

pytestmark = pytest.mark.adversarial(23)

A, B, C, D = VALIDATORS


def amendment_of_network(
    network: Cluster, keep: Sequence[str], lost: Sequence[str], *, new: str = "new", serial: int = 1
) -> Amendment:
    """The amendment by which those who lost their keys have new ones; signed by everybody."""
    chain = network[keep[0]].up.chain
    present = {each.name: each for each in chain.validator_records}
    fresh = {name: LocalSigner(f"{new} {name}".encode().ljust(32)[:32]) for name in lost}
    validators = [
        type(record)(
            name=name,
            participant=record.participant,
            public_key=fresh[name].public_key if name in fresh else record.public_key,
            tls_certificate=record.tls_certificate,
        )
        for name, record in sorted(present.items())
    ]
    amendment = amendment_of(
        AmendmentBody(
            format=AMENDMENT_FORMAT,
            genesis_hash=network.genesis.hash,
            serial=serial,
            height=chain.head.height,
            block_id=chain.head.block_id,
            survivors=tuple(
                RulingKey(name=name, public_key=present[name].public_key) for name in sorted(keep)
            ),
            validators=tuple(validators),
            reason="keys lost",
        )
    )
    for name in keep:
        amendment = signed_by(amendment, network.signer(name))
    for name, signer in fresh.items():
        network.keys[name] = signer
        amendment = signed_by(amendment, signer)
    return amendment


def lose(network: Cluster, *names: str) -> None:
    """Disk and key are gone; a new home with a new key stands in their place."""
    for name in names:
        network[name].disk = Disk()
        write_birth(
            ConsensusLog(Path(name), network[name].disk.files),
            name=name,
            public_key=network.keys[name].public_key,
            network=network.genesis.hash,
        )


def given(network: Cluster, amendment: Amendment, *names: str) -> None:
    for name in names:
        network.amendments[name] = (amendment,)


async def began(network: Cluster, heights: int = 3) -> None:
    network.bear()
    await network.meet()
    for _ in range(heights):
        await network.settle(A, network.transaction())
    await network.until_height(heights)


async def votes_given_up(network: Cluster, *survivors: str) -> None:
    """Let the survivors vote for a block that cannot be decided without those who are gone."""
    await network.submit(survivors[0], network.transaction())
    await network.until(
        lambda: all(
            network[name].up.metrics.value("khazana_signatures_total", kind="prevote")
            > network[name].height
            for name in survivors
        )
    )


def test_survivors_that_had_voted_go_on_with_new_keys_and_accuse_nobody() -> None:
    async def main() -> None:
        async with cluster(observers=[OBSERVER]) as network:
            await began(network)
            await network.stop(C, D)
            await votes_given_up(network, A, B)
            height = network[A].height
            amendment = amendment_of_network(network, [A, B], [C, D])
            await network.stop()
            lose(network, C, D)
            given(network, amendment, A, B, C, D)

            await network.start(A, B, C, D)
            await network.until(lambda: all(network[n].up.replica.is_voting for n in VALIDATORS))
            for _ in range(4):
                await network.settle(C, network.transaction())
            await network.until_height(height + 4)

            network.check_agreement()
            for name in VALIDATORS:
                chain = network[name].up.chain
                assert chain.history.accusations() == ()
                first = chain.block(amendment.rules_from)
                assert first is not None
                assert first.header.parent == amendment.id
                assert chain.record(AMENDMENTS, height_key(amendment.rules_from)) is not None

            # An observer that was not given it stands there, says so, and blames nobody.
            await network.start(OBSERVER)
            watching = network[OBSERVER].up
            await network.until(lambda: watching.sync.missing is not None)
            missing = watching.sync.missing
            assert missing is not None
            assert amendment.id.hex() in missing
            assert network[OBSERVER].height == amendment.height
            assert sum(peer.penalty for peer in watching.network.peers()) == 0
            await network.stop(OBSERVER)
            given(network, amendment, OBSERVER)
            await network.start(OBSERVER)
            await network.until_height(height + 4, OBSERVER)
            assert network[OBSERVER].up.sync.missing is None
            network.check_agreement()

    run_virtual(main())


def test_what_was_signed_is_remembered_through_a_ceremony_that_is_called_off() -> None:
    async def main() -> None:
        async with cluster() as network:
            await began(network)
            await network.stop(C, D)
            await votes_given_up(network, A, B)
            amendment = amendment_of_network(network, [A, B], [C, D])
            former = {name: network[name].disk for name in (C, D)}
            await network.stop()
            lose(network, C, D)
            given(network, amendment, A, B)
            await network.start(A, B)
            await network.until_meshed()
            await network.stop(A, B)

            # The keys are found after all: everybody lets go of it.
            network.amendments.clear()
            network.keys.clear()
            for name, disk in former.items():
                network[name].disk = disk
            await network.start()
            height = amendment.height
            await network.settle(A, network.transaction())
            await network.until_height(height + 2)

            network.check_agreement()
            assert network[A].up.chain.history.accusations() == ()
            assert network[A].up.chain.validators == network.genesis.validators

    run_virtual(main())


def test_amended_network_survives_a_restart_in_the_middle_of_its_first_height() -> None:
    async def main() -> None:
        async with cluster() as network:
            await began(network)
            await network.stop(C, D)
            amendment = amendment_of_network(network, [A, B], [C, D])
            await network.stop()
            lose(network, C, D)
            given(network, amendment, *VALIDATORS)
            await network.start(A, B, C)
            # D is away: three of four decide, and each of them is stopped once on the way.
            for name in (A, B, A):
                await network.stop(name)
                await network.start(name)
            await network.start(D)
            await network.settle(B, network.transaction())
            await network.until_height(amendment.rules_from)
            network.check_agreement()
            assert network[D].up.chain.history.accusations() == ()

    run_virtual(main())


def test_one_survivor_and_the_operators_word_are_enough() -> None:
    async def main() -> None:
        async with cluster() as network:
            await began(network)
            await network.stop(B, C, D)
            amendment = amendment_of_network(network, [A], [B, C, D])
            await network.stop()
            lose(network, B, C, D)
            given(network, amendment, *VALIDATORS)
            await network.start()
            await network.until_height(amendment.height)
            await network.until(
                lambda: "validator resume" in (network[B].up.replica.why_silent or "")
            )

            await network.stop(B, C, D)
            for name in (B, C, D):
                # One that found a quorum at the genesis, before it heard A, needs nobody's word.
                with contextlib.suppress(LogRemembers):
                    write_resumption(
                        ConsensusLog(Path(name), network[name].disk.files),
                        above=amendment.height,
                        at_ms=0,
                        reason="nobody else is left",
                        under=amendment.id,
                    )
            await network.start(B, C, D)
            await network.settle(B, network.transaction())
            await network.until_height(amendment.rules_from)

            network.check_agreement()

    run_virtual(main())


@pytest.mark.parametrize("former", [True, False], ids=["under the genesis", "under the amendment"])
def test_an_old_key_that_turns_up_is_not_heard(former: bool) -> None:
    """Whoever finds a lost key has no vote with it, whatever he signs under."""

    async def main() -> None:
        async with cluster() as network:
            await began(network)
            height = network[A].height + 1
            await network.stop(C, D)
            amendment = amendment_of_network(network, [A, B], [C, D])
            await network.stop()
            lose(network, C, D)
            given(network, amendment, *VALIDATORS)
            await network.start()
            await network.until(lambda: all(network[n].up.replica.is_voting for n in VALIDATORS))
            vote = Vote(
                kind=VoteType.PREVOTE,
                height=Height(height),
                round=Round(0),
                block_id=BlockId(bytes(32)),
                validator=ValidatorId(C),
            )
            domain = network.genesis.hash if former else amendment.id
            signature = development_signer(f"{C}/consensus").sign(sign_bytes(vote, domain))
            message = vote_message(SignedVote(vote=vote, signature=Signature(signature)))
            refused = network[A].up.metrics

            await network[A].up.replica.received(D, message)
            await network.until(
                lambda: refused.value("khazana_messages_refused_total", reason="bad-signature") == 1
            )
            await network.settle(A, network.transaction())
            network.check_agreement()

    run_virtual(main())
