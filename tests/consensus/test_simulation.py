"""Safety for every schedule tried, liveness once the network is whole; see `simulation`.

A failing seed is replayed with `python -m tests.consensus.simulation --seed S …`.
"""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from random import Random

import pytest

from consensus import FaultModel, SignedMessage, SignedVote, VoteType
from tests.consensus.simulation import (
    PARAMS,
    Network,
    Node,
    Options,
    SafetyBroken,
    forks,
)


def run_seeds(count: int, **options: object) -> list[Network]:
    """Run the first seeds; the exception of a failing one names it."""
    networks = []
    for seed in range(count):
        network = Network(Options(seed=seed, **options))  # type: ignore[arg-type]
        try:
            networks.append(network.run())
        except Exception as error:
            error.add_note(f"seed {seed} of {options}")
            raise
    return networks


def body(message: SignedMessage) -> tuple[int, int, int]:
    """Height, round, and 0 for a proposal, else the number of the vote."""
    if isinstance(message, SignedVote):
        return message.vote.height, message.vote.round, int(message.vote.kind)
    return message.proposal.height, message.proposal.round, 0


def author_of(message: SignedMessage) -> str:
    """Who signed it, whoever sends it."""
    if isinstance(message, SignedVote):
        return message.vote.validator
    return message.proposal.proposer


@pytest.mark.adversarial(28, 35)
def test_agreement_and_progress_through_loss_parts_and_crashes() -> None:
    run_seeds(60, drop_percent=20, double_percent=10, part_ms=700, crash_permille=5)
    run_seeds(30, drop_percent=30, crash_permille=10, silent=1)
    run_seeds(10, n=1, crash_permille=50)


@pytest.mark.adversarial(1, 2, 3, 4, 15, 16)
def test_agreement_and_progress_with_as_many_liars_as_the_model_survives() -> None:
    lied = run_seeds(40, liars=1, drop_percent=10, part_ms=900)
    lied += run_seeds(30, liars=1, deaf_percent=25, heal_ms=12_000, heights=2)
    lied += run_seeds(4, n=7, liars=2, deaf_percent=25, heal_ms=8_000, heights=2)

    assert sum(network.evidence.total() for network in lied) > 100


@pytest.mark.adversarial(21)
def test_agreement_and_progress_with_twins_and_every_other_fault_at_once() -> None:
    run_seeds(40, twins=1, drop_percent=20, part_ms=500)
    run_seeds(20, twins=1, deaf_percent=25, heal_ms=12_000, heights=2)
    run_seeds(15, n=7, liars=1, twins=1, drop_percent=20, crash_permille=3)


@pytest.mark.adversarial(31)
def test_a_clock_that_refuses_everything_does_not_stop_its_node() -> None:
    run_seeds(30, clocks_off=1, drop_percent=10, crash_permille=5)


def test_agreement_and_progress_in_the_crash_model() -> None:
    model = FaultModel.CRASH
    run_seeds(40, n=3, model=model, drop_percent=30, crash_permille=10)
    run_seeds(100, n=3, model=model, deaf_percent=30, heal_ms=10_000, crash_permille=5)
    run_seeds(20, n=3, model=model, silent=1, drop_percent=30, crash_permille=5)
    run_seeds(20, n=5, model=model, silent=2, part_ms=400, drop_percent=20)


@pytest.mark.adversarial(21)
def test_more_liars_than_the_model_survives_are_seen_to_fork_the_chain() -> None:
    """The harness bites: what it never finds otherwise, it finds here."""
    many = {"deaf_percent": 20, "heal_ms": 8_000, "heights": 1, "deadline_ms": 12_000}
    assert any(forks(Options(seed=seed, liars=2, **many)) for seed in range(200))  # type: ignore[arg-type]
    assert any(
        forks(Options(seed=seed, twins=2, part_ms=300, heal_ms=8_000, deadline_ms=12_000))
        for seed in range(60)
    )


def test_one_double_signer_among_three_forks_the_chain_in_the_crash_model() -> None:
    """What `crash` does not survive, and the command line says so."""
    sides = {0: 0, 1: 1, 2: 0, 3: 1}  # The twins are the nodes 0 and 1.

    def apart(sender: Node, to: Node, _: SignedMessage) -> bool:
        return sides[sender.index] == sides[to.index]

    options = Options(n=3, model=FaultModel.CRASH, twins=1, heights=1)
    with pytest.raises(SafetyBroken, match="decided"):
        Network(options, apart).run()


PARTS = [sides for sides in product((0, 1), repeat=5) if sides[0] == 0]


@pytest.mark.adversarial(21, 22)
def test_twins_under_every_partition_do_not_fork() -> None:
    """One of four runs twice; seven rounds under each partition, then each by itself or whole."""
    for sides in PARTS:
        assert not forks_under([sides] * 7, twins=1, seed=0), sides
    for seed in range(60):
        chance = Random(seed)
        parts = [chance.choice(PARTS) for _ in range(21)]
        assert not forks_under(parts, twins=1, seed=seed), seed


@pytest.mark.adversarial(21)
def test_two_twinned_validators_of_four_fork_under_some_partition() -> None:
    parts = [sides for sides in product((0, 1), repeat=6) if sides[0] == 0]

    assert any(forks_under([sides] * 7, twins=2, seed=0) for sides in parts)


def forks_under(parts: list[tuple[int, ...]], *, twins: int, seed: int) -> bool:
    """Say whether the chain forks when each round, or each kind of message, has its partition."""

    def reaches(sender: Node, to: Node, message: SignedMessage) -> bool:
        _, round_, kind = body(message)
        key = round_ if len(parts) == 7 else 3 * round_ + kind
        if key >= len(parts):
            return True
        return parts[key][sender.index] == parts[key][to.index]

    options = Options(seed=seed, twins=twins, heights=1, heal_ms=0, deadline_ms=30_000)
    return forks(options, reaches)


@pytest.mark.adversarial(10)
@pytest.mark.parametrize("seed", range(5))
def test_votes_split_for_three_rounds_then_one_honest_round_decides(seed: int) -> None:
    """Each proposal reaches its proposer and one more: two prevotes for it, two for nil."""

    def reaches(sender: Node, to: Node, message: SignedMessage) -> bool:
        _, round_, kind = body(message)
        return kind > 0 or round_ >= 3 or (to.index - sender.index) % 4 == 1

    network = Network(Options(seed=seed, heights=1, heal_ms=0), reaches).run()

    assert {node.chain[0][1].round for node in network.nodes} == {3}


@pytest.mark.adversarial(11)
@pytest.mark.parametrize("seed", range(8))
def test_a_lock_that_nobody_else_saw_is_shown_and_decided_within_a_turn_of_all(seed: int) -> None:
    """One node alone hears three prevotes for the block of round 0, and locks.

    The fourth prevoted nil, and is silent ever after: so nothing goes without the locked one.
    """
    locked, silent = "bcd"[seed % 3], "a"
    others = set("bcd") - {locked}

    def reaches(sender: Node, to: Node, message: SignedMessage) -> bool:
        _, round_, kind = body(message)
        author = author_of(message)
        if round_ > 0:
            return silent not in (author, sender.validator_id)
        if kind == 0:
            return to.validator_id != silent
        if kind == VoteType.PREVOTE and to.validator_id != locked:
            return author not in others or (to.validator_id, author) == (silent, min(others))
        return True

    network = Network(Options(seed=seed, heights=1, heal_ms=0), reaches).run()

    (alone,) = (node for node in network.nodes if node.validator_id == locked)
    precommit = alone.signed[1, 0, VoteType.PRECOMMIT]
    turn = {"b": 4, "c": 1, "d": 2}[locked]  # b proposes in round 0.
    assert precommit.block_id is not None
    assert {node.chain[0][0] for node in network.nodes} == {precommit.block_id}
    assert {node.chain[0][1].round for node in network.nodes} == {turn}


@pytest.mark.adversarial(26)
@pytest.mark.parametrize("dead", [1, 2])
def test_dead_proposers_cost_a_round_each_and_the_next_height_starts_afresh(dead: int) -> None:
    """Of seven, the proposers of the first rounds of height 2 are silent from that height on."""
    silent = set("cdefgab"[:dead])

    def reaches(sender: Node, _to: Node, message: SignedMessage) -> bool:
        return body(message)[0] < 2 or not silent & {sender.validator_id, author_of(message)}

    told: list[str] = []
    options = Options(n=7, heights=3, heal_ms=0)
    network = Network(options, reaches, listener=told.append).run()
    timers = dict(re.findall(r" g +schedule propose (\S+) in (\d+) ms", "\n".join(told)))

    rounds = {certificate.round for node in network.nodes for _, certificate in node.chain[1:2]}
    assert rounds == {dead}
    base, growth = PARAMS["timeout_propose_ms"], PARAMS["timeout_growth_ms"]
    for round_ in range(dead + 1):
        assert int(timers[f"2/{round_}"]) == base + round_ * growth
    assert int(timers["3/0"]) == base


@pytest.mark.adversarial(27)
def test_half_of_the_network_is_away_for_an_hour_and_back() -> None:
    hour_ms = 3_600_000

    def reaches(sender: Node, to: Node, _: SignedMessage) -> bool:
        return sender.network.now_ms >= hour_ms or {sender.index, to.index} <= {0, 1}

    options = Options(heights=1, heal_ms=0, deadline_ms=2 * hour_ms)
    network = Network(options, reaches).run()

    assert hour_ms < network.now_ms < hour_ms + 2 * PARAMS["timeout_max_ms"]


@pytest.mark.adversarial(28)
@pytest.mark.parametrize("seed", range(5))
def test_all_four_restart_at_once_in_round_five(seed: int) -> None:
    """Three are locked by then; everybody's log is enough to go on."""

    def reaches(_sender: Node, to: Node, message: SignedMessage) -> bool:
        """Until then d has no proposal, and everybody hears two precommits for it, one for nil."""
        _, round_, kind = body(message)
        hearer, author = "abcd".index(to.validator_id), "abcd".index(author_of(message))
        if kind == 0:
            return round_ >= 5 or hearer != 3
        heard = author == 3 or (author != 2 if hearer == 3 else (hearer - author) % 3 == 1)
        return round_ >= 5 or kind == VoteType.PREVOTE or heard

    network = Network(Options(seed=seed, heights=1, heal_ms=0), reaches)
    restarted_ms: list[int] = []

    def restart_all() -> None:
        if all(at.engine.height == 0 or at.engine.round < 5 for at in network.nodes):
            network.later(10, restart_all)
            return
        restarted_ms.append(network.now_ms)
        for restarted in network.nodes:
            restarted.life += 1
            restarted.restart()

    network.later(10, restart_all)
    network.run()

    assert {node.chain[0][1].round for node in network.nodes} <= {5, 6}
    assert network.now_ms - restarted_ms[0] < 5_000


@pytest.mark.adversarial(34)
@pytest.mark.parametrize("seed", range(5))
def test_a_part_in_one_direction_heals(seed: int) -> None:
    def reaches(sender: Node, to: Node, _: SignedMessage) -> bool:
        return sender.network.now_ms > 3_000 or (sender.index, to.index) not in {(1, 0), (2, 3)}

    Network(Options(seed=seed, heights=8, heal_ms=0, deadline_ms=10_000), reaches).run()


@pytest.mark.adversarial(36)
@pytest.mark.parametrize("seed", range(5))
def test_one_who_never_receives_a_proposal_decides_with_the_others(seed: int) -> None:
    def reaches(_: Node, to: Node, message: SignedMessage) -> bool:
        return to.index != 0 or isinstance(message, SignedVote)

    Network(Options(seed=seed, heights=5, heal_ms=0, deadline_ms=10_000), reaches).run()


def test_a_run_is_a_function_of_its_options() -> None:
    def told() -> list[str]:
        lines: list[str] = []
        options = Options(seed=3, liars=1, drop_percent=10, crash_permille=5)
        Network(options, listener=lines.append).run()
        return lines

    assert told() == told()


def test_a_run_does_not_depend_on_the_hash_seed() -> None:
    """The order of a set changes with it, and must not matter to anything."""

    def told(hash_seed: str) -> str:
        command = [
            sys.executable,
            "-m",
            "tests.consensus.simulation",
            "--seed",
            "5",
            "--liars",
            "1",
        ]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            command, cwd=root, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    assert told("1") == told("2") != ""
