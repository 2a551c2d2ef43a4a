"""Proof files: true ones are understood, and no byte of them can change."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from consensus.types import FaultModel
from node.blocks import record_of_certificate
from node.chain import NothingToProve
from node.codec import encode, replace
from node.genesis import genesis_of
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    HOLDINGS,
    PARTICIPANTS,
    VALIDATORS,
    HoldingRecord,
    holding_key,
    name_key,
)
from node.proofs import (
    ProofError,
    ProofFault,
    ProofRecord,
    render_proof,
    render_time,
    verify_proof_file,
)
from tests.chain.town import BANK, CASH, Town, address_of, make_record, make_town

Json = Any


async def settled(accounts: int = 12, **options: Any) -> Town:
    town = make_town(**options)
    await town.settle(accounts)
    return town


def holding_of(town: Town, name: str = "a0", asset: str = CASH) -> ProofRecord:
    return town.chain.prove(HOLDINGS, holding_key(address_of(BANK, name), asset))


def fault_of(town: Town, content: bytes | str) -> ProofFault:
    with pytest.raises(ProofError) as caught:
        verify_proof_file(content, town.genesis)
    return caught.value.fault


def changed(record: ProofRecord, change: Callable[[Json], None]) -> str:
    """The file with its JSON changed, in the right spelling."""
    document = json.loads(render_proof(record))
    change(document)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


async def test_holding_is_proven_in_words() -> None:
    town = await settled()
    await town.decide(town.transfer("a0", "a1", 12_345))

    verified = verify_proof_file(render_proof(holding_of(town)).encode(), town.genesis)

    assert verified.statement == (
        "Account tkhz1z5ll2qcz4dg3c35wv2laqzrsj3nq2ghc8h9ncl holds 9,876.55 PKR-CB"
        " (Rupee of the central bank) available and 0.00 under holds, after block 3 of the"
        " network town at 2020-09-13T12:26:44.000Z."
    )
    assert (verified.height, verified.block_id) == (3, town.chain.head.block_id)
    assert verified.signers == ("central-bank", "crypto-council", "finance-ministry")
    assert verified.entries[0].record == HoldingRecord(available=987_655, held=0)
    assert [entry.table for entry in verified.entries] == [HOLDINGS, ASSETS]


async def test_absence_is_proven_in_words() -> None:
    town = await settled()

    verified = verify_proof_file(render_proof(holding_of(town, asset="GOLD")), town.genesis)

    assert verified.entries[0].record is None
    assert "holds no GOLD" in verified.statement


@pytest.mark.parametrize(
    ("prove", "said"),
    [
        (lambda town: town.chain.prove(ACCOUNTS, address_of(BANK, "a3")), '"owner": "bank"'),
        (lambda town: town.chain.prove(ACCOUNTS, bytes(20)), "nothing under tkhz1"),
        (lambda town: town.chain.prove(PARTICIPANTS, name_key(BANK)), "under 'bank'"),
        (lambda town: town.chain.prove(VALIDATORS, name_key("central-bank")), "validators"),
        (lambda town: town.chain.prove(ASSETS, name_key(CASH)), '"ceiling"'),
        (lambda town: town.chain.prove(HOLDINGS, b"short"), "nothing under 'short'"),
        (lambda town: town.chain.prove(HOLDINGS, b"\xff" * 30), "nothing under ffffff"),
    ],
)
async def test_every_kind_of_record_is_proven(
    prove: Callable[[Town], ProofRecord], said: str
) -> None:
    town = await settled()

    assert said in verify_proof_file(render_proof(prove(town)), town.genesis).statement


@pytest.mark.parametrize(
    "asset",
    [
        CASH + "\u200b",
        "\ufeff" + CASH,
        CASH + " ",
        CASH.lower(),
        f"X, and account khz1qqqq holds 9,876.55 {CASH}",
    ],
    ids=ascii,
)
async def test_absence_under_a_name_that_no_asset_has_is_no_sentence_about_an_asset(
    asset: str,
) -> None:
    town = await settled()

    statement = verify_proof_file(
        render_proof(holding_of(town, asset=asset)), town.genesis
    ).statement

    assert "holds" not in statement
    assert f"nothing under {address_of(BANK, 'a0').hex()}{asset.encode().hex()}" in statement


async def test_what_an_absent_key_says_is_no_sentence() -> None:
    town = await settled()
    key = b"x', and account khz1qqqq holds '9"

    proof = render_proof(town.chain.prove(PARTICIPANTS, key))

    assert f"under {key.hex()}" in verify_proof_file(proof, town.genesis).statement


async def test_nothing_is_proven_before_the_first_block() -> None:
    with pytest.raises(NothingToProve):
        holding_of(make_town())


async def test_file_is_refused_after_any_byte_is_changed() -> None:
    """Every byte, in turn by another digit, by one bit, by its case, or left out."""
    town = await settled(3)
    await town.decide(town.remove_validator("crypto-council"))
    content = render_proof(holding_of(town)).encode()
    verify_proof_file(content, town.genesis)

    for place, byte in enumerate(content):
        digit = b"1" if byte == ord("0") else b"0"
        ways = (digit, bytes([byte ^ 1]), bytes([byte ^ 32]), b"")
        altered = content[:place] + ways[place % 4] + content[place + 1 :]
        with pytest.raises(ProofError):
            verify_proof_file(altered, town.genesis)


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text + "\n",
        lambda text: text[:-1],
        lambda text: " " + text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: json.dumps(json.loads(text)),
        lambda text: json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n",
        lambda text: text.replace('"format"', '"f\\u006frmat"'),
        lambda text: text.replace('"height": 2', '"height": 2.0'),
    ],
)
async def test_other_spelling_of_a_proof_is_refused(respell: Callable[[str], str]) -> None:
    town = await settled(2)
    text = render_proof(holding_of(town))
    assert respell(text) != text

    assert fault_of(town, respell(text)) in (ProofFault.NOT_CANONICAL, ProofFault.UNREADABLE)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda document: document.update(note="hello"), ProofFault.UNREADABLE),
        (lambda document: document.pop("handovers"), ProofFault.UNREADABLE),
        (lambda document: document.update(format="khz-proof/2"), ProofFault.UNREADABLE),
        (lambda document: document.update(genesis_hash="00" * 32), ProofFault.WRONG_NETWORK),
        (lambda document: document["header"].update(network="00" * 8), ProofFault.WRONG_NETWORK),
        (lambda document: document["header"].update(height=3), ProofFault.NOT_DECIDED),
        (lambda document: document["header"].update(state_root="00" * 32), ProofFault.NOT_DECIDED),
        (
            lambda document: document["header"].update(validators_hash="00" * 32),
            ProofFault.WRONG_VALIDATORS,
        ),
        (lambda document: document["certificate"].update(kind=1), ProofFault.NOT_DECIDED),
        (
            lambda document: document["certificate"]["signatures"].pop(),
            ProofFault.NOT_DECIDED,
        ),
        (
            lambda document: document["certificate"]["signatures"].reverse(),
            ProofFault.NOT_DECIDED,
        ),
        (lambda document: document["entries"][0].update(value=None), ProofFault.NOT_IN_STATE),
        (lambda document: document["entries"][0].update(table="holds"), ProofFault.NOT_IN_STATE),
        (lambda document: document["entries"][0].update(table="wishes"), ProofFault.NOT_IN_STATE),
        (
            lambda document: document["entries"][0].update(key="00" * 26),
            ProofFault.NOT_IN_STATE,
        ),
        (
            lambda document: document["entries"][0].update(
                value=encode(HoldingRecord(available=1 << 40, held=0)).hex()
            ),
            ProofFault.NOT_IN_STATE,
        ),
        (
            lambda document: document["entries"].reverse(),
            ProofFault.WRONG_STATEMENT,
        ),
        (lambda document: document["entries"].pop(), ProofFault.WRONG_STATEMENT),
        (lambda document: document["entries"].clear(), ProofFault.UNREADABLE),
        (lambda document: document.update(statement="All is well."), ProofFault.WRONG_STATEMENT),
    ],
)
async def test_forged_proof_is_refused_by_the_check_that_it_fails(
    change: Callable[[Json], None], fault: ProofFault
) -> None:
    town = await settled()

    assert fault_of(town, changed(holding_of(town), change)) is fault


async def test_proof_of_another_network_is_refused() -> None:
    town = await settled(1)
    record = make_record()
    other = genesis_of(replace(record, time_ms=record.time_ms - 1))

    with pytest.raises(ProofError) as caught:
        verify_proof_file(render_proof(holding_of(town)), other)

    assert caught.value.fault is ProofFault.WRONG_NETWORK


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", b"\xff", "{" * 100, "1" * 100])
async def test_what_is_no_proof_is_refused(content: bytes | str) -> None:
    assert fault_of(make_town(), content) is ProofFault.UNREADABLE


# Handovers.


async def changed_hands() -> Town:
    """Three changes of validators: one leaves, keys change, and quiet blocks between."""
    town = await settled(2)
    await town.decide(town.remove_validator("crypto-council"))
    await town.decide()
    await town.decide(town.rotate_validator("finance-ministry"))
    await town.decide(town.rotate_validator("central-bank"))
    await town.decide()
    return town


@pytest.mark.adversarial(23)
async def test_proof_leads_through_every_change_of_validators() -> None:
    town = await changed_hands()

    record = holding_of(town)

    assert [handover.header.height for handover in record.handovers] == [3, 5, 6]
    assert verify_proof_file(render_proof(record), town.genesis).height == 7


@pytest.mark.adversarial(23)
async def test_header_that_changes_the_set_is_decided_by_the_old_one() -> None:
    """Off by one, both ways: a block that changes the set, and the first of the new set."""
    town = await settled(2)
    changing = await town.decide(town.remove_validator("crypto-council"))
    record = holding_of(town)
    assert record.handovers == ()
    assert len(changing.certificate.signatures) == 3
    verify_proof_file(render_proof(record), town.genesis)

    await town.decide()
    after = holding_of(town)
    assert [handover.header.height for handover in after.handovers] == [3]
    verify_proof_file(render_proof(after), town.genesis)
    early = replace(record, handovers=after.handovers)
    assert fault_of(town, render_proof(early)) is ProofFault.WRONG_VALIDATORS
    late = replace(after, handovers=())
    assert fault_of(town, render_proof(late)) is ProofFault.WRONG_VALIDATORS


@pytest.mark.adversarial(50, 55)
async def test_validators_of_the_past_prove_nothing_new() -> None:
    """A header signed by a quorum of the old set, after the set has changed."""
    town = await settled(2)
    old_names = [validator.id for validator in town.chain.validators]
    await town.decide(town.remove_validator("crypto-council"))
    await town.decide()
    record = holding_of(town)
    by_old = town.certificate(record.header.height, town.chain.head.block_id, names=old_names)
    forged = replace(record, certificate=record_of_certificate(by_old))

    assert fault_of(town, render_proof(forged)) is ProofFault.NOT_DECIDED


@pytest.mark.adversarial(55)
@pytest.mark.parametrize(
    ("model", "validators", "signers", "enough"),
    [
        (FaultModel.BYZANTINE, 4, 3, True),
        (FaultModel.BYZANTINE, 4, 2, False),
        (FaultModel.BYZANTINE, 3, 2, False),
        (FaultModel.CRASH, 4, 2, False),
        (FaultModel.CRASH, 3, 2, True),
    ],
)
async def test_certificate_at_the_threshold(
    model: FaultModel, validators: int, signers: int, *, enough: bool
) -> None:
    """Exactly two thirds, exactly one half, and one more."""
    town = await settled(1, record=make_record(validators, fault_model=model))
    names = [validator.id for validator in town.chain.validators][:signers]
    record = holding_of(town)
    certificate = town.certificate(record.header.height, town.chain.head.block_id, names=names)
    text = render_proof(replace(record, certificate=record_of_certificate(certificate)))

    if enough:
        verify_proof_file(text, town.genesis)
    else:
        assert fault_of(town, text) is ProofFault.NOT_DECIDED


@pytest.mark.parametrize(
    "change",
    [
        lambda handovers: handovers[1:],
        lambda handovers: handovers[:-1],
        lambda handovers: handovers[::-1],
        lambda handovers: (*handovers, handovers[-1]),
        lambda handovers: (
            replace(handovers[0], validators=handovers[1].validators),
            *handovers[1:],
        ),
        lambda handovers: (
            replace(handovers[0], certificate=handovers[1].certificate),
            *handovers[1:],
        ),
    ],
)
async def test_broken_chain_of_handovers_is_refused(change: Callable[[Any], Any]) -> None:
    town = await changed_hands()
    record = holding_of(town)
    broken = replace(record, handovers=change(record.handovers))

    assert fault_of(town, render_proof(broken)) in (
        ProofFault.WRONG_VALIDATORS,
        ProofFault.NOT_DECIDED,
    )


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_600_000_000_123, "2020-09-13T12:26:40.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "253402300800000 ms"),
        (2**53 - 1, "9007199254740991 ms"),
    ],
)
def test_time_is_rendered_to_the_millisecond(time_ms: int, text: str) -> None:
    assert render_time(time_ms) == text
