"""What each page says, as a value: the template renders it, and the JSON beside the page is it.

Where the interface has a result for it, the page holds that result; what is added here is what
only a person needs: sentences, figures over time, links to more.
"""

import msgspec

from node.rpc import ledger_results, results
from node.rpc.auction_results import AuctionSummary, AuctionView, LadderRowView, PlannedAuctionView
from node.rpc.debt import DebtLineView
from node.rpc.indexed import ChangeView, DayTotals, HolderClassView
from node.rpc.recomputing import RecomputedFigure
from node.rpc.results import Object
from node.rpc.securities import ScheduleResult
from node.rpc.strips import StripsResult


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """An operation or event, as people and as programs read it."""

    number: int
    """Its place among its like, from 0."""
    sentence: str
    """In the language of the page."""
    fields: Object


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a transaction."""

    code: int
    name: str
    applied: bool
    sentence: str
    """In the language of the page."""
    details: Object
    operation: int | None
    """The operation that was refused."""
    acted_on: str | None
    """The asset that it acts on, where it stands beside."""


class BlockLine(msgspec.Struct, frozen=True, kw_only=True):
    """A block in a list."""

    height: int
    id: str
    time: str
    proposer: str
    round: int
    transactions: int
    refused: int | None
    """None: the block was committed before this node began to count."""
    finality_ms: int | None


class ValidatorLine(msgspec.Struct, frozen=True, kw_only=True):
    """A validator and how it does."""

    name: str
    participant: str | None
    public_key: str
    last_signed: int | None
    """The last height whose certificate carries its precommit; None: not since the start here."""
    last_proposed: int | None
    signed: int
    """Certificates of the last hour that carry its precommit."""
    blocks: int
    """Blocks of the last hour."""
    missed: int
    """Its proposals of the last hour that came to nothing."""


class MinuteLine(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of block time."""

    time: str
    """When it began."""
    blocks: int
    transactions: int
    refused: int
    finality_ms: int | None
    votes: int | None
    """Of all precommits that there could be, so many per cent stand in certificates."""
    missed: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers at the head of the overview."""

    finality_ms: int | None
    """On average over the last minute of block time; None: nothing was timed."""
    transactions: int
    """In the last minute of block time."""
    transactions_per_second: str
    """The same, a second, with one decimal."""
    validators: int
    quorum: int
    faults_survived: int
    waiting: int


class OverviewContent(results.Result, frozen=True, kw_only=True):
    """The overview."""

    figures: Figures
    blocks: list[BlockLine]
    validators: list[ValidatorLine]
    assets: list[ledger_results.AssetView]
    holders: dict[str, int] | None
    """How many hold something of each of these; null: this node keeps no index, or it does not
    answer."""
    more_assets: bool
    hour: list[MinuteLine]


class HourContent(results.Result, frozen=True, kw_only=True):
    """The last hour, the oldest minute first."""

    hour: list[MinuteLine]


class BlocksContent(results.Result, frozen=True, kw_only=True):
    """A page of the blocks, the newest first."""

    earliest: int
    """The first block that this node keeps."""
    blocks: list[BlockLine]
    newer: int | None
    """What to give as `before` for the page of newer blocks; null on the first."""
    older: int | None


class TransactionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in its block."""

    index: int
    id: str
    operations: int
    first: Sentence
    outcome: OutcomeLine


class BlockContent(results.Result, frozen=True, kw_only=True):
    """One block."""

    block: results.BlockResult
    transactions: list[TransactionLine]
    events: list[Sentence]


class TransactionContent(results.Result, frozen=True, kw_only=True):
    """One transaction."""

    id: str
    status: str
    transaction: results.TransactionView | None
    receipt: results.ReceiptView | None
    outcome: OutcomeLine | None
    operations: list[Sentence]
    """Of this page."""
    next_operation: int | None
    events: list[Sentence]


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an account, or to a proposal."""

    cursor: str
    height: int
    time: str
    transaction: str | None
    """Null: it fell due by time."""
    sentence: str | None
    """What happened, in the language of the page; null for a refusal."""
    event: Object | None
    outcome: OutcomeLine | None
    """Of a transaction that was refused."""
    changes: list[ChangeView]


class AccountPast(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what happened to an account or a participant, newest first, from the index."""

    lines: list[HistoryLine]
    next: str | None
    from_height: int
    """What happened before this block is not in the index."""
    behind: int
    """How many blocks the index is behind the node."""


class AccountContent(results.Result, frozen=True, kw_only=True):
    """One account."""

    account: ledger_results.AccountView
    holdings: list[ledger_results.HoldingView]
    next_holding: str | None
    holds: list[ledger_results.HoldView]
    next_hold: str | None
    past: AccountPast | None
    """Null: this node keeps no index, or it does not answer."""


class AssetPast(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds an asset and what moved, from the node's index."""

    classes: list[HolderClassView]
    """By kind of participant, never by name."""
    holders: int
    days: list[DayTotals]
    from_height: int
    behind: int


class AssetContent(results.Result, frozen=True, kw_only=True):
    """One asset."""

    asset: ledger_results.AssetView
    past: AssetPast | None
    """Null: this node keeps no index, or it does not answer."""


class LicenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A licence and whether it counts."""

    participant: str
    state: str
    """`active`, `expired` or `revoked`, by block time."""
    licence: ledger_results.LicenceView


class LicencesContent(results.Result, frozen=True, kw_only=True):
    """A page of the licences."""

    licences: list[LicenceLine]
    next: str | None


class ParticipantContent(results.Result, frozen=True, kw_only=True):
    """One participant."""

    participant: ledger_results.ParticipantView
    licences: list[LicenceLine]
    validator: str | None
    """That it runs, of those who decide the next height."""
    founded: list[str]
    """Addresses of the accounts that the genesis gave it, the first ones; of others its past says
    when they were opened."""
    past: AccountPast | None
    """None: this node keeps no index, or it does not answer."""


class ParticipantsContent(results.Result, frozen=True, kw_only=True):
    """A page of the participants; the first has the offices."""

    offices: list[ledger_results.OfficeView]
    participants: list[ledger_results.ParticipantSummary]
    next: str | None


class ProposalPast(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a proposal, newest first, from the node's index."""

    lines: list[HistoryLine]
    more: bool
    """Whether there is more than is shown."""
    from_height: int
    behind: int


class ProposalContent(results.Result, frozen=True, kw_only=True):
    """One proposal, open or decided."""

    id: str
    state: str
    """`open`, `applied`, `refused`, `expired`, `withdrawn`; `closed`: not in the index yet."""
    proposal: ledger_results.ProposalView | None
    """Null: it is no longer open."""
    proposer: str | None
    """The participant that opened it. This and the next two are from the index."""
    approvals: list[str]
    """The participants that stood behind it, in their order."""
    expires: str | None
    operations: list[Sentence]
    """Of this page."""
    operations_kept: bool
    """Whether the transaction that opened it is still here."""
    next_operation: int | None
    past: ProposalPast | None
    """Null: this node keeps no index, or it does not answer."""


class ValidatorsContent(results.Result, frozen=True, kw_only=True):
    """Those who decide the next height."""

    fault_model: str
    quorum: int
    faults_survived: int
    validators: list[ValidatorLine]
    former: list[ledger_results.TenureView]
    """Of those who decide no longer, the last of each, the latest first."""
    earlier: bool
    """Whether there may be others who decided before."""


class ValidatorMinute(msgspec.Struct, frozen=True, kw_only=True):
    """What a validator did in one minute of block time."""

    time: str
    blocks: int
    signed: int
    missed: int


class ValidatorContent(results.Result, frozen=True, kw_only=True):
    """One of those who decide the next height, or decided an earlier one."""

    name: str
    validator: ValidatorLine | None
    """None: it decides no longer."""
    tenures: list[ledger_results.TenureView]
    """When it did, the latest first."""
    earlier: bool
    """Whether there may be earlier ones."""
    hour: list[ValidatorMinute]
    evidence: list[results.EvidenceView]
    """Of the latest evidence what is against it."""


class RulesContent(results.Result, frozen=True, kw_only=True):
    """The parameters, on the first page, and a page of the powers matrix."""

    parameters: list[ledger_results.ParameterView]
    powers: list[ledger_results.PowerView]
    next: str | None


class DebtFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed in one currency, in sum."""

    currency: str
    lines: int
    outstanding: str
    coupon: str | None
    """Average of what pays interest, per cent a year."""
    auction_yield: str | None
    """Average at which it was sold, as far as it is known."""
    years: str
    """To maturity, on average."""
    due: str
    """What fell due by today and is not paid."""


class WallColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Face that falls due within a quarter or year."""

    currency: str
    period: str
    by_kind: dict[str, str]
    interest: str
    """That is to be paid beside it."""
    total: str
    """Of the face."""


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The last auction of a tenor."""

    auction: str
    asset: str
    kind: str
    settlement_day: str
    months: int
    days: int
    average_price: str
    average_yield: str


class PaymentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A payment to come, or one that is late."""

    asset: str
    kind: str
    currency: str
    payment_day: str
    interest: str
    principal: str
    status: str


class AuctionLine(AuctionSummary, frozen=True, kw_only=True):
    """An auction of a list, with the yield at which it was decided."""

    cut_off_yield: str | None
    """Per cent a year, at the cut-off; null: not decided, what was bid is a rate or a margin, or
    the line is neither a bill nor pays one rate to the end and its face at once."""


class SecuritiesContent(results.Result, frozen=True, kw_only=True):
    """What the state owes."""

    today: str
    complete: bool
    """Whether everything was added up; a node does not look further than a bound."""
    figures: list[DebtFigures]
    wall: list[WallColumn]
    curve: list[CurvePoint]
    payments: list[PaymentLine]
    auctions: list[AuctionLine]
    """The last ones by the time of their close."""
    lines: list[DebtLineView]
    next: str | None


class SecurityContent(results.Result, frozen=True, kw_only=True):
    """What a security pays and when; the payments of this page."""

    schedule: ScheduleResult
    next_row: int | None
    strips: StripsResult | None
    """Of a bond that may be stripped, on its first page."""


class LadderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a ladder and its place."""

    position: int
    row: LadderRowView
    yield_percent: str | None
    """Of its price, where the line is a bill or pays one rate to the end and its face at once."""


class PlannedLine(PlannedAuctionView, frozen=True, kw_only=True):
    """An auction that is planned, with what it would replace."""

    plan: str
    maturing: str
    """Principal that falls due on the day of its settlement in its currency."""


class AuctionsContent(results.Result, frozen=True, kw_only=True):
    """A page of the auctions, and of what is planned from today on."""

    today: str
    """The ledger's local day."""
    auctions: list[AuctionLine]
    """By name."""
    next: str | None
    planned: list[PlannedLine]
    """In order of day; as old as the sums of the debt are."""
    next_row: int | None
    """Of what is planned."""
    complete: bool
    """Whether all plans and all that is owed were looked through."""


class AuctionContent(results.Result, frozen=True, kw_only=True):
    """One auction."""

    auction: AuctionView
    average_yield: str | None
    """Per cent a year: as the auction published it, or of a bond as its ladder comes to; null where
    it has none, or the ladder has more prices than a page works out."""
    figures: list[RecomputedFigure] | None
    """Null: not decided, or its ladder is too long to be worked out for a page."""
    ladder: list[LadderLine]
    """Of this page."""
    rows: int
    """Read for the drawing, from the first on."""
    steps: list[tuple[str, str]]
    """Price and face, the highest price first; rows at one price are one."""
    next_row: int | None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a search has found."""

    kind: str
    """As in the paths: `blocks`, `transactions`, `accounts`, ..."""
    name: str


class WrittenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A field that somebody wrote."""

    field: str
    text: str


class TextLine(msgspec.Struct, frozen=True, kw_only=True):
    """A text with all the words, and where it stands."""

    kind: str
    name: str
    height: int
    text: str
    """All that was written there, as the index has it: in one line."""
    written: list[WrittenLine] = msgspec.field(default_factory=list)
    """The first fields that have one of the words; none of what is no longer kept."""
    line: TransactionLine | None = None
    """What the transaction does; null: it is no transaction, or no longer kept."""


class SearchContent(results.Result, frozen=True, kw_only=True):
    """What a search has found."""

    query: str
    matches: list[Match]
    more: bool
    """There are others that a longer part of the name would tell apart."""
    texts: list[TextLine]
    """What people wrote on the ledger, newest first; from the node's index, where it has one."""
    next: str | None
    """`before` which older texts may be; null: there are none. Also with no text that was found
    yet, where the words are common and seldom together."""

    @property
    def is_one(self) -> bool:
        """Whether it is one thing, to which a search leads."""
        return len(self.matches) == 1 and not self.texts and self.next is None


class VerifyContent(results.Result, frozen=True, kw_only=True):
    """What a browser verifies a proof with."""

    genesis_hash: str
    layout: str
    """JSON: where fields stand in the records that the script reads."""
    reasons: list[str]
    """Why it may refuse."""


class RefusalContent(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no page."""

    status: int
    heading: str
    found: str | None
    expected: str | None
    missing: str | None
    """What is not there and why that may be, in the language of the page."""
    reason: str | None
    """In the words of the interface, which are English; shown where there are no others."""


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a step of a demonstration was to show."""

    name: str
    holds: bool
    found: str


class RunRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why something that was begun came to nothing."""

    reason: str
    """Key of a text of the catalogues."""
    values: dict[str, str]
    outcome: str | None = None
    """Of the transaction that was refused."""
    details: Object = msgspec.field(default_factory=dict)
    sentence: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a desk was asked to do."""

    number: int
    act: str
    """faucet, travel or step."""
    play: str | None
    step: str | None
    state: str
    """running, done or failed."""
    wanted: str | None
    """The amount of a faucet, the day of a travel."""
    address: str | None
    """Of the account that the faucet gave to."""
    private_key: str | None
    """Of an account that it opened: 32 bytes, hexadecimal."""
    transactions: list[str]
    """Ids of those that were applied one by one, in order."""
    from_height: int
    to_height: int | None
    lines: list[str]
    """As a terminal tells it, in English."""
    checks: list[CheckLine]
    refusal: RunRefusal | None

    @property
    def held(self) -> int:
        """How many checks hold."""
        return sum(check.holds for check in self.checks)


class StepLine(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a demonstration."""

    name: str
    state: str
    """done, ready or later."""


class PlayLine(msgspec.Struct, frozen=True, kw_only=True):
    """A demonstration."""

    name: str
    steps: list[StepLine]


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk of a development network says of itself."""

    time: str
    """Of the network."""
    today: str
    """The local day."""
    ahead_days: int
    """How far the network is ahead of the machine."""
    faucet_most: int
    """Rupees that are given at once, at most."""
    travel_most: int
    """Days that pass at once, at most."""
    plays: list[PlayLine]
    runs: list[Run]
    """The newest first."""


class DoneContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has brought."""

    transactions: list[TransactionLine]
    events: list[Sentence]
    """What fell due, the last of it."""


class DevelopmentContent(results.Result, frozen=True, kw_only=True):
    """The page of a development network."""

    network_time: str
    today: str
    ahead_days: int
    faucet_most: int
    travel_most: int
    plays: list[PlayLine]
    running: bool
    last: DoneContent | None
    """What the newest run has brought."""
    runs: list[Run]
