"""The chain as clients see it: records, blocks and receipts become results.

Records of the ledger with a place of their own in the interface are listed here; operations and
events render by their fields (`rendering`), so that a new act needs no line. Works on committed
state only; the command line uses it on files as well.
"""

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from consensus.certificates import QuorumCertificate
from consensus.evidence import Equivocation
from consensus.messages import SignedMessage, SignedVote
from node.addresses import AddressError, parse_address
from node.amounts import render_amount
from node.blocks import Header
from node.ledger.catalogue import CATALOGUE
from node.ledger.events import Event
from node.ledger.explaining import explain
from node.ledger.operations import DefineAsset
from node.ledger.outcomes import Details, Outcome
from node.ledger.policies import AccountClass, AccountPolicy
from node.ledger.securities import TaxpayerRecord, TaxStanding
from node.ledger.tables import (
    AccountRecord,
    AccusationRecord,
    AssetRecord,
    HoldingRecord,
    HoldRecord,
    IdentityRecord,
    LicenceRecord,
    ParticipantRecord,
    ProposalRecord,
    RulingKey,
    ValidatorRecord,
)
from node.ledger.taxpayers import class_named, status_of
from node.ledger.terms import is_serviced, kind_of
from node.ledger.transactions import TransactionBody
from node.ledger.transition import Receipt
from node.ledger.units import Day
from node.rpc import ledger_results, results
from node.rpc.errors import InvalidParams, Rejected
from node.rpc.rendering import Renderer, render_day, render_time
from node.rpc.results import Object
from node.telling import Teller, reason_in

ADDRESSES_CACHED: Final = 8_192
"""Of those that clients ask about: some 2 MB. What is no address is not kept."""

_parse_address: Final = lru_cache(ADDRESSES_CACHED)(parse_address)


class Views:
    """Renders for one network."""

    def __init__(
        self,
        *,
        test: bool,
        decimals_of: Callable[[str], int | None],
        sold_by: Callable[[str], str | None],
        offset_minutes: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Make the views.

        Args:
            test: whether it is a test network: its addresses have another prefix.
            decimals_of: of an asset by its code; `None` where it is not known.
            sold_by: the asset of an auction by its name; `None` where it is not known.
            offset_minutes: of the network's local time; `None` where it is not known.
        """
        self._test = test
        self.teller = Teller(
            decimals_of=decimals_of, sold_by=sold_by, offset_minutes=offset_minutes
        )
        self.renderer = Renderer(
            test=test, decimals_of=decimals_of, decode_operations=CATALOGUE.decode
        )

    # Text from outside.

    def parse_address(self, text: str, field: str = "address") -> bytes:
        """Return the address.

        Raises:
            InvalidParams: it is not one of this network; says what is wrong with it.
        """
        try:
            return _parse_address(text, test=self._test)
        except AddressError as error:
            raise InvalidParams(f"{field}: {error}") from None

    # What became of transactions.

    def outcome(
        self,
        outcome: Outcome,
        details: Details,
        operation: int | None = None,
        body: TransactionBody | None = None,
    ) -> results.OutcomeView:
        """Return an outcome with its sentence.

        Args:
            operation: which of the transaction was refused, from 0.
            body: of the transaction, where it is at hand.
        """
        teller = self.teller if body is None else self.teller.knowing(_defined_by(body))
        sentence = explain(outcome, details, render_address=self.renderer.address)
        shown = self.renderer.details(details)
        return results.OutcomeView(
            code=outcome.value,
            name=outcome.name,
            sentence=sentence,
            details=shown,
            told=teller.tell(outcome.name, shown, _acted_on(operation, body)) or sentence,
            reason=_reason(shown),
            operation=operation,
        )

    def rejected(
        self,
        outcome: Outcome,
        details: Details,
        identifier: bytes | None,
        *,
        operation: int | None = None,
        body: TransactionBody | None = None,
    ) -> Rejected:
        """Return the error for a transaction that was refused at the door; rest as in `outcome`."""
        view = self.outcome(outcome, details, operation, body)
        return Rejected(
            f"{view.name}: {view.sentence}",
            {
                "id": None if identifier is None else identifier.hex(),
                "outcome": view.code,
                "name": view.name,
                "sentence": view.sentence,
                "numbers": view.details,
                "told": view.told,
                "reason_code": None if view.reason is None else view.reason.code,
                "reason_arguments": {} if view.reason is None else view.reason.arguments,
            },
        )

    def receipt_outcome(
        self, receipt: Receipt, body: TransactionBody | None = None
    ) -> results.OutcomeView:
        """Return the outcome that a receipt carries.

        Args:
            body: of its transaction, where it is at hand.
        """
        return self.outcome(receipt.outcome, receipt.details, receipt.operation, body)

    def receipt(
        self,
        receipt: Receipt,
        *,
        height: int,
        index: int,
        time_ms: int,
        body: TransactionBody | None = None,
    ) -> results.ReceiptView:
        """Return the receipt of the transaction at a place; `body` as in `receipt_outcome`."""
        return results.ReceiptView(
            height=height,
            index=index,
            time=render_time(time_ms),
            outcome=self.receipt_outcome(receipt, body),
            events=self.events(receipt.events),
        )

    def events(self, events: Sequence[Event]) -> list[Object]:
        """Return events, in order."""
        return [self.renderer.record(event) for event in events]

    def transaction(
        self, transaction_id: bytes, body: TransactionBody, size_bytes: int
    ) -> results.TransactionView:
        """Return what a transaction asks for."""
        return results.TransactionView(
            id=transaction_id.hex(),
            valid_until=render_time(body.valid_until_ms),
            signers=[signer.hex() for signer in body.signers],
            operations=[self.renderer.record(operation) for operation in body.operations],
            memo=body.memo,
            size_bytes=size_bytes,
        )

    # Blocks.

    def header(self, header: Header) -> results.HeaderView:
        """Return a header."""
        return results.HeaderView(
            version=header.version,
            network=header.network.hex(),
            height=header.height,
            round=header.round,
            time=render_time(header.time_ms),
            parent=header.parent.hex(),
            proposer=header.proposer,
            transactions_root=header.transactions_root.hex(),
            receipts_root=header.receipts_root.hex(),
            evidence_root=header.evidence_root.hex(),
            state_root=header.state_root.hex(),
            validators_hash=header.validators_hash.hex(),
            next_validators_hash=header.next_validators_hash.hex(),
            parameters_hash=header.parameters_hash.hex(),
            transaction_count=header.transaction_count,
        )

    def certificate(self, certificate: QuorumCertificate) -> results.CertificateView:
        """Return a commit certificate."""
        return results.CertificateView(
            height=certificate.height,
            round=certificate.round,
            block_id=certificate.block_id.hex(),
            signatures=[
                results.SignatureView(validator=validator, signature=signature.hex())
                for validator, signature in certificate.signatures
            ],
        )

    def evidence(self, evidence: Equivocation, *, shown_in: int) -> results.EvidenceView:
        """Return an equivocation."""
        return results.EvidenceView(
            shown_in=shown_in,
            validator=evidence.validator,
            height=evidence.height,
            round=evidence.round,
            first=_signed(evidence.first),
            second=_signed(evidence.second),
        )

    def accusation(self, record: AccusationRecord) -> results.EvidenceView:
        """Return what the ledger knows of an equivocation whose block is not here."""
        return results.EvidenceView(
            shown_in=record.shown,
            validator=record.validator,
            height=record.height,
            round=record.round,
            first=None,
            second=None,
        )

    # The ledger's records.

    def account(self, address: bytes, record: AccountRecord) -> ledger_results.AccountView:
        """Return an account."""
        return ledger_results.AccountView(
            address=self.renderer.address(address),
            owner=record.owner,
            policy=self.policy(record.policy),
            opened_by=record.opened_by,
            status=record.status.name.lower(),
            hold=None if record.hold is None else self.renderer.record(record.hold),
        )

    def policy(self, policy: AccountPolicy) -> ledger_results.PolicyView:
        """Return an account's policy."""
        return ledger_results.PolicyView(
            signers=[
                ledger_results.SignerView(public_key=key.hex(), weight=weight)
                for key, weight in policy.signers
            ],
            thresholds={kind.name.lower(): policy.thresholds[kind.value] for kind in AccountClass},
        )

    def holding(
        self, asset: str, record: HoldingRecord, *, decimals: int
    ) -> ledger_results.HoldingView:
        """Return a holding."""
        return ledger_results.HoldingView(
            asset=asset,
            decimals=decimals,
            available=render_amount(record.available, decimals=decimals),
            held=render_amount(record.held, decimals=decimals),
            total=render_amount(record.available + record.held, decimals=decimals),
        )

    def hold(self, hold_id: bytes, record: HoldRecord, *, decimals: int) -> ledger_results.HoldView:
        """Return a hold on a part of a holding."""
        return ledger_results.HoldView(
            id=hold_id.hex(),
            asset=record.asset,
            amount=render_amount(record.amount, decimals=decimals),
            reason=record.reason,
            legal_reference=record.legal_reference,
            expires=None if record.expires_ms is None else render_time(record.expires_ms),
            placed_by=record.placed_by,
        )

    def asset(self, code: str, record: AssetRecord) -> ledger_results.AssetView:
        """Return an asset."""
        terms = self.renderer.record(record.terms)
        terms.pop("type", None)  # said by `kind`
        return ledger_results.AssetView(
            asset=code,
            kind=kind_of(record.terms).value,
            name=record.name,
            issuer=record.issuer,
            identifiers=dict(self.renderer.record(record.identifiers)),
            terms=terms,
            term_sheet_hash=record.term_sheet_hash.hex(),
            decimals=record.decimals,
            multiple=render_amount(record.multiple, decimals=record.decimals),
            face_unit=render_amount(record.terms.plan.face_unit, decimals=record.decimals)
            if is_serviced(record.terms)
            else None,
            ceiling=render_amount(record.ceiling, decimals=record.decimals),
            supply=render_amount(record.supply, decimals=record.decimals),
            forced_transfer_allowed=record.forced_transfer_allowed,
        )

    def participant(
        self,
        name: str,
        record: ParticipantRecord,
        identity: IdentityRecord | None,
        licences: Sequence[tuple[str, LicenceRecord]],
        taxpayer: TaxpayerRecord,
        today: Day,
    ) -> ledger_results.ParticipantView:
        """Return a participant with its licences, by activity, and as a taxpayer."""
        change = taxpayer.change
        has_come = change is not None and change.from_day <= today
        ruling = change if has_come else taxpayer.ruling
        return ledger_results.ParticipantView(
            participant=name,
            kind=record.kind.value,
            jurisdiction=record.jurisdiction,
            lei=record.lei,
            file_commitment=record.file_commitment.hex(),
            registrar=record.registrar,
            office=record.office,
            status=record.status.name.lower(),
            identified_by=None if identity is None else identity.identified_by,
            taxpayer=ledger_results.TaxpayerView(
                taxpayer=class_named(record.kind, status_of(ruling)),
                ruling=_standing(taxpayer.ruling),
                change=_standing(change),
            ),
            licences=[self.licence(activity, licence) for activity, licence in licences],
        )

    def participant_summary(
        self, name: str, record: ParticipantRecord
    ) -> ledger_results.ParticipantSummary:
        """Return a participant as a line of a list."""
        return ledger_results.ParticipantSummary(
            participant=name,
            kind=record.kind.value,
            jurisdiction=record.jurisdiction,
            office=record.office,
            status=record.status.name.lower(),
        )

    def licence(self, activity: str, record: LicenceRecord) -> ledger_results.LicenceView:
        """Return a licence."""
        return ledger_results.LicenceView(
            activity=activity,
            phase=record.phase.name.lower(),
            revoked=record.revoked,
            expires=None if record.expires_ms is None else render_time(record.expires_ms),
            accounts_opened=record.accounts_opened,
        )

    def validator(self, record: ValidatorRecord) -> ledger_results.ValidatorView:
        """Return a validator."""
        return ledger_results.ValidatorView(
            name=record.name,
            participant=record.participant,
            public_key=record.public_key.hex(),
            tls_certificate=base64.b64encode(record.tls_certificate).decode(),
        )

    def former_validator(self, key: RulingKey) -> ledger_results.ValidatorView:
        """Return a validator of a set that no longer rules."""
        return ledger_results.ValidatorView(
            name=key.name,
            participant=None,
            public_key=key.public_key.hex(),
            tls_certificate=None,
        )

    def proposal(self, proposal_id: bytes, record: ProposalRecord) -> ledger_results.ProposalView:
        """Return an open proposal with its operations."""
        return ledger_results.ProposalView(
            id=proposal_id.hex(),
            proposer=self.renderer.address(record.proposer),
            operations=[
                self.renderer.record(operation) for operation in CATALOGUE.decode(record.operations)
            ],
            approvals=[self.renderer.address(address) for address in record.approvals],
            expires=render_time(record.expires_ms),
        )


def _signed(signed: SignedMessage) -> results.SignedMessageView:
    if isinstance(signed, SignedVote):
        kind, block_id = signed.vote.kind.name.lower(), signed.vote.block_id
    else:
        kind, block_id = "proposal", signed.proposal.block_id
    return results.SignedMessageView(
        kind=kind,
        block_id=None if block_id is None else block_id.hex(),
        signature=signed.signature.hex(),
    )


def _reason(details: Object) -> results.ReasonView | None:
    reason = reason_in(details)
    if reason is None:
        return None
    return results.ReasonView(code=reason.phrase.name, arguments=dict(reason.values))


def _acted_on(operation: int | None, body: TransactionBody | None) -> str | None:
    """Return the asset of the operation that was refused, if it acts on one."""
    if body is None or operation is None:
        return None
    asset = getattr(body.operations[operation], "asset", None)
    return asset if isinstance(asset, str) else None


def _defined_by(body: TransactionBody) -> dict[str, int]:
    """Return the decimals of the assets that a transaction would define, by code."""
    return {each.asset: each.decimals for each in body.operations if isinstance(each, DefineAsset)}


def _standing(standing: TaxStanding | None) -> ledger_results.TaxStandingView | None:
    if standing is None:
        return None
    return ledger_results.TaxStandingView(
        status=standing.status.name.lower(),
        from_day=render_day(standing.from_day),
        source=standing.source,
    )
