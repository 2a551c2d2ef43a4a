"""What is durable before a signature is asked for, and which signatures count."""

import pytest

from consensus import Broadcast, Input, Persist, SignProposal, SignVote, Step
from tests.consensus.builders import (
    A,
    B,
    Bench,
    built,
    decided_by,
    elapsed,
    make_engine,
    only,
    precommit,
    prevote,
    proposal,
    receive,
    signed,
    start,
    validated,
)
from tests.consensus.test_engine import effects_of


def test_everything_a_signature_rests_on_is_persisted_before_it() -> None:
    engine = make_engine("b")
    inputs: list[Input] = [
        elapsed(Step.PREVOTE),  # No such timer runs.
        elapsed(Step.PROPOSE, 3),  # Nor this one.
        built(A),
        receive(prevote("a", A)),
        receive(prevote("a", A)),  # Known.
        receive(prevote("c", A)),
    ]
    no_news = [inputs[0], inputs[1]]
    engine.step(start())
    accepted: list[Input] = []
    persisted: list[Input] = []
    queue = list(inputs)
    while queue:
        given = queue.pop(0)
        effects = engine.step(given)
        if given not in accepted and given not in no_news:
            accepted.append(given)
        for at, effect in enumerate(effects):
            if isinstance(effect, Persist):
                persisted += effect.entries
            elif isinstance(effect, SignVote | SignProposal):
                assert any(isinstance(before, Persist) for before in effects[:at])
                assert persisted == accepted
                queue.insert(0, signed(effect))

    assert len(persisted) >= 5


def test_a_certificate_is_persisted_once() -> None:
    engine = make_engine()
    engine.step(start())

    effects = effects_of(engine, *[decided_by(A)] * 100, elapsed(Step.PROPOSE))

    (persist,) = only(Persist, effects)
    assert persist.entries == (decided_by(A), elapsed(Step.PROPOSE))


@pytest.mark.parametrize("validator", [None, "a"])
def test_nothing_waits_to_be_persisted_where_nothing_will_be_signed(validator: str | None) -> None:
    """An observer signs nothing, and after its decision nobody does."""
    bench = Bench(validator).start().feed(proposal(A), validated(A), decided_by(A, "bcd"))
    driver = bench.engine._driver
    assert driver is not None
    waiting = len(driver._unpersisted)

    bench.feed(prevote("b", A), prevote("b", B), precommit("c", A), elapsed(Step.PRECOMMIT))

    assert len(driver._unpersisted) == waiting
    assert waiting == 0 or validator is not None


def test_a_signature_that_was_not_asked_for_is_ignored() -> None:
    bench = Bench().start()
    vote, made = prevote("a", A).vote, proposal(A, by="a").proposal

    assert bench.engine.step(signed(SignVote(vote=vote))) == ()
    assert bench.engine.step(signed(SignProposal(proposal=made, polka=None))) == ()


def test_a_signature_that_comes_late_is_sent_and_counts_for_its_round() -> None:
    engine = make_engine()
    engine.step(start())
    (request,) = only(SignVote, engine.step(elapsed(Step.PROPOSE)))
    effects_of(engine, *(receive(precommit(name, None)) for name in "bcd"))
    effects_of(engine, elapsed(Step.PRECOMMIT))

    effects = engine.step(signed(request))

    assert [effect.message for effect in only(Broadcast, effects)] == [prevote("a", None)]


@pytest.mark.parametrize(("kept", "waited_for"), [(4, False), (5, True)])
def test_signatures_of_rounds_long_past_are_no_longer_waited_for(
    kept: int, waited_for: bool
) -> None:
    engine = make_engine(rounds_kept_max=kept)
    engine.step(start())
    (request,) = only(SignVote, engine.step(elapsed(Step.PROPOSE)))
    effects_of(engine, *(receive(precommit(name, None, round_=5)) for name in "bc"))

    assert (engine.step(signed(request)) != ()) == waited_for
