"""The same history gives the same bytes, whatever the process is like."""

import sys

import pytest

from tests.chain.determinism import compare


@pytest.mark.adversarial(64)
def test_other_processes_compute_the_same_blocks() -> None:
    """The short form of `python -m tests.chain.determinism`, which also takes other Pythons."""
    compared = compare(120, seed=1, pythons=[sys.executable] * 3)

    assert compared.difference is None
    assert compared.blocks > 120
    assert compared.transactions > 120


@pytest.mark.adversarial(64)
def test_a_history_that_differs_is_noticed() -> None:
    """Another interpreter that prints something else: here one that is no interpreter."""
    compared = compare(5, seed=1, pythons=[sys.executable, "/bin/echo"])

    assert compared.difference is not None
    assert compared.blocks == 0
