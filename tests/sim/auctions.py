"""What the load asks of the auctions desk: whole auctions, less than a minute each.

Everybody forgets something now and then: a bid is not opened, opened twice, or withdrawn; nobody
decides; the cash is gone when it is due. Where it is asked for, some bids are bad: early or late,
off the quantum or the multiple, of who may not bid so, opened as something else, paid for by who
has no cash; and some announcements contradict themselves. There banks are not alone: where what is
not paid for goes to who was cut short, companies bid too, at one price and for more than there is.
What a sealed bid says is kept here, by its hash.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from node.codec import Record, replace
from node.ledger.auctions import (
    AuctionTerms,
    Destination,
    Form,
    Method,
    NoncompetitivePrice,
    Oversubscription,
    Reallotment,
    SealedBid,
    commitment_of,
)
from node.ledger.auctions.plans import PLANNED_KINDS, PlannedAuction
from node.ledger.auctions.records import AuctionRecord, AuctionStage
from node.ledger.auctions.terms import LINE_FORMS, TAKING_FORMS
from node.ledger.operations import (
    AnnounceAuction,
    CommitBid,
    DecideAuction,
    EnterBid,
    GiveBidMandate,
    LodgeEnvelope,
    PlaceBid,
    PublishPlan,
    ReturnEnvelope,
    RevealBid,
    RevokeBidMandate,
    WithdrawBid,
)
from node.ledger.powers import CENTRAL_BANK, FINANCE_MINISTRY
from node.ledger.tables import (
    ACCOUNTS,
    ASSETS,
    AUCTIONS,
    BIDDERS,
    BIDS,
    CALENDARS,
    ENVELOPES,
    HOLDINGS,
    LADDERS,
    MANDATES,
    PLANS,
    AssetRecord,
    ParticipantKind,
    holding_key,
)
from node.ledger.terms import AssetKind, CashTerms, first_redemption_day, is_serviced, kind_of
from node.ledger.units import MS_PER_DAY
from tests.chain.town import BANK, CASH, address_of
from tests.sim.calendars import Governed
from tests.sim.model import Model
from tests.sim.standing import Impossible, Maker

T = TypeVar("T")


GOING_ON: Final = 12
"""How often the load goes on with an auction for each time that it draws another act."""


RUNNING_MAX: Final = 2
"""Auctions at a time."""
BUSY_MAX: Final = 4
STEP_MS: Final = range(4_000, 16_000)
"""From one step of an auction to the next."""
BUSY_STEP_MS: Final = range(3_000, 7_000)


OPENED_MAX: Final = 6
"""Bids in one transaction."""


BAD: Final = 1 / 7
"""Of what is announced, committed, placed or opened."""
BROKE: Final = 1 / 3
"""Of the bids that are opened where some are bad: somebody pays who has hardly any cash."""


class AuctionLoad:
    """Draws operations of the auctions desk."""

    def __init__(
        self,
        model: Model,
        *,
        now_ms: Callable[[], int],
        governed: Governed,
        account_of: Callable[[str], bytes | None],
        people: Callable[[ParticipantKind], list[str]],
        busy: bool = False,
        bad: bool = False,
    ) -> None:
        """Take the ledger that they are about, and who acts on it.

        Args:
            busy: more auctions at a time, and each is shorter.
            bad: some of it is bad on purpose.
        """
        self._model = model
        self._now_ms = now_ms
        self._governed = governed
        self._account_of = account_of
        self._people = people
        self._bad = bad
        self._running_max = BUSY_MAX if busy else RUNNING_MAX
        self._step_ms = BUSY_STEP_MS if busy else STEP_MS
        self._sealed: dict[bytes, SealedBid] = {}
        self._made = 0

    def makers(self) -> Mapping[str, Maker]:
        """Return how each act of the desk is drawn."""
        return {
            "announce_auction": self._announce,
            "commit_bid": self._commit,
            "withdraw_bid": self._withdraw,
            "reveal_bid": self._reveal,
            "place_bid": self._place,
            "decide_auction": self._decide,
            "publish_plan": self._plan,
            "give_bid_mandate": self._give_mandate,
            "revoke_bid_mandate": self._revoke_mandate,
            "lodge_envelope": self._lodge,
            "return_envelope": self._return,
            "enter_bid": self._enter,
            # Or hardly any would go from its beginning to its end in the minutes of a run.
            **{f"auction_goes_on_{number}": self._go_on for number in range(GOING_ON)},
        }

    def _go_on(self, chance: random.Random) -> Sequence[Record]:
        """Draw what takes an auction that there is further."""
        bidding = chance.sample((self._commit, self._place, self._lodge), 3)
        opening = chance.sample((self._reveal, self._enter), 2)
        for maker in (self._decide, *opening, *bidding):
            try:
                return maker(chance)
            except Impossible:
                continue
        return self._announce(chance)

    def _announce(self, chance: random.Random) -> Sequence[Record]:
        running = sum(each.next_ms is not None for each in self._model.rows(AUCTIONS).values())
        if running >= self._running_max:
            raise Impossible  # or the bids would be spread over too many
        now_ms = self._now_ms()
        tomorrow = now_ms // MS_PER_DAY + 2
        proceeds = self._account_of(FINANCE_MINISTRY)
        calendars = [None, None, None, *(key.decode() for key in self._model.rows(CALENDARS))]
        securities = [
            (code.decode(), record)
            for code, record in self._model.rows(ASSETS).items()
            if not isinstance(record.terms, CashTerms)
            and (last_day := first_redemption_day(record.terms)) is not None
            and last_day > tomorrow
            and record.issuer == FINANCE_MINISTRY
        ]
        if proceeds is None:
            raise Impossible
        owned = [each for each in securities if self._offering(each[0])]
        asset, record = _one(chance, owned if owned and chance.random() < 0.5 else securities)
        kind = kind_of(record.terms)
        form = _form_of(chance, record, can_be_taken=(asset, record) in owned)
        given = [each for each, line in securities if each != asset and not _is_sold_by_line(line)]
        if form is Form.BUYBACK and given and chance.random() < 0.5:
            form = Form.SWITCH
        uniform = form in LINE_FORMS or chance.random() < 0.5
        multiple = record.multiple * chance.choice((1, 1, 2))
        wanted = chance.choice((2, 5, 20))
        # By its number, so that no other seed draws something else for it.
        reallots = bool((self._made + 1) % 2)
        contested = self._bad and reallots
        if contested:
            wanted = 2
        if form in TAKING_FORMS:  # Not more than there is, or it would always be refused.
            multiple = record.multiple
            wanted = min(wanted, record.supply // multiple)
        self._made += 1
        times = [now_ms + chance.randrange(500, 3_000)]
        for _ in range(3):
            times.append(times[-1] + chance.choice(self._step_ms))
        terms = AuctionTerms(
            asset=asset,
            form=form,
            cash=CASH,
            proceeds=proceeds,
            method=Method.UNIFORM_PRICE if uniform else Method.MULTIPLE_PRICE,
            target=multiple * wanted,
            multiple=multiple,
            quantum_e4=chance.choice((1, 100)),
            opens_ms=times[0],
            closes_ms=times[1],
            reveals_until_ms=times[2],
            decides_until_ms=times[3],
            settles_ms=times[3] + chance.randrange(0, 4_000),
            calendar=chance.choice(calendars),
            kinds=("bank", "company") if contested else ("bank",),
            licences=(),
            bids_per_bidder=chance.choice((2, 20)),
            bidder_share_bps=10_000,
            noncompetitive_kinds=("person",) if contested else ("company", "person"),
            noncompetitive_share_bps=3_000,
            noncompetitive_least=multiple,
            noncompetitive_most=multiple * 5,
            noncompetitive_price=(
                NoncompetitivePrice.CUT_OFF if uniform else NoncompetitivePrice.AVERAGE
            ),
            oversubscription=chance.choice(list(Oversubscription)),
            prorata_step=multiple,
            filled_whole=chance.choice((0, multiple)),
            reallotment=Reallotment.CUT_SHORT if reallots else Reallotment.NONE,
            failing_exclusion_days=0,
            unrevealed_exclusion_days=0,
            reference=(
                chance.choice((None, "mtb-3m"))
                if kind is AssetKind.BILL and form is Form.PRICE
                else None
            ),
            destination=(
                Destination(asset=chance.choice(given), price_e4=_price(chance, form))
                if form is Form.SWITCH
                else None
            ),
        )
        if self._is_bad(chance):
            terms = replace(terms, **chance.choice(_contradictions(terms)))
        return [
            self._governed(
                AnnounceAuction,
                "announce_auction",
                kind.value,
                auction=f"auction-{self._made}",
                terms=terms,
            )
        ]

    def _plan(self, chance: random.Random) -> Sequence[Record]:
        name = f"plan-{chance.randrange(3)}"
        ruling = self._model.rows(PLANS).get(name.encode())
        today = self._now_ms() // MS_PER_DAY + 1
        days = sorted(chance.sample(range(1, 90), chance.randrange(0, 6)))
        planned = tuple(
            PlannedAuction(
                day=today + day,
                settlement_day=today + day + chance.randrange(0, 3),
                kind=chance.choice(PLANNED_KINDS),
                tenor_months=chance.choice((3, 6, 12, 60)),
                form=chance.choice(list(Form)),
                line=None,
                asset=CASH,
                target=chance.randrange(1, 10**9),
                provisional=chance.random() < 0.3,
            )
            for day in days
        )
        version = 0 if ruling is None else ruling.version
        if chance.random() < 0.1:
            version += 1  # What somebody else has published meanwhile.
        return [
            self._governed(
                PublishPlan, "publish_plan", name, plan=name, version=version, auctions=planned
            )
        ]

    def _commit(self, chance: random.Random) -> Sequence[Record]:
        bad = chance.choice(("time", "class", "multiple")) if self._is_bad(chance) else ""
        name, record = self._some(chance, self._is_shut if bad == "time" else self._is_open)
        terms = record.terms
        account = address_of(BANK, f"a{chance.randrange(4)}")
        if bad == "class":
            person = self._account_of(_one(chance, self._people(ParticipantKind.PERSON)))
            account = person or account
        taking = terms.form in TAKING_FORMS
        if taking:  # Now and then somebody offers what it does not have.
            account = chance.choice([account, *self._offering(terms.asset)])
        price_e4 = _price(chance, terms.form)
        if "company" in terms.kinds:
            price_e4 = _price(random.Random(name), terms.form)
            companies = self._people(ParticipantKind.COMPANY)
            if companies and not bad and chance.random() < 0.5:
                account = self._account_of(chance.choice(companies)) or account
        off_quantum = terms.quantum_e4 > 1 and self._is_bad(chance)
        bid = SealedBid(
            auction=name,
            account=account,
            price_e4=price_e4 + off_quantum,
            face=terms.multiple * (1 if taking else chance.choice((1, 2, 5))) + (bad == "multiple"),
            salt=chance.randbytes(32),
        )
        commitment = commitment_of(bid)
        self._sealed[commitment] = bid
        return [CommitBid(account=account, auction=name, commitment=commitment)]

    def _withdraw(self, chance: random.Random) -> Sequence[Record]:
        number, bid = _one(chance, self._all_sealed(self._is_open))
        if chance.random() < 0.4:
            raise Impossible  # or hardly any would be left
        return [WithdrawBid(account=bid.account, auction=bid.auction, number=number)]

    def _reveal(self, chance: random.Random) -> Sequence[Record]:
        """Open one bid, or all of an auction that are known here; or, now and then, too early."""
        closed = chance.random() < 0.9
        found = self._all_sealed(lambda each: self._is_open(each) is not closed)
        first = _one(chance, found)
        several = [each for each in found if each[1].auction == first[1].auction]
        return [
            self._opened(number, bid, chance)
            for number, bid in chance.choice(([first], several[:OPENED_MAX]))
        ]

    def _opened(self, number: int, bid: SealedBid, chance: random.Random) -> RevealBid:
        assert bid.price_e4 is not None  # what has none came in an envelope
        terms = self._model.rows(AUCTIONS)[bid.auction.encode()].terms
        payer = chance.choice((bid.account, address_of(BANK, "a0")))
        people = self._people(ParticipantKind.PERSON)
        if self._bad and people and chance.random() < BROKE:
            payer = self._account_of(chance.choice(people)) or payer
        return RevealBid(
            account=bid.account,
            cash_account=payer,
            auction=bid.auction,
            number=number,
            asset=terms.asset,
            price_e4=bid.price_e4 + 100 * self._is_bad(chance),
            face=bid.face,
            salt=bid.salt,
        )

    def _place(self, chance: random.Random) -> Sequence[Record]:
        bad = chance.choice(("time", "class", "multiple")) if self._is_bad(chance) else ""
        name, record = self._some(chance, self._is_shut if bad == "time" else self._is_open)
        people = [*self._people(ParticipantKind.PERSON), *self._people(ParticipantKind.COMPANY)]
        if self._bad:  # One of few, who bids twice now and then, through another that pays.
            people = people[:4]
        account = self._account_of(_one(chance, people))
        if bad == "class":
            account = address_of(BANK, "a2")
        if account is None:
            raise Impossible
        return [
            PlaceBid(
                account=account,
                cash_account=chance.choice((account, address_of(BANK, "a1"))),
                auction=name,
                asset=record.terms.asset,
                face=record.terms.multiple * chance.choice((1, 3, 9)) + (bad == "multiple"),
            )
        ]

    # On paper.

    def _give_mandate(self, chance: random.Random) -> Sequence[Record]:
        people = self._people(ParticipantKind.PERSON)
        person = self._account_of(chance.choice(people)) if people else None
        account = chance.choice((address_of(BANK, f"a{chance.randrange(4)}"), person))
        if account is None:
            raise Impossible
        return [
            GiveBidMandate(
                account=account,
                cash_account=chance.choice((account, address_of(BANK, "a1"))),
                office=chance.choice((CENTRAL_BANK, CENTRAL_BANK, FINANCE_MINISTRY)),
            )
        ]

    def _revoke_mandate(self, chance: random.Random) -> Sequence[Record]:
        bidding, mandate = _one(chance, list(self._model.rows(MANDATES).items()))
        account = chance.choice((bidding, mandate.cash_account))
        return [RevokeBidMandate(account=account, bidding=bidding)]

    def _lodge(self, chance: random.Random) -> Sequence[Record]:
        """Hand in an envelope of who has given a mandate; now and then of who has given none."""
        name, record = self._some(chance, self._is_open)
        mandated = [*self._model.rows(MANDATES), address_of(BANK, "a3")]
        account = chance.choice(mandated)
        owner = self._model.rows(ACCOUNTS)[account].owner
        terms = record.terms
        bid = SealedBid(
            auction=name,
            account=account,
            price_e4=_price(chance, terms.form) if owner == BANK else None,
            face=terms.multiple * chance.choice((1, 2, 5)),
            salt=chance.randbytes(32),
        )
        commitment = commitment_of(bid)
        self._sealed[commitment] = bid
        theirs = self._model.rows(BIDDERS).get(f"{name}/{owner}".encode())
        if theirs is not None and theirs.withdrawn and bid.salt[0] % 2:
            commitment = theirs.withdrawn[0]  # An office has the paper still.
        return [
            self._governed(
                LodgeEnvelope,
                "lodge_envelope",
                self._kind(terms),
                bidding=account,
                auction=name,
                commitment=commitment,
            )
        ]

    def _return(self, chance: random.Random) -> Sequence[Record]:
        number, bid = _one(chance, self._all_on_paper(self._is_open))
        terms = self._model.rows(AUCTIONS)[bid.auction.encode()].terms
        return [
            self._governed(
                ReturnEnvelope,
                "return_envelope",
                self._kind(terms),
                auction=bid.auction,
                number=number,
            )
        ]

    def _enter(self, chance: random.Random) -> Sequence[Record]:
        """Enter an envelope after the close, or too early; now and then something else than it."""
        closed = chance.random() < 0.9
        found = self._all_on_paper(lambda each: self._is_open(each) is not closed)
        number, bid = _one(chance, found)
        terms = self._model.rows(AUCTIONS)[bid.auction.encode()].terms
        return [
            self._governed(
                EnterBid,
                "enter_bid",
                self._kind(terms),
                auction=bid.auction,
                number=number,
                asset=terms.asset,
                price_e4=bid.price_e4,
                face=bid.face,
                salt=bid.salt if chance.random() < 0.9 else bytes(32),
            )
        ]

    def _decide(self, chance: random.Random) -> Sequence[Record]:
        name, record = self._some(chance, lambda each: each.stage is AuctionStage.DECIDING)
        kind = kind_of(self._model.rows(ASSETS)[record.terms.asset.encode()].terms)
        prices = [
            row.price_e4
            for key, piece in self._model.rows(LADDERS).items()
            if key.startswith(f"{name}/".encode())
            for row in piece.rows
            if row.price_e4 is not None
        ]
        cut_off = None if chance.random() < 0.1 else chance.choice([max(prices), *prices])
        return [
            self._governed(
                DecideAuction, "decide_auction", kind.value, auction=name, cut_off_e4=cut_off
            )
        ]

    # What there is.

    def _offering(self, asset: str) -> list[bytes]:
        """Return the accounts of the bank that have something of a line."""
        rows = self._model.rows(HOLDINGS)
        accounts = [address_of(BANK, f"a{number}") for number in range(4)]
        found = [(each, rows.get(holding_key(each, asset))) for each in accounts]
        return [each for each, holding in found if holding is not None and holding.available]

    def _is_open(self, record: AuctionRecord) -> bool:
        return record.terms.opens_ms <= self._now_ms() < record.terms.closes_ms

    def _is_bad(self, chance: random.Random) -> bool:
        return self._bad and chance.random() < BAD

    def _is_shut(self, record: AuctionRecord) -> bool:
        return not self._is_open(record) and record.next_ms is not None

    def _some(
        self, chance: random.Random, accept: Callable[[AuctionRecord], bool]
    ) -> tuple[str, AuctionRecord]:
        rows = self._model.rows(AUCTIONS)
        name, record = _one(chance, [each for each in rows.items() if accept(each[1])])
        return name.decode(), record

    def _all_sealed(self, accept: Callable[[AuctionRecord], bool]) -> list[tuple[int, SealedBid]]:
        """Return the numbers of the sealed bids of such auctions, and what they say."""
        auctions = self._model.rows(AUCTIONS)
        return [
            (int.from_bytes(key[-4:], "big"), self._sealed[bid.commitment])
            for key, bid in self._model.rows(BIDS).items()
            if bid.commitment in self._sealed
            and bid.bid is None
            and accept(auctions[key[:-5]])
            # Who bids without a price does not open an envelope itself.
            and self._sealed[bid.commitment].price_e4 is not None
        ]

    def _all_on_paper(self, accept: Callable[[AuctionRecord], bool]) -> list[tuple[int, SealedBid]]:
        """Return the numbers of the envelopes of such auctions, and what they hold."""
        auctions, bids = self._model.rows(AUCTIONS), self._model.rows(BIDS)
        return [
            (int.from_bytes(key[-4:], "big"), self._sealed[commitment])
            for key in self._model.rows(ENVELOPES)
            if (bid := bids.get(key)) is not None
            and (commitment := bid.commitment) in self._sealed
            and bid.bid is None
            and accept(auctions[key[:-5]])
        ]

    def _kind(self, terms: AuctionTerms) -> str:
        return kind_of(self._model.rows(ASSETS)[terms.asset.encode()].terms).value


def _form_of(chance: random.Random, asset: AssetRecord, *, can_be_taken: bool) -> Form:
    if can_be_taken and chance.random() < 0.8:
        return Form.BUYBACK
    # Now and then also of a line that has holders by then, and is refused.
    if not _is_sold_by_line(asset) or (asset.supply and chance.random() < 0.9):
        return Form.PRICE
    assert is_serviced(asset.terms)  # what an auction decides is a term of its plan
    return Form.RATE if asset.terms.plan.floating is None else Form.MARGIN


def _is_sold_by_line(asset: AssetRecord) -> bool:
    """Return whether an auction is to decide what a line pays."""
    if not is_serviced(asset.terms):
        return False
    plan = asset.terms.plan
    if plan.floating is not None:
        return not plan.floating.margin_ppm
    return [step.rate_ppm for step in plan.rates] == [0]


def _contradictions(terms: AuctionTerms) -> Sequence[Mapping[str, object]]:
    """Return changes by which terms contradict themselves."""
    return (
        {"closes_ms": terms.opens_ms},
        {"settles_ms": terms.decides_until_ms - 1},
        {"target": terms.target + 1, "multiple": 2 * terms.target},
        {"noncompetitive_kinds": terms.kinds},
        {"noncompetitive_share_bps": 0},
        {"kinds": ()},
    )


def _price(chance: random.Random, form: Form) -> int:
    if form is Form.MARGIN:
        return chance.randrange(-500, 500, 100)
    return chance.randrange(970_000, 970_500, 100)


def _one(chance: random.Random, found: Sequence[T]) -> T:
    if not found:
        raise Impossible
    return chance.choice(found)
