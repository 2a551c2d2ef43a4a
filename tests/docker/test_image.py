"""The image is the same whenever it is built: each of its layers, and how it is run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docker import engine

pytestmark = [pytest.mark.docker, pytest.mark.timeout(2 * engine.BUILD_TIMEOUT_S)]

AGAIN = "khazana:again"
STAGE = "/src"
"""Where the first stage of the Dockerfile works, and nothing else."""


@pytest.fixture
def again() -> Iterator[str]:
    """The image built once more, from nothing that is kept; the other is there before."""
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    engine.build(engine.IMAGE)  # As a rule it is kept, from the cluster's.
    before = unnamed()
    try:
        engine.build(AGAIN, "--no-cache")
        yield AGAIN
    finally:
        # Half a gigabyte of the first stage stays behind without a name.
        stages = [
            each for each in unnamed() - before if inspect(each)["Config"]["WorkingDir"] == STAGE
        ]
        engine.run("docker", "image", "rm", "--force", AGAIN, *stages)


def unnamed() -> set[str]:
    words = ("docker", "image", "ls", "--quiet", "--no-trunc", "--filter", "dangling=true")
    return set(engine.run(*words).split())


def inspect(name: str) -> Any:
    (found,) = json.loads(engine.run("docker", "image", "inspect", name))
    return found


def test_two_builds_have_the_same_layers(again: str) -> None:
    one, other = inspect(engine.IMAGE), inspect(again)

    assert one["Id"] != other["Id"], "both are one build"
    assert len(one["RootFS"]["Layers"]) >= 3
    assert one["RootFS"] == other["RootFS"]
    for member in ("User", "Env", "Cmd", "Entrypoint", "Healthcheck", "ExposedPorts", "Volumes"):
        assert one["Config"][member] == other["Config"][member], member
