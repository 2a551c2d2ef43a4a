"""The vote keeper against a twin that remembers everything and counts anew each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus import BlockId, Equivocation, FaultModel, Round, SignedVote, VoteType
from consensus.quorum import quorum, skip
from consensus.types import ROUND_MAX
from consensus.votes import Added, VoteKeeper
from tests.consensus.builders import LETTERS, A, B, C, make_validators, precommit, prevote, vote

KEPT, AHEAD = 2, 3


def make_keeper(n: int = 4, model: FaultModel = FaultModel.BYZANTINE) -> VoteKeeper:
    return VoteKeeper(
        validators=make_validators(n), model=model, rounds_kept_max=KEPT, rounds_ahead_max=AHEAD
    )


def add(keeper: VoteKeeper, *votes: SignedVote) -> list[Added | Equivocation]:
    return [keeper.add(signed) for signed in votes]


@pytest.mark.adversarial(12)
@pytest.mark.parametrize(
    ("n", "model", "short"),
    [(6, FaultModel.BYZANTINE, 4), (4, FaultModel.CRASH, 2)],
)
def test_only_one_vote_more_than_two_thirds_or_one_half_is_a_quorum(
    n: int, model: FaultModel, short: int
) -> None:
    keeper = make_keeper(n, model)

    add(keeper, *(prevote(name, A) for name in LETTERS[:short]))
    exactly = keeper.prevotes(Round(0))
    assert (exactly.any_quorum, exactly.block_quorum) == (False, None)

    added = keeper.add(prevote(LETTERS[short], A))
    assert added is Added.THRESHOLD
    assert (exactly.any_quorum, exactly.block_quorum) == (True, A)


def test_each_threshold_is_announced_by_the_vote_that_reaches_it() -> None:
    keeper = make_keeper(7)  # A quorum is 5.
    votes = [
        prevote(name, block_id)
        for name, block_id in zip("abcdefg", [A, A, A, A, B, A, A], strict=True)
    ]

    added = add(keeper, *votes)

    # The fifth makes a quorum of any, the sixth one for A, the seventh nothing new.
    assert added == [Added.COUNTED] * 4 + [Added.THRESHOLD] * 2 + [Added.COUNTED]
    assert keeper.prevotes(Round(0)).certificate().block_id == A


def test_a_quorum_for_nil_is_no_quorum_for_a_block() -> None:
    keeper = make_keeper()

    add(keeper, *(precommit(name, None) for name in "abc"))

    tally = keeper.precommits(Round(0))
    assert (tally.any_quorum, tally.nil_quorum, tally.block_quorum) == (True, True, None)


@pytest.mark.adversarial(2, 3)
@pytest.mark.parametrize("kind", VoteType)
def test_of_two_votes_the_first_counts_and_both_are_evidence_once(kind: VoteType) -> None:
    keeper = make_keeper()
    first, second = vote(kind, "a", A), vote(kind, "a", B)

    added = add(keeper, first, second, second, vote(kind, "a", None), first)

    assert added[0] is Added.COUNTED
    assert added[1] == Equivocation(first=first, second=second)
    assert added[2:] == [Added.IGNORED] * 3
    add(keeper, vote(kind, "b", B), vote(kind, "c", B))
    tally = keeper.prevotes if kind is VoteType.PREVOTE else keeper.precommits
    assert (tally(Round(0)).any_quorum, tally(Round(0)).block_quorum) == (True, None)


@pytest.mark.adversarial(19)
def test_strangers_do_not_count() -> None:
    keeper = make_keeper()

    assert keeper.add(prevote("e", A)) is Added.IGNORED
    assert keeper.prevotes(Round(0)).votes == {}


@pytest.mark.adversarial(14)
def test_the_honest_threshold_of_a_higher_round_is_announced_once() -> None:
    keeper = make_keeper()

    added = add(
        keeper,
        prevote("a", A, round_=2),
        precommit("a", A, round_=2),
        prevote("b", A, round_=1),
        precommit("c", None, round_=2),
        prevote("d", None, round_=2),
    )

    assert added[:3] == [Added.COUNTED] * 3
    assert added[3] is Added.THRESHOLD
    assert keeper.skip_round == 2
    # The fourth voter is no news for the skip, but three prevotes are not there either.
    assert added[4] is Added.COUNTED


@pytest.mark.adversarial(15)
def test_one_validator_cannot_fill_the_memory_or_move_the_round() -> None:
    keeper = make_keeper()

    for round_ in (*range(100_000), ROUND_MAX):
        keeper.add(prevote("d", A, round_=round_))
        keeper.add(precommit("d", B, round_=round_))

    assert keeper.skip_round == 0
    assert len(keeper._rounds) == AHEAD + 1
    assert [parked.vote.round for parked in keeper.parked] == [ROUND_MAX]


@pytest.mark.adversarial(14, 15)
def test_votes_far_ahead_move_to_the_lowest_round_that_an_honest_validator_reached() -> None:
    keeper = make_keeper(7)  # The honest threshold is 3.

    added = add(
        keeper,
        prevote("a", A, round_=100),
        prevote("a", A, round_=90),
        precommit("a", A, round_=100),
        prevote("a", A, round_=ROUND_MAX),
        prevote("b", A, round_=50 + AHEAD),
        prevote("c", A, round_=50),
    )

    assert added == [
        Added.PARKED,
        Added.IGNORED,
        Added.IGNORED,
        Added.PARKED,
        Added.PARKED,
        Added.PARKED_THRESHOLD,
    ]
    assert keeper.skip_round == 50
    keeper.go_to(Round(50))
    assert [parked.vote.validator for parked in keeper.parked] == ["a"]


def test_rounds_long_past_are_forgotten_and_refused() -> None:
    keeper = make_keeper()
    add(keeper, precommit("a", A), precommit("a", A, round_=3))

    keeper.go_to(Round(3))

    assert keeper.precommits(Round(0)).votes == {}
    assert keeper.add(precommit("b", A)) is Added.IGNORED
    assert keeper.add(precommit("b", A, round_=1)) is Added.COUNTED


class Twin:
    """Every vote ever seen, in order; every answer counted anew."""

    def __init__(self, n: int, model: FaultModel) -> None:
        self.n, self.model = n, model
        self.seen: list[tuple[SignedVote, int]] = []

    def first_votes(self, kind: VoteType, round_: int) -> dict[str, BlockId | None]:
        votes: dict[str, BlockId | None] = {}
        for signed, _ in self.seen:
            if (signed.vote.kind, signed.vote.round) == (kind, round_):
                votes.setdefault(signed.vote.validator, signed.vote.block_id)
        return votes

    def quorum_for(self, kind: VoteType, round_: int, block_id: BlockId | None) -> bool:
        votes = list(self.first_votes(kind, round_).values())
        return votes.count(block_id) >= quorum(self.model, self.n)

    def quorum_of_any(self, kind: VoteType, round_: int) -> bool:
        return len(self.first_votes(kind, round_)) >= quorum(self.model, self.n)

    def skips_to(self) -> int:
        reached = {0}
        for round_ in {signed.vote.round for signed, _ in self.seen}:
            ahead = {
                signed.vote.validator
                for signed, current in self.seen
                if signed.vote.round == round_ > current
            }
            if len(ahead) >= skip(self.model, self.n):
                reached.add(round_)
        return max(reached)


@given(
    n=st.integers(1, 7),
    model=st.sampled_from(FaultModel),
    events=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(VoteType),
                st.integers(0, 6),
                st.sampled_from([A, B, C, None]),
                st.integers(0, AHEAD),
            ),
            st.just(None),
        ),
        max_size=60,
    ),
)
def test_the_keeper_agrees_with_its_twin(
    n: int,
    model: FaultModel,
    events: list[tuple[VoteType, int, BlockId | None, int] | None],
) -> None:
    """None moves to the next round; votes stay within the counted rounds."""
    keeper, twin, current = make_keeper(n, model), Twin(n, model), 0
    for event in events:
        if event is None:
            current += 1
            keeper.go_to(Round(current))
            continue
        kind, author, block_id, ahead = event
        signed = vote(kind, LETTERS[author % n], block_id, round_=current + ahead)
        keeper.add(signed)
        twin.seen.append((signed, current))

    for round_ in range(max(0, current - KEPT), current + AHEAD + 1):
        for kind in VoteType:
            tally = (keeper.prevotes if kind is VoteType.PREVOTE else keeper.precommits)(
                Round(round_)
            )
            assert tally.any_quorum == twin.quorum_of_any(kind, round_)
            assert tally.nil_quorum == twin.quorum_for(kind, round_, None)
            for block_id in (A, B, C):
                has_quorum = tally.block_quorum == block_id
                assert has_quorum == twin.quorum_for(kind, round_, block_id)
    assert keeper.skip_round == twin.skips_to()
