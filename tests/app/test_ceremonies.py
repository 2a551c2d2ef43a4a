"""Some seeded ceremonies, and one in which what the log remembers is forgotten: it is found out."""

import pytest

from node.replica.journal import Journal
from tests.app.ceremonies import amend_one, main
from tests.network.virtual_time import run_virtual

pytestmark = pytest.mark.adversarial(23, 29)

FORGETFUL: int = 1
"""A seed whose restarts come between two signatures of one height."""


@pytest.mark.parametrize("seed", range(6))
def test_a_network_that_lost_two_keys_goes_on_as_one_chain(seed: int) -> None:
    assert run_virtual(amend_one(seed)) > 0


def test_a_log_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "_of_domain", lambda _journal, _every: [])
    with pytest.raises(ExceptionGroup) as caught:
        run_virtual(amend_one(FORGETFUL))
    failure: BaseException = caught.value
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    assert "AccusationRecord" in str(failure)


def test_the_command_says_where_each_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--first", "7", "--seeds", "1"]) == 0
    assert "seed 7: one chain of" in capsys.readouterr().out
