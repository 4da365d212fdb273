"""Task types of the installation: what `taskType` of a human.task may name (authoring.md)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.contract import Json
from engine.definitions.payload_schema import check_schema
from engine.errors import Invalid, Problem
from engine.services import audit
from engine.services.context import Actor, Services
from engine.store.base import storable
from engine.store.tasks import WorkflowTaskType

LONGEST: Final = 200


def all_task_types(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(WorkflowTaskType.task_type)))


def define_task_type(services: Services, name: str, form: Json, actor: Actor) -> bool:
    """Give a task type its form. Tasks that are open keep the one they were opened with.

    False: it has this form already. Raises `Invalid`.
    """
    problems = check_schema(form)
    if not (0 < len(name) <= LONGEST and name.strip() == name and storable(name)):
        problems = [Problem("type", "This is no name for a task type."), *problems]
    if problems:
        raise Invalid(f"{name[:LONGEST]!r} cannot be defined.", problems)
    try:
        return _write(services, name, form, actor)
    except IntegrityError:  # Somebody else has defined it since we looked.
        return _write(services, name, form, actor)


def _write(services: Services, name: str, form: Json, actor: Actor) -> bool:
    now = services.now()
    with services.store.writing() as session:
        known = session.get(WorkflowTaskType, name)
        if known is not None and known.form_json == form:
            return False
        if known is None:
            known = WorkflowTaskType(
                task_type=name, created_by=actor.operator_id, created_at=now, form_json=form
            )
            session.add(known)
        known.form_json = form
        known.updated_at = now
        audit.record(
            session, actor, "task_type_define", now, record_type="task_type", record_id=name
        )
    return True
