"""Options of the whole suite."""

import pytest
from hypothesis import settings

# No deadline: a machine that is busy with something else is no failure of ours.
settings.register_profile("ci", deadline=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the transcripts anew; read the difference like code",
    )
