"""Every situation in which a schedule could break agreement arises under the seeded scheduler."""

import pytest

from tests.consensus.situations import watch
from tests.consensus.test_simulation import run_seeds

SITUATIONS = (1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16)


@pytest.mark.adversarial(1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16)
def test_every_situation_arises_and_agreement_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run_seeds` holds agreement, validity and progress; here it is seen where they were held."""
    seen = watch(monkeypatch)

    run_seeds(25, liars=1, deaf_percent=25, heal_ms=12_000, heights=2)
    run_seeds(25, liars=1, drop_percent=10, part_ms=900)

    assert {case: seen[case] for case in SITUATIONS if seen[case] < 2} == {}
