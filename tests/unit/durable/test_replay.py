"""Recorded histories go through today's code (docs/rules.md 4): no change may break a running run.

`record_histories` makes them; a directory a release.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from engine.durable.run_workflow import RunWorkflow
from engine.durable.sandbox import workflow_runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*/*.json"))


def replayed(path: Path, text: str | None = None) -> BaseException | None:
    """What replaying says: None, or why the code does not fit the history."""

    async def replay() -> BaseException | None:
        replayer = Replayer(workflows=[RunWorkflow], workflow_runner=workflow_runner())
        history = WorkflowHistory.from_json("run-of-a-history", text or path.read_text())
        return (
            await replayer.replay_workflow(history, raise_on_replay_failure=False)
        ).replay_failure

    return asyncio.run(replay())


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_history_is_replayed(path: Path) -> None:
    assert replayed(path) is None


def test_there_is_one_of_every_way_in_which_a_run_uses_temporal() -> None:
    assert {path.stem for path in HISTORIES} >= {
        "quick-chain",
        "regular-chain",
        "every-kind",
        "failed",
        "boundaries",
        "canceled",
        "large-values",
        "pure-loop",
        "call-workflow",
        "call-that-fails",
        "call-refused",
        "call-canceled",
        "child-canceled",
        "quick-failure",
        "concurrent-loop",
        "concurrent-failure",
        "concurrent-rows",
        "concurrent-calls",
        "try-in-loops",
        "continues",
        "continued",
        "event-wait",
        "human-task",
        "quota-pause",
    }


def test_a_history_that_does_not_fit_is_noticed() -> None:
    """An activity of the history is renamed: the code would call another one."""
    path = next(path for path in HISTORIES if path.stem == "regular-chain")
    changed = path.read_text().replace('"perform_action"', '"perform_another"')

    assert replayed(path, changed) is not None
