"""Whole networks in virtual time: fixed short seeds, scripted days, and checkers that bite.

Every test here is a function of its seed; the command to replay it is in the failure.
"""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from node.codec import decode, encode
from node.ledger.auctions import Form
from node.ledger.catalogue import ACTS
from node.ledger.protocol import LATEST_VERSION, SUPPORTED
from node.ledger.tables import HOLDINGS, HoldingRecord
from node.replica import write_resumption
from node.storage import ConsensusLog, layout
from tests.sim.desk import BAD_INPUT, LIFE, never_met
from tests.sim.harm import KINDS
from tests.sim.machines import Machine
from tests.sim.options import Options, Result
from tests.sim.shrink import shrunk
from tests.sim.soak import CAMPAIGN, LONG_CAMPAIGN, Totals, options_of
from tests.sim.stage import Play, Stage
from tests.sim.world import simulate

ROOT = Path(__file__).resolve().parents[2]


def holds(options: Options, play: Play | None = None) -> Result:
    """Run a simulation; fail with its last lines and its command if a rule was broken."""
    result = simulate(options, play=play)
    if result.violation is not None:
        tail = "\n".join(result.lines[-40:])
        pytest.fail(f"{tail}\n{result.violation}\n{options.command}")
    return result


def test_a_network_without_faults_decides_and_settles() -> None:
    result = holds(Options(seed=1, minutes=0.3, faults=(), liars=0))

    assert result.clients.final > 20
    assert result.starts == 4


DAY = Options(minutes=0.5, fault_pause_s=3, liars=0, client_pause_s=0.4)
AUCTIONS = replace(DAY, faults=(), version=LATEST_VERSION, auctions=True, minutes=1.0)
CHANGING = replace(DAY, observers=1, faults=("rotate-key", "leave-set", "join-set"))
OPERATIONS = (
    replace(AUCTIONS, seed=12),
    replace(CHANGING, seed=5),
    *(replace(CHANGING, seed=seed, version=LATEST_VERSION) for seed in (47, 67, 45)),
)
MORE_OPERATIONS = (
    *(replace(CHANGING, seed=seed, version=LATEST_VERSION) for seed in (63, 43, 41, 48)),
    replace(CHANGING, seed=70),
    *(replace(AUCTIONS, seed=seed) for seed in (5, 9, 4)),
)
"""Which seeds it takes changes with what clients want: those of them that help belong above."""


@cache
def lived(options: Options) -> Result:
    """Return what came of a day, but for its lines; it is simulated once for all tests here."""
    return replace(holds(options), lines=[])


@pytest.mark.parametrize("options", OPERATIONS)
def test_clients_that_want_every_operation_are_answered(options: Options) -> None:
    """One by one, since together they are long: the next test asks what came of all of them."""
    assert lived(options).clients.read > 50


def test_every_operation_is_applied_auctions_of_every_form_settle_and_outcomes_are_met() -> None:
    # No payment of a security comes due: days do not pass in a run. The asking is refused.
    operations = {act.name for act in ACTS if act.name != "fund_payment"}
    forms = {form.name.lower() for form in Form}
    applied: set[str] = set()
    settled: set[str] = set()
    met: set[str] = set()
    for options in (*OPERATIONS, *MORE_OPERATIONS):
        result = lived(options)
        applied |= result.operations.keys()
        settled |= result.auctions.keys()
        met |= result.outcomes.keys() | result.clients.refusals.keys()
        if applied >= operations and settled >= forms:
            break

    assert sorted(applied) == sorted(operations)
    assert settled == forms
    assert len(met) > 20


BAD = Options(version=LATEST_VERSION, faults=(), liars=0, client_pause_s=0.4, bad=True, minutes=0.7)
BAD_DAYS = replace(BAD, day_s=1.2, paid_per_block=5)
# One validator computes what four do, and four times as fast. An allotment that is not paid for
# and goes to others: who was cut short has to be there.
ALONE = replace(BAD_DAYS, validators=1)
UNPAID = replace(BAD, auctions=True, validators=1)
BAD_INPUTS = (
    replace(BAD, seed=1, auctions=True),
    replace(BAD_DAYS, seed=2),
    replace(ALONE, seed=7),
    *(replace(UNPAID, seed=seed) for seed in (1, 9)),
    *(replace(ALONE, seed=seed) for seed in (12, 6)),
)
MORE_BAD_INPUTS = (
    *(replace(ALONE, seed=seed) for seed in (8, 3)),
    *(replace(UNPAID, seed=seed) for seed in (2, 10)),
    *(replace(BAD_DAYS, seed=seed) for seed in (3, 1, 4, 7)),
)


@pytest.mark.parametrize("options", BAD_INPUTS)
def test_bad_input_of_the_debt_desk_is_refused_and_breaks_no_rule(options: Options) -> None:
    assert lived(options).clients.refusals


def test_bad_input_of_the_debt_desk_is_met_and_payments_take_their_steps() -> None:
    met: set[str] = set()
    for options in (*BAD_INPUTS, *MORE_BAD_INPUTS):
        result = lived(options)
        met |= result.outcomes.keys() | result.clients.refusals.keys() | result.events.keys()
        if not never_met(met) and "FaceReallotted" in met:
            break

    assert never_met(met) == []
    assert "FaceReallotted" in met


def test_a_campaign_in_which_no_auction_of_a_form_settles_fails() -> None:
    totals = Totals(seeds=CAMPAIGN - 1)
    totals.auctions.update(form.name.lower() for form in Form if form is not Form.MARGIN)

    assert totals.never_settled == []
    totals.seeds += 1
    assert totals.never_settled == ["margin"]
    totals.auctions["margin"] += 1
    assert totals.never_settled == []


def test_a_long_campaign_in_which_something_bad_is_never_met_fails() -> None:
    totals = Totals(seeds=LONG_CAMPAIGN - 1)
    totals.outcomes.update(name for names in BAD_INPUT.values() for name in names)
    totals.events.update(LIFE)
    del totals.outcomes["PRICE_OFF_QUANTUM"], totals.events["PaymentSettled"]

    assert totals.never_met == []
    totals.seeds += 1
    assert totals.never_met == ["a bid off the quantum", "PaymentSettled"]
    totals.outcomes.update(("PRICE_OFF_QUANTUM", "PaymentSettled"))
    assert totals.never_met == []


@pytest.mark.adversarial(35, 38, 65, 70)
@pytest.mark.parametrize("seed", [11, 12, 13, 14, 15, 16])
def test_no_rule_breaks_under_all_faults(seed: int) -> None:
    holds(Options(seed=seed, minutes=0.5, faults=KINDS, fault_pause_s=1.0, liars=0))


@pytest.mark.parametrize("seed", range(20, 30))
def test_no_rule_breaks_in_networks_that_the_seed_draws(seed: int) -> None:
    holds(replace(options_of(seed), minutes=0.3))


@pytest.mark.adversarial(1, 2, 3)
@pytest.mark.parametrize("seed", [1, 2])
def test_one_equivocator_of_four_forks_nothing(seed: int) -> None:
    result = holds(
        Options(seed=seed, minutes=0.5, faults=("reset", "crash"), liars=1, lies=("equivocate",))
    )

    assert result.lies["equivocate"] > 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_equivocators_of_four_fork_the_chain_and_are_found_out(seed: int) -> None:
    """The checkers bite: with more liars than the network survives, they must see a fork."""
    result = simulate(
        Options(seed=seed, minutes=1, faults=(), liars=2, lies=("equivocate",), steady=True)
    )

    assert result.violation is not None
    assert result.violation.rule == "agreement"


def test_a_failing_run_is_made_smaller_and_still_fails() -> None:
    failing = Options(
        seed=2,
        minutes=0.5,
        faults=("reset", "slow-link"),
        fault_pause_s=1,
        liars=2,
        lies=("equivocate",),
        steady=True,
    )

    smaller = shrunk(failing, runs_max=12)

    assert smaller.violation is not None
    assert smaller.violation.rule == "agreement"
    assert smaller.options.minutes < failing.minutes
    assert simulate(smaller.options).digest == smaller.digest


@pytest.mark.adversarial(33)
def test_a_slow_proposer_costs_time_and_nothing_else() -> None:
    holds(Options(seed=3, minutes=0.5, faults=(), liars=1, lies=("delay",)))


@pytest.mark.adversarial(36)
def test_a_victim_without_proposals_gets_the_blocks_all_the_same() -> None:
    for seed in (1, 2):
        holds(Options(seed=seed, minutes=0.3, faults=(), liars=1, lies=("withhold",)))


@pytest.mark.adversarial(44, 63)
def test_invalid_proposals_get_no_votes_and_stop_nobody() -> None:
    result = holds(
        Options(seed=1, minutes=0.5, faults=(), liars=1, lies=("invalid",), client_pause_s=0.3)
    )

    assert result.lies["invalid"] > 10


@pytest.mark.adversarial(40, 49, 50)
def test_forged_and_malformed_messages_stop_nobody() -> None:
    for seed in (1, 2):
        holds(Options(seed=seed, minutes=0.4, faults=(), liars=1, lies=("forge", "malform")))


@pytest.mark.adversarial(21, 22)
def test_a_key_that_runs_twice_forks_nothing_under_changing_partitions() -> None:
    result = holds(
        Options(
            seed=2,
            minutes=1,
            faults=("partition", "isolate"),
            twins=1,
            liars=0,
            fault_pause_s=3,
            client_pause_s=1,
        )
    )

    assert result.starts == 5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_keys_of_four_that_run_twice_break_the_network(seed: int) -> None:
    """Each half of the network has one honest validator and both of the doubled keys."""

    async def play(stage: Stage) -> None:
        one, other = (machine for machine in stage.machines if machine.honest)
        doubled = {machine.name: machine for machine in stage.machines if not machine.honest}
        first, second = (name for name in doubled if f"{name}-again" in doubled)
        # Nobody dials the second machine of a key: in each half one of the two can be dialled.
        half = [one, doubled[first], doubled[f"{second}-again"]]
        rest = [each.address for each in (other, doubled[second], doubled[f"{first}-again"])]
        for machine in half:
            stage.net.isolate(machine.address, rest)
        await asyncio.sleep(120)

    result = simulate(Options(seed=seed, minutes=3, faults=(), twins=2, liars=0), play=play)

    # Two blocks of one height, or a node that has seen two quorums and stopped itself.
    assert result.violation is not None
    assert result.violation.rule in {"agreement", "error"}


@pytest.mark.adversarial(67)
@pytest.mark.parametrize("seed", [1, 2])
def test_software_older_than_the_rules_stops_at_their_height_and_newer_goes_on(seed: int) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(5, *stage.machines, within_s=400)
        old, *others = stage.machines
        await old.stop()
        old.versions = frozenset({1})
        await old.start()
        gate = stage.height + 6
        load = stage.clients.load
        await stage.clients.insist(
            lambda: load.upgrade(gate), client="operator", chance=stage.chance
        )
        await old.wait_ended()
        assert type(old.failure).__name__ == "UpgradeRequired"
        await stage.until_height(gate + 5, *others, within_s=400)
        old.versions = SUPPORTED
        await old.start()
        await stage.until_height(stage.height + 3, *stage.machines, within_s=400)

    holds(Options(seed=seed, liars=0, faults=(), client_pause_s=1_000), play)


def test_a_machine_that_two_want_to_start_lives_once() -> None:
    """Found by seed 435710592698: an operator's start met that of the end of the faults."""

    async def play(stage: Stage) -> None:
        await stage.until_height(2, *stage.machines, within_s=30)
        machine, lives = stage.machines[0], stage.machines[0].starts
        machine.kill()
        await asyncio.gather(machine.start(), machine.start())
        await stage.until_height(stage.height + 2, *stage.machines, within_s=30)
        assert machine.starts == lives + 1

    holds(Options(seed=1, liars=0, faults=(), client_pause_s=1), play)


@pytest.mark.adversarial(27)
def test_half_of_the_network_comes_back_after_an_hour() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(2, within_s=30)
        gone = stage.machines[:2]
        for machine in gone:
            machine.kill()
        await asyncio.sleep(3_600)
        height = stage.height
        for machine in gone:
            await machine.start()
        # Twice the longest round: its three timeouts are capped at 4 s.
        await stage.until_height(height + 1, *stage.machines, within_s=24)

    holds(Options(seed=1, liars=0, faults=(), client_pause_s=10), play)


@pytest.mark.adversarial(28)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_restart_at_once_in_a_later_round(seed: int) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(2, within_s=30)
        # Clocks this far apart agree on no block: rounds come and go.
        for machine in stage.machines[2:]:
            machine.clock.offset_ms = 100_000
        await asyncio.sleep(20)
        engines = [machine.node.replica._engine for machine in stage.machines if machine.node]
        assert max(engine.round for engine in engines if engine.height > 0) >= 5
        for machine in stage.machines:
            machine.kill()
            machine.clock.offset_ms = 0
        height = stage.height
        for machine in stage.machines:
            await machine.start()
        await stage.until_height(height + 1, *stage.machines, within_s=10)

    holds(Options(seed=seed, liars=0, faults=()), play)


@pytest.mark.adversarial(27, 43)
def test_a_height_of_many_rounds_stays_bounded_and_is_decided_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after a night of a thousand rounds: half of the clocks are off, then they are right."""
    monkeypatch.setattr("node.replica.guard._PLACES_MAX", 64)

    async def play(stage: Stage) -> None:
        await stage.until_height(6, *stage.machines, within_s=400)
        for machine in stage.machines[2:]:
            machine.clock.offset_ms = 100_000
        await asyncio.sleep(280)
        for machine in stage.machines:
            assert machine.node is not None
            replica = machine.node.replica
            assert replica.position.round is not None
            assert replica.position.round >= 40
            # Of the rounds that the engine keeps.
            for kept in (
                replica._blocks.bodies._by_id,
                replica._blocks.bodies._pinned,
                replica._blocks.obtaining._wanted,
                replica._blocks.workshop._refusals,
            ):
                assert len(kept) <= 20
            machine.clock.offset_ms = 0
        height = stage.height
        await stage.until_height(height + 1, *stage.machines, within_s=24)

    holds(Options(seed=1, liars=0, faults=(), client_pause_s=1_000), play)


@pytest.mark.adversarial(29)
@pytest.mark.parametrize("born", [False, True])
def test_a_wiped_validator_catches_up_and_votes_again(*, born: bool) -> None:
    """The rule `double-signature` remembers what the key signed before."""

    async def play(stage: Stage) -> None:
        await stage.until_height(5, within_s=60)
        victim = stage.machines[2]
        victim.kill()
        await asyncio.sleep(3)
        victim.disk.wipe()
        stage.checker.lost(victim.name)
        if born:
            victim.bear()
        await victim.start()
        await stage.until_height(stage.height + 5, victim, within_s=60)
        assert victim.node is not None
        assert victim.node.replica.is_voting

    holds(Options(seed=4, liars=0, faults=()), play)


@pytest.mark.adversarial(29, 53)
def test_a_wiped_validator_joins_by_a_snapshot_and_votes_again() -> None:
    """It dies on the way, more than once, and has no block from before the snapshot."""

    async def play(stage: Stage) -> None:
        await stage.until_height(25, *stage.machines, within_s=120)
        victim, other = stage.machines[2], stage.machines[0]
        victim.kill()
        await asyncio.sleep(3)
        victim.disk.wipe()
        stage.checker.lost(victim.name)
        assert other.node is not None
        victim.trusts = other.node.snapshots.points()[0]
        for steps in (40, 120):
            await victim.start()
            victim.kill_after(steps)
            await asyncio.sleep(2)
        await victim.start()
        await stage.until_height(stage.height + 5, victim, within_s=60)
        assert victim.node is not None
        assert victim.node.chain.history.earliest > 20
        assert victim.node.replica.is_voting

    holds(Options(seed=1, liars=0, faults=()), play)


@pytest.mark.adversarial(29)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_validators_wiped_at_once_return_behind_the_two_who_remember(seed: int) -> None:
    """Nobody does it for them; the rules `double-signature` and `agreement` hold meanwhile."""

    async def play(stage: Stage) -> None:
        await stage.until_height(6, *stage.machines, within_s=60)
        await wipe_at_once(stage, stage.machines[:2])
        await stage.until_height(stage.height + 3, *stage.machines, within_s=60)

    holds(Options(seed=seed, liars=0, faults=(), client_pause_s=0.5), play)


@pytest.mark.adversarial(4, 29)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_block_that_only_wiped_validators_decided_is_decided_again(seed: int) -> None:
    """Of those who remember one is locked on it; those who forgot must not vote past that lock."""
    hidden = 0

    async def play(stage: Stage) -> None:
        nonlocal hidden
        first, second, third, fourth = stage.machines
        for _ in range(3):
            # Who came late is silent for two blocks.
            await stage.until_height(stage.height + 7, *stage.machines, within_s=90)
            for other in (first, second, third):
                stage.net.cut(other.address, fourth.address)
            await stage.until(lambda: max(first.height, second.height) > third.height, within_s=60)
            await wipe_at_once(stage, [first, second])
            hidden += stage.height > max(third.height, fourth.height)
            stage.net.mend()
            await stage.until_height(stage.height + 3, *stage.machines, within_s=60)

    holds(Options(seed=seed, liars=0, faults=(), client_pause_s=0.3), play)
    assert hidden


@pytest.mark.adversarial(29)
def test_three_of_four_that_were_wiped_go_on_where_their_operators_say() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(6, *stage.machines, within_s=60)
        *lost, left = stage.machines
        await wipe_at_once(stage, lost)
        await asyncio.sleep(30)
        height = left.height
        assert stage.height == height
        for machine in lost:
            assert machine.node is not None
            assert "khazana validator resume" in str(machine.node.replica.why_silent)
            await machine.stop()
            log = ConsensusLog(Path(machine.name), machine.disk.raw_files)
            write_resumption(log, above=height, at_ms=0, reason="heads compared")
            await machine.start()
        await stage.until_height(height + 3, *stage.machines, within_s=60)

    holds(Options(seed=3, liars=0, faults=(), client_pause_s=0.5), play)


@pytest.mark.adversarial(29)
def test_one_that_comes_late_and_one_that_was_wiped_do_not_wait_for_each_other() -> None:
    async def play(stage: Stage) -> None:
        late, wiped, *others = stage.machines
        await asyncio.sleep(3)
        late.kill()
        await asyncio.sleep(1)
        await stage.until_height(4, wiped, *others, within_s=60)
        late.disk.wipe()
        stage.checker.lost(late.name)
        late.bear()
        wiped.kill()
        await asyncio.sleep(1)
        wiped.disk.wipe()
        stage.checker.lost(wiped.name)
        await wiped.start()
        await late.start()
        await stage.until_height(stage.height + 3, *stage.machines, within_s=60)

    holds(Options(seed=2061, liars=0, faults=(), client_pause_s=0.5), play)


def test_a_removal_applied_long_after_it_was_given_up_is_made_good_too() -> None:
    """Nothing is decided for half a minute, and then the proposal of its beginning."""
    result = holds(
        Options(
            seed=288_707_635_990,
            minutes=0.25,
            fault_pause_s=0.75,
            paid_per_block=12,
            version=LATEST_VERSION,
        )
    )
    assert result.operations["remove_validator"] == result.operations["add_validator"]


@pytest.mark.adversarial(31)
@pytest.mark.parametrize("jump_ms", [10_000, -10_000, 86_400_000, -86_400_000])
def test_one_wrong_clock_neither_stops_the_chain_nor_moves_its_time(jump_ms: int) -> None:
    """The rule `block-time` holds every block to the true time, whoever proposes."""

    async def play(stage: Stage) -> None:
        # Whoever came late is silent for two blocks: one wrong clock more would be too many.
        await stage.until_height(12, *stage.machines, within_s=60)
        stage.machines[1].clock.offset_ms = jump_ms
        await stage.until_height(stage.height + 8, *stage.machines, within_s=90)

    holds(Options(seed=5, liars=0, faults=(), client_pause_s=0.5), play)


@pytest.mark.adversarial(34)
def test_a_partition_in_one_direction_heals_without_a_stall() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(3, within_s=30)
        deaf = stage.machines[0]
        for machine in stage.machines[1:]:
            stage.net.cut(machine.address, deaf.address)
        await asyncio.sleep(60)
        height = stage.height
        stage.net.mend()
        await stage.until_height(height + 2, *stage.machines, within_s=20)

    holds(Options(seed=6, liars=0, faults=()), play)


@pytest.mark.adversarial(66)
def test_a_node_whose_state_is_off_by_one_unit_halts_alone_and_can_be_repaired() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_height(10, within_s=60)
        victim = stage.machines[3]
        victim.kill()
        await asyncio.sleep(1)
        add_one_unit_to_each_holding(victim)
        await victim.start()
        victim.expects_failure = True
        await victim.wait_ended()
        assert type(victim.failure).__name__ == "NodeHalted"
        assert "state_root" in str(victim.failure)
        await stage.until_height(stage.height + 3, *stage.machines[:3], within_s=60)
        victim.disk.wipe()
        stage.checker.lost(victim.name)
        await victim.start()

    holds(Options(seed=7, liars=0, faults=(), client_pause_s=1), play)


def trace_of(python: str, *, hash_seed: str, zone: str) -> bytes:
    """Return what another process says of one day, byte for byte."""
    command = [python, "-m", "tests.sim", "--seed", "9", "--minutes", "0.2"]
    command += ["--faults", "all", "--fault-pause", "0.7"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    ).stdout


@pytest.mark.adversarial(64)
def test_the_trace_is_the_same_under_another_hash_seed_and_time_zone() -> None:
    here = trace_of(sys.executable, hash_seed="1", zone="UTC")
    there = trace_of(sys.executable, hash_seed="4242", zone="Asia/Karachi")

    assert len(here.splitlines()) > 100
    assert here == there


@pytest.mark.adversarial(64)
def test_the_trace_is_the_same_under_another_version_of_python() -> None:
    other = os.environ.get("OTHER_PYTHON")
    if other is None:
        pytest.skip("OTHER_PYTHON names no interpreter of another version with our dependencies")

    assert trace_of(sys.executable, hash_seed="1", zone="UTC") == trace_of(
        other, hash_seed="2", zone="UTC"
    )


async def wipe_at_once(stage: Stage, machines: list[Machine]) -> None:
    """Take the power and the disks of these machines; start them a little apart."""
    for machine in machines:
        machine.kill()
    await asyncio.sleep(1)
    for machine in machines:
        machine.disk.wipe()
        stage.checker.lost(machine.name)
        await machine.start()
        await asyncio.sleep(1.7)


def add_one_unit_to_each_holding(machine: Machine) -> None:
    """Let the disk hold other amounts, each readable, than the machine has written."""
    values = machine.disk.copy_of_values()
    start = layout.state_key(HOLDINGS.prefix)
    changed = []
    for key, value in values.scan(start, start[:-1] + bytes([start[-1] + 1])):
        record = decode(value, HoldingRecord)
        changed.append(
            (key, encode(HoldingRecord(available=record.available + 1, held=record.held)))
        )
    assert changed
    values.write(changed, sync=True)
    machine.disk.put_back(values)
