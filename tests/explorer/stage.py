"""A chain with something of everything on it, behind a real node with its pages.

What the pages are looked at with, by tests and by people: transfers, one refused, a bill with an
ISIN, what a state owes, licences in each state, a hold, an account on hold, an open proposal, a
double signature. The text fields that participants control hold what `MARK` says wherever the
ledger lets it through.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from consensus.evidence import Equivocation
from node.blocks import encode_evidence
from node.codec import Record, encode, replace
from node.explorer import Explorer
from node.explorer.development import Desk
from node.genesis import GenesisRecord
from node.index.database import Database
from node.ledger.acts.assets.define_asset import DefineAsset
from node.ledger.operations import (
    GrantLicence,
    HoldAccount,
    Issue,
    OpenAccount,
    PlaceHold,
    Propose,
    RegisterParticipant,
    RevokeLicence,
    SetParameter,
    Transfer,
)
from node.ledger.policies import single_signer
from node.ledger.tables import Activity, LicencePhase, ParticipantKind
from node.ledger.transactions import transaction_id
from node.provision.acts import define_bill
from node.rpc import RpcLimits
from tests.chain.town import BANK, CASH, SALT, address_of, key, make_record
from tests.explorer.marking import MARK, SHORT_MARK
from tests.explorer.owing import BOND, RUNNING, SOLD, owe
from tests.rpc.solo import Solo, solo_node

BILL: Final = "MTB-3M-574"
ISIN: Final = "PKTB0574M033"
LEI: Final = "5493001KJTIIGC8Y1R12"
EXCHANGE: Final = "indus-exchange"
OFFICES: Final = ("central-bank", "finance-ministry", "virtual-asset-regulator")

CENTRAL, MINISTRY, REGULATOR = (address_of(office, office) for office in OFFICES)


@dataclass
class Stage:
    """The node, and the names of what is on its chain."""

    solo: Solo
    paid: str
    """Id of a transfer that was applied."""
    refused: str
    """Id of a transfer that was refused."""
    joint: str
    """Id of a transaction of several operations."""
    strange: str
    """Id of a refused registration whose every text is markup."""
    proposal: str
    evidence_height: int
    holder: str
    """Address of an account with a hold and a holding."""

    @property
    def paths(self) -> dict[str, str]:
        """A path of every kind of page, by its name."""
        return {
            "overview": "/",
            "hour": "/hour",
            "blocks": "/blocks",
            "block": "/blocks/3",
            "block-evidence": f"/blocks/{self.evidence_height}",
            "transaction": f"/transactions/{self.joint}",
            "transaction-paid": f"/transactions/{self.paid}",
            "transaction-refused": f"/transactions/{self.refused}",
            "transaction-strange": f"/transactions/{self.strange}",
            "transaction-unknown": f"/transactions/{'0' * 64}",
            "account": f"/accounts/{self.holder}",
            "account-held": f"/accounts/{self.solo.address('a1')}",
            "assets": "/assets",
            "asset": f"/assets/{BILL}",
            "securities": "/securities",
            "security": f"/securities/{BOND}",
            "auctions": "/auctions",
            "auction": f"/auctions/{SOLD}",
            "auction-running": f"/auctions/{RUNNING}",
            "participants": "/participants",
            "participant": f"/participants/{EXCHANGE}",
            "licences": "/licences",
            "proposals": "/proposals",
            "proposal": f"/proposals/{self.proposal}",
            "validators": "/validators",
            "validator": "/validators/central-bank",
            "evidence": "/evidence",
            "rules": "/rules",
            "verify": "/verify",
            "search": "/search?q=nothing+of+the+kind",
            "refusal": "/blocks/99999",
        }

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page, redirects not followed."""
        async with self.solo.session.get(self.solo.url + path, allow_redirects=False) as response:
            return response.status, await response.text()


@contextlib.asynccontextmanager
async def stage(
    *,
    limits: RpcLimits | None = None,
    validators: int = 1,
    index: Path | None = None,
    desk: Desk | None = None,
) -> AsyncIterator[Stage]:
    """Run the node with everything on its chain; all of it is in the index, if it has one."""
    async with solo_node(
        limits=limits,
        settled=False,
        record=make_record(validators=validators, protocol_version=3),
        pages=partial(Explorer, desk=desk),
        index=index,
    ) as solo:
        shown = await populate(solo)
        if index is not None:
            await solo.indexed()
        yield shown


@contextlib.asynccontextmanager
async def plain(
    *, index: Path | Database | None = None, record: GenesisRecord | None = None
) -> AsyncIterator[Stage]:
    """Run the node on a chain of two blocks, three accounts and an asset."""
    async with solo_node(pages=Explorer, index=index, record=record) as solo:
        yield Stage(
            solo=solo,
            paid="",
            refused="",
            joint="",
            strange="",
            proposal="",
            evidence_height=0,
            holder=solo.address("a0"),
        )


async def populate(solo: Solo, *, accounts: int = 3) -> Stage:
    """Put something of everything on the chain, seen by the pages as it comes."""
    await solo.town.settle(accounts)
    joint = await apply(solo, _bill(), ["finance-ministry", "central-bank"], memo=MARK)
    await apply(solo, _licensees(), ["central-bank"])
    await apply(solo, _licences(), ["virtual-asset-regulator"])
    await apply(solo, _holds(), ["central-bank"])
    paid = await apply(solo, [_transfer("a0", "a2", 12_550)], ["a0"], memo="for the harvest")
    refused = await apply(solo, [_transfer("a2", "a0", 10**12)], ["a2"])
    strange = await apply(solo, [_strange()], ["central-bank"])
    proposal = Propose(
        account=CENTRAL,
        operations=encode(
            (SetParameter(account=CENTRAL, approvers=(), parameter="proposals-open-max", value=32),)
        ),
        expires_ms=solo.town.clock.now_ms() + 86_400_000,
    )
    await apply(solo, [proposal], ["central-bank"])
    votes = [solo.town.vote("central-bank", 1, bytes([number]) * 32) for number in (1, 2)]
    evidence = encode_evidence(Equivocation(first=votes[0], second=votes[1]))
    await solo.town.decide(evidence=[evidence])
    evidence_height = solo.town.chain.head.height
    await owe(solo, MARK)
    (opened,) = (await solo.call("khz_proposals"))["proposals"]
    return Stage(
        solo=solo,
        paid=paid,
        refused=refused,
        joint=joint,
        strange=strange,
        proposal=opened["id"],
        evidence_height=evidence_height,
        holder=solo.address("a0"),
    )


async def apply(
    solo: Solo, operations: Sequence[Record], signers: Sequence[str], *, memo: str = ""
) -> str:
    """Decide a block of one transaction; return its id."""
    town = solo.town
    body = replace(town.body(operations, signers), memo=memo)
    committed = await town.decide(town.sign(body, signers))
    (identifier,) = committed.candidate.transaction_ids
    assert identifier == transaction_id(town.genesis.hash, encode(body))
    return identifier.hex()


def _bill() -> list[Record]:
    definition = define_bill(
        account=MINISTRY,
        approvers=(CENTRAL,),
        asset=BILL,
        name="Market treasury bill, 84 days " + MARK,
        isin=ISIN,
        issued=date(2020, 9, 10),
        matures=date(2020, 12, 3),
        multiple=500_000,
        ceiling=2_460_000_000_00,
    )
    assert isinstance(definition, DefineAsset)
    issue = Issue(
        account=MINISTRY, approvers=(CENTRAL,), asset=BILL, amount=1_845_000_000_00, to=MINISTRY
    )
    return [
        definition,
        issue,
        Transfer(account=MINISTRY, to=address_of(BANK, "a0"), asset=BILL, amount=500_000_000_00),
    ]


def _licensees() -> list[Record]:
    register = RegisterParticipant(
        account=CENTRAL,
        approvers=(),
        participant="karakoram-bank",
        kind=ParticipantKind.BANK,
        jurisdiction="PK",
        lei=LEI,
        file_commitment=bytes(range(32)),
    )
    return [
        register,
        replace(register, participant="chenab-bank", lei=None),
        OpenAccount(
            account=CENTRAL,
            approvers=(),
            owner="karakoram-bank",
            policy=single_signer(key("karakoram").public_key),
            salt=SALT,
        ),
    ]


def _licences() -> list[Record]:
    company = RegisterParticipant(
        account=REGULATOR,
        approvers=(),
        participant=EXCHANGE,
        kind=ParticipantKind.COMPANY,
        jurisdiction="PK",
        lei=None,
        file_commitment=bytes(range(32)),
    )
    grant = GrantLicence(
        account=REGULATOR,
        approvers=(),
        participant=EXCHANGE,
        activity=Activity.EXCHANGE,
        phase=LicencePhase.PROVISIONAL,
        expires_ms=None,
    )
    return [
        company,
        grant,
        replace(grant, activity=Activity.CUSTODY, phase=LicencePhase.FULL),
        RevokeLicence(
            account=REGULATOR,
            approvers=(),
            participant=EXCHANGE,
            activity=Activity.CUSTODY,
            reason=MARK,
            legal_reference="VAA-2026/17",
        ),
    ]


def _holds() -> list[Record]:
    return [
        PlaceHold(
            account=CENTRAL,
            approvers=(),
            holder=address_of(BANK, "a0"),
            asset=CASH,
            amount=250_000,
            reason=MARK,
            legal_reference="C-1/2026",
            expires_ms=None,
        ),
        HoldAccount(
            account=CENTRAL,
            approvers=(),
            target=address_of(BANK, "a1"),
            reason=MARK,
            legal_reference=MARK,
        ),
    ]


def _strange() -> RegisterParticipant:
    """Return a registration that the rules refuse, with markup wherever text can be."""
    return RegisterParticipant(
        account=CENTRAL,
        approvers=(),
        participant=SHORT_MARK,
        kind=ParticipantKind.BANK,
        jurisdiction=MARK,
        lei=MARK,
        file_commitment=bytes(32),
    )


def _transfer(sender: str, receiver: str, amount: int) -> Transfer:
    return Transfer(
        account=address_of(BANK, sender), to=address_of(BANK, receiver), asset=CASH, amount=amount
    )
