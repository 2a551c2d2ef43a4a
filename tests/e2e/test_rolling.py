"""A new release on four validators, one after the other, under load: nobody's payment is refused.

The release is a wheel of these sources under a higher version, unpacked as an installer unpacks it.
The network begins by the rules of the version before the newest, which come into force at the end.
This is the runbook "A newer release" with the one of the rules that change at a height.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from node.client import Client
from node.keys.development import development_signer
from node.ledger.acts.governance.schedule_upgrade import ScheduleUpgrade
from node.ledger.protocol import LATEST_VERSION
from node.provision.acts import address_of_key
from node.provision.local import LocalNetwork, create_network
from node.provision.reference import INSTITUTIONS
from tests.e2e.networks import (
    BANK,
    CLOCK,
    Payers,
    check_nothing_lost,
    client_of,
    describe,
    endow,
    signatures_agree,
    until_height,
)

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
NEWER = "99.0.0"
AHEAD = 12
"""Blocks from the decision to the height at which the rules change."""
BETWEEN = 6
"""Payments that must be acknowledged between two steps."""


def release(folder: Path) -> Path:
    """Return a folder with the packages of a newer release, as a wheel brings them."""
    sources = folder / "sources"
    for package in ("node", "consensus"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, sources / package, ignore=ignored)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    described = (ROOT / "pyproject.toml").read_text()
    renamed, count = re.subn(r'(?m)^version = ".*"$', f'version = "{NEWER}"', described, count=1)
    assert count == 1
    (sources / "pyproject.toml").write_text(renamed)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=sources,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    return installed


async def software(network: LocalNetwork, name: str) -> str:
    async with client_of(network, name) as client:
        told = (await client.call("khz_status"))["software"]
        assert isinstance(told, str)
        return told


async def schedule(client: Client, height: int) -> None:
    """Let the offices decide together that the newest version rules from this height on."""
    signers = {name: development_signer(f"{name}/account") for name in INSTITUTIONS}
    accounts = {name: address_of_key(name, key.public_key) for name, key in signers.items()}
    decision = ScheduleUpgrade(
        account=accounts[BANK],
        approvers=tuple(sorted(accounts[name] for name in INSTITUTIONS if name != BANK)),
        version=LATEST_VERSION,
        height=height,
    )
    builder = await client.transaction()
    receipt = await client.submit(builder.add(decision).sign(*signers.values()))
    assert receipt.outcome.applied, receipt


async def test_a_release_and_its_rules_come_node_by_node_and_no_payment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = release(tmp_path / "release")
    description = describe(dict.fromkeys(INSTITUTIONS, "127.0.0.1"))
    former = description.model_copy(update={"protocol_version": LATEST_VERSION - 1})
    network = create_network(tmp_path / "network", former, now_ms=CLOCK.now_ms())
    try:
        network.start(leashed=True)
        await network.wait_ready()
        await endow(network)
        before = await software(network, BANK)
        assert NEWER not in before
        # What is started from here on is the newer release: the folder comes before all others.
        monkeypatch.setenv("PYTHONPATH", str(newer))
        monkeypatch.chdir(newer)
        payers = Payers(network, seed=4, pause_s=0.05)
        async with payers.paying():
            for name in INSTITUTIONS:
                await payers.more(BETWEEN)
                process = network.process(name)
                assert process is not None
                assert await process.stop(), "it ends in order when it is told to"
                await payers.more(BETWEEN)
                network.start(name, leashed=True)
                await network.wait_ready(name)
                assert await software(network, name) == f"khazana {NEWER}"
            async with client_of(network) as client:
                gate = (await client.status()).height + AHEAD
                await schedule(client, gate)
                await until_height(client, gate + 1)
            await payers.more(BETWEEN)

        assert all(receipt.outcome.applied for receipt in payers.receipts.values())
        await check_nothing_lost(network, payers.receipts)
        for name in INSTITUTIONS:
            async with client_of(network, name) as client:
                await until_height(client, gate)
                rules = [
                    (await client.block(height, transactions="none")).value.header.version
                    for height in (gate - 1, gate)
                ]
                assert rules == [LATEST_VERSION - 1, LATEST_VERSION]
        signatures_agree(network)
    finally:
        await network.stop()
