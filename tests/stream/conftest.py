"""The server that the tests of the stream run against."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stream.servers import WHY_NOT, NatsServer


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[NatsServer]:
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    server = NatsServer(tmp_path / "nats")
    await server.start()
    try:
        yield server
    finally:
        server.stop()
