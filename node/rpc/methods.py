"""The methods about the node, transactions and blocks: read parameters, ask the chain, render.

Each docstring is what `rpc.discover` says of the method. Only `khz_*` and `rpc.discover` are
answered; administering a node is not done over this interface, and nothing here changes state.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from consensus.quorum import faults_survived, quorum
from consensus.types import BlockId, ValidatorId
from node.access import Scope
from node.blocks import decode_evidence
from node.chain import BlockReceipts
from node.codec import encode
from node.ledger.events import Event
from node.rpc import ledger_results, node_results, params, results
from node.rpc.errors import (
    Forbidden,
    Limited,
    NotFound,
    NotReady,
    Pruned,
    Rejected,
    WaitTimeout,
)
from node.rpc.evidence import Evidence
from node.rpc.health import Health
from node.rpc.jsonrpc import NoParams, method
from node.rpc.openrpc import API_VERSION
from node.rpc.places import Places
from node.rpc.rendering import render_time
from node.rpc.results import AtHead, Object
from node.rpc.services import RpcServices
from node.rpc.submissions import Submissions
from node.rpc.tenures import SETS_READ_MAX, tenures_of
from node.rpc.views import Views

BLOCK_IDS_MAX: Final = 5_000
"""Ids in one answer of `khz_block`."""
STATUSES_AT_ONCE: Final = 16
"""Transactions that `khz_transactions` looks up in one turn of the loop."""

NIL: Final = "nil"

ResultT = TypeVar("ResultT", bound=results.Result)


class Methods:
    """The handlers, on one node."""

    def __init__(
        self,
        services: RpcServices,
        views: Views,
        places: Places,
        submissions: Submissions,
        health: Health,
        at_head: AtHead,
    ) -> None:
        self._services = services
        self._chain = services.chain
        self._views = views
        self._submissions = submissions
        self._health = health
        self._places = places
        self._evidence = Evidence(services.chain, views)
        self._at = at_head
        self.document: Object = {}
        """The OpenRPC document; set once the whole table of methods is known."""

    # The node and its network.

    @method("rpc.discover")
    def discover(self, params: NoParams) -> dict[str, Any]:  # noqa: ARG002
        """Describe this interface as an OpenRPC document."""
        return self.document

    @method("khz_status")
    def status(self, params: NoParams) -> node_results.StatusResult:  # noqa: ARG002
        """Say where this node stands: its network, its head, its peers, whether it is ready."""
        services, chain = self._services, self._chain
        genesis, count = services.genesis, len(chain.validators.validators)
        checks = self._health.checks()
        return node_results.StatusResult(
            **self._at(),
            node=services.node_name,
            clock=render_time(services.clock.now_ms()),
            software=services.software,
            api_version=API_VERSION,
            network=genesis.network.hex(),
            network_name=genesis.name,
            genesis_hash=genesis.hash.hex(),
            test_network=genesis.test_network,
            development=genesis.development,
            protocol_version=chain.version,
            protocol_versions_known=sorted(chain.versions),
            upgrade=(
                None
                if chain.upgrade is None
                else node_results.UpgradeView(
                    version=chain.upgrade.version,
                    height=chain.upgrade.height,
                    known=chain.upgrade.version in chain.versions,
                )
            ),
            amendments=[node_results.amendment_view(each) for each in genesis.amendments],
            state_root=chain.head.state_root.hex(),
            earliest_height=chain.history.earliest,
            snapshots=[
                node_results.SnapshotSummary(height=height, block_id=block_id.hex())
                for height, block_id in services.snapshots()
            ],
            fault_model=genesis.fault_model.value,
            validators=count,
            quorum=quorum(genesis.fault_model, count),
            faults_survived=faults_survived(genesis.fault_model, count),
            transaction_window_ms=genesis.transactions.window_ms,
            ready=all(check.passed for check in checks),
            not_ready=[f"{check.name}: {check.found}" for check in checks if not check.passed],
            warnings=list(services.warnings()),
            mempool=self._mempool(),
            peers=[
                node_results.PeerSummary(
                    name=peer.name,
                    role=peer.role.value,
                    connected=peer.connected,
                    height=peer.height,
                )
                for peer in services.peers.status()
            ],
        )

    @method("khz_consensus")
    def consensus(self, params: NoParams) -> node_results.ConsensusResult:  # noqa: ARG002
        """Say how far the next height is: its round and step, and whose votes have come here.

        For whoever watches a network; nothing in it is final. Counts begin when the node starts.
        """
        position, totals = self._services.consensus.position, self._services.consensus.totals
        return node_results.ConsensusResult(
            **self._at(),
            next_height=position.height,
            deciding=position.deciding,
            round=position.round,
            step=None if position.step is None else position.step.name.lower(),
            proposer=position.proposer,
            validators=[
                node_results.VoterView(
                    name=validator.id,
                    prevote=_vote(position.prevotes, validator.id),
                    precommit=_vote(position.precommits, validator.id),
                    signed_last=totals.signed_last.get(validator.id),
                    proposals_missed=totals.missed.get(validator.id, 0),
                )
                for validator in self._chain.validators
            ],
            blocks=totals.blocks,
            transactions=totals.transactions,
            applied=totals.applied,
            rounds_skipped=totals.rounds_skipped,
        )

    @method("khz_mempool")
    def mempool(self, params: NoParams) -> node_results.MempoolResult:  # noqa: ARG002
        """Say how much waits for a block at this node."""
        return node_results.MempoolResult(**self._at(), mempool=self._mempool())

    def _mempool(self) -> node_results.MempoolView:
        mempool = self._services.mempool
        return node_results.MempoolView(
            transactions=len(mempool),
            transactions_max=mempool.count_max,
            size_bytes=mempool.size_bytes,
        )

    @method("khz_validators", NotFound)
    def validators(self, params: params.ValidatorsParams) -> ledger_results.ValidatorsResult:
        """List those who decide, or decided, a height; without one, the next height."""
        next_height = self._chain.head.height + 1
        height = params.height or next_height
        if height > next_height:
            raise NotFound(
                f"who decides height {height} is not known before height {height - 1} is",
                {"height": self._chain.head.height},
            )
        history = self._chain.history
        former = history.validators(height)
        rules = height >= history.validator_changes(next_height, latest=1)[-1]
        model = self._services.genesis.fault_model
        return ledger_results.ValidatorsResult(
            **self._at(),
            rules_height=height,
            fault_model=model.value,
            quorum=quorum(model, len(former)),
            faults_survived=faults_survived(model, len(former)),
            validators=(
                [self._views.validator(record) for record in self._chain.validator_records]
                if rules
                else [self._views.former_validator(key) for key in former]
            ),
        )

    @method("khz_validatorHistory", NotFound)
    def validator_history(
        self, params: params.ValidatorHistoryParams
    ) -> ledger_results.ValidatorHistoryResult:
        """Say from when to when somebody was a validator, with which key, and what changed that.

        Without a name, of everybody. A time ends where its key does. At most the latest 64 sets of
        validators are looked through, and the latest 100 times listed.
        """
        found, earlier = tenures_of(
            params.validator,
            self._chain.history,
            self._services.genesis,
            next_height=self._chain.head.height + 1,
        )
        if not found:
            read = f" in the latest {SETS_READ_MAX} sets of validators" if earlier else ""
            raise NotFound(f"there was no validator {params.validator!r}{read}")
        return ledger_results.ValidatorHistoryResult(**self._at(), tenures=found, earlier=earlier)

    # Transactions.

    @method(
        "khz_submit",
        *(Rejected, NotFound, Limited, NotReady, WaitTimeout, Forbidden),
        scope=Scope.SUBMIT,
    )
    async def submit(self, params: params.SubmitParams) -> results.SubmissionResult:
        """Hand in a signed transaction, and wait for its receipt if asked to.

        Handing in the same bytes again is harmless and answered the same: once it is final, with
        its receipt. A refusal at the door (-32003) is final only for what the bytes themselves
        say; a block may still hold the transaction if another node took it earlier. Where its time
        is over and this node no longer keeps the blocks that could hold it, the answer is -32001
        with `pruned`: whether it was applied cannot be known here.
        """
        return await self._submissions.submit(
            params.transaction, wait=params.wait == "final", timeout_ms=params.timeout_ms
        )

    @method("khz_submitMany", Limited, NotReady, Forbidden, scope=Scope.SUBMIT)
    async def submit_many(self, params: params.SubmitManyParams) -> results.SubmissionsResult:
        """Hand in several signed transactions; each gets its own answer, in order.

        They do not depend on each other: one that is refused does not stop the others. For load,
        `POST /transactions` takes the same as MessagePack.
        """
        return await self._submissions.submit_many(
            params.transactions, wait=params.wait == "final", timeout_ms=params.timeout_ms
        )

    @method("khz_simulate", Rejected)
    async def simulate(self, params: params.SimulateParams) -> results.SimulationResult:
        """Say what would become of a transaction in the next block. Nothing changes.

        Takes a body that nobody has signed yet as well, as if its signers had signed.
        """
        return await self._submissions.simulate(params.transaction)

    @method("khz_transaction", NotFound)
    def transaction(self, params: params.TransactionParams) -> results.TransactionResult:
        """Show a transaction and what became of it.

        `unknown` says that no block up to `height` holds it and that it does not wait here. When
        `time` has passed the end of its validity too, no block ever will, unless that end is not
        after `forgotten_until`: then a block that this node no longer keeps may hold it.
        """
        transaction_id = bytes.fromhex(params.id)
        status, view, receipt = self._places.transaction(transaction_id, self._services.mempool)
        return results.TransactionResult(
            **self._at(),
            id=params.id,
            status=status,
            transaction=view,
            receipt=receipt,
            forgotten_until=self._forgotten_until(),
        )

    def _forgotten_until(self) -> str | None:
        until_ms = self._chain.forgotten_until_ms
        return None if until_ms is None else render_time(until_ms)

    @method("khz_transactions")
    async def transactions(self, params: params.TransactionsParams) -> results.TransactionsResult:
        """Say what became of several transactions, in the order of the ids.

        `final` without a receipt: it is in a block whose receipts are no longer kept here.
        """
        # Before the first is looked up: what is not known yet must not seem to be of a later block.
        at = self._at()
        statuses: list[results.TransactionStatus] = []
        for place, text in enumerate(params.ids):
            if place % STATUSES_AT_ONCE == STATUSES_AT_ONCE - 1:
                # Each may be in a block of its own, which is read and decoded.
                await asyncio.sleep(0)
            try:
                status, receipt = self._places.status(bytes.fromhex(text), self._services.mempool)
            except Pruned:
                status, receipt = "final", None
            statuses.append(results.TransactionStatus(id=text, status=status, receipt=receipt))
        return results.TransactionsResult(
            **at, transactions=statuses, forgotten_until=self._forgotten_until()
        )

    # Blocks.

    @method("khz_block", NotFound)
    def block(self, params: params.BlockParams) -> results.BlockResult:
        """Show a block with its certificate, and its transactions page by page."""
        height = self._chain.head.height if params.height is None else params.height
        stored = self._places.block(height)
        count = len(stored.block.transactions)
        size = {"none": 0, "ids": BLOCK_IDS_MAX, "full": params.limit}[params.transactions]
        stop = min(params.index + size, count)
        ids: list[bytes] = []
        full: list[results.BlockTransactionView] = []
        if params.transactions == "full":
            full = self._places.in_full(stored, range(params.index, stop))
        elif params.transactions == "ids":
            ids = self._places.ids(stored, start=params.index, stop=stop)
        events, next_event = _page_of_events(
            stored.receipts, params.first_event, params.events_limit
        )
        return results.BlockResult(
            **self._at(),
            id=stored.certificate.block_id.hex(),
            header=self._views.header(stored.block.header),
            certificate=self._views.certificate(stored.certificate),
            transaction_ids=[identifier.hex() for identifier in ids],
            transactions=full,
            next_index=stop if params.index < stop < count else None,
            events=self._views.events(events),
            next_event=next_event,
            evidence=[
                self._views.evidence(decode_evidence(item), shown_in=height)
                for item in stored.block.evidence
            ],
            size_bytes=sum(map(len, stored.block.transactions))
            + sum(map(len, stored.block.evidence)),
        )

    @method("khz_evidence")
    async def evidence(self, params: params.EvidenceParams) -> results.EvidenceResult:
        """List the proven double signatures of validators, those of the newest block first."""
        evidence, following = await self._evidence.page(params.after, params.limit)
        return results.EvidenceResult(**self._at(), evidence=evidence, next=following)


def _page_of_events(
    receipts: BlockReceipts, first: int, limit: int | None
) -> tuple[Sequence[Event], int | None]:
    """Return some of a block's own events, and where the next page of them begins.

    A block that pays a coupon has thousands; where none is asked for, none is decoded.
    """
    if limit == 0:
        return (), None if receipts.events == _NO_EVENTS else first
    events = receipts.block_events()
    stop = len(events) if limit is None else min(first + limit, len(events))
    return events[first:stop], stop if stop < len(events) else None


_NO_EVENTS: Final = encode(())


def _vote(votes: Mapping[ValidatorId, BlockId | None], validator: ValidatorId) -> str | None:
    if validator not in votes:
        return None
    block_id = votes[validator]
    return NIL if block_id is None else block_id.hex()
