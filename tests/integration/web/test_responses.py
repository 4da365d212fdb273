"""What every answer carries, and how the application fails."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from engine.store.session import Store
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture
def addresses(store: Store) -> list[str]:
    of, _ = builders.published(store, "greet")
    run = builders.run(of)
    builders.save(store, run)
    address = f"/runs/{run.run_id}"
    return [
        "/runs", address, f"{address}/banner", f"{address}/replay", f"{address}/replay?edit=1",
        "/workflows", "/workflows/greet", "/workflows/greet/run",
    ]  # fmt: skip


def test_every_page_and_fragment_is_hardened_and_not_kept(
    operator: Browser, addresses: list[str]
) -> None:
    for address in [*addresses, "/runs/nope", "/nowhere", "/runs?status=X"]:
        for htmx in (False, True):
            response = operator.get(address, htmx=htmx)
            headers = response.headers
            assert headers["Content-Security-Policy"] == CSP
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "no-store", address
            assert "HX-Request" in headers["Vary"], address
            assert headers["X-Request-Id"]


def test_a_fragment_is_the_part_of_the_page_with_one_root(
    operator: Browser, addresses: list[str]
) -> None:
    for address in addresses:
        whole, part = operator.get(address).text, operator.get(address, htmx=True).text
        assert whole.startswith("<!doctype html>")
        assert "<html" not in part
        root = part.strip()
        assert root.startswith(("<section id=", "<div id=")), address
        identity = root.split('"')[1]
        assert Page(whole).by_id(identity) is not None, address


def test_no_page_holds_inline_script_or_style(operator: Browser, addresses: list[str]) -> None:
    for address in [*addresses, "/sign-in"]:
        page = Page(operator.get(address).text)
        assert all("src" in script for script in page.all("script"))
        assert page.all("style") == []
        for _, attributes in page.elements:
            assert not any(name.startswith(("on", "style", "hx-on")) for name in attributes)


def test_every_form_works_without_javascript(operator: Browser, addresses: list[str]) -> None:
    for address in addresses:
        for form in operator.page(address).forms:
            assert form.method in {"get", "post"}
            assert form.action.startswith("/")
            assert (form.method == "get") is ("csrf_token" not in form.fields)
            assert form.attributes.get("hx-post", form.action) == form.action


def test_what_pages_point_at_is_there_and_kept_for_ever(operator: Browser) -> None:
    page = operator.page("/runs")
    wanted = [a["src"] for a in page.all("script")] + [a["href"] for a in page.all("link")]
    assert any("htmx-4.0.1" in address for address in wanted)
    for address in wanted:
        assert "?v=" in address
        response = operator.get(address)
        assert response.status_code == 200
        assert "max-age=31536000" in response.headers["Cache-Control"]


def test_a_request_keeps_the_number_it_came_with_unless_it_is_odd(anybody: Browser) -> None:
    given = anybody.get("/sign-in", **{"X-Request-Id": "abc-12345"})
    assert given.headers["X-Request-Id"] == "abc-12345"
    odd = anybody.get("/sign-in", **{"X-Request-Id": "a b<script>"})
    assert "script" not in odd.headers["X-Request-Id"]


def test_a_fault_of_ours_is_a_500_without_its_inside(app: Flask, operator: Browser) -> None:
    def broken() -> str:
        raise RuntimeError("the inside CANARY")

    app.view_functions["runs.index"] = broken
    for htmx in (False, True):
        response = operator.get("/runs", htmx=htmx)
        assert response.status_code == 500
        assert "CANARY" not in response.text
        assert "Traceback" not in response.text
        assert response.headers["X-Request-Id"] in response.text


def test_a_database_that_does_not_answer_is_a_503(app: Flask, operator: Browser) -> None:
    def broken() -> str:
        raise OperationalError("SELECT CANARY", {}, Exception("gone"))

    app.view_functions["runs.index"] = broken
    response = operator.get("/runs")
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert "CANARY" not in response.text


def test_the_wrong_method_is_405(operator: Browser, addresses: list[str]) -> None:
    response = operator.get(addresses[1] + "/cancel")
    assert response.status_code == 405
    assert response.headers["Allow"]


def test_live_says_that_the_process_answers(anybody: Browser, engine: FakeEngine) -> None:
    engine.down = True
    assert anybody.get("/health/live").status_code == 200


@pytest.mark.parametrize(("revision", "status"), [("0007", 503), ("9999", 200)])
def test_ready_wants_a_schema_that_is_not_behind_and_takes_a_later_releases(
    anybody: Browser, store: Store, revision: str, status: int
) -> None:
    """While a release is rolled out, the webs of the one before it go on."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    found = anybody.get("/health/ready")
    assert found.status_code == status
    assert ("flask db upgrade" in found.text) is (status == 503)


def test_ready_says_what_does_not_answer(
    anybody: Browser, engine: FakeEngine, store: Store
) -> None:
    ready = anybody.get("/health/ready")
    assert ready.status_code == 200
    assert ready.get_json()["checks"] == {"database": "ok", "temporal": "ok"}
    engine.down = True
    no_temporal = anybody.get("/health/ready")
    assert no_temporal.status_code == 503
    assert "Temporal does not answer" in no_temporal.get_json()["checks"]["temporal"]
    with store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE workflow_runs RENAME TO gone")
    nothing = anybody.get("/health/ready").get_json()
    assert "database" in nothing["checks"]["database"]
