"""Amendments of a town's validator set: two of four have lost their keys, the others go on."""

from collections.abc import Sequence
from dataclasses import replace as with_changes

from node.chain import Chain
from node.genesis import AMENDMENT_FORMAT, Amendment, AmendmentBody, amendment_of, signed_by
from node.keys import LocalSigner
from node.ledger.tables import RulingKey, ValidatorRecord
from tests.chain.town import Town, key, make_town, validator_record

CENTRAL, MINISTRY, COUNCIL, REGULATOR = (
    "central-bank",
    "finance-ministry",
    "crypto-council",
    "virtual-asset-regulator",
)
SURVIVORS = (CENTRAL, REGULATOR)
LOST = (COUNCIL, MINISTRY)
REASON = "two keys destroyed; decided by all four"


def signer_of(name: str, generation: int = 0) -> LocalSigner:
    return key(f"{name}/consensus/{generation}")


def new_records() -> list[ValidatorRecord]:
    """Those who lost their keys, with new ones."""
    return [validator_record(name, 1) for name in LOST]


def body_of(
    town: Town,
    *,
    height: int | None = None,
    block_id: bytes | None = None,
    serial: int = 1,
    survivors: Sequence[str] = SURVIVORS,
    added: Sequence[ValidatorRecord] | None = None,
) -> AmendmentBody:
    present = {each.name: each for each in town.chain.validator_records}
    validators = [
        *(present[name] for name in survivors),
        *(new_records() if added is None else added),
    ]
    return AmendmentBody(
        format=AMENDMENT_FORMAT,
        genesis_hash=town.genesis.hash,
        serial=serial,
        height=town.chain.head.height if height is None else height,
        block_id=town.chain.head.block_id if block_id is None else block_id,
        survivors=tuple(
            RulingKey(name=name, public_key=present[name].public_key) for name in sorted(survivors)
        ),
        validators=tuple(sorted(validators, key=lambda each: each.name)),
        reason=REASON,
    )


def signed(town: Town, body: AmendmentBody | None = None) -> Amendment:
    """The amendment, signed by all who have to."""
    body = body_of(town) if body is None else body
    amendment = amendment_of(body)
    for each in body.survivors:
        amendment = signed_by(amendment, town.signer(each.name))
    for validator in body.validators:
        for generation in range(3):
            signer = signer_of(validator.name, generation)
            if signer.public_key == validator.public_key:
                amendment = signed_by(amendment, signer)
    return amendment


def amended(town: Town, amendment: Amendment) -> Town:
    """The town on the same store, with an amendment installed that its chain stands before."""
    genesis = town.genesis.amended((*town.genesis.amendments, amendment))
    chain = Chain.open(town.store, genesis)
    town = with_changes(town, genesis=genesis, chain=chain)
    town.admission = type(town.admission)(chain, town.pool, town.clock)
    for name in LOST:
        town.generations[name] = max(1, town.generations.get(name, 0))
    return town


async def go_on(town: Town, amendment: Amendment, *, blocks: int) -> Town:
    """Install an amendment and decide so many blocks by it."""
    town = amended(town, amendment)
    for number in range(blocks):
        await town.decide(town.transfer("a0", "a1", 1 + number))
    return town


async def old_town(*, changed_last: bool = False) -> Town:
    """A town with something on its ledger; the last block may have changed its validators."""
    town = make_town()
    await town.settle(12)
    await town.decide(town.transfer("a0", "a1", 5))
    if changed_last:
        await town.decide(town.rotate_validator(CENTRAL))
    return town
