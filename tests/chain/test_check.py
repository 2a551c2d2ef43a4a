"""What a block must be: every way of being wrong, refused with its name, and nothing changed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.admission import AdmissionError, Refusal
from node.blocks import Header, transactions_root
from node.chain import BlockFault, Candidate, InvalidBlock
from node.chain.execution import Draft, execute
from node.chain.rules import BlockEnvelope
from node.codec import decode, encode, replace
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.errors import InvariantViolation
from node.ledger.outcomes import Details, Outcome
from node.ledger.transactions import SignedTransaction, TransactionError, check_envelope
from node.ledger.transition import check_in_force
from node.mempool import AdmittedTransaction
from tests.chain.stores import contents
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town


async def proposer_and_voter(accounts: int = 4, **options: Any) -> tuple[Town, Town]:
    """Two nodes of one network at one height."""
    towns = [make_town(record=make_record(**options)) for _ in range(2)]
    for town in towns:
        await town.settle(accounts)
    return towns[0], towns[1]


def proposed(town: Town, *raws: bytes) -> tuple[Candidate, list[AdmittedTransaction]]:
    transactions = town.admit(*raws)
    return town.build(transactions), transactions


def check(
    voter: Town,
    header: Header,
    transactions: Sequence[AdmittedTransaction],
    *,
    now_ms: int | None = None,
    certified: bool = False,
) -> Candidate:
    return voter.chain.check(header, transactions, now_ms=now_ms, certified=certified)


async def test_voter_computes_what_the_proposer_did() -> None:
    proposer, voter = await proposer_and_voter()
    candidate, transactions = proposed(
        proposer, proposer.transfer("a0", "a1"), proposer.transfer("a1", "a2", 10**9)
    )

    checked = check(voter, candidate.header, transactions, now_ms=proposer.clock.now_ms())

    assert checked == candidate
    assert voter.chain.check(candidate.header, (), now_ms=None) is checked


@given(
    version=st.integers(0, 2),
    ours=st.booleans(),
    ahead_ms=st.integers(-2, 2) | st.integers(599_998, 600_002) | st.integers(),
    ruling=st.integers(0, 2),
)
def test_envelope_is_judged_at_a_glance_as_by_the_one_who_says_why(
    version: int, ours: bool, ahead_ms: int, ruling: int
) -> None:
    town = make_town()
    body = replace(
        town.body([transfer_of("a0", "a1")], ["a0"], network=None if ours else bytes(8)),
        version=version,
        valid_until_ms=town.genesis.time_ms + ahead_ms,
    )

    expected = None
    details: Details = ()
    try:
        check_envelope(
            body, network=town.genesis.network, now_ms=town.genesis.time_ms, window_ms=600_000
        )
        check_in_force(body, ruling)
    except TransactionError as error:
        expected, details = error.outcome, error.details

    envelope = BlockEnvelope(town.genesis.time_ms, ruling, town.genesis)
    assert envelope.refusal(body) is expected
    assert envelope.accepts(body) == (expected is None)
    transaction = AdmittedTransaction(id=bytes(32), raw=b"", body=body, size_bytes=0)
    assert envelope.accepts_each([transaction] * 2) == (expected is None)
    if expected is not None:
        with pytest.raises(TransactionError) as refused:
            envelope.check(body)
        assert (refused.value.outcome, refused.value.details) == (expected, details)


async def test_block_is_applied_once_by_proposer_and_voter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proposer, voter = await proposer_and_voter()
    applied: list[int] = []

    def watched(draft: Draft, *others: Any, **named: Any) -> Candidate:
        applied.append(draft.time_ms)
        return execute(draft, *others, **named)

    monkeypatch.setattr("node.chain.chain.execute", watched)
    candidate, transactions = proposed(proposer, proposer.transfer("a0", "a1"))
    for _ in range(2):
        assert check(proposer, candidate.header, transactions) is candidate
    await proposer.chain.commit(candidate, proposer.certify(candidate))
    assert len(applied) == 1

    checked = check(voter, candidate.header, transactions, now_ms=proposer.clock.now_ms())
    assert check(voter, candidate.header, transactions, certified=True) is checked
    await voter.chain.commit(checked, voter.certify(checked))
    assert len(applied) == 2


def transfer_of(sender: str, receiver: str) -> Transfer:
    return Transfer(
        account=address_of(BANK, sender), to=address_of(BANK, receiver), asset=CASH, amount=1
    )


@pytest.mark.adversarial(60, 62)
async def test_block_holds_a_refusal_that_speaks_of_more_than_64_bits() -> None:
    """Valid in form, and passed on by peers: it must get its receipt, not stop every builder."""
    proposer, voter = await proposer_and_voter()
    central = address_of("central-bank", "central-bank")
    issue = Issue(account=central, approvers=(), asset=CASH, amount=2**64 - 1, to=central)
    raw = proposer.transaction([issue], ["central-bank"])

    candidate, transactions = proposed(proposer, raw)

    assert [each.outcome for each in candidate.receipts] == [Outcome.CEILING_EXCEEDED]
    assert check(voter, candidate.header, transactions) == candidate


@pytest.mark.adversarial(63)
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, BlockFault.WRONG_VERSION),
        ({"network": bytes(8)}, BlockFault.WRONG_NETWORK),
        ({"height": 4}, BlockFault.WRONG_HEIGHT),
        ({"height": 2}, BlockFault.WRONG_HEIGHT),
        ({"parent": bytes(32)}, BlockFault.WRONG_PARENT),
        ({"proposer": "central-bank"}, BlockFault.WRONG_PROPOSER),
        ({"proposer": "nobody"}, BlockFault.WRONG_PROPOSER),
        ({"round": 1}, BlockFault.WRONG_PROPOSER),
        ({"validators_hash": bytes(32)}, BlockFault.WRONG_VALIDATORS),
        ({"transaction_count": 1}, BlockFault.WRONG_TRANSACTIONS),
        ({"transactions_root": bytes(32)}, BlockFault.WRONG_TRANSACTIONS),
        ({"evidence_root": bytes(32)}, BlockFault.WRONG_EVIDENCE),
        ({"state_root": bytes(32)}, BlockFault.WRONG_RESULT),
        ({"receipts_root": bytes(32)}, BlockFault.WRONG_RESULT),
        ({"next_validators_hash": bytes(32)}, BlockFault.WRONG_RESULT),
        ({"parameters_hash": bytes(32)}, BlockFault.WRONG_RESULT),
    ],
)
async def test_header_that_is_wrong_in_one_field_is_refused(
    change: dict[str, Any], fault: BlockFault
) -> None:
    proposer, voter = await proposer_and_voter()
    candidate, transactions = proposed(
        proposer, proposer.transfer("a0", "a1"), proposer.transfer("a1", "a2")
    )
    before = contents(voter.store)

    with pytest.raises(InvalidBlock) as caught:
        check(voter, replace(candidate.header, **change), transactions)

    assert caught.value.fault is fault
    assert contents(voter.store) == before
    assert check(voter, candidate.header, transactions) == candidate


@pytest.mark.adversarial(63)
async def test_wrong_state_root_is_refused_with_both_roots() -> None:
    proposer, voter = await proposer_and_voter()
    candidate, transactions = proposed(proposer, proposer.transfer("a0", "a1"))
    wrong = b"\x11" * 32

    with pytest.raises(InvalidBlock) as caught:
        check(voter, replace(candidate.header, state_root=wrong), transactions)

    assert wrong.hex() in caught.value.detail
    assert candidate.header.state_root.hex() in caught.value.detail


@pytest.mark.adversarial(66)
async def test_node_that_computes_otherwise_than_a_quorum_stops_with_both_roots() -> None:
    """One unit off in one node's state: it stops itself before anything is committed."""
    proposer, voter = await proposer_and_voter()
    astray = make_town()
    await astray.settle(4, amount=1_000_001)
    good, transactions = proposed(proposer, proposer.transfer("a0", "a1"))
    astray_head = replace(
        good.header,
        parent=astray.chain.head.block_id,
        time_ms=astray.chain.head.time_ms + 1_000,
    )
    before = contents(astray.store)

    with pytest.raises(InvariantViolation) as caught:
        check(astray, astray_head, transactions, certified=True)

    (message,) = caught.value.args
    assert good.header.state_root.hex() in message
    assert "computed here" in message
    assert "height 3" in message
    assert contents(astray.store) == before
    assert check(voter, good.header, transactions, certified=True) == good


async def test_certified_block_with_other_contents_is_the_peers_fault() -> None:
    """The header is decided; what a peer sends as its transactions is not."""
    proposer, voter = await proposer_and_voter()
    candidate, _ = proposed(proposer, proposer.transfer("a0", "a1"))
    others = proposer.admit(proposer.transfer("a0", "a2"))

    with pytest.raises(InvalidBlock) as caught:
        check(voter, candidate.header, others, certified=True)

    assert caught.value.fault is BlockFault.WRONG_TRANSACTIONS


@pytest.mark.adversarial(66)
async def test_certified_block_that_breaks_a_rule_here_stops_the_node() -> None:
    proposer, voter = await proposer_and_voter()
    raw = proposer.transfer("a0", "a1")
    await proposer.decide(raw)
    await voter.decide(raw)
    seen = voter.vouch(raw)
    empty, _ = proposed(proposer)
    header = replace(
        empty.header, transactions_root=transactions_root([seen.id]), transaction_count=1
    )

    with pytest.raises(InvariantViolation, match="transaction-seen"):
        check(voter, header, [seen], certified=True)


# Time.


@pytest.mark.adversarial(31)
@pytest.mark.parametrize(
    ("offset_ms", "fault"),
    [
        (5_000, None),
        (5_001, BlockFault.TIME_TOO_FAR_AHEAD),
        (86_400_000, BlockFault.TIME_TOO_FAR_AHEAD),
        (-60_000, None),
        (-60_001, BlockFault.TIME_TOO_FAR_BEHIND),
    ],
)
async def test_time_of_a_new_block_lies_within_the_bounds(
    offset_ms: int, fault: BlockFault | None
) -> None:
    """The bounds of this genesis: five seconds ahead, a minute behind."""
    proposer, voter = await proposer_and_voter()
    proposer.clock.advance(200_000)
    candidate, _ = proposed(proposer)
    now_ms = candidate.header.time_ms - offset_ms

    if fault is None:
        check(voter, candidate.header, (), now_ms=now_ms)
        return
    with pytest.raises(InvalidBlock) as caught:
        check(voter, candidate.header, (), now_ms=now_ms)
    assert caught.value.fault is fault


@pytest.mark.adversarial(31)
async def test_committed_block_is_never_judged_by_the_clock() -> None:
    proposer, voter = await proposer_and_voter()
    proposer.clock.advance(10 * 365 * 86_400_000)
    candidate, _ = proposed(proposer)

    assert check(voter, candidate.header, (), now_ms=None, certified=True) == candidate


@pytest.mark.adversarial(63)
@pytest.mark.parametrize("offset_ms", [0, -1])
async def test_time_that_is_not_after_the_parents_is_refused(offset_ms: int) -> None:
    proposer, voter = await proposer_and_voter()
    candidate, _ = proposed(proposer)
    header = replace(candidate.header, time_ms=proposer.chain.head.time_ms + offset_ms)

    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, ())

    assert caught.value.fault is BlockFault.TIME_NOT_AFTER_PARENT


@pytest.mark.adversarial(32)
async def test_proposers_who_push_time_get_no_further_than_the_bound() -> None:
    """Each builds as far ahead as the others accept: time runs ahead once, and then with them."""
    proposer, voter = await proposer_and_voter()
    now_ms = proposer.clock.now_ms()
    for turn in range(20):
        now_ms += 100
        candidate = proposer.chain.build(
            round=0,
            time_ms=max(now_ms + 5_000, proposer.chain.head.time_ms + 1),
            transactions=(),
        )
        checked = check(voter, candidate.header, (), now_ms=now_ms)
        for town, each in ((proposer, candidate), (voter, checked)):
            await town.chain.commit(each, town.certify(each))
        assert voter.chain.head.time_ms - now_ms <= 5_000, turn


async def test_parent_at_the_edge_leaves_room_for_the_next_block() -> None:
    """A parent that is ahead of this node's clock by more than the bound: the next one passes."""
    proposer, voter = await proposer_and_voter()
    candidate, _ = proposed(proposer)

    check(voter, candidate.header, (), now_ms=candidate.header.time_ms - 5_000)
    behind = voter.chain.head.time_ms - 6_000
    header = proposer.chain.build(round=0, time_ms=0, transactions=()).header
    assert header.time_ms == proposer.chain.head.time_ms + 1
    check(voter, header, (), now_ms=behind)


# Transactions.


@pytest.mark.adversarial(57, 59)
async def test_transaction_that_was_applied_is_in_no_later_block() -> None:
    proposer, voter = await proposer_and_voter()
    raw = proposer.transfer("a0", "a1")
    (transaction,) = proposer.admit(raw)
    for town in (proposer, voter):
        await town.decide(raw)

    candidate = proposer.build([transaction])

    assert candidate.transaction_ids == ()
    assert candidate.dropped == (transaction.id,)
    header = replace(
        candidate.header,
        transactions_root=transactions_root([transaction.id]),
        transaction_count=1,
    )
    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, [transaction])
    assert caught.value.fault is BlockFault.TRANSACTION_SEEN


@pytest.mark.adversarial(57, 59)
@pytest.mark.parametrize("place", range(5))
async def test_what_a_block_may_not_hold_is_found_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr("node.chain.rules._PART_SIZE", 2)
    proposer, voter = await proposer_and_voter()
    old = proposer.transfer("a0", "a1")
    for town in (proposer, voter):
        await town.decide(old)
    others = [proposer.transfer("a0", "a1", amount) for amount in range(2, 6)]
    late = proposer.transfer("a0", "a1", valid_until_ms=proposer.chain.head.time_ms)
    candidate = proposer.build(proposer.admit(*others))

    for raw, fault in ((old, BlockFault.TRANSACTION_SEEN), (late, BlockFault.TRANSACTION_REFUSED)):
        bad = proposer.vouch(raw)
        transactions = proposer.admit(*others)
        transactions.insert(place, bad)
        header = replace(
            candidate.header,
            transactions_root=transactions_root([each.id for each in transactions]),
            transaction_count=len(transactions),
        )
        with pytest.raises(InvalidBlock) as caught:
            check(voter, header, transactions)
        assert caught.value.fault is fault


@pytest.mark.adversarial(59, 62)
async def test_transaction_that_was_refused_in_a_block_never_applies_later() -> None:
    """What it lacked has come since; its id is used up, and whoever signed it knows the outcome."""
    proposer, voter = await proposer_and_voter()
    raw, funds = proposer.transfer("a0", "a1", 1_500_000), proposer.transfer("a2", "a0", 900_000)
    for town in (proposer, voter):
        committed = await town.decide(raw)
        assert committed.candidate.receipts[0].outcome is Outcome.HOLDING_INSUFFICIENT
        await town.decide(funds)
    (transaction,) = await voter.admission.verify_block([raw])

    candidate = proposer.build([transaction])

    assert candidate.transaction_ids == ()
    assert candidate.dropped == (transaction.id,)
    header = replace(
        candidate.header,
        transactions_root=transactions_root([transaction.id]),
        transaction_count=1,
    )
    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, [transaction])
    assert caught.value.fault is BlockFault.TRANSACTION_SEEN
    (answer,) = voter.admission.verify_batch([raw])
    assert isinstance(answer, Refusal)
    assert answer.outcome is Outcome.DUPLICATE
    assert voter.chain.transaction(transaction.id) is not None


@pytest.mark.adversarial(57, 63)
@pytest.mark.parametrize("spoil", ["forge", "swap", "strip"])
async def test_proposer_cannot_use_up_the_id_of_an_honest_user(spoil: str) -> None:
    """With signatures that do not hold, those of another, or none: no voter takes the block.

    The id is then as unused as before, and the user's own copy is applied.
    """
    proposer, voter = await proposer_and_voter()
    raw = proposer.transfer("a0", "a1")
    signed = decode(raw, SignedTransaction)
    other = decode(proposer.transfer("a2", "a1"), SignedTransaction)
    signatures = {"forge": (bytes(64),), "swap": other.signatures, "strip": ()}[spoil]
    spoilt = encode((signed.body, signatures))
    (transaction,) = proposer.admit(raw)
    # What a proposer makes that does not look: the id is that of the body, so its root is right.
    candidate = proposer.build([replace(transaction, raw=spoilt)])
    assert candidate.transaction_ids == (transaction.id,)

    with pytest.raises(AdmissionError):
        await voter.admission.verify_block(candidate.block.transactions)

    assert not voter.chain.seen(transaction.id)
    committed = await voter.decide(raw)
    assert committed.candidate.transaction_ids == (transaction.id,)
    assert committed.candidate.receipts[0].outcome is Outcome.APPLIED


@pytest.mark.adversarial(57)
async def test_block_holds_a_transaction_once() -> None:
    proposer, voter = await proposer_and_voter()
    candidate, (transaction,) = proposed(proposer, proposer.transfer("a0", "a1"))
    header = replace(
        candidate.header,
        transactions_root=transactions_root([transaction.id] * 2),
        transaction_count=2,
    )

    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, [transaction, transaction])

    assert caught.value.fault is BlockFault.TRANSACTION_TWICE


@pytest.mark.adversarial(57)
async def test_other_signatures_over_one_body_are_the_same_block() -> None:
    """An id covers the body: two nodes may hold different good copies, and agree."""
    proposer, voter = await proposer_and_voter()
    candidate, (transaction,) = proposed(proposer, proposer.transfer("a0", "a1"))
    copy = AdmittedTransaction(
        id=transaction.id,
        raw=transaction.raw,
        body=transaction.body,
        size_bytes=transaction.size_bytes + 64,
    )

    assert check(voter, candidate.header, [copy]).block_id == candidate.block_id


@pytest.mark.adversarial(59)
@pytest.mark.parametrize(
    ("valid_for_ms", "held"),
    [
        (-1, False),
        (0, True),
        (1, True),
        (600_000, True),
        (600_001, False),
    ],
)
async def test_block_holds_what_is_valid_at_its_time(valid_for_ms: int, *, held: bool) -> None:
    """Valid until exactly the block's time is valid; one millisecond over the window is not."""
    proposer, voter = await proposer_and_voter()
    time_ms = proposer.chain.head.time_ms + 5_000
    raw = proposer.transfer("a0", "a1", valid_until_ms=time_ms + valid_for_ms)
    transaction = proposer.vouch(raw)

    candidate = proposer.chain.build(round=0, time_ms=time_ms, transactions=[transaction])

    assert (candidate.transaction_ids == (transaction.id,)) == held
    # What is too far ahead now may be held later: the pool keeps it.
    assert candidate.dropped == ((transaction.id,) if valid_for_ms < 0 else ())
    header = replace(
        candidate.header,
        transactions_root=transactions_root([transaction.id]),
        transaction_count=1,
    )
    if held:
        assert check(voter, header, [transaction]) == candidate
        return
    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, [transaction])
    assert caught.value.fault is BlockFault.TRANSACTION_REFUSED


@pytest.mark.adversarial(59)
async def test_id_is_refused_just_before_and_just_after_its_window_closes() -> None:
    town = make_town(record=make_record(window_ms=60_000))
    await town.settle(2)
    until_ms = town.chain.head.time_ms + 10_000
    raw = town.transfer("a0", "a1", valid_until_ms=until_ms)
    (transaction,) = town.admit(raw)
    await town.decide(raw)
    for time_ms in (until_ms - 1, until_ms, until_ms + 1):
        candidate = town.chain.build(round=0, time_ms=time_ms, transactions=[transaction])
        assert candidate.transaction_ids == ()
        await town.chain.commit(candidate, town.certify(candidate))
        assert town.chain.head.time_ms == time_ms


@pytest.mark.adversarial(59)
async def test_refused_transaction_holds_up_none_of_its_senders_others() -> None:
    town = make_town()
    await town.settle(3, amount=1_000)
    raws = [town.transfer("a0", "a1", 10**6 if number == 4 else 1) for number in range(100)]

    committed = await town.decide(*raws)

    outcomes = [receipt.outcome for receipt in committed.candidate.receipts]
    assert outcomes[4] is Outcome.HOLDING_INSUFFICIENT
    assert outcomes[:4] + outcomes[5:] == [Outcome.APPLIED] * 99
    assert all(town.chain.seen(each) for each in committed.candidate.transaction_ids)


@pytest.mark.adversarial(62)
async def test_transaction_valid_when_admitted_and_refused_in_the_block_gets_a_receipt() -> None:
    proposer, voter = await proposer_and_voter()
    raws = [proposer.transfer("a0", "a1", 700_000), proposer.transfer("a0", "a2", 700_000)]
    alone = [proposer.chain.simulate(each.body, now_ms=0) for each in proposer.admit(*raws)]
    assert [receipt.outcome for receipt in alone] == [Outcome.APPLIED] * 2

    candidate, transactions = proposed(proposer, *raws)
    checked = check(voter, candidate.header, transactions)

    outcomes = [receipt.outcome for receipt in checked.receipts]
    assert outcomes == [Outcome.APPLIED, Outcome.HOLDING_INSUFFICIENT]
    assert checked.receipts == candidate.receipts


# Size.


@pytest.mark.adversarial(43)
async def test_block_of_more_transactions_than_the_genesis_allows_is_refused() -> None:
    proposer, _ = await proposer_and_voter()
    _, voter = await proposer_and_voter(transactions_max=5_000)
    candidate, transactions = proposed(proposer, proposer.transfer("a0", "a1"))
    header = replace(candidate.header, transaction_count=5_001)

    with pytest.raises(InvalidBlock) as caught:
        check(voter, header, transactions)

    assert caught.value.fault is BlockFault.TOO_MANY_TRANSACTIONS


@pytest.mark.adversarial(43)
async def test_block_larger_than_the_genesis_allows_is_refused() -> None:
    proposer, voter = await proposer_and_voter(size_bytes_max=1 << 17)
    candidate, (transaction,) = proposed(proposer, proposer.transfer("a0", "a1"))
    huge = AdmittedTransaction(
        id=transaction.id, raw=transaction.raw, body=transaction.body, size_bytes=1 << 17
    )

    with pytest.raises(InvalidBlock) as caught:
        check(voter, candidate.header, [huge])

    assert caught.value.fault is BlockFault.TOO_LARGE


async def test_builder_fills_a_block_to_its_limits_and_no_further() -> None:
    town = make_town(record=make_record(transactions_max=3))
    await town.settle(4)
    transactions = town.admit(*(town.transfer("a0", "a1") for _ in range(5)))

    by_count = town.build(transactions)

    assert by_count.transaction_ids == tuple(each.id for each in transactions[:3])
    assert by_count.dropped == ()

    tight = make_town(record=make_record(size_bytes_max=1 << 17))
    await tight.settle(4)
    many = tight.admit(*(tight.transfer("a0", "a1") for _ in range(1_000)))
    by_size = tight.build(many)
    held = len(by_size.transaction_ids)
    assert 0 < held < 1_000
    assert sum(len(raw) for raw in by_size.block.transactions) <= 1 << 17
    assert by_size.transaction_ids == tuple(each.id for each in many[:held])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3_000)), max_size=8))
def test_any_transfers_give_every_node_the_same_block(moves: list[tuple[int, int, int]]) -> None:
    async def run() -> None:
        proposer, voter = await proposer_and_voter()
        raws = [proposer.transfer(f"a{a}", f"a{b}", amount * 1_000) for a, b, amount in moves]
        candidate, transactions = proposed(proposer, *raws)
        checked = check(voter, candidate.header, transactions)
        assert checked == candidate
        for town in (proposer, voter):
            await town.chain.commit(candidate, town.certify(candidate))
        assert contents(proposer.store) == contents(voter.store)

    asyncio.run(run())
