"""Options of the whole suite."""

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings
from xdist.remote import Producer

from node.provision import ports
from tests.scheduling import (
    WORKERS_MAX,
    FilesAndOneMachine,
    as_one_collects,
    longest_first,
    turned,
    workers,
)

# No deadline: a machine that is busy with something else is no failure of ours.
settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")

LOWEST_PORT = 10_000


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker ports of its own: a node that is down for a while comes back to its port."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    if given:
        # And not those of commands that are typed meanwhile, which choose for themselves.
        each = (ports._LOWEST - LOWEST_PORT) // WORKERS_MAX
        first = LOWEST_PORT + each * (int(given["workerid"].removeprefix("gw")) % WORKERS_MAX)
        ports._LOWEST, ports._HIGHEST = first, first + each  # type: ignore[misc]  # constants


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the transcripts anew; read the difference like code",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesAndOneMachine:
    return FilesAndOneMachine(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and then nowhere in what was collected: it stays to the
    end, and looking through it took half the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let each worker begin with other rooms: what one has compiled is there for the others."""
    report = yield
    given: dict[str, str] = getattr(collector.config, "workerinput", {})
    if given and collector.nodeid == "tests":
        number = int(given["workerid"].removeprefix("gw"))
        report.result = turned(report.result, number, int(given["workercount"]))
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        as_one_collects(items)
        longest_first(items)
