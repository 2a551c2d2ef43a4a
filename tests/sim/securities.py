"""What clients want of bonds and sukuk: securities, funding, withholding, and a midnight.

Days do not pass in a run, but where midnight is the offices decide: one of these orders sets the
ledger's distance from UTC so that a day ends within the minute, and records are taken.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from node.codec import Record, replace
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.acts.assets.transfer import Transfer
from node.ledger.acts.governance.set_parameter import SetParameter
from node.ledger.acts.lifecycle.call_security import CallSecurity
from node.ledger.acts.lifecycle.fix_rate import FixRate
from node.ledger.acts.lifecycle.fund_payment import FundPayment
from node.ledger.acts.lifecycle.set_tax_status import SetTaxStatus
from node.ledger.acts.lifecycle.set_withholding import SetWithholding
from node.ledger.dates import Order, Roll, Stub, add_months
from node.ledger.identifiers import ADDRESS_SIZE
from node.ledger.powers import ANY, FINANCE_MINISTRY
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import (
    FIXINGS,
    PAYMENTS,
    SERVICES,
    PaymentStatus,
    TaxStatus,
    WithholdingRow,
    split_payment_key,
)
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    CALENDARS,
    PARAMETERS,
    AssetIdentifiers,
    name_key,
)
from node.ledger.taxpayers import CLASSES
from node.ledger.terms import (
    PAR_E4,
    PPM,
    BondTerms,
    CallRight,
    CallWindow,
    FloatingRate,
    Instalment,
    PaymentPlan,
    PoolAsset,
    RateStep,
    ServicedBillTerms,
    ServicedTerms,
    SukukTerms,
    is_serviced,
    kind_of,
)
from node.ledger.units import MS_PER_MINUTE, local_day
from tests.chain.town import CASH
from tests.sim.model import split_key
from tests.sim.standing import Impossible, Maker, Standing

REFERENCES: Final = ("mtb-3m", "mtb-none")
"""One that the auctions of the load may keep, and one that none does."""
BAD: Final = 1 / 12
"""Of what is defined where days pass."""
FACE_UNIT: Final = 10
"""Minor units that are the least face, of some securities where days pass."""
_FIRST_PERIOD_OVER_DAYS: Final = 25
"""Of a plan with two payments to come: a month is over within the week."""
_TWO_PAYMENTS_DAYS: Final = 42
_MINUTES_OF_DAY: Final = 1_440
_OFFSETS: Final = range(-720, 841)


def _floating(chance: random.Random) -> FloatingRate:
    return FloatingRate(
        reference=chance.choice(REFERENCES),
        margin_ppm=chance.choice((-200_000, 0, 15_000)),
        floor_ppm=chance.choice((0, 50_000)),
        cap_ppm=chance.choice((50_000, PPM)),
        fixing_days=chance.choice((0, 1, 5)),
        stale_days=chance.choice((1, 30)),
    )


def _contradictions(plan: PaymentPlan) -> Sequence[Mapping[str, object]]:
    """Return changes by which a plan contradicts itself."""
    return (
        {"maturity_day": plan.issue_day},
        {"months": 5},
        {"instalments": (Instalment(payment=1, share_ppm=PPM),)},
        {"rates": (RateStep(from_day=plan.issue_day + 1, rate_ppm=1),), "floating": None},
    )


def _varied(plan: PaymentPlan, number: int, today: int) -> PaymentPlan:
    """Let a plan repay in instalments, step up or be callable in part, with two payments to come.

    The first of them comes within days. Day counts take turns, and months may keep their ends.
    """
    counts, start = tuple(DayCount), today - _FIRST_PERIOD_OVER_DAYS
    rate_ppm = plan.rates[0].rate_ppm if plan.rates else 0
    plan = replace(
        plan,
        issue_day=start,
        maturity_day=start + _TWO_PAYMENTS_DAYS,
        months=1,
        rates=() if plan.floating else (RateStep(from_day=start, rate_ppm=rate_ppm),),
        stub=Stub.SHORT_BACK,
        day_count=counts[number % len(counts)],
        end_of_month=bool(number % 2),
    )
    window = CallWindow(from_day=start + 1, to_day=plan.maturity_day - 1, price_e4=1_010_000)
    in_part = CallRight(windows=(window,), notice_days=1, in_part=True)
    if number % 4 == 0:
        return replace(plan, call=in_part)
    if number % 2 and plan.rates:
        later = RateStep(from_day=start + 20, rate_ppm=240_000)
        plan = replace(plan, rates=(*plan.rates, later))
    if number % 4 == 1:
        return replace(plan, call=None)
    return replace(plan, call=None, instalments=(Instalment(payment=1, share_ppm=400_000),))


def _call(chance: random.Random, issue_day: int, maturity_day: int) -> CallRight:
    window = CallWindow(
        from_day=issue_day + 1, to_day=maturity_day - 1, price_e4=chance.choice((PAR_E4, 1_010_000))
    )
    return CallRight(windows=(window,), notice_days=chance.choice((1, 5)), in_part=False)


class SecurityLoad:
    """Draws what the debt desk's securities are about, beside the other makers of a load."""

    def __init__(self, standing: Standing, *, bad: bool = False) -> None:
        """Take the ledger whose offices and accounts it is about.

        Args:
            bad: days pass, and much goes wrong: securities live so long that it can.
        """
        self._standing = standing
        self._bad = bad
        self._lives = (2, 3, 5, 8, 20) if bad else (2, 2, 40)
        # Money is little here: of less interest than that, nothing would ever be withheld.
        self._rates = (0, 120_000, 900_000) if bad else (0, 120_000)

    def makers(self) -> Mapping[str, Maker]:
        """Return one maker an operation."""
        return {
            "define_security": self._define_security,
            "fund_payment": self._fund_payment,
            "set_withholding": self._set_withholding,
            "fix_rate": self._fix_rate,
            "call_security": self._call_security,
            "bring_midnight": self._bring_midnight,
            "set_tax_status": self._set_tax_status,
        }

    def _today(self) -> int:
        record = self._standing.model.rows(PARAMETERS).get(name_key("utc-offset-minutes"))
        return local_day(self._standing.now_ms(), 300 if record is None else record.value)

    def _define_security(self, chance: random.Random) -> Sequence[Record]:
        ministry = self._standing.office(FINANCE_MINISTRY)
        calendars = sorted(self._standing.model.rows(CALENDARS))
        if ministry is None or not calendars:
            raise Impossible
        today = self._today()
        paid = chance.random() < 0.7
        floats = paid and chance.random() < 0.4
        start = today - chance.choice((1, 40))
        maturity_day = today + chance.choice(self._lives)
        rate = RateStep(from_day=start, rate_ppm=chance.choice(self._rates))
        plan = PaymentPlan(
            issue_day=start,
            maturity_day=maturity_day,
            months=1 if paid else 0,
            rates=(rate,) if paid and not floats else (),
            floating=_floating(chance) if floats else None,
            call=_call(chance, start, maturity_day) if chance.random() < 0.7 else None,
            instalments=(),
            day_count=chance.choice((DayCount.ACT_365F, DayCount.ACT_ACT_ICMA)),
            pricing_day_count=DayCount.ACT_ACT_ICMA,
            calendar=chance.choice(calendars).decode(),
            roll=chance.choice(tuple(Roll)) if self._bad else Roll.FOLLOWING,
            order=chance.choice(tuple(Order)),
            end_of_month=False,
            stub=chance.choice((Stub.SHORT_FRONT, Stub.LONG_BACK)),
            record_days=2,
            grace_days=1,
            cash=CASH,
            face_unit=1,
            paying_agent=ministry,
            residue_account=self._standing.any_account(chance),
        )
        if self._bad and chance.random() < BAD:
            plan = replace(plan, **chance.choice(_contradictions(plan)))
        code = self._standing.fresh("SEC-")
        # Of one in three: by its number, so that no other seed draws something else for it.
        number = int(code.removeprefix("SEC-"))
        unit = FACE_UNIT if self._bad and number % 3 == 0 else 1
        plan = replace(plan, face_unit=unit)
        if self._bad and paid and number % 3 == 1:
            plan = _varied(plan, number // 3, today)
        pool = (PoolAsset(name="A motorway", document_hash=bytes(32)),)
        terms: ServicedTerms = BondTerms(face_currency="PKR", plan=plan)
        if chance.random() < 0.3:
            terms = SukukTerms(face_currency="PKR", plan=plan, pool=pool)
        elif not paid and chance.random() < 0.7:
            bill = replace(plan, call=None, pricing_day_count=DayCount.ACT_365F)
            terms = ServicedBillTerms(face_currency="PKR", plan=bill)
        return [
            self._standing.governed(
                DefineAsset,
                "define_asset",
                kind_of(terms).value,
                asset=code,
                name="A security",
                issuer=FINANCE_MINISTRY,
                identifiers=AssetIdentifiers(
                    isin=self._standing.fresh_isin(), currency="PKR", dti=None
                ),
                terms=terms,
                term_sheet_hash=bytes(32),
                decimals=2,
                multiple=unit,
                ceiling=10_000,
                forced_transfer_allowed=chance.random() < 0.7,
            )
        ]

    def define_line(self, chance: random.Random) -> Sequence[Record]:
        """Define a fresh line whose rate or margin an auction can decide, or any security."""
        [definition] = self._define_security(chance)
        assert isinstance(definition, DefineAsset)
        assert is_serviced(definition.terms)
        if chance.random() < 0.2:
            return [definition]
        today = self._today()
        plan = replace(
            definition.terms.plan,
            issue_day=today,
            maturity_day=today + 100,
            months=1,
            rates=(RateStep(from_day=today, rate_ppm=0),),
            floating=None,
            call=None,
            stub=Stub.SHORT_FRONT,
        )
        if chance.random() < 0.5:
            margin = replace(_floating(chance), margin_ppm=0, floor_ppm=0, cap_ppm=PPM)
            plan = replace(plan, rates=(), floating=margin)
        terms = BondTerms(face_currency="PKR", plan=plan)
        return [replace(definition, terms=terms)]

    def going_on(self) -> Sequence[Maker]:
        """Return what happens to securities that live: a cure, cash for the agent, a hold, a tax,
        less of a face than there is, a call in part, another standing."""
        return (
            self._cure,
            self._fill_agent,
            self._hold_face,
            self._withhold,
            self._move_a_crumb,
            self._call_in_part,
            self._set_tax_status,
        )

    def issue_widely(self, chance: random.Random) -> Sequence[Record]:
        """Issue a security whose register is open to several accounts, or define one."""
        services = self._standing.model.rows(SERVICES)
        found = [
            (key.decode(), record)
            for key, record in self._standing.model.rows(ASSETS).items()
            if is_serviced(record.terms) and not services[key].closed
        ]
        if len(found) < 2:
            return self._define_security(chance)
        asset, record = chance.choice(found)
        return [
            self._standing.governed(
                Issue,
                "issue",
                kind_of(record.terms).value,
                asset=asset,
                amount=chance.choice((1, 7, 100, 900) if self._bad else (1, 7, 100)),
                to=self._standing.any_account(chance),
            )
            for _ in range(chance.choice((2, 6, 12)))
        ]

    def fix_awaited(self, chance: random.Random) -> Sequence[Record]:
        """Fix a rate that is awaited, if there is one."""
        if not any(each.rate_ppm is None for each in self._standing.model.rows(FIXINGS).values()):
            raise Impossible
        return self._fix_rate(chance)

    def _cure(self, chance: random.Random) -> Sequence[Record]:
        """Pay what the agent has not paid, from any account."""
        unpaid = sorted(
            {
                split_payment_key(key)[0]
                for key, payment in self._standing.model.rows(PAYMENTS).items()
                if PaymentStatus.LATE <= payment.status < PaymentStatus.PAYING
            }
        )
        if not unpaid:
            return self._fund_payment(chance)
        return [
            FundPayment(account=self._standing.any_account(chance), asset=chance.choice(unpaid))
        ]

    def _hold_face(self, chance: random.Random) -> Sequence[Record]:
        """Put some of what pays on hold, for good: it is redeemed into cash on hold."""
        assets = self._standing.model.rows(ASSETS)
        found = [
            (*split_key(key), held.available)
            for key, held in self._standing.holdings().items()
            if held.available and is_serviced(assets[key[ADDRESS_SIZE:]].terms)
        ]
        if not found:
            raise Impossible
        holder, asset, available = chance.choice(found)
        return [
            self._standing.governed(
                PlaceHold,
                "place_hold",
                self._standing.subject(holder),
                holder=holder,
                asset=asset,
                amount=chance.choice((1, available)),
                expires_ms=None,
                reason="an order",
                legal_reference="simulation 2",
            )
        ]

    def _withhold(self, chance: random.Random) -> Sequence[Record]:
        """Withhold so much that something is collected of the little that is paid here."""
        rates = WithholdingRow(from_day=0, rate_bps=chance.choice((3_000, 9_000)), source="a law")
        return [
            self._standing.governed(
                SetWithholding,
                "set_withholding",
                ANY,
                taxpayer=taxpayer,
                kind=chance.choice(("bond", "bond", "sukuk")),
                collector=self._standing.any_account(chance),
                rows=(rates,),
            )
            for taxpayer in CLASSES
        ]

    def _move_a_crumb(self, chance: random.Random) -> Sequence[Record]:
        """Transfer less than a unit of face, of what is in units."""
        assets = self._standing.model.rows(ASSETS)
        found = [
            split_key(key)
            for key, held in self._standing.holdings().items()
            if held.available
            and is_serviced(terms := assets[key[ADDRESS_SIZE:]].terms)
            and terms.plan.face_unit > 1
        ]
        if not found:
            return self._define_security(chance)
        holder, asset = chance.choice(found)
        return [
            Transfer(
                account=holder,
                to=self._standing.any_account(chance),
                asset=asset,
                amount=chance.randrange(1, FACE_UNIT),
            )
        ]

    def _fill_agent(self, chance: random.Random) -> Sequence[Record]:
        """Give the ministry cash, of which its payments take more than it has now and then."""
        ministry = self._standing.office(FINANCE_MINISTRY)
        if ministry is None:
            raise Impossible
        amount = chance.choice((10, 500, 5_000))
        return [
            self._standing.governed(Issue, "issue", "cash", asset=CASH, amount=amount, to=ministry)
        ]

    def _fund_payment(self, chance: random.Random) -> Sequence[Record]:
        assets = [
            key.decode()
            for key, asset in self._standing.model.rows(ASSETS).items()
            if is_serviced(asset.terms) or chance.random() < 0.1
        ]
        if not assets:
            raise Impossible
        return [
            FundPayment(account=self._standing.any_account(chance), asset=chance.choice(assets))
        ]

    def _set_withholding(self, chance: random.Random) -> Sequence[Record]:
        return [
            self._standing.governed(
                SetWithholding,
                "set_withholding",
                ANY,
                taxpayer=chance.choice(CLASSES),
                kind=chance.choice(("bond", "sukuk", "cash")),
                collector=self._standing.any_account(chance),
                rows=(
                    WithholdingRow(
                        from_day=0, rate_bps=chance.choice((0, 1_500)), source="simulation"
                    ),
                ),
            )
        ]

    def _set_tax_status(self, chance: random.Random) -> Sequence[Record]:
        """Tell of those who own accounts that they have filed their returns, or not."""
        accounts = self._standing.model.rows(ACCOUNTS)
        owners = sorted({account.owner for account in accounts.values()})
        return [
            self._standing.governed(
                SetTaxStatus,
                "set_tax_status",
                ANY,
                participant=owner,
                status=chance.choice(tuple(TaxStatus)),
                from_day=self._today() + chance.choice((0, 1, 1, 1, 2)),
                source="simulation",
            )
            for owner in chance.sample(owners, min(len(owners), 3))
        ]

    def _fix_rate(self, chance: random.Random) -> Sequence[Record]:
        awaited = [
            split_payment_key(key)
            for key, fixing in self._standing.model.rows(FIXINGS).items()
            if fixing.rate_ppm is None or chance.random() < 0.1
        ]
        if not awaited:
            return self._define_security(chance)
        asset, payment = chance.choice(awaited)
        record = self._standing.model.rows(ASSETS)[name_key(asset)]
        return [
            self._standing.governed(
                FixRate,
                "fix_rate",
                kind_of(record.terms).value,
                asset=asset,
                payment=payment,
                reference_ppm=chance.choice((-10_000, 105_000, 1_000_000)),
                source="simulation" if chance.random() < (0.6 if self._bad else 0.9) else "",
            )
        ]

    def _call_security(self, chance: random.Random) -> Sequence[Record]:
        """Call what may be called, mostly on a day on which it may; or define such."""
        soon = self._today() + 5
        found = [
            (key.decode(), record, right.windows[-1].to_day)
            for key, record in self._standing.model.rows(ASSETS).items()
            if is_serviced(record.terms)
            and (right := record.terms.plan.call) is not None
            and soon <= right.windows[-1].to_day
        ]
        if not found:
            return self._define_security(chance)
        asset, record, last_day = chance.choice(found)
        day = chance.randrange(soon - 2, last_day + 2)
        share_ppm = chance.choice((None, None, None, 250_000))
        return [
            self._standing.governed(
                CallSecurity,
                "call_security",
                kind_of(record.terms).value,
                asset=asset,
                day=day,
                share_ppm=share_ppm,
            )
        ]

    def _call_in_part(self, chance: random.Random) -> Sequence[Record]:
        """Call a share of what is left with a payment of which there is notice."""
        found = [
            (key.decode(), kind_of(record.terms).value, day)
            for key, record in self._standing.model.rows(ASSETS).items()
            if is_serviced(record.terms)
            and (plan := record.terms.plan).call is not None
            and plan.call.in_part
            for day in (add_months(plan.issue_day, plan.months, end_of_month=plan.end_of_month),)
            if self._today() + plan.call.notice_days < day
        ]
        if not found:
            raise Impossible
        asset, kind, day = chance.choice(found)
        return [
            self._standing.governed(
                CallSecurity, "call_security", kind, asset=asset, day=day, share_ppm=250_000
            )
        ]

    def _bring_midnight(self, chance: random.Random) -> Sequence[Record]:
        minute = self._standing.now_ms() // MS_PER_MINUTE
        near = [o for o in _OFFSETS if (minute + o) % _MINUTES_OF_DAY == _MINUTES_OF_DAY - 1]
        return [
            self._standing.governed(
                SetParameter,
                "set_parameter",
                ANY,
                parameter="utc-offset-minutes",
                value=chance.choice(near),
            )
        ]
