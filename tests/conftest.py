"""Options of the whole suite."""

import pytest
from hypothesis import settings
from xdist.remote import Producer

from node.provision import ports
from tests.scheduling import WORKERS_MAX, FilesAndOneMachine, longest_first, workers

# No deadline: a machine that is busy with something else is no failure of ours.
settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker ports of its own: a node that is down for a while comes back to its port."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    if given:
        each = (ports._HIGHEST - ports._LOWEST) // WORKERS_MAX
        first = ports._LOWEST + each * (int(given["workerid"].removeprefix("gw")) % WORKERS_MAX)
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        longest_first(items)
