"""What must fail, fails, with its named outcome, and changes nothing."""

from collections.abc import Sequence
from typing import Final

from node.cli.demo.auction import DENOMINATION_RUPEES, PAISA
from node.cli.demo.primary import BILL
from node.cli.demo.stage import Actor, Stage, root_at
from node.client import ClientNetwork, Draft, Refused, transaction
from node.client.bulk import FINAL
from node.hashing import HASH_SIZE
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.registry.hold_account import HoldAccount
from node.ledger.acts.registry.open_account import OpenAccount
from node.ledger.acts.registry.release_account import ReleaseAccount
from node.ledger.operations import Operation
from node.ledger.outcomes import Outcome
from node.ledger.policies import single_signer
from node.provision.acts import RUPEE, SALT

STRANGER: Final = "nobody-knows"


async def refuse_everything(stage: Stage) -> None:
    """Try it, case by case."""
    await _ministry_alone(stage)
    await _account_on_hold(stage)
    await _short_payment(stage)
    await _twice(stage)
    await _without_owner(stage)
    await _other_network(stage)


async def _ministry_alone(stage: Stage) -> None:
    ministry = stage.ministry
    alone = Issue(
        account=ministry.address,
        approvers=(),
        asset=BILL,
        amount=DENOMINATION_RUPEES * PAISA,
        to=ministry.address,
    )
    await _refused(stage, "an issue by the ministry alone", [alone], [ministry], "OFFICES_MISSING")


async def _account_on_hold(stage: Stage) -> None:
    regulator, held, other = stage.regulator, *stage.people[:2]
    await stage.act(
        HoldAccount(
            account=regulator.address,
            approvers=(),
            target=held.address,
            reason="suspicious transactions report",
            legal_reference="PVARA 2026/118",
        ),
        by=[regulator],
    )
    await _refused(
        stage,
        "a transfer from an account on hold",
        [_rupees(held, other, 1)],
        [held],
        "ACCOUNT_ON_HOLD",
    )
    release = ReleaseAccount(account=regulator.address, approvers=(), target=held.address)
    await stage.act(release, by=[regulator])


async def _short_payment(stage: Stage) -> None:
    """The delivery leg is good, the payment leg is not: neither moves."""
    seller, buyer = stage.people[2:4]
    client = stage.client
    has = round(await client.holding(buyer.address, RUPEE) * PAISA)
    before = await _balances(stage, [seller, buyer])
    delivery = Transfer(account=seller.address, to=buyer.address, asset=BILL, amount=100 * PAISA)
    await _refused(
        stage,
        "a delivery whose payment leg is short",
        [delivery, _rupees(buyer, seller, has + 1)],
        [seller, buyer],
        "HOLDING_INSUFFICIENT",
    )
    stage.narrator.check(
        "neither leg moved", holds=await _balances(stage, [seller, buyer]) == before
    )


async def _twice(stage: Stage) -> None:
    payer, payee = stage.people[4:6]
    draft = await stage.draft(_rupees(payer, payee, 5 * PAISA), by=[payer])
    first = await stage.client.submit(draft)
    before = await _balances(stage, [payer, payee])
    # Straight at another node's door, so that no client hides what the node says; once it has the
    # block, before which it would rightly say that the transaction waits.
    await root_at(stage.clients[1], first.height)
    ((_, status, _, _),) = await stage.clients[1].send_list([draft.raw()])
    again = await stage.clients[2].submit(draft)
    stage.narrator.check(
        "a repeated transaction is applied once, and answered with the first receipt",
        holds=(again.height, again.index) == (first.height, first.index)
        and status == FINAL
        and await _balances(stage, [payer, payee]) == before,
        found=f"in block {first.height}, also at the door of another node",
    )


async def _without_owner(stage: Stage) -> None:
    opening = OpenAccount(
        account=stage.exchange.address,
        approvers=(),
        owner=STRANGER,
        policy=single_signer(Actor.called(STRANGER).signer.public_key),
        salt=SALT,
    )
    await _refused(
        stage,
        "an account without a registered owner",
        [opening],
        [stage.exchange],
        "PARTICIPANT_UNKNOWN",
    )


async def _other_network(stage: Stage) -> None:
    payer, payee = stage.people[6:8]
    elsewhere = ClientNetwork(genesis_hash=bytes(HASH_SIZE), test=True)
    status = await stage.client.status()
    draft = (
        transaction(elsewhere, valid_until_ms=round(status.time.timestamp() * 1000) + 60_000)
        .add(_rupees(payer, payee, 1))
        .sign(payer.signer)
    )
    ((_, _, code, _),) = await stage.client.send_list([draft.raw()])
    found = outcome_name(Outcome.APPLIED if code is None else code)
    _check(stage, "a transaction for another network", found, "WRONG_NETWORK")


async def _refused(
    stage: Stage,
    what: str,
    operations: Sequence[Operation],
    signers: Sequence[Actor],
    expected: str,
) -> None:
    draft: Draft = await stage.draft(*operations, by=signers)
    try:
        await stage.client.submit(draft)
    except Refused as refusal:
        _check(stage, what, refusal.name, expected)
    else:
        _check(stage, what, Outcome.APPLIED.name, expected)


def outcome_name(code: int) -> str:
    """Return the name of an outcome by its number."""
    return next((outcome.name for outcome in Outcome if outcome == code), str(code))


def _check(stage: Stage, what: str, found: str, expected: str) -> None:
    stage.narrator.check(f"{what} is refused", holds=found == expected, found=found)


def _rupees(payer: Actor, payee: Actor, paisa: int) -> Transfer:
    return Transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=paisa)


async def _balances(stage: Stage, actors: Sequence[Actor]) -> list[tuple[str, str]]:
    return [
        (str(holding.asset), str(holding.total))
        for actor in actors
        for holding in (await stage.client.holdings(actor.address)).value
    ]
