"""What the template of a form shows: fields, what stands in them, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blueprints.schema_form.fields import Field, SchemaForm
from engine.errors import Problem


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field, what stands in it, and what is wrong with that."""

    id: str
    field: Field
    text: str
    problem: str | None = None
    sealed: bool = False
    """A value stands in it that is not shown; left blank, it stays."""


@dataclass(frozen=True, slots=True)
class FormView:
    fields: tuple[FieldView, ...]
    raw: str
    """JSON; not blank: it is used instead of the fields."""
    raw_open: bool
    raw_problems: tuple[Problem, ...] = ()
    elsewhere: tuple[Problem, ...] = ()
    """Problems that belong to no field."""

    @property
    def faulty(self) -> tuple[FieldView, ...]:
        return tuple(view for view in self.fields if view.problem)

    @property
    def raw_only(self) -> bool:
        return not self.fields


def blank(form: SchemaForm) -> FormView:
    return FormView(
        fields=_views(form, {}, [], fresh=True),
        raw="{}" if form.raw_only else "",
        raw_open=form.raw_only,
    )


def filled(
    form: SchemaForm, given: Mapping[str, str], problems: Sequence[Problem] = ()
) -> FormView:
    """The form as it was sent: nothing that was typed is lost."""
    raw = given.get("payload", "")
    used_raw = form.raw_only or bool(raw.strip())
    beside = [] if used_raw else list(problems)
    placed = {_nearest(form, problem.pointer) for problem in beside} - {None}
    return FormView(
        fields=_views(form, given, beside, fresh=False),
        raw=raw,
        raw_open=used_raw,
        raw_problems=tuple(problems) if used_raw else (),
        elsewhere=tuple(p for p in beside if _nearest(form, p.pointer) not in placed),
    )


def _views(
    form: SchemaForm, given: Mapping[str, str], problems: Sequence[Problem], *, fresh: bool
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


def _nearest(form: SchemaForm, pointer: str) -> str | None:
    """The field that a problem's place lies in."""
    found = [
        field.pointer
        for field in form.fields
        if pointer == field.pointer or pointer.startswith(f"{field.pointer}/")
    ]
    return max(found, key=len, default=None)
