"""The methods of the interface: read parameters, ask the chain, render. Nothing here changes state.

Each docstring is what `rpc.discover` says of the method. Only `khz_*` and `rpc.discover` are
answered; administering a node is not done over this interface.
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeVar

from consensus.quorum import faults_survived, quorum
from consensus.types import BlockId, ValidatorId
from node.access import Scope
from node.blocks import decode_evidence
from node.chain import BlockReceipts
from node.codec import encode
from node.ledger.events import Event
from node.ledger.parameters import LIMITS, parameter
from node.ledger.registers import Scheme
from node.ledger.securities import CALLS, FIXINGS, payment_key
from node.ledger.state import LedgerState, Table
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    AUCTIONS,
    CALENDARS,
    HOLDINGS,
    HOLDS,
    IDENTIFIERS,
    LADDERS,
    LICENCES,
    OFFICES,
    PARTICIPANTS,
    PLANS,
    POWERS,
    PROPOSALS,
    VALIDATORS,
    holding_key,
    identifier_key,
    ladder_key,
    name_key,
)
from node.proofs import render_proof
from node.rpc import params, results
from node.rpc.errors import (
    Forbidden,
    InvalidParams,
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
from node.rpc.reading import found, named_page, page_of
from node.rpc.rendering import render_time
from node.rpc.results import Object
from node.rpc.services import RpcServices
from node.rpc.submissions import Submissions
from node.rpc.views import Views

BLOCK_IDS_MAX: Final = 5_000
"""Ids in one answer of `khz_block`."""
STATUSES_AT_ONCE: Final = 16
"""Transactions that `khz_transactions` looks up in one turn of the loop."""
LICENCES_MAX: Final = 64
"""A participant has at most one licence for each activity."""
_PROVEN_BY_NAME: Final[Mapping[str, Table[Any]]] = MappingProxyType(
    {
        "asset": ASSETS,
        "auction": AUCTIONS,
        "calendar": CALENDARS,
        "calls": CALLS,
        "participant": PARTICIPANTS,
        "plan": PLANS,
        "validator": VALIDATORS,
    }
)
OFFICES_SHOWN_MAX: Final = 200
"""In one answer. A state has a handful; each is granted by a joint decision."""

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
    ) -> None:
        self._services = services
        self._chain = services.chain
        self._views = views
        self._submissions = submissions
        self._health = health
        self._places = places
        self._evidence = Evidence(services.chain, views)
        self._head = services.chain.head, results.at_head(services.chain.head)
        """What all that is read at one head begins with, written once."""
        self.document: Object = {}
        """The OpenRPC document; set once the whole table of methods is known."""

    def _at(self) -> dict[str, Any]:
        head, members = self._head
        if head is not self._chain.head:
            head = self._chain.head
            members = results.at_head(head)
            self._head = head, members
        return members

    # The node and its network.

    @method("rpc.discover")
    def discover(self, params: NoParams) -> dict[str, Any]:  # noqa: ARG002
        """Describe this interface as an OpenRPC document."""
        return self.document

    @method("khz_status")
    def status(self, params: NoParams) -> results.StatusResult:  # noqa: ARG002
        """Say where this node stands: its network, its head, its peers, whether it is ready."""
        services, chain = self._services, self._chain
        genesis, count = services.genesis, len(chain.validators.validators)
        checks = self._health.checks()
        return results.StatusResult(
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
                else results.UpgradeView(
                    version=chain.upgrade.version,
                    height=chain.upgrade.height,
                    known=chain.upgrade.version in chain.versions,
                )
            ),
            amendments=[
                results.AmendmentView(
                    serial=each.serial,
                    id=each.id.hex(),
                    height=each.rules_from,
                    reason=each.body.reason,
                )
                for each in genesis.amendments
            ],
            state_root=chain.head.state_root.hex(),
            earliest_height=chain.history.earliest,
            snapshots=[
                results.SnapshotSummary(height=height, block_id=block_id.hex())
                for height, block_id in services.snapshots()
            ],
            fault_model=genesis.fault_model.value,
            validators=count,
            quorum=quorum(genesis.fault_model, count),
            faults_survived=faults_survived(genesis.fault_model, count),
            transaction_window_ms=genesis.transactions.window_ms,
            ready=all(check.passed for check in checks),
            not_ready=[f"{check.name}: {check.found}" for check in checks if not check.passed],
            mempool=self._mempool(),
            peers=[
                results.PeerSummary(
                    name=peer.name,
                    role=peer.role.value,
                    connected=peer.connected,
                    height=peer.height,
                )
                for peer in services.peers.status()
            ],
        )

    @method("khz_consensus")
    def consensus(self, params: NoParams) -> results.ConsensusResult:  # noqa: ARG002
        """Say how far the next height is: its round and step, and whose votes have come here.

        For whoever watches a network; nothing in it is final. Counts begin when the node starts.
        """
        position, totals = self._services.consensus.position, self._services.consensus.totals
        return results.ConsensusResult(
            **self._at(),
            next_height=position.height,
            deciding=position.deciding,
            round=position.round,
            step=None if position.step is None else position.step.name.lower(),
            proposer=position.proposer,
            validators=[
                results.VoterView(
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
    def mempool(self, params: NoParams) -> results.MempoolResult:  # noqa: ARG002
        """Say how much waits for a block at this node."""
        return results.MempoolResult(**self._at(), mempool=self._mempool())

    def _mempool(self) -> results.MempoolView:
        mempool = self._services.mempool
        return results.MempoolView(
            transactions=len(mempool),
            transactions_max=mempool.count_max,
            size_bytes=mempool.size_bytes,
        )

    @method("khz_validators", NotFound)
    def validators(self, params: params.ValidatorsParams) -> results.ValidatorsResult:
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
        rules = height >= history.validator_changes(next_height)[-1]
        model = self._services.genesis.fault_model
        return results.ValidatorsResult(
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

    # The ledger.

    @method("khz_account", NotFound)
    def account(self, params: params.AccountParams) -> results.AccountResult:
        """Show an account: its owner, who signs for it, whether it is on hold."""
        address = self._views.parse_address(params.address)
        record = found(self._chain, ACCOUNTS, address, f"account {params.address}")
        return results.AccountResult(**self._at(), account=self._views.account(address, record))

    @method("khz_holdings", NotFound)
    def holdings(self, params: params.HoldingsParams) -> results.HoldingsResult:
        """List what an account holds, by asset code."""
        address = self._views.parse_address(params.address)
        found(self._chain, ACCOUNTS, address, f"account {params.address}")
        entries, following = named_page(
            self._chain, HOLDINGS, params.after, params.limit, prefix=address
        )
        return results.HoldingsResult(
            **self._at(),
            address=params.address.lower(),
            holdings=[
                self._views.holding(asset, record, decimals=self._decimals(asset))
                for asset, record in entries
            ],
            next=following,
        )

    @method("khz_holds", NotFound)
    def holds(self, params: params.HoldsParams) -> results.HoldsResult:
        """List the holds on what an account holds, by id."""
        address = self._views.parse_address(params.address)
        found(self._chain, ACCOUNTS, address, f"account {params.address}")
        after = None if params.after is None else bytes.fromhex(params.after)
        entries, following = page_of(self._chain, HOLDS, after, params.limit, prefix=address)
        return results.HoldsResult(
            **self._at(),
            address=params.address.lower(),
            holds=[
                self._views.hold(key, record, decimals=self._decimals(record.asset))
                for key, record in entries
            ],
            next=None if following is None else following.hex(),
        )

    @method("khz_asset", NotFound)
    def asset(self, params: params.AssetParams) -> results.AssetResult:
        """Show an asset: its terms, denomination, ceiling and supply."""
        record = found(self._chain, ASSETS, name_key(params.asset), f"asset {params.asset!r}")
        return results.AssetResult(**self._at(), asset=self._views.asset(params.asset, record))

    @method("khz_assets")
    def assets(self, params: params.AssetsParams) -> results.AssetsResult:
        """List the assets, by code."""
        entries, following = named_page(self._chain, ASSETS, params.after, params.limit)
        return results.AssetsResult(
            **self._at(),
            assets=[self._views.asset(code, record) for code, record in entries],
            next=following,
        )

    @method("khz_participant", NotFound)
    def participant(self, params: params.ParticipantParams) -> results.ParticipantResult:
        """Show a participant: its registration, the office it holds, its licences."""
        name = params.participant
        record = found(self._chain, PARTICIPANTS, name_key(name), f"participant {name!r}")
        licences, _ = named_page(
            self._chain, LICENCES, None, LICENCES_MAX, prefix=f"{name}/".encode()
        )
        return results.ParticipantResult(
            **self._at(),
            participant=self._views.participant(name, record, licences),
        )

    @method("khz_participants")
    def participants(self, params: params.ParticipantsParams) -> results.ParticipantsResult:
        """List the participants, by id."""
        entries, following = named_page(self._chain, PARTICIPANTS, params.after, params.limit)
        return results.ParticipantsResult(
            **self._at(),
            participants=[
                self._views.participant_summary(name, record) for name, record in entries
            ],
            next=following,
        )

    @method("khz_offices")
    def offices(self, params: NoParams) -> results.OfficesResult:  # noqa: ARG002
        """List the offices and who holds each."""
        entries, _ = named_page(self._chain, OFFICES, None, OFFICES_SHOWN_MAX)
        return results.OfficesResult(
            **self._at(),
            offices=[
                results.OfficeView(office=office, participant=record.participant)
                for office, record in entries
            ],
        )

    @method("khz_licences")
    def licences(self, params: params.LicencesParams) -> results.LicencesResult:
        """List the licences, active, run out and revoked, by participant and activity."""
        entries, following = named_page(self._chain, LICENCES, params.after, params.limit)
        return results.LicencesResult(
            **self._at(),
            licences=[
                results.HeldLicenceView(
                    participant=participant, licence=self._views.licence(activity, record)
                )
                for (participant, _, activity), record in (
                    (key.partition("/"), record) for key, record in entries
                )
            ],
            next=following,
        )

    @method("khz_identifier", NotFound)
    def identifier(self, params: params.IdentifierParams) -> results.IdentifierResult:
        """Say which asset has this ISIN or DTI, or which participant has this LEI."""
        for scheme in Scheme:
            named = self._chain.record(IDENTIFIERS, identifier_key(scheme.value, params.identifier))
            if named is not None:
                return results.IdentifierResult(
                    **self._at(),
                    identifier=params.identifier,
                    scheme=scheme.value,
                    holder=named.holder,
                )
        raise NotFound(
            f"nothing is identified by {params.identifier!r}", {"height": self._chain.head.height}
        )

    @method("khz_proposals")
    def proposals(self, params: params.ProposalsParams) -> results.ProposalsResult:
        """List the open proposals, by id."""
        after = None if params.after is None else bytes.fromhex(params.after)
        entries, following = page_of(self._chain, PROPOSALS, after, params.limit)
        return results.ProposalsResult(
            **self._at(),
            proposals=[self._views.proposal(key, record) for key, record in entries],
            next=None if following is None else following.hex(),
        )

    @method("khz_proposal", NotFound)
    def proposal(self, params: params.ProposalParams) -> results.ProposalResult:
        """Show an open proposal: its operations, and who has approved it.

        One that was completed, withdrawn or has expired is gone; the events say what became of it.
        """
        key = bytes.fromhex(params.proposal)
        record = found(self._chain, PROPOSALS, key, f"open proposal {params.proposal}")
        return results.ProposalResult(**self._at(), proposal=self._views.proposal(key, record))

    @method("khz_parameters")
    def parameters(self, params: NoParams) -> results.ParametersResult:  # noqa: ARG002
        """List the parameters of the ledger, with the range in which governance may set each."""
        state = LedgerState(self._chain)
        return results.ParametersResult(
            **self._at(),
            parameters=[
                results.ParameterView(
                    name=name, value=parameter(state, name), lowest=lowest, highest=highest
                )
                for name, (lowest, highest) in sorted(LIMITS.items())
            ],
        )

    @method("khz_powers")
    def powers(self, params: params.PowersParams) -> results.PowersResult:
        """List the powers matrix: which offices together may do what to which kind of thing."""
        entries, following = named_page(self._chain, POWERS, params.after, params.limit)
        return results.PowersResult(
            **self._at(),
            powers=[
                results.PowerView(
                    operation=operation,
                    subject=subject,
                    offices=list(record.offices),
                    required=record.required,
                    licences=list(record.licences),
                )
                for (operation, _, subject), record in (
                    (key.partition("/"), record) for key, record in entries
                )
            ],
            next=following,
        )

    @method("khz_prove", NotFound, NotReady)
    async def prove(self, params: params.ProveParams) -> results.ProofResult:
        """Prove that a record exists as it is, or does not exist, to somebody who trusts nobody.

        The proof is complete: with the genesis, `khazana verify` needs no node.
        """
        proof = await self._places.prove(*self._proven(params))
        return results.ProofResult(
            **self._at(), statement=proof.statement, file=render_proof(proof)
        )

    def _proven(self, wanted: params.ProveParams) -> tuple[Table[Any], bytes]:
        address = None if wanted.address is None else self._views.parse_address(wanted.address)
        name = wanted.name
        match wanted.kind, address, name, wanted.number:
            case "account", bytes(), None, None:
                return ACCOUNTS, address
            case "holding", bytes(), str(), None:
                return HOLDINGS, holding_key(address, name)
            case "ladder", None, str(), int(piece):
                return LADDERS, ladder_key(name, piece)
            case "fixing", None, str(), int(payment):
                return FIXINGS, payment_key(name, payment)
            case kind, None, str(), None if kind in _PROVEN_BY_NAME:
                return _PROVEN_BY_NAME[kind], name_key(name)
            case _:
                raise InvalidParams(
                    "an account is named by address, a holding by address and name (of the"
                    " asset), a piece of a ladder or a fixing by name (of the auction or the"
                    " asset) and number, everything else by name"
                )

    # Reading tables.

    def _decimals(self, asset: str) -> int:
        record = self._chain.record(ASSETS, name_key(asset))
        assert record is not None, "a holding of an asset that is not defined"
        return record.decimals


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
