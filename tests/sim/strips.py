"""What clients want of strips: bonds that can be stripped, their strips, taken apart and together.

Strips are moved, held and paid by the rest of the load, as any other asset is.
"""

import random
from collections.abc import Mapping, Sequence

from node.codec import Record
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.lifecycle.define_strips import DefineStrips
from node.ledger.acts.lifecycle.reconstitute_security import ReconstituteSecurity
from node.ledger.acts.lifecycle.strip_security import StripSecurity
from node.ledger.dates import Order, Roll, Stub
from node.ledger.powers import FINANCE_MINISTRY
from node.ledger.pricing.daycounts import DayCount
from node.ledger.securities import STRIPPINGS
from node.ledger.tables import (
    ASSETS,
    CALENDARS,
    PARAMETERS,
    AssetIdentifiers,
    HoldingRecord,
    name_key,
)
from node.ledger.terms import BondTerms, PaymentPlan, RateStep, kind_of
from node.ledger.units import local_day
from tests.chain.town import CASH
from tests.sim.model import split_key
from tests.sim.standing import Impossible, Maker, Standing

_SERIES = ("PKS", "PKT")


class StripLoad:
    """Draws what strips are about, beside the other makers of a load."""

    def __init__(self, standing: Standing) -> None:
        """Take the ledger whose offices and accounts it is about."""
        self._standing = standing

    def makers(self) -> Mapping[str, Maker]:
        """Return one maker an operation."""
        return {
            "define_strips": self._define_strips,
            "strip_security": self._strip_security,
            "reconstitute_security": self._reconstitute_security,
        }

    def _define_strips(self, chance: random.Random) -> Sequence[Record]:
        """Register the strips of any asset, or of a bond that is made for it."""
        if chance.random() < 0.3:
            asset, record = chance.choice(list(self._standing.model.rows(ASSETS).items()))
            return [self._strips_of(chance, asset.decode(), kind_of(record.terms).value)]
        ministry = self._standing.office(FINANCE_MINISTRY)
        calendars = sorted(self._standing.model.rows(CALENDARS))
        if ministry is None or not calendars:
            raise Impossible
        offset = self._standing.model.rows(PARAMETERS).get(name_key("utc-offset-minutes"))
        today = local_day(self._standing.now_ms(), 300 if offset is None else offset.value)
        start = today - chance.choice((1, 40))
        plan = PaymentPlan(
            issue_day=start,
            maturity_day=today + chance.choice((5, 40, 120)),
            months=1,
            rates=(RateStep(from_day=start, rate_ppm=chance.choice((120_000, 360_000))),),
            floating=None,
            call=None,
            instalments=(),
            day_count=DayCount.THIRTY_E_360,
            pricing_day_count=DayCount.THIRTY_E_360,
            calendar=calendars[0].decode(),
            roll=Roll.FOLLOWING,
            order=Order.CALCULATE_THEN_SHIFT,
            end_of_month=False,
            stub=Stub.SHORT_FRONT,
            record_days=2,
            grace_days=1,
            cash=CASH,
            face_unit=1,
            paying_agent=ministry,
            residue_account=ministry,
        )
        code = self._standing.fresh("STRIPPABLE-")
        defined = self._standing.governed(
            DefineAsset,
            "define_asset",
            "bond",
            asset=code,
            name="A bond to strip",
            issuer=FINANCE_MINISTRY,
            identifiers=AssetIdentifiers(
                isin=self._standing.fresh_isin(), currency="PKR", dti=None
            ),
            terms=BondTerms(face_currency="PKR", plan=plan),
            term_sheet_hash=bytes(32),
            decimals=2,
            multiple=1,
            ceiling=chance.choice((1_000, 10_000_000)),
            forced_transfer_allowed=True,
        )
        issued = self._standing.governed(
            Issue,
            "issue",
            "bond",
            asset=code,
            amount=chance.choice((1_000, 90_000)),
            to=self._standing.any_account(chance),
        )
        return [defined, self._strips_of(chance, code, "bond"), issued]

    def _held(self) -> list[tuple[bytes, str, HoldingRecord]]:
        rows = self._standing.holdings()
        return [(*split_key(name), holding) for name, holding in rows.items()]

    def _strips_of(self, chance: random.Random, asset: str, kind: str) -> Record:
        return self._standing.governed(
            DefineStrips,
            "define_strips",
            kind,
            asset=asset,
            series=chance.choice(_SERIES),
            term_sheet_hash=bytes(32),
        )

    def _strip_security(self, chance: random.Random) -> Sequence[Record]:
        """Strip what somebody has, mostly in multiples."""
        strippings = self._standing.model.rows(STRIPPINGS)
        held = [
            (account, asset, holding.available // strippings[name_key(asset)].multiple)
            for account, asset, holding in self._held()
            if name_key(asset) in strippings
        ]
        held = [each for each in held if each[2]]
        if not held:
            return self._define_strips(chance)
        account, asset, times = chance.choice(held)
        face = chance.randint(1, times) * strippings[name_key(asset)].multiple
        return [StripSecurity(account=account, asset=asset, face=face + (chance.random() < 0.1))]

    def _reconstitute_security(self, chance: random.Random) -> Sequence[Record]:
        """Put together what somebody has the face of, whether or not all of its coupons."""
        strippings = self._standing.model.rows(STRIPPINGS)
        lines = {each.principal: (key.decode(), each) for key, each in strippings.items()}
        held = [
            (account, *lines[asset], holding.available)
            for account, asset, holding in self._held()
            if asset in lines
        ]
        if not held:
            return self._strip_security(chance)
        account, line, stripping, available = chance.choice(held)
        times = max(1, available // stripping.multiple)
        face = chance.randint(1, times) * stripping.multiple
        return [ReconstituteSecurity(account=account, asset=line, face=face)]
