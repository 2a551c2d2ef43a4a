"""The pytest plugin of the distribution: a running network as the fixture `cluster`.

pytest loads this in every project that has Khazana installed, so it imports nothing of Khazana
before a test asks for a cluster, and disturbs nobody who has no pytest-asyncio.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

if TYPE_CHECKING:
    from node.testing.cluster import Cluster

try:
    # In strict mode pytest-asyncio runs only the fixtures that are declared to it.
    from pytest_asyncio import fixture as _async_fixture
except ImportError:
    _async_fixture = pytest.fixture  # type: ignore[assignment]

ClusterFactory: TypeAlias = "Callable[..., Awaitable[Cluster]]"

MARKER: Final = "khazana"
LOG_LINES: Final = 20
"""Of each node's log, shown with a test that failed."""

_CLUSTERS: Final = pytest.StashKey["list[Cluster]"]()


class ImportedAsUsual:
    """Finds the modules of Khazana as Python does.

    pytest takes every module of a distribution that has a plugin for tests, and writes its
    assertions anew, all 750 of them: seconds of a project's first run, and slower code in each.
    """

    packages: Final = ("consensus", "node")

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in cls.packages:
            return PathFinder.find_spec(name, path, target)
        return None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    sys.meta_path.insert(0, ImportedAsUsual)


def pytest_unconfigure() -> None:
    if ImportedAsUsual in sys.meta_path:
        sys.meta_path.remove(ImportedAsUsual)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{MARKER}(validators=4, observers=0, fault_model='byzantine', storage='disk',"
        " funded=True, blocks=None, consensus=None, adjust=None): what the `cluster` of this test"
        " is like; see node.testing.cluster.running_cluster",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show with a failed test what its nodes logged."""
    report = yield
    if report.failed:
        clusters: list[Cluster] = item.stash.get(_CLUSTERS, [])
        for number, cluster in enumerate(clusters):
            for node in cluster.nodes.values():
                title = f"khazana log of {node.name}" + (f", cluster {number}" if number else "")
                report.sections.append((title, "\n".join(node.log_tail(LOG_LINES))))
    return report


@pytest.fixture
def _khazana_asyncio(request: pytest.FixtureRequest) -> None:
    if not request.config.pluginmanager.has_plugin("asyncio"):
        pytest.fail(
            "a fixture of Khazana needs pytest-asyncio; with another plugin, use"
            " `async with running_cluster(tmp_path)` of node.testing.cluster",
            pytrace=False,
        )


@_async_fixture
async def khazana_cluster(
    request: pytest.FixtureRequest, _khazana_asyncio: None, tmp_path: Path
) -> AsyncIterator[ClusterFactory]:
    """Give a function that starts a network: `await khazana_cluster(validators=3, ...)`.

    Takes what `node.testing.cluster.running_cluster` takes. Everything stops when the test ends.
    """
    from node.testing.cluster import running_cluster

    clusters = request.node.stash.setdefault(_CLUSTERS, [])
    async with AsyncExitStack() as stack:

        async def start(**options: Any) -> "Cluster":
            root = tmp_path / f"khazana-{len(clusters)}"
            cluster = await stack.enter_async_context(running_cluster(root, **options))
            clusters.append(cluster)
            return cluster

        yield start


@_async_fixture
async def cluster(request: pytest.FixtureRequest, khazana_cluster: ClusterFactory) -> "Cluster":
    """Give a running network of four validators, or what the marker `khazana` asks for."""
    marker = request.node.get_closest_marker(MARKER)
    return await khazana_cluster(**({} if marker is None else marker.kwargs))
