"""Pages stay small whatever participants write: every field of every operation at its longest."""

import json
import types
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from node.chain.receipts import BlockReceipts, encode_block_receipts
from node.cli.asking import grouped
from node.codec import Record, encode
from node.explorer.catalogues import LANGUAGES, catalogues
from node.explorer.contents import (
    AccountContent,
    AccountPast,
    BlockContent,
    HistoryLine,
    OutcomeLine,
    ProposalContent,
    ProposalPast,
    SearchContent,
    TextLine,
    TransactionContent,
    TransactionLine,
    ValidatorContent,
    ValidatorLine,
    ValidatorMinute,
    ValidatorsContent,
    WrittenLine,
)
from node.explorer.explorer import Asked, Explorer
from node.explorer.face import Face
from node.explorer.limits import (
    ACCOUNT_ROWS_MAX,
    BLOCKS_READ_BYTES_MAX,
    EVENTS_SHOWN_MAX,
    FIELDS_BYTES_MAX,
    FIELDS_SHOWN_MAX,
    HISTORY_SHOWN_MAX,
    MATCHES_MAX,
    NESTED_SHOWN_MAX,
    OPERATIONS_SHOWN_MAX,
    PAGE_BYTES_MAX,
    PARTICIPANT_CALLS_MAX,
    PROPOSAL_PAST_SHOWN_MAX,
    PROPOSALS_SHOWN_MAX,
    PROPOSED_SHOWN_MAX,
    QUERY_MAX,
    ROWS_MAX,
    TEXT_SHOWN_MAX,
    TEXTS_SHOWN_MAX,
    TRANSACTIONS_SHOWN_MAX,
    WRITTEN_SHOWN_MAX,
)
from node.explorer.reading import _events, _operations, outcome_line
from node.explorer.refusals import PageRefusal
from node.explorer.showing import AMOUNTS, Showing, cut
from node.explorer.written import written
from node.ledger.catalogue import ACTS
from node.ledger.events import Issued
from node.ledger.operations import RegisterParticipant, SetParameter
from node.ledger.outcomes import Outcome
from node.ledger.tables import VALIDATORS_MAX, ParticipantKind
from node.rpc import ledger_results, params, results
from node.rpc.errors import JsonValue
from node.rpc.indexed import ChangeView
from node.rpc.ledger_results import SetChangeView, TenureView
from node.rpc.node_results import AmendmentView
from node.rpc.results import Object, at_head
from node.storage import layout
from tests.chain.town import CASH
from tests.explorer.reading_html import Parsed
from tests.explorer.stage import Stage, plain
from tests.rpc.solo import BANK, address_of
from tests.rpc.test_rendering import AMOUNTS as RENDERED_AMOUNTS

QUOTE = '"'
"""The character that grows most when it is escaped: five bytes each."""
ENDLESS = 60_000
"""Of a text without a bound of its own: what fits into the largest transaction."""


def longest(hint: Any) -> Any:
    """A value of a field's type that takes as much room as the type lets through."""
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    length = next((meta.max_length for meta in metas if meta.max_length), None)
    if get_origin(bare) in (Union, types.UnionType):
        members = [member for member in get_args(bare) if member is not type(None)]
        return longest(members[-1])
    if get_origin(bare) is tuple:
        inner = get_args(bare)
        if inner[-1] is Ellipsis:
            return tuple(longest(inner[0]) for _ in range(min(length or 100, 100)))
        return tuple(longest(item) for item in inner)
    if issubclass(bare, Enum):
        return list(bare)[-1]
    if issubclass(bare, bytes):
        return b"\xfe" * (length or ENDLESS)
    if issubclass(bare, Record):
        hints = get_type_hints(bare, include_extras=True)
        return bare(**{name: longest(inner) for name, inner in hints.items()})
    if issubclass(bare, str):
        return QUOTE * (length or ENDLESS)
    if bare is bool:
        return True
    return next((meta.le for meta in metas if meta.le is not None), 2**63 - 1)


def explorer_of(shown: Stage) -> Explorer:
    pages = shown.solo.server._pages
    assert isinstance(pages, Explorer)
    return pages


def rendered(shown: Stage, template: str, content: msgspec.Struct, language: str) -> str:
    explorer = explorer_of(shown)
    asked = Asked(
        catalogue=catalogues()[language],
        name=f"{template}s",
        argument="0" * 64,
        query={},
        as_json=False,
    )
    return explorer._render(template, asked, explorer._face(asked), content=content, title="t")


def test_number_keeps_its_sign_and_its_thousands_apart() -> None:
    """A margin of a quarter below nothing has a whole part of -0, which is 0 to Python."""
    showing = Showing(catalogues()["en"], "")
    for value, shown in (("-0.2500", "-0.2500"), ("-1234.5", "-1,234.5"), ("1234.50", "1,234.50")):
        assert f">{shown}<" in showing.number(value)
        assert grouped(value) == shown


def transaction_content(
    shown: Stage, operations: Sequence[Record], showing: Showing
) -> TransactionContent:
    """A refused transaction of these operations, with all it can have beside them."""
    views = explorer_of(shown)._door.views
    objects = [views.renderer.record(each) for each in operations]
    details = tuple((name, QUOTE * ENDLESS) for name in ("found", "expected", "field", "scheme"))
    outcome = views.outcome(Outcome.IDENTIFIER_TAKEN, details, 0)
    event = {"type": "made_up", "reason": QUOTE * 140, "legal_reference": QUOTE * 140}
    head = at_head(shown.solo.town.chain.head)
    return TransactionContent(
        **head,
        id="0" * 64,
        status="final",
        transaction=results.TransactionView(
            id="0" * 64,
            valid_until=head["time"],
            signers=["f" * 64] * 16,
            operations=objects,
            memo=QUOTE * 140,
            size_bytes=1,
        ),
        receipt=results.ReceiptView(
            height=1,
            index=0,
            time=head["time"],
            outcome=outcome,
            events=[event] * 100,
        ),
        outcome=outcome_line(outcome, showing),
        operations=_operations(objects[:OPERATIONS_SHOWN_MAX], 0, showing),
        next_operation=OPERATIONS_SHOWN_MAX,
        events=_events([event] * 100, showing),
    )


async def test_a_transaction_of_the_longest_operations_is_a_small_page() -> None:
    """In Urdu, whose letters take two bytes each."""
    async with plain() as shown:
        showing = Showing(catalogues()["ur"], "")
        for act in ACTS:
            operation = longest(act.operation)
            if act.name == "propose":
                operation = type(operation)(
                    account=address_of(BANK, "a0"),
                    operations=encode(
                        (
                            SetParameter(
                                account=address_of(BANK, "a0"),
                                approvers=(),
                                parameter=QUOTE * 32,
                                value=1,
                            ),
                        )
                        * 100
                    ),
                    expires_ms=operation.expires_ms,
                )
            content = transaction_content(shown, [operation] * 100, showing)

            html = rendered(shown, "transaction", content, "ur")

            assert Parsed(html).faults == [], act.name
            assert len(html.encode()) < PAGE_BYTES_MAX, act.name


async def test_a_block_of_the_longest_transactions_is_a_small_page() -> None:
    async with plain() as shown:
        showing = Showing(catalogues()["en"], "")
        views = explorer_of(shown)._door.views
        door = explorer_of(shown)._door
        block = await door.ask(
            door.methods.block, params.BlockParams(height=1, transactions="none")
        )
        names = [QUOTE * 32] * VALIDATORS_MAX
        certificate = results.CertificateView(
            height=1,
            round=0,
            block_id="0" * 64,
            signatures=[
                results.SignatureView(validator=name, signature="f" * 128) for name in names
            ],
        )
        for act in ACTS:
            operation = views.renderer.record(longest(act.operation))
            content = transaction_content(shown, [longest(act.operation)], showing)
            line = _line(operation, content, showing)
            page = BlockContent(
                **at_head(shown.solo.town.chain.head),
                block=msgspec.structs.replace(block, certificate=certificate),
                transactions=[line] * TRANSACTIONS_SHOWN_MAX,
                events=[],
            )

            assert len(rendered(shown, "block", page, "en").encode()) < PAGE_BYTES_MAX, act.name


async def test_a_search_that_finds_the_longest_transactions_is_a_small_page() -> None:
    async with plain() as shown:
        showing = Showing(catalogues()["en"], "")
        renderer = explorer_of(shown)._door.views.renderer
        for act in ACTS:
            operations = [renderer.record(longest(act.operation))]
            content = transaction_content(shown, [longest(act.operation)], showing)
            long = WrittenLine(field="noncompetitive_kinds", text="b" + QUOTE * TEXT_SHOWN_MAX)
            text = TextLine(
                kind="transactions",
                name="0" * 64,
                height=2**60,
                text="b",
                written=[long] * WRITTEN_SHOWN_MAX,
                line=_line(operations[0], content, showing),
            )
            page = SearchContent(
                **at_head(shown.solo.town.chain.head),
                query="b",
                matches=[],
                more=True,
                texts=[text] * TEXTS_SHOWN_MAX,
                next=f"{2**60}-1000",
            )

            for language in LANGUAGES:
                html = rendered(shown, "search", page, language)
                assert len(html.encode()) < PAGE_BYTES_MAX, act.name


def test_fields_that_have_a_word_are_shown_up_to_a_bound() -> None:
    operations: list[Object] = [{"type": "x", "name": f"b{number}"} for number in range(9)]

    found = written("b", [operations[0], *operations], "B")

    assert [each.text for each in found] == ["b", "b0", "b1", "b2"][:WRITTEN_SHOWN_MAX]


async def test_a_proposal_of_the_longest_operations_is_a_small_page() -> None:
    async with plain() as shown:
        showing = Showing(catalogues()["en"], "")
        approved: dict[str, JsonValue] = {
            "type": "approved",
            "proposal": "0" * 64,
            "participant": QUOTE * 32,
        }
        line = HistoryLine(
            cursor="999999999-9999",
            height=999_999_999,
            time="2026-11-26T00:00:00.000Z",
            transaction="f" * 64,
            sentence="",
            event=approved,
            outcome=None,
            changes=[],
        )
        past = ProposalPast(
            lines=[line] * PROPOSAL_PAST_SHOWN_MAX, more=True, from_height=2, behind=21
        )
        views = explorer_of(shown)._door.views
        for act in ACTS:
            operation = views.renderer.record(longest(act.operation))
            proposal = ledger_results.ProposalView(
                id="0" * 64,
                proposer=shown.holder,
                operations=[operation] * 100,
                approvals=[shown.holder] * 16,
                expires="2026-11-26T00:00:00.000Z",
            )
            head = at_head(shown.solo.town.chain.head)
            one = ProposalContent(
                **head,
                id=proposal.id,
                state="open",
                proposal=proposal,
                proposer=QUOTE * 32,
                approvals=[QUOTE * 32] * PROPOSAL_PAST_SHOWN_MAX,
                expires=proposal.expires,
                operations=_operations(proposal.operations[:OPERATIONS_SHOWN_MAX], 0, showing),
                operations_kept=True,
                next_operation=OPERATIONS_SHOWN_MAX,
                past=past,
            )
            several = ledger_results.ProposalsResult(
                **head, proposals=[proposal] * PROPOSALS_SHOWN_MAX, next="0" * 64
            )

            for template, content in (("proposal", one), ("proposals", several)):
                html = rendered(shown, template, content, "en")
                assert len(html.encode()) < PAGE_BYTES_MAX, f"{template} {act.name}"


def test_what_an_operation_proposes_is_shown_up_to_a_bound() -> None:
    nested: JsonValue = [
        {"type": "set_parameter", "account": "a", "parameter": "validators-min", "value": number}
        for number in range(PROPOSED_SHOWN_MAX + 2)
    ]
    for language in LANGUAGES:
        catalogue = catalogues()[language]
        face = Face(catalogue, path=(), query={}, node="", height=1, ready=True, network_note=None)

        shown = list(face.proposed({"type": "propose", "operations": nested}))

        assert len(shown) == PROPOSED_SHOWN_MAX + 1
        assert catalogue.text("parameter-validators-min") in shown[0]
        assert shown[-1] == catalogue.text("and-more", count=2)
        assert list(face.proposed({"type": "transfer", "operations": nested})) == []


async def test_an_account_with_the_longest_holds_is_a_small_page() -> None:
    async with plain() as shown:
        showing = Showing(catalogues()["ur"], "")
        account = await explorer_of(shown)._reading.account(shown.holder, {}, showing)
        hold = ledger_results.HoldView(
            id="f" * 64,
            asset=QUOTE * 32,
            amount="184467440737095516.15",
            reason=QUOTE * 140,
            legal_reference=QUOTE * 140,
            expires="2026-11-26T00:00:00.000Z",
            placed_by=QUOTE * 32,
        )
        holding = ledger_results.HoldingView(
            asset=QUOTE * 32, decimals=2, available="1.00", held="1.00", total="2.00"
        )
        told = dict.fromkeys(("name", "reason", "legal_reference"), QUOTE * 140)
        line = HistoryLine(
            cursor="9" * 18 + "-99999",
            height=10**9,
            time=account.time,
            transaction="f" * 64,
            sentence=QUOTE * ENDLESS,
            event={"type": "made_up", **told},
            outcome=None,
            changes=[ChangeView(asset=QUOTE * 32, amount="-18446744073709551615")] * 3,
        )
        content = AccountContent(
            **at_head(shown.solo.town.chain.head),
            account=account.account,
            holdings=[holding] * ACCOUNT_ROWS_MAX,
            next_holding=QUOTE * 32,
            holds=[hold] * ACCOUNT_ROWS_MAX,
            next_hold="f" * 64,
            past=AccountPast(
                lines=[line, refused(line)] * (HISTORY_SHOWN_MAX // 2),
                next="9" * 18 + "-99999",
                from_height=10**9,
                behind=10**9,
            ),
        )

        assert len(rendered(shown, "account", content, "ur").encode()) < PAGE_BYTES_MAX


def refused(line: HistoryLine) -> HistoryLine:
    outcome = OutcomeLine(
        code=1,
        name="N" * 32,
        applied=False,
        sentence=QUOTE * ENDLESS,
        details={},
        operation=0,
        acted_on=None,
    )
    return msgspec.structs.replace(line, event=None, sentence=None, outcome=outcome)


AMENDED: Final = SetChangeView(
    by="amendment",
    height=10**9,
    block=None,
    amendment=AmendmentView(serial=255, id="f" * 64, height=10**9, reason=QUOTE * ENDLESS),
)
TENURE: Final = TenureView(
    validator="v" * 32,
    public_key="f" * 64,
    from_height=10**9,
    to_height=10**9,
    begun=AMENDED,
    ended=AMENDED,
)


async def test_a_hundred_validators_are_a_small_page() -> None:
    async with plain() as shown:
        line = ValidatorLine(
            name="v" * 32,
            participant="p" * 32,
            public_key="f" * 64,
            last_signed=10**9,
            last_proposed=10**9,
            signed=72_000,
            blocks=72_000,
            missed=72_000,
        )
        content = ValidatorsContent(
            **at_head(shown.solo.town.chain.head),
            fault_model="byzantine",
            quorum=67,
            faults_survived=33,
            validators=[line] * VALIDATORS_MAX,
            former=[TENURE] * ROWS_MAX,
            earlier=True,
        )
        one = ValidatorContent(
            **at_head(shown.solo.town.chain.head),
            name=TENURE.validator,
            validator=line,
            tenures=[TENURE] * ROWS_MAX,
            earlier=True,
            hour=[ValidatorMinute(time="2026-11-27T12:00:00.000Z", blocks=1, signed=1, missed=0)]
            * 60,
            evidence=[],
        )

        assert len(rendered(shown, "validators", content, "ur").encode()) < PAGE_BYTES_MAX
        assert len(rendered(shown, "validator", one, "ur").encode()) < PAGE_BYTES_MAX


def test_values_are_cut_and_what_steers_is_shown() -> None:
    showing = Showing(catalogues()["en"], "")

    assert len(cut("x" * 1_000)) == TEXT_SHOWN_MAX + 1
    assert showing.value("reason", "x" * 1_000).count("x") == TEXT_SHOWN_MAX
    many = [str(number) for number in range(1_000)]
    assert showing.value("names", many).count(",") == FIELDS_SHOWN_MAX - 1  # type: ignore[arg-type]
    nested = showing.value("operations", [{"a": "x" * 10_000}])
    assert nested.count("x") <= NESTED_SHOWN_MAX
    assert "\u202e" not in showing.value("reason", "abc\u202edef")
    assert "\\u202e" in showing.value("reason", "abc\u202edef")
    assert "\x00" not in showing.value("reason", "\x00")
    # What joins the letters of Urdu is no steering.
    assert "\u200c" in showing.value("reason", "می\u200cہے")


def test_amounts_have_their_thousands_apart_and_what_people_wrote_is_as_they_wrote_it() -> None:
    assert RENDERED_AMOUNTS - {"found"} <= AMOUNTS
    showing = Showing(catalogues()["en"], "")

    assert showing.value("withheld", "1250000.50") == '<bdi class="number">1,250,000.50</bdi>'
    for name in ("reason", "found", "memo", "series"):
        assert showing.value(name, "1250000") == "<bdi>1250000</bdi>"


async def test_an_operation_of_many_long_fields_is_shown_in_part() -> None:
    async with plain() as shown:
        explorer = explorer_of(shown)
        asked = Asked(
            catalogue=catalogues()["en"], name="blocks", argument="1", query={}, as_json=False
        )
        fields = {f"field_{number:02}": QUOTE * 1_000 for number in range(30)}

        rows = list(explorer._face(asked).fields(fields))

        assert sum(len(value.encode()) for _, value in rows[:-1]) <= FIELDS_BYTES_MAX
        assert [name for name, _ in rows[:-1]] == sorted(fields)[: len(rows) - 1]
        assert rows[-1][0] == "…"


async def test_a_query_is_read_up_to_a_bound() -> None:
    async with plain() as shown:
        status, html = await shown.get("/search?q=" + "x" * 4_000)

        assert status == 400
        assert f"at most {QUERY_MAX} characters" in html
        assert len(html.encode()) < 10_000


async def test_search_for_a_part_that_many_have_says_that_there_are_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with plain() as shown:
        town = shown.solo.town
        banks = [
            RegisterParticipant(
                account=address_of("central-bank", "central-bank"),
                approvers=(),
                participant=f"many-{number:02}",
                kind=ParticipantKind.BANK,
                jurisdiction="PK",
                lei=None,
                file_commitment=bytes(32),
            )
            for number in range(MATCHES_MAX + 1)
        ]
        await town.decide(town.sign(town.body(banks, ["central-bank"]), ["central-bank"]))

        found = json.loads((await shown.get("/search.json?q=any"))[1])
        assert [each["name"] for each in found["matches"]] == [
            each.participant for each in banks[:MATCHES_MAX]
        ]
        assert found["more"]
        more = catalogues()["en"].text("search-more")
        assert more in (await shown.get("/search?q=any"))[1]
        assert more not in (await shown.get("/search?q=many-1"))[1]

        # Beyond the pages that are looked through there are those that begin with it.
        monkeypatch.setattr("node.explorer.searching.PARTICIPANT_CALLS_MAX", 0)
        assert json.loads((await shown.get("/search.json?q=any"))[1])["matches"] == []
        found = json.loads((await shown.get("/search.json?q=many-1"))[1])
        assert [each["name"] for each in found["matches"]] == [f"many-1{n}" for n in range(10)]
        assert PARTICIPANT_CALLS_MAX > 0


@pytest.mark.parametrize(
    "bounds",
    [
        {"BLOCKS_READ_BYTES_MAX": 0},
        {"BLOCKS_READ_BYTES_SURE": 0, "BLOCKS_READ_MS_MAX": 0},
    ],
)
async def test_a_list_of_large_blocks_ends_early(
    monkeypatch: pytest.MonkeyPatch, bounds: dict[str, int]
) -> None:
    """Blocks from before the start are read from the store; as many as the bounds let through."""
    for name, bound in bounds.items():
        monkeypatch.setattr(f"node.explorer.reading.{name}", bound)
    async with plain() as shown:
        content = await explorer_of(shown)._reading.blocks({})

        assert BLOCKS_READ_BYTES_MAX > 0
        assert [block.height for block in content.blocks] == [2]
        assert content.older == 2
        rest = await explorer_of(shown)._reading.blocks({"before": "2"})
        assert [block.height for block in rest.blocks] == [1]
        assert rest.older is None


async def test_a_block_with_thousands_of_events_shows_them_by_pages_and_a_list_reads_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with plain() as shown:
        events = [
            Issued(asset=CASH, amount=100 * number, to=bytes(20), supply=0)
            for number in range(5_000)
        ]
        stored = shown.solo.town.chain.history.receipts(1)
        assert stored is not None
        shown.solo.town.store.write(
            [
                (
                    layout.receipts_key(1),
                    encode_block_receipts(list(stored.receipts), encode(tuple(events))),
                )
            ],
            sync=False,
        )
        showing = Showing(catalogues()["en"], "")
        reading = explorer_of(shown)._reading
        first = await reading.block("1", {}, showing)
        last = await reading.block("1", {"event": "4990"}, showing)
        html = rendered(shown, "block", first, "en")

        assert [line.number for line in first.events] == list(range(EVENTS_SHOWN_MAX))
        assert [line.number for line in last.events] == list(range(4_990, 5_000))
        assert len(first.block.events) == len(first.events)
        assert (first.block.next_event, last.block.next_event) == (EVENTS_SHOWN_MAX, None)
        assert f"?event={EVENTS_SHOWN_MAX}" in html
        assert "4,999" in rendered(shown, "block", last, "en")
        with pytest.raises(PageRefusal):
            await reading.block("1", {"event": "-1"}, showing)

        def decoded(_: BlockReceipts) -> None:
            raise AssertionError("a list of blocks decodes what happened in them")

        monkeypatch.setattr(BlockReceipts, "block_events", decoded)
        content = await reading.blocks({})
        assert [block.height for block in content.blocks] == [2, 1]


def _line(operation: Any, content: TransactionContent, showing: Showing) -> TransactionLine:
    assert content.outcome is not None
    return TransactionLine(
        index=0,
        id="0" * 64,
        operations=100,
        first=_operations([operation], 0, showing)[0],
        outcome=content.outcome,
    )
