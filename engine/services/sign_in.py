"""Signing in and out, and whose session a request has.

The answer to a wrong password, an unknown email and a deactivated operator is the same, in words
and in time. Failed attempts are limited for each address and for each email; a successful one is
not counted. The browser holds a token, the database its hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.errors import Invalid, Problem
from engine.services import audit, passwords, rate_limit
from engine.services.context import Actor, Services
from engine.services.rate_limit import Counted
from engine.store.audit import AuditOutcome
from engine.store.base import storable
from engine.store.operators import Operator, OperatorSession

OPERATION = "sign_in"


@dataclass(frozen=True, slots=True)
class SignedIn:
    operator: Operator
    token: str
    """For the cookie; it is not kept anywhere else."""
    expires_at: datetime


def normal_email(email: str) -> str:
    return email.strip().lower()


def sign_in(services: Services, email: str, password: str, ip: str | None) -> SignedIn:
    """Begin a session. Raises `Invalid` (code SIGN_IN_FAILED) and `TooMany`."""
    wanted = normal_email(email)
    counted = _count_attempt(services, wanted, ip)
    with services.store.reading() as session:
        operator = _active(session, wanted)
    if not passwords.matches(operator.password_hash if operator else None, password):
        actor = Actor(email=wanted[:320] if storable(wanted) else None, source_ip=ip)
        audit.record_refusal(services, actor, OPERATION)
        raise Invalid(
            "The email or the password is wrong.",
            [Problem("password", "The email or the password is wrong.")],
            code="SIGN_IN_FAILED",
        )
    assert operator is not None
    return _begin(services, operator, ip, counted)


def operator_of(session: Session, token: str | None, now: datetime) -> Operator | None:
    """Who holds `token`: None when it is unknown, expired, or its operator deactivated.

    Read at every request, so that a changed role takes effect at the next one.
    """
    if not token:
        return None
    return session.scalars(
        select(Operator)
        .join(OperatorSession, OperatorSession.operator_id == Operator.operator_id)
        .where(
            OperatorSession.token_hash == _hash(token),
            OperatorSession.expires_at > now,
            Operator.is_active,
        )
    ).one_or_none()


def sign_out(services: Services, token: str, actor: Actor) -> None:
    """End the session of `token`; harmless when it has ended."""
    with services.store.writing() as session:
        held = session.get(OperatorSession, _hash(token))
        if held is None:
            return
        session.delete(held)
        audit.record(session, actor, "sign_out", services.now())


def _count_attempt(services: Services, email: str, ip: str | None) -> list[Counted]:
    """Count before the password is looked at, so that parallel attempts are limited too."""
    limit = services.limits.sign_in_attempts_per_minute
    buckets = [f"sign-in:{ip}", f"sign-in:{_hash(email)}"]
    with services.store.writing() as session:
        now = services.now()
        return [rate_limit.count(session, bucket, limit, now) for bucket in sorted(buckets)]


def _active(session: Session, email: str) -> Operator | None:
    if not storable(email):
        return None
    return session.scalars(
        select(Operator).where(Operator.email == email, Operator.is_active)
    ).one_or_none()


def _begin(
    services: Services, operator: Operator, ip: str | None, counted: list[Counted]
) -> SignedIn:
    token = secrets.token_urlsafe(32)
    now = services.now()
    expires_at = now + timedelta(hours=services.limits.session_hours)
    actor = Actor(operator.operator_id, operator.email, source_ip=ip)
    with services.store.writing() as session:
        for one in counted:
            rate_limit.give_back(session, one)
        rate_limit.forget_old(session, now)
        session.execute(delete(OperatorSession).where(OperatorSession.expires_at <= now))
        session.add(
            OperatorSession(
                token_hash=_hash(token),
                operator_id=operator.operator_id,
                created_at=now,
                expires_at=expires_at,
                source_ip=ip,
            )
        )
        audit.record(session, actor, OPERATION, now, outcome=AuditOutcome.DONE)
    return SignedIn(operator, token, expires_at)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
