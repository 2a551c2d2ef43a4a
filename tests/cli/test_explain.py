"""Every refusal and error has a code, a sentence, a hint and its place in the reference."""

import ast
import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

import node
from node.cli.endings import ENDINGS
from node.cli.exits import Exit
from node.cli.explain.entries import Group, entries, found
from node.cli.explain.reference import PATH, anchor, main, render
from node.cli.failures import FACTS, explain
from node.cli.refusals import FAILURES, entry_of, name_of
from node.clock import SystemClock
from node.keys.certificates import create_tls_identity
from node.network import CertificateUnusable
from node.provision.local import create_network
from node.provision.reference import INSTITUTIONS, reference_network
from node.rpc.errors import RpcError
from node.rpc.statuses import REFUSED
from tests.cli.asked import run
from tests.cli.running import khazana
from tests.ports import own_ports

ROOMS = Path(node.__file__).parent
NO_REFUSALS: Final = frozenset({101, 200, 204, 303, 304})
WITHIN: Final[Mapping[str, str]] = {
    "node.access.keyring.ApiKeyRefused": "becomes an error of the interface",
    "node.actus.MappingError": "the runner of ACTUS cases is part of tests and of one command",
    "node.admission.AdmissionError": "becomes an outcome of the door",
    "node.blocks.certificates.CertificateError": "becomes a block that is not taken, or damage",
    "node.blocks.certificates.EvidenceError": "becomes a block that is not taken",
    "node.chain.ahead._Unwanted": "ends a rehearsal",
    "node.chain.errors.ChainError": "the base",
    "node.chain.errors.InvalidBlock": "becomes a vote for nil, or a peer's offence",
    "node.chain.errors.NothingToProve": "becomes an error of the interface",
    "node.cli.exits.CommandError": "what all of them become",
    "node.client.bulk._Finished": "ends a loop",
    "node.control.client.ControlError": "each command that uses the socket says what to do",
    "node.control.client.Refused": "each command that uses the socket says it",
    "node.explorer.refusals.PageRefusal": "a page with a status of HTTP",
    "node.genesis.located.LocatedError": "becomes a fault of the genesis",
    "node.genesis.reading._Unreadable": "becomes a fault of the genesis",
    "node.intake.verifier.CrowdedOut": "becomes an answer of the interface",
    "node.ledger.auctions.problems.AuctionError": "becomes an outcome, or a wrong result",
    "node.ledger.auctions.problems.CutOffError": "becomes an outcome",
    "node.ledger.commitment.branches.CommitmentError": "becomes damage of the chain",
    "node.ledger.dates.problems.DatesError": "becomes an outcome, or a usage error",
    "node.ledger.dates.problems.DatesFault": "becomes an outcome",
    "node.ledger.errors.InvariantViolation": "halts the node: node-halted",
    "node.ledger.errors.LedgerError": "the base",
    "node.ledger.outcomes.Reject": "becomes an outcome",
    "node.ledger.pricing.problems.PricingError": "becomes an outcome, or a usage error",
    "node.ledger.transactions.TransactionError": "becomes an outcome",
    "node.quotes.QuoteError": "becomes an error of the interface, or a usage error",
    "node.network.errors.DialFailed": "becomes the reason of a missing link",
    "node.network.errors.LinkClosed": "becomes the reason of a missing link",
    "node.network.errors.NetworkError": "the base",
    "node.network.errors.WireError": "a peer's offence",
    "node.network.lanes.LaneOverflow": "ends a link",
    "node.network.network._Refused": "ends a link",
    "node.network.network._Stopped": "ends a task",
    "node.network.peer.Misconduct": "a peer's offence",
    "node.provision.containers.ContainersError": "`khazana init --docker` says it",
    "node.provision.travelling.NoBlock": "`khazana devnet time` says it",
    "node.provision.travelling.NodesStopped": "`khazana devnet time` says it",
    "node.provision.travelling.TooLate": "`khazana devnet time` says it",
    "node.replica.errors.Divergence": "halts the node: node-halted",
    "node.replica.errors.ReplicaError": "the base",
    "node.replica.errors.SigningRefused": "the guard's word to the replica",
    "node.replica.gate.BadMessage": "a peer's offence",
    "node.rpc.http.HttpRefusal": "a status of HTTP",
    "node.rpc.sockets._Ended": "ends a loop",
    "node.rpc.tls.ListenerTlsError": "becomes a fault of the configuration",
    "node.signatures.helper.HelperLost": "the node verifies by itself then",
    "node.snapshots.errors.BadPart": "a peer's offence",
    "node.snapshots.errors.SnapshotError": "the base",
    "node.snapshots.errors.SnapshotGone": "asked of another peer",
    "node.snapshots.errors.TrailIncomplete": "asked of another peer",
    "node.snapshots.errors.TrustRefused": "becomes join-refused",
    "node.storage.memory_files.PowerCut": "of the simulator",
    "node.stream.publisher._PassedBy": "the stream is asked again where it stands",
    "node.sync.sync._Unamended": "asked of another peer",
    "node.sync.sync._Unfit": "asked of another peer",
    "node.testing.cluster.NodeDown": "for tests of users",
    "node.testing.cluster.WrongLoop": "for tests of users",
    "node.upkeep.backup_file.BackupError": "`khazana backup` and `restore` say it",
    "node.upkeep.repairing.RepairRefused": "`khazana repair` says it",
    "node.upkeep.repairing._Unusable": "of one repair",
}
"""Errors that reach nobody as themselves, and what becomes of them."""


def error_classes() -> Iterator[type[BaseException]]:
    for module in pkgutil.walk_packages(node.__path__, "node."):
        if module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, BaseException)
                and value.__module__ == module.name
            ):
                yield value


def test_every_class_of_error_is_explained_or_says_what_becomes_of_it() -> None:
    classes = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in error_classes()}
    explained = {
        name
        for name, kind in classes.items()
        if issubclass(kind, RpcError) or any(name_of(each) in FAILURES for each in kind.__mro__)
    }

    forgotten = sorted(classes.keys() - explained - WITHIN.keys())
    assert not forgotten, f"give them an entry in node/cli/refusals.py: {forgotten}"
    assert sorted(WITHIN.keys() & explained) == []
    assert sorted(WITHIN.keys() - classes.keys()) == []
    assert sorted((FAILURES.keys() | FACTS.keys()) - classes.keys()) == []


def test_checked_in_reference_is_what_the_code_makes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATH.read_text(encoding="utf-8") == render(), (
        "look at the difference, then run `python -m node.cli.explain.reference --rewrite`"
    )
    assert main([]) == 0
    assert capsys.readouterr().out == render()
    assert main(["--nonsense"]) == 2
    monkeypatch.setattr("node.cli.explain.reference.PATH", tmp_path / "refusals.md")
    assert main(["--rewrite"]) == 0
    assert (tmp_path / "refusals.md").read_text(encoding="utf-8") == render()


def test_each_has_a_code_a_sentence_a_hint_and_a_place_in_the_reference() -> None:
    page, places, codes = PATH.read_text(encoding="utf-8"), set(), set()
    for entry in entries():
        assert entry.sentence.endswith("."), entry
        assert entry.hint.endswith(".") or entry.name == "APPLIED", (
            f"{entry.code} {entry.name} says what is wrong and not what to do: {entry.sentence}"
        )
        assert f'<a id="{anchor(entry)}"></a>' in page
        places.add(anchor(entry))
        codes.add((entry.group, entry.code, entry.name))

    assert len(places) == len(codes) == len(list(entries()))
    assert {entry.group for entry in entries()} == set(Group)


def test_every_exit_code_but_success_has_an_ending() -> None:
    assert ENDINGS.keys() == set(Exit) - {Exit.OK}


def test_every_status_of_http_is_explained() -> None:
    statuses = set()
    for path in (*(ROOMS / "rpc").glob("*.py"), *(ROOMS / "explorer").glob("*.py")):
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(each, ast.Call):
                name = ast.unparse(each.func)
                given = [k.value for k in each.keywords if k.arg == "status"]
                if name in ("HttpRefusal", "PageRefusal"):
                    given += each.args[:1]
                statuses |= {found for value in given for found in _statuses(value)}

    assert {400, 404, 429, 500, 503} <= statuses
    assert statuses - REFUSED.keys() <= NO_REFUSALS


def _statuses(value: ast.AST) -> Iterator[int]:
    for each in ast.walk(value):
        if isinstance(each, ast.Constant) and isinstance(each.value, int) and each.value >= 100:
            yield each.value


@pytest.mark.parametrize("name", FAILURES)
def test_codes_are_words_and_their_own(name: str) -> None:
    entry = FAILURES[name]

    assert entry.code == entry.code.lower().replace(" ", "-")
    assert [each.code for each in FAILURES.values()].count(entry.code) == 1
    assert found(entry.code)


async def test_a_code_is_looked_up_by_number_and_by_name() -> None:
    by_number = await run("explain", "--json", "-32005")
    in_any_order = await run("explain", "-32005", "--json")
    by_name = await run("explain", "holding-insufficient")
    several = await run("explain", "5", "--json")

    assert by_number.json["meanings"][0]["name"] == "limited"
    assert in_any_order.json == by_number.json
    assert "HOLDING_INSUFFICIENT (outcomes of transactions)" in by_name.out
    assert {each["group"] for each in several.json["meanings"]} == {
        "Outcomes of transactions",
        "Exit codes",
    }


@pytest.mark.parametrize("nonsense", ["holding-insufficent", "", "\x1b[2J", "9" * 5_000, "ٹ"])
async def test_nonsense_is_no_code_and_says_so(nonsense: str) -> None:
    ran = await run("explain", "--", nonsense)

    assert ran.code == Exit.REFUSED
    assert "is no code that is known here" in ran.err
    assert "\x1b" not in ran.err


async def test_an_error_of_a_command_has_its_code_and_hint_in_both_forms(tmp_path: Path) -> None:
    text = await run("genesis", "check", tmp_path / "none.json")
    machine = await run("genesis", "check", tmp_path / "none.json", "--json")
    usage = await run("status", "--nope", "--json")

    assert text.err.splitlines()[-1] == "  (khazana explain genesis-faulty)"
    error = json.loads(machine.err)["error"]
    assert (error["exit"], error["reason"]) == (Exit.CONFIGURATION, "genesis-faulty")
    assert error["advice"]
    told = json.loads(usage.err)["error"]
    assert (told["exit"], told["reason"], usage.out) == (Exit.USAGE, "usage", "")


def test_a_node_with_the_key_of_another_certificate_does_not_start_and_says_why(
    tmp_path: Path,
) -> None:
    """It ended with a traceback before."""
    ports = own_ports(2 * len(INSTITUTIONS))
    pairs = {name: (ports[2 * n], ports[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network("town", ports=pairs, development=True)
    network = create_network(tmp_path / "town", description, now_ms=SystemClock().now_ms())
    home = network.nodes["central-bank"].home
    (home / "keys/tls.der").write_bytes(create_tls_identity("central-bank")[1])

    ran = khazana("start", "--home", home)

    assert ran.code == Exit.CONFIGURATION
    assert "khazana explain certificate-unusable" in ran.err
    assert "Traceback" not in ran.err


def test_the_nearest_class_explains_an_error() -> None:
    failure = explain(CertificateUnusable("this node", "no"))

    assert (failure.code, failure.reason) == (Exit.CONFIGURATION, "certificate-unusable")
    assert entry_of(ZeroDivisionError()) is None
