"""A PostgreSQL server of a drill's own, which may be stopped as a power cut does."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

import psycopg

from tests.databases import postgresql_in
from tests.drills.memory import fast_directory

_CONF: Final = "fsync=off\nfull_page_writes=off\nmax_connections=400\n"
"""The machine itself does not fail. Commits are not asynchronous: a killed server keeps them."""


class Postgres:
    def __init__(self) -> None:
        self._server = postgresql_in(
            Path(tempfile.mkdtemp(prefix="rs-drill-", dir=fast_directory())), _CONF
        )
        self.socket_file = f"{self._server.get_postmaster_info().socket_dir}/.s.PGSQL.5432"
        self.url = self._create_database()
        """Past every proxy."""

    def restart(self) -> None:
        """As an administrator does."""
        self._server.stop()
        time.sleep(1)
        self._server.start()

    def crash(self) -> None:
        """Immediate mode: no connection ends well, and it recovers when it comes back."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(timeout=20)
        time.sleep(1)
        self._server.start()

    def close(self) -> None:
        self._server.cleanup()

    def _create_database(self) -> str:
        url = str(self._server.get_uri())
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE drill TEMPLATE template0")
        head, _, options = url.partition("?")
        return f"{head.rpartition('/')[0]}/drill?{options}"
