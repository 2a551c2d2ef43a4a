"""The consensus log as the replica uses it: what comes back is what went in, and whose it is."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from consensus.inputs import (
    BlockBuilt,
    BlockValidated,
    CertificateReceived,
    Input,
    ProposalReceived,
    ProposalSigned,
    RoundCalled,
    StartHeight,
    TimeoutElapsed,
    VoteReceived,
    VoteSigned,
)
from consensus.types import BlockId, FaultModel, Height, Round, Step, Timeout, ValidatorId, VoteType
from node.codec import CodecError
from node.log import silent_log
from node.metrics import Metrics
from node.network import Memory
from node.replica import journal
from node.replica.entries import (
    ENTRY_SIZE_MAX,
    Begun,
    Body,
    Born,
    Floored,
    Reached,
    Resumed,
    Returned,
    Sealed,
    decode_entry,
    encode_entry,
    entry_of_input,
    input_of_entry,
)
from node.replica.errors import LogMismatch, SigningRefused
from node.replica.guard import Guard
from node.replica.journal import APPEND_BYTES, SPENT_BYTES_MAX, Journal, write_birth
from node.replica.seat import Entrance, Seat
from node.storage import ConsensusLog
from node.storage.consensus_log import LOG_NAME
from node.storage.memory_files import MemoryFiles
from tests.replica.builders import (
    BLOCK,
    NETWORK,
    certificate,
    make_validators,
    proposal,
    sign_proposal,
    sign_vote,
    signer,
    vote,
)

INPUTS: tuple[Input, ...] = (
    ProposalReceived(signed=sign_proposal(proposal())),
    ProposalSigned(signed=sign_proposal(proposal("a", round_=3))),
    ProposalReceived(
        signed=sign_proposal(
            proposal("d", round_=2, valid_round=1),
            polka=certificate(kind=VoteType.PREVOTE, round_=1),
        )
    ),
    VoteReceived(signed=sign_vote(vote("b"))),
    VoteReceived(signed=sign_vote(vote("c", block=None))),
    VoteSigned(signed=sign_vote(vote("a", kind=VoteType.PRECOMMIT))),
    CertificateReceived(certificate=certificate()),
    TimeoutElapsed(timeout=Timeout(height=Height(1), round=Round(4), step=Step.PRECOMMIT)),
    BlockBuilt(height=Height(1), round=Round(2), block_id=BLOCK),
    BlockValidated(height=Height(1), block_id=BLOCK, valid=True),
    BlockValidated(height=Height(1), block_id=BLOCK, valid=False, ignore_clock=True),
    RoundCalled(height=Height(1), round=Round(4), validator=ValidatorId("c")),
)


class Setup:
    """One validator's log over files that outlive it."""

    def __init__(
        self,
        files: MemoryFiles | None = None,
        *,
        key: str = "a",
        domains: Mapping[int, bytes] = MappingProxyType({}),
    ) -> None:
        self.files = files or MemoryFiles()
        self.domains = domains
        self.guard = Guard(signer(key), lambda height: domains.get(height, NETWORK))
        self.log = ConsensusLog(Path("a"), self.files)
        self.journal = Journal(
            self.log,
            self.guard,
            domain=lambda height: self.domains.get(height, NETWORK),
            thread=None,
            metrics=Metrics(),
            monotonic=lambda: 0.0,
        )
        self.seat = Seat(
            name="a", network=NETWORK, guard=self.guard, journal=self.journal, log=silent_log()
        )

    def again(self) -> "Setup":
        return Setup(self.files)

    def born(self) -> "Setup":
        write_birth(self.log, name="a", public_key=signer("a").public_key, network=NETWORK)
        return self.again()


@pytest.mark.parametrize("event", INPUTS, ids=lambda event: type(event).__name__)
def test_an_input_comes_back_from_its_entry(event: Input) -> None:
    assert input_of_entry(entry_of_input(event)) == event
    entry = entry_of_input(event)
    assert decode_entry(encode_entry(entry)) == entry


def test_a_heights_start_has_no_entry() -> None:
    with pytest.raises(AssertionError):
        entry_of_input(StartHeight(height=Height(1), validators=make_validators()))


@pytest.mark.parametrize(
    "data", [b"", b"\x90", b"\x91\x63", b"\xc0", b"\x92\x02\xc2", bytes(ENTRY_SIZE_MAX + 1)]
)
def test_bytes_that_are_no_entry_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        decode_entry(data)


async def test_what_was_persisted_is_found_with_bodies_and_seals() -> None:
    before = Setup()
    before.seat.open(0)
    before.guard.set_floor(0)
    seal = before.guard.seal(vote("a"))
    await before.journal.persist(1, inputs=INPUTS, blocks=[(BLOCK, b"body")], seal=seal)
    assert before.guard.sign(vote("a"))

    found = (after := before.again()).journal.load(name="a", network=NETWORK)

    assert found.height == 1
    assert found.inputs == INPUTS
    assert found.blocks == {BLOCK: b"body"}
    assert not found.born
    assert not found.blank
    after.guard.set_floor(0)
    assert after.guard.seal(vote("a")) is None


async def test_inputs_and_the_seal_of_the_next_signature_take_one_sync() -> None:
    setup = Setup()
    setup.seat.open(0)
    setup.guard.set_floor(0)
    syncs = setup.files.syncs

    await setup.seat.persist(
        1, inputs=INPUTS, blocks=[(BLOCK, b"body")], next_signed=vote("a", round_=5)
    )
    await setup.seat.sign(vote("a", round_=5))

    assert setup.files.syncs == syncs + 1


async def test_a_signature_without_anything_to_persist_is_sealed_all_the_same() -> None:
    setup = Setup()
    setup.seat.open(0)
    setup.guard.set_floor(0)

    await setup.seat.sign(vote("a"))

    after = setup.again()
    after.seat.open(0)
    assert after.guard.height == 1


async def test_large_bodies_are_appended_in_parts() -> None:
    setup = Setup()
    setup.seat.open(0)
    blocks = [(bytes([i]) * 32, bytes([i]) * (APPEND_BYTES // 2)) for i in range(3)]

    await setup.journal.persist(1, blocks=blocks)

    found = setup.again().journal.load(name="a", network=NETWORK)
    assert found.blocks == dict(blocks)


@pytest.mark.adversarial(43, 68)
async def test_blocks_that_are_spent_leave_the_log_and_no_word_that_was_said_does() -> None:
    """A block a round, for as long as a height lasts: the log stays as small as what may count."""
    setup = Setup()
    setup.seat.open(0)
    setup.guard.set_floor(0)
    size = SPENT_BYTES_MAX // 5
    in_use = {bytes([1]) * 32: b"locked"}
    await setup.journal.persist(1, inputs=INPUTS, blocks=[*in_use.items()])
    seals, sizes = [], []
    for round_ in range(40):
        block = bytes([2, round_]) * 16
        message = vote("a", round_=round_, block=BlockId(block))
        seals.append(setup.guard.seal(message))
        body = [(block, bytes([round_]) * size)]
        await setup.journal.persist(1, inputs=INPUTS[3:4], blocks=body, seal=seals[-1])
        # The locked block, and those of the two latest rounds.
        in_use = dict([*in_use.items()][:1] + [*in_use.items()][1:][-1:] + body)
        await setup.journal.keep_bodies(in_use.keys())
        content = setup.files.read(LOG_NAME)
        assert content is not None
        sizes.append(len(content))

    assert max(sizes) < SPENT_BYTES_MAX + 3 * size
    assert all(setup.journal.has_body(block) for block in in_use)

    found = (after := setup.again()).journal.load(name="a", network=NETWORK)
    assert found.inputs == (*INPUTS, *INPUTS[3:4] * 40)
    assert in_use.items() <= found.blocks.items()
    assert sum(map(len, found.blocks.values())) <= SPENT_BYTES_MAX + 2 * size + 6
    for round_, seal in enumerate(seals):
        assert seal is not None
        after.guard.set_floor(0)
        with pytest.raises(SigningRefused, match="another message"):
            after.guard.seal(vote("a", round_=round_, block=None))


async def test_a_block_is_in_the_log_once_and_again_after_it_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal, "SPENT_BYTES_MAX", 100)
    setup = Setup()
    setup.seat.open(0)
    spent, other = bytes([1]) * 32, bytes([2]) * 32
    large = bytes(51)

    def loaded() -> dict[bytes, bytes]:
        return dict(setup.again().journal.load(name="a", network=NETWORK).blocks)

    await setup.journal.persist(1, blocks=[(spent, large), (other, large)])
    await setup.journal.keep_bodies({other})
    assert setup.journal.has_body(spent), "what is spent is not worth writing all anew"
    await setup.journal.keep_bodies(set())
    assert loaded() == {}
    assert not setup.journal.has_body(spent)

    await setup.journal.persist(1, blocks=[(spent, large)])
    assert loaded() == {spent: large}
    assert setup.journal.has_body(spent)
    again = setup.again()
    again.journal.load(name="a", network=NETWORK)
    assert again.journal.has_body(spent), "whoever reads a log knows what is in it"

    await setup.journal.persist(2, inputs=INPUTS[3:4])
    assert not setup.journal.has_body(spent), "another height has other blocks"


@pytest.mark.adversarial(17, 68)
async def test_blocks_of_another_set_of_validators_stay_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An amendment that is discarded finds what was voted for before it."""
    monkeypatch.setattr(journal, "SPENT_BYTES_MAX", 100)
    amended = b"a".ljust(32, b"m")
    setup = Setup()
    setup.seat.open(0)
    former, later = bytes([1]) * 32, bytes([2]) * 32
    large = bytes(101)
    await setup.journal.persist(1, blocks=[(former, large)])

    under = Setup(setup.files, domains={1: amended})
    under.seat.open(0)
    await under.journal.persist(1, blocks=[(later, large)])
    await under.journal.keep_bodies(set())

    assert not under.journal.has_body(later)
    again = Setup(setup.files, domains={1: amended}).journal.load(name="a", network=NETWORK)
    assert again.blocks == {}
    discarded = Setup(setup.files).journal.load(name="a", network=NETWORK)
    assert discarded.blocks == {former: large}


async def test_entries_of_heights_gone_by_are_not_found() -> None:
    setup = Setup()
    setup.seat.open(0)
    await setup.journal.persist(1, inputs=INPUTS[:2])
    await setup.journal.persist(2, inputs=INPUTS[2:3])

    found = setup.again().journal.load(name="a", network=NETWORK)

    assert found.height == 2
    assert found.inputs == INPUTS[2:3]


async def test_reaching_costs_an_append_for_every_second_height_at_most() -> None:
    setup = Setup()
    setup.seat.open(0)
    syncs = setup.files.syncs

    for height in range(1, 11):
        await setup.journal.reach(height)
        assert setup.journal._appended >= height

    assert setup.files.syncs == syncs + 5


def test_a_birth_is_found_and_is_written_once() -> None:
    setup = Setup().born()

    found = setup.journal.load(name="a", network=NETWORK)
    assert found.born
    assert found.blank
    with pytest.raises(LogMismatch):
        write_birth(setup.again().log, name="a", public_key=signer("a").public_key, network=NETWORK)


@pytest.mark.adversarial(68)
@pytest.mark.parametrize(
    "entry",
    [
        Born(name="b", public_key=signer("a").public_key, network=None),
        Born(name="a", public_key=signer("b").public_key, network=None),
        Born(name="a", public_key=signer("a").public_key, network=bytes(32)),
        entry_of_input(VoteSigned(signed=sign_vote(vote("b")))),
        entry_of_input(ProposalSigned(signed=sign_proposal(proposal("b")))),
    ],
)
def test_the_log_of_another_validator_or_network_is_refused(entry: Born) -> None:
    setup = Setup()
    setup.log.load()
    setup.log.reset(1)
    setup.log.append([encode_entry(entry)])

    with pytest.raises(LogMismatch):
        setup.again().journal.load(name="a", network=NETWORK)


def test_a_log_that_another_program_wrote_is_refused() -> None:
    setup = Setup()
    setup.log.load()
    setup.log.reset(1)
    setup.log.append([b"\x91\x63"])

    with pytest.raises(LogMismatch, match="version"):
        setup.again().journal.load(name="a", network=NETWORK)


def log_at(height: int, *, born: bool = False) -> Setup:
    setup = Setup()
    if born:
        setup = setup.born()
    if height:
        log = setup.again().log
        log.load()
        if height > log.height:
            log.reset(height)
        log.append([encode_entry(Reached(height=height))])
    return setup.again()


@pytest.mark.adversarial(29, 68)
@pytest.mark.parametrize(
    ("height", "head", "floor"),
    [
        (12, 8, 11),  # the database is behind the log
        (9, 8, 8),
        (8, 8, 7),
        (7, 8, None),  # the log is behind the database
        (0, 8, None),
        (0, 0, None),
        (1, 0, 0),
    ],
)
def test_what_a_log_is_worth_at_the_start(height: int, head: int, floor: int | None) -> None:
    setup = log_at(height)

    setup.seat.open(head)

    assert setup.guard.floor == floor
    assert setup.seat.is_settled == (floor is not None)


def stands(height: int, round_: int = 0) -> Memory:
    return Memory(height=height, remembers=True, round=round_, begun=True)


def forgot(height: int) -> Memory:
    return Memory(height=height, remembers=False, round=0, begun=True)


def note(setup: Setup, **heard: Memory) -> None:
    for name, memory in heard.items():
        setup.seat.heard(name, memory, make_validators())


async def compare(setup: Setup, *, head: int, **heights: int) -> None:
    """Let the seat hear what others say they have committed, and no more."""
    await setup.seat.settle(
        head=head, validators=make_validators(), claims=heights, model=FaultModel.BYZANTINE
    )


@pytest.mark.adversarial(68)
async def test_an_older_copy_of_log_and_chain_signs_nothing_below_the_others() -> None:
    """Log and chain agree, so that nothing but the others can tell."""
    setup = log_at(9)
    setup.seat.open(8)
    validators = make_validators()
    assert setup.seat.is_settled
    assert not setup.seat.may_vote(9, validators)
    assert "hear from the other validators" in str(setup.seat.why_silent(9, validators))

    await compare(setup, head=8, b=8)
    assert "hear from more of c, d" in str(setup.seat.why_silent(9, validators))
    await compare(setup, head=8, b=8, c=11)
    assert "at height 8, others are at 11" in str(setup.seat.why_silent(9, validators))
    await compare(setup, head=10, b=8, c=11)
    assert not setup.seat.may_vote(11, validators)
    await compare(setup, head=11, b=8, c=11)
    assert setup.seat.may_vote(12, validators)

    # Heard once is enough: it has signed since, and knows what.
    await compare(setup, head=11)
    assert setup.seat.may_vote(12, validators)


async def settle(setup: Setup, *, head: int, **heard: Memory) -> None:
    note(setup, **heard)
    await setup.seat.settle(
        head=head,
        validators=make_validators(),
        claims={name: memory.height for name, memory in heard.items()},
        model=FaultModel.BYZANTINE,
    )


@pytest.mark.adversarial(29)
async def test_a_birth_is_worth_nothing_once_somebody_is_further() -> None:
    others = make_validators()

    fresh = Setup().born()
    fresh.seat.open(0)
    await fresh.seat.settle(
        head=0, validators=others, claims={"b": 0, "c": 1}, model=FaultModel.BYZANTINE
    )
    assert fresh.guard.floor is None

    behind = Setup().born()
    behind.seat.open(5)
    assert not behind.seat.is_settled


async def test_a_floor_is_durable_before_it_counts() -> None:
    setup = Setup()
    setup.seat.open(6)

    await settle(setup, head=6, b=stands(6), c=stands(5), d=stands(6))

    assert setup.guard.floor == 8
    assert not setup.seat.remembers(6)
    assert setup.seat.remembers(8)
    after = setup.again()
    after.seat.open(6)
    assert after.guard.floor == 8
    await compare(after, head=6, b=6, c=5)
    assert not after.seat.may_vote(8, make_validators())
    assert after.seat.may_vote(9, make_validators())


@pytest.mark.adversarial(29)
async def test_a_later_round_is_entered_again_by_every_restart_and_in_the_next_height_too() -> None:
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=forgot(6), c=stands(6, 1), d=stands(6))

    for lives in (setup, setup.again()):
        if lives is not setup:
            lives.seat.open(6)
            await compare(lives, head=6, c=6, d=6)
        assert lives.seat.calls_to(7) == 3
        note(lives, c=stands(6, 3), d=stands(6, 3))
        assert lives.seat.may_vote(7, make_validators())
        entrance = await lives.seat.enter(Height(7), make_validators())
        assert entrance == Entrance(round=Round(3), witnesses=frozenset(map(ValidatorId, "cd")))
        assert not lives.seat.remembers(6)
        with pytest.raises(SigningRefused, match="signed already"):
            lives.guard.seal(vote("a", height=7, round_=2, kind=VoteType.PRECOMMIT))
        assert lives.guard.seal(vote("a", height=7, round_=3)) is not None

    after = setup.again()
    after.seat.open(7)
    assert (await after.seat.enter(Height(8), make_validators())).round == 1
    last = setup.again()
    last.seat.open(7)
    await compare(last, head=7, c=7, d=7)
    assert await last.seat.enter(Height(8), make_validators()) == Entrance(round=Round(1))
    assert not last.seat.remembers(7)
    assert last.seat.remembers(8)
    assert (await last.seat.enter(Height(9), make_validators())).is_plain


@pytest.mark.adversarial(29)
async def test_nothing_is_signed_before_every_witness_has_taken_note_of_the_round() -> None:
    """Else a second loss would come back in the same round."""
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=forgot(6), c=stands(6, 1), d=stands(6))
    validators = make_validators()

    assert "c, d to take note" in str(setup.seat.why_silent(7, validators))
    note(setup, b=stands(6, 3), c=stands(6, 3), d=stands(6, 2))
    assert not setup.seat.may_vote(7, validators)
    note(setup, d=stands(7))  # It has decided without this node.

    assert setup.seat.may_vote(7, validators)


@pytest.mark.adversarial(29)
async def test_a_witness_that_is_lost_before_it_took_note_is_waited_for_no_more() -> None:
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=stands(6), c=stands(6), d=stands(6))
    await settle(setup, head=6, b=forgot(6), c=stands(6, 1), d=stands(6))
    assert setup.seat.calls_to(7) == 3
    note(setup, c=stands(6, 3))
    setup.seat.forget("d")

    await settle(setup, head=6, b=stands(6), c=stands(6, 3), d=forgot(6))

    assert setup.seat.calls_to(7) == 5
    note(setup, b=stands(6, 5), c=stands(6, 5))
    assert setup.seat.may_vote(7, make_validators())
    after = setup.again()
    after.seat.open(6)
    assert after.seat.calls_to(7) == 5
    assert (await after.seat.enter(Height(7), make_validators())).witnesses == set("bc")


@pytest.mark.adversarial(29)
async def test_one_that_was_about_to_return_stays_silent_when_the_others_can_go_on() -> None:
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=forgot(6), c=stands(6), d=stands(6))
    assert setup.seat.calls_to(7) == 2

    await settle(setup, head=6, b=stands(6), c=stands(6), d=stands(6))

    for lives in (setup, setup.again()):
        if lives is not setup:
            lives.seat.open(6)
        assert lives.guard.floor == 8
        assert lives.seat.calls_to(7) == 0
        assert not lives.seat.remembers(7)


@pytest.mark.adversarial(29)
async def test_too_few_witnesses_left_are_told_also_by_one_that_was_about_to_return() -> None:
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=forgot(6), c=stands(6), d=stands(6))
    setup.seat.forget("d")

    await settle(setup, head=6, b=forgot(6), c=stands(6, 2), d=forgot(6))

    assert not setup.seat.may_vote(7, make_validators())
    assert "khazana validator resume" in str(setup.seat.why_silent(7, make_validators()))


@pytest.mark.adversarial(29)
async def test_a_silent_validator_comes_back_when_the_others_lose_their_quorum() -> None:
    setup = Setup()
    setup.seat.open(6)
    await settle(setup, head=6, b=stands(6), c=stands(6), d=stands(6))
    assert setup.guard.floor == 8
    assert setup.seat.asks(7)

    await settle(setup, head=7, b=forgot(7), c=stands(7), d=stands(7))

    assert setup.guard.floor == 7
    assert setup.seat.calls_to(8) == 2
    after = setup.again()
    after.seat.open(7)
    assert after.seat.calls_to(8) == 2


async def test_what_is_behind_the_head_by_now_needs_no_later_round() -> None:
    setup = Setup()
    setup.seat.open(9)

    await settle(setup, head=9, b=forgot(9), c=stands(6), d=stands(6))

    assert setup.guard.floor == 9
    assert setup.seat.calls_to(10) == 0
    assert setup.seat.remembers(9)
    assert setup.seat.may_vote(10, make_validators())


async def test_the_operators_word_is_found_and_told() -> None:
    setup = Setup()
    log = setup.again().log
    log.load()
    log.reset(8)
    log.append([encode_entry(Resumed(above=7, at_ms=1, reason="all heads were compared"))])

    after = setup.again()
    after.seat.open(0)
    assert not after.seat.remembers(7)  # The others were not heard yet.
    await compare(after, head=7, b=7, c=7)

    assert after.guard.floor == 7
    assert after.seat.remembers(7)


@pytest.mark.parametrize("peer", ["b", "x"])
async def test_only_validators_are_heard(peer: str) -> None:
    setup = Setup()
    setup.seat.open(6)

    await settle(setup, head=6, c=stands(6), d=stands(6), **{peer: stands(6)})

    assert setup.seat.is_settled == (peer == "b")


def test_a_silent_validator_says_why_and_whom_it_waits_for() -> None:
    setup = Setup()
    setup.seat.open(6)
    validators = make_validators()

    assert "consensus log is missing" in str(setup.seat.why_silent(7, validators))
    assert setup.seat.why_silent(7, make_validators(1)) is not None
    setup.guard.set_floor(8)
    assert "up to 8" in str(setup.seat.why_silent(7, validators))
    assert setup.seat.why_silent(9, validators) is None
    stranger = Setup(log_at(1).files, key="x")
    stranger.seat.open(0)
    assert "another key for a" in str(stranger.seat.why_silent(1, validators))


async def test_a_log_without_its_past_is_not_brought_to_a_height() -> None:
    setup = Setup()
    setup.seat.open(6)

    await setup.seat.reach(7)

    after = setup.again()
    after.seat.open(7)
    assert not after.seat.is_settled


async def test_a_seat_needs_its_own_name_and_key_in_the_set() -> None:
    setup = log_at(1)
    setup.seat.open(0)
    await compare(setup, head=0, b=0, c=0)
    assert setup.seat.may_vote(1, make_validators())

    stranger = Setup(log_at(1).files, key="x")
    stranger.seat.open(0)
    await compare(stranger, head=0, b=0, c=0)
    assert not stranger.seat.may_vote(1, make_validators())


async def test_what_the_log_holds_of_a_height_is_recalled_once() -> None:
    setup = Setup()
    setup.seat.open(0)
    await setup.journal.persist(1, inputs=INPUTS, blocks=[(BLOCK, b"body")])
    after = setup.again()
    after.seat.open(0)
    assert after.seat.holds(1)

    assert after.seat.recall(Height(2)) == ((), {})
    assert after.seat.recall(Height(1)) == (INPUTS, {BLOCK: b"body"})

    assert after.seat.recall(Height(1)) == ((), {})
    assert not after.seat.holds(1)


def test_entries_have_permanent_tags() -> None:
    entries = [
        Born(name="a", public_key=bytes(32), network=None),
        Reached(height=1),
        Sealed(height=1, round=0, kind=1, sign_bytes=b"x"),
        Body(block_id=bytes(32), block=b"x"),
        Returned(height=1, round=4, witnesses=("b",)),
        Resumed(above=1, at_ms=0, reason=""),
        Floored(above=1),
        Begun(validator="b"),
        *map(entry_of_input, INPUTS),
    ]

    assert [encode_entry(entry)[1] for entry in entries] == [
        1, 2, 3, 4, 5, 6, 7, 8, 11, 11, 11, 12, 12, 12, 13, 14, 15, 16, 16, 17,
    ]  # fmt: skip
