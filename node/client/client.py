"""The client: one object to a network, through any of its nodes.

    async with Client(["http://127.0.0.1:26680"], network=ClientNetwork.of(genesis)) as client:
        builder = await client.transaction()
        receipt = await client.submit(builder.transfer(...).sign(signer))

Given a network, the client asks no node of another one. Without, it takes the network of the first
node that answers: good enough to look around, not to sign.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from node.amounts import parse_amount
from node.client import reads
from node.client.bulk import BulkResult, submit_all
from node.client.drafts import Draft, TransactionBuilder, transaction
from node.client.errors import BadAnswer
from node.client.finality import (
    PAUSE_MAX_S,
    PAUSE_MIN_S,
    Found,
    applied,
    check_expired,
    milliseconds,
    reach_final,
)
from node.client.indexed import IndexReads
from node.client.network import ClientNetwork
from node.client.paper import BidMandate, Envelope
from node.client.reading import Reader
from node.client.reads import Read
from node.client.subscriptions import StreamItem, follow
from node.client.transport import PATIENCE_S, SubmittedItem, Transport
from node.codec import encode
from node.debt import DebtLine
from node.hashing import HASH_SIZE

if TYPE_CHECKING:
    from node.client.verifying import Recency
    from node.genesis import Genesis
    from node.ledger.terms import AssetTerms

_COUNTS: Final = frozenset({"days", "decimals", "frequency", "year"})
"""What a quote takes as numbers; whole figures go as text, like the rest."""

TIMEOUT_S: Final = 15.0
VALID_FOR_MS: Final = 120_000


class Client:
    """A session to a network. Use it as an asynchronous context manager."""

    def __init__(
        self,
        endpoints: str | Sequence[str],
        *,
        network: "ClientNetwork | Genesis | None" = None,
        timeout_s: float = TIMEOUT_S,
        patience_s: float = PATIENCE_S,
        ssl_context: ssl.SSLContext | None = None,
        api_key: str | None = None,
    ) -> None:
        """Store what is given; nobody is asked yet.

        Args:
            endpoints: addresses of nodes, such as "http://127.0.0.1:26680"; when one does not
                answer, the next is asked.
            network: which network to speak to, or its genesis. None: that of the first node that
                answers, which then is believed.
            timeout_s: for one answer of one node.
            patience_s: for how long a read waits, in all, where nodes say that too much was asked
                and when to come back; 0: it raises `Limited` at once.
            ssl_context: for https, where the system's authorities are not the right ones, or the
                node wants a certificate of the client.
            api_key: shown to every endpoint; over http whoever listens on the way can read it.

        Raises:
            ValueError: no endpoint, or one that is no address; a key that no header can carry.
        """
        if isinstance(endpoints, str):
            endpoints = [endpoints]
        self._transport = Transport(
            endpoints,
            timeout_s=timeout_s,
            patience_s=patience_s,
            ssl_context=ssl_context,
            api_key=api_key,
        )
        self._genesis: Genesis | None = None
        """The network's, if it was given: what proofs are checked against."""
        if network is None or isinstance(network, ClientNetwork):
            self._network = network
        else:
            self._network, self._genesis = ClientNetwork.of(network), network
        if self._network is not None:
            self._transport.genesis_hash = self._network.genesis_hash.hex()
        self._reader = Reader(self._transport)
        self._decimals: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        await self._transport.open()
        if self._network is None:
            try:
                self._network = _network_of(await self.status())
            except BaseException:
                await self._transport.close()
                raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._transport.close()

    @property
    def network(self) -> ClientNetwork:
        """The network that is spoken to."""
        assert self._network is not None, "use the client as `async with Client(...)`"
        return self._network

    # Submitting.

    async def transaction(
        self,
        *,
        valid_for_ms: int = VALID_FOR_MS,
        memo: str = "",
        signers: Sequence[bytes] = (),
    ) -> TransactionBuilder:
        """Begin a transaction that is valid for so long from now on, by block time.

        Raises:
            Unreachable: no node can say what block time is.
        """
        status = await self.status()
        valid_for_ms = min(valid_for_ms, status.transaction_window_ms)
        return transaction(
            self.network,
            valid_until_ms=milliseconds(status.time) + valid_for_ms,
            memo=memo,
            signers=signers,
        )

    async def submit(self, draft: Draft) -> reads.Receipt:
        """Bring a transaction to its end and return the receipt of its application.

        Always reaches the final word, by handing in the same bytes for as long as it takes; to give
        up earlier, put `asyncio.timeout` around it. Handing in the same draft again is harmless.

        Raises:
            Refused: with the outcome; it changed nothing.
            Expired: it is in no block and never will be.
            Forgotten: its time is over, and no endpoint keeps the blocks that could hold it.
            DraftError: a signature is missing.
        """
        return await reach_final(self._transport, draft)

    async def submit_many(self, drafts: Sequence[Draft]) -> list[BulkResult]:
        """Bring many transactions to their ends; return the final word on each, in order.

        Raises:
            DraftError: a signature is missing; nothing was handed in.
        """
        return await submit_all(self._transport, drafts)

    async def send(self, draft: Draft) -> str:
        """Hand in a transaction, do not wait, and return its id, in hexadecimal.

        Raises:
            CallFailed: refused at the door (-32003), no room (`Limited`), not ready.
            Unreachable: no node answered; one may have taken it.
        """
        await self._transport.call(
            "khz_submit",
            {"transaction": draft.raw().hex()},
            dict[str, msgspec.Raw],
            patience_s=0,
        )
        return draft.id.hex()

    async def send_list(self, raws: Sequence[bytes]) -> tuple[SubmittedItem, ...]:
        """Hand in a list of signed transactions as MessagePack; one item for each, in order.

        The lowest level, for load: nothing is waited for and nothing is tried again.

        Raises:
            CallFailed: the list as a whole is refused.
            Unreachable: no node answered; one may have taken them.
        """
        return await self._transport.submit_list(raws)

    async def wait(self, transaction_id: bytes | str, *, valid_until_ms: int) -> reads.Receipt:
        """Wait for the end of a transaction that was handed in elsewhere.

        Args:
            valid_until_ms: the end of its validity: after it, by block time, it cannot come.

        Raises:
            Refused, Expired, Forgotten: as `submit`, by the word of one node.
        """
        text = _hexadecimal(transaction_id)
        pause_s = PAUSE_MIN_S
        while True:
            found = await self._transport.call("khz_transaction", {"id": text}, Found)
            if found.receipt is not None:
                return applied(text, found.receipt)
            check_expired(text, found, valid_until_ms)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def simulate(self, draft: Draft) -> Read[reads.Simulation]:
        """Ask what would become of a transaction in the next block, signed or not."""
        params = {"transaction": draft.encoded_body.hex()}
        return await self._reader.one("khz_simulate", params, reads.Simulation)

    # Following.

    async def subscribe(
        self,
        *topics: str,
        accounts: Sequence[bytes | str] | None = None,
        assets: Sequence[str] | None = None,
        start: str = "now",
    ) -> AsyncGenerator[StreamItem, None]:
        """Yield what is committed, for ever: across connections and nodes, nothing twice.

        Args:
            topics: of `blocks`, `receipts`, `transactions`, `events`; all of them if none is named.
            accounts: only transactions and events that name one of these addresses.
            assets: only those that name one of these asset codes.
            start: the cursor of the last item seen, "0-0" for everything, "now" for what comes.

        Raises:
            CallFailed: the node refuses the filter or the cursor.
        """
        stream = follow(
            self._transport,
            topics=topics or ("blocks", "receipts", "transactions", "events"),
            accounts=None if accounts is None else [self._address(each) for each in accounts],
            assets=assets,
            start=start,
        )
        async with aclosing(stream) as told:
            async for seen in told:
                if isinstance(seen, StreamItem):
                    yield seen

    # Reading.

    async def status(self) -> reads.Status:
        """Ask where a node and its network stand."""
        return await self._transport.call("khz_status", {}, reads.Status)

    async def transaction_state(self, transaction_id: bytes | str) -> Read[reads.TransactionState]:
        """Ask what a node knows of a transaction."""
        params = {"id": _hexadecimal(transaction_id)}
        return await self._reader.one("khz_transaction", params, reads.TransactionState)

    async def block(
        self,
        height: int | None = None,
        *,
        transactions: str = "ids",
        index: int = 0,
        first_event: int = 0,
        events_limit: int | None = None,
    ) -> Read[reads.Block]:
        """Ask for a block; the last one if no height is given.

        Args:
            transactions: `none`, `ids`, or `full`.
            index: where the page of transactions begins.
            first_event: where the page of the block's own events begins.
            events_limit: how many of those; None: all.

        Raises:
            NotFound: the node has no such block.
        """
        params = {
            "height": height,
            "transactions": transactions,
            "index": index,
            "first_event": first_event,
            "events_limit": events_limit,
        }
        return await self._reader.one("khz_block", params, reads.Block)

    async def account(self, address: bytes | str) -> Read[reads.Account]:
        """Ask for an account.

        Raises:
            NotFound: there is none.
        """
        params = {"address": self._address(address)}
        return await self._reader.one("khz_account", params, reads.Account, member="account")

    async def holdings(self, address: bytes | str) -> Read[tuple[reads.Holding, ...]]:
        """Ask for everything that an account holds, by asset code.

        Raises:
            NotFound: there is no such account.
        """
        params = {"address": self._address(address)}
        return await self._reader.all("khz_holdings", params, "holdings", reads.Holding)

    async def holding(self, address: bytes | str, asset: str) -> Decimal:
        """Ask how much of an asset an account can dispose of; 0 where it has none.

        Raises:
            NotFound: there is no such account.
        """
        held = (await self.holdings(address)).value
        return next((each.available for each in held if each.asset == asset), Decimal(0))

    async def holds(self, address: bytes | str) -> Read[tuple[reads.Hold, ...]]:
        """Ask for the holds on what an account holds.

        Raises:
            NotFound: there is no such account.
        """
        params = {"address": self._address(address)}
        return await self._reader.all("khz_holds", params, "holds", reads.Hold)

    async def asset(self, code: str) -> Read[reads.Asset]:
        """Ask for an asset.

        Raises:
            NotFound: none is defined under this code.
        """
        return await self._reader.one("khz_asset", {"asset": code}, reads.Asset, member="asset")

    async def assets(self) -> Read[tuple[reads.Asset, ...]]:
        """Ask for all assets, by code."""
        return await self._reader.all("khz_assets", {}, "assets", reads.Asset)

    @property
    def index(self) -> IndexReads:
        """What a node answers from its index, if it keeps one: history, holders, totals, text."""
        return IndexReads(self._reader.one, self._address)

    async def auctions(self) -> Read[tuple[reads.AuctionSummary, ...]]:
        """Ask for all auctions, by name."""
        return await self._reader.all("khz_auctions", {}, "auctions", reads.AuctionSummary)

    async def auction(self, name: str) -> Read[reads.Auction]:
        """Ask for an auction: its terms, its stage, its result.

        Raises:
            NotFound: none was announced under this name.
        """
        return await self._reader.one(
            "khz_auction", {"auction": name}, reads.Auction, member="auction"
        )

    async def auction_ladder(self, name: str) -> Read[tuple[reads.LadderRow, ...]]:
        """Ask for all valid bids of an auction, without their bidders, in order of service.

        Raises:
            NotFound: none was announced under this name.
        """
        return await self._reader.all(
            "khz_auctionLadder", {"auction": name}, "rows", reads.LadderRow
        )

    async def verify_auction(
        self,
        name: str,
        *,
        genesis: "Genesis | None" = None,
        recency: "Recency | None" = None,
    ) -> reads.AuctionVerification:
        """Work the result of an auction out again, from public records alone, and compare.

        Asks for the announced terms, the anonymous ladder, the cut-off and the terms of the
        security, each with its proof (some calls for each 250 bids), and works out cut-off,
        averages, allotments, what had accrued and what was paid. A figure that comes out otherwise
        than it was published is no error: it stands in `differing`.

        Args:
            genesis: the network's, as amended, against which each record is proven. None: the
                client's own; where it was given none either, the node is believed, and the answer
                says so (`proven`).
            recency: how recent the blocks have to be that records are proven as of
                (`node.client.verifying`). None: at most two hours old, by this machine's clock.
                Without a genesis nothing is proven, and nothing of this is demanded.

        Raises:
            NotFound: none was announced under this name.
            NoResult: it is not decided; `NoBidAccepted`: and never will be.
            Unproven: the proof of a record does not hold.
            Stale: it is of an older block than was asked for, or than that of one before it.
            Changing: it went on each time that it was read; ask again when it has settled.
        """
        # Its import takes 65 ms, all of the client 220: for those who ask.
        from node.client.verifying import RECENT, verify_auction

        trusted = self._genesis if genesis is None else genesis
        return await verify_auction(self, name, trusted, recency or RECENT)

    async def bidder(self, participant: str, auction: str | None = None) -> Read[reads.Bidder]:
        """Ask how a bidder stands, and for its bids in an auction.

        Raises:
            NotFound: there is no such participant or auction.
        """
        params = {"participant": participant, "auction": auction}
        return await self._reader.one("khz_bidder", params, reads.Bidder)

    async def auction_plans(self) -> Read[tuple[reads.AuctionPlan, ...]]:
        """Ask for the plans of auctions to come, by name."""
        return await self._reader.all("khz_auctionPlans", {}, "plans", reads.AuctionPlan)

    async def bid_mandate(self, address: bytes | str) -> Read[BidMandate | None]:
        """Ask which office may hand in an account's bids on paper; None: it has let none.

        Raises:
            NotFound: there is no such account.
        """
        params = {"address": self._address(address)}
        return await self._reader.one(
            "khz_bidMandate",
            params,
            BidMandate | None,  # type: ignore[arg-type]  # a union
            member="mandate",
        )

    async def envelopes(self, auction: str) -> Read[tuple[Envelope, ...]]:
        """Ask for the bids of an auction that were handed in on paper, by number.

        Raises:
            NotFound: none was announced under this name.
        """
        return await self._reader.all("khz_envelopes", {"auction": auction}, "envelopes", Envelope)

    async def references(self) -> Read[tuple[reads.Reference, ...]]:
        """Ask for the weighted averages that floating coupons refer to, by name."""
        return await self._reader.all("khz_references", {}, "references", reads.Reference)

    async def schedule(
        self, code: str | None = None, *, terms: "AssetTerms | None" = None
    ) -> Read[tuple[reads.Payment, ...]]:
        """Ask for the payments of a security, in order.

        Args:
            code: of one that is defined; or else
            terms: of one that could be, which nothing on the ledger has yet.

        Raises:
            NotFound: none is defined under this code.
            CallFailed: it is cash, or the terms contradict themselves.
        """
        params: dict[str, str] = {} if code is None else {"asset": code}
        if terms is not None:
            params["terms"] = encode(terms).hex()
        return await self._reader.one(
            "khz_schedule", params, tuple[reads.Payment, ...], member="payments"
        )

    async def contract(self, code: str, face: str | Decimal | int = 100) -> Read[reads.Contract]:
        """Ask for a holding of an asset as an ACTUS contract.

        Raises:
            NotFound: none is defined under this code.
            CallFailed: ACTUS has no words for it, or the face is none.
        """
        params = {"asset": code, "face": format(Decimal(face), "f")}
        return await self._reader.one("khz_contract", params, reads.Contract)

    async def quote(self, kind: str, **given: str | Decimal | date | int) -> Read[reads.Quote]:
        """Ask what a bill, a bond or a floater is worth by its terms.

        Args:
            kind: `bill`, `bond` or `floater`.
            given: as `khz_quote` takes them, and `yield_` for the yield: one of price and yields,
                and the terms. Figures are exact: text, `Decimal` or whole.

        Raises:
            CallFailed: what is given contradicts itself, or has no such price.
        """
        params = {name.removesuffix("_"): _quoted(name, value) for name, value in given.items()}
        return await self._reader.one(
            "khz_quote", {"kind": kind, **params}, reads.Quote, member="quote"
        )

    async def quote_interest(
        self, **given: str | Decimal | date | int
    ) -> Read[reads.InterestQuote]:
        """Ask what accrues between two days, by one day count or by all of them.

        Args:
            given: `rate`, `from_` and `to`, and what else `khz_quote` takes of interest.

        Raises:
            CallFailed: what is given contradicts itself.
        """
        params = {name.removesuffix("_"): _quoted(name, value) for name, value in given.items()}
        params["kind"] = "interest"
        return await self._reader.one("khz_quote", params, reads.InterestQuote, member="quote")

    async def quote_switch(self, **given: str | Decimal | int) -> Read[reads.SwitchQuote]:
        """Ask what a face of an old line comes to in a new one, and in cash.

        Args:
            given: `face`, `price` and `for_price`, and what else `khz_quote` takes of a switch.

        Raises:
            CallFailed: what is given contradicts itself.
        """
        params = {name: _quoted(name, value) for name, value in given.items()}
        params["kind"] = "switch"
        return await self._reader.one("khz_quote", params, reads.SwitchQuote, member="quote")

    async def strips(self, code: str, account: str | None = None) -> Read[reads.Strips]:
        """Ask for the strips of a bond, and for an account what it has of them.

        Raises:
            NotFound: there is no such bond, or no strips of it are registered.
            CallFailed: the code is a strip's.
        """
        params = {"asset": code, "account": account}
        return await self._reader.one("khz_strips", params, reads.Strips)

    async def debt(self) -> Read[tuple[DebtLine, ...]]:
        """Return what is owed: every bill, bond and sukuk that is held, by code."""
        return await self._reader.all("khz_debt", {}, "lines", DebtLine)

    async def withholding(self) -> Read[tuple[reads.Withholding, ...]]:
        """Ask what is withheld from interest, by class of taxpayer; who is not in it keeps all."""
        kind = tuple[reads.Withholding, ...]
        return await self._reader.one("khz_withholding", {}, kind, member="withholding")

    async def calendars(self) -> Read[tuple[reads.CalendarSummary, ...]]:
        """Ask for all calendars of business days, by name."""
        return await self._reader.all("khz_calendars", {}, "calendars", reads.CalendarSummary)

    async def calendar(self, name: str) -> Read[reads.Calendar]:
        """Ask for a calendar of business days.

        Raises:
            NotFound: there is none of this name.
        """
        params = {"calendar": name}
        return await self._reader.one("khz_calendar", params, reads.Calendar, member="calendar")

    async def business_day(
        self, calendar: str, day: date | None = None, *, business_days: int = 0
    ) -> Read[reads.BusinessDay]:
        """Ask whether business is done on a day, and where it moves.

        Args:
            day: today, by the last block, if None.
            business_days: counted from the day, back if negative.

        Raises:
            NotFound: there is no such calendar.
        """
        params = {
            "calendar": calendar,
            "day": None if day is None else day.isoformat(),
            "business_days": business_days,
        }
        return await self._reader.one("khz_businessDay", params, reads.BusinessDay)

    async def minor_units(self, amount: str | Decimal | int, asset: str) -> int:
        """Return the minor units of an amount of an asset: what operations carry.

        Raises:
            AmountError: it is not an amount of that asset, exactly.
            NotFound: there is no such asset.
        """
        decimals = self._decimals.get(asset)
        if decimals is None:
            # Definitions do not change.
            decimals = self._decimals[asset] = (await self.asset(asset)).value.decimals
        return parse_amount(amount, decimals=decimals)

    async def participant(self, name: str) -> Read[reads.Participant]:
        """Ask for a participant.

        Raises:
            NotFound: nobody is registered under this name.
        """
        params = {"participant": name}
        return await self._reader.one(
            "khz_participant", params, reads.Participant, member="participant"
        )

    async def validators(self, height: int | None = None) -> Read[reads.Validators]:
        """Ask who decides a height; the next one if none is given."""
        return await self._reader.one("khz_validators", {"height": height}, reads.Validators)

    async def proposals(self) -> Read[tuple[reads.Proposal, ...]]:
        """Ask for all open proposals, by id."""
        return await self._reader.all("khz_proposals", {}, "proposals", reads.Proposal)

    async def proposal(self, proposal_id: bytes | str) -> Read[reads.Proposal]:
        """Ask for an open proposal.

        Raises:
            NotFound: it is not open.
        """
        params = {"proposal": _hexadecimal(proposal_id)}
        return await self._reader.one("khz_proposal", params, reads.Proposal, member="proposal")

    async def parameters(self) -> Read[tuple[reads.Parameter, ...]]:
        """Ask for the parameters of the ledger, by name."""
        return await self._reader.one(
            "khz_parameters", {}, tuple[reads.Parameter, ...], member="parameters"
        )

    async def powers(self) -> Read[tuple[reads.Power, ...]]:
        """Ask for the powers matrix, by operation and subject."""
        return await self._reader.all("khz_powers", {}, "powers", reads.Power)

    async def prove(
        self,
        kind: str,
        *,
        address: bytes | str | None = None,
        name: str | None = None,
        number: int | None = None,
    ) -> Read[reads.Proof]:
        """Ask for a proof that `node.proofs.verify_proof_file` checks without any node.

        Args:
            kind: `account`, `holding`, `asset`, `auction`, `calendar`, `fixing`, `ladder`, `plan`,
                `participant` or `validator`.
            address: of an account or a holding.
            name: of an asset, auction, calendar, participant or validator; of a holding's or a
                fixing's asset; of a ladder's auction.
            number: of a ladder's piece, from 0; of a fixing's payment.
        """
        params: dict[str, Any] = {"kind": kind, "name": name, "number": number}
        if address is not None:
            params["address"] = self._address(address)
        return await self._reader.one("khz_prove", params, reads.Proof)

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method by name and return its result as JSON: for what has no method here.

        Raises:
            CallFailed: the node's error.
            Unreachable: no node answered.
        """
        return await self._transport.call(method, params, dict[str, Any])

    # Private.

    def _address(self, address: bytes | str) -> str:
        return self.network.render_address(address) if isinstance(address, bytes) else address


def _quoted(name: str, value: str | Decimal | date | int) -> str | int:
    match value:
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case int() if name not in _COUNTS and not isinstance(value, bool):
            return str(value)
        case _:
            return value


def _network_of(status: reads.Status) -> ClientNetwork:
    try:
        genesis_hash = bytes.fromhex(status.genesis_hash)
    except ValueError:
        genesis_hash = b""
    if len(genesis_hash) != HASH_SIZE:
        raise BadAnswer(f"{status.genesis_hash[:80]!r} is not the hash of a genesis")
    return ClientNetwork(genesis_hash=genesis_hash, test=status.test_network)


def _hexadecimal(identifier: bytes | str) -> str:
    return identifier.hex() if isinstance(identifier, bytes) else identifier
