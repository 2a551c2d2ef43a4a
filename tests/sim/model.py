"""The ledger as one machine that nothing ever happens to: what all nodes together must look like.

Every block that an honest node commits first is applied here too, in order, on a disk that never
fails. What follows from the blocks alone is then known: receipts, state, root. A node that has
something else has got it from a crash, a cache or a message.

The same room of the node applies the blocks here, so a wrong rule of the ledger is wrong in both.
Against that stand the invariants, checked whole after every block that changes something, and a
ledger in twenty lines (`Holdings`) that knows transfers and holds from the events alone.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TypeVar

from consensus.certificates import QuorumCertificate
from node.blocks import Block
from node.chain import Candidate, Chain
from node.codec import Record
from node.genesis import Genesis
from node.ledger.acts.assets.forced_transfer import ForciblyTransferred
from node.ledger.acts.assets.issue import Issued
from node.ledger.acts.assets.place_hold import HoldPlaced
from node.ledger.acts.assets.redeem import Redeemed
from node.ledger.acts.assets.release_hold import HoldReleased
from node.ledger.acts.assets.transfer import Transferred
from node.ledger.auctioning.delivering import AllotmentSettled, FaceBoughtBack, FaceSwitched
from node.ledger.auctioning.steps import AuctionSettled, BookCompleted
from node.ledger.due import HoldExpired
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.invariants import check_state, decode_state
from node.ledger.securities import PAYMENTS, payment_key
from node.ledger.servicing import (
    HolderPaid,
    HoldRedeemed,
    PaymentFunded,
    PaymentSettled,
    RecordTaken,
    SecurityCalled,
    WithholdingCollected,
    escrow_address,
)
from node.ledger.state import Table
from node.ledger.stripping import SecurityReconstituted, SecurityStripped
from node.ledger.tables import ASSETS, AUCTIONS, HOLDINGS, TABLES, HoldingRecord, name_key
from node.ledger.terms import BondTerms, SukukTerms
from node.ledger.transactions import decode_signed, transaction_id
from node.mempool import AdmittedTransaction
from node.storage import MemoryStore, layout

R = TypeVar("R", bound=Record)


class Model:
    """The state after the last block that any honest node has committed."""

    def __init__(self, genesis: Genesis, verify: Callable[[bytes, bytes, bytes], bool]) -> None:
        self._genesis = genesis
        self._verify = verify
        store = self._store = MemoryStore()
        self.chain = Chain.open(store, genesis, verify=verify)
        self._rows: dict[bytes, dict[bytes, Record]] = {table.prefix: {} for table in TABLES}
        state = store.scan(*layout.range_of(layout.state_key(b"")))
        for table, key, record in decode_state((full[1:], value) for full, value in state):
            self._rows[table.prefix][key] = record
        self.happened: Counter[str] = Counter()
        """Events of transactions and of what came due, by name; what those of securities mean where
        the name does not say it; and bids that nobody opened."""
        self.holdings = Holdings()
        self.moved: set[bytes] = set()
        """The keys of the holdings that what came due in the last block has touched."""
        self.auctions: Counter[str] = Counter()
        """Those that have delivered something, by form."""
        self._held_at: dict[bytes, list[tuple[int, HoldingRecord | None]]] = {}

    def amend(self, genesis: Genesis) -> None:
        """Go on by the amendments of this genesis."""
        self._genesis = genesis
        self.chain = Chain.open(self._store, genesis, verify=self._verify)

    @property
    def height(self) -> int:
        """Of the last block applied."""
        return self.chain.head.height

    def rows(self, table: Table[R]) -> Mapping[bytes, R]:
        """Return the records of a table by key."""
        return self._rows[table.prefix]  # type: ignore[return-value]  # filed by their table

    def apply(self, block: Block, certificate: QuorumCertificate) -> Candidate:
        """Apply the next block.

        Raises:
            InvariantViolation: the block's header has another result, or an invariant is broken.
        """
        transactions = [_admitted(raw, self._genesis) for raw in block.transactions]
        candidate = self.chain.check(
            block.header, transactions, block.evidence, now_ms=None, certified=True
        )
        run(self.chain.commit(candidate, certificate))
        for full_key, record in candidate.records.items():
            rows, key = self._rows[full_key[:1]], full_key[1:]
            if record is None:
                rows.pop(key, None)
            else:
                rows[key] = record
            if full_key[:1] == HOLDINGS.prefix:
                assert record is None or isinstance(record, HoldingRecord)
                self._held_at.setdefault(key, []).append((self.height, record))
        if candidate.records:
            check_state(
                (table, key, record)
                for table in TABLES
                for key, record in self._rows[table.prefix].items()
            )
        self.moved = self.holdings.take(candidate.events)
        done = [event for receipt in candidate.receipts for event in receipt.events]
        for event in (*done, *candidate.events):
            self.happened[type(event).__name__] += 1
            self.happened.update(self._steps_of(event))
        for event in candidate.events:
            if isinstance(event, BookCompleted) and event.unrevealed:
                self.happened["unrevealed"] += event.unrevealed
            elif isinstance(event, AuctionSettled) and event.settled:
                auction = self.rows(AUCTIONS)[name_key(event.auction)]
                self.auctions[auction.terms.form.name.lower()] += 1
        return candidate

    def _steps_of(self, event: Record) -> Iterable[str]:
        """Return what an event of a security means, where its name does not say it."""
        if isinstance(event, SecurityCalled) and event.share_ppm is not None:
            yield "called in part"
        if isinstance(event, RecordTaken):
            if 0 < event.principal_due < event.face:
                yield "repaid in part"
            terms = self.rows(ASSETS)[name_key(event.asset)].terms
            earlier = payment_key(event.asset, event.payment - 1)
            if isinstance(terms, BondTerms | SukukTerms) and len(terms.plan.rates) > 1:
                before = self.rows(PAYMENTS).get(earlier)
                if before is not None and before.row.nominal_day >= terms.plan.rates[1].from_day:
                    yield "stepped up"

    def held_at(self, key: bytes, height: int) -> HoldingRecord | None:
        """Return what the holding of this key was after the block of a height."""
        for since, record in reversed(self._held_at.get(key, [])):
            if since <= height:
                return record
        return None


class Holdings:
    """What everybody has, added up from events: it knows no rule but that nothing is negative."""

    def __init__(self) -> None:
        self.totals: dict[bytes, int] = {}
        self.held: dict[bytes, int] = {}
        """Of the total, by address and asset."""

    def available(self, key: bytes) -> int:
        """Return what can be given away."""
        return self.totals.get(key, 0) - self.held.get(key, 0)

    def take(self, events: Iterable[Record]) -> set[bytes]:
        """Add up some events; return the keys of the holdings that they touch."""
        touched: set[bytes] = set()

        def add(amounts: dict[bytes, int], address: bytes, asset: str, amount: int) -> None:
            key = address + asset.encode()
            amounts[key] = amounts.get(key, 0) + amount
            touched.add(key)

        for event in events:
            match event:
                case Issued(to=to, asset=asset, amount=amount):
                    add(self.totals, to, asset, amount)
                case Redeemed(holder=holder, asset=asset, amount=amount):
                    add(self.totals, holder, asset, -amount)
                case Transferred(account=source, to=to, asset=asset, amount=amount):
                    add(self.totals, source, asset, -amount)
                    add(self.totals, to, asset, amount)
                case ForciblyTransferred(source=source, to=to, asset=asset, amount=amount):
                    add(self.totals, source, asset, -amount)
                    add(self.totals, to, asset, amount)
                case AllotmentSettled(asset=asset, account=to, face=face, cash=cash) as settled:
                    add(self.totals, to, asset, face)
                    add(self.totals, settled.cash_account, cash, -settled.consideration)
                    add(self.totals, settled.proceeds, cash, settled.consideration)
                case FaceBoughtBack(asset=asset, account=source, face=face, cash=cash) as taken:
                    add(self.totals, source, asset, -face)
                    add(self.totals, taken.payer, cash, -taken.consideration)
                    add(self.totals, taken.cash_account, cash, taken.consideration)
                case FaceSwitched(asset=asset, account=holder, face=face, cash=cash) as switched:
                    add(self.totals, holder, asset, -face)
                    add(self.totals, holder, switched.destination, switched.issued)
                    add(self.totals, switched.payer, cash, -switched.paid)
                    add(self.totals, switched.cash_account, cash, switched.paid)
                case SecurityStripped(account=holder, asset=asset, face=face) as apart:
                    add(self.totals, holder, asset, -face)
                    add(self.totals, holder, apart.principal, face)
                    for part in apart.coupons:
                        add(self.totals, holder, part.asset, part.amount)
                case SecurityReconstituted(account=holder, asset=asset, face=face) as whole:
                    add(self.totals, holder, asset, face)
                    add(self.totals, holder, whole.principal, -face)
                    for part in whole.coupons:
                        add(self.totals, holder, part.asset, -part.amount)
                case PaymentFunded(asset=asset, payer=payer, cash=cash, amount=amount):
                    add(self.totals, payer, cash, -amount)
                    add(self.totals, escrow_address(asset), cash, amount)
                case HolderPaid(asset=asset, holder=holder, cash=cash, paid=amount) as paid:
                    add(self.totals, escrow_address(asset), cash, -amount)
                    add(self.totals, holder, cash, amount)
                    add(self.totals, holder, asset, -paid.redeemed)
                    if paid.redeemed:
                        self.held.pop(holder + asset.encode(), None)
                case HoldRedeemed(holder=holder, cash=cash, amount=amount):
                    add(self.held, holder, cash, amount)
                case WithholdingCollected(asset=asset, collector=to, cash=cash, amount=amount):
                    add(self.totals, escrow_address(asset), cash, -amount)
                    add(self.totals, to, cash, amount)
                case PaymentSettled(asset=asset, residue_account=to, cash=cash, residue=amount):
                    add(self.totals, escrow_address(asset), cash, -amount)
                    add(self.totals, to, cash, amount)
                case HoldPlaced(holder=holder, asset=asset, amount=amount):
                    add(self.held, holder, asset, amount)
                case (
                    HoldReleased(holder=holder, asset=asset, amount=amount)
                    | HoldExpired(holder=holder, asset=asset, amount=amount)
                ):
                    add(self.held, holder, asset, -amount)
                case _:
                    pass
        return touched


def split_key(key: bytes) -> tuple[bytes, str]:
    """Return the address and the asset of a holding's key."""
    return key[:ADDRESS_SIZE], key[ADDRESS_SIZE:].decode()


def _admitted(raw: bytes, genesis: Genesis) -> AdmittedTransaction:
    signed, body = decode_signed(raw)
    return AdmittedTransaction(
        id=transaction_id(genesis.hash, signed.body), raw=raw, body=body, size_bytes=len(raw)
    )


def run(work: Coroutine[object, None, object]) -> None:
    """Run to its end what waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a chain without a thread waits for nobody")
