"""What each page says, read through the methods of the interface. Nothing here knows HTTP or HTML.

Every read is bounded: a page of a list costs what it holds, wherever it lies. The list of blocks
takes recent ones from memory and older ones from the store, one in a turn of the loop, and ends
early rather than read more than `BLOCKS_READ_BYTES_MAX`, or much for longer than
`BLOCKS_READ_MS_MAX`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from node.addresses import ADDRESS_SIZE, render_address
from node.explorer.contents import (
    AccountContent,
    AssetContent,
    BlockContent,
    BlockLine,
    BlocksContent,
    Figures,
    HourContent,
    LicenceLine,
    LicencesContent,
    MinuteLine,
    OutcomeLine,
    OverviewContent,
    ParticipantContent,
    ParticipantsContent,
    RulesContent,
    Sentence,
    TransactionContent,
    TransactionLine,
    ValidatorContent,
    ValidatorLine,
    ValidatorMinute,
    ValidatorsContent,
)
from node.explorer.cursors import convert, page_params, parse_number
from node.explorer.hour import MINUTE_MS, Hour, RecentBlock
from node.explorer.limits import (
    ACCOUNT_ROWS_MAX,
    BLOCKS_READ_BYTES_MAX,
    BLOCKS_READ_BYTES_SURE,
    BLOCKS_READ_MS_MAX,
    EVENTS_SHOWN_MAX,
    FOUNDED_SHOWN_MAX,
    FOUNDING_READ_MAX,
    OPERATIONS_SHOWN_MAX,
    ROWS_MAX,
    TRANSACTIONS_SHOWN_MAX,
)
from node.explorer.past import Past
from node.explorer.proposals import Proposals
from node.explorer.refusals import PageRefusal
from node.explorer.showing import Showing, cut
from node.ledger.policies import account_address
from node.rpc import ledger_results, params, results
from node.rpc.errors import InvalidParams, Pruned
from node.rpc.jsonrpc import NoParams
from node.rpc.pages import Door
from node.rpc.rendering import render_time
from node.rpc.results import Object, at_head

LATEST_SHOWN: Final = 8
"""Blocks on the overview."""
ASSETS_SHOWN: Final = 12
"""Assets on the overview."""
VALIDATORS_SHOWN: Final = 12
"""Validators on the overview; a page of their own has all."""


class Reading:
    """Reads for the pages of one node."""

    def __init__(self, door: Door, hour: Hour) -> None:
        self._door = door
        self._methods = door.methods
        self._ledger = door.ledger
        self._ask = door.ask
        self._chain = door.services.chain
        self._hour = hour
        self.past = Past(door)
        self.proposals = Proposals(door, self.past, outcome_line)
        test = door.services.genesis.test_network
        self.example_address = render_address(bytes(ADDRESS_SIZE), test=test)

    # The overview.

    async def overview(self) -> OverviewContent:
        """Return the overview."""
        methods = self._methods
        assets = await self._ask(self._ledger.assets, params.AssetsParams(limit=ASSETS_SHOWN))
        validators = await self._ask(methods.validators, params.ValidatorsParams())
        waiting = await self._ask(methods.mempool, NoParams())
        lately = self._hour.lately(MINUTE_MS)
        timed = [block.finality_ms for block in lately if block.finality_ms is not None]
        transactions = sum(block.transactions for block in lately)
        tenths = transactions * 10 * 1_000 // MINUTE_MS
        return OverviewContent(
            **at_head(self._chain.head),
            figures=Figures(
                finality_ms=sum(timed) // len(timed) if timed else None,
                transactions=transactions,
                transactions_per_second=f"{tenths // 10}.{tenths % 10}",
                validators=len(validators.validators),
                quorum=validators.quorum,
                faults_survived=validators.faults_survived,
                waiting=waiting.mempool.transactions,
            ),
            blocks=(await self._blocks_below(self._chain.head.height + 1, LATEST_SHOWN))[0],
            validators=self._validator_lines(validators.validators[:VALIDATORS_SHOWN]),
            assets=assets.assets,
            holders=await self.past.holders([each.asset for each in assets.assets]),
            more_assets=assets.next is not None,
            hour=self._minutes(),
        )

    async def hour(self) -> HourContent:
        """Return the last hour."""
        return HourContent(**at_head(self._chain.head), hour=self._minutes())

    def _minutes(self) -> list[MinuteLine]:
        return [
            MinuteLine(
                time=render_time(minute.minute * MINUTE_MS),
                blocks=minute.blocks,
                transactions=minute.transactions,
                refused=minute.refused,
                finality_ms=minute.mean_finality_ms,
                votes=minute.votes_share,
                missed=minute.missed.total(),
            )
            for minute in self._hour.minutes(self._now_ms())
        ]

    def _now_ms(self) -> int:
        return max(self._door.services.clock.now_ms(), self._chain.head.time_ms)

    def _validator_lines(
        self, validators: Sequence[ledger_results.ValidatorView]
    ) -> list[ValidatorLine]:
        minutes = self._hour.minutes(self._now_ms())
        blocks = sum(minute.blocks for minute in minutes)
        return [
            ValidatorLine(
                name=validator.name,
                participant=validator.participant,
                public_key=validator.public_key,
                last_signed=self._hour.last_signed(validator.name),
                last_proposed=self._hour.last_proposed(validator.name),
                signed=sum(minute.signed[validator.name] for minute in minutes),
                blocks=blocks,
                missed=sum(minute.missed[validator.name] for minute in minutes),
            )
            for validator in validators
        ]

    # Blocks and transactions.

    async def blocks(self, query: Mapping[str, str]) -> BlocksContent:
        """Return the page of blocks below the height that the query names, or the newest."""
        head = self._chain.head.height
        earliest = self._chain.history.earliest
        before = head + 1
        if "before" in query:
            before = min(before, parse_height(query["before"]))
        lines, older = await self._blocks_below(before, ROWS_MAX)
        return BlocksContent(
            **at_head(self._chain.head),
            earliest=earliest,
            blocks=lines,
            newer=min(head + 1, before + ROWS_MAX) if before <= head else None,
            older=older,
        )

    async def _blocks_below(self, before: int, count: int) -> tuple[list[BlockLine], int | None]:
        """Return lines of blocks below a height, and below what the next page begins."""
        lines: list[BlockLine] = []
        read_bytes = 0
        now_s = asyncio.get_running_loop().time
        ends_s = now_s() + BLOCKS_READ_MS_MAX / 1000
        height = before - 1
        while height >= self._chain.history.earliest and height >= 1 and len(lines) < count:
            recent = self._hour.block(height)
            if recent is not None:
                lines.append(_recent_line(recent))
            elif read_bytes > BLOCKS_READ_BYTES_MAX or (
                read_bytes > BLOCKS_READ_BYTES_SURE and now_s() > ends_s
            ):
                break
            else:
                try:
                    block = await self._ask(
                        self._methods.block,
                        params.BlockParams(height=height, transactions="none", events_limit=0),
                    )
                except Pruned:
                    break  # deleted since it was asked for
                read_bytes += block.size_bytes
                lines.append(_stored_line(block))
                # Whoever decides blocks has a turn between any two that are read.
                await asyncio.sleep(0)
            height -= 1
        more = height >= max(1, self._chain.history.earliest)
        return lines, height + 1 if more else None

    async def block(
        self, argument: str, query: Mapping[str, str], showing: Showing
    ) -> BlockContent:
        """Return a block with a page of its transactions."""
        height = parse_height(argument)
        index = parse_number(query, "index", highest=1 << 20)
        event = parse_number(query, "event", highest=1 << 20)
        block = await self._ask(
            self._methods.block,
            params.BlockParams(
                height=height,
                transactions="full",
                index=index,
                limit=TRANSACTIONS_SHOWN_MAX,
                first_event=event,
                events_limit=EVENTS_SHOWN_MAX,
            ),
        )
        return BlockContent(
            **at_head(self._chain.head),
            block=block,
            transactions=[
                TransactionLine(
                    index=each.index,
                    id=each.transaction.id,
                    operations=len(each.transaction.operations),
                    first=_operations(each.transaction.operations[:1], 0, showing)[0],
                    outcome=outcome_line(each.outcome, showing, each.transaction.operations),
                )
                for each in block.transactions
            ],
            events=_events(block.events, showing, event),
        )

    async def transaction(
        self, argument: str, query: Mapping[str, str], showing: Showing
    ) -> TransactionContent:
        """Return a transaction with a page of its operations."""
        wanted = convert({"id": argument}, params.TransactionParams, argument, "expected-id")
        found = await self._ask(self._methods.transaction, wanted)
        operations = [] if found.transaction is None else found.transaction.operations
        first = parse_number(query, "operation", highest=len(operations))
        stop = first + OPERATIONS_SHOWN_MAX
        receipt = found.receipt
        return TransactionContent(
            **at_head(self._chain.head),
            id=found.id,
            status=found.status,
            transaction=found.transaction,
            receipt=receipt,
            outcome=(
                None if receipt is None else outcome_line(receipt.outcome, showing, operations)
            ),
            operations=_operations(operations[first:stop], first, showing),
            next_operation=stop if stop < len(operations) else None,
            events=[] if receipt is None else _events(receipt.events, showing),
        )

    async def transaction_line(
        self, transaction_id: str, index: int, showing: Showing
    ) -> TransactionLine | None:
        """Return a transaction in a line, if it is in a block and kept."""
        found = await self.transaction_told(transaction_id, index, showing)
        return None if found is None else found[0]

    async def transaction_told(
        self, transaction_id: str, index: int, showing: Showing
    ) -> tuple[TransactionLine, results.TransactionView] | None:
        """Return a transaction in a line and in full, if it is in a block and kept."""
        found = await self._ask(
            self._methods.transaction, params.TransactionParams(id=transaction_id)
        )
        if found.transaction is None or found.receipt is None:
            return None
        operations = found.transaction.operations
        line = TransactionLine(
            index=index,
            id=found.id,
            operations=len(operations),
            first=_operations(operations[:1], 0, showing)[0],
            outcome=outcome_line(found.receipt.outcome, showing, operations),
        )
        return line, found.transaction

    # What the ledger holds.

    async def account(
        self, argument: str, query: Mapping[str, str], showing: Showing
    ) -> AccountContent:
        """Return an account with a page of its holdings, one of its holds and one of its past."""
        try:
            found = await self._ask(
                self._ledger.account, params.AccountParams(address=cut(argument))
            )
        except InvalidParams as error:
            raise PageRefusal(
                400,
                found=argument,
                expected="expected-address",
                values={"example": self.example_address},
                reason=error.message,
            ) from None
        holdings = await self._ask(
            self._ledger.holdings,
            page_params(
                query,
                "holding",
                params.HoldingsParams,
                address=argument,
                limit=ACCOUNT_ROWS_MAX,
            ),
        )
        holds = await self._ask(
            self._ledger.holds,
            page_params(
                query, "hold", params.HoldsParams, address=argument, limit=ACCOUNT_ROWS_MAX
            ),
        )
        return AccountContent(
            **at_head(self._chain.head),
            account=found.account,
            holdings=holdings.holdings,
            next_holding=holdings.next,
            holds=holds.holds,
            next_hold=holds.next,
            past=await self.past.of_account(argument, query, showing, outcome_line),
        )

    async def assets(self, query: Mapping[str, str]) -> ledger_results.AssetsResult:
        """Return a page of the assets."""
        found: ledger_results.AssetsResult = await self._ask(
            self._ledger.assets, page_params(query, "after", params.AssetsParams)
        )
        return found

    async def asset(self, argument: str) -> AssetContent:
        """Return an asset, with its holders by kind and what moved lately."""
        wanted = convert({"asset": argument}, params.AssetParams, argument, "expected-name")
        found = await self._ask(self._ledger.asset, wanted)
        return AssetContent(
            **at_head(self._chain.head),
            asset=found.asset,
            past=await self.past.of_asset(found.asset.asset),
        )

    async def participants(self, query: Mapping[str, str]) -> ParticipantsContent:
        """Return a page of the participants; the first with the offices."""
        page = await self._ask(
            self._ledger.participants, page_params(query, "after", params.ParticipantsParams)
        )
        offices = (
            [] if "after" in query else (await self._ask(self._ledger.offices, NoParams())).offices
        )
        return ParticipantsContent(
            **at_head(self._chain.head),
            offices=offices,
            participants=page.participants,
            next=page.next,
        )

    async def participant(
        self, argument: str, query: Mapping[str, str], showing: Showing
    ) -> ParticipantContent:
        """Return a participant with its licences, its accounts, and a page of its past."""
        wanted = convert(
            {"participant": argument}, params.ParticipantParams, argument, "expected-name"
        )
        found = (await self._ask(self._ledger.participant, wanted)).participant
        deciding = await self._ask(self._methods.validators, params.ValidatorsParams())
        return ParticipantContent(
            **at_head(self._chain.head),
            participant=found,
            licences=[self._licence(found.participant, each) for each in found.licences],
            validator=next(
                (
                    each.name
                    for each in deciding.validators
                    if each.participant == found.participant
                ),
                None,
            ),
            founded=self._founded(found.participant),
            past=await self.past.of_participant(found.participant, query, showing, outcome_line),
        )

    def _founded(self, participant: str) -> list[str]:
        """Return the addresses of the first accounts that the genesis gave a participant."""
        genesis = self._door.services.genesis
        accounts = genesis.ledger.accounts[:FOUNDING_READ_MAX]
        of_it = (each for each in accounts if each.owner == participant)
        return [
            render_address(
                account_address(each.owner, each.policy, each.salt), test=genesis.test_network
            )
            for each in islice(of_it, FOUNDED_SHOWN_MAX)
        ]

    async def licences(self, query: Mapping[str, str]) -> LicencesContent:
        """Return a page of the licences."""
        page = await self._ask(
            self._ledger.licences, page_params(query, "after", params.LicencesParams)
        )
        return LicencesContent(
            **at_head(self._chain.head),
            licences=[self._licence(each.participant, each.licence) for each in page.licences],
            next=page.next,
        )

    def _licence(self, participant: str, licence: ledger_results.LicenceView) -> LicenceLine:
        now = render_time(self._chain.head.time_ms)
        if licence.revoked:
            state = "revoked"
        elif licence.expires is not None and licence.expires <= now:
            state = "expired"
        else:
            state = "active"
        return LicenceLine(participant=participant, state=state, licence=licence)

    async def validators(self) -> ValidatorsContent:
        """Return those who decide the next height, and how they do."""
        found = await self._ask(self._methods.validators, params.ValidatorsParams())
        past = await self._ask(self._methods.validator_history, params.ValidatorHistoryParams())
        deciding = {line.name for line in found.validators}
        former: dict[str, ledger_results.TenureView] = {}
        for each in past.tenures:
            if each.validator not in deciding:
                former.setdefault(each.validator, each)
        return ValidatorsContent(
            **at_head(self._chain.head),
            fault_model=found.fault_model,
            quorum=found.quorum,
            faults_survived=found.faults_survived,
            validators=self._validator_lines(found.validators),
            former=list(former.values())[:ROWS_MAX],
            earlier=past.earlier or len(former) > ROWS_MAX,
        )

    async def validator(self, argument: str) -> ValidatorContent:
        """Return one who decides the next height, or has decided an earlier one, and its last hour.

        Raises:
            NotFound: it never decided anything.
        """
        found = await self._ask(self._methods.validators, params.ValidatorsParams())
        chosen = [each for each in found.validators if each.name == argument]
        wanted = convert(
            {"validator": argument}, params.ValidatorHistoryParams, argument, "expected-name"
        )
        past = await self._ask(self._methods.validator_history, wanted)
        shown = await self.evidence({})
        return ValidatorContent(
            **at_head(self._chain.head),
            name=argument,
            validator=next(iter(self._validator_lines(chosen)), None),
            tenures=past.tenures[:ROWS_MAX],
            earlier=past.earlier or len(past.tenures) > ROWS_MAX,
            hour=[
                ValidatorMinute(
                    time=render_time(minute.minute * MINUTE_MS),
                    blocks=minute.blocks,
                    signed=minute.signed[argument],
                    missed=minute.missed[argument],
                )
                for minute in self._hour.minutes(self._now_ms())
            ],
            evidence=[each for each in shown.evidence if each.validator == argument],
        )

    async def evidence(self, query: Mapping[str, str]) -> results.EvidenceResult:
        """Return a page of the evidence, newest block first."""
        found: results.EvidenceResult = await self._ask(
            self._methods.evidence, page_params(query, "after", params.EvidenceParams)
        )
        return found

    async def rules(self, query: Mapping[str, str]) -> RulesContent:
        """Return a page of the powers; the first with the parameters."""
        powers = await self._ask(
            self._ledger.powers, page_params(query, "after", params.PowersParams)
        )
        parameters = (
            []
            if "after" in query
            else (await self._ask(self._ledger.parameters, NoParams())).parameters
        )
        return RulesContent(
            **at_head(self._chain.head),
            parameters=parameters,
            powers=powers.powers,
            next=powers.next,
        )


def outcome_line(
    outcome: results.OutcomeView, showing: Showing, operations: Sequence[Object] = ()
) -> OutcomeLine:
    """Return an outcome with its sentence in the language of the page.

    Args:
        operations: of the transaction, where they are at hand.
    """
    number = outcome.operation
    asset = operations[number].get("asset") if number is not None and operations else None
    acted_on = asset if isinstance(asset, str) else None
    return OutcomeLine(
        code=outcome.code,
        name=outcome.name,
        applied=outcome.code == 0,
        sentence=showing.outcome(
            outcome.name, outcome.details, outcome.sentence, acted_on
        ).striptags(),
        details=outcome.details,
        operation=outcome.operation,
        acted_on=acted_on,
    )


def parse_height(text: str) -> int:
    """Return a height.

    Raises:
        PageRefusal: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= 1):
        raise PageRefusal(400, found=text, expected="expected-height")
    return int(text)


def _recent_line(block: RecentBlock) -> BlockLine:
    return BlockLine(
        height=block.height,
        id=block.block_id.hex(),
        time=render_time(block.time_ms),
        proposer=block.proposer,
        round=block.round,
        transactions=block.transactions,
        refused=block.refused,
        finality_ms=block.finality_ms,
    )


def _stored_line(block: results.BlockResult) -> BlockLine:
    return BlockLine(
        height=block.header.height,
        id=block.id,
        time=block.header.time,
        proposer=block.header.proposer,
        round=block.header.round,
        transactions=block.header.transaction_count,
        refused=None,
        finality_ms=None,
    )


def _operations(operations: Sequence[Object], first: int, showing: Showing) -> list[Sentence]:
    return [
        Sentence(number=number, sentence=showing.operation(each).striptags(), fields=each)
        for number, each in enumerate(operations, first)
    ]


def _events(events: Sequence[Object], showing: Showing, first: int = 0) -> list[Sentence]:
    return [
        Sentence(number=number, sentence=showing.event(each).striptags(), fields=each)
        for number, each in enumerate(events[:EVENTS_SHOWN_MAX], first)
    ]
