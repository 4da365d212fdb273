"""What the templates of workflows receive."""

from __future__ import annotations

from dataclasses import dataclass

from blueprints.runs.forms import ReasonForm
from blueprints.schema_form.view import FormView
from engine.services.find_definitions import DefinitionRow
from engine.services.look_ahead import Ahead
from engine.services.show_definition import WorkflowView


@dataclass(frozen=True, slots=True)
class DefinitionsPage:
    rows: tuple[DefinitionRow, ...]
    may_run: bool


@dataclass(frozen=True, slots=True)
class DefinitionPage:
    workflow: WorkflowView
    may_run: bool
    may_pause: bool
    form: ReasonForm
    """Why it was to be paused, as it was sent."""


@dataclass(frozen=True, slots=True)
class RunDialog:
    workflow: WorkflowView
    token: str
    form: FormView
    ahead: Ahead | None = None
    message: str | None = None
