"""Define an asset: code, identifiers, denomination, ceiling, issuer and terms. Once for ever."""

from typing import Annotated, Final

import msgspec

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.authority import active_participant
from node.ledger.checks import check_amount, check_text
from node.ledger.identifiers import (
    Address,
    AssetCode,
    Hash,
    Name,
    is_asset_code,
    is_currency,
)
from node.ledger.outcomes import Outcome, Reject
from node.ledger.registers import Scheme, check_form, check_unclaimed, claim
from node.ledger.tables import (
    ASSETS,
    AssetIdentifiers,
    AssetRecord,
    Text,
    name_key,
)
from node.ledger.terms import AssetKind, AssetTerms, check_terms, kind_of
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
    context.events.append(AssetDefined(asset=asset, issuer=operation.issuer))


def _check_identifiers(identifiers: AssetIdentifiers, kind: AssetKind) -> list[tuple[Scheme, str]]:
    """Return the identifiers that nobody else may have.

    Raises:
        Reject: IDENTIFIER_MISSING, IDENTIFIER_NOT_VALID.
    """
    needed = {AssetKind.CASH: "currency", AssetKind.BILL: "isin"}[kind]
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


ACT: Final = define_act("define_asset", DefineAsset, _apply)
