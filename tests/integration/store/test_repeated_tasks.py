"""A workflow task that was lost twice: its repetition has the length of history of the lost one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.services.context import Services
from engine.services.record_progress import record_progress
from engine.store.tables import WorkflowRun
from tests.attempts import batch, record
from tests.integration.store.performed import step_row


@pytest.mark.parametrize("status", ["STARTED", "SUCCEEDED"])
def test_a_step_began_when_the_task_that_counts_says(
    services: Services, run: WorkflowRun, status: str
) -> None:
    first = record(status=status)
    again = replace(first, started_at=first.started_at + 20_000, position=first.position + 3)
    lost = batch(run, records=[first])
    record_progress(services, lost)
    record_progress(services, replace(lost, records=[again]))

    row = step_row(services.store, run)
    assert round(row.started_at.timestamp() * 1000) == again.started_at
    assert row.position == again.position


def test_a_step_that_goes_on_began_when_it_began(services: Services, run: WorkflowRun) -> None:
    begun = record(status="STARTED")
    record_progress(services, batch(run, records=[begun]))
    ended = replace(begun, status="SUCCEEDED", started_at=begun.started_at + 5)
    record_progress(services, batch(run, records=[ended]))

    assert round(step_row(services.store, run).started_at.timestamp() * 1000) == begun.started_at
