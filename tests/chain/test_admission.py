"""Admission: what a stranger's bytes must be, and that each signature is verified once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.admission import (
    CHUNK_SIZE,
    Admission,
    AdmissionError,
    AdmissionResult,
    Batch,
    Known,
    Refusal,
)
from node.codec import decode, encode, replace
from node.genesis import genesis_of
from node.keys import LocalSigner, verify
from node.keys.development import development_signer
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.outcomes import Outcome
from node.ledger.transactions import (
    TRANSACTION_SIZE_MAX,
    SignedTransaction,
    TransactionBody,
    transaction_id,
)
from node.ledger.units import TIME_MS_MAX
from node.mempool import AdmittedTransaction, Full, Mempool
from node.stages import Stages
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town, sign


async def settled(accounts: int = 4, **options: Any) -> Town:
    town = make_town(**options)
    await town.settle(accounts)
    town.clock.advance(10_000)
    town.admission.signatures_verified = 0
    return town


def outcome(result: AdmissionResult) -> Outcome:
    assert isinstance(result, Refusal), result
    return result.outcome


def tampered(raw: bytes, change: Callable[[SignedTransaction], SignedTransaction]) -> bytes:
    return encode(change(decode(raw, SignedTransaction)))


def forged(raw: bytes) -> bytes:
    """The same body, and so the same id, with a signature that does not hold."""
    return tampered(
        raw, lambda signed: replace(signed, signatures=(bytes(64),) * len(signed.signatures))
    )


async def test_good_transaction_is_admitted_with_its_id_and_body() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")

    (result,) = town.admission.verify_batch([raw])

    assert isinstance(result, AdmittedTransaction)
    assert (result.raw, result.size_bytes) == (raw, len(raw))
    assert result.id == town.id_of(raw)
    assert town.admission.signatures_verified == 1


@pytest.mark.adversarial(57)
async def test_signature_is_verified_once_for_one_transaction() -> None:
    """From submission, through gossip of the same and of other copies, to the decided block."""
    town = await settled()
    raw = town.transfer("a0", "a1")

    town.wait(raw)
    assert town.admission.verify_batch([raw, raw, forged(raw)]) == [Known(town.id_of(raw))] * 3
    (transaction,) = await town.admission.verify_block([raw])
    candidate = town.build([transaction])
    town.chain.check(candidate.header, [transaction], now_ms=town.clock.now_ms())
    await town.chain.commit(candidate, town.certify(candidate))
    town.pool.remove(candidate.transaction_ids)
    (late,) = town.admission.verify_batch([raw])

    assert outcome(late) is Outcome.DUPLICATE
    assert isinstance(late, Refusal)
    assert dict(late.details) == {"height": 3}
    assert town.admission.signatures_verified == 1


@pytest.mark.adversarial(57)
async def test_copy_in_the_same_batch_is_known() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")

    first, second = town.admission.verify_batch([raw, raw])

    assert isinstance(first, AdmittedTransaction)
    assert second == Known(first.id)
    assert town.admission.signatures_verified == 1
    (again,) = town.admission.verify_batch([raw])
    assert isinstance(again, AdmittedTransaction), "nobody put it into the pool"


@pytest.mark.adversarial(57)
async def test_forged_copy_does_not_stand_in_the_way_of_the_good_one() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")

    results = town.admission.verify_batch([forged(raw), raw])

    assert outcome(results[0]) is Outcome.BAD_SIGNATURE
    assert isinstance(results[1], AdmittedTransaction)


@pytest.mark.parametrize("development", [True, False])
async def test_development_key_signs_on_development_networks_only(*, development: bool) -> None:
    """Also in a block: one that holds such a transaction is invalid everywhere."""
    town = make_town(record=replace(make_record(), development=development))
    signer = development_signer("account-0")
    body = replace(
        town.body([], []),
        signers=(signer.public_key,),
        operations=(Transfer(account=bytes(20), to=bytes([1] * 20), asset=CASH, amount=1),),
    )
    signature = signer.sign(transaction_id(town.genesis.hash, encode(body)))
    raw = encode(SignedTransaction(body=encode(body), signatures=(signature,)))

    (result,) = town.admission.verify_batch([raw])

    if development:
        assert isinstance(result, AdmittedTransaction)
    else:
        assert outcome(result) is Outcome.DEVELOPMENT_KEY
        assert dict(result.details)["label"] == "account-0"  # type: ignore[union-attr]
        with pytest.raises(AdmissionError):
            await town.admission.verify_block([raw])


@pytest.mark.parametrize("development", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_batch_is_answered_as_one_by_one(*, development: bool, dry_run: bool) -> None:
    """Whatever stands in it beside each: all good, or one of every kind of refusal."""
    town = make_town(record=replace(make_record(), development=development))
    await town.settle(4)
    known, both = development_signer("account-0"), development_signer("account-1")
    body = replace(town.body([], []), operations=(transfer_of("a0", "a1"),))
    good = [town.transfer("a0", "a1", amount=each) for each in (1, 2)]
    bad = [
        signed_by(town, body, known),
        signed_by(town, body, known, both),
        forged(signed_by(town, replace(body, salt=bytes([1] * 8)), known)),
        forged(town.transfer("a1", "a2")),
        town.transfer("a2", "a3", amount=1 << 60),
        town.transfer("a0", "a1", valid_until_ms=1),
        b"\x92",
        good[0][:-1],
    ]

    for raws in (good, [*good, *bad], [*bad, *good], bad):
        alone = [town.admission.verify_batch([raw], dry_run=dry_run)[0] for raw in raws]
        assert town.admission.verify_batch(raws, dry_run=dry_run) == alone
        assert [isinstance(each, AdmittedTransaction) for each in alone].count(True) >= (
            2 if good[0] in raws else 0
        )


def signed_by(town: Town, body: TransactionBody, *signers: LocalSigner) -> bytes:
    ordered = sorted(signers, key=lambda signer: signer.public_key)
    encoded = encode(replace(body, signers=tuple(signer.public_key for signer in ordered)))
    identifier = transaction_id(town.genesis.hash, encoded)
    signatures = tuple(signer.sign(identifier) for signer in ordered)
    return encode(SignedTransaction(body=encoded, signatures=signatures))


def transfer_of(sender: str, receiver: str) -> Transfer:
    return Transfer(
        account=address_of(BANK, sender), to=address_of(BANK, receiver), asset=CASH, amount=1
    )


def verified(batch: Batch) -> list[bool]:
    return [verify(*check) for check in batch.checks]


@pytest.mark.adversarial(57)
async def test_two_batches_at_once_verify_a_transaction_once() -> None:
    """As where signatures are verified elsewhere: the second begins before the first is done."""
    town = await settled()
    raws = [town.transfer("a0", "a1") for _ in range(4)]
    admission = town.admission

    first = admission.begin(raws[:3])
    second = admission.begin([*raws[1:], raws[0]])
    assert (len(first.checks), len(second.checks)) == (3, 1)

    admitted = admission.finish(first, verified(first))
    for each in admitted:
        assert isinstance(each, AdmittedTransaction)
        town.pool.add(each)
    results = admission.finish(second, verified(second))

    assert [type(each) for each in results] == [Known, Known, AdmittedTransaction, Known]
    assert admission.signatures_verified == 4


@pytest.mark.adversarial(57)
async def test_copy_of_what_turns_out_forged_in_another_batch_is_verified_then() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")
    admission = town.admission

    first = admission.begin([forged(raw)])
    second = admission.begin([raw, raw])
    (refused,) = admission.finish(first, verified(first))
    results = admission.finish(second, verified(second))

    assert outcome(refused) is Outcome.BAD_SIGNATURE
    assert isinstance(results[0], AdmittedTransaction)
    assert results[1] == Known(results[0].id)


async def test_block_waits_for_signatures_that_are_being_verified() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")
    batch = town.admission.begin([raw])

    async with asyncio.TaskGroup() as tasks:
        block = tasks.create_task(town.admission.verify_block([raw]))
        await asyncio.sleep(0)
        assert not block.done()
        (admitted,) = town.admission.finish(batch, verified(batch))
        assert isinstance(admitted, AdmittedTransaction)
        town.pool.add(admitted)

    assert block.result() == [admitted]
    assert town.admission.signatures_verified == 1


async def test_abandoned_batch_leaves_nothing_behind() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")
    batch = town.admission.begin([raw, raw])

    town.admission.abandon(batch)

    (again,) = town.admission.verify_batch([raw])
    assert isinstance(again, AdmittedTransaction)
    assert isinstance((await town.admission.verify_block([raw]))[0], AdmittedTransaction)


@pytest.mark.adversarial(57, 59)
async def test_what_came_in_a_block_while_it_was_being_verified_is_a_duplicate() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")
    batch = town.admission.begin([raw], dry_run=True)
    elsewhere = Admission(town.chain, Mempool(town.clock), town.clock)
    (transaction,) = elsewhere.verify_batch([raw])
    assert isinstance(transaction, AdmittedTransaction)
    candidate = town.build([transaction])
    await town.chain.commit(candidate, town.certify(candidate))

    (result,) = town.admission.finish(batch, verified(batch))

    assert outcome(result) is Outcome.DUPLICATE


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda _: bytes(TRANSACTION_SIZE_MAX + 1), Outcome.TOO_LARGE),
        (lambda _: b"", Outcome.MALFORMED),
        (lambda _: b"\xc1", Outcome.MALFORMED),
        (lambda town: town.transfer("a0", "a1")[:-1], Outcome.MALFORMED),
        (lambda town: town.transfer("a0", "a1") + b"\0", Outcome.MALFORMED),
        (
            lambda town: tampered(
                town.transfer("a0", "a1"),
                lambda signed: replace(signed, signatures=signed.signatures * 2),
            ),
            Outcome.WRONG_SIGNATURE_COUNT,
        ),
        (
            lambda town: town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() - 1),
            Outcome.EXPIRED,
        ),
        (
            lambda town: town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + 600_001),
            Outcome.TOO_FAR_AHEAD,
        ),
        (lambda town: forged(town.transfer("a0", "a1")), Outcome.BAD_SIGNATURE),
        (
            lambda town: town.sign(town.body([], ["a0"]), ["a0"]),
            Outcome.MALFORMED,
        ),
    ],
)
async def test_bad_transaction_is_refused_with_its_outcome(
    make: Callable[[Town], bytes], expected: Outcome
) -> None:
    town = await settled()

    (result,) = town.admission.verify_batch([make(town)])

    assert outcome(result) is expected
    assert town.admission.refused == {expected: 1}
    assert len(town.pool) == 0


@pytest.mark.adversarial(59)
@pytest.mark.parametrize(
    ("offset_ms", "admitted"), [(-1, False), (0, True), (600_000, True), (600_001, False)]
)
async def test_validity_ends_between_now_and_the_window(offset_ms: int, *, admitted: bool) -> None:
    town = await settled()
    raw = town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + offset_ms)

    (result,) = town.admission.verify_batch([raw])

    assert isinstance(result, AdmittedTransaction) == admitted


async def test_now_is_never_before_the_next_block() -> None:
    """A node whose clock is behind the chain judges by the chain."""
    town = await settled()
    candidate = town.chain.build(round=0, time_ms=town.clock.now_ms() + 3_600_000, transactions=())
    await town.chain.commit(candidate, town.certify(candidate))
    head_ms = town.chain.head.time_ms

    results = town.admission.verify_batch(
        [
            town.transfer("a0", "a1", valid_until_ms=head_ms),
            town.transfer("a0", "a1", valid_until_ms=head_ms + 1),
        ]
    )

    assert outcome(results[0]) is Outcome.EXPIRED
    assert isinstance(results[1], AdmittedTransaction)


@pytest.mark.adversarial(57, 59)
async def test_applied_transaction_is_a_duplicate_also_when_its_time_is_over() -> None:
    """Told that it expired and never will be applied, a client would sign its payment again."""
    town = await settled()
    raw = town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + 2_000)
    await town.decide(raw)
    town.clock.advance(10_000)

    (result,) = town.admission.verify_batch([raw], dry_run=True)

    assert outcome(result) is Outcome.DUPLICATE


@pytest.mark.adversarial(58)
async def test_transaction_of_a_network_that_began_again_is_refused() -> None:
    """Same institutions, same keys, another genesis."""
    record = make_record()
    old = genesis_of(replace(record, time_ms=record.time_ms - 1))
    town = await settled()
    body = town.body(decode_operations(town), ["a0"], network=old.network)

    foreign = sign(body, ["a0"], old.hash)
    renamed = sign(replace(body, network=town.genesis.network), ["a0"], old.hash)

    assert [outcome(each) for each in town.admission.verify_batch([foreign, renamed])] == [
        Outcome.WRONG_NETWORK,
        Outcome.BAD_SIGNATURE,
    ]


def decode_operations(town: Town) -> list[Any]:
    return list(town.vouch(town.transfer("a0", "a1")).body.operations)


@pytest.mark.adversarial(57)
async def test_other_spelling_of_a_transaction_is_refused() -> None:
    """MessagePack has long forms for short lengths; only one spelling is a transaction."""
    town = await settled()
    raw = town.transfer("a0", "a1")
    assert raw[0] == 0x92
    longer = b"\xdc\x00\x02" + raw[1:]

    results = town.admission.verify_batch([longer, raw])

    assert outcome(results[0]) is Outcome.MALFORMED
    assert isinstance(results[1], AdmittedTransaction)


async def test_dry_run_refuses_what_the_ledger_would() -> None:
    town = await settled()
    poor, unknown, good = (
        town.transfer("a0", "a1", 10**9),
        town.transfer("nobody", "a1"),
        town.transfer("a0", "a1"),
    )

    results = town.admission.verify_batch([poor, unknown, good], dry_run=True)

    assert [outcome(each) for each in results[:2]] == [
        Outcome.HOLDING_INSUFFICIENT,
        Outcome.ACCOUNT_UNKNOWN,
    ]
    assert isinstance(results[2], AdmittedTransaction)
    assert all(
        isinstance(each, AdmittedTransaction)
        for each in town.admission.verify_batch([poor, unknown])
    )


@pytest.mark.adversarial(75)
async def test_full_pool_costs_no_signature() -> None:
    town = await settled(count_max=2)
    town.wait(town.transfer("a0", "a1"), town.transfer("a0", "a1"))
    verified = town.admission.signatures_verified

    results = town.admission.verify_batch([town.transfer("a0", "a1") for _ in range(10)])

    assert all(isinstance(each, Full) and each.retry_after_ms > 0 for each in results)
    assert town.admission.signatures_verified == verified


async def test_verifying_is_charged_to_its_own_stage_in_lists_and_in_blocks() -> None:
    town = await settled()
    worked_s = 0.0

    def verify_slowly(*check: bytes) -> bool:
        nonlocal worked_s
        worked_s += 1
        return verify(*check)

    stages = Stages(lambda: worked_s)
    admission = Admission(
        town.chain, town.pool, town.clock, verify=verify_slowly, stage=stages.verification
    )

    with stages.admission:
        admission.verify_batch([town.transfer("a0", "a1", amount=each) for each in (1, 2)])
        await admission.verify_block([town.transfer("a0", "a1", amount=3)])

    assert (stages.verification.seconds, stages.admission.seconds) == (3, 0)


async def test_every_signer_is_verified() -> None:
    verified: list[bytes] = []

    def counting(key: bytes, message: bytes, signature: bytes) -> bool:
        verified.append(key)
        return verify(key, message, signature)

    town = await settled()
    admission = Admission(town.chain, town.pool, town.clock, verify=counting)
    operations = decode_operations(town)
    body = town.body(operations, ["a0", "a1", "a2"])
    raw = town.sign(body, ["a0", "a1", "a2"])
    last_forged = tampered(
        raw, lambda signed: replace(signed, signatures=(*signed.signatures[:2], bytes(64)))
    )

    results = admission.verify_batch([raw, last_forged])

    assert isinstance(results[0], AdmittedTransaction)
    assert results[1] == Known(results[0].id)
    assert verified == list(body.signers)
    (alone,) = admission.verify_batch([last_forged])
    assert outcome(alone) is Outcome.BAD_SIGNATURE
    assert isinstance(alone, Refusal)
    assert dict(alone.details) == {"signer": body.signers[2].hex()}


@pytest.mark.adversarial(50)
async def test_block_with_one_bad_transaction_is_refused_by_its_index() -> None:
    town = await settled()
    good, other = town.transfer("a0", "a1"), town.transfer("a0", "a2")

    with pytest.raises(AdmissionError) as caught:
        await town.admission.verify_block([good, forged(other)])
    assert (caught.value.index, caught.value.refusal.outcome) == (1, Outcome.BAD_SIGNATURE)
    with pytest.raises(AdmissionError) as caught:
        await town.admission.verify_block([b"nonsense", good])
    assert (caught.value.index, caught.value.refusal.outcome) == (0, Outcome.MALFORMED)


async def test_block_takes_from_the_pool_what_waits_there() -> None:
    """Also when the peer's copy of the signatures is worthless: ours is good."""
    town = await settled()
    (waiting,) = town.wait(town.transfer("a0", "a1"))

    (taken,) = await town.admission.verify_block([forged(waiting.raw)])

    assert taken is waiting


async def test_block_is_judged_at_its_time_not_now() -> None:
    town = await settled()
    raw = town.transfer("a0", "a1")
    town.clock.advance(10**9)

    (transaction,) = await town.admission.verify_block([raw])

    assert isinstance(transaction, AdmittedTransaction)


@pytest.mark.adversarial(38, 44)
async def test_what_a_proposer_names_waits_here_only_if_a_later_block_may_hold_it() -> None:
    """A transaction whose validity does not end would stand at the head of the pool for ever."""
    town = await settled()
    window_ms = town.genesis.transactions.window_ms
    now_ms = town.admission.now_ms()

    def signed(valid_until_ms: int, network: bytes | None = None) -> bytes:
        body = town.body(
            [transfer_operation()], ["a0"], valid_until_ms=valid_until_ms, network=network
        )
        return town.sign(body, ["a0"])

    (applied,) = town.admit(town.transfer("a0", "a1"))
    committed = await town.decide(applied.raw)
    assert committed.candidate.transaction_ids == (applied.id,)
    latest_ms = town.admission.now_ms() + window_ms
    raws = [
        signed(latest_ms),
        signed(latest_ms + 1),
        signed(TIME_MS_MAX),
        signed(now_ms - 1),
        signed(latest_ms, network=bytes(8)),
        applied.raw,
    ]

    transactions = await town.admission.verify_block(raws)

    may_wait = [town.admission.may_wait(each) for each in transactions]
    assert may_wait == [True, False, False, False, False, False]


def test_arbitrary_bytes_are_refused_and_nothing_else_happens() -> None:
    town = make_town()
    raw = town.transaction([transfer_operation()], ["central-bank"])

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=300) | st.integers(0, len(raw) - 1).map(lambda cut: raw[:cut]))
    def check(data: bytes) -> None:
        (result,) = town.admission.verify_batch([data])
        assert outcome(result) in (Outcome.MALFORMED, Outcome.TOO_LARGE)

    check()


def test_flipped_bytes_are_refused() -> None:
    town = make_town()
    raw = town.transaction([transfer_operation()], ["central-bank"])
    assert isinstance(town.admission.verify_batch([raw])[0], AdmittedTransaction)

    for place in range(len(raw)):
        flipped = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        (result,) = town.admission.verify_batch([flipped])
        assert isinstance(result, Refusal), place


def transfer_operation() -> Any:
    return Transfer(
        account=address_of("central-bank", "central-bank"),
        to=address_of(BANK, "a1"),
        asset=CASH,
        amount=1,
    )


@pytest.mark.adversarial(59)
async def test_applied_transaction_is_a_duplicate_also_after_its_window() -> None:
    """Whoever asks again after a lost answer must not hear that it never will be applied."""
    town = await settled()
    applied = town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + 5_000)
    never = town.transfer("a0", "a1", valid_until_ms=town.clock.now_ms() + 5_000)
    await town.decide(applied)
    town.clock.advance(10_000)

    results = town.admission.verify_batch([applied, never])

    assert [outcome(each) for each in results] == [Outcome.DUPLICATE, Outcome.EXPIRED]


async def test_long_block_lets_other_tasks_run() -> None:
    town = await settled()
    raws = [town.transfer("a0", "a1") for _ in range(3 * CHUNK_SIZE + 1)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(other())
        await town.admission.verify_block(raws)
        task.cancel()

    assert turns >= 3


async def test_what_was_looked_at_ahead_is_not_verified_again_until_the_next_look() -> None:
    town = await settled()
    raws = [town.transfer("a0", "a1", amount) for amount in range(1, 4)]
    admission = town.admission

    await admission.look_ahead(raws)
    assert admission.signatures_verified == 3
    assert [each.raw for each in await admission.verify_block(raws[:2])] == raws[:2]
    assert admission.signatures_verified == 3

    # Also what was looked at the time before, and then no more.
    more = [town.transfer("a1", "a2", amount) for amount in range(1, 4)]
    await admission.look_ahead(more[:2])
    assert len(await admission.verify_block(raws)) == 3
    assert admission.signatures_verified == 5
    await admission.look_ahead(more[2:])
    assert len(await admission.verify_block(more[:2])) == 2
    assert admission.signatures_verified == 6
    assert len(await admission.verify_block(raws)) == 3
    assert admission.signatures_verified == 9

    await admission.look_ahead(())
    assert len(await admission.verify_block(more[2:])) == 1
    assert admission.signatures_verified == 10


async def test_what_was_found_bad_ahead_is_found_bad_again() -> None:
    town = await settled()
    good, bad = town.transfer("a0", "a1", 1), forged(town.transfer("a0", "a1", 2))

    await town.admission.look_ahead([good, bad])

    for raws in ([good, bad], [bad]):
        with pytest.raises(AdmissionError, match="BAD_SIGNATURE"):
            await town.admission.verify_block(raws)
    await town.admission.look_ahead([good])
    with pytest.raises(AdmissionError, match="BAD_SIGNATURE"):
        await town.admission.verify_block([good, bad])


KINDS = ("new", "new", "two signers", "forged", "waiting", "begun", "applied", "late", "no bytes")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=6),
    st.lists(st.integers(0, 5), max_size=2),
    st.booleans(),
    st.sampled_from((1, 3, 100)),
)
async def test_columns_are_begun_as_one_after_the_other(
    kinds: list[str], twice: list[int], dry_run: bool, count_max: int
) -> None:
    towns = [await settled(), await settled()]
    begun = []
    for town in towns:
        raws = [await one_of(town, kind, number) for number, kind in enumerate(kinds)]
        raws += [raws[place % len(raws)] for place in twice]
        town.pool._count_max = count_max
        with pytest.MonkeyPatch.context() as patch:
            if town is towns[1]:
                patch.setattr(Admission, "_begin_fresh", lambda *_: False)
            batch = town.admission.begin(raws, dry_run=dry_run)
        pending = {each for each, other in town.admission._pending.items() if other is batch}
        before = (list(batch.results), list(batch.fresh), batch.places, batch.checks, pending)
        copies = [(copy.place, copy.transaction) for copy in batch.copies]
        results = town.admission.finish(batch, town.admission.verdicts(batch.checks))
        begun.append((*before, copies, results, town.admission.refused))

    assert begun[0] == begun[1]


async def one_of(town: Town, kind: str, number: int) -> bytes:
    """Return a transaction that is begun so; the same in each town."""
    salt = number.to_bytes(8)
    raw = town.transfer("a0", "a1", 1 + number, salt=salt)
    match kind:
        case "two signers":
            transfers = [
                Transfer(account=address_of(BANK, a), to=address_of(BANK, b), asset=CASH, amount=1)
                for a, b in (("a0", "a1"), ("a1", "a0"))
            ]
            raw = town.transaction(transfers, ["a0", "a1"], salt=salt)
        case "forged":
            raw = forged(raw)
        case "waiting":
            town.wait(raw)
        case "begun":
            town.admission.begin([raw])
        case "applied":
            await town.decide(raw)
        case "late":
            raw = town.transfer("a0", "a1", salt=salt, valid_until_ms=town.chain.head.time_ms)
        case "no bytes":
            raw = b""
        case _:
            pass
    return raw
