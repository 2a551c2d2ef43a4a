"""Every decoder that bytes from outside reach: refused as documented, or read and spelled the same.

Hypothesis chooses what is wrong with a good input (and makes what it finds small); a million cases
and coverage-guided runs are commands, see the README.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.harness import Target, examine
from tests.fuzz.mutation import alter
from tests.fuzz.targets import TARGETS

ALL = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@ALL
def test_every_seed_is_read(target: Target) -> None:
    """Otherwise a campaign would begin with inputs that go nowhere."""
    with target.opened() as read:
        assert {examine(target, read, seed) for seed in target.seeds()} == {"read"}


@pytest.mark.adversarial(39, 40)
@ALL
def test_spoiled_inputs_are_refused_as_documented_or_read_exactly(target: Target) -> None:
    with target.opened() as read:

        @settings(
            max_examples=target.examples,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.sampled_from(target.seeds()), st.randoms(use_true_random=False))
        def check(seed: bytes, random: Random) -> None:
            examine(target, read, alter(random, seed, target.form)[: target.size_max])

        check()
