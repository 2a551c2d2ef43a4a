"""Define an asset: code, identifiers, denomination, ceiling, issuer and terms. Once for ever."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant, other_account
from node.ledger.calendars import calendar_of
from node.ledger.checks import check_amount, check_text
from node.ledger.holdings import asset_of, check_face
from node.ledger.identifiers import (
    Address,
    AssetCode,
    Hash,
    Name,
    is_asset_code,
    is_currency,
)
from node.ledger.instruments import SCHEDULE_WORK, Payment, check_schedule, payments_at_most
from node.ledger.outcomes import Outcome, Reject
from node.ledger.protocol import DEBT_DESK
from node.ledger.registers import Scheme, check_form, check_unclaimed, claim
from node.ledger.servicing import begin_fixings, begin_service, check_begins
from node.ledger.state import LedgerState
from node.ledger.tables import (
    ASSETS,
    AssetIdentifiers,
    AssetRecord,
    Text,
    name_key,
)
from node.ledger.terms import (
    AssetKind,
    AssetTerms,
    CashTerms,
    ServicedTerms,
    check_terms,
    is_serviced,
    kind_of,
)
from node.ledger.units import DECIMALS_MAX


class DefineAsset(Record, tag=20):
    """Define what `asset` is. Nothing is issued yet; the issuer stands behind the operation."""

    account: Address
    approvers: Approvers
    asset: AssetCode
    name: Text
    issuer: Name
    identifiers: AssetIdentifiers
    terms: AssetTerms
    term_sheet_hash: Hash
    decimals: Annotated[int, msgspec.Meta(ge=0, le=DECIMALS_MAX)]
    multiple: int
    """Legal denomination in minor units; 1 where there is none. Divides the ceiling."""
    ceiling: int
    """In minor units."""
    forced_transfer_allowed: bool


class AssetDefined(Record, tag=20):
    """An asset was defined."""

    asset: AssetCode
    issuer: Name


def _apply(context: ActContext, operation: DefineAsset) -> None:
    state, asset = context.state, operation.asset
    kind = kind_of(operation.terms)
    participants = context.authority.participants(operation.account, operation.approvers)
    active_participant(state, operation.issuer)
    concerned = _concerned(state, operation.terms)
    context.authority.power(ACT.name, kind, participants, issuer=(asset, operation.issuer))
    check_text("name", operation.name)
    if not is_asset_code(asset):
        raise Reject(Outcome.NAME_NOT_ACCEPTED, field="asset", found=asset)
    identifiers = _check_identifiers(operation.identifiers, kind)
    check_terms(operation.terms)
    check_amount("ceiling", operation.ceiling)
    check_amount("multiple", operation.multiple)
    for scheme, identifier in identifiers:
        check_unclaimed(state, scheme, identifier)
    if state.get(ASSETS, name_key(asset)) is not None:
        raise Reject(Outcome.ASSET_EXISTS, asset=asset)
    if operation.ceiling % operation.multiple:
        raise Reject(
            Outcome.NOT_A_MULTIPLE,
            asset=asset,
            found=operation.ceiling,
            expected=operation.multiple,
        )
    payments: tuple[Payment, ...] = ()
    if concerned is not None:
        assert is_serviced(operation.terms)  # only such concern anybody
        check_face(asset, operation.multiple, operation.terms)
        payments = _check_payments(context, operation, operation.terms, *concerned, participants)

    for scheme, identifier in identifiers:
        claim(state, scheme, identifier, asset)
    state.put(
        ASSETS,
        name_key(asset),
        AssetRecord(
            name=operation.name,
            issuer=operation.issuer,
            identifiers=operation.identifiers,
            terms=operation.terms,
            term_sheet_hash=operation.term_sheet_hash,
            decimals=operation.decimals,
            multiple=operation.multiple,
            ceiling=operation.ceiling,
            supply=0,
            forced_transfer_allowed=operation.forced_transfer_allowed,
        ),
    )
    if is_serviced(operation.terms):
        number = begin_service(state, asset, operation.terms, payments, context.block.time_ms)
        begin_fixings(state, asset, operation.terms, number)
    context.events.append(AssetDefined(asset=asset, issuer=operation.issuer))


def _since_of(operation: DefineAsset) -> int:
    """Return the version of the protocol that brought terms of this type."""
    return DEBT_DESK if is_serviced(operation.terms) else 1


def _concerned(state: LedgerState, terms: AssetTerms) -> tuple[str, AssetRecord] | None:
    """Return who owns the paying agent's account, and the cash that is paid; None without payments.

    Raises:
        Reject: OTHER_ACCOUNT_UNKNOWN, OTHER_ACCOUNT_CLOSED, ASSET_UNKNOWN.
    """
    if not is_serviced(terms):
        return None
    other_account(state, terms.plan.residue_account)
    agent = other_account(state, terms.plan.paying_agent)
    return agent.owner, asset_of(state, terms.plan.cash)


def _check_payments(
    context: ActContext,
    operation: DefineAsset,
    terms: ServicedTerms,
    agent: str,
    cash: AssetRecord,
    participants: Sequence[str],
) -> tuple[Payment, ...]:
    """Return the payments that the ledger is to make.

    Raises:
        Reject: CALENDAR_UNKNOWN, PAYING_AGENT_ABSENT, PAYMENT_CASH_NOT_VALID, SCHEDULE_NOT_VALID,
            NOTHING_LEFT_TO_PAY.
    """
    state, plan = context.state, terms.plan
    calendar = calendar_of(state, plan.calendar)
    if agent not in participants:
        # Or offices could name anybody's account, and empty it.
        raise Reject(Outcome.PAYING_AGENT_ABSENT, account=plan.paying_agent, participant=agent)
    if (
        not isinstance(cash.terms, CashTerms)
        or cash.identifiers.currency != terms.face_currency
        or cash.decimals != operation.decimals
    ):
        raise Reject(
            Outcome.PAYMENT_CASH_NOT_VALID,
            asset=plan.cash,
            currency=terms.face_currency,
            decimals=operation.decimals,
        )
    context.spend(SCHEDULE_WORK * payments_at_most(plan))
    payments = check_schedule(terms, calendar, operation.ceiling)
    check_begins(state, operation.asset, payments, context.block.time_ms)
    return payments


def _check_identifiers(identifiers: AssetIdentifiers, kind: AssetKind) -> list[tuple[Scheme, str]]:
    """Return the identifiers that nobody else may have.

    Raises:
        Reject: IDENTIFIER_MISSING, IDENTIFIER_NOT_VALID.
    """
    needed = "currency" if kind is AssetKind.CASH else "isin"
    if getattr(identifiers, needed) is None:
        raise Reject(Outcome.IDENTIFIER_MISSING, kind=kind.value, scheme=needed)
    if identifiers.currency is not None and not is_currency(identifiers.currency):
        raise Reject(
            Outcome.IDENTIFIER_NOT_VALID, scheme="ISO 4217 currency", found=identifiers.currency
        )
    unique = []
    for scheme, identifier in ((Scheme.ISIN, identifiers.isin), (Scheme.DTI, identifiers.dti)):
        if identifier is not None:
            check_form(scheme, identifier)
            unique.append((scheme, identifier))
    return unique


ACT: Final = define_act("define_asset", DefineAsset, _apply, since_of=_since_of)
