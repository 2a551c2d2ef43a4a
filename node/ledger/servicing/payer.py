"""Paying: the whole from the paying agent at once, then to the holders, a bounded number a block.

What the agent was debited stands in a holding of its own until it is paid out, at an address that
belongs to no account, so that nobody can act for it and the supply of cash stays whole. Holders are
walked in the order of their places in the register (`positions.place_of`). Each is paid the floor
of its share; suspended participants and accounts on hold are paid like all others, because a
payment is owed to whoever was on record.

With the last payment the face goes. What is on hold is redeemed too: the hold stays, with its id,
its reason and its end, on the cash that was paid for the face. What is repaid of it before, by an
instalment or a call in part, is put on a hold of its own beside it. Interest on it is free.

Each holder that is paid is an event of its own: what an account received can be followed, proven
and indexed by events alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, TypeAlias

import msgspec

from node.codec import Record, replace
from node.hashing import Domain, tagged_hash
from node.ledger.holdings import credit, credit_each, debit, hold_repaid, redeem_whole
from node.ledger.identifiers import ADDRESS_SIZE, Address, AssetCode, Hash
from node.ledger.positions import account_at, class_at, face_at, open_marks, put_position
from node.ledger.securities import (
    HUNDRED_PERCENT_BPS,
    PAYMENTS,
    POSITIONS,
    TIES,
    WITHHOLDINGS,
    Number,
    PaymentRecord,
    PaymentStatus,
    PositionRecord,
    ServiceRecord,
    Tie,
    payment_key,
    position_key,
    principal_of,
    register_prefix,
    tie_key,
    withholding_key,
)
from node.ledger.state import LedgerState
from node.ledger.tables import ACCOUNTS, ASSETS, HOLDINGS, AssetRecord, holding_key, name_key
from node.ledger.taxpayers import active_class
from node.ledger.terms import CashTerms, ServicedTerms, is_serviced, kind_of
from node.ledger.units import Day

HOLDERS_PER_BLOCK_MAX: Final = 5_120
"""Of all securities together: a million within 200 blocks, those in which a payment begins and ends
among them. Some 4 microseconds each where a million hold one, if the block was rehearsed."""
HOLDERS_AT_FIRST_MAX: Final = 500
"""Of all payments that begin in a block: what these read nobody could foresee, so that each
costs as much as five others."""
LAST_WORTH: Final = 6
"""Holders' worth: with the last payment a position, where it is filed and a holding go too, which
lie all over the tree."""
HOLD_WORTH: Final = 8
"""Holders' worth of each hold under which cash is put: found, written, and told by an event."""

_PAGE_HOLDERS: Final = 64
"""Looked at in one go at first, and twice as many each time: behind the last of a register lie
those of another."""

_CASH: Final = CashTerms()

HolderCount = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]


class PaymentFunded(Record, tag=60):
    """The whole of a payment was taken from an account, and holders are paid from here on."""

    asset: AssetCode
    payment: Number
    payer: Address
    cash: AssetCode
    amount: int


class HolderPaid(Record, tag=58):
    """A holder on record was paid: interest, less what was withheld of it, and principal."""

    asset: AssetCode
    payment: Number
    holder: Address
    cash: AssetCode
    paid: int
    """Also what is under holds, because face that was under them was redeemed."""
    withheld: int
    redeemed: int
    """Face of this holder that was destroyed."""


class WithholdingCollected(Record, tag=59):
    """What was withheld from holders in this block went to whoever collects it."""

    asset: AssetCode
    payment: Number
    collector: Address
    cash: AssetCode
    amount: int


class HoldersPaid(Record, tag=65):
    """Holders were paid, those on record in the order of the register: the sum of a block."""

    asset: AssetCode
    payment: Number
    holders: HolderCount
    paid: int
    withheld: int
    redeemed: int
    """Face that was destroyed."""


class PaymentSettled(Record, tag=66):
    """Everybody on record was paid; what rounding left went to the residue account."""

    asset: AssetCode
    payment: Number
    cash: AssetCode
    residue_account: Address
    holders: HolderCount
    paid: int
    withheld: int
    residue: int


class HoldRedeemed(Record, tag=67):
    """What was on hold was redeemed, or repaid in part: this hold is on the cash now."""

    hold: Hash
    """Where face is left, another than the one on the face, with the same reason and end."""
    holder: Address
    asset: AssetCode
    cash: AssetCode
    amount: int
    """Of cash, that came under it."""


PaidEvent: TypeAlias = (
    HolderPaid | WithholdingCollected | HoldersPaid | PaymentSettled | HoldRedeemed
)


def escrow_address(asset: str) -> bytes:
    """Return where the cash of a payment stands that is being paid out. It is no account's."""
    return tagged_hash(Domain.ESCROW, asset.encode())[:ADDRESS_SIZE]


def due_of(payment: PaymentRecord) -> int:
    """Return what is due to all holders together, interest and principal."""
    return payment.interest_due + payment.principal_due


def fund(
    state: LedgerState, asset: str, terms: ServicedTerms, service: ServiceRecord, payer: bytes
) -> tuple[ServiceRecord, PaymentFunded]:
    """Take the oldest open payment from an account that may act, and begin to pay it.

    Raises:
        Reject: HOLDING_INSUFFICIENT.
    """
    number, cash = service.settled + 1, terms.plan.cash
    payment = open_payment(state, asset, number)
    amount = due_of(payment)
    if amount:
        debit(state, payer, cash, amount, _CASH)
        credit(state, escrow_address(asset), cash, amount, _CASH)
    payment = replace(payment, status=PaymentStatus.PAYING, payer=payer)
    state.put(PAYMENTS, payment_key(asset, number), payment)
    funded = PaymentFunded(asset=asset, payment=number, payer=payer, cash=cash, amount=amount)
    return replace(service, cursor=b""), funded


def open_payment(state: LedgerState, asset: str, number: int) -> PaymentRecord:
    """Return a payment whose record was taken by this ledger."""
    payment = state.get(PAYMENTS, payment_key(asset, number))
    assert payment is not None  # taking the record writes it
    return payment


def worth_of(payment: PaymentRecord) -> int:
    """Return for how many each holder of a payment counts, against the bound of a block."""
    return LAST_WORTH if payment.row.final else 1


def repays_face(payment: PaymentRecord) -> bool:
    """Return whether what holders have is looked at with a payment: some of it may be on hold."""
    return payment.row.principal_ppm > 0


def pay(
    state: LedgerState, asset: str, record: AssetRecord, service: ServiceRecord, holders_max: int
) -> tuple[ServiceRecord, tuple[PaidEvent, ...], int]:
    """Pay up to so many holders of the oldest open payment, which is funded.

    Returns:
        the service as it is then, what happened, and how much of `holders_max` it took: each
        position that was looked at one, or `LAST_WORTH`, each hold `HOLD_WORTH`.
    """
    terms = record.terms
    assert is_serviced(terms)
    assert service.cursor is not None  # it is funded
    number = service.settled + 1
    payment = open_payment(state, asset, number)
    worth, repays = worth_of(payment), repays_face(payment)
    walk = _Walk(state, asset, terms, payment, number, max(1, holders_max // worth))
    prefix = register_prefix(asset)
    start = position_key(asset, service.cursor) + b"\0" if service.cursor else prefix
    page, ended = _PAGE_HOLDERS, False
    while not ended and walk.room > 0:
        wanted = min(page, walk.room)
        entries = state.scan(POSITIONS, start, wanted)
        ended = len(entries) < wanted
        if entries and not entries[-1][0].startswith(prefix):
            ended = True
            entries = [entry for entry in entries if entry[0].startswith(prefix)]
        if repays:
            # Read at once, as their cash is; taken from there one by one.
            state.remember(POSITIONS, entries)
            accounts = [account_at(key[len(prefix) :]) for key, _ in entries]
            state.get_each(HOLDINGS, [holding_key(account, asset) for account in accounts])
            if payment.row.final:
                state.get_each(ACCOUNTS, accounts)  # positions that end are filed by their owners
        paid = walk.pay(entries)
        if paid:
            start = entries[paid - 1][0] + b"\0"  # the least key above the last one
        ended = ended and paid == len(entries)
        page *= 2
    cursor = start[len(prefix) : -1] if walk.looked_at else service.cursor
    payment = walk.close(payment)
    events = walk.events
    if walk.holders:
        events.append(
            HoldersPaid(
                asset=asset,
                payment=number,
                holders=walk.holders,
                paid=walk.paid,
                withheld=sum(walk.withheld.values()),
                redeemed=walk.redeemed,
            )
        )
    if walk.redeemed:
        state.put(ASSETS, name_key(asset), replace(record, supply=record.supply - walk.redeemed))
    work = worth * walk.looked_at + HOLD_WORTH * walk.holds_redeemed
    if not ended:
        state.put(PAYMENTS, payment_key(asset, number), payment)
        return replace(service, cursor=cursor), tuple(events), work
    payment = _settle(state, asset, terms, payment)
    state.put(PAYMENTS, payment_key(asset, number), payment)
    events.append(
        PaymentSettled(
            asset=asset,
            payment=number,
            cash=terms.plan.cash,
            residue_account=terms.plan.residue_account,
            holders=payment.holders,
            paid=payment.paid,
            withheld=payment.withheld,
            residue=payment.residue,
        )
    )
    service = replace(service, cursor=None, settled=number)
    return service, tuple(events), work


class _Walk:
    """Some holders of one payment: what they are paid, summed up."""

    def __init__(
        self,
        state: LedgerState,
        asset: str,
        terms: ServicedTerms,
        payment: PaymentRecord,
        number: int,
        holders_max: int,
    ) -> None:
        self._state = state
        self._asset = asset
        self._cash = terms.plan.cash
        self._kind = kind_of(terms).value
        self._row = payment.row
        self._number = number
        self._holders_max = holders_max
        self._hold_worth = -(-HOLD_WORTH // worth_of(payment))  # up
        self._rates = {each.taxpayer: each.rate_bps for each in payment.withholding}
        self.looked_at = self.holders = self.paid = self.redeemed = 0
        self.withheld: defaultdict[str, int] = defaultdict(int)
        self._credits: dict[bytes, int] = {}
        self.events: list[PaidEvent] = []
        self.holds_redeemed = 0

    @property
    def room(self) -> int:
        """How many positions may still be looked at."""
        return self._holders_max - self.looked_at - self._hold_worth * self.holds_redeemed

    def pay(self, entries: Sequence[tuple[bytes, PositionRecord]]) -> int:
        """Pay these holders what they had on record, and redeem what they have if this is the last.

        The hot path of a block that pays: nothing is called that need not be.

        Args:
            entries: of the register, with their keys; no more than there is room for.

        Returns:
            how many of them there was room for, with the holds that were redeemed.
        """
        row, number, asset, cash = self._row, self._number, self._asset, self._cash
        numerator, denominator = row.interest_numerator, row.interest_denominator
        final, repays = row.final, row.principal_ppm > 0
        rate_of, credits, happened = self._rates.get, self._credits, self.events.append
        place_start = len(register_prefix(asset))
        looked_at = holders = paid = 0
        for key, position in entries:
            if repays and looked_at >= self.room:
                break
            looked_at += 1
            marks, account = position.marks, account_at(key[place_start:])
            face, taxpayer = position.face, position.taxpayer
            if marks:
                face, taxpayer = face_at(position, number), class_at(position, number)
            if face:
                interest = face * numerator // denominator  # floor
                rate = rate_of(taxpayer)
                tax = 0 if rate is None else interest * rate // HUNDRED_PERCENT_BPS  # floor
                amount = interest - tax
                held = 0
                if repays:
                    amount += principal_of(row, face)
                    held = self._redeem(account, face) if final else self._repay(account, face)
                if amount > held:
                    credits[account] = amount - held
                holders += 1
                paid += amount
                if tax:
                    self.withheld[taxpayer] += tax
                happened(
                    HolderPaid(
                        asset=asset,
                        payment=number,
                        holder=account,
                        cash=cash,
                        paid=amount,
                        withheld=tax,
                        redeemed=face if final else 0,
                    )
                )
            if final or marks:
                after = PositionRecord(
                    face=0 if final else position.face,
                    taxpayer=position.taxpayer,
                    filed_day=position.filed_day,
                    marks=open_marks(marks, number + 1),
                )
                put_position(self._state, key[place_start:], asset, position, after)
        self.looked_at += looked_at
        self.holders += holders
        self.paid += paid
        return looked_at

    def _redeem(self, account: bytes, face: int) -> int:
        """Destroy what a holder has; return how much cash was put under its holds."""
        self.redeemed += face
        paid_for = partial(principal_of, self._row)
        return self._note_held(
            account, redeem_whole(self._state, account, self._asset, self._cash, paid_for)
        )

    def _repay(self, account: bytes, face: int) -> int:
        """Return how much of what is repaid of a holder's face was put under holds."""
        paid_for = partial(principal_of, self._row)
        return self._note_held(
            account, hold_repaid(self._state, account, self._asset, self._cash, face, paid_for)
        )

    def _note_held(self, account: bytes, holds: list[tuple[bytes, int]]) -> int:
        held = 0
        for hold_id, amount in holds:
            held += amount
            self.holds_redeemed += 1
            self.events.append(
                HoldRedeemed(
                    hold=hold_id,
                    holder=account,
                    asset=self._asset,
                    cash=self._cash,
                    amount=amount,
                )
            )
        return held

    def close(self, payment: PaymentRecord) -> PaymentRecord:
        """Take from escrow what was paid, give the collectors what was withheld."""
        state, cash = self._state, self._cash
        credit_each(state, cash, self._credits)
        withheld = sum(self.withheld.values())
        if self.paid + withheld:
            debit(state, escrow_address(self._asset), cash, self.paid + withheld, _CASH)
        for taxpayer in sorted(self.withheld):
            collector = self._collector_of(taxpayer, payment.payment_day)
            amount = self.withheld[taxpayer]
            credit(state, collector, cash, amount, _CASH)
            self.events.append(
                WithholdingCollected(
                    asset=self._asset,
                    payment=self._number,
                    collector=collector,
                    cash=cash,
                    amount=amount,
                )
            )
        return replace(
            payment,
            holders=payment.holders + self.holders,
            paid=payment.paid + self.paid,
            withheld=payment.withheld + withheld,
        )

    def _collector_of(self, taxpayer: str, day: Day) -> bytes:
        """Return who receives what is withheld from a class: who goes with the rate of this day.

        That is the other class of the kind, as long as no rate of its own rules.
        """
        classes = (taxpayer, active_class(taxpayer))
        keys = [withholding_key(each, self._kind) for each in classes]
        known = [each for key in keys if (each := self._state.get(WITHHOLDINGS, key)) is not None]
        ruling = [each for each in known if each.rows[0].from_day <= day]
        # Where neither rules any more, the rates were replaced since the record was taken.
        return (ruling or known)[0].collector


def _settle(
    state: LedgerState, asset: str, terms: ServicedTerms, payment: PaymentRecord
) -> PaymentRecord:
    """Give what rounding left to the residue account; after the last payment, let it go."""
    plan = terms.plan
    residue = due_of(payment) - payment.paid - payment.withheld
    if residue:
        debit(state, escrow_address(asset), plan.cash, residue, _CASH)
        credit(state, plan.residue_account, plan.cash, residue, _CASH)
    if payment.row.final:
        state.delete(TIES, tie_key(plan.residue_account, Tie.RESIDUE, asset.encode()))
    return replace(payment, status=PaymentStatus.SETTLED, residue=residue)
