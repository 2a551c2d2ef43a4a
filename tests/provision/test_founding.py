"""What a network begins with, by the version that it begins at."""

from pathlib import Path

import pytest

from node.ledger.protocol import DEBT_DESK
from node.provision.founding import found_network
from node.provision.reference import INSTITUTIONS, reference_network


@pytest.mark.parametrize(("version", "has_them"), [(DEBT_DESK - 1, False), (DEBT_DESK, True)])
def test_genesis_names_no_power_that_its_version_does_not_know(
    version: int, has_them: bool
) -> None:
    """An older release would refuse the whole genesis."""
    description = reference_network(
        "sample",
        ports={name: (1 + 2 * n, 2 + 2 * n) for n, name in enumerate(INSTITUTIONS)},
        development=True,
        protocol_version=version,
    )

    founded = found_network(description, folder=Path(), now_ms=0, make_keys=False)

    operations = {row.operation for row in founded.genesis.record.powers}
    assert ("amend_calendar" in operations) is has_them
    assert "schedule_upgrade" in operations
