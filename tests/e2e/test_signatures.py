"""The reader of consensus logs finds what it is there to find."""

from pathlib import Path

from consensus.inputs import VoteReceived
from consensus.types import BlockId, VoteType
from node.app import LOG_FOLDER
from node.provision.local import LocalNode
from node.replica.entries import Sealed, encode_entry, entry_of_input
from node.storage import open_consensus_log
from tests.e2e.signatures import Place, signatures_in
from tests.replica.builders import BLOCK, OTHER, sign_vote, vote


def make_node(home: Path, *entries: tuple[int, bytes]) -> LocalNode:
    log = open_consensus_log(home / "data" / LOG_FOLDER)
    log.load()
    for height, entry in entries:
        if height > log.height:
            log.reset(height)
        log.append([entry])
    log.close()
    return LocalNode(name="a", home=home, url="", votes=True)


def taken(height: int, block: BlockId | None) -> tuple[int, bytes]:
    signed = sign_vote(vote("b", height=height, block=block))
    return height, encode_entry(entry_of_input(VoteReceived(signed=signed)))


def sealed(height: int, content: bytes) -> tuple[int, bytes]:
    return height, encode_entry(Sealed(height=height, round=0, kind=2, sign_bytes=content))


def test_two_messages_in_one_place_are_found_in_the_peers_logs_and_in_the_own(
    tmp_path: Path,
) -> None:
    first = make_node(tmp_path / "1", taken(1, BLOCK), sealed(1, b"x"), taken(2, None))
    same = make_node(tmp_path / "2", taken(1, BLOCK), sealed(1, b"x"))
    other = make_node(tmp_path / "3", taken(1, OTHER), sealed(1, b"y"))

    assert signatures_in([first, same]).contradictions() == []
    assert signatures_in([first]).of("b") == {
        Place("b", 1, 0, VoteType.PREVOTE),
        Place("b", 2, 0, VoteType.PREVOTE),
    }
    assert signatures_in([first, other]).contradictions() == [
        Place("a", 1, 0, 2),
        Place("b", 1, 0, VoteType.PREVOTE),
    ]
