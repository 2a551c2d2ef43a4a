"""What a node is told by signals, and by files that changed, from its start on."""

import asyncio
import os
import signal
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from node.cli.exits import Exit
from node.ledger.tables import ParticipantKind
from node.provision.description import Account, Blocks, Participant
from node.provision.homes import CONFIG_FILE
from node.provision.local import LocalNode, create_network
from node.provision.probing import answers
from node.provision.processes import start_node
from node.provision.reference import INSTITUTIONS, reference_network
from tests.cli.asked import run
from tests.cli.running import khazana
from tests.e2e.networks import CLOCK, PATIENCE_S, until
from tests.ports import own_ports
from tests.rpc.authorities import Authority, Identity, client_context

pytestmark = pytest.mark.e2e


def one_of_four(folder: Path) -> LocalNode:
    """Return a validator whose peers do not run: it lives and answers, and no block comes."""
    free = own_ports(2 * len(INSTITUTIONS))
    ports = {name: (free[2 * n], free[2 * n + 1]) for n, name in enumerate(INSTITUTIONS)}
    description = reference_network("alone", ports=ports, development=True)
    network = create_network(folder / "network", description, now_ms=CLOCK.now_ms())
    return network.nodes[INSTITUTIONS[0]]


def listen_for_operators(
    home: Path, authority: Authority, server: Identity, revocations: Path
) -> int:
    """Let a node have a listener that wants certificates; return its port."""
    (port,) = own_ports(1)
    with (home / CONFIG_FILE).open("a") as config:
        config.write(
            f'\n[rpc.listeners.operations]\nlisten = "127.0.0.1:{port}"\n'
            f'certificate = "{server.certificate}"\nkey = "{server.key}"\n'
            f'client_authority = "{authority.certificate}"\n'
            f'client_revocations = "{revocations}"\n'
        )
    return port


def replace(former: Identity, renewed: Identity) -> None:
    """Write the files of a certificate anew."""
    former.key.write_bytes(renewed.key.read_bytes())
    former.certificate.write_bytes(renewed.certificate.read_bytes())


async def is_shown(port: int, server: Identity, context: ssl.SSLContext) -> bool:
    """Whether the listener is there and shows this certificate to this client."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except ConnectionError:
        return False
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bool(shown == ssl.PEM_cert_to_DER_cert(server.certificate.read_text()))


async def test_a_node_that_joins_by_a_snapshot_reads_certificates_and_ends_when_it_is_told(
    tmp_path: Path,
) -> None:
    """Nobody serves one here, so it would wait for ever."""
    authority = Authority(tmp_path, "authority")
    server, first, second, kept = (authority.sign(name) for name in ("server", "1", "2", "kept"))
    founder = one_of_four(tmp_path)
    port = listen_for_operators(founder.home, authority, server, authority.revoke())
    ours = client_context(authority, kept)
    with (founder.home / CONFIG_FILE).open("a") as config:
        config.write(f'\n[sync]\ntrusted_height = 7\ntrusted_block = "{"11" * 32}"\n')
    checked = await run("config", "check", "--home", founder.home)
    assert checked.code == Exit.OK, checked.err

    process = start_node(founder.home, leashed=True)
    try:
        await until(lambda: answers(founder.url, "/livez"))
        replace(server, first)
        await until(lambda: is_shown(port, first, ours))
        replace(server, second)
        process.signal(signal.SIGHUP)
        await until(lambda: is_shown(port, second, ours))
        assert not await answers(founder.url, "/readyz"), "it has no chain"
    finally:
        ended = await process.stop()

    assert ended
    assert "Traceback" not in (founder.home / "node.log").read_text()


async def test_certificates_and_revoked_ones_are_read_again_at_a_signal(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    server, lost, kept = (authority.sign(name) for name in ("server", "lost", "kept"))
    founder = one_of_four(tmp_path)
    port = listen_for_operators(founder.home, authority, server, authority.revoke())

    async def shows(identity: Identity, certificate: Identity) -> bool:
        return await is_shown(port, certificate, client_context(authority, identity))

    async def metrics(identity: Identity) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"https://127.0.0.1:{port}/metrics", ssl=client_context(authority, identity)
            ) as answer,
        ):
            return await answer.text()

    async def has_refused() -> bool:
        return 'khazana_tls_files_refused{listener="operations"} 1.0' in await metrics(kept)

    process = start_node(founder.home, leashed=True)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: answers(founder.url, "/livez"))
            await until(lambda: shows(lost, server))
            before = await metrics(lost)
            renewed = authority.sign("renewed", until_year=2101)
            authority.revoke(lost)
            replace(server, renewed)
            process.signal(signal.SIGHUP)
            await until(lambda: shows(kept, renewed))
            after = await metrics(kept)
            with pytest.raises(aiohttp.ClientError, match=r"(?i)revoked"):
                async with aiohttp.ClientSession() as session:
                    await session.get(
                        f"https://127.0.0.1:{port}/", ssl=client_context(authority, lost)
                    )
            server.key.write_text("nonsense")
            process.signal(signal.SIGHUP)
            await until(has_refused)
            assert await shows(kept, renewed)
    finally:
        ended = await process.stop()

    assert ended
    name = 'khazana_tls_expiry_timestamp_seconds{file="certificate",listener="operations"}'
    ends = [
        datetime.fromtimestamp(float(line.rpartition(" ")[2]), tz=UTC).year
        for text in (before, after)
        for line in text.splitlines()
        if line.startswith(name)
    ]
    assert ends == [2125, 2101]
    assert "not taken up" in (founder.home / "node.log").read_text()

    server.key.write_bytes(renewed.key.read_bytes())
    (tmp_path / "authority.crl").write_text("nonsense")
    refused = await asyncio.to_thread(khazana, "start", "--home", founder.home)
    assert refused.code == Exit.CONFIGURATION
    assert "rpc.listeners.operations.client_revocations" in refused.err
    assert "no list of revoked certificates" in refused.err


async def test_a_node_whose_terminal_is_closed_ends_in_order(tmp_path: Path) -> None:
    founder = one_of_four(tmp_path)
    ours, theirs = os.openpty()
    said = bytearray()
    has_started = asyncio.Event()

    def hear() -> None:
        said.extend(os.read(ours, 1 << 16))
        if b"node started" in said:
            has_started.set()

    asyncio.get_running_loop().add_reader(ours, hear)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", "start", "--home", founder.home, "--until-eof"),
        stdin=asyncio.subprocess.PIPE,
        stdout=theirs,
        stderr=theirs,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await has_started.wait()
            process.send_signal(signal.SIGHUP)
            code = await process.wait()
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        os.close(theirs)
    said += os.read(ours, 1 << 16) if b"told to end" not in said else b""
    os.close(ours)

    assert code == Exit.OK
    assert b"told to end" in said


OBSERVED = """
import gc, os, signal
from node.cli import main

kept = []


def bring_forth(*_):
    # Fewer than make the collector look by itself.
    young = gc.get_threshold()[0] * 3 // 5
    kept.extend([] for _ in range(young))
    gc.callbacks.append(tell)


def tell(phase, info):
    if phase == "start":
        gc.callbacks.remove(tell)
        os.write(1, b"%d of %d\\n" % (gc.get_count()[0], gc.get_threshold()[0]))


signal.signal(signal.SIGUSR1, bring_forth)
main()
"""


async def test_the_collector_of_a_node_looks_between_two_blocks(tmp_path: Path) -> None:
    """Before it would by itself, which would be in the middle of one."""
    name = INSTITUTIONS[0]
    free = own_ports(2)
    description = reference_network(
        "alone",
        ports={name: (free[0], free[1])},
        validators=(name,),
        participants=[
            Participant(id=each, kind=ParticipantKind.INSTITUTION, office=each)
            for each in INSTITUTIONS[1:]
        ],
        accounts=[
            Account(owner=each, development_key=f"{each}/account") for each in INSTITUTIONS[1:]
        ],
        blocks=Blocks(heartbeat_ms=100),
        development=True,
    )
    network = create_network(tmp_path / "network", description, now_ms=CLOCK.now_ms())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OBSERVED, "start", "--home", network.nodes[name].home),
        "--until-eof",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            for awaited in (b"node started", b"committed"):
                while awaited not in (line := await process.stderr.readline()):
                    assert line, "it has ended"
            process.send_signal(signal.SIGUSR1)
            looked = await process.stdout.readline()
    finally:
        process.terminate()
        _, said = await process.communicate()

    young, by_itself = map(int, looked.split(b" of "))
    assert young < by_itself
    assert process.returncode == Exit.OK
    assert b"Traceback" not in said
