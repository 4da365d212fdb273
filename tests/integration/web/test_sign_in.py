"""Signing in and out: the cookie, where one lands, and how often one may try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app import create_app
from engine.services.context import Services
from engine.settings import Settings
from engine.store.operators import Operator, OperatorSession
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import PASSWORD, Browser, Page
from tests.integration.web.conftest import Clock


def test_signing_in_leads_to_the_runs(
    anybody: Browser, add_operator: Callable[[str], Operator]
) -> None:
    operator = add_operator("operator")
    response = anybody.sign_in(operator.email)
    assert (response.status_code, response.headers["Location"]) == (303, "/runs")
    assert operator.email in anybody.page("/runs").text


def test_the_email_is_taken_in_any_case_and_with_spaces(
    anybody: Browser, add_operator: Callable[[str], Operator]
) -> None:
    operator = add_operator("viewer")
    assert anybody.sign_in(f" {operator.email.upper()} ").status_code == 303


def test_one_lands_where_one_wanted_to_go(
    anybody: Browser, add_operator: Callable[[str], Operator]
) -> None:
    wanted = "/runs?status=FAILED&workflow=greet"
    away = anybody.get(wanted)
    assert away.status_code == 303
    form = Page(anybody.get(away.headers["Location"]).text).form("/sign-in")
    assert form.fields["next"] == wanted
    operator = add_operator("viewer")
    response = anybody.submit(form, email=operator.email, password=PASSWORD)
    assert response.headers["Location"] == wanted


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "runs", "", "/\n", "http:evil", "\\\\evil", "/x" * 2000],
)  # fmt: skip
def test_one_never_lands_on_another_site(
    anybody: Browser, add_operator: Callable[[str], Operator], elsewhere: str
) -> None:
    operator = add_operator("viewer")
    response = anybody.sign_in(operator.email, next=elsewhere)
    assert response.headers["Location"] == "/runs"


def test_the_cookie_is_hardened_and_holds_no_more_than_a_token(
    anybody: Browser, add_operator: Callable[[str], Operator], services: Services
) -> None:
    operator = add_operator("viewer")
    response = anybody.sign_in(operator.email)
    cookie = next(c for c in response.headers.getlist("Set-Cookie") if "run_studio_session=" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    with services.store.reading() as session:
        kept = session.query(OperatorSession).one()
    assert kept.token_hash != token
    assert kept.operator_id == operator.operator_id


def test_in_production_the_cookies_are_secure_and_of_this_host_only(
    settings: Settings, tmp_path: Path, clock: Clock, sqlite_url: str
) -> None:
    production = Settings(data_dir=tmp_path, database_url=sqlite_url, production=True)
    app = create_app(production, gateway=FakeEngine())
    services: Services = app.extensions["run_studio"]
    from tests.integration.web.conftest import _hash

    operator = builders.operator(password_hash=_hash())
    builders.save(services.store, operator)
    client = app.test_client()
    secure = {"base_url": "https://studio.example"}
    html = client.get("/sign-in", **secure).text
    form = Page(html).form("/sign-in")
    response = client.post(
        "/sign-in",
        data=form.fields | {"email": operator.email, "password": PASSWORD},
        headers={"Referer": "https://studio.example/sign-in"},
        **secure,
    )
    assert response.status_code == 303
    cookies = response.headers.getlist("Set-Cookie")
    assert all(c.startswith("__Host-") and "Secure" in c for c in cookies), cookies
    assert "Strict-Transport-Security" in response.headers


@pytest.mark.parametrize("field", ["email", "password"])
def test_what_is_wrong_is_not_told_apart_and_the_email_is_kept(
    anybody: Browser, add_operator: Callable[[str], Operator], field: str
) -> None:
    operator = add_operator("viewer")
    typed = {"email": operator.email, "password": PASSWORD} | {field: "wrong@example.com"}
    response = anybody.post("/sign-in", typed)
    assert response.status_code == 422
    page = Page(response.text)
    assert "The email or the password is wrong." in page.text
    assert page.by_id("password") is not None
    assert page.by_id("password")["aria-describedby"] == "sign-in-error"  # type: ignore[index]
    assert page.form("/sign-in").fields["email"] == typed["email"]
    assert typed["password"] not in response.text or field == "email"


def test_too_many_attempts_are_429_and_say_when_to_come_back(
    anybody: Browser, add_operator: Callable[[str], Operator], clock: Clock
) -> None:
    operator = add_operator("viewer")
    for _ in range(10):
        assert anybody.sign_in(operator.email, "wrong").status_code == 422
    response = anybody.sign_in(operator.email)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 120
    assert Page(response.text).form("/sign-in").fields["email"] == operator.email
    clock.forward(seconds=121)
    assert anybody.sign_in(operator.email).status_code == 303


def test_signing_out_ends_the_session_on_the_server_too(
    operator: Browser, services: Services
) -> None:
    before = operator.client.get_cookie("run_studio_session")
    assert before is not None
    form = operator.page("/runs").form("/sign-out")
    response = operator.submit(form)
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in")
    operator.client.set_cookie("run_studio_session", before.value)
    assert operator.get("/runs").status_code == 303


def test_who_is_signed_in_already_goes_on(operator: Browser) -> None:
    response = operator.get("/sign-in?next=/workflows")
    assert (response.status_code, response.headers["Location"]) == (303, "/workflows")


def test_the_session_ends_after_its_hours(operator: Browser, clock: Clock) -> None:
    clock.forward(hours=11, minutes=59)
    assert operator.get("/runs").status_code == 200
    clock.forward(minutes=2)
    assert operator.get("/runs").status_code == 303


def test_a_form_from_before_signing_in_has_no_power_afterwards(
    anybody: Browser, add_operator: Callable[[str], Operator]
) -> None:
    old = anybody.token()
    anybody.sign_in(add_operator("operator").email)
    response = anybody.post("/workflows/any/run", {"csrf_token": old})
    assert response.status_code == 400
