"""What is shown of open waits, and how they are closed from outside (docs/rules.md 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.services.context import Services
from engine.services.find_waits import list_open_waits
from engine.services.redact_run import Rules
from engine.services.stop_run import stop_now
from engine.store.logs import LogSource
from engine.store.session import Store
from engine.store.tables import (
    Lease,
    WorkflowHumanTask,
    WorkflowRun,
    WorkflowRunWait,
)
from tests.engine_fake import FakeEngine
from tests.integration.store.events_sent import (
    an_event_wait,
    opened,
    send,
)
from tests.integration.store.recorded import rows
from tests.run_cases import a_run

Wrapped = Callable[..., Any]


@pytest.fixture
def run(store: Store, engine: FakeEngine) -> WorkflowRun:
    return a_run(store, engine)


def test_nothing_private_is_shown_of_what_waits(
    services: Services, store: Store, engine: FakeEngine
) -> None:
    """Titles, keys and contexts are made of the payload: a masked value in them stays masked."""
    run = a_run(store, engine, input_json={"password": "hunter-2-hunter"})
    opened(services, an_event_wait(run, 0, key="order hunter-2-hunter"))
    task = an_event_wait(
        run,
        1,
        kind="human.task",
        wait_type="human",
        event_name="HUMAN_TASK_COMPLETED",
        payload={
            "title": "Is hunter-2-hunter right?",
            "assignee": "ops",
            "form": {"type": "object"},
            "contextData": {"token": "t-t-t-t", "said": "hunter-2-hunter"},
        },
    )
    opened(services, task)
    with store.reading() as session:
        page = list_open_waits(session, Rules())
        text = str(page)

    assert [wait.kind for wait in page.waits] in (["human", "event"], ["event", "human"])
    assert "hunter" not in text
    assert "[REDACTED]" in text


def test_pages_of_waits_show_each_once(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    for number in range(5):
        at = services.now() + timedelta(seconds=number // 2)
        opened(replace(services, now=lambda at=at: at), an_event_wait(run, number))
    seen: list[str] = []
    cursor = None
    with store.reading() as session:
        while True:
            page = list_open_waits(session, Rules(), cursor=cursor, limit=2)
            seen += [wait.path for wait in page.waits]
            cursor = page.older
            if cursor is None:
                break
    assert len(seen) == len(set(seen)) == 5
    assert seen[0] == "root.steps[4]"


def test_stop_now_closes_waits_and_tasks_without_a_worker(
    services: Services, store: Store, engine: FakeEngine, run: WorkflowRun
) -> None:
    opened(services, an_event_wait(run, 0))
    form = {"title": "T", "form": {"type": "object"}}
    opened(services, an_event_wait(run, 1, wait_type="human", kind="human.task", payload=form))
    stop_now(services, run.run_id, None, LogSource.UI)
    with store.reading() as session:
        tasks = session.scalars(select(WorkflowHumanTask.status)).all()
        waits = session.scalars(select(WorkflowRunWait.status)).all()
        shown = list_open_waits(session, Rules()).waits

    assert (list(tasks), list(waits), shown) == (["CANCELED"], ["CANCELED", "CANCELED"], ())
    assert send(services).targets == ()
    assert rows(store, Lease) == []
