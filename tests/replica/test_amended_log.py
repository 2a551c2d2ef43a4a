"""One log for two sets: what was signed before an amendment of the validators, and under it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from consensus.messages import Vote
from consensus.types import BlockId, Height
from node.replica.entries import Sealed, Under, decode_entry
from node.replica.errors import SigningRefused
from node.replica.journal import write_resumption
from node.storage import ConsensusLog
from node.storage.memory_files import MemoryFiles
from tests.replica.builders import BLOCK, NETWORK, vote
from tests.replica.test_journal import Setup

AMENDED: Final = b"a".ljust(32, b"m")


async def signed_at(setup: Setup, height: int, block: BlockId | None) -> Vote:
    message = vote("a", height=height, block=block)
    setup.guard.set_floor(height - 1)
    await setup.seat.sign(message)
    return message


@pytest.mark.adversarial(17, 68)
async def test_what_was_signed_under_the_former_set_is_no_signature_of_the_new_one() -> None:
    before = Setup()
    before.seat.open(0)
    former = await signed_at(before, 5, BLOCK)

    amended = Setup(before.files, domains={5: AMENDED})
    amended.seat.open(4)
    assert amended.seat.recall(Height(5)) == ((), {})
    other = await signed_at(amended, 5, None)

    # Both are remembered, each for its own set.
    again = Setup(before.files, domains={5: AMENDED})
    again.seat.open(4)
    assert again.guard.seal(other) is None
    with pytest.raises(SigningRefused, match="another message"):
        again.guard.seal(former)
    discarded = Setup(before.files)
    discarded.seat.open(4)
    assert discarded.guard.seal(former) is None
    with pytest.raises(SigningRefused, match="another message"):
        discarded.guard.seal(other)


@pytest.mark.adversarial(17, 68)
async def test_an_amendment_that_is_installed_again_finds_what_was_signed_under_it() -> None:
    files = MemoryFiles()
    ways: list[Mapping[int, bytes]] = [{}, {5: AMENDED}, {}, {5: AMENDED}]
    for domains in ways:
        setup = Setup(files, domains=domains)
        setup.seat.open(4)
        setup.guard.set_floor(4)
        # At first the vote is new; the second time the same is asked for again.
        message = vote("a", height=5, block=BLOCK if domains else None)
        await setup.seat.sign(message)
        assert setup.guard.seal(message) is None


async def test_a_log_that_was_never_amended_says_nothing_of_domains() -> None:
    setup = Setup()
    setup.seat.open(0)
    for height in (1, 2, 3):
        await signed_at(setup, height, BLOCK)
        setup.guard.end_height(height)
    files = setup.files
    kinds = [type(decode_entry(data)) for data in ConsensusLog(Path("a"), files).load()]
    assert kinds == [Sealed]

    amended = Setup(files, domains=dict.fromkeys(range(4, 100), AMENDED))
    amended.seat.open(3)
    for height in (4, 5):
        await signed_at(amended, height, BLOCK)
        amended.guard.end_height(height)
    entries = [decode_entry(data) for data in ConsensusLog(Path("a"), files).load()]
    assert entries[0] == Under(domain=AMENDED)
    assert [type(each) for each in entries[1:]] == [Sealed]


async def test_the_operators_word_counts_under_the_amendment_it_was_given_for() -> None:
    files = MemoryFiles()
    log = ConsensusLog(Path("a"), files)
    write_resumption(log, above=7, at_ms=1, reason="one survives", under=AMENDED)
    setup = Setup(files, domains={8: AMENDED})
    assert setup.journal.load(name="a", network=NETWORK).resumed is not None
    other = Setup(files)
    assert other.journal.load(name="a", network=NETWORK).resumed is None
