"""The form of a task that a run waits for, on the run's own page."""

from __future__ import annotations

from collections.abc import Iterable

from blueprints.schema_form.fields import make_form
from blueprints.schema_form.view import blank
from blueprints.waits.answer import new_token
from blueprints.waits.pages import AnswerPage
from engine.runs.status import WaitType
from engine.services.find_waits import open_task_of
from engine.services.inspect_run import OpenedRun
from engine.services.run_views import WaitView


def first_task(opened: OpenedRun, waits: Iterable[WaitView]) -> AnswerPage | None:
    """Of the task that has waited longest: several forms' fields would bear the same names."""
    asked = [wait for wait in waits if wait.wait_type == WaitType.HUMAN]
    task = open_task_of(opened, asked[-1].wait_id) if asked else None
    return AnswerPage(task, new_token(), blank(make_form(task.form))) if task else None
