"""The transcripts in `scenarios/`: each must say what the engine does, to the letter."""

from pathlib import Path

import pytest

from tests.consensus.transcript import Transcript

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.stem for path in SCENARIOS])
def test_scenario(path: Path, request: pytest.FixtureRequest) -> None:
    written = path.read_text(encoding="utf-8")

    played = "\n".join(Transcript().play(written)) + "\n"

    if request.config.getoption("--rewrite"):
        path.write_text(played, encoding="utf-8")
    else:
        assert played == written, "if this is meant: pytest --rewrite, and read the difference"


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 15
