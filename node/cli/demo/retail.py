"""Retail: a thousand people buy fractions and pay each other, while a validator dies."""

import asyncio
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from node.cli.demo.auction import PAISA, PRICE_SCALE
from node.cli.demo.primary import BILL
from node.cli.demo.stage import Stage, has_account, root_at
from node.client import Client, Draft, transaction
from node.client.bulk import BulkResult
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.registry.grant_licence import GrantLicence
from node.ledger.tables import Activity, LicencePhase
from node.provision.acts import RUPEE, enrol_person, issue
from node.provision.travelling import NodesStopped

TRANSFERS_EACH: Final = 5
"""Of everybody, on average: half of them before a validator dies, half meanwhile."""
OPERATIONS_MAX: Final = 100
WALLET_PAISA: Final = 20_000 * PAISA
RETAIL_PRICE_E4: Final = 984_000
"""Dealers sell at 98.4000 per 100, a little above what they paid."""
WAVES: Final = 20
WAVE_S: Final = 0.125
"""So many portions, one every eighth of a second: with a thousand people a thousand transfers a
second."""
VICTIM: Final = "crypto-council"
STALL_MAX_S: Final = 30.0
"""A round whose proposer is dead ends after a second or so, and on a machine that others load after
several; a chain that stops does so for good."""


async def open_retail(stage: Stage) -> None:
    """License the exchange, enrol people, sell to them; the first half of the transfers."""
    narrator, exchange = stage.narrator, stage.exchange
    licence = GrantLicence(
        account=stage.regulator.address,
        approvers=(),
        participant=exchange.name,
        activity=Activity.EXCHANGE,
        phase=LicencePhase.NO_OBJECTION,
        expires_ms=None,
    )
    if not (await stage.client.participant(exchange.name)).value.licences:
        await stage.act(licence, by=[stage.regulator])
        narrator.tell("the regulator granted the exchange a no-objection certificate")
    # Enrolling, funding and selling are each of some transactions, told apart by the last person.
    if not await has_account(stage.client, stage.people[-1]):
        await _enrol(stage)
    if not await stage.client.holding(stage.people[-1].address, RUPEE):
        await _fund(stage)
    await _sell(stage)
    count = _half(stage)
    results = await transfer_among(stage, count, seed=1)
    narrator.check(
        f"{count:,} transfers among them are applied",
        holds=all(result.applied for result in results),
        found=_tally(results),
    )


async def is_open(stage: Stage) -> bool:
    """Return whether people have bought of the bill."""
    last = stage.people[-1]
    return await has_account(stage.client, last) and (
        await stage.client.holding(last.address, BILL) > 0
    )


def _half(stage: Stage) -> int:
    return len(stage.people) * TRANSFERS_EACH // 2


async def lose_validator(stage: Stage) -> None:
    """The second half of the transfers, through the death of a validator.

    Raises:
        NodesStopped: the network never had it.
    """
    narrator, network = stage.narrator, stage.network
    if VICTIM not in network.nodes:
        raise NodesStopped([VICTIM])
    count = _half(stage)
    async with asyncio.TaskGroup() as tasks:
        third = asyncio.Event()
        load = tasks.create_task(
            transfer_among(stage, count, seed=2, third=third), name="demo-load"
        )
        await third.wait()
        killed_at = stage.killed_at = stage.clock.monotonic()
        await network.kill(VICTIM)
        narrator.tell(f"killed {VICTIM} with SIGKILL while transfers are handed in")
        results = await load
    finished_at = stage.clock.monotonic()
    blocks = [moment for moment in stage.block_at if killed_at < moment <= finished_at]
    narrator.tell(f"blocks decided by the other three meanwhile: {len(blocks)}; starting it again")
    network.start(VICTIM, leashed=stage.is_alone)
    await network.wait_ready(VICTIM)
    height = (await stage.client.status()).height
    async with Client(network.nodes[VICTIM].url, network=stage.known) as client:
        await root_at(client, height)
    narrator.tell(f"{VICTIM} is back and has caught up to block {height}")
    stall_s = _longest_pause([killed_at, *blocks])
    narrator.check(
        "the chain went on without it",
        holds=bool(blocks) and stall_s < STALL_MAX_S,
        found=f"longest time between two blocks {stall_s:.1f} s",
    )
    narrator.check(
        f"{count:,} transfers handed in meanwhile are applied",
        holds=all(result.applied for result in results),
        found=_tally(results),
    )
    missing = await _missing_at(stage, VICTIM, [result.id for result in results])
    narrator.check(
        f"nothing acknowledged is lost: {VICTIM} has every one of them",
        holds=not missing,
        found=f"{len(missing)} missing",
    )


async def transfer_among(
    stage: Stage, count: int, *, seed: int, third: asyncio.Event | None = None
) -> list[BulkResult]:
    """Let people pay each other at a steady rate, through all validators; return how it ended.

    Args:
        third: told when a third of the transfers have been handed in.
    """
    chance = random.Random(seed)
    narrator = stage.narrator
    with narrator.doing(f"signing {count:,} transfers"):
        drafts = await asyncio.to_thread(_sign_transfers, stage, count, chance, await _end(stage))
    size = max(1, count // WAVES)
    waves = [drafts[start : start + size] for start in range(0, count, size)]
    with narrator.doing("transfers") as progress:
        async with asyncio.TaskGroup() as group:
            tasks = []
            began = stage.clock.monotonic()
            for number, wave in enumerate(waves):
                await asyncio.sleep(max(0.0, began + number * WAVE_S - stage.clock.monotonic()))
                now = stage.clock.monotonic()
                stage.handed_in_at |= {draft.id.hex(): now for draft in wave}
                if third is not None and 3 * number >= len(waves):
                    third.set()
                client = stage.clients[number % len(stage.network.validators)]
                name = f"demo-wave-{number}"
                tasks.append(group.create_task(client.submit_many(wave), name=name))
                progress.at(number * size, count)
    return [result for task in tasks for result in task.result()]


def latencies_ms(stage: Stage, *, after_s: float, before_s: float) -> list[float]:
    """Return how long each transfer took from being handed in to being known as final, ascending.

    Args:
        after_s: only those handed in between these two moments of the monotonic clock.
    """
    return sorted(
        (stage.final_at[identifier] - handed_in) * 1000
        for identifier, handed_in in stage.handed_in_at.items()
        if after_s <= handed_in < before_s and identifier in stage.final_at
    )


async def _enrol(stage: Stage) -> None:
    exchange = stage.exchange
    operations = [
        operation
        for person in stage.people
        for operation in enrol_person(
            registrar=exchange.address,
            participant=person.name,
            public_key=person.signer.public_key,
        )
    ]
    with stage.narrator.doing(f"opening {len(stage.people):,} accounts"):
        drafts = [
            await stage.draft(*operations[start : start + OPERATIONS_MAX], by=[exchange])
            for start in range(0, len(operations), OPERATIONS_MAX)
        ]
        results = await stage.client.submit_many(drafts)
    stage.narrator.check(
        f"{len(stage.people):,} people are registered and have accounts",
        holds=all(result.applied for result in results),
        found=f"in {len(drafts)} transactions",
    )


async def _fund(stage: Stage) -> None:
    bank, exchange = stage.central_bank, stage.exchange
    everything = len(stage.people) * WALLET_PAISA
    await stage.act(
        issue(account=bank.address, asset=RUPEE, amount=everything, to=exchange.address), by=[bank]
    )
    payments = [
        Transfer(account=exchange.address, to=person.address, asset=RUPEE, amount=WALLET_PAISA)
        for person in stage.people
    ]
    with stage.narrator.doing("giving everybody rupees"):
        drafts = [
            await stage.draft(*payments[start : start + OPERATIONS_MAX], by=[exchange])
            for start in range(0, len(stage.people), OPERATIONS_MAX)
        ]
        await stage.client.submit_many(drafts)
    stage.narrator.tell(f"everybody has Rs {WALLET_PAISA // PAISA:,}")


async def _sell(stage: Stage) -> None:
    """Every person buys a fraction of the bill from a dealer: one transaction, two parties."""
    with stage.narrator.doing(f"dealers sell fractions to {len(stage.people):,} people"):
        end = await _end(stage)
        drafts = await asyncio.to_thread(_sign_sales, stage, end)
        results = await stage.client.submit_many(drafts)
    stage.narrator.check(
        f"{len(stage.people):,} fractions are delivered against payment",
        holds=all(result.applied for result in results),
        found=_tally(results),
    )


def _sign_sales(stage: Stage, valid_until_ms: int) -> list[Draft]:
    drafts = []
    for number, person in enumerate(stage.people):
        dealer = stage.dealers[number % len(stage.dealers)]
        face_paisa = (1_000 + number % 10 * 500) * PAISA
        # What is paid has a fraction of a paisa nowhere: faces are multiples of Rs 500.
        paid, fraction = divmod(face_paisa * RETAIL_PRICE_E4, 100 * PRICE_SCALE)
        assert not fraction
        builder = transaction(stage.known, valid_until_ms=valid_until_ms).add(
            Transfer(account=dealer.address, to=person.address, asset=BILL, amount=face_paisa),
            Transfer(account=person.address, to=dealer.address, asset=RUPEE, amount=paid),
        )
        drafts.append(builder.sign(dealer.signer, person.signer))
    return drafts


def _sign_transfers(
    stage: Stage, count: int, chance: random.Random, valid_until_ms: int
) -> list[Draft]:
    drafts = []
    for number in range(count):
        payer, payee = chance.sample(stage.people, 2)
        transfer = Transfer(
            account=payer.address,
            to=payee.address,
            # Everybody has enough of both, whatever the order in which they are applied.
            asset=BILL if number % 5 == 0 else RUPEE,
            amount=chance.randrange(1, 10 * PAISA),
        )
        builder = transaction(stage.known, valid_until_ms=valid_until_ms).add(transfer)
        drafts.append(builder.sign(payer.signer))
    return drafts


async def _end(stage: Stage) -> int:
    """Return the end of validity of what is signed now."""
    status = await stage.client.status()
    return round(status.time.timestamp() * 1000) + 300_000


async def _missing_at(stage: Stage, name: str, identifiers: Sequence[str]) -> list[str]:
    """Return which transactions this node has in no block."""
    missing = []
    # A client of this node alone: the others' would ask somebody else while it is away.
    async with Client(stage.network.nodes[name].url, network=stage.known) as client:
        for start in range(0, len(identifiers), 1_000):
            chunk = list(identifiers[start : start + 1_000])
            found = await client.call("khz_transactions", ids=chunk)
            missing += [each["id"] for each in found["transactions"] if each["status"] != "final"]
    return missing


def _longest_pause(moments: Sequence[float]) -> float:
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


def _tally(results: Sequence[BulkResult]) -> str:
    names = sorted({result.name for result in results})
    return ", ".join(f"{sum(r.name == name for r in results):,} {name}" for name in names)
