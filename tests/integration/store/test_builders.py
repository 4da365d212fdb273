"""The builders' defaults are rows that both databases accept."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from engine.runs.status import RunStatus, StepStatus
from engine.store.session import Store
from engine.store.tables import WorkflowRunStep
from tests import builders


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_run_with_everything_on_it_can_be_saved(store: Store, status: RunStatus) -> None:
    of, _ = builders.published(store)
    run = builders.run(of, status)
    builders.save(
        store,
        run,
        *(builders.step(run, step, path=f"root.steps[{n}]") for n, step in enumerate(StepStatus)),
        builders.wait(run),
        builders.invocation(run),
        builders.log(run),
        builders.operator(),
    )
    with store.reading() as session:
        steps = session.scalar(select(func.count()).select_from(WorkflowRunStep))
    assert steps == len(StepStatus)
