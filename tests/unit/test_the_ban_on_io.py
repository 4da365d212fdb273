"""The fast suite opens no socket and no database (tests/conftest.py)."""

from __future__ import annotations

import asyncio
import socket
import sqlite3

import psycopg
import pytest


def test_a_unit_test_cannot_open_a_socket() -> None:
    with pytest.raises(pytest.fail.Exception, match="socket"):
        socket.create_connection(("127.0.0.1", 9))


def test_a_unit_test_cannot_open_a_database() -> None:
    with pytest.raises(pytest.fail.Exception, match="database"):
        sqlite3.connect(":memory:")
    with pytest.raises(pytest.fail.Exception, match="database"):
        psycopg.connect("postgresql://127.0.0.1:9/none")


def test_an_event_loop_still_starts() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
