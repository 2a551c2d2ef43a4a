"""Every rule bites: a defect is planted at a seam of a running network, and the rule finds it.

The plants are wrappers and alterations of these tests alone. Forks are planted by liars and twins,
in `test_sim`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consensus.messages import Vote, sign_bytes
from consensus.types import BlockId, Height, Round, ValidatorId, VoteType
from node.app import Node
from node.chain.receipts import BlockReceipts
from node.codec import decode, encode
from node.codec import replace as with_fields
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.tables import HOLDINGS, HoldingRecord, holding_key
from node.storage import MemoryStore, layout
from tests.chain.town import BANK, CASH, address_of
from tests.sim.history import History
from tests.sim.load import Draft
from tests.sim.model import Model
from tests.sim.options import Options
from tests.sim.stage import Play, Stage
from tests.sim.world import simulate

GENTLE = Options(seed=1, liars=0, faults=(), client_pause_s=0.3)


def broken_rule(play: Play, options: Options = GENTLE) -> str:
    """Return which rule a planted defect breaks; empty if none."""
    result = simulate(options, play=play)
    return "" if result.violation is None else result.violation.rule


async def nodes(stage: Stage) -> list[Node]:
    """Wait until money has been founded; return the running nodes."""
    await stage.until_height(3, *stage.machines, within_s=30)
    return [machine.node for machine in stage.machines if machine.node is not None]


async def go_on(stage: Stage) -> None:
    await stage.until_height(stage.height + 10, within_s=120)


def wrap(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Let what a method returns pass through a hand."""
    method = getattr(owner, name)
    setattr(owner, name, lambda *arguments, **named: change(method(*arguments, **named)))


def shift(values: MemoryStore) -> None:
    """Let a database hold a unit of `a0` more and one of `a1` less than was ever moved."""
    changed = []
    for name, more in (("a0", 1), ("a1", -1)):
        key = layout.state_key(HOLDINGS.prefix + holding_key(address_of(BANK, name), CASH))
        value = values.get(key)
        assert value is not None
        record = decode(value, HoldingRecord)
        changed.append((key, encode(with_fields(record, available=record.available + more))))
    values.write(changed, sync=True)


def test_a_gentle_day_breaks_nothing() -> None:
    assert broken_rule(go_on) == ""


def test_a_certificate_with_a_bad_signature_is_found() -> None:
    async def play(stage: Stage) -> None:
        def spoil(certificate: Any) -> Any:
            (name, signature), *others = certificate.signatures
            bad = bytes((signature[0] ^ 1,)) + signature[1:]
            return replace(certificate, signatures=((name, bad), *others))

        for node in await nodes(stage):
            wrap(node.chain, "certificate", spoil)
        await go_on(stage)

    assert broken_rule(play) == "certificate"


def test_a_block_that_is_missing_is_found() -> None:
    async def play(stage: Stage) -> None:
        for node in await nodes(stage):
            wrap(node.chain, "block", lambda _: None)
        await go_on(stage)

    assert broken_rule(play) == "growth"


def test_a_chain_that_came_back_shorter_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        machine = stage.machines[0]
        old = machine.disk.copy()
        await stage.until_height(stage.height + 3, machine, within_s=60)
        machine.kill()
        await machine.wait_ended()
        machine.disk.put_back(old.values)
        await machine.start()
        await go_on(stage)

    assert broken_rule(play) == "growth"


def test_a_second_vote_for_one_place_is_found() -> None:
    async def play(stage: Stage) -> None:
        node, *_ = await nodes(stage)
        signer = node._parts.signer
        assert signer is not None
        for block in (None, BlockId(bytes(32))):
            vote = Vote(
                kind=VoteType.PREVOTE,
                height=Height(1_000),
                round=Round(0),
                block_id=block,
                validator=ValidatorId(node.name),
            )
            signer.sign(sign_bytes(vote, node.genesis.hash))

    assert broken_rule(play) == "double-signature"


def test_a_node_that_signs_after_it_has_read_damage_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        stage.machines[0].disk.damage_met()  # And the reader is not told.
        await go_on(stage)

    assert broken_rule(play) == "damage"


def test_a_transaction_that_is_applied_twice_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        clients = stage.clients
        clients.end()
        await clients.insist(clients.load.one_unit, client="planter", chance=stage.chance)
        height, index = list(stage.checker.places.values())[-1]
        await stage.until_height(height, *stage.machines, within_s=10)
        raws: tuple[bytes, ...] = ()
        for machine in stage.machines:
            assert machine.node is not None
            chain = machine.node.chain
            wrap(chain, "_was_applied", lambda _: False)
            wrap(chain, "place_of", lambda *_: None)
            block = chain.block(height)
            assert block is not None
            raws = (block.transactions[index],)
        wrap(stage.checker.model.chain, "_was_applied", lambda _: False)
        for machine in stage.machines:
            await machine.call(lambda node: node.intake.submit(raws), 5)
        await go_on(stage)

    assert broken_rule(play, replace(GENTLE, client_pause_s=100)) == "once"


async def alter_all(stage: Stage) -> None:
    """Let all disks hold other amounts, all the same: nothing that the nodes compare tells."""
    for machine in stage.machines:
        machine.kill()
    for machine in stage.machines:
        await machine.wait_ended()
        shift(machine.disk.raw_values)
        await machine.start()


def test_a_state_that_does_not_follow_from_the_blocks_is_found_although_all_agree() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        # No client reads meanwhile: that would show it too, and by another rule.
        stage.clients.end()
        await asyncio.sleep(10)
        await alter_all(stage)
        await stage.clients.insist(
            stage.clients.load.one_unit, client="planter", chance=stage.chance
        )

    assert broken_rule(play, replace(GENTLE, client_pause_s=100)) == "validity"


def alter_model(model: Model) -> None:
    shift(model.chain._store)  # type: ignore[arg-type]
    model.chain._records = type(model.chain._records)(model.chain._store, size_bytes_max=1 << 20)


def transfer_all(stage: Stage, more: int) -> Draft:
    """Return a transfer of what a client has, and so much more."""
    holdings = stage.checker.model.holdings
    source, to = address_of(BANK, "a0"), address_of(BANK, "a1")
    amount = holdings.available(holding_key(source, CASH)) + more
    transfer = Transfer(account=source, to=to, asset=CASH, amount=amount)
    return Draft(operations=(transfer,), signers=("a0",))


@pytest.mark.parametrize(("more", "rule"), [(1, "outcome"), (0, "balance")])
def test_amounts_that_no_event_explains_are_found_although_the_model_agrees(
    more: int, rule: str
) -> None:
    """As if the room of the ledger itself were wrong: all nodes and the model compute the same."""

    async def play(stage: Stage) -> None:
        await nodes(stage)
        stage.clients.end()
        await asyncio.sleep(10)
        await alter_all(stage)
        alter_model(stage.checker.model)
        await stage.clients.insist(
            lambda: transfer_all(stage, more), client="planter", chance=stage.chance
        )

    assert broken_rule(play, replace(GENTLE, client_pause_s=100)) == rule


def test_block_time_ahead_of_the_true_time_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        for machine in stage.machines:
            machine.clock.offset_ms = 10_000
        await go_on(stage)

    assert broken_rule(play) == "block-time"


def without_events(receipts: BlockReceipts) -> BlockReceipts:
    return with_fields(
        receipts,
        receipts=tuple(
            encode(with_fields(receipt, events=receipt.events[1:]))
            for receipt in receipts.decoded()
        ),
    )


@pytest.mark.parametrize("change", [without_events, lambda found: with_fields(found, receipts=())])
def test_receipts_and_events_with_gaps_are_found(
    change: Callable[[BlockReceipts], BlockReceipts],
) -> None:
    async def play(stage: Stage) -> None:
        node = (await nodes(stage))[2]
        wrap(node.chain, "receipts", change)
        await go_on(stage)

    assert broken_rule(play) in ("receipts", "validity")


def test_an_index_that_points_elsewhere_is_found() -> None:
    async def play(stage: Stage) -> None:
        node = (await nodes(stage))[1]
        wrap(node.chain, "transaction", lambda place: place and (place[0], place[1] + 1))
        await go_on(stage)

    assert broken_rule(play) == "receipts"


def test_an_answer_before_the_block_is_found() -> None:
    async def play(stage: Stage) -> None:
        for node in await nodes(stage):
            first = node.chain.transaction

            async def at_once(tx_id: bytes, timeout_s: float) -> bool:
                del tx_id, timeout_s
                return True

            def anywhere(tx_id: bytes, first: Any = first) -> tuple[int, int]:
                return first(tx_id) or (1, 0)

            node.intake.wait = at_once  # type: ignore[method-assign, assignment]
            node.chain.transaction = anywhere  # type: ignore[method-assign, assignment]
        await go_on(stage)

    assert broken_rule(play) == "acknowledged"


def test_a_transaction_that_was_said_to_be_gone_and_is_there_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        stage.checker.told_gone(next(iter(stage.checker.places)))

    assert broken_rule(play) == "expired"


def test_a_read_that_is_not_what_the_ledger_held_is_found() -> None:
    async def play(stage: Stage) -> None:
        def one_more(record: HoldingRecord | None) -> HoldingRecord | None:
            if not isinstance(record, HoldingRecord):
                return record
            return with_fields(record, available=record.available + 1)

        node = (await nodes(stage))[3]
        node.chain.listeners.clear()  # The rule `balance` reads here too.
        wrap(node.chain, "record", one_more)
        await asyncio.sleep(60)

    assert broken_rule(play) == "read"


def test_reads_that_go_back_and_orders_against_time_are_found() -> None:
    """The history by itself: what a node would have to say is said by hand."""
    found: list[str] = []

    class Ledger:
        height = 9

        def held_at(self, key: bytes, height: int) -> None:
            del key, height

    history = History(Ledger(), lambda rule, _: found.append(rule))  # type: ignore[arg-type]
    history.sending(b"early")
    history.told_final("one", history.asking("one"), 7)
    history.sending(b"late")

    history.included(b"early", 7)
    history.included(b"late", 8)
    history.read("one", history.asking("one"), 7, b"", None)
    history.read("two", history.asking("two"), 3, b"", None)
    under_way = history.asking("three")
    history.told_final("three", history.asking("three"), 5)
    before = history.asking("three")
    history.lost("three")
    before_four = history.asking("four")
    history.lost("four")
    history.read("three", before, 0, b"", None)
    history.read("three", under_way, 1, b"", None)
    history.read("four", before_four, 8, b"", None)
    history.told_final("four", before_four, 8)
    history.read("four", history.asking("four"), 0, b"", None)
    assert found == []

    history.included(b"late", 7)
    history.read("one", history.asking("one"), 6, b"", None)
    history.read("two", history.asking("two"), 10, b"", None)
    history.read("one", (0, 0), 9, b"", HoldingRecord(available=1, held=0))
    assert found == ["real-time", "read", "read", "read"]


def test_a_network_that_stands_still_is_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)

        async def not_today() -> None:
            """Stay down."""

        for machine in stage.machines[:2]:
            machine.kill()
            machine.start = not_today  # type: ignore[method-assign]

    assert broken_rule(play) == "liveness"


def test_a_node_that_stops_by_itself_is_found() -> None:
    async def play(stage: Stage) -> None:
        node, *_ = await nodes(stage)

        def fail() -> float:
            raise RuntimeError("planted")

        node.sync._ask = fail  # type: ignore[method-assign]
        await go_on(stage)

    assert broken_rule(play) in ("stopped", "error")


def test_an_error_in_a_log_is_found() -> None:
    async def play(stage: Stage) -> None:
        node, *_ = await nodes(stage)
        node.log.error("planted")

    assert broken_rule(play) == "error"


def test_disks_that_differ_at_the_end_are_found() -> None:
    async def play(stage: Stage) -> None:
        await nodes(stage)
        foreign = layout.state_key(HOLDINGS.prefix + bytes(20) + CASH.encode())
        value = encode(HoldingRecord(available=1, held=0))
        stage.machines[1].disk.raw_values.write([(foreign, value)], sync=True)

    assert broken_rule(play) == "end"
