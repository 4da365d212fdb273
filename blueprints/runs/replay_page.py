"""What the Replay dialog shows: as it is opened, and as it was sent."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from blueprints.extensions import fingerprints, rules
from blueprints.runs.compared import DifferenceRow, StepRow, rows_of, steps_of
from blueprints.schema_form import edit
from blueprints.schema_form.fields import SchemaForm, make_form
from blueprints.schema_form.view import FormView
from engine.contract import Json
from engine.definitions.differences import DocumentDifferences
from engine.errors import Problem
from engine.runs.replay import sealed_places
from engine.runs.status import RunStatus
from engine.services.find_definitions import version_numbered
from engine.services.inspect_run import OpenedRun
from engine.services.look_ahead import Ahead
from engine.services.show_definition import payload_schema_of
from engine.services.side_effects import side_effects_of
from engine.services.version_changes import OfferedVersion, offered_versions
from engine.store.definitions import RUNNABLE


class Editing(StrEnum):
    """How the payload is edited: the value of `?edit=`."""

    NOT = ""
    JSON = "1"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class VersionChoice:
    version: int
    newest: bool
    told: bool
    """What changed is told below."""
    fields: tuple[DifferenceRow, ...] = ()
    steps: tuple[StepRow, ...] = ()

    @property
    def same(self) -> bool:
        return self.told and not self.fields and not self.steps


@dataclass(frozen=True, slots=True)
class ReplayPage:
    run_id: str
    workflow_name: str
    workflow_version: int
    status: RunStatus
    token: str
    form: FormView
    """Over the payload as it is shown; without fields there is no form of it."""
    refused: str | None = None
    """Why it cannot be replayed now."""
    ahead: Ahead | None = None
    effects: tuple[tuple[str, int], ...] = ()
    """Actions of the old run that took effect, and how often: they happen again."""
    versions: tuple[VersionChoice, ...] = ()
    """That may be chosen beside the run's own, newest first."""
    version: int | None = None
    """The chosen one; None: the old run's."""
    reason: str = ""
    editing: Editing = Editing.NOT
    payload: str = ""
    """Redacted text, or what the operator made of it."""
    shown: str = ""
    sealed: tuple[str, ...] = ()
    """Pointers of what is masked in it."""
    now_shown: str | None = None
    """The payload as it is shown now, where that has changed."""
    message: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def chosen_version(self) -> int:
        return self.workflow_version if self.version is None else self.version

    def problems_of(self, field_name: str) -> tuple[Problem, ...]:
        own = {"reason", "version"}
        if field_name in own:
            return tuple(p for p in self.problems if p.pointer == field_name)
        return tuple(p for p in self.problems if p.pointer not in own)


def form_of(opened: OpenedRun, value: Json) -> SchemaForm:
    """Of the run's own version's schema, over what is shown of its payload."""
    run = opened.run
    version = version_numbered(opened.session, run.workflow_id, run.workflow_version)
    return edit.over(make_form(payload_schema_of(version)), value)


def blank_page(opened: OpenedRun, editing: Editing, chosen: int | None = None) -> ReplayPage:
    payload = opened.redaction.payload(opened.run.input_json)
    session, run = opened.session, opened.run
    form = form_of(opened, payload.value)
    return ReplayPage(
        run_id=run.run_id,
        workflow_name=opened.row.name,
        workflow_version=run.workflow_version,
        status=RunStatus(run.status),
        token=secrets.token_urlsafe(24),
        form=edit.shown(form, payload.value),
        refused=_refused(opened),
        effects=tuple(side_effects_of(session, [run.run_id]).get(run.run_id, ())),
        versions=_choices(offered_versions(opened, rules(), fingerprints(), chosen)),
        version=chosen,
        editing=editing if editing is not Editing.FORM or form.fields else Editing.JSON,
        payload=payload.text if editing else "",
        shown=payload.shown_hash if editing else "",
        sealed=tuple(sealed_places(payload.value)) if editing else (),
    )


def _refused(opened: OpenedRun) -> str | None:
    if opened.row.is_paused:
        return "The workflow is paused: new runs of it are not accepted."
    if opened.row.definition_status not in RUNNABLE:
        return "The workflow is not published: it cannot be run."
    return None


def page_as_sent(
    opened: OpenedRun,
    given: Mapping[str, str],
    editing: Editing,
    problems: Sequence[Problem],
    message: str | None,
    *,
    compare: bool,
) -> ReplayPage:
    """The form as it was sent, with what is wrong, and a new token (docs/rules.md 2)."""
    fresh = blank_page(opened, editing)
    chosen = given.get("version", "")
    page = replace(
        fresh,
        version=int(chosen) if chosen in {str(one.version) for one in fresh.versions} else None,
        reason=given.get("reason", ""),
        payload=given.get("payload", ""),
        shown=fresh.shown if compare else given.get("shown", ""),
        now_shown=fresh.payload if compare else None,
        message=message,
        problems=tuple(problems),
    )
    if editing is not Editing.FORM:
        return page
    value = opened.redaction.payload(opened.run.input_json).value
    faults = page.problems_of("payload")
    return replace(page, form=edit.edited(form_of(opened, value), value, given, faults))


def _choices(offered: Sequence[OfferedVersion]) -> tuple[VersionChoice, ...]:
    return tuple(
        VersionChoice(one.version, number == 0, True, *_rows(one.changes))
        if one.changes is not None
        else VersionChoice(one.version, number == 0, told=False)
        for number, one in enumerate(offered)
    )


def _rows(changes: DocumentDifferences) -> tuple[tuple[DifferenceRow, ...], tuple[StepRow, ...]]:
    return rows_of(changes.fields), steps_of(changes)
