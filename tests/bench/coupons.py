"""What a coupon to many holders costs each block: `python -m tests.bench.coupons`.

A network is planted (`tests.bench.population`) in which every account holds a bond; its record is
taken, its agent debited and all holders are paid, through the real chain on a real database: build,
which applies and computes the new root, and commit, which writes it. Blocks are otherwise empty; an
idle one, with so many other securities alive, is measured beside them.

Between two paying blocks a second network, in which nothing is due, decides one on the same disk:
`control`. A disk that lets everybody wait lets that one wait too; what it took is told beside.

Between two blocks it waits until the store's thread has read ahead of the next one, as a node does
whose blocks come a tenth of a second apart or more; what that takes is told as `ahead`. With
`--hurried` a block comes at once, and reads by itself.

Prints one JSON object: milliseconds of a block, by the clock and in processor time. `own` is that
of the loop and of the store's thread, which take turns at a block: what it takes wherever a core is
free for it, but for waiting for the disk; `waited` is the rest of the clock: the disk, and whoever
else uses the processors. `entries` and `kilobytes` are what it writes, with the branches that
follow it. `added_ms` is what a paying block takes beyond the median of control's, and
`added_by_rank_ms` the median, the 99th of a hundred and the highest of paying blocks, each less the
same of control's; `records_added_ms` what each block of the days of records takes beyond the same.
Where any block takes 50 ms more, or a million are not wholly paid within 200 blocks, the exit code
is 1: `checks` says which.
"""

import argparse
import asyncio
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.app import collector
from node.chain import Chain
from node.chain.batch import batch_of
from node.codec import Record, encode, replace
from node.genesis import Genesis, load_genesis
from node.hashing import HASH_SIZE
from node.keys.development import development_signer
from node.ledger.acting import BlockContext
from node.ledger.dates import Order, Roll, Stub, date_of
from node.ledger.identifiers import is_isin
from node.ledger.operations import DefineAsset, DefineCalendar, SetTaxStatus
from node.ledger.positions import place_of
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import (
    PAYMENTS,
    POSITIONS,
    TAX_CHANGES,
    TAXED_POSITIONS,
    TAXPAYERS,
    PaymentRecord,
    PaymentStatus,
    PositionRecord,
    TaxChangeRecord,
    TaxedPositionRecord,
    TaxpayerRecord,
    TaxStanding,
    TaxStatus,
    filed_name,
    payment_key,
    position_key,
    tax_change_key,
    taxed_prefix,
)
from node.ledger.state import LedgerState, MemoryRecords
from node.ledger.tables import (
    ASSETS,
    DUE,
    HOLDINGS,
    HOLDS,
    RECORDS_DUE,
    AssetIdentifiers,
    HoldingRecord,
    HoldRecord,
    ParticipantKind,
    hold_key,
    holding_key,
    name_key,
)
from node.ledger.taxpayers import class_named
from node.ledger.terms import BondTerms, Instalment, PaymentPlan, RateStep
from node.ledger.transactions import TransactionBody, network_of
from node.ledger.transition import Application
from node.ledger.units import MS_PER_DAY, local_day
from node.provision.acts import RUPEE
from node.stages import Stages
from node.storage import KeyValueStore, StorageThread, open_leveldb
from tests.bench.joining import OWNER, certify, make_network
from tests.bench.population import (
    FUNDS_PAISA,
    Population,
    founded,
    kinds_of_record,
    office_address,
    write_population,
)

BOND: Final = "PIB-5Y"
GENESIS_FILE: Final = "genesis.json"
FACE: Final = 100_003
"""Paisa of each holder."""
HELD: Final = FACE - 3
"""Of it, under a hold, where each holder has one."""
REPAID_PPM: Final = 200_000
"""Of the face, with the payment, where it repays some."""
HALF_YEAR: Final = 180
"""Days of a life of one payment."""
UTC_OFFSET_MS: Final = 5 * 3_600_000
IDLE_BLOCKS: Final = 100
"""Before anything is due."""
ADDED: Final = ("clock", "own")
ADDED_MAX_MS: Final = 50
"""By the clock: what any block may take more than one in which nothing is due."""
BLOCKS_MAX: Final = 200
"""Of a payment to up to `MILLION` holders, unless it repays something too."""
MILLION: Final = 1_000_000
CONTROL_FOLDER: Final = "control"
CONTROL_HOLDERS: Final = 1_000
"""Of the network in which nothing is due: what a block without a payment takes does not depend on
it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is special about the payment that is measured."""

    last: bool = False
    """It redeems the bond too."""
    instalment: bool = False
    """It repays a part of the face."""
    held: bool = False
    """Most of each holder's face is on hold."""
    marked: bool = False
    """Who holds it is a taxpayer of another status from the second day on (`marking`)."""
    listed: bool = False
    """Each holder is, who then is one of its own: a list of so many names (`marking`)."""


COUPON: Final = Kind()


def with_bonds(
    genesis: Genesis, holders: int, securities: int, kind: Kind = COUPON
) -> dict[bytes, bytes]:
    """Return the other records of the network, and its bonds: one that all hold, others at rest."""
    records = MemoryRecords()
    records.write(founded(genesis, holders * FUNDS_PAISA))
    state = LedgerState(records)
    today = local_day(genesis.time_ms, 300)
    ministry, bank = office_address("finance-ministry"), office_address("central-bank")
    operations: list[Record] = [
        DefineCalendar(
            account=bank, approvers=(), calendar="pk", title="Pakistan", weekend=96, holidays=()
        )
    ]
    operations += [
        _bond(f"{BOND}-{number}" if number else BOND, number, today, ministry, bank, kind)
        for number in range(securities)
    ]
    if kind.marked:
        inactive = SetTaxStatus(
            account=ministry,
            approvers=(bank,),
            participant=OWNER,
            status=TaxStatus.INACTIVE,
            from_day=today + 1,
            source="Active taxpayers list",
        )
        operations.append(inactive)
    context = BlockContext(
        height=1,
        time_ms=genesis.time_ms,
        genesis_hash=genesis.hash,
        version=genesis.ledger.protocol_version,
    )
    signers = [
        development_signer(f"{name}/account").public_key
        for name in ("central-bank", "finance-ministry")
    ]
    for number, operation in enumerate(operations):
        named = signers[:1] if number == 0 else signers
        body = TransactionBody(
            version=1,
            network=network_of(genesis.hash),
            valid_until_ms=genesis.time_ms + 1,
            salt=number.to_bytes(8),
            signers=tuple(sorted(named)),
            operations=(operation,),  # type: ignore[arg-type]  # a union
            memo="",
        )
        receipt = Application(state, context).apply(number.to_bytes(32), body)
        assert receipt.outcome == 0, receipt
    bond, rupee = (state.get(ASSETS, name_key(code)) for code in (BOND, RUPEE))
    assert bond is not None
    assert rupee is not None
    cash = 2 * holders * FACE
    state.put(ASSETS, name_key(BOND), replace(bond, supply=holders * FACE))
    state.put(ASSETS, name_key(RUPEE), replace(rupee, supply=rupee.supply + cash))
    state.put(HOLDINGS, holding_key(ministry, RUPEE), HoldingRecord(available=cash, held=0))
    records.write(state.changes())
    return dict(records.items())


def _bond(
    asset: str, number: int, today: int, ministry: bytes, bank: bytes, kind: Kind
) -> DefineAsset:
    start = date_of(today)
    later = number % 25  # the days of the others are spread
    issue_day = today - later
    plan = PaymentPlan(
        issue_day=issue_day,
        maturity_day=issue_day
        + (HALF_YEAR if kind.last else (start.replace(year=start.year + 5) - start).days),
        months=6,
        rates=(RateStep(from_day=issue_day, rate_ppm=120_000),),
        floating=None,
        call=None,
        instalments=(Instalment(payment=1, share_ppm=REPAID_PPM),) if kind.instalment else (),
        day_count=DayCount.ACT_ACT_ICMA,
        pricing_day_count=DayCount.ACT_ACT_ICMA,
        calendar="pk",
        roll=Roll.FOLLOWING,
        order=Order.CALCULATE_THEN_SHIFT,
        end_of_month=False,
        stub=Stub.SHORT_FRONT,
        record_days=10,
        grace_days=3,
        cash=RUPEE,
        face_unit=1,
        paying_agent=ministry,
        residue_account=ministry,
    )
    body = f"PK{number:09d}"
    return DefineAsset(
        account=ministry,
        approvers=(bank,),
        asset=asset,
        name="Pakistan Investment Bond",
        issuer="finance-ministry",
        identifiers=AssetIdentifiers(
            isin=next(f"{body}{digit}" for digit in range(10) if is_isin(f"{body}{digit}")),
            currency="PKR",
            dti=None,
        ),
        terms=BondTerms(face_currency="PKR", plan=plan),
        term_sheet_hash=bytes(32),
        decimals=2,
        multiple=1,
        ceiling=1 << 62,
        forced_transfer_allowed=True,
    )


def plant(folder: Path, holders: int, securities: int, kind: Kind = COUPON) -> None:
    """Make the network and its database, before the first block."""
    genesis = make_network(folder).genesis
    (folder / GENESIS_FILE).write_text(genesis.render())
    store = open_leveldb(folder / "db", create=True)
    plant_into(store, genesis, holders, securities, kind)
    store.close()


def plant_into(
    store: KeyValueStore, genesis: Genesis, holders: int, securities: int, kind: Kind = COUPON
) -> None:
    """Write the state before the first block into an empty store."""
    position = encode(PositionRecord(face=FACE, taxpayer="company", filed_day=0, marks=()))
    filed_at = _filed_alone_at if kind.listed else _filed_at
    held = HELD if kind.held else 0
    holding = encode(HoldingRecord(available=FACE - held, held=held))
    kinds = [
        *kinds_of_record(),
        (lambda place: HOLDINGS.prefix + holding_key(place, BOND), holding),
        (lambda place: POSITIONS.prefix + position_key(BOND, place_of(place, RUPEE)), position),
        (lambda place: TAXED_POSITIONS.prefix + filed_at(place), encode(TaxedPositionRecord())),
    ]
    if kind.listed:
        day = local_day(genesis.time_ms, 300) + 1
        told = TaxStanding(status=TaxStatus.INACTIVE, from_day=day, source="Active taxpayers list")
        queued = TaxChangeRecord(taxpayer=class_named(ParticipantKind.COMPANY, told.status))
        kinds += [
            (
                lambda place: TAXPAYERS.prefix + name_key(_named(place)),
                encode(TaxpayerRecord(ruling=None, change=told)),
            ),
            (
                lambda place: TAX_CHANGES.prefix + tax_change_key(day, _named(place)),
                encode(queued),
            ),
        ]
    if kind.held:
        hold = encode(
            HoldRecord(
                asset=BOND,
                amount=HELD,
                reason="court order",
                legal_reference="CO 12/2026",
                expires_ms=None,
                placed_by="central-bank",
            )
        )
        kinds.append((lambda place: HOLDS.prefix + hold_key(place, _hold_id(place)), hold))
    others = with_bonds(genesis, holders, securities, kind)
    write_population(store, genesis, Population(holders, kinds, others))


def _filed_at(place: bytes) -> bytes:
    return taxed_prefix(OWNER) + filed_name(position_key(BOND, place_of(place, RUPEE)), 0)


def _filed_alone_at(place: bytes) -> bytes:
    return taxed_prefix(_named(place)) + filed_name(position_key(BOND, place_of(place, RUPEE)), 0)


def _named(place: bytes) -> str:
    """Return whose account it is where each holder is a taxpayer of its own: for the marking alone,
    which reads no account."""
    return f"p{place.hex()}"


def _hold_id(place: bytes) -> bytes:
    return place.ljust(HASH_SIZE, b"\0")


@asynccontextmanager
async def opened(folder: Path, *, hurried: bool) -> AsyncIterator["Blocks"]:
    """Open a planted network, with a thread of its own."""
    genesis = load_genesis(folder / GENESIS_FILE)
    stages = Stages(time.thread_time)
    async with StorageThread(stages.store) as thread:
        store = open_leveldb(folder / "db", create=False, node=True)
        chain = Chain.open(store, genesis, thread=thread, stages=stages)
        chain.listeners.append(collector.look_soon)  # as a node does
        yield Blocks(chain, stages, None if hurried else thread)
        await chain.close()
        store.close()


async def run(folder: Path, *, hurried: bool) -> dict[str, Any]:
    """Let the coupon of a planted network pass, and measure every block of it."""
    async with (
        opened(folder, hurried=hurried) as blocks,
        opened(folder / CONTROL_FOLDER, hurried=hurried) as beside,
    ):
        chain = blocks.chain
        now, elsewhere = chain.genesis.time_ms, beside.chain.genesis.time_ms
        idle = [await blocks.decide(now := now + 1_000) for _ in range(IDLE_BLOCKS)]
        taking: list[dict[str, float]] = []
        # Day by day to the payment, so that the records of the others come too; and block by block
        # as long as something of the day is left, so that none of it comes on the day of payment.
        while (payment := _payment_of(chain)) is None or payment.status < PaymentStatus.PAYING:
            now += 1_000
            if not _is_due(chain, now):
                now = (now + UTC_OFFSET_MS) // MS_PER_DAY * MS_PER_DAY + MS_PER_DAY - UTC_OFFSET_MS
            taking.append(await blocks.decide(now))
        paying, control = [taking.pop()], []
        while payment.status is PaymentStatus.PAYING:
            await blocks.rest()
            control.append(await beside.decide(elsewhere := elsewhere + 1_000))
            paying.append(await blocks.decide(now := now + 1_000))
            payment = _payment_of(chain)
            assert payment is not None  # it is never deleted
        due = payment.interest_due + payment.principal_due
        assert payment.paid + payment.withheld + payment.residue == due
    paid, unpaid = spread_of(paying), spread_of(control)
    added, taken = spread_of(added_to(paying, control)), spread_of(added_to(taking, control))
    return {
        "holders": payment.holders,
        "idle_block_ms": spread_of(idle),
        "day_of_records_ms": spread_of(taking),
        "paying_block_ms": paid,
        "control_block_ms": unpaid,
        "added_ms": added,
        "records_added_ms": taken,
        "added_by_rank_ms": {
            name: {rank: round(value - unpaid[name][rank], 1) for rank, value in paid[name].items()}
            for name in ADDED
        },
        "paying_blocks": len(paying),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "residue": payment.residue,
        "state_root": chain.head.state_root.hex(),
        "checks": checks(
            added_ms=max(added["clock"]["max"], taken["clock"]["max"]),
            blocks=len(paying),
            holders=payment.holders,
            plain=not payment.row.principal_ppm,
        ),
    }


def checks(*, added_ms: float, blocks: int, holders: int, plain: bool) -> dict[str, bool]:
    """Return whether a coupon kept to what is promised of it.

    Args:
        added_ms: the most that a block took more than one in which nothing is due.
        blocks: in which holders were paid.
        holders: how many were paid; of more than a million nothing is promised.
        plain: whether nothing was repaid: otherwise they may be fewer a block.
    """
    held = {"any_block_adds_less_than_50_ms": added_ms < ADDED_MAX_MS}
    if plain and holders <= MILLION:
        held["paid_within_200_blocks"] = blocks <= BLOCKS_MAX
    return held


def _payment_of(chain: Chain) -> PaymentRecord | None:
    return chain.record(PAYMENTS, payment_key(BOND, 1))


def _is_due(chain: Chain, time_ms: int) -> bool:
    """Whether anything is left to a block of this time."""
    heads = [entry for queue in (DUE, RECORDS_DUE) for entry in chain.scan(queue, b"", 1)]
    return any(int.from_bytes(key[:8]) <= time_ms for key, _ in heads)


class Blocks:
    """Decides empty blocks, and measures them."""

    def __init__(self, chain: Chain, stages: Stages, thread: StorageThread | None) -> None:
        """Take the chain, its accounts, and the thread that is waited for between two blocks."""
        self.chain = chain
        self._stages = stages
        self._thread = thread
        self._ahead_s = 0.0

    async def rest(self) -> None:
        """Wait until nothing is left to do before the next block comes, and count what it takes."""
        began = time.process_time()
        if self._thread is not None:
            await self._thread.drain()
        self._ahead_s += time.process_time() - began

    async def decide(self, time_ms: int) -> dict[str, float]:
        """Commit one block of this time; return what it took, and what was done ahead of it."""
        await self.rest()
        ahead, self._ahead_s = self._ahead_s, 0.0
        clock, cpu, loop = time.perf_counter(), time.process_time(), time.thread_time()
        elsewhere = self._elsewhere_s()
        candidate = self.chain.build(round=0, time_ms=time_ms, transactions=())
        built = time.perf_counter()
        certificate = certify(candidate, self.chain.genesis)
        signed = time.perf_counter()
        await self.chain.commit(candidate, certificate)
        ended = time.perf_counter()
        loop = time.thread_time() - loop
        cpu = time.process_time() - cpu
        own = loop + self._elsewhere_s() - elsewhere
        batch = batch_of(candidate, certificate)
        return {
            "ahead": ahead * 1e3,
            "build": (built - clock) * 1e3,
            "commit": (ended - signed) * 1e3,
            "clock": (ended - clock) * 1e3,
            "loop": loop * 1e3,
            "own": own * 1e3,
            "waited": max(0.0, ended - clock - own) * 1e3,
            "cpu": cpu * 1e3,
            "entries": len(batch),
            "kilobytes": sum(len(key) + len(value or b"") for key, value in batch) / 1e3,
        }

    def _elsewhere_s(self) -> float:
        """Return what the store's thread has taken; what it has begun counts when it ends."""
        store = self._stages.store
        return store.seconds - store.loop_seconds


def added_to(
    blocks: list[dict[str, float]], control: list[dict[str, float]]
) -> list[dict[str, float]]:
    """Return what each block took by the clock and of its own, beyond the median of others."""
    usual = {name: statistics.median(block[name] for block in control) for name in ADDED}
    return [{name: block[name] - usual[name] for name in usual} for block in blocks]


def spread_of(blocks: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return median, the 99th of a hundred, and highest of each measure."""
    spread = {}
    for name in blocks[0]:
        values = sorted(block[name] for block in blocks)
        spread[name] = {
            "median": round(statistics.median(values), 1),
            "p99": round(values[len(values) * 99 // 100], 1),
            "max": round(values[-1], 1),
        }
    return spread


def main() -> int:
    """Measure what the command line asks for; return 1 where a check does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--holders", type=int, default=1_000_000)
    parser.add_argument("--securities", type=int, default=1, help="alive, the one that pays too")
    parser.add_argument("--last", action="store_true", help="the payment redeems the bond too")
    parser.add_argument(
        "--instalment", action="store_true", help="the payment repays a part of the face too"
    )
    parser.add_argument("--held", action="store_true", help="each holder's face is on hold")
    parser.add_argument("--hurried", action="store_true", help="leave no time between blocks")
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep the network there as it was planted, or take it from there",
    )
    options = parser.parse_args()
    kind = Kind(last=options.last, instalment=options.instalment, held=options.held)
    if kind.last and kind.instalment:
        parser.error("the last payment is no instalment")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / "network"
        planted = options.folder or work
        if not planted.exists():
            planted.mkdir(parents=True)
            plant(planted, options.holders, options.securities, kind)
        if planted != work:
            shutil.copytree(planted, work)
        (work / CONTROL_FOLDER).mkdir()
        plant(work / CONTROL_FOLDER, CONTROL_HOLDERS, 1)
        collector.settle()
        found = asyncio.run(run(work, hurried=options.hurried))
    print(json.dumps({"securities": options.securities, **found}, indent=2))
    return 0 if all(found["checks"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
