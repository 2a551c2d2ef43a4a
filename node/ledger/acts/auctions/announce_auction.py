"""Announce an auction: what is sold, to whom, by which rule and when. Nothing of it changes."""

from collections.abc import Sequence
from typing import Final

from node.codec import Record
from node.ledger.acting import ActContext, Approvers, define_act
from node.ledger.auctioning.announced import put_auction
from node.ledger.auctioning.deliverable import why_not_deliverable
from node.ledger.auctioning.rating import why_not_bid_for
from node.ledger.auctions.records import AuctionRecord, AuctionStage
from node.ledger.auctions.terms import TAKING_FORMS, AuctionTerms, Form, fault_of, lines_of
from node.ledger.authority import receiving_account
from node.ledger.calendars import calendar_of, today
from node.ledger.checks import check_name
from node.ledger.courses import outstanding_of
from node.ledger.holdings import asset_of
from node.ledger.identifiers import Address, AssetCode, Name
from node.ledger.outcomes import Outcome, Reject
from node.ledger.phrases import AuctionFault, CashFault, Reason
from node.ledger.protocol import DEBT_DESK
from node.ledger.state import LedgerState
from node.ledger.tables import AUCTIONS, Activity, AssetRecord, ParticipantKind, name_key
from node.ledger.terms import AssetKind, CashTerms, kind_of
from node.ledger.units import Milliseconds

_KINDS: Final = frozenset(kind.value for kind in ParticipantKind)
_ACTIVITIES: Final = frozenset(activity.value for activity in Activity)


ANNOUNCING_WORK: Final = 5
"""Of each line, in units of `ActContext.spend`: 45 microseconds, however long its schedule is."""


class AnnounceAuction(Record, tag=80):
    """Announce an auction under a name that no other ever had."""

    account: Address
    approvers: Approvers
    auction: Name
    terms: AuctionTerms


class AuctionAnnounced(Record, tag=80):
    """An auction will be held."""

    auction: Name
    asset: AssetCode
    form: Form
    target: int
    opens_ms: Milliseconds
    closes_ms: Milliseconds
    settles_ms: Milliseconds


def _apply(context: ActContext, operation: AnnounceAuction) -> None:
    state, auction, terms = context.state, operation.auction, operation.terms
    participants = context.authority.participants(operation.account, operation.approvers)
    proceeds = receiving_account(state, terms.proceeds)
    asset, cash = asset_of(state, terms.asset), asset_of(state, terms.cash)
    lines = [(code, asset_of(state, code)) for code in lines_of(terms)]
    for code, line in lines:
        context.authority.power(
            ACT.name, kind_of(line.terms), participants, issuer=(code, line.issuer)
        )
    if proceeds.owner != asset.issuer:
        raise Reject(
            Outcome.NOT_ISSUER, asset=terms.asset, expected=asset.issuer, found=proceeds.owner
        )
    check_name("auction", auction)
    if terms.reference is not None:
        check_name("reference", terms.reference)
    if terms.multiple % asset.multiple:
        raise Reject(
            Outcome.NOT_A_MULTIPLE,
            asset=terms.asset,
            found=terms.multiple,
            expected=asset.multiple,
        )
    _check_ceiling(state, terms, lines)
    if terms.calendar is not None:
        calendar_of(state, terms.calendar)
    if state.get(AUCTIONS, name_key(auction)) is not None:
        raise Reject(Outcome.AUCTION_EXISTS, auction=auction)
    context.spend(ANNOUNCING_WORK * len(lines))
    fault = (
        fault_of(terms, now_ms=context.block.time_ms)
        or _fault_of_classes(terms)
        or _fault_of_assets(state, terms, lines, cash)
    )
    if fault is not None:
        raise Reject(Outcome.AUCTION_TERMS_NOT_VALID, asset=terms.asset, reason=fault)

    record = AuctionRecord(
        terms=terms,
        stage=AuctionStage.ANNOUNCED,
        next_ms=terms.opens_ms,
        numbered=0,
        sealed=0,
        noncompetitive=0,
        competitive_pieces=0,
        noncompetitive_pieces=0,
        unrevealed=0,
        result=None,
        pieces_settled=0,
        settled=0,
        paid=0,
        failed=0,
        unpaid=0,
        reallotted=0,
        issued=0,
    )
    put_auction(state, auction, record, before=None)
    context.events.append(
        AuctionAnnounced(
            auction=auction,
            asset=terms.asset,
            form=terms.form,
            target=terms.target,
            opens_ms=terms.opens_ms,
            closes_ms=terms.closes_ms,
            settles_ms=terms.settles_ms,
        )
    )


def _fault_of_classes(terms: AuctionTerms) -> Reason | None:
    for names, known in (
        (terms.kinds, _KINDS),
        (terms.licences, _ACTIVITIES),
        (terms.noncompetitive_kinds, _KINDS),
    ):
        for name in names:
            if name not in known:
                return AuctionFault.NO_SUCH_CLASS.of(found=name, known=", ".join(sorted(known)))
    return None


def _check_ceiling(
    state: LedgerState, terms: AuctionTerms, lines: Sequence[tuple[str, AssetRecord]]
) -> None:
    """Refuse to issue more than may exist. What a switch will take is not known: a multiple fits.

    Raises:
        Reject: CEILING_EXCEEDED.
    """
    if terms.form is Form.BUYBACK:
        return
    code, line = lines[-1]
    more = line.multiple if terms.form is Form.SWITCH else terms.target
    supply = outstanding_of(state, code, line) + more
    if supply > line.ceiling:
        raise Reject(Outcome.CEILING_EXCEEDED, asset=code, found=supply, expected=line.ceiling)


def _fault_of_assets(
    state: LedgerState,
    terms: AuctionTerms,
    lines: Sequence[tuple[str, AssetRecord]],
    cash: AssetRecord,
) -> Reason | None:
    if not isinstance(cash.terms, CashTerms):
        return CashFault.CASH_IS_NONE.of(cash=terms.cash)
    for code, line in lines:
        if isinstance(line.terms, CashTerms):
            return CashFault.CASH_AUCTIONED.of(asset=code)
        currency = line.terms.face_currency
        if cash.identifiers.currency != currency or cash.decimals != line.decimals:
            return CashFault.CASH_DIFFERS.of(
                cash=terms.cash,
                currency=cash.identifiers.currency or "",
                decimals=cash.decimals,
                asset=code,
                face_currency=currency,
                face_decimals=line.decimals,
            )
    asset, issuer = lines[0][1], lines[-1][1].issuer
    if issuer != asset.issuer:
        return AuctionFault.ISSUERS_DIFFER.of(asset=terms.asset, issuer=asset.issuer, other=issuer)
    if terms.form in TAKING_FORMS and terms.target > asset.supply:
        return AuctionFault.TARGET_ABOVE_SUPPLY.of(supply=asset.supply, asset=terms.asset)
    if (fault := why_not_bid_for(state, terms.asset, asset, terms.form)) is not None:
        return fault
    if terms.reference is not None and kind_of(asset.terms) is not AssetKind.BILL:
        return AuctionFault.REFERENCE_OF_NO_BILL.of(asset=terms.asset)
    return why_not_deliverable(state, terms, today(state, terms.settles_ms))


ACT: Final = define_act("announce_auction", AnnounceAuction, _apply, since=DEBT_DESK)
