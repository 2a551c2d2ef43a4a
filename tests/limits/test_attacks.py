"""A real validator under every attack at hand, in the short form of `python -m tests.limits`."""

from pathlib import Path

import pytest

from tests.limits.attacks import ATTACKS
from tests.limits.siege import siege

SCALE = 0.02
HELD_MIB = 24
"""What one attack in its short form may make a node hold: each sends more, or would make more."""


@pytest.mark.e2e
@pytest.mark.timeout(180)
@pytest.mark.adversarial(15, 39, 44, 48, 74, 75)
async def test_a_validator_under_attack_holds_little_and_serves_on(tmp_path: Path) -> None:
    async with siege(tmp_path / "network", scale=SCALE) as besieged:
        for name, attack in ATTACKS.items():
            held = await besieged.measure(name, attack.run)

            assert held.grown_mib <= HELD_MIB, held
