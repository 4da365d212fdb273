"""What the list of runs is asked for at scale, and how deep."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks import list_rows
from engine.services.find_runs import PAGE_SIZE
from engine.services.keyset import Cursor
from engine.services.match_runs import count_up_to
from engine.services.run_filter import RunFilter, ways_to_match
from engine.store.runs import WorkflowRun

PAGE: Final = 10_000


def queries(runs: int) -> list[str]:
    """What is common, rare and very rare of each filter; the first has none."""
    some = list_rows.run_id(runs // 2)
    return [
        "",
        "status=SUCCEEDED",
        "status=FAILED",
        "status=RUNNING&status=WAITING",
        "workflow=orders",
        "workflow=yearly-audit",
        "workflow=orders&status=FAILED",
        "version=1",
        "version=9",
        "workflow=orders&version=1",
        "workflow=onboarding&version=9",
        "trigger=manual",
        "trigger=replay",
        "trigger=child",
        "trigger=event",
        "trigger=schedule",
        "trigger=recurring",
        "trigger=manual&status=FAILED",
        "trigger=recurring&status=CANCELED",
        "from=2026-01-05&to=2026-01-20",
        "queued=1",
        f"q={some}",
        f"q={some[:6]}",
        "q=order-1234",
        "q=order-",
        "q=nothing-has-this-key",
    ]


def deep_page(session: Session, wanted: RunFilter, now: datetime) -> tuple[int, Cursor | None]:
    """Where the 10,000th page begins; of fewer pages the one in the middle; of one page none."""
    counts = {
        number: session.scalar(count_up_to(PAGE * PAGE_SIZE, [way])) or 0
        for number, way in enumerate(ways_to_match(session, wanted, now))
    }
    most = max(counts, key=lambda number: counts[number])
    pages = counts[most] // PAGE_SIZE
    page = PAGE if pages == PAGE else pages // 2
    if page < 2:
        return 1, None
    run = WorkflowRun
    last = session.execute(
        select(run.started_at, run.run_id)
        .where(*ways_to_match(session, wanted, now)[most])
        .order_by(run.started_at.desc(), run.run_id.desc())
        .offset((page - 1) * PAGE_SIZE - 1)
        .limit(1)
    ).one()
    return page, Cursor(last.started_at, last.run_id)
