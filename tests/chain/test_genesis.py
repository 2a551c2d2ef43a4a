"""The genesis file: all faults at once with their lines, one hash for one meaning."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consensus.types import FaultModel
from node.codec import replace
from node.genesis import (
    Genesis,
    GenesisError,
    explain_quorum,
    genesis_of,
    load_genesis,
    parse_genesis,
)
from node.keys import LocalSigner
from node.keys.certificates import create_tls_identity
from node.keys.development import development_signer
from node.ledger.founding import found
from node.ledger.state import LedgerState, MemoryRecords
from tests.chain.town import make_record

Json = Any


def text(change: Callable[[Json], None] | None = None, **options: Any) -> str:
    """A good genesis file, with one thing changed in its JSON."""
    document = json.loads(genesis_of(make_record(**options)).render())
    if change is not None:
        change(document)
    return json.dumps(document, indent=2) + "\n"


def faults(source: str) -> list[tuple[str, str]]:
    with pytest.raises(GenesisError) as caught:
        parse_genesis(source)
    return [(fault.key, fault.message) for fault in caught.value.faults]


def line_of(source: str, fragment: str) -> int:
    return source[: source.index(fragment)].count("\n") + 1


def test_rendered_genesis_reads_as_itself() -> None:
    genesis = genesis_of(make_record())

    assert parse_genesis(genesis.render()) == genesis
    assert parse_genesis(genesis.render()).render() == genesis.render()


def test_hash_of_genesis_is_golden() -> None:
    """Changing it is a change of protocol, and stands in the changelog under Protocol."""
    record = replace(make_record(), powers=())

    assert genesis_of(record).hash.hex() == (
        "d10407a01e0939ce5dd4657ab1731e8fa347961855832ad73b6bbcdbd69600fc"
    )


@pytest.mark.parametrize("section", ["validators", "participants", "accounts", "powers"])
def test_order_of_lists_in_the_file_means_nothing(section: str) -> None:
    source = text(lambda document: document[section].reverse())

    assert parse_genesis(source) == genesis_of(make_record())


def test_every_scalar_of_the_file_is_in_the_hash() -> None:
    usual = genesis_of(make_record())
    changes: list[Callable[[Json], None]] = [
        lambda document: document.update(name="village"),
        lambda document: document.update(time_ms=1),
        lambda document: document.update(fault_model="crash"),
        lambda document: document["transactions"].update(window_ms=60_000),
        lambda document: document["parameters"].append({"name": "validators-min", "value": 2}),
        lambda document: document["accounts"][0].update(salt="11" * 8),
        *(
            lambda document, name=name: document["consensus"].update(
                {name: document["consensus"][name] + 1}
            )
            for name in json.loads(usual.render())["consensus"]
        ),
        *(
            lambda document, name=name: document["blocks"].update(
                {name: document["blocks"][name] - 1}
            )
            for name in json.loads(usual.render())["blocks"]
        ),
    ]
    hashes = [parse_genesis(text(change)).hash for change in changes]

    assert len({usual.hash, *hashes}) == len(changes) + 1


def test_all_faults_are_reported_at_once_with_their_lines() -> None:
    def spoil(document: Json) -> None:
        document["name"] = "Town Hall"
        document["blocks"]["gather_ms"] = 60_001
        document["participants"][1]["jurisdiction"] = 92
        document["validators"][2]["public_key"] = "AB"
        del document["transactions"]["window_ms"]
        document["transactions"]["window"] = 600_000

    source = text(spoil)
    with pytest.raises(GenesisError) as caught:
        parse_genesis(source, file="town.json")
    found_at = {fault.key: fault for fault in caught.value.faults}

    assert set(found_at) == {
        "name",
        "blocks.gather_ms",
        "participants.1.jurisdiction",
        "validators.2.public_key",
        "transactions",
        "transactions.window",
    }
    assert found_at["name"].line == line_of(source, '"Town Hall"')
    assert found_at["blocks.gather_ms"].line == line_of(source, "60001")
    assert found_at["validators.2.public_key"].line == line_of(source, '"AB"')
    assert found_at["transactions.window"].line == line_of(source, '"window"')
    assert "window_ms" in found_at["transactions"].message
    assert str(found_at["name"]).startswith(f"town.json:{found_at['name'].line}: name: ")
    assert [fault.line for fault in caught.value.faults] == sorted(
        fault.line for fault in caught.value.faults
    )


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("", 1, "ends"),
        ("{\n", 2, "key"),
        ('{\n "name": 1.5}', 2, "integer"),
        ('{\n "a": 1,\n "a": 1}', 3, "second time"),
        ("{}\n{}", 2, "follows"),
        ('{"a": NaN}', 1, "no JSON value"),
        ('{"a": "\\ud800"}', 1, "surrogate"),
        ("[" * 40 + "]" * 40, 1, "deep"),
        ('{"a": 123456789012345678901234567890}', 1, "64 bits"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(source: str, line: int, reason: str) -> None:
    with pytest.raises(GenesisError) as caught:
        parse_genesis(source)

    (fault,) = caught.value.faults
    assert fault.line == line
    assert reason in fault.message


def test_file_that_cannot_be_read_is_one_fault(tmp_path: Path) -> None:
    broken = tmp_path / "genesis.json"
    broken.write_bytes(b'{\n"name": "\xff"}')

    with pytest.raises(GenesisError, match="cannot be read"):
        load_genesis(tmp_path / "absent.json")
    with pytest.raises(GenesisError, match=r"genesis.json:2: not UTF-8"):
        load_genesis(broken)


def test_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "genesis.json"
    path.write_text(genesis_of(make_record()).render())

    assert load_genesis(path) == genesis_of(make_record())


def _with_key(document: Json, index: int, value: str) -> None:
    document["validators"][index]["public_key"] = value


@pytest.mark.parametrize(
    ("change", "place", "sentence"),
    [
        (
            lambda document: document["validators"][1].update(name="central-bank"),
            "validators.1",
            "same name",
        ),
        (
            lambda document: document["validators"][1].update(participant="central-bank"),
            "validators.1",
            "same participant",
        ),
        (
            lambda document: _with_key(document, 1, document["validators"][0]["public_key"]),
            "validators.1",
            "same public_key",
        ),
        (lambda document: _with_key(document, 3, "01" + "00" * 31), "validators.3", "not a usable"),
        (
            lambda document: document["validators"][0].update(participant="nobody"),
            "validators.0",
            "no participant 'nobody'",
        ),
        (
            lambda document: document["validators"][2].update(tls_certificate="3000"),
            "validators.2.tls_certificate",
            "certificate",
        ),
        (
            lambda document: document["participants"][3].update(lei="529900T8BM49AURSDO54"),
            "participants.3",
            "LEI",
        ),
        (
            lambda document: document["accounts"][2].update(owner="nobody"),
            "accounts.2",
            "no such participant",
        ),
        (
            lambda document: document["powers"][0]["power"].update(required=9),
            "powers.0",
            "power to",
        ),
        (
            lambda document: document["parameters"].append({"name": "speed", "value": 1}),
            "parameters.0",
            "no such parameter",
        ),
        (
            lambda document: document["consensus"].update(timeout_max_ms=10),
            "consensus",
            "timeout_max_ms",
        ),
    ],
)
def test_contradiction_is_reported_where_it_stands(
    change: Callable[[Json], None], place: str, sentence: str
) -> None:
    assert any(place == key and sentence in message for key, message in faults(text(change)))


def _real(document: Json) -> None:
    document["development"] = False


def test_development_keys_are_refused_on_any_other_network() -> None:
    signer = development_signer("central-bank/consensus")
    policy = {"signers": [[development_signer("central-bank/account").public_key.hex(), 1]]}
    _, certificate = create_tls_identity("finance-ministry", seed=bytes(32))

    def spoil(document: Json) -> None:
        _real(document)
        _with_key(document, 0, signer.public_key.hex())
        document["accounts"][1]["policy"].update(policy)
        document["validators"][1]["tls_certificate"] = certificate.hex()

    places = dict(faults(text(spoil)))

    assert "central-bank/consensus" in places["validators.0.public_key"]
    assert "central-bank/account" in places["accounts.1.policy.signers.0"]


def test_development_keys_are_accepted_where_the_genesis_says_so() -> None:
    signer = development_signer("central-bank/consensus")

    parse_genesis(text(lambda document: _with_key(document, 0, signer.public_key.hex())))


def test_network_without_development_keys_is_accepted() -> None:
    assert not parse_genesis(text(_real)).development


def test_development_network_is_a_test_network() -> None:
    ((place, sentence),) = faults(text(lambda document: document.update(test_network=False)))

    assert place == "test_network"
    assert "everybody" in sentence


def test_key_of_the_certificate_is_not_the_consensus_key() -> None:
    signer = LocalSigner(bytes(32))
    _, certificate = create_tls_identity("central-bank", seed=bytes(32))

    def spoil(document: Json) -> None:
        _with_key(document, 0, signer.public_key.hex())
        document["validators"][0]["tls_certificate"] = certificate.hex()

    ((place, sentence),) = faults(text(spoil))

    assert place == "validators.0.tls_certificate"
    assert "own" in sentence


def test_certificate_of_another_name_is_refused() -> None:
    _, certificate = create_tls_identity("finance-ministry", seed=b"\1" * 32)

    def spoil(document: Json) -> None:
        document["validators"][0]["tls_certificate"] = certificate.hex()

    ((place, sentence),) = faults(text(spoil))

    assert place == "validators.0.tls_certificate"
    assert "'finance-ministry'" in sentence


@pytest.mark.parametrize(
    ("model", "count", "accepted"),
    [
        (FaultModel.BYZANTINE, 4, True),
        (FaultModel.BYZANTINE, 3, False),
        (FaultModel.CRASH, 3, True),
        (FaultModel.CRASH, 2, False),
        (FaultModel.BYZANTINE, 1, False),
    ],
)
def test_network_that_survives_no_fault_is_for_development_only(
    model: FaultModel, count: int, *, accepted: bool
) -> None:
    parse_genesis(text(validators=count, fault_model=model))
    real = text(_real, validators=count, fault_model=model)
    if accepted:
        parse_genesis(real)
        return

    ((place, sentence),) = faults(real)

    assert place == "fault_model"
    assert explain_quorum(model, count) in sentence


def test_quorum_is_explained_to_operators() -> None:
    assert explain_quorum(FaultModel.BYZANTINE, 4) == (
        "4 validators, fault model byzantine: any 3 decide; 1 may be faulty, whatever they do"
    )
    assert explain_quorum(FaultModel.CRASH, 3) == (
        "3 validators, fault model crash: any 2 decide; 1 may be faulty,"
        " if they stop; one that signs twice is proven guilty, not survived"
    )


def test_ledger_can_be_founded_from_it() -> None:
    genesis = genesis_of(make_record())
    state = LedgerState(MemoryRecords())

    found(state, genesis.ledger)

    assert len(state.changes()) > 10


@pytest.mark.adversarial(58)
def test_networks_that_differ_in_anything_share_no_name() -> None:
    record = make_record()
    later: Genesis = genesis_of(replace(record, time_ms=record.time_ms + 1))

    assert later.network != genesis_of(record).network
