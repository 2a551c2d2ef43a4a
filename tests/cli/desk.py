"""The desk of a ministry, for commands: two offices with their keys, and a bank, on a node of one
validator.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from node.keys.keystore import Work, store_key
from node.ledger.operations import Transfer
from node.provision.pakistan import define_pakistan
from tests.chain.town import BANK, CASH, address_of, key, make_record
from tests.cli.asked import ask
from tests.cli.running import Ran
from tests.ledger.world import with_check_digit
from tests.rpc.solo import Solo, solo_node

LITTLE: Final = Work(memory_kib=1_024, passes=1, lanes=1)
CENTRAL, MINISTRY = "central-bank", "finance-ministry"
HOUR_MS: Final = 3_600_000
KARACHI: Final = timedelta(hours=5)


@dataclass
class Desk:
    """The node, and the key files of the offices and the bank."""

    solo: Solo
    folder: Path

    @property
    def ministry(self) -> str:
        return self.solo.address(MINISTRY, MINISTRY)

    @property
    def central(self) -> str:
        return self.solo.address(CENTRAL, CENTRAL)

    @property
    def document(self) -> Path:
        return self.folder / "terms.pdf"

    @property
    def now(self) -> datetime:
        """By the last block, in local time without its zone: as people write moments here."""
        time_ms = self.solo.town.chain.head.time_ms
        return datetime.fromtimestamp(time_ms / 1000, UTC).replace(tzinfo=None) + KARACHI

    async def run(self, *words: str | Path, by: tuple[str, ...] = ()) -> Ran:
        """Run `khazana` with these words, signed by the keys of these names."""
        signing: list[str | Path] = []
        passphrase = self.folder / "passphrase"
        for name in by:
            file = self.folder / f"{name}.json"
            if not file.exists():
                store_key(file, key(name).seed, "open sesame", purpose="account", work=LITTLE)
            signing += ["--key", file, "--passphrase-file", passphrase]
        return await ask(self.solo, *words, *signing)

    async def alone(self, *words: str | Path) -> Ran:
        """Run a command of the ministry that needs nobody else."""
        return await self.run(*words, "--account", self.ministry, by=(MINISTRY,))

    async def together(self, *words: str | Path) -> Ran:
        """Run a command of the ministry that the central bank signs too."""
        both = ("--account", self.ministry, "--approver", self.central)
        return await self.run(*words, *both, by=(MINISTRY, CENTRAL))

    async def pass_by(self, hours: float) -> None:
        self.solo.town.clock.advance(int(hours * HOUR_MS))
        await self.solo.seal()

    async def define(self, asset: str, kind: str, *words: str | Path, dry: bool = False) -> Ran:
        """Define a security of five years from tomorrow on."""
        tomorrow = (self.now + timedelta(days=1)).date()
        usual: tuple[str | Path, ...] = (
            *("security", "define", asset, "--kind", kind, "--name", f"The {kind} {asset}"),
            *("--issue", f"{tomorrow}", "--document", self.document, "--cash", CASH),
            *("--multiple", "5000", "--ceiling", "1000000", "--isin", isin_of(asset)),
        )
        if dry:
            return await self.run(*usual, *words, "--account", self.ministry, "--dry-run")
        return await self.together(*usual, *words, "--json")


@contextlib.asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """Two offices, and a bank with Rs 10,000 in each of three accounts."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=3, sealing=True) as solo:
        (folder / "passphrase").write_text("open sesame\n")
        (folder / "terms.pdf").write_bytes(b"What is promised.")
        desk = Desk(solo, folder)
        calendar = define_pakistan(central_bank=address_of(CENTRAL, CENTRAL))
        gather = [
            Transfer(
                account=address_of(BANK, name), to=address_of(BANK, "a0"), asset=CASH, amount=10**6
            )
            for name in ("a1", "a2")
        ]
        town = solo.town
        for operations, by in (((calendar,), (CENTRAL,)), (gather, ("a1", "a2"))):
            committed = await town.decide(town.transaction(operations, by))
            assert [each.outcome for each in committed.candidate.receipts] == [0]
        yield desk


def isin_of(asset: str) -> str:
    return with_check_digit(f"PK{asset.replace('-', ''):0<9}")
