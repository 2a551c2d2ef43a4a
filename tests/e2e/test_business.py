"""What institutions, exchanges and holders do, through the public client, on four whole nodes."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing
from datetime import date
from decimal import Decimal

import pytest

from node.client import Client, ClientNetwork, Draft, Receipt, Refused, StreamItem, transaction
from node.client.reads import Proof
from node.keys import LocalSigner
from node.ledger.operations import (
    HoldAccount,
    OpenAccount,
    Operation,
    PlaceHold,
    ReleaseAccount,
    ReleaseHold,
    Transfer,
)
from node.ledger.outcomes import Outcome
from node.ledger.policies import single_signer
from node.proofs import ProofError, verify_proof_file
from node.provision.acts import RUPEE, SALT, address_of_key, define_bill, enrol_person, issue
from node.provision.funding import DevelopmentAccount
from node.testing.cluster import Cluster
from tests.e2e.networks import PATIENCE_S

BILL = "T-BILL-84D"
MINISTRY, BANK, REGULATOR = "finance-ministry", "central-bank", "virtual-asset-regulator"


async def issue_bill(cluster: Cluster, to: DevelopmentAccount, face_paisa: int) -> Receipt:
    """Define the bill and issue some of it, in one joint act of two institutions."""
    ministry, bank = cluster.institutions[MINISTRY], cluster.institutions[BANK]
    return await cluster.submit(
        define_bill(
            account=ministry.address,
            approvers=(bank.address,),
            asset=BILL,
            name="84-day treasury bill",
            isin="PK0000000080",
            issued=date(2026, 9, 10),
            matures=date(2026, 12, 3),
            multiple=5_000_00,
            ceiling=10**14,
        ),
        issue(
            account=ministry.address,
            approvers=(bank.address,),
            asset=BILL,
            amount=face_paisa,
            to=to.address,
        ),
        signers=[ministry.signer, bank.signer],
    )


async def outcome_of(doing: Awaitable[Receipt]) -> Outcome | None:
    """Return with which outcome this is refused."""
    with pytest.raises(Refused) as refused:
        await doing
    return refused.value.outcome


async def holdings(cluster: Cluster, account: DevelopmentAccount) -> tuple[Decimal, Decimal]:
    return await cluster.holding(account), await cluster.holding(account, BILL)


async def test_a_person_is_enrolled_paid_and_pays(cluster: Cluster) -> None:
    regulator, friend = cluster.institutions[REGULATOR], cluster.accounts[0]
    key = LocalSigner.generate()
    enrolment = enrol_person(
        registrar=regulator.address, participant="zainab", public_key=key.public_key
    )
    zainab = DevelopmentAccount(
        label="", owner="zainab", address=address_of_key("zainab", key.public_key), signer=key
    )

    await cluster.submit(*enrolment, signers=[regulator.signer])
    await cluster.transfer(friend, zainab, "250.75")
    await cluster.transfer(zainab, friend, "50.25")

    async with cluster.client() as client:
        account = (await client.account(zainab.address)).value
    assert (account.owner, account.opened_by) == ("zainab", REGULATOR)
    assert await cluster.holding(zainab) == Decimal("200.50")
    await cluster.agreed_root()


async def test_a_bill_is_issued_by_two_institutions_and_by_neither_alone(cluster: Cluster) -> None:
    ministry, bank, dealer = (
        cluster.institutions[MINISTRY],
        cluster.institutions[BANK],
        cluster.accounts[0],
    )
    await issue_bill(cluster, dealer, 50_000_00)

    alone = [
        cluster.submit(
            issue(account=who.address, asset=BILL, amount=5_000_00, to=dealer.address),
            signers=[who.signer],
        )
        for who in (ministry, bank)
    ]
    assert [await outcome_of(each) for each in alone] == [
        Outcome.OFFICES_MISSING,
        Outcome.OFFICES_MISSING,
    ]
    await cluster.issue(dealer, 10_000, asset=BILL)

    async with cluster.client() as client:
        bill = (await client.asset(BILL)).value
    assert bill.supply == Decimal("60000.00") == await cluster.holding(dealer, BILL)
    assert await outcome_of(cluster.issue(dealer, 1, asset=BILL)) is Outcome.NOT_A_MULTIPLE


async def test_delivery_and_payment_happen_together_or_not_at_all(cluster: Cluster) -> None:
    seller, buyer = cluster.accounts[:2]
    await issue_bill(cluster, seller, 100_000_00)

    async def trade(price_paisa: int) -> Receipt:
        return await cluster.submit(
            Transfer(account=seller.address, to=buyer.address, asset=BILL, amount=100_000_00),
            Transfer(account=buyer.address, to=seller.address, asset=RUPEE, amount=price_paisa),
            signers=[seller.signer, buyer.signer],
        )

    assert await outcome_of(trade(1_000_000_01)) is Outcome.HOLDING_INSUFFICIENT
    assert await holdings(cluster, seller) == (Decimal(1_000_000), Decimal(100_000))
    assert await holdings(cluster, buyer) == (Decimal(1_000_000), Decimal(0))

    await trade(98_371_45)

    assert await holdings(cluster, seller) == (Decimal("1098371.45"), Decimal(0))
    assert await holdings(cluster, buyer) == (Decimal("901628.55"), Decimal(100_000))
    await cluster.agreed_root()


async def test_what_is_held_stays_until_it_is_released(cluster: Cluster) -> None:
    regulator, (holder, other) = cluster.institutions[REGULATOR], cluster.accounts[:2]

    async def regulate(*operations: Operation) -> Receipt:
        return await cluster.submit(*operations, signers=[regulator.signer])

    await regulate(
        HoldAccount(
            account=regulator.address,
            approvers=(),
            target=holder.address,
            reason="court order",
            legal_reference="Suit 12 of 2026",
        )
    )
    assert await outcome_of(cluster.transfer(holder, other, 1)) is Outcome.ACCOUNT_ON_HOLD
    await cluster.transfer(other, holder, 1)

    placed = await regulate(
        ReleaseAccount(account=regulator.address, approvers=(), target=holder.address),
        PlaceHold(
            account=regulator.address,
            approvers=(),
            holder=holder.address,
            asset=RUPEE,
            amount=900_000_00,
            reason="court order",
            legal_reference="Suit 12 of 2026",
            expires_ms=None,
        ),
    )
    too_much = cluster.transfer(holder, other, 200_000)
    assert await outcome_of(too_much) is Outcome.HOLDING_INSUFFICIENT
    assert await cluster.holding(holder) == Decimal("100001.00")

    (hold,) = [bytes.fromhex(event["hold"]) for event in placed.events if "hold" in event]
    await regulate(
        ReleaseHold(account=regulator.address, approvers=(), holder=holder.address, hold=hold)
    )
    await cluster.transfer(holder, other, 200_000)
    assert await cluster.holding(holder) == Decimal("800001.00")


def transfer_draft(cluster: Cluster, network: ClientNetwork, valid_until_ms: int) -> Draft:
    payer, payee = cluster.accounts[:2]
    return (
        transaction(network, valid_until_ms=valid_until_ms)
        .transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=100)
        .sign(payer.signer)
    )


async def test_the_same_transaction_is_applied_once_whoever_hands_it_in(cluster: Cluster) -> None:
    now_ms = cluster.nodes[BANK].node.chain.head.time_ms
    draft = transfer_draft(cluster, ClientNetwork.of(cluster.genesis), now_ms + 60_000)
    async with cluster.client() as client:
        first = await client.submit(draft)
    await cluster.wait_height(first.height)

    again = []
    for name in cluster.nodes:
        async with cluster.client(name) as client:
            again.append(await client.submit(draft))

    assert again == [first] * 4
    assert await cluster.holding(cluster.accounts[1]) == Decimal("1000001.00")


async def test_what_must_be_refused_is_refused_and_changes_nothing(cluster: Cluster) -> None:
    regulator, (payer, payee) = cluster.institutions[REGULATOR], cluster.accounts[:2]
    key = LocalSigner.generate()
    now_ms = cluster.nodes[BANK].node.chain.head.time_ms
    root = await cluster.agreed_root()
    elsewhere = ClientNetwork(genesis_hash=bytes(32), test=True)
    async with cluster.client() as client:
        assert [
            await outcome_of(client.submit(transfer_draft(cluster, elsewhere, now_ms + 60_000))),
            await outcome_of(client.submit(transfer_draft(cluster, client.network, 1))),
            await outcome_of(
                cluster.submit(
                    OpenAccount(
                        account=regulator.address,
                        approvers=(),
                        owner="nobody",
                        policy=single_signer(key.public_key),
                        salt=SALT,
                    ),
                    signers=[regulator.signer],
                )
            ),
            await outcome_of(
                cluster.submit(
                    Transfer(account=payer.address, to=payee.address, asset=RUPEE, amount=1),
                    signers=[payee.signer],
                )
            ),
            await outcome_of(cluster.transfer(payer, bytes(20), 1)),
            await outcome_of(
                cluster.submit(
                    issue(
                        account=cluster.institutions[MINISTRY].address,
                        asset=RUPEE,
                        amount=1,
                        to=payer.address,
                    ),
                    signers=[cluster.institutions[MINISTRY].signer],
                )
            ),
        ] == [
            Outcome.WRONG_NETWORK,
            Outcome.EXPIRED,
            Outcome.PARTICIPANT_UNKNOWN,
            Outcome.SIGNATURES_MISSING,
            Outcome.OTHER_ACCOUNT_UNKNOWN,
            Outcome.OFFICES_MISSING,
        ]

    # Refused at the door or in a block: the ledger is as it was.
    assert await cluster.agreed_root() == root


@pytest.mark.khazana(observers=1)
async def test_a_holding_is_proven_without_a_node_and_no_byte_can_be_changed(
    cluster: Cluster,
) -> None:
    holder = cluster.accounts[3]
    receipt = await cluster.issue(holder, "0.05")
    await cluster.wait_height(receipt.height)
    async with cluster.client("observer-0") as client:
        proof: Proof = (await client.prove("holding", address=holder.address, name=RUPEE)).value

    content = proof.file.encode()
    verified = verify_proof_file(content, cluster.genesis)

    assert verified.statement == proof.statement
    assert "1000000.05" in proof.statement.replace(",", "")
    assert len(verified.signers) >= 3
    for place in range(0, len(content), 37):
        changed = bytearray(content)
        changed[place] ^= 0x01
        with pytest.raises(ProofError):
            verify_proof_file(bytes(changed), cluster.genesis)


async def test_a_subscription_goes_on_across_a_restart_of_its_node(cluster: Cluster) -> None:
    payer, payee = cluster.accounts[:2]
    told: list[StreamItem] = []
    more = asyncio.Event()

    async def listen(client: Client) -> None:
        async with aclosing(client.subscribe("blocks", "receipts", start="0-0")) as stream:
            async for item in stream:
                told.append(item)
                more.set()

    async def told_up_to(height: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not told or int(told[-1].cursor.split("-")[0]) < height:
                more.clear()
                await more.wait()

    async with cluster.client(MINISTRY) as client, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(client), name="listening")
        await cluster.transfer(payer, payee, 1)
        last = await cluster.transfer(payer, payee, 1)
        await told_up_to(last.height)
        await cluster.stop_node(MINISTRY)
        for _ in range(2):
            await cluster.transfer(payer, payee, 1)
        await cluster.start_node(MINISTRY)
        last = await cluster.transfer(payer, payee, 1)
        await told_up_to(last.height)
        listening.cancel()

    async with cluster.client(BANK) as client:
        whole: list[StreamItem] = []
        async with aclosing(client.subscribe("blocks", "receipts", start="0-0")) as stream:
            async for item in stream:
                whole.append(item)
                if len(whole) == len(told):
                    break
    assert told == whole
    assert len({(item.cursor, item.topic) for item in told}) == len(told)
