"""Real servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.actions.servers import HttpServer, http_server


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as running:
        yield running
