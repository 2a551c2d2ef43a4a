"""`khazana validator`: what it refuses before anything is on the ledger, and the files of requests.

The whole course of each is in `tests/e2e/test_validators.py`.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from node.addresses import render_address
from node.cli.exits import CommandError, Exit
from node.cli.validator.changing import outcome_of, tell
from node.keys import LocalSigner
from node.keys.certificates import create_tls_identity
from node.keys.development import development_signer
from node.keys.following import following_of
from node.provision.requests import FILE_SIZE_MAX, RequestError, ValidatorRequest, read_request
from node.storage import open_consensus_log
from tests.chain.town import address_of
from tests.cli.asked import ask, run
from tests.rpc.solo import solo_node

SIGNER = LocalSigner.generate()
STRANGER = development_signer("account-0")
_, CERTIFICATE = create_tls_identity("bank")


def make_request(
    network: bytes = bytes(32), name: str = "bank", signer: LocalSigner = SIGNER
) -> ValidatorRequest:
    return ValidatorRequest.made_by(
        signer, network=network, name=name, participant="bank", tls_certificate=CERTIFICATE
    )


def written(tmp_path: Path, request: ValidatorRequest) -> Path:
    file = tmp_path / "request.json"
    file.write_text(request.render())
    return file


def hand() -> list[str]:
    address = render_address(address_of("central-bank", "central-bank"), test=True)
    return ["--account", address, "--development", "central-bank/account"]


def test_a_request_comes_back_as_it_was_made(tmp_path: Path) -> None:
    request = make_request()

    assert read_request(written(tmp_path, request)) == request


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network", "11" * 32),
        ("name", "other"),
        ("participant", "other"),
        ("public_key", STRANGER.public_key.hex()),
        ("tls_certificate", create_tls_identity("bank")[1].hex()),
        ("proof", "00" * 64),
    ],
)
def test_a_request_that_was_altered_proves_nothing(tmp_path: Path, field: str, value: str) -> None:
    """Nobody has another's key voted in, or one that nobody holds."""
    file = written(tmp_path, make_request())
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: value}))

    with pytest.raises(RequestError, match=r"proof does not hold|certificate is for"):
        read_request(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 10_000,
        b" " * (FILE_SIZE_MAX + 1),
        make_request().render().replace('"name"', '"nam"').encode(),
        make_request().render().replace("request/1", "request/2").encode(),
        make_request().render().replace(CERTIFICATE.hex(), "00").encode(),
    ],
)
def test_a_file_that_is_no_request_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "request.json"
    file.write_bytes(content)

    with pytest.raises(RequestError):
        read_request(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        read_request(tmp_path / "nothing.json")


@pytest.mark.adversarial(30)
@pytest.mark.parametrize("words", [[], ["--unseen"]])
async def test_where_every_vote_will_be_needed_a_newcomer_must_be_seen(
    tmp_path: Path, words: list[str]
) -> None:
    async with solo_node(settled=False) as solo:
        file = written(tmp_path, make_request(solo.town.genesis.hash))

        ran = await ask(solo, "validator", "add", file, *words, *hand())

        assert ran.code == Exit.REFUSED
        assert "all 2 validators are needed" in ran.err


@pytest.mark.adversarial(30)
async def test_the_node_that_is_seen_must_be_the_newcomers_own(tmp_path: Path) -> None:
    async with solo_node(settled=False) as solo:
        file = written(tmp_path, make_request(solo.town.genesis.hash))

        ran = await ask(solo, "validator", "add", file, "--newcomer", solo.url, *hand())

        assert ran.code == Exit.REFUSED
        assert "is central-bank of" in ran.err


async def test_a_request_for_another_network_is_refused(tmp_path: Path) -> None:
    async with solo_node(settled=False) as solo:
        file = written(tmp_path, make_request())

        for command in ("add", "rotate"):
            ran = await ask(solo, "validator", command, file, *hand())
            assert ran.code == Exit.REFUSED
            assert "is a request for the network 0000" in ran.err


@pytest.mark.adversarial(24)
async def test_the_last_validator_and_a_stranger_cannot_be_removed() -> None:
    async with solo_node(settled=False) as solo:
        last = await ask(solo, "validator", "remove", "central-bank", *hand())
        stranger = await ask(solo, "validator", "remove", "nobody", *hand())

        assert (last.code, stranger.code) == (Exit.REFUSED, Exit.REFUSED)
        assert "0 validators would be left" in last.err
        assert "nobody is no validator" in stranger.err


async def test_the_list_says_who_signed_last() -> None:
    async with solo_node() as solo:
        facts: dict[str, Any] = (await ask(solo, "validator", "list", "--json")).json

        height = solo.town.chain.head.height
        assert [(each["name"], each["signed_last"]) for each in facts["validators"]] == [
            ("central-bank", height)
        ]
        told = await ask(solo, "validator", "list")
        assert "1 of 1 decide" in told.out


async def test_what_the_ledger_has_already_is_not_proposed(tmp_path: Path) -> None:
    async with solo_node(settled=False) as solo:
        voting = solo.town.signer("central-bank")
        network = solo.town.genesis.hash
        named = written(tmp_path, make_request(network, signer=voting))
        taken = await ask(solo, "validator", "add", named, "--unseen", *hand())
        assert taken.code == Exit.REFUSED
        assert "central-bank is a validator already" in taken.err

        _, certificate = create_tls_identity("central-bank")
        same = ValidatorRequest.made_by(
            voting,
            network=network,
            name="central-bank",
            participant="central-bank",
            tls_certificate=certificate,
        )
        rotated = await ask(solo, "validator", "rotate", written(tmp_path, same), *hand())
        assert rotated.code == Exit.REFUSED
        assert f"votes with the key {voting.public_key.hex()} already" in rotated.err


async def test_new_keys_in_the_name_of_another_participant_are_asked_for_again(
    tmp_path: Path,
) -> None:
    """As `prepare` writes them where the node has another name than who runs it."""
    async with solo_node(settled=False) as solo:
        _, certificate = create_tls_identity("central-bank")
        request = ValidatorRequest.made_by(
            SIGNER,
            network=solo.town.genesis.hash,
            name="central-bank",
            participant="bank",
            tls_certificate=certificate,
        )

        ran = await ask(solo, "validator", "rotate", written(tmp_path, request), *hand())

        assert ran.code == Exit.REFUSED
        assert "is run by central-bank, the request says bank" in ran.err
        assert "khazana validator request --prepared --participant central-bank" in ran.err


def test_a_refused_proposal_says_why() -> None:
    refused = {
        "type": "proposal_refused",
        "proposal": "00" * 32,
        "outcome": "ACCOUNT_UNKNOWN",
        "details": {"account": "tkhz1abc"},
    }
    facts = outcome_of([refused]) | {"height": 7}

    with pytest.raises(CommandError, match=r"refused the proposal: ACCOUNT_UNKNOWN: .*tkhz1abc"):
        tell(facts, "bank as a validator", as_json=False)
    facts = outcome_of([refused | {"outcome": "OF_A_NEWER_RELEASE"}]) | {"height": 7}
    with pytest.raises(CommandError, match=r"refused the proposal: OF_A_NEWER_RELEASE$"):
        tell(facts, "bank as a validator", as_json=False)


async def make_home(tmp_path: Path) -> Path:
    home, passphrase = tmp_path / "home", tmp_path / "passphrase"
    passphrase.write_text("a passphrase\n")
    async with solo_node(settled=False) as solo:
        genesis = tmp_path / "genesis.json"
        genesis.write_text(solo.town.genesis.render())
    made = await run(
        *("init", "--name", "bank", "--home", home, "--genesis", genesis),
        *("--passphrase-file", passphrase),
    )
    assert made.code == Exit.OK, made.err
    return home


async def test_a_development_key_is_followed_by_none(tmp_path: Path) -> None:
    home = await make_home(tmp_path)
    file = home / "node.toml"
    voting = re.compile(r"(?m)^keystore = .*\npassphrase_file = .*$")
    file.write_text(voting.sub('development_key = "central-bank"', file.read_text()))

    ran = await run("validator", "prepare", "--home", home, "--out", tmp_path / "request.json")

    assert ran.code == Exit.CONFIGURATION
    assert "votes with a development key" in ran.err
    assert "khazana init" in ran.err
    assert not (tmp_path / "request.json").exists()


async def test_a_request_is_for_a_participant_that_can_be(tmp_path: Path) -> None:
    home, out = await make_home(tmp_path), tmp_path / "request.json"

    for participant in ("", "Not A Name!", "-bank", "b" * 33):
        words = ("validator", "request", "--home", home, "--out", out)
        ran = await run(*words, "--participant", participant)
        assert ran.code == Exit.USAGE
        assert "is no participant's id" in ran.err
    assert not out.exists()


async def test_keys_are_prepared_only_where_their_request_can_be_written(tmp_path: Path) -> None:
    home, out = await make_home(tmp_path), tmp_path / "request.json"
    words = ("validator", "prepare", "--home", home, "--out")
    keystore = home / "keys/consensus.json"

    out.write_text("another's")
    for place in (out, tmp_path / "nowhere/request.json"):
        ran = await run(*words, place)
        assert ran.code == Exit.CONFIGURATION
        assert not following_of(keystore).exists()
    assert out.read_text() == "another's"

    nothing = await run("validator", "request", "--home", home, "--prepared", "--out", out)
    assert nothing.code == Exit.REFUSED
    assert "no key waits" in nothing.err


async def test_the_request_of_prepared_keys_can_be_written_again(tmp_path: Path) -> None:
    home = await make_home(tmp_path)
    first, again = tmp_path / "first.json", tmp_path / "again.json"
    made = await run("validator", "prepare", "--home", home, "--out", first)
    assert made.code == Exit.OK, made.err

    twice = await run("validator", "prepare", "--home", home, "--out", again)
    assert twice.code == Exit.CONFIGURATION
    assert "khazana validator request --prepared" in twice.err
    ran = await run("validator", "request", "--home", home, "--prepared", "--out", again)

    assert ran.code == Exit.OK, ran.err
    assert read_request(again) == read_request(first)


async def test_an_observer_has_nothing_to_request_or_to_change(tmp_path: Path) -> None:
    async with solo_node(settled=False) as solo:
        genesis = tmp_path / "genesis.json"
        genesis.write_text(solo.town.genesis.render())
    home = tmp_path / "home"
    made = await run(
        *("init", "--name", "reader", "--home", home, "--observer", "--genesis", genesis)
    )
    assert made.code == Exit.OK, made.err

    for command in ("request", "prepare"):
        ran = await run("validator", command, "--home", home)
        assert ran.code == Exit.CONFIGURATION
        assert "no voting key" in ran.err


async def test_resuming_is_refused_beside_the_highest_head_and_over_a_log_that_knows(
    tmp_path: Path,
) -> None:
    home = await make_home(tmp_path)
    async with solo_node() as solo:
        height = solo.town.chain.head.height
        words = ("validator", "resume", "--home", home, "--other", solo.url, "--reason", "a test")

        low = await run(*words, "--above", str(height - 1), "--yes")
        high = await run(*words, "--above", str(height + 1), "--yes")
        unasked = await run(*words, "--above", str(height))
        done = await run(*words, "--above", str(height), "--yes", "--json")
        again = await run(*words, "--above", str(height), "--yes")

        assert (low.code, done.code, again.code) == (Exit.REFUSED, Exit.OK, Exit.REFUSED)
        assert unasked.code == Exit.USAGE
        assert f"is at {height}" in low.err
        assert high.code == Exit.REFUSED
        assert f"no node named has block {height + 1}" in high.err
        assert "WITHOUT KNOWING" in done.err
        assert done.json["above"] == height
        assert f"at height {height + 1}" in again.err
    log = open_consensus_log(home / "data/consensus")
    log.load()
    assert log.height == height + 1
    log.close()
