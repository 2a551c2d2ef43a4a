"""Fuzz the decoders that bytes from outside reach; says what was done, and keeps what is found.

    python -m tests.fuzz TARGET [TARGET ...] | --all | --list
        [--seconds 60] [--findings FOLDER]
    python -m tests.fuzz ... --structured [--cases 1000000] [--seed 1]
    python -m tests.fuzz TARGET --replay FILE

Without --structured the run is coverage-guided, which needs the package atheris (CPython on Linux;
`pip install -e ".[fuzz]"`). Exit code 1 when something was found.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import structured
from tests.fuzz.harness import Target, examine
from tests.fuzz.targets import BY_NAME

ROOT = Path(__file__).parents[2]
MEMORY_MIB = 2_048
"""A process that grows beyond this is a finding."""
INPUT_SECONDS = 20
"""So is an input that takes longer."""


def main() -> int:
    """Run the targets that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--all", action="store_true", help="every target in turn")
    parser.add_argument("--list", action="store_true", help="name the targets and end")
    parser.add_argument("--seconds", type=float, help="for each target; 60 if guided")
    parser.add_argument("--structured", action="store_true", help="seeded cases, no engine")
    parser.add_argument("--cases", type=int, help="for each target; 1,000,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=Path, help="try this one input and say what comes of it")
    parser.add_argument(
        "--findings", type=Path, default=Path(tempfile.gettempdir()) / "khazana-fuzz"
    )
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(BY_NAME))
        return 0
    names = list(BY_NAME) if arguments.all else arguments.targets
    unknown = [name for name in names if name not in BY_NAME]
    if unknown or not names:
        parser.error(f"no such target: {', '.join(unknown)}" if unknown else "name a target")
    targets = [BY_NAME[name] for name in names]
    if arguments.replay is not None:
        return _replay(targets[0], arguments.replay.read_bytes())
    if arguments.structured:
        return _structured(targets, arguments)
    if importlib.util.find_spec("atheris") is None:
        parser.error(
            "atheris is not installed: coverage-guided runs need it (pip install '.[fuzz]');"
            " --structured does not"
        )
    return _guided(targets, arguments)


def _replay(target: Target, data: bytes) -> int:
    with target.opened() as read:
        print(examine(target, read, data))
    return 0


def _structured(targets: list[Target], arguments: argparse.Namespace) -> int:
    cases = arguments.cases or (1_000_000 if arguments.seconds is None else sys.maxsize)
    print(f"{'target':<18}{'executions':>12}{'findings':>10}  outcomes")
    total = found = 0
    for target in targets:
        done = structured.run(
            target,
            cases=cases,
            seconds=arguments.seconds,
            seed=arguments.seed,
            findings=arguments.findings / target.name,
        )
        outcomes = ", ".join(f"{name} {count:,}" for name, count in done.outcomes.most_common(4))
        count = len(done.findings)
        print(f"{target.name:<18}{done.executions:>12,}{count:>10}  {outcomes}", flush=True)
        total += done.executions
        found += count
    print(f"{'all':<18}{total:>12,}{found:>10}  {_kept(found, arguments.findings)}")
    return 1 if found else 0


def _guided(targets: list[Target], arguments: argparse.Namespace) -> int:
    seconds = int(arguments.seconds or 60)
    print(f"{'target':<18}{'executions':>12}{'edges':>8}{'corpus':>8}{'findings':>10}")
    total = found = 0
    for target in targets:
        executions, edges, corpus, findings = _run_guided(target, seconds, arguments.findings)
        print(
            f"{target.name:<18}{executions:>12,}{edges:>8,}{corpus:>8,}{findings:>10}", flush=True
        )
        total += executions
        found += findings
    print(f"{'all':<18}{total:>12,}{'':>16}{found:>10}  {_kept(found, arguments.findings)}")
    return 1 if found else 0


def _run_guided(target: Target, seconds: int, folder: Path) -> tuple[int, int, int, int]:
    """Return executions, edges, size of the corpus, and findings."""
    findings = folder / target.name
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.glob("*-*"))
    command = [
        *(sys.executable, "-W", "error", "-m", "tests.fuzz.guided", target.name),
        str(folder / "corpus" / target.name),
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={target.size_max}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    ]
    with (findings / "log.txt").open("wb") as log:
        ended = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=False)
    said = (findings / "log.txt").read_text(errors="replace")
    found = len(set(findings.glob("*-*")) - before)
    if ended.returncode != 0 and not found:
        raise RuntimeError(f"{target.name} did not run; see {findings / 'log.txt'}")
    progress = re.findall(r"#(\d+)\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/", said)
    executions, edges, corpus = (int(each) for each in progress[-1]) if progress else (0, 0, 0)
    final = re.search(r"stat::number_of_executed_units:\s+(\d+)", said)
    return (int(final[1]) if final else executions), edges, corpus, found


def _kept(found: int, folder: Path) -> str:
    return f"kept in {folder}" if found else ""


if __name__ == "__main__":
    sys.exit(main())
