"""What the load asks of the assets desk: definitions, issues, holds, orders, redemptions."""

import random
from collections.abc import Sequence

from node.codec import Record
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.acts.assets.forced_transfer import ForcedTransfer
from node.ledger.acts.assets.issue import Issue
from node.ledger.acts.assets.place_hold import PlaceHold
from node.ledger.acts.assets.redeem import Redeem
from node.ledger.acts.assets.release_hold import ReleaseHold
from node.ledger.powers import FINANCE_MINISTRY
from node.ledger.tables import ACCOUNTS, ASSETS, HOLDINGS, HOLDS, AssetIdentifiers
from node.ledger.terms import BillTerms, kind_of
from node.ledger.units import MS_PER_DAY
from tests.sim.model import split_key
from tests.sim.standing import WHY, Maker, Standing, isin_of, one


class AssetLoad:
    """Draws what assets are about."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def makers(self) -> dict[str, Maker]:
        """Return what draws each act, by the act's name."""
        return {
            "define_asset": self.define_asset,
            "issue": self.issue,
            "place_hold": self.place_hold,
            "release_hold": self.release_hold,
            "forced_transfer": self.forced_transfer,
            "redeem": self.redeem,
        }

    def define_asset(self, chance: random.Random) -> Sequence[Record]:
        code = self._standing.fresh("BILL-")
        today = self._standing.now_ms() // MS_PER_DAY
        return [
            self._standing.governed(
                DefineAsset,
                "define_asset",
                "bill",
                asset=code,
                name=f"Treasury bill {self._standing.made}",
                issuer=FINANCE_MINISTRY,
                identifiers=AssetIdentifiers(
                    isin=isin_of(self._standing.made), currency="PKR", dti=None
                ),
                terms=BillTerms(
                    issue_day=today - 100,
                    maturity_day=today + chance.choice((-10, -10, 90)),
                    face_currency="PKR",
                ),
                term_sheet_hash=bytes(32),
                decimals=2,
                multiple=chance.choice((1, 100)),
                ceiling=10_000,
                forced_transfer_allowed=chance.random() < 0.7,
            )
        ]

    def issue(self, chance: random.Random) -> Sequence[Record]:
        asset, record = one(chance, list(self._standing.model.rows(ASSETS).items()))
        to = self._standing.any_account(chance)
        if chance.random() < 0.5:
            to = self._standing.account_of(record.issuer) or to
        return [
            self._standing.governed(
                Issue,
                "issue",
                kind_of(record.terms).value,
                asset=asset.decode(),
                amount=record.multiple * chance.choice((1, 5, 20, 200)),
                to=to,
            )
        ]

    def place_hold(self, chance: random.Random) -> Sequence[Record]:
        holder, asset, available = self._standing.holding(chance)
        ends = chance.choice((None, self._standing.now_ms() + chance.randrange(1_000, 20_000)))
        return [
            self._standing.governed(
                PlaceHold,
                "place_hold",
                self._standing.subject(holder),
                holder=holder,
                asset=asset,
                amount=self._standing.part(chance, available),
                expires_ms=ends,
                **WHY,
            )
        ]

    def release_hold(self, chance: random.Random) -> Sequence[Record]:
        found = one(chance, list(self._standing.model.rows(HOLDS)))
        holder, hold = found[:20], found[20:]
        subject = self._standing.subject(holder)
        return [
            self._standing.governed(ReleaseHold, "release_hold", subject, holder=holder, hold=hold)
        ]

    def forced_transfer(self, chance: random.Random) -> Sequence[Record]:
        assets = self._standing.model.rows(ASSETS)
        found = [
            name
            for name, record in self._standing.model.rows(HOLDINGS).items()
            if record.available and assets[name[20:]].forced_transfer_allowed
        ]
        source, asset = split_key(one(chance, found))
        available = self._standing.model.rows(HOLDINGS)[source + asset.encode()].available
        return [
            self._standing.governed(
                ForcedTransfer,
                "forced_transfer",
                "bill",
                source=source,
                to=self._standing.any_account(chance),
                asset=asset,
                amount=self._standing.part(chance, available),
                **WHY,
            )
        ]

    def redeem(self, chance: random.Random) -> Sequence[Record]:
        accounts, assets = self._standing.model.rows(ACCOUNTS), self._standing.model.rows(ASSETS)
        held = self._standing.holdings()
        found = [
            name
            for name, record in held.items()
            if record.available and accounts[name[:20]].owner == assets[name[20:]].issuer
        ]
        holder, asset = split_key(one(chance, found))
        record = assets[asset.encode()]
        return [
            self._standing.governed(
                Redeem,
                "redeem",
                kind_of(record.terms).value,
                asset=asset,
                amount=self._standing.part(chance, held[holder + asset.encode()].available),
                holder=holder,
            )
        ]
