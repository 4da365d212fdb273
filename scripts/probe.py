"""Is this container healthy? For docker-compose.ee.yaml; the exit code is the answer.

python -m scripts.probe URL        it answers 200
python -m scripts.probe worker     the worker of this host wrote a heartbeat just now
"""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

FRESH = timedelta(seconds=30)
TIMEOUT_S = 4


def web_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def worker_beats(host: str) -> bool:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from engine.settings import Settings
    from engine.store.session import Store, make_engine
    from engine.store.workers import WorkerHeartbeat, WorkerState

    engine = make_engine(Settings().effective_database_url, pool_size=1)
    fresh = select(WorkerHeartbeat.identity).where(
        WorkerHeartbeat.identity.contains(f"@{host}-", autoescape=True),
        WorkerHeartbeat.state == WorkerState.RUNNING,
        WorkerHeartbeat.seen_at > datetime.now(UTC) - FRESH,
    )
    try:
        with Store(engine).reading() as session:
            return session.scalars(fresh.limit(1)).first() is not None
    except SQLAlchemyError:
        return False


def main(what: str) -> int:
    healthy = worker_beats(socket.gethostname()) if what == "worker" else web_answers(what)
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
