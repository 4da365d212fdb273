"""A connection to Temporal that dies without a word, as behind a cut cable, is soon made anew."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from temporalio.service import KeepAliveConfig

from engine.gateway import connect
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from tests.drills.proxy import Proxy

pytestmark = pytest.mark.temporal


@pytest.fixture
def proxy(temporal_address: str) -> Iterator[Proxy]:
    proxy = Proxy(temporal_address)
    yield proxy
    proxy.close()


def test_a_lost_connection_is_noticed_and_made_anew(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_KEEP_ALIVE", KeepAliveConfig(1_000, 1_000))
    thread = LoopThread()
    gateway = TemporalRunGateway(
        LazyConnection(TemporalOptions(proxy.address), thread), lambda: False
    )
    assert gateway.reachable()
    proxy.silence()
    assert not gateway.reachable()
    proxy.mend(lost=True)

    deadline = time.monotonic() + 12
    while not gateway.reachable():
        assert time.monotonic() < deadline, "the SDK's own patience is 45 s"
    thread.stop()


def test_it_is_asked_no_more_often_than_temporal_allows() -> None:
    """The server's keepAliveMinTime is 10 s; it ends the connection of whoever asks more often."""
    assert connect._KEEP_ALIVE.interval_millis > 10_000
