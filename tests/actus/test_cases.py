"""Every published case of the types that are computed here, where the files are at hand.

They stand outside the repository, in `../shared/data/actus`. Without them the figures that
`test_engine.py` restates remain.
"""

import pytest

from tests.actus.__main__ import EXPLAINED
from tests.actus.cases import FOLDER, cases_of, judge
from tests.actus.contracts import ContractType

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the cases of ../shared/data/actus are absent"
)


@pytest.mark.parametrize("kind", ContractType)
def test_cases_come_out_as_published(kind: ContractType) -> None:
    verdicts = [judge(case) for case in cases_of(kind)]

    missed = {verdict.case.name for verdict in verdicts if verdict.misses}

    assert verdicts
    assert missed == {name for name in EXPLAINED if name.startswith(kind.lower())}


def test_case_that_contradicts_itself_differs_in_one_figure() -> None:
    (called,) = [case for case in cases_of(ContractType.CLM) if case.name == "clm07"]

    (miss,) = judge(called).misses

    assert "accruedInterest 0.0493978948, 0 was expected" in miss
