"""A connection to PostgreSQL that dies without a word: a cut cable, a firewall that forgets.

Neither side may wait for the kernel's two hours: a worker's thread would hang, and rows that a lost
worker has locked would stay locked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from engine.store import session
from engine.store.session import Store, make_engine
from tests.drills.proxy import Proxy


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    there = make_url(postgres_url)
    directory = there.query.get("host")
    proxy = Proxy(f"{directory}/.s.PGSQL.5432" if directory else f"{there.host}:{there.port}")
    yield proxy
    proxy.close()


def through(proxy: Proxy, url: str) -> Store:
    there = make_url(url).set(host="127.0.0.1", port=proxy.port, query={})
    return Store(make_engine(there.render_as_string(hide_password=False)))


def test_whoever_waits_for_a_lost_server_gives_it_up(
    proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOST_AFTER_S", 2)
    store = through(proxy, postgres_url)

    def ask_when_it_is_lost() -> None:
        with store.writing() as writing:
            writing.execute(text("SELECT 1"))
            proxy.silence()
            writing.execute(text("SELECT 2"))

    began = time.monotonic()
    with pytest.raises(OperationalError):
        ask_when_it_is_lost()
    assert time.monotonic() - began < 10
    proxy.mend(lost=True)
    with store.reading() as reading:
        assert reading.scalar(text("SELECT 3")) == 3


def test_the_locks_of_a_lost_worker_are_given_up(
    proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_IDLE_WITHIN_S", 1)
    lost, other = through(proxy, postgres_url), Store(make_engine(postgres_url))
    locking = text("SELECT pg_advisory_xact_lock(7)")

    def lock_and_be_lost() -> None:
        with lost.writing() as writing:
            writing.execute(locking)
            proxy.silence()
            began = time.monotonic()
            with other.writing() as another:
                another.execute(locking)
            assert time.monotonic() - began < 10
            proxy.mend()
            writing.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError):
        lock_and_be_lost()
    other.engine.dispose()
