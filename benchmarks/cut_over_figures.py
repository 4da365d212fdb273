"""What is measured of the cut-over: its time beside the bare UPDATEs, what readers feel, a kill -9.

Sized by the caller: `python -m benchmarks.cut_over` takes a million runs, the tests some thousands.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, text

from engine.settings import ROOT
from engine.store import cut_over
from engine.store.session import writer

KEYS: Final = {
    "workflow_runs": "run_id",
    "workflow_run_waits": "wait_id",
    "workflow_run_steps": "step_id",
    "workflow_action_invocations": "invocation_id",
    "workflow_tasks": "task_id",
}
_BATCH: Final = "(SELECT run_id FROM cut_over_batch)"
_STRANDED: Final = f"(SELECT run_id FROM workflow_runs WHERE {cut_over.STRANDED})"
_UPGRADE: Final = """
import sys
from engine.store import schema
from engine.store.session import make_engine
schema.upgrade(make_engine(sys.argv[1]), "0002")
"""


def bare_updates(engine: Engine, *, keep: bool) -> float:
    """Seconds that one UPDATE a table takes, all in one transaction: the original's way."""
    with writer(engine).connect() as connection:
        _without_time_limit(connection)
        columns = cut_over.columns_there(connection)
        began = time.monotonic()
        for statement in cut_over.batch_statements(engine.dialect.name, columns):
            bare = statement.replace(f"run_id IN {_BATCH} AND ", "").replace(_BATCH, _STRANDED)
            assert "cut_over_batch" not in bare
            cut_over.execute(connection, bare)
        if keep:
            connection.commit()
        return time.monotonic() - began


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Seconds that the statements of this thread's upgrade take, by what they are for."""
    spent: dict[str, float] = defaultdict(float)
    ours = threading.get_ident()
    began = 0.0

    def begin(*_: Any) -> None:
        nonlocal began
        if threading.get_ident() == ours:
            began = time.monotonic()

    def end(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() == ours:
            spent[_purpose(statement)] += time.monotonic() - began

    event.listen(Engine, "before_cursor_execute", begin)
    event.listen(Engine, "after_cursor_execute", end)
    try:
        yield spent
    finally:
        event.remove(Engine, "before_cursor_execute", begin)
        event.remove(Engine, "after_cursor_execute", end)


def _purpose(statement: str) -> str:
    if statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")):
        return "indexes"
    if "cut_over_batch" in statement or statement in {"BEGIN", "COMMIT"}:
        return "batches"
    return "rules" if statement.startswith("ALTER") else "looking"


@contextmanager
def readers(engine: Engine) -> Iterator[list[float]]:
    """Reads a row of every table by its key, over and over; the seconds of each time."""
    waits: list[float] = []
    over = threading.Event()
    with engine.connect() as connection:
        ids = {
            table: connection.scalar(text(f"SELECT {key} FROM {table} LIMIT 1"))
            for table, key in KEYS.items()
        }

    def read() -> None:
        while not over.is_set():
            for table, key in KEYS.items():
                began = time.monotonic()
                with engine.connect() as connection:
                    query = text(f"SELECT * FROM {table} WHERE {key} = :id")
                    connection.execute(query, {"id": ids[table]}).all()
                waits.append(time.monotonic() - began)
            time.sleep(0.001)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def upgrade_and_kill(engine: Engine) -> int:
    """Start the upgrade as a process, kill it in the middle; how many runs it had canceled.

    On PostgreSQL the middle is seen from outside, by the batches that are committed; on SQLite all
    is one transaction, whose write lock is seen.
    """
    url = engine.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", _UPGRADE, url], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None and not _has_begun(engine):
            time.sleep(0.002)
        if engine.dialect.name == "sqlite":
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    return canceled(engine)


def _has_begun(engine: Engine) -> bool:
    if engine.dialect.name == "postgresql":
        return canceled(engine) > 0
    with engine.connect() as connection:
        path = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    return _size(f"{path}-wal") > 64 * 1024


def _size(path: str) -> int:
    return Path(path).stat().st_size if Path(path).exists() else 0


def canceled(engine: Engine) -> int:
    """Runs that the cut-over has finalized."""
    with engine.connect() as connection:
        _without_time_limit(connection)
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM workflow_runs WHERE status = 'CANCELED' "
                    "AND error_json IS NOT NULL"
                )
            )
            or 0
        )


def still_open(engine: Engine) -> dict[str, int]:
    """Rows that the cut-over should have closed and has not, by table; empty is right."""
    ended = "(SELECT run_id FROM workflow_runs WHERE error_json IS NOT NULL)"
    conditions = {"workflow_runs": cut_over.STRANDED} | {
        closing.table: f"{closing.open} AND {closing.run_column} IN {ended}"
        for closing in cut_over.CLOSINGS
    }
    with engine.connect() as connection:
        _without_time_limit(connection)
        counts = {
            table: int(connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {which}")) or 0)
            for table, which in conditions.items()
        }
    return {table: count for table, count in counts.items() if count}


def fingerprint(engine: Engine) -> str:
    """Of every row of the tables that the cut-over writes."""
    digest = hashlib.sha256()
    with engine.connect() as connection:
        _without_time_limit(connection)
        for table, key in KEYS.items():
            rows = text(f"SELECT * FROM {table} ORDER BY {key}").execution_options(yield_per=10_000)
            for row in connection.execute(rows):
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def _without_time_limit(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
