"""The smallest network, as `khazana init --docker -n 1` writes its files, in real containers."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from node.cli.exits import Exit
from node.client import Client
from node.genesis import load_genesis
from node.keys.development import development_signer
from node.provision.acts import RUPEE, address_of_key, define_rupee, issue
from node.provision.probing import answers
from tests.cli.running import khazana
from tests.docker import engine
from tests.ports import own_ports

pytestmark = [pytest.mark.docker, pytest.mark.timeout(engine.BUILD_TIMEOUT_S + 120)]

READY_MAX_S = 180
BANK = development_signer("central-bank/account")
MINISTRY = development_signer("finance-ministry/account")
EXCHANGE = development_signer("exchange/account")


class Small:
    """The project of compose of a folder."""

    def __init__(self, folder: Path) -> None:
        self.name = f"khazana-test-{secrets.token_hex(4)}"
        self._file = folder / "compose.yaml"
        self.urls: dict[str, str] = {}
        self._variables = {"KHAZANA_IMAGE": engine.IMAGE}
        for name, port in zip(("central-bank", "exchange"), own_ports(2), strict=True):
            self._variables[f"KHAZANA_PORT_{name.upper().replace('-', '_')}"] = str(port)
            self.urls[name] = f"http://127.0.0.1:{port}"

    def compose(self, *words: str) -> str:
        """Run a command of compose."""
        command = engine.compose_command()
        assert command is not None
        return engine.run(
            *(*command, "-p", self.name, "-f", str(self._file), *words),
            variables=os.environ | self._variables,
        )

    async def ready(self) -> None:
        """Wait until both nodes take part."""
        async with asyncio.timeout(READY_MAX_S):
            for url in self.urls.values():
                while not await answers(url, "/readyz"):  # noqa: ASYNC110 - the engine tells later
                    await asyncio.sleep(engine.POLL_S)

    def down(self) -> None:
        """Remove everything."""
        self.compose("down", "-v", "--remove-orphans", "--timeout", "5")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """The network of one validator and one observer, up; nothing watches it."""
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    engine.build(engine.IMAGE)  # As a rule it is kept, from the cluster's.
    made = khazana("init", "--docker", tmp_path / "net", "-n", "1")
    assert made.code == Exit.OK, made.err
    small = Small(tmp_path / "net")
    try:
        small.compose("up", "-d")
        yield small
    finally:
        small.down()


async def test_network_of_one_validator_decides_and_goes_on_after_it_was_killed(
    small: Small, tmp_path: Path
) -> None:
    await small.ready()
    text = small.compose("exec", "-T", "exchange", "cat", "/data/genesis.json")
    (tmp_path / "genesis.json").write_text(text)
    genesis = load_genesis(tmp_path / "genesis.json")
    bank, exchange = (
        address_of_key(owner, signer.public_key)
        for owner, signer in (("central-bank", BANK), ("exchange", EXCHANGE))
    )
    ministry = address_of_key("finance-ministry", MINISTRY.public_key)
    rupee = define_rupee(central_bank=bank, approvers=(ministry,))
    given = issue(account=bank, asset=RUPEE, amount=5_00, to=exchange)

    # The institutions that validate nothing here have accounts and powers all the same.
    async with Client(small.urls["exchange"], network=genesis) as client:
        await client.submit((await client.transaction()).add(rupee).sign(BANK, MINISTRY))
        await client.submit((await client.transaction()).add(given).sign(BANK))
    small.compose("kill", "-s", "SIGKILL", "central-bank")
    small.compose("start", "central-bank")
    await small.ready()
    async with Client(small.urls["exchange"], network=genesis) as client:
        receipt = await client.submit((await client.transaction()).add(given).sign(BANK))
        held = await client.holding(exchange, RUPEE)

    assert receipt.outcome.applied
    assert held == Decimal("10.00")
    told = small.compose("logs", "--no-color")
    assert "Traceback" not in told
    assert "[error" not in told
