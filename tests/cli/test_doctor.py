"""`khazana doctor`: what it finds on nodes, up and down, and on homes with something amiss."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.chain import Chain
from node.cli.doctor.command import examine, text_of
from node.cli.doctor.files import certificate_findings, listener_findings, permission_findings
from node.cli.doctor.findings import Finding, Verdict, failed, ok
from node.cli.doctor.kernel import KernelClock, read_kernel_clock
from node.cli.doctor.machine import clock_findings, disk_findings, filesystem_of
from node.cli.doctor.network import (
    peer_findings,
    quorum_finding,
    read_stored,
    ready_finding,
    version_findings,
)
from node.cli.exits import Exit
from node.cli.upkeep import load_home
from node.clock import SystemClock
from node.config import TlsConfig
from node.control import Outlook, PeerOutlook
from node.genesis import load_genesis
from node.keys.certificates import create_tls_identity
from node.provision.local import create_network
from node.provision.reference import INSTITUTIONS, reference_network
from node.storage import open_consensus_log, open_leveldb
from node.testing.cluster import running_cluster
from tests.cli.running import khazana
from tests.control.outlooks import PEER, outlook_like, peer_like
from tests.damage import flip_bytes, largest_file
from tests.e2e.mounts import small_disk
from tests.ports import own_ports
from tests.rpc.authorities import Authority

RIGHT = KernelClock(synchronised=True, error_bound_ms=20, frequency_ppm=-12)
OF_THE_MACHINE = {"clock.ntp", "disk.space", "disk.filesystem", "disk.sync"}
"""What the machine that runs the tests may lack."""


def by_check(findings: Sequence[Finding]) -> dict[str, Finding]:
    found = {finding.check: finding for finding in findings}
    assert len(found) == len(findings), "a check was done twice"
    return found


def amiss(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {
        each.check: each
        for each in findings
        if each.verdict is not Verdict.OK and each.check not in OF_THE_MACHINE
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of a network that has not begun."""
    ports = own_ports(2 * len(INSTITUTIONS))
    pairs = {name: (ports[2 * n], ports[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network("town", ports=pairs, development=True)
    network = create_network(tmp_path / "town", description, now_ms=SystemClock().now_ms())
    return network.nodes["central-bank"].home


async def test_of_a_running_and_a_stopped_node_everything_is_well(tmp_path: Path) -> None:
    async with running_cluster(tmp_path, funded=False) as cluster:
        home = cluster.nodes["central-bank"].home
        await cluster.wait_height(1)
        running = await asyncio.to_thread(khazana, "doctor", "--home", home, "--json")
        await cluster.stop_node("central-bank")
        stopped = await asyncio.to_thread(
            khazana, "doctor", "--home", home, "--timeout", "60", "--json"
        )
        await cluster.stop_node("crypto-council")
        alone = await asyncio.to_thread(
            khazana, "doctor", "--home", home, "--timeout", "3", "--json"
        )

    for ran, more in ((running, {"voting", "clock.peers", "ready"}), (stopped, {"database"})):
        found = {each["check"]: each for each in ran.json["findings"]}
        bad = {
            name: each for name, each in found.items() if each["verdict"] in ("failed", "warning")
        }
        assert bad.keys() <= OF_THE_MACHINE | {"running"}, bad
        assert ("running" in bad) is (ran is stopped)
        peers = {f"peer.{name}" for name in INSTITUTIONS if name != "central-bank"}
        assert found.keys() >= peers | more | OF_THE_MACHINE | {"quorum", "genesis", "voting key"}
    found = {each["check"]: each for each in alone.json["findings"]}
    assert (running.code, stopped.code, alone.code) == (Exit.OK, Exit.OK, Exit.REFUSED)
    assert found["peer.crypto-council"]["verdict"] == "failed"
    assert "cannot reach" in found["peer.crypto-council"]["found"]
    assert found["quorum"]["verdict"] == "ok"


def test_the_text_says_what_was_expected_and_what_to_do_where_it_is_not_well() -> None:
    text = text_of([ok("clock", "right", "right"), failed("disk", "full", "room", "Make room.")])

    assert text.splitlines() == [
        "ok       clock  right",
        "FAILED   disk   full",
        "                expected: room",
        "                do: Make room.",
        "",
        "1 failed, 0 to be looked at, 0 unknown, 1 well",
    ]


def test_a_network_that_stands_still_is_said_though_all_are_in_reach() -> None:
    lacks = ["progress: last block 62.0 s ago, at most 20"]

    still, moving = ready_finding(outlook_like(lacks=lacks)), ready_finding(outlook_like())

    assert (still.verdict, still.found) == (Verdict.FAILED, lacks[0])
    assert "khazana top" in still.advice
    assert (moving.verdict, moving.found) == (Verdict.OK, "it takes part, at height 7")
    assert ready_finding(outlook_like(lacks=None)).verdict is Verdict.UNKNOWN


def test_a_home_that_never_ran_lacks_only_the_others(home: Path) -> None:
    found = amiss(examine(home, 0.1))

    assert found.keys() == {"quorum", "running"} | {
        f"peer.{name}" for name in INSTITUTIONS if name != "central-bank"
    }


def test_every_fault_of_a_configuration_is_said_and_the_clock_all_the_same(home: Path) -> None:
    (home / "node.toml").write_text('name = "x"\nmoniker = "y"\n')

    found = by_check(examine(home, 0.1))

    assert found.keys() == {"config", "clock.ntp"}
    assert found["config"].verdict is Verdict.FAILED
    assert "moniker" in found["config"].found
    assert "tls" in found["config"].found


def test_a_missing_home_is_a_finding(tmp_path: Path) -> None:
    assert by_check(examine(tmp_path / "nowhere", 0.1))["config"].verdict is Verdict.FAILED


@pytest.mark.adversarial(73)
def test_secrets_that_others_can_read_are_found_with_the_command_that_helps(home: Path) -> None:
    key = home / "keys/tls.pem"
    key.chmod(0o644)
    (home / "data").chmod(0o777)

    found = by_check(examine(home, 0.1))

    assert found["permissions.tls.pem"].verdict is Verdict.FAILED
    assert found["permissions.tls.pem"].advice == f"chmod 600 {key}"
    assert "mode 0644" in found["permissions.tls.pem"].found
    assert found["permissions.data"].verdict is Verdict.FAILED
    assert stat.S_IMODE(key.stat().st_mode) == 0o644, "a doctor changes nothing"


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """Have no right to read everything while the block is in, as root has; else change nothing."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_key_that_is_another_users_is_no_reason_to_make_one_anew(home: Path) -> None:
    config = load_home(home).config
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        key = Path(shutil.copy(config.tls.key, place))
        certificate = shutil.copy(config.tls.certificate, place)
        tls = TlsConfig(key=key, certificate=Path(certificate))
        config = config.model_copy(update={"tls": tls, "data_dir": place})
        key.chmod(0)
        with as_somebody_else():
            found = by_check((*permission_findings(config), *certificate_findings(config, (), 0)))

    secret, pair = found["permissions.tls.pem"], found["certificate"]
    assert secret.verdict is pair.verdict is Verdict.FAILED
    assert "has mode 0000 and belongs to user" in secret.found
    assert "Permission denied: chown it to the user that runs the node" in pair.found
    assert secret.advice == pair.advice
    assert secret.advice.startswith("Nothing is lost: chown the file")


def test_key_and_certificate_of_two_pairs_are_found(home: Path) -> None:
    (home / "keys/tls.der").write_bytes(create_tls_identity("central-bank")[1])

    found = by_check(examine(home, 0.1))

    assert found["certificate"].verdict is Verdict.FAILED
    assert "quorum" not in found, "without a certificate nobody can be called"


def test_a_certificate_that_the_ledger_does_not_have_is_found(home: Path) -> None:
    pem, der = create_tls_identity("central-bank")
    (home / "keys/tls.pem").write_bytes(pem)
    (home / "keys/tls.der").write_bytes(der)

    found = by_check(examine(home, 0.1))

    assert found["certificate"].verdict is Verdict.OK
    assert found["certificate.ledger"].verdict is Verdict.FAILED


def test_a_certificate_is_not_in_force_before_its_time(home: Path) -> None:
    """As where a machine without a battery begins in 1970; ours have no end."""
    findings = by_check(tuple(certificate_findings(load_home(home).config, (), 0)))

    assert findings["certificate.time"].verdict is Verdict.FAILED
    assert "clock" in findings["certificate.time"].advice


def test_certificates_of_listeners_are_held_against_their_keys_and_the_date(home: Path) -> None:
    authority, other = Authority(home, "authority"), Authority(home, "other")
    own, foreign = authority.sign("node"), other.sign("foreign")
    settings = home / "node.toml"

    def findings(
        certificate: Path, key: Path, *, year: int = 2026, more: str = ""
    ) -> dict[str, Finding]:
        text = settings.read_text().split("\n[rpc.listeners", 1)[0]
        key.chmod(0o600)
        settings.write_text(
            f'{text}\n[rpc.listeners.desk]\nlisten = "127.0.0.1:0"\nrole = "public"\n'
            f'certificate = "{certificate}"\nkey = "{key}"\n{more}'
        )
        now_ms = int(datetime(year, 12, 15, tzinfo=UTC).timestamp() * 1000)
        return by_check(tuple(listener_findings(load_home(home).config, now_ms)))

    sound = findings(own.certificate, own.key)
    assert sound["tls.desk"].verdict is Verdict.OK
    verdicts = {
        year: findings(own.certificate, own.key, year=year)["tls.desk.time"].verdict
        for year in (2020, 2026, 2124, 2125)
    }
    # The tests' authority signs for 2025 to 2124.
    assert verdicts == {
        2020: Verdict.FAILED,
        2026: Verdict.OK,
        2124: Verdict.WARNING,
        2125: Verdict.FAILED,
    }
    assert sound["permissions.desk"].verdict is Verdict.OK
    (home / "chain.pem").write_bytes(
        own.certificate.read_bytes() + authority.certificate.read_bytes()
    )
    assert "a chain of 2" in findings(home / "chain.pem", own.key)["tls.desk"].found
    (home / "wrong.pem").write_bytes(own.certificate.read_bytes() + other.certificate.read_bytes())
    broken = findings(home / "wrong.pem", own.key)["tls.desk"]
    assert (broken.verdict, "is not signed by" in broken.found) == (Verdict.FAILED, True)
    assert findings(own.certificate, foreign.key)["tls.desk"].verdict is Verdict.FAILED
    (home / "empty.pem").write_bytes(b"nothing")
    assert findings(home / "empty.pem", own.key)["tls.desk"].verdict is Verdict.FAILED
    mutual = f'client_authority = "{authority.certificate}"\nclient_revocations = "{{}}"\n'
    for is_over, verdict in ((False, Verdict.OK), (True, Verdict.FAILED)):
        revoked = authority.revoke(is_over=is_over)
        found = findings(own.certificate, own.key, more=mutual.format(revoked))
        assert found["tls.desk.authority"].verdict is Verdict.OK
        assert found["tls.desk.revocations"].verdict is verdict
    wrong = findings(own.certificate, own.key, more=mutual.format(other.revoke()))["tls.desk"]
    assert (wrong.verdict, "not signed by" in wrong.found) == (Verdict.FAILED, True)


def test_a_key_that_the_ledger_does_not_have_is_found(home: Path) -> None:
    settings = home / "node.toml"
    settings.write_text(
        settings.read_text().replace('"central-bank"\n\n[net', '"crypto-council"\n\n[net')
    )

    finding = by_check(examine(home, 0.1))["voting key"]

    assert finding.verdict is Verdict.FAILED
    assert "the ledger has" in finding.found


def test_a_database_of_another_network_is_found(home: Path, tmp_path: Path) -> None:
    store = open_leveldb(home / "data/chain", create=True)
    Chain.open(store, load_genesis(home / "genesis.json"))
    store.close()
    assert by_check(examine(home, 0.1))["database"].verdict is Verdict.OK
    ports = own_ports(2 * len(INSTITUTIONS))
    pairs = {name: (ports[2 * n], ports[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network("city", ports=pairs, development=True)
    other = create_network(tmp_path / "city", description, now_ms=SystemClock().now_ms())
    (home / "genesis.json").write_bytes((other.genesis_file).read_bytes())

    finding = by_check(examine(home, 0.1))["database"]

    assert finding.verdict is Verdict.FAILED
    assert "it belongs to genesis" in finding.found
    assert "Compare genesis.json with the other institutions first" in finding.found
    assert "khazana repair" not in finding.found
    assert finding.advice.startswith("Put the genesis.json of the others in its place")


def test_a_database_that_is_gone_is_told_from_one_that_was_never_there(home: Path) -> None:
    assert by_check(examine(home, 0.1))["database"].found.startswith("none yet")
    log = open_consensus_log(home / "data/consensus")
    entries = log.load()
    log.reset(1_200)
    log.append(entries)
    log.close()

    finding = by_check(examine(home, 0.1))["database"]

    assert finding.verdict is Verdict.WARNING
    assert "has voted at height 1,200 already" in finding.found
    assert str(home / "data/chain") in finding.advice


def test_a_damaged_database_is_found_with_the_commands_that_help(home: Path) -> None:
    (home / "data/chain").mkdir(parents=True, exist_ok=True)
    (home / "data/chain/CURRENT").write_text("MANIFEST-000009\n")

    finding = by_check(examine(home, 0.1))["database"]

    assert finding.verdict is Verdict.FAILED
    assert "khazana repair" in finding.advice


def test_damage_in_the_middle_of_a_database_is_found_though_it_opens(home: Path) -> None:
    chain = home / "data/chain"
    store = open_leveldb(chain, create=True)
    Chain.open(store, load_genesis(home / "genesis.json"))
    # A record that no start looks at, large enough to be the middle of the file.
    store.write([(b"\xfe" * 4, bytes(1 << 16))], sync=True)
    store.close()
    open_leveldb(chain, create=False).close()  # moves what was written from the log to a table
    sound = by_check(examine(home, 0.1))["database"]
    table = largest_file(chain, ".ldb")
    flip_bytes(table)

    damaged = by_check(examine(home, 0.1))["database"]

    assert sound.verdict is Verdict.OK
    assert "records can be read" in sound.found
    assert damaged.verdict is Verdict.FAILED
    assert "checksum mismatch" in damaged.found
    assert "khazana repair" in damaged.advice


def test_reading_a_large_database_ends_in_time_and_says_how_far_it_came(home: Path) -> None:
    store = open_leveldb(home / "data/chain", create=True)
    Chain.open(store, load_genesis(home / "genesis.json"))
    store.close()

    finding = read_stored(load_home(home), reading_max_s=0).finding

    assert finding.verdict is Verdict.OK
    assert "its end and 0 records (0 MB) were read in 0 s" in finding.found


def test_a_full_disk_is_not_taken_for_damage_or_for_somebody_elses(home: Path) -> None:
    """Whoever is woken by it must not be sent to repair a sound database."""
    store = open_leveldb(home / "data/chain", create=True)
    Chain.open(store, load_genesis(home / "genesis.json"))
    store.close()
    kept = home.parent / "kept"
    shutil.copytree(home / "data", kept)
    with small_disk(home / "data", size_bytes=2 << 20) as disk:
        shutil.copytree(kept, home / "data", dirs_exist_ok=True)
        disk.fill(leave_bytes=0)
        found = by_check(examine(home, 0.1))

    assert found["disk.space"].verdict is Verdict.FAILED
    assert "0.0 MiB of 2.0 MiB free" in found["disk.space"].found
    assert "No space left on device" in found["disk.sync"].found
    assert found["disk.sync"].advice.startswith("Make room")
    assert found["database"].verdict is Verdict.FAILED
    assert "cannot grow" in found["database"].found
    assert "free some space" in found["database"].found
    assert "repair" not in found["database"].advice


def test_a_port_that_is_taken_is_found(home: Path) -> None:
    place = load_home(home).config.rpc.listen
    with socket.socket() as squatter:
        squatter.bind((place.host, place.port))
        squatter.listen()

        found = by_check(examine(home, 0.1))

    assert found["port.rpc"].verdict is Verdict.FAILED
    assert f"{place} cannot be listened on" in found["port.rpc"].found
    assert found["port.network"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("kernel", "verdict"),
    [
        (RIGHT, Verdict.OK),
        (None, Verdict.UNKNOWN),
        (KernelClock(synchronised=False, error_bound_ms=1, frequency_ppm=0), Verdict.WARNING),
        (KernelClock(synchronised=True, error_bound_ms=9_000, frequency_ppm=0), Verdict.WARNING),
        (KernelClock(synchronised=True, error_bound_ms=1, frequency_ppm=400), Verdict.WARNING),
    ],
)
def test_the_kernels_clock_is_judged(kernel: KernelClock | None, verdict: Verdict) -> None:
    (finding,) = clock_findings(kernel, None)

    assert finding.verdict is verdict


def test_this_kernel_tells_something_plausible() -> None:
    clock = read_kernel_clock()

    assert clock is None or (abs(clock.frequency_ppm) < 600 and clock.error_bound_ms >= 0)


@pytest.mark.adversarial(31)
@pytest.mark.parametrize(
    ("peer", "verdict"),
    [
        (PEER, Verdict.OK),
        (peer_like(clock_ahead_ms=None), Verdict.UNKNOWN),
        (peer_like(clock_ahead_ms=1_600), Verdict.WARNING),
        (peer_like(clock_ahead_ms=3_001), Verdict.FAILED),
        (peer_like(clock_ahead_ms=-3_001), Verdict.FAILED),
        (peer_like(clock_ahead_ms=5, clock_drift_ms_per_hour=-400.0), Verdict.WARNING),
    ],
)
def test_the_clocks_of_others_are_held_against_the_bounds_of_the_genesis(
    peer: PeerOutlook, verdict: Verdict
) -> None:
    _, finding = clock_findings(RIGHT, outlook_like(peers=[peer]))

    assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("outlook", "software", "protocol"),
    [
        (outlook_like(), Verdict.OK, Verdict.OK),
        (outlook_like(software="khazana 0.0.9"), Verdict.WARNING, Verdict.OK),
        (outlook_like(upgrade_version=3, upgrade_height=90), Verdict.OK, Verdict.OK),
        (outlook_like(upgrade_version=4, upgrade_height=90), Verdict.OK, Verdict.FAILED),
    ],
)
def test_releases_and_versions_are_judged(
    outlook: Outlook, software: Verdict, protocol: Verdict
) -> None:
    found = by_check(tuple(version_findings(outlook, "khazana 0.1.0")))

    assert found["version.software"].verdict is software
    assert found["version.protocol"].verdict is protocol


@pytest.mark.parametrize(
    ("peer", "verdict", "word"),
    [
        (PEER, Verdict.OK, ""),
        (peer_like(software="khazana 0.0.9"), Verdict.WARNING, "upgrade"),
        (peer_like(connected=False, address=""), Verdict.UNKNOWN, ""),
        (peer_like(connected=False, reason="no answer within 5 s"), Verdict.FAILED, "fire wall"),
        (
            peer_like(connected=False, reason="it is on network ab, we are on cd"),
            Verdict.FAILED,
            "`khazana genesis show genesis.json`",
        ),
        (peer_like(connected=False, reason="x", banned_s=9.0), Verdict.FAILED, "kept out for 9 s"),
    ],
)
def test_peers_are_judged(home: Path, peer: PeerOutlook, verdict: Verdict, word: str) -> None:
    (finding,) = peer_findings(load_home(home), [peer], "khazana 0.1.0")

    assert finding.verdict is verdict
    assert word in finding.advice


def test_validators_that_the_configuration_does_not_name_are_named(home: Path) -> None:
    """As in a home made without `--peer`: there is no link above that could be mended."""
    dialled = quorum_finding(load_home(home), INSTITUTIONS, [])
    file = home / "node.toml"
    file.write_text(re.sub(r"(?ms)^\[network\.peers\]$.*?^$", "", file.read_text()))

    alone = quorum_finding(load_home(home), INSTITUTIONS, [])
    called = quorum_finding(load_home(home), INSTITUTIONS, [peer_like(name="finance-ministry")])

    assert "Mend the links above" in dialled.advice
    assert "crypto-council, finance-ministry, virtual-asset-regulator" in alone.advice
    assert "[network.peers]" in alone.advice
    assert "crypto-council, virtual-asset-regulator" in called.advice


def test_disk_is_looked_at_also_where_the_folder_is_to_be_made(tmp_path: Path) -> None:
    found = by_check(tuple(disk_findings(tmp_path / "not/yet")))

    assert found.keys() == {"disk.space", "disk.filesystem", "disk.sync"}
    assert str(tmp_path) in found["disk.space"].found
    assert not (tmp_path / "not").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_file_system_of_a_path_is_the_innermost_mount() -> None:
    assert filesystem_of(Path("/proc/self")) == "proc"
