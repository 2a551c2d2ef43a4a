"""A bank, a person and an auction that is announced, on a node of one validator, for commands."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.codec import Record, replace
from node.keys.keystore import Work, store_key
from node.ledger.operations import (
    AnnounceAuction,
    DefineAsset,
    OpenAccount,
    RegisterParticipant,
    Transfer,
)
from node.ledger.policies import single_signer
from node.ledger.tables import AssetIdentifiers, ParticipantKind
from node.ledger.terms import BillTerms
from node.ledger.units import MS_PER_DAY
from node.provision.acts import identify_person
from tests.chain.town import BANK, CASH, SALT, address_of, key, make_record
from tests.cli.asked import ask
from tests.cli.running import Ran
from tests.ledger.auctions.books import TERMS
from tests.ledger.world import ISIN
from tests.rpc.solo import Solo, solo_node

AUCTION: Final = "mtb-3m-574"
BILL: Final = "MTB-3M"
MINUTE_MS: Final = 60_000
CENTRAL, MINISTRY = (
    address_of("central-bank", "central-bank"),
    address_of("finance-ministry", "finance-ministry"),
)
REGULATOR: Final = address_of("virtual-asset-regulator", "virtual-asset-regulator")
LITTLE: Final = Work(memory_kib=1_024, passes=1, lanes=1)
BOTH: Final = ("central-bank", "finance-ministry")


@dataclass
class Market:
    """The node, and what people keep outside of it."""

    solo: Solo
    folder: Path
    opens_ms: int

    async def go_to(self, minute: int) -> None:
        """Let the first block come so many minutes after the opening."""
        self.solo.town.clock.advance(
            self.opens_ms + minute * MINUTE_MS - self.solo.town.clock.now_ms()
        )
        await self.solo.seal()

    async def decide(self, *operations: Record, by: tuple[str, ...]) -> None:
        committed = await self.solo.town.decide(self.solo.town.transaction(operations, by))
        [receipt] = committed.candidate.receipts
        assert receipt.outcome == 0, receipt

    async def run(self, command: str, *words: str | Path, by: str = "") -> Ran:
        """Run `khazana auction COMMAND`, signed by the key of this name if there is one."""
        signing = self.signing(by) if by else ()
        if command in {"bid", "reveal"}:
            signing = (*signing, "--bids", self.folder / "bids")
        return await ask(self.solo, "auction", command, *words, *signing)

    def signing(self, name: str) -> tuple[str | Path, ...]:
        """Return the options that sign with the key of this name."""
        file, passphrase = self.folder / f"{name}.json", self.folder / "passphrase"
        if not file.exists():
            passphrase.write_text("open sesame\n")
            store_key(file, key(name).seed, "open sesame", purpose="account", work=LITTLE)
        return ("--key", file, "--passphrase-file", passphrase)

    def address(self, name: str, owner: str = BANK) -> str:
        return self.solo.address(name, owner)


@contextlib.asynccontextmanager
async def market_at(folder: Path) -> AsyncIterator[Market]:
    """A bank with three accounts of Rs 10,000 each, and an auction that is announced."""
    record = make_record(validators=1, protocol_version=3)
    async with solo_node(record=record, accounts=3, sealing=True) as solo:
        opens_ms = solo.town.chain.head.time_ms + 10 * MINUTE_MS
        market = Market(solo, folder, opens_ms)
        today = opens_ms // MS_PER_DAY
        bill = DefineAsset(
            account=MINISTRY,
            approvers=(CENTRAL,),
            asset=BILL,
            name="Market Treasury Bill, 3 months",
            issuer="finance-ministry",
            identifiers=AssetIdentifiers(isin=ISIN, currency="PKR", dti=None),
            terms=BillTerms(issue_day=today, maturity_day=today + 84, face_currency="PKR"),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=100,
            ceiling=10**12,
            forced_transfer_allowed=False,
        )
        terms = replace(
            TERMS,
            asset=BILL,
            cash=CASH,
            proceeds=MINISTRY,
            target=1_000_000,
            multiple=10_000,
            prorata_step=10_000,
            opens_ms=opens_ms,
            closes_ms=opens_ms + 10 * MINUTE_MS,
            reveals_until_ms=opens_ms + 20 * MINUTE_MS,
            decides_until_ms=opens_ms + 30 * MINUTE_MS,
            settles_ms=opens_ms + 40 * MINUTE_MS,
            noncompetitive_least=10_000,
            noncompetitive_most=100_000,
            reference="mtb-3m",
        )
        announce = AnnounceAuction(
            account=MINISTRY, approvers=(CENTRAL,), auction=AUCTION, terms=terms
        )
        await market.decide(bill, announce, by=BOTH)
        amina = RegisterParticipant(
            account=REGULATOR,
            approvers=(),
            participant="amina",
            kind=ParticipantKind.PERSON,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        )
        opening = OpenAccount(
            account=REGULATOR,
            approvers=(),
            owner="amina",
            policy=single_signer(key("amina").public_key),
            salt=SALT,
        )
        identified = identify_person(registrar=REGULATOR, participant="amina")
        await market.decide(amina, identified, opening, by=("virtual-asset-regulator",))
        give = Transfer(
            account=address_of(BANK, "a2"),
            to=address_of("amina", "amina"),
            asset=CASH,
            amount=200_000,
        )
        await market.decide(give, by=("a2",))
        yield market


async def bid(market: Market, who: str, price: str, face: str) -> Ran:
    words = ("--account", market.address(who), "--price", price, "--face", face)
    return await market.run("bid", AUCTION, *words, by=who)
