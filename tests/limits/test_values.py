"""Limits that no other test runs into, each hit from where it would be hit."""

import asyncio
import io
import json
import tracemalloc
from typing import Any

import pytest

from consensus.errors import InvalidValue
from consensus.types import ValidatorId
from consensus.validators import VALIDATORS_MAX, Validator, ValidatorSet
from node.client import Client, Draft
from node.client.bulk import LIST_BYTES_MAX, LIST_MAX
from node.codec import CodecError
from node.genesis import GenesisError, parse_genesis
from node.genesis.loading import FAULTS_MAX
from node.genesis.located import DEPTH_MAX, INTEGER_DIGITS_MAX, LocatedError, parse_located
from node.keys.certificates import CERTIFICATE_SIZE_MAX, check_certificate
from node.keys.errors import CertificateError
from node.log import silent_log
from node.metrics import Metrics
from node.network import Forgot
from node.replica.entries import ENTRY_SIZE_MAX, decode_entry
from node.replica.returning import CALLED_AHEAD_MAX, CALLS_MAX
from node.rpc import RpcLimits
from node.rpc.subscriptions import FILTER_MAX
from node.snapshots import Pins
from node.snapshots.pins import PINS_MAX
from node.upkeep.backup_file import FRAME_SIZE_MAX, MAGIC, BackupError, BackupReader, Kind
from node.upkeep.faults import FAULTS_MAX as CHECK_FAULTS_MAX
from node.upkeep.faults import Faults, Part
from tests.app.cluster import cluster
from tests.app.puppet import puppet
from tests.app.test_lies import HONEST, B, goes_on, send_all, started
from tests.chain.town import make_town
from tests.fuzz import seeds
from tests.network.virtual_time import run_virtual
from tests.rpc.solo import solo_node

MIB = 1 << 20


def test_a_set_of_more_validators_than_a_certificate_can_name_cannot_be_built() -> None:
    def built(count: int) -> ValidatorSet:
        return ValidatorSet(
            tuple(
                Validator(id=ValidatorId(f"v{number:04}"), public_key=number.to_bytes(32))
                for number in range(count)
            )
        )

    assert len(built(VALIDATORS_MAX)) == VALIDATORS_MAX
    with pytest.raises(InvalidValue):
        built(VALIDATORS_MAX + 1)


def test_a_genesis_full_of_faults_reports_the_first_hundred() -> None:
    document: dict[str, Any] = json.loads(seeds.genesis_files()[0])
    document |= {f"unknown-{number}": number for number in range(3 * FAULTS_MAX)}

    with pytest.raises(GenesisError) as caught:
        parse_genesis(json.dumps(document))

    assert len(caught.value.faults) == FAULTS_MAX


def test_a_document_nested_to_its_limit_is_read_and_no_deeper() -> None:
    deepest = "[" * DEPTH_MAX + "1" + "]" * DEPTH_MAX

    parse_located(deepest)
    with pytest.raises(LocatedError, match="nested"):
        parse_located(f"[{deepest}]")


def test_a_number_of_as_many_digits_as_it_may_have_is_read_and_none_longer() -> None:
    assert parse_located("9" * INTEGER_DIGITS_MAX).value == int("9" * INTEGER_DIGITS_MAX)
    with pytest.raises(LocatedError, match="64 bits"):
        parse_located("9" * (INTEGER_DIGITS_MAX + 1))


def test_a_certificate_larger_than_any_of_ours_is_not_parsed() -> None:
    with pytest.raises(CertificateError, match="not a certificate"):
        check_certificate(bytes(CERTIFICATE_SIZE_MAX))
    with pytest.raises(CertificateError, match="at most"):
        check_certificate(bytes(CERTIFICATE_SIZE_MAX + 1))


def test_a_log_entry_larger_than_any_block_is_not_parsed() -> None:
    data = bytes(ENTRY_SIZE_MAX + 1)

    tracemalloc.start()
    try:
        with pytest.raises(CodecError, match="at most"):
            decode_entry(data)
        _, highest_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert highest_bytes < MIB


def test_a_check_keeps_a_bounded_number_of_faults_and_counts_the_rest() -> None:
    faults = Faults()
    for height in range(3 * CHECK_FAULTS_MAX):
        faults.add(Part.BLOCKS, f"height {height}", found=1, expected=2, advice="none")

    assert len(faults.first) == CHECK_FAULTS_MAX
    assert faults.count == 3 * CHECK_FAULTS_MAX


def test_a_frame_of_a_backup_that_claims_too_much_is_not_read() -> None:
    header = bytes((Kind.ABOUT,)) + (FRAME_SIZE_MAX + 1).to_bytes(4)
    file = io.BytesIO(MAGIC + header + bytes(MIB))

    with pytest.raises(BackupError, match=str(FRAME_SIZE_MAX + 1)):
        BackupReader(file).check()

    assert file.tell() == len(MAGIC) + len(header)


async def test_a_filter_names_as_many_accounts_as_it_may_and_no_more() -> None:
    async with (
        solo_node(settled=False, limits=RpcLimits(calls_per_second=None)) as solo,
        solo.session.ws_connect(solo.url + "/ws") as socket,
    ):
        for count, accepted in ((FILTER_MAX, True), (FILTER_MAX + 1, False)):
            params = {"topics": ["blocks"], "assets": ["X"] * count}
            await socket.send_json(
                {"jsonrpc": "2.0", "id": count, "method": "khz_subscribe", "params": params}
            )
            while (answer := await socket.receive_json()).get("id") != count:
                pass
            assert ("result" in answer) is accepted


async def test_a_client_hands_in_lists_of_bounded_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = LIST_MAX + 10
    async with solo_node(sealing=True, limits=RpcLimits(calls_per_second=None)) as solo:
        raws = [solo.town.transfer("a0", "a1", 1) for _ in range(count)]
        lengths: list[int] = []
        submit = solo.intake.submit

        async def noted(given: Any) -> Any:
            lengths.append(len(given))
            assert sum(map(len, given)) <= LIST_BYTES_MAX
            return await submit(given)

        monkeypatch.setattr(solo.intake, "submit", noted)
        async with Client(solo.url, network=solo.network) as client:
            drafts = [Draft.of_raw(raw, solo.network) for raw in raws]
            results = await client.submit_many(drafts)

    assert all(result.applied for result in results)
    assert max(lengths) == LIST_MAX


def test_a_validator_that_says_it_forgot_draws_nobody_far_and_not_often() -> None:
    async def main() -> None:
        async with cluster() as network, puppet(network, B) as liar:
            await started(network, liar)
            for number in range(300):
                for round_ in (1 + number % 8, CALLED_AHEAD_MAX + 1 + number, 1 << 31):
                    send_all(liar, Forgot(height=0, round=round_, begins=True))
            await asyncio.sleep(3.0)

            for name in HONEST:
                replica = network[name].up.replica
                assert replica._engine.round <= CALLED_AHEAD_MAX
                calls = replica._memories._calls._taken
                assert all(len(rounds) <= CALLS_MAX for rounds in calls.values())
            await goes_on(network)

    run_virtual(main())


async def test_only_the_newest_snapshots_are_kept_pinned() -> None:
    town = make_town()
    pins = Pins(
        town.chain, town.store, interval=1, thread=None, metrics=Metrics(), log=silent_log()
    )
    await town.settle(1)
    for _ in range(3 * PINS_MAX):
        await town.decide()

    head = town.chain.head.height
    assert pins.heights == tuple(range(head - PINS_MAX + 1, head + 1))
    pins.close()
