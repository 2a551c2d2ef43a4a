"""Run the published cases of ACTUS: `python -m tests.actus`.

Prints how many of each contract type come out as published, to 1e-8 in every figure of every row,
and each difference with what is known of it. Ends with 1 if a difference is not explained.
"""

import sys
from typing import Final

from tests.actus.cases import FOLDER, Verdict, cases_of, judge
from tests.actus.contracts import ContractType

EXPLAINED: Final = {
    "clm07": (
        "the case contradicts itself: on the day of the notice it lists no interest accrued, and"
        " then pays the two days that had accrued by then; clm09 and clm13 list them"
    ),
}
"""Cases that cannot come out, and why."""


def main() -> None:
    """Run all cases of the types that are computed here."""
    if not FOLDER.is_dir():
        sys.exit(f"the cases are absent: {FOLDER} was expected to hold them")
    verdicts = [judge(case) for kind in ContractType for case in cases_of(kind)]
    lines = [
        "type  cases  as published   rows",
        *(
            _line(kind, [each for each in verdicts if each.case.type is kind])
            for kind in ContractType
        ),
        _line("all", verdicts),
    ]
    missed = {each.case.name: each.misses for each in verdicts if each.misses}
    for name, misses in missed.items():
        lines += [f"\n{name}: {EXPLAINED.get(name, 'not explained')}"]
        lines += [f"  {miss}" for miss in misses]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(int(set(missed) != set(EXPLAINED)))


def _line(name: str, verdicts: list[Verdict]) -> str:
    good = sum(not verdict.misses for verdict in verdicts)
    rows = sum(verdict.rows for verdict in verdicts)
    return f"{name:<5} {len(verdicts):>5}  {good:>12}  {rows:>5}"


if __name__ == "__main__":
    main()
