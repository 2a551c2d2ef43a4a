"""Backup, check and repair of a chain that went on by an amendment of its validators."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import pytest

from node.chain import AmendmentMissing
from node.genesis import Amendment, AmendmentError, AmendmentFault, Genesis, amendment_of
from node.storage import open_consensus_log, open_leveldb
from node.upkeep import (
    BackupError,
    back_up_stopped,
    check_fits,
    check_home,
    check_undecided,
    restore,
    standing,
)
from node.upkeep.repairing import Done, repair
from tests.chain.amending import amended, body_of, signed
from tests.chain.town import Town, make_town, validator_record

pytestmark = pytest.mark.adversarial(23)


def on_disk(path: Path, live: Callable[[Town], Coroutine[None, None, Town]]) -> Town:
    """A closed LevelDB in this directory, in which this has happened."""
    store = open_leveldb(path, create=True)
    try:

        async def main() -> Town:
            town = make_town(store)
            await town.settle(12)
            return await live(town)

        return asyncio.run(main())
    finally:
        store.close()


async def before(town: Town) -> Town:
    return town


async def across(town: Town) -> Town:
    town = amended(town, signed(town))
    for each in range(3):
        await town.decide(town.transfer("a0", "a1", 1 + each))
    return town


@pytest.mark.parametrize("blocks", [True, False], ids=["with blocks", "without"])
def test_a_backup_carries_the_amendment_and_is_not_believed_it(
    tmp_path: Path,
    blocks: bool,
) -> None:
    town = on_disk(tmp_path / "chain", across)
    founded, (amendment,) = make_town().genesis, town.genesis.amendments
    file = tmp_path / "backup"
    back_up_stopped(tmp_path / "chain", town.genesis, file, blocks=blocks, software="test")

    with pytest.raises(BackupError, match=f"{amendment.id.hex()}.*--amendment"):
        restore(file, tmp_path / "a", founded)
    with pytest.raises(BackupError):
        restore(file, tmp_path / "a", founded, accepted=[bytes(32)])
    assert not (tmp_path / "a").exists()

    restored = restore(file, tmp_path / "a", founded, accepted=[amendment.id])
    assert restored.amendments == (amendment,)
    assert restore(file, tmp_path / "b", town.genesis).amendments == ()
    for name in "ab":
        found = standing(tmp_path / name, town.genesis)
        assert found is not None
        assert found.block_id == town.chain.head.block_id
        assert is_whole(tmp_path / name, town.genesis)


def is_whole(chain: Path, genesis: Genesis) -> bool:
    return check_home(chain=chain, log=chain / "no-log", genesis=genesis, name="a").is_whole


def test_a_check_without_the_amendment_calls_nothing_damaged(tmp_path: Path) -> None:
    town = on_disk(tmp_path / "chain", across)
    (amendment,) = town.genesis.amendments
    with pytest.raises(AmendmentMissing, match=amendment.id.hex()):
        is_whole(tmp_path / "chain", make_town().genesis)


def test_a_damaged_database_is_rebuilt_across_it(tmp_path: Path) -> None:
    chain = tmp_path / "chain"
    town = on_disk(chain, across)
    head = town.chain.head.height

    report = check_home(chain=chain, log=chain / "no-log", genesis=town.genesis, name="a")
    done = repair(chain, town.genesis, report, to_height=head - 1)

    assert done.done is Done.REBUILT
    assert done.height == head - 1
    assert is_whole(chain, town.genesis)


def fault_of(act: Callable[[], object]) -> AmendmentFault:
    with pytest.raises(AmendmentError) as caught:
        act()
    return caught.value.fault


def test_an_amendment_is_held_against_chain_and_log(tmp_path: Path) -> None:
    chain, log = tmp_path / "chain", tmp_path / "log"
    town = on_disk(chain, before)
    body, genesis = body_of(town), town.genesis
    amendment = signed(town, body)

    def fits(each: Amendment, known: Genesis = genesis, *, at: Path = chain) -> None:
        check_fits(each, chain=at, log=log, genesis=known)

    fits(amendment)
    fits(amendment, at=tmp_path / "none")
    with_it = genesis.amended([amendment])
    assert fault_of(lambda: fits(amendment, with_it)) is AmendmentFault.INSTALLED
    low = signed(town, body_of(town, height=town.chain.head.height - 1))
    assert fault_of(lambda: fits(low)) is AmendmentFault.WRONG_HEIGHT
    other = signed(town, body_of(town, block_id=bytes(32)))
    assert fault_of(lambda: fits(other)) is AmendmentFault.WRONG_BLOCK
    # It is above what this node has: that is seen when it comes there.
    fits(signed(town, body_of(town, height=town.chain.head.height + 5)))
    check_undecided(amendment, chain=chain, log=log, genesis=with_it)

    written = open_consensus_log(log)
    written.load()
    written.reset(amendment.rules_from)
    written.append([b"\x92\x02\x01"])
    written.reset(amendment.rules_from + 1)
    written.append([b"\x92\x02\x01"])
    written.close()
    assert fault_of(lambda: fits(amendment)) is AmendmentFault.DECIDED
    undecided = fault_of(lambda: check_undecided(amendment, chain=chain, log=log, genesis=with_it))
    assert undecided is AmendmentFault.DECIDED


def test_nothing_is_undecided_once_a_block_stands_on_it(tmp_path: Path) -> None:
    town = on_disk(tmp_path / "chain", across)
    (amendment,) = town.genesis.amendments
    fault = fault_of(
        lambda: check_undecided(
            amendment, chain=tmp_path / "chain", log=tmp_path / "log", genesis=town.genesis
        )
    )
    assert fault is AmendmentFault.DECIDED


async def beyond(town: Town) -> Town:
    await town.decide(town.transfer("a0", "a1", 1))
    return town


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (AmendmentFault.WRONG_HEIGHT, {"height": -1}),
        (AmendmentFault.WRONG_BLOCK, {"block_id": bytes(32)}),
        (AmendmentFault.NOT_BORNE, {"added": [validator_record("nobody-known")]}),
    ],
)
def test_one_that_does_not_fit_can_be_let_go_of(
    tmp_path: Path, fault: AmendmentFault, change: dict[str, Any]
) -> None:
    """It was installed before the chain was there, which has come to something else."""
    chain = tmp_path / "chain"
    town = on_disk(chain, beyond)
    if "height" in change:
        change = change | {"height": town.chain.head.height + change["height"]}
    amendment = amendment_of(body_of(town, **change))
    genesis = with_changes(town.genesis, amendments=(amendment,))
    assert fault_of(lambda: standing(chain, genesis)) is fault

    check_undecided(amendment, chain=chain, log=tmp_path / "log", genesis=genesis)
