"""What the templates of workflows receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blueprints.definitions.payload_form import Field, PayloadForm
from engine.errors import Problem
from engine.services.find_definitions import DefinitionRow
from engine.services.show_definition import WorkflowView


@dataclass(frozen=True, slots=True)
class DefinitionsPage:
    rows: tuple[DefinitionRow, ...]
    may_run: bool


@dataclass(frozen=True, slots=True)
class DefinitionPage:
    workflow: WorkflowView
    may_run: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field, what stands in it, and what is wrong with that."""

    id: str
    field: Field
    text: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class RunDialog:
    workflow: WorkflowView
    token: str
    fields: tuple[FieldView, ...]
    payload: str
    """Raw JSON; not blank: it is used instead of the fields."""
    payload_open: bool
    payload_problems: tuple[Problem, ...] = ()
    message: str | None = None
    elsewhere: tuple[Problem, ...] = ()
    """Problems that belong to no field."""

    @property
    def faulty(self) -> tuple[FieldView, ...]:
        return tuple(view for view in self.fields if view.problem)

    @property
    def raw_only(self) -> bool:
        return not self.fields


def blank_dialog(workflow: WorkflowView, form: PayloadForm, token: str) -> RunDialog:
    return RunDialog(
        workflow=workflow,
        token=token,
        fields=_views(form, {}, [], fresh=True),
        payload="{}" if form.raw_only else "",
        payload_open=form.raw_only,
    )


def filled_dialog(
    workflow: WorkflowView,
    form: PayloadForm,
    token: str,
    given: Mapping[str, str],
    *,
    message: str | None,
    problems: Sequence[Problem] = (),
) -> RunDialog:
    """The form as it was sent: nothing that was typed is lost."""
    raw = given.get("payload", "")
    used_raw = form.raw_only or bool(raw.strip())
    beside = [] if used_raw else list(problems)
    views = _views(form, given, beside, fresh=False)
    placed = {_nearest(form, problem.pointer) for problem in beside} - {None}
    return RunDialog(
        workflow=workflow,
        token=token,
        fields=views,
        payload=raw,
        payload_open=used_raw,
        payload_problems=tuple(problems) if used_raw else (),
        message=message,
        elsewhere=tuple(p for p in beside if _nearest(form, p.pointer) not in placed),
    )


def _views(
    form: PayloadForm, given: Mapping[str, str], problems: Sequence[Problem], *, fresh: bool
) -> tuple[FieldView, ...]:
    said: dict[str, list[str]] = {}
    for problem in problems:
        place = _nearest(form, problem.pointer)
        if place is not None:
            inner = problem.pointer[len(place) :]
            words = f"{inner}: {problem.message}" if inner else problem.message
            said.setdefault(place, []).append(words)
    return tuple(
        FieldView(
            id=f"field-{number}",
            field=field,
            text=field.default if fresh else given.get(field.name, ""),
            problem=" ".join(said.get(field.pointer, [])) or None,
        )
        for number, field in enumerate(form.fields, start=1)
    )


def _nearest(form: PayloadForm, pointer: str) -> str | None:
    """The field that a problem's place lies in."""
    found = [
        field.pointer
        for field in form.fields
        if pointer == field.pointer or pointer.startswith(f"{field.pointer}/")
    ]
    return max(found, key=len, default=None)
