"""Who may sign in, and with which role. Every change is audited; one admin always remains."""

from __future__ import annotations

import re
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.errors import Conflict, Invalid, NotFound, Problem
from engine.runs.roles import Role
from engine.services import audit, passwords
from engine.services.context import Actor, Services
from engine.services.sign_in import normal_email
from engine.store.base import storable
from engine.store.operators import Operator, OperatorSession

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
_EMAIL_MAX: Final = 320


def add_operator(
    services: Services,
    email: str,
    role: str,
    password: str,
    actor: Actor,
    *,
    min_length: int = passwords.MIN_LENGTH,
) -> Operator:
    """Raises `Invalid` with every problem, `Conflict` when the email is taken."""
    address = normal_email(email)
    problems = [
        *_email_problems(address),
        *_role_problems(role),
        *passwords.problems(password, address, min_length=min_length),
    ]
    if problems:
        raise Invalid("This operator cannot be added.", problems)
    now = services.now()
    operator = Operator(
        operator_id=str(uuid4()),
        email=address,
        password_hash=passwords.hashed(password),
        role=role,
        is_active=True,
        created_at=now,
        updated_at=now,
    )
    try:
        with services.store.writing() as session:
            session.add(operator)
            session.flush()
            _audit(services, session, actor, "operator_add", operator, {"role": role})
    except IntegrityError:
        raise Conflict(f"{address} is an operator already.", code="OPERATOR_EXISTS") from None
    return operator


def ensure_admin(services: Services, email: str, password: str, actor: Actor) -> Operator | None:
    """Make this operator, an admin, unless the email is one already: then None.

    For ADMIN_EMAIL and ADMIN_PASSWORD: whoever sets them decides what a password is.
    """
    with services.store.reading() as session:
        if _find(session, email) is not None:
            return None
    return add_operator(services, email, Role.ADMIN, password, actor, min_length=1)


def count_operators(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Operator)) or 0


def list_operators(session: Session) -> list[Operator]:
    return list(session.scalars(select(Operator).order_by(Operator.email)))


def set_role(services: Services, email: str, role: str, actor: Actor) -> Operator:
    """Takes effect at the operator's next request. Raises `NotFound`, `Invalid`, `Conflict`."""
    problems = _role_problems(role)
    if problems:
        raise Invalid("This role cannot be given.", problems)
    with services.store.writing() as session:
        operator = _locked(session, email)
        if role != Role.ADMIN:
            _refuse_last_admin(session, operator)
        was, operator.role = operator.role, role
        operator.updated_at = services.now()
        _audit(services, session, actor, "operator_role", operator, {"was": was, "role": role})
    return operator


def set_password(services: Services, email: str, password: str, actor: Actor) -> Operator:
    """Ends the operator's sessions. Raises `NotFound`, `Invalid`."""
    problems = passwords.problems(password, normal_email(email))
    if problems:
        raise Invalid("This password cannot be set.", problems)
    new_hash = passwords.hashed(password)
    with services.store.writing() as session:
        operator = _locked(session, email)
        operator.password_hash = new_hash
        operator.updated_at = services.now()
        _end_sessions(session, operator)
        _audit(services, session, actor, "operator_password", operator, {})
    return operator


def deactivate(services: Services, email: str, actor: Actor) -> Operator:
    """Ends the operator's sessions. Raises `NotFound`, `Conflict` for the last admin."""
    with services.store.writing() as session:
        operator = _locked(session, email)
        _refuse_last_admin(session, operator)
        operator.is_active = False
        operator.updated_at = services.now()
        _end_sessions(session, operator)
        _audit(services, session, actor, "operator_deactivate", operator, {})
    return operator


def _find(session: Session, email: str) -> Operator | None:
    if not storable(email):
        return None
    wanted = select(Operator).where(Operator.email == normal_email(email))
    return session.scalars(wanted).one_or_none()


def _locked(session: Session, email: str) -> Operator:
    """The operator, while all admins are locked: two changes at once cannot leave none."""
    session.execute(select(Operator).where(Operator.role == Role.ADMIN).with_for_update())
    operator = _find(session, email)
    if operator is None:
        raise NotFound(f"There is no operator {normal_email(email)!r}.")
    return operator


def _refuse_last_admin(session: Session, operator: Operator) -> None:
    others = session.scalar(
        select(func.count())
        .select_from(Operator)
        .where(
            Operator.role == Role.ADMIN,
            Operator.is_active,
            Operator.operator_id != operator.operator_id,
        )
    )
    if operator.role == Role.ADMIN and operator.is_active and not others:
        raise Conflict(
            f"{operator.email} is the only admin: make another one first.", code="LAST_ADMIN"
        )


def _end_sessions(session: Session, operator: Operator) -> None:
    session.execute(
        delete(OperatorSession).where(OperatorSession.operator_id == operator.operator_id)
    )


def _audit(
    services: Services,
    session: Session,
    actor: Actor,
    operation: str,
    operator: Operator,
    details: dict[str, str],
) -> None:
    audit.record(
        session,
        actor,
        operation,
        services.now(),
        record_type=audit.OPERATOR,
        record_id=operator.operator_id,
        details={"email": operator.email} | details,
    )


def _email_problems(email: str) -> list[Problem]:
    if len(email) <= _EMAIL_MAX and _EMAIL.fullmatch(email) and email.isprintable():
        return []
    return [Problem("email", "This is not an email address.")]


def _role_problems(role: str) -> list[Problem]:
    if role in set(Role):
        return []
    return [Problem("role", f"A role is one of {', '.join(Role)}.")]
