"""`khazana participant`: who a person is, asked of a node and said by a registrar."""

from pathlib import Path

from node.cli.exits import Exit
from node.ledger.operations import OpenAccount, RegisterParticipant
from node.ledger.policies import single_signer
from node.ledger.tables import ParticipantKind
from node.provision.acts import document_hash
from tests.chain.town import SALT, key
from tests.cli.asked import ask
from tests.cli.market import AUCTION, REGULATOR, Market, market_at
from tests.cli.running import Ran

ZARA = "zara"


async def identify(market: Market, name: str, *words: str) -> Ran:
    regulator = ("--account", market.address("virtual-asset-regulator", "virtual-asset-regulator"))
    signing = market.signing("virtual-asset-regulator")
    return await ask(market.solo, "participant", "identify", name, *words, *regulator, *signing)


async def test_person_bids_once_it_is_identified_and_under_one_name(tmp_path: Path) -> None:
    async with market_at(tmp_path) as market:
        registered = RegisterParticipant(
            account=REGULATOR,
            approvers=(),
            participant=ZARA,
            kind=ParticipantKind.PERSON,
            jurisdiction="PK",
            lei=None,
            file_commitment=bytes(32),
        )
        opened = OpenAccount(
            account=REGULATOR,
            approvers=(),
            owner=ZARA,
            policy=single_signer(key(ZARA).public_key),
            salt=SALT,
        )
        await market.decide(registered, opened, by=("virtual-asset-regulator",))
        await market.go_to(1)
        bid = ("bid", AUCTION, "--account", market.address(ZARA, ZARA), "--face", "1000")
        token_of_amina = document_hash("token of amina").hex()

        unknown = await market.run(*bid, by=ZARA)
        both = await identify(market, ZARA)
        second = await identify(market, ZARA, "--token", token_of_amina)
        own = await identify(market, ZARA, "--token", document_hash("token of zara").hex())
        again = await identify(market, ZARA, "--withdraw")
        taken = await market.run(*bid, by=ZARA)
        shown = await ask(market.solo, "query", "participant", ZARA)

    assert unknown.code == Exit.REFUSED
    assert "BIDDER_NOT_IDENTIFIED" in unknown.err
    assert both.code == Exit.USAGE
    assert second.code == Exit.REFUSED
    assert "registered already, as amina" in second.err
    assert own.code == Exit.OK, own.err
    assert again.code == Exit.REFUSED
    assert "OFFICES_MISSING" in again.err
    assert taken.code == Exit.OK, taken.err
    assert "virtual-asset-regulator" in shown.out
    assert token_of_amina not in shown.out
