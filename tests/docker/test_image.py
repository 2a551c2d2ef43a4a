"""The image is the same whenever it is built: each of its layers, and how it is run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker import engine
from tests.docs.blocks import block
from tests.docs.shell import typed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(2 * engine.BUILD_TIMEOUT_S)]

ONCE = "khazana:once"
AGAIN = "khazana:again"
STAGE = "/src"
"""Where the first stage of the Dockerfile works, and nothing else."""


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The image, and once more, from nothing that is kept: of one copy of the sources."""
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    sources = engine.copy_sources(tmp_path / "sources")
    before = unnamed()
    try:
        engine.build(ONCE, sources=sources)  # As a rule its layers are the cluster's.
        engine.build(AGAIN, "--no-cache", sources=sources)
        yield ONCE, AGAIN
    finally:
        # Half a gigabyte of the first stage stays behind without a name.
        stages = [
            each for each in unnamed() - before if inspect(each)["Config"]["WorkingDir"] == STAGE
        ]
        engine.run("docker", "image", "rm", "--force", AGAIN, *stages)
        engine.run("docker", "image", "rm", "--force", "--no-prune", ONCE)


def unnamed() -> set[str]:
    words = ("docker", "image", "ls", "--quiet", "--no-trunc", "--filter", "dangling=true")
    return set(engine.run(*words).split())


def inspect(name: str) -> Any:
    (found,) = json.loads(engine.run("docker", "image", "inspect", name))
    return found


def test_two_builds_have_the_same_layers(both: tuple[str, str]) -> None:
    one, other = map(inspect, both)
    told = []
    for image in both:
        with engine.named(image, "khazana:local"):
            told.append(typed(block("docker/README.md", "docker image inspect")))

    assert one["Id"] != other["Id"], "both are one build"
    assert len(one["RootFS"]["Layers"]) >= 3
    assert one["RootFS"] == other["RootFS"]
    assert json.loads(told[0]) == one["RootFS"]["Layers"]
    assert told[0] == told[1], "as the page has them compared"
    for member in ("User", "Env", "Cmd", "Entrypoint", "Healthcheck", "ExposedPorts", "Volumes"):
        assert one["Config"][member] == other["Config"][member], member
