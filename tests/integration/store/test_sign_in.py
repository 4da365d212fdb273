"""Sign-in, sessions and operators, as the pages and commands use them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.errors import Conflict, Invalid, NotFound, TooMany
from engine.services import manage_operators, passwords, sign_in
from engine.services.context import Actor, Services
from engine.store.session import Store
from engine.store.tables import AuditLog, Operator, OperatorSession
from tests import builders
from tests.builders import NOW

ROOT = Actor(email="root@example.com", source="command")
PASSWORD = "correct horse battery"


@pytest.fixture
def services(store: Store) -> Services:
    return builders.services(store)


@pytest.fixture
def admin(services: Services) -> Operator:
    return manage_operators.add_operator(services, "Ada@Example.com ", "admin", PASSWORD, ROOT)


def holder(services: Services, token: str, *, later: timedelta = timedelta()) -> Operator | None:
    with services.store.reading() as session:
        return sign_in.operator_of(session, token, NOW + later)


def operations(services: Services) -> list[tuple[str, str]]:
    with services.store.reading() as session:
        rows = session.execute(select(AuditLog.operation, AuditLog.outcome)).all()
    return [(row.operation, row.outcome) for row in rows]


def test_who_signs_in_holds_a_session_until_it_expires(services: Services, admin: Operator) -> None:
    signed_in = sign_in.sign_in(services, " ADA@example.com", PASSWORD, "10.0.0.1")
    found = holder(services, signed_in.token)
    assert found is not None
    assert found.email == "ada@example.com"
    assert holder(services, signed_in.token, later=timedelta(hours=12)) is None
    assert ("sign_in", "done") in operations(services)


def test_the_database_does_not_know_the_token(services: Services, admin: Operator) -> None:
    signed_in = sign_in.sign_in(services, admin.email, PASSWORD, None)
    with services.store.reading() as session:
        kept = session.scalars(select(OperatorSession)).one()
    assert signed_in.token not in kept.token_hash
    assert admin.password_hash is not None
    assert admin.password_hash.startswith("scrypt:")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong"),
        ("ada@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("a\0b@example.com", PASSWORD),
        ("", ""),
        ("\ud800", "\ud800"),
    ],
)
def test_what_is_wrong_is_not_said(
    services: Services, admin: Operator, email: str, password: str
) -> None:
    with pytest.raises(Invalid) as refused:
        sign_in.sign_in(services, email, password, None)
    assert refused.value.code == "SIGN_IN_FAILED"
    assert refused.value.message == "The email or the password is wrong."


def test_an_unknown_email_costs_a_hash_too(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def note(password_hash: str, password: str) -> bool:
        seen.append(password_hash)
        return True

    monkeypatch.setattr(passwords, "check_password_hash", note)
    with pytest.raises(Invalid):
        sign_in.sign_in(services, "nobody@example.com", PASSWORD, None)
    assert seen[0].startswith("scrypt:")


def test_failed_attempts_are_limited_for_an_email(services: Services, admin: Operator) -> None:
    for number in range(10):
        with pytest.raises(Invalid):
            sign_in.sign_in(services, admin.email, "wrong", f"10.0.0.{number}")
    with pytest.raises(TooMany) as refused:
        sign_in.sign_in(services, admin.email, PASSWORD, "10.0.1.1")
    assert refused.value.retry_after_s > 0


def test_failed_attempts_are_limited_for_an_address(services: Services, admin: Operator) -> None:
    for number in range(10):
        with pytest.raises(Invalid):
            sign_in.sign_in(services, f"{number}@example.com", "wrong", "10.0.0.1")
    with pytest.raises(TooMany):
        sign_in.sign_in(services, admin.email, PASSWORD, "10.0.0.1")


def test_successful_attempts_are_not_limited(services: Services, admin: Operator) -> None:
    for _ in range(12):
        sign_in.sign_in(services, admin.email, PASSWORD, "10.0.0.1")


def test_a_signed_out_token_is_nobodys(services: Services, admin: Operator) -> None:
    signed_in = sign_in.sign_in(services, admin.email, PASSWORD, None)
    other = sign_in.sign_in(services, admin.email, PASSWORD, None)
    sign_in.sign_out(services, signed_in.token, ROOT)
    sign_in.sign_out(services, signed_in.token, ROOT)
    assert holder(services, signed_in.token) is None
    assert holder(services, other.token) is not None
    assert [one for one, _ in operations(services)].count("sign_out") == 1


def test_a_changed_role_is_seen_at_the_next_look(services: Services, admin: Operator) -> None:
    manage_operators.add_operator(services, "bob@example.com", "operator", PASSWORD, ROOT)
    token = sign_in.sign_in(services, "bob@example.com", PASSWORD, None).token
    manage_operators.set_role(services, "Bob@example.com", "viewer", ROOT)
    found = holder(services, token)
    assert found is not None
    assert found.role == "viewer"


def test_who_is_deactivated_is_out_at_once(services: Services, admin: Operator) -> None:
    manage_operators.add_operator(services, "bob@example.com", "operator", PASSWORD, ROOT)
    token = sign_in.sign_in(services, "bob@example.com", PASSWORD, None).token
    manage_operators.deactivate(services, "bob@example.com", ROOT)
    assert holder(services, token) is None
    with pytest.raises(Invalid):
        sign_in.sign_in(services, "bob@example.com", PASSWORD, None)


def test_a_new_password_ends_the_sessions_of_the_old_one(
    services: Services, admin: Operator
) -> None:
    token = sign_in.sign_in(services, admin.email, PASSWORD, None).token
    manage_operators.set_password(services, admin.email, "another long password", ROOT)
    assert holder(services, token) is None
    sign_in.sign_in(services, admin.email, "another long password", None)


def test_an_email_is_an_operator_once(services: Services, admin: Operator) -> None:
    with pytest.raises(Conflict) as refused:
        manage_operators.add_operator(services, "ADA@example.com", "viewer", PASSWORD, ROOT)
    assert refused.value.code == "OPERATOR_EXISTS"


def test_every_problem_of_a_new_operator_is_told(services: Services) -> None:
    with pytest.raises(Invalid) as refused:
        manage_operators.add_operator(services, "ada", "king", "short", ROOT)
    assert {one.pointer for one in refused.value.problems} == {"email", "role", "password"}


def test_one_admin_remains(services: Services, admin: Operator) -> None:
    for change in (
        lambda: manage_operators.set_role(services, admin.email, "viewer", ROOT),
        lambda: manage_operators.deactivate(services, admin.email, ROOT),
    ):
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "LAST_ADMIN"
    manage_operators.add_operator(services, "eve@example.com", "admin", PASSWORD, ROOT)
    manage_operators.deactivate(services, admin.email, ROOT)


def test_nobody_is_changed_who_is_not_there(services: Services) -> None:
    with pytest.raises(NotFound):
        manage_operators.set_role(services, "nobody@example.com", "viewer", ROOT)


def test_the_first_admin_is_made_once_with_any_password(services: Services) -> None:
    first = manage_operators.ensure_admin(services, "first@example.com", "x", ROOT)
    assert first is not None
    assert manage_operators.ensure_admin(services, "First@example.com", "y", ROOT) is None
    assert sign_in.sign_in(services, "first@example.com", "x", None).operator.role == "admin"


def test_expired_sessions_are_swept_at_a_sign_in(services: Services, admin: Operator) -> None:
    sign_in.sign_in(services, admin.email, PASSWORD, None)
    later = replace(services, now=lambda: NOW + timedelta(days=1))
    sign_in.sign_in(later, admin.email, PASSWORD, None)
    with services.store.reading() as session:
        assert len(session.scalars(select(OperatorSession)).all()) == 1
