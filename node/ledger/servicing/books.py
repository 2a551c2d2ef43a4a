"""What must hold of all serviced securities together: the books of their registers and payments.

1. Each position has the face that its account holds, in whole units, and each holding of a serviced
   security has a position: what was issued and not redeemed is held by somebody.
2. What was due was paid, withheld or is residue where the payment is settled; where it is not, what
   everybody had on record is still known, and adds up to the face on record: it is owed by name.
   While holders are paid, so is what is left. Residue is never more than rounding leaves: whoever
   was passed over is missing.
3. What is being paid out stands in escrow, and nothing else does.
4. Whoever is owed something and holds nothing, receives residues or collects what is withheld is
   tied, and nobody else.
5. A service counts as many records as there are payments, and pays the oldest that is open.
6. What floats is fixed once, by an auction or a source, within floor and cap; nothing is on record
   at a rate that is not fixed.
7. What is called of a security is called by its terms, a payment once; parts leave something, and
   nothing follows on the whole.
8. Each position is of the class of its owner: that of the latest change, if that has begun and come
   to it, else the one before. It is filed once, under its owner and its day. What comes is another
   standing, and stands in the queue of its day; no record was taken on a day that has not begun.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.instruments import floating_rate
from node.ledger.positions import account_at, face_at, first_open
from node.ledger.securities import (
    CALLS,
    FIXINGS,
    OPEN_PAYMENTS_MAX,
    PAYMENTS,
    POSITIONS,
    SERVICES,
    TAX_CHANGES,
    TAX_DAY_KEY,
    TAX_DAYS,
    TAXED_POSITIONS,
    TAXPAYERS,
    TIES,
    WITHHOLDINGS,
    PaymentRecord,
    PaymentStatus,
    ServiceRecord,
    TaxDayRecord,
    TaxStanding,
    Tie,
    filed_name,
    payment_key,
    principal_of,
    residue_at_most,
    split_filed_name,
    split_payment_key,
    tax_change_key,
    taxed_prefix,
    tie_key,
)
from node.ledger.servicing.payer import due_of, escrow_address
from node.ledger.state import StateRows
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    HOLDINGS,
    PARTICIPANTS,
    holding_key,
    name_key,
)
from node.ledger.taxpayers import class_named, is_marked, status_in, status_of
from node.ledger.terms import PPM, is_serviced


def contradictions_of_securities(rows: StateRows) -> Iterator[str]:
    """Yield what is wrong, one sentence each. Holds in memory what grows with the assets alone."""
    services = {key.decode(): service for key, service in rows.items(SERVICES)}
    for key, asset in rows.items(ASSETS):
        if is_serviced(asset.terms) is not (key.decode() in services):
            yield f"{key.decode()} and its service do not agree"
    yield from _positions(rows, services)
    yield from _payments(rows, services)
    yield from _ties(rows, services)
    yield from _fixings(rows)
    yield from _calls(rows)
    yield from _taxpayers(rows)


def _positions(rows: StateRows, services: dict[str, ServiceRecord]) -> Iterator[str]:
    """Check rule 1, and rule 2 for what is not settled."""
    claims = _claims(rows, services)
    holders: Counter[str] = Counter()
    for key, _ in rows.items(HOLDINGS):
        asset = key[ADDRESS_SIZE:].decode()
        if asset in services:
            holders[asset] += 1
    on_record: defaultdict[tuple[str, int], int] = defaultdict(int)
    units = {
        key.decode(): asset.terms.plan.face_unit
        for key, asset in rows.items(ASSETS)
        if is_serviced(asset.terms)
    }
    for key, position in rows.items(POSITIONS):
        code, _, place = key.partition(b"/")
        asset, address = code.decode(), account_at(place)
        service = services.get(asset)
        if service is None:
            yield f"there is a position in {asset}, which is not serviced"
            continue
        holding = rows.get(HOLDINGS, holding_key(address, asset))
        held = 0 if holding is None else holding.available + holding.held
        if position.face != held:
            yield f"position {key.hex()} has a face of {position.face}, its holding is {held}"
        if position.face % units[asset]:
            yield (
                f"position {key.hex()} has a face of {position.face}, not in units of"
                f" {units[asset]}"
            )
        holders[asset] -= position.face > 0
        numbers = [mark.number for mark in position.marks]
        first = first_open(service, place)
        if numbers != sorted(set(numbers)) or not all(
            first <= number <= service.recorded for number in numbers
        ):
            yield f"position {key.hex()} has marks {numbers}"
        if not position.face and not any(mark.face for mark in position.marks):
            yield f"position {key.hex()} says nothing"
        for number in range(first, service.recorded + 1):
            face = face_at(position, number)
            on_record[asset, number] += face
            if face and number == service.settled + 1 and asset in claims:
                claims[asset].add(face)
    for asset, count in sorted(holders.items()):
        if count:
            yield f"{asset} has {count} holders without a position"
    for asset, service in services.items():
        for number in range(service.settled + 1, service.recorded + 1):
            payment = rows.get(PAYMENTS, payment_key(asset, number))
            if payment is None or payment.status is PaymentStatus.PAYING:
                continue
            if on_record[asset, number] != payment.face:
                yield (
                    f"payment {number} of {asset} is for a face of {payment.face}, those on record"
                    f" had {on_record[asset, number]}"
                )
    for asset, claim in claims.items():
        yield from claim.contradictions(asset)


class _Claims:
    """What those are owed together whom a payment that is being made has not reached."""

    def __init__(self, payment: PaymentRecord) -> None:
        self._payment = payment
        self._holders = payment.holders
        self._owed = 0

    def add(self, face: int) -> None:
        """Count somebody who had this face on record."""
        row = self._payment.row
        self._holders += 1
        self._owed += face * row.interest_numerator // row.interest_denominator  # floor
        self._owed += principal_of(row, face)

    def contradictions(self, asset: str) -> Iterator[str]:
        """Yield that what is left is not what they are owed, but for what rounding leaves."""
        left = due_of(self._payment) - self._payment.paid - self._payment.withheld
        most = residue_at_most(self._payment.row, self._holders)
        if not self._owed <= left <= self._owed + most:
            yield (
                f"of a payment of {asset} {left} is left, and those whom it has not reached"
                f" are still owed {self._owed}"
            )


def _claims(rows: StateRows, services: dict[str, ServiceRecord]) -> dict[str, _Claims]:
    """Return a count for each security whose holders are being paid."""
    found = {}
    for asset, service in services.items():
        payment = None
        if service.cursor is not None:
            payment = rows.get(PAYMENTS, payment_key(asset, service.settled + 1))
        if payment is not None:
            found[asset] = _Claims(payment)
    return found


def _payments(rows: StateRows, services: dict[str, ServiceRecord]) -> Iterator[str]:
    """Check the rest of rule 2, and rules 3 and 5."""
    noted: Counter[str] = Counter()
    paying: dict[str, PaymentRecord] = {}
    for key, payment in rows.items(PAYMENTS):
        code, _, number = key.partition(b"/")
        asset = code.decode()
        noted[asset] += 1
        settled = payment.paid + payment.withheld + payment.residue
        if payment.status is PaymentStatus.SETTLED and settled != due_of(payment):
            yield f"payment {key.hex()} was of {due_of(payment)}, and {settled} is accounted for"
        if payment.residue > residue_at_most(payment.row, payment.holders):
            yield (
                f"payment {key.hex()} has a residue of {payment.residue}, more than rounding leaves"
                f" of {payment.holders} holders"
            )
        if payment.status is PaymentStatus.PAYING:
            paying[asset] = payment
        service = services.get(asset)
        is_settled = payment.status is PaymentStatus.SETTLED
        if service is None or is_settled is not (int.from_bytes(number, "big") <= service.settled):
            yield f"payment {key.hex()} and the service of {asset} do not agree"
    for asset, service in services.items():
        in_escrow = _in_escrow(rows, asset)
        if asset in paying:
            payment = paying[asset]
            in_escrow -= due_of(payment) - payment.paid - payment.withheld
        if in_escrow:
            yield f"the escrow of {asset} has {in_escrow} too much"
        is_open = service.recorded - service.settled
        if not 0 <= is_open <= min(OPEN_PAYMENTS_MAX, noted[asset]) or (
            (service.cursor is not None) is not (asset in paying)
        ):
            yield f"the service of {asset} counts {service.settled} of {service.recorded} settled"


def _in_escrow(rows: StateRows, asset: str) -> int:
    record = rows.get(ASSETS, name_key(asset))
    if record is None or not is_serviced(record.terms):
        return 0
    holding = rows.get(HOLDINGS, holding_key(escrow_address(asset), record.terms.plan.cash))
    return 0 if holding is None else holding.available + holding.held


def _ties(rows: StateRows, services: dict[str, ServiceRecord]) -> Iterator[str]:
    """Check rule 4: what is expected is there, and as many as are there."""
    expected = 0
    for key, position in rows.items(POSITIONS):
        code, _, place = key.partition(b"/")
        address = account_at(place)
        if not position.face:
            expected += 1
            if rows.get(TIES, tie_key(address, Tie.OWED, code)) is None:
                yield f"account {address.hex()} is owed by {code.decode()} and not tied"
    for asset, service in services.items():
        record = rows.get(ASSETS, name_key(asset))
        if record is None or not is_serviced(record.terms):
            continue
        if not service.closed or service.settled < service.recorded:
            expected += 1
            account = record.terms.plan.residue_account
            if rows.get(TIES, tie_key(account, Tie.RESIDUE, name_key(asset))) is None:
                yield f"account {account.hex()} receives the residues of {asset} and is not tied"
    for key, withholding in rows.items(WITHHOLDINGS):
        expected += 1
        if rows.get(TIES, tie_key(withholding.collector, Tie.COLLECTOR, key)) is None:
            yield f"account {withholding.collector.hex()} collects {key.decode()} and is not tied"
    if expected != sum(1 for _ in rows.items(TIES)):
        yield "the ties of accounts and what is still to come to them do not agree"


def _fixings(rows: StateRows) -> Iterator[str]:
    """Check rule 6."""
    for key, fixing in rows.items(FIXINGS):
        record = rows.get(ASSETS, name_key(split_payment_key(key)[0]))
        terms = None if record is None else record.terms
        if terms is None or not is_serviced(terms) or terms.plan.floating is None:
            yield f"fixing {key.hex()} is of what does not float"
        elif fixing.reference_ppm is None or fixing.rate_ppm is None:
            known = (fixing.reference_ppm, fixing.rate_ppm, fixing.auction, fixing.source)
            if any(each is not None for each in known):
                yield f"fixing {key.hex()} is neither awaited nor fixed"
            if rows.get(PAYMENTS, key) is not None:
                yield f"payment {key.hex()} is on record, and its rate is awaited"
        else:
            if fixing.rate_ppm != floating_rate(terms.plan.floating, fixing.reference_ppm):
                yield f"fixing {key.hex()} is not what follows from its reference"
            if (fixing.auction is None) is (fixing.source is None):
                yield f"fixing {key.hex()} is not of one auction or source"
    for key, _ in rows.items(PAYMENTS):
        record = rows.get(ASSETS, name_key(split_payment_key(key)[0]))
        terms = None if record is None else record.terms
        floats = terms is not None and is_serviced(terms) and terms.plan.floating is not None
        if floats and rows.get(FIXINGS, key) is None:
            yield f"payment {key.hex()} is on record, and its rate was never fixed"


def _calls(rows: StateRows) -> Iterator[str]:
    """Check rule 7."""
    for key, record in rows.items(CALLS):
        code, asset = key.decode(), rows.get(ASSETS, key)
        if asset is None or not is_serviced(asset.terms) or asset.terms.plan.call is None:
            yield f"{code} was called, and its terms know no call"
            continue
        numbers = [each.payment for each in record.calls]
        if numbers != sorted(set(numbers)):
            yield f"{code} has calls of payments {numbers}"
        if any(each.share_ppm is None for each in record.calls[:-1]):
            yield f"{code} has calls after the last payment"
        if sum(each.share_ppm or 0 for each in record.calls) >= PPM:
            yield f"the calls of {code} leave nothing to repay"
        windows = asset.terms.plan.call.windows
        for each in record.calls:
            if not any(window.from_day <= each.day <= window.to_day for window in windows):
                yield f"{code} was called on day {each.day}, which lies in no window"


def _taxpayers(rows: StateRows) -> Iterator[str]:
    """Check rule 8."""
    progress = rows.get(TAX_DAYS, TAX_DAY_KEY)
    begun, filed = 0 if progress is None else progress.day, 0
    for key, position in rows.items(POSITIONS):
        address = account_at(key.partition(b"/")[2])
        account = rows.get(ACCOUNTS, address)
        owner = None if account is None else rows.get(PARTICIPANTS, name_key(account.owner))
        if account is None or owner is None:
            yield f"position {key.hex()} belongs to nobody"
            continue
        name = filed_name(key, position.filed_day)
        standing = _standing_at(rows, progress, account.owner, name)
        taxpayer = class_named(owner.kind, status_of(standing))
        if position.taxpayer != taxpayer:
            yield f"position {key.hex()} is of a {position.taxpayer}, its owner of a {taxpayer}"
        if position.filed_day > begun:
            yield f"position {key.hex()} is filed under a day that has not begun"
        if rows.get(TAXED_POSITIONS, taxed_prefix(account.owner) + name) is None:
            yield f"position {key.hex()} is not found by its owner and its day"
        filed += 1
    if filed != sum(1 for _ in rows.items(TAXED_POSITIONS)):
        yield "the positions of taxpayers and the registers do not agree"
    for key, payment in rows.items(PAYMENTS):
        if payment.taken_day > begun:
            yield f"the record of payment {key.hex()} was taken on a day that has not begun"
    yield from _changes(rows)


def _standing_at(
    rows: StateRows, progress: TaxDayRecord | None, participant: str, filed: bytes
) -> TaxStanding | None:
    """Return the standing that a position of a participant, filed by this name, is marked with."""
    taxpayer = rows.get(TAXPAYERS, name_key(participant))
    if taxpayer is None:
        return None
    change = taxpayer.change
    if change is None or progress is None or change.from_day > progress.day:
        return taxpayer.ruling
    from_the_start = split_filed_name(filed)[1] >= change.from_day
    has_come = from_the_start or is_marked(progress, change, participant, filed)
    return change if has_come else taxpayer.ruling


def _changes(rows: StateRows) -> Iterator[str]:
    """Check what rule 8 says of the queue."""
    waiting = 0
    for key, taxpayer in rows.items(TAXPAYERS):
        if taxpayer.change is None:
            continue
        waiting += 1
        if taxpayer.change.status is status_of(taxpayer.ruling):
            yield f"the standing of {key.decode()} changes to what it is"
        queued = rows.get(TAX_CHANGES, tax_change_key(taxpayer.change.from_day, key.decode()))
        if queued is None or status_in(queued.taxpayer) is not taxpayer.change.status:
            yield f"the standing of {key.decode()} changes, and is not in the queue"
    if waiting != sum(1 for _ in rows.items(TAX_CHANGES)):
        yield "the changes of taxpayers and their queue do not agree"
