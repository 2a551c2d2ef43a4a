"""The methods that read the ledger's own records, and prove them: what stands under the state root.

Auctions, calendars, securities and what follows from them have rooms of their own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from node.chain import Chain
from node.ledger.calendars import today
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
    IDENTITIES,
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
from node.ledger.taxpayers import taxpayer_of
from node.proofs import render_proof
from node.rpc import ledger_results, params, results
from node.rpc.errors import InvalidParams, NotFound, NotReady
from node.rpc.jsonrpc import NoParams, method
from node.rpc.places import Places
from node.rpc.reading import found, named_page, page_of
from node.rpc.results import AtHead
from node.rpc.views import Views

LICENCES_MAX: Final = 64
"""A participant has at most one licence for each activity."""
OFFICES_SHOWN_MAX: Final = 200
"""In one answer. A state has a handful; each is granted by a joint decision."""
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


class LedgerMethods:
    """The handlers, on one node."""

    def __init__(self, chain: Chain, views: Views, places: Places, at_head: AtHead) -> None:
        self._chain = chain
        self._views = views
        self._places = places
        self._at = at_head

    @method("khz_account", NotFound)
    def account(self, params: params.AccountParams) -> ledger_results.AccountResult:
        """Show an account: its owner, who signs for it, whether it is on hold."""
        address = self._views.parse_address(params.address)
        record = found(self._chain, ACCOUNTS, address, f"account {params.address}")
        return ledger_results.AccountResult(
            **self._at(), account=self._views.account(address, record)
        )

    @method("khz_holdings", NotFound)
    def holdings(self, params: params.HoldingsParams) -> ledger_results.HoldingsResult:
        """List what an account holds, by asset code."""
        address = self._views.parse_address(params.address)
        found(self._chain, ACCOUNTS, address, f"account {params.address}")
        entries, following = named_page(
            self._chain, HOLDINGS, params.after, params.limit, prefix=address
        )
        return ledger_results.HoldingsResult(
            **self._at(),
            address=params.address.lower(),
            holdings=[
                self._views.holding(asset, record, decimals=self._decimals(asset))
                for asset, record in entries
            ],
            next=following,
        )

    @method("khz_holds", NotFound)
    def holds(self, params: params.HoldsParams) -> ledger_results.HoldsResult:
        """List the holds on what an account holds, by id."""
        address = self._views.parse_address(params.address)
        found(self._chain, ACCOUNTS, address, f"account {params.address}")
        after = None if params.after is None else bytes.fromhex(params.after)
        entries, following = page_of(self._chain, HOLDS, after, params.limit, prefix=address)
        return ledger_results.HoldsResult(
            **self._at(),
            address=params.address.lower(),
            holds=[
                self._views.hold(key, record, decimals=self._decimals(record.asset))
                for key, record in entries
            ],
            next=None if following is None else following.hex(),
        )

    @method("khz_asset", NotFound)
    def asset(self, params: params.AssetParams) -> ledger_results.AssetResult:
        """Show an asset: its terms, denomination, ceiling and supply."""
        record = found(self._chain, ASSETS, name_key(params.asset), f"asset {params.asset!r}")
        return ledger_results.AssetResult(
            **self._at(), asset=self._views.asset(params.asset, record)
        )

    @method("khz_assets")
    def assets(self, params: params.AssetsParams) -> ledger_results.AssetsResult:
        """List the assets, by code."""
        entries, following = named_page(self._chain, ASSETS, params.after, params.limit)
        return ledger_results.AssetsResult(
            **self._at(),
            assets=[self._views.asset(code, record) for code, record in entries],
            next=following,
        )

    @method("khz_participant", NotFound)
    def participant(self, params: params.ParticipantParams) -> ledger_results.ParticipantResult:
        """Show a participant: its registration, its office, its licences, and as a taxpayer."""
        name = params.participant
        record = found(self._chain, PARTICIPANTS, name_key(name), f"participant {name!r}")
        licences, _ = named_page(
            self._chain, LICENCES, None, LICENCES_MAX, prefix=f"{name}/".encode()
        )
        return ledger_results.ParticipantResult(
            **self._at(),
            participant=self._views.participant(
                name,
                record,
                self._chain.record(IDENTITIES, name_key(name)),
                licences,
                taxpayer_of(LedgerState(self._chain), name),
                today(LedgerState(self._chain), self._chain.head.time_ms),
            ),
        )

    @method("khz_participants")
    def participants(self, params: params.ParticipantsParams) -> ledger_results.ParticipantsResult:
        """List the participants, by id."""
        entries, following = named_page(self._chain, PARTICIPANTS, params.after, params.limit)
        return ledger_results.ParticipantsResult(
            **self._at(),
            participants=[
                self._views.participant_summary(name, record) for name, record in entries
            ],
            next=following,
        )

    @method("khz_offices")
    def offices(self, params: NoParams) -> ledger_results.OfficesResult:  # noqa: ARG002
        """List the offices and who holds each."""
        entries, _ = named_page(self._chain, OFFICES, None, OFFICES_SHOWN_MAX)
        return ledger_results.OfficesResult(
            **self._at(),
            offices=[
                ledger_results.OfficeView(office=office, participant=record.participant)
                for office, record in entries
            ],
        )

    @method("khz_licences")
    def licences(self, params: params.LicencesParams) -> ledger_results.LicencesResult:
        """List the licences, active, run out and revoked, by participant and activity."""
        entries, following = named_page(self._chain, LICENCES, params.after, params.limit)
        return ledger_results.LicencesResult(
            **self._at(),
            licences=[
                ledger_results.HeldLicenceView(
                    participant=participant, licence=self._views.licence(activity, record)
                )
                for (participant, _, activity), record in (
                    (key.partition("/"), record) for key, record in entries
                )
            ],
            next=following,
        )

    @method("khz_identifier", NotFound)
    def identifier(self, params: params.IdentifierParams) -> ledger_results.IdentifierResult:
        """Say which asset has this ISIN or DTI, or which participant has this LEI."""
        for scheme in Scheme:
            named = self._chain.record(IDENTIFIERS, identifier_key(scheme.value, params.identifier))
            if named is not None:
                return ledger_results.IdentifierResult(
                    **self._at(),
                    identifier=params.identifier,
                    scheme=scheme.value,
                    holder=named.holder,
                )
        raise NotFound(
            f"nothing is identified by {params.identifier!r}", {"height": self._chain.head.height}
        )

    @method("khz_proposals")
    def proposals(self, params: params.ProposalsParams) -> ledger_results.ProposalsResult:
        """List the open proposals, by id."""
        after = None if params.after is None else bytes.fromhex(params.after)
        entries, following = page_of(self._chain, PROPOSALS, after, params.limit)
        return ledger_results.ProposalsResult(
            **self._at(),
            proposals=[self._views.proposal(key, record) for key, record in entries],
            next=None if following is None else following.hex(),
        )

    @method("khz_proposal", NotFound)
    def proposal(self, params: params.ProposalParams) -> ledger_results.ProposalResult:
        """Show an open proposal: its operations, and who has approved it.

        One that was completed, withdrawn or has expired is gone; the events say what became of it.
        """
        key = bytes.fromhex(params.proposal)
        record = found(self._chain, PROPOSALS, key, f"open proposal {params.proposal}")
        return ledger_results.ProposalResult(
            **self._at(), proposal=self._views.proposal(key, record)
        )

    @method("khz_parameters")
    def parameters(self, params: NoParams) -> ledger_results.ParametersResult:  # noqa: ARG002
        """List the parameters of the ledger, with the range in which governance may set each."""
        state = LedgerState(self._chain)
        return ledger_results.ParametersResult(
            **self._at(),
            parameters=[
                ledger_results.ParameterView(
                    name=name, value=parameter(state, name), lowest=lowest, highest=highest
                )
                for name, (lowest, highest) in sorted(LIMITS.items())
            ],
        )

    @method("khz_powers")
    def powers(self, params: params.PowersParams) -> ledger_results.PowersResult:
        """List the powers matrix: which offices together may do what to which kind of thing."""
        entries, following = named_page(self._chain, POWERS, params.after, params.limit)
        return ledger_results.PowersResult(
            **self._at(),
            powers=[
                ledger_results.PowerView(
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

    def _decimals(self, asset: str) -> int:
        record = self._chain.record(ASSETS, name_key(asset))
        assert record is not None, "a holding of an asset that is not defined"
        return record.decimals
