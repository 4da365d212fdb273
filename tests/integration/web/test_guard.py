"""No page without a session, and no deed without the role (roles x routes)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from engine.services.context import Services
from engine.store.audit import AuditLog
from engine.store.bulk import BulkOperation
from engine.store.operators import Operator
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import HTMX, Browser

RUN = "11111111-1111-4111-8111-111111111111"
TASK = "22222222-2222-4222-8222-222222222222"
BULK = "33333333-3333-4333-8333-333333333333"
VIEW = "44444444-4444-4444-8444-444444444444"
READS = ["/", "/look", "/runs", "/runs/list.csv", "/runs/jump", f"/runs/{RUN}",
         f"/runs/{RUN}/banner",
         f"/runs/{RUN}/export", f"/runs/{RUN}/log", f"/runs/{RUN}/calls", f"/runs/{RUN}/audit",
         f"/runs/{RUN}/compare",
         f"/runs/{RUN}/graph", f"/runs/{RUN}/timeline", "/workflows/greet/graph",
         f"/runs/{RUN}/steps/attempts?step=root.steps%5B0%5D",
         "/runs/views", "/engine", "/waits", "/workflows", "/workflows/greet"]  # fmt: skip
LEADS_ON = {"/", "/look", "/runs/jump"}
ASKS = [f"/runs/{RUN}/replay", f"/runs/{RUN}/replay?edit=1", "/workflows/greet/run",
        "/runs/bulk", f"/runs/bulk/{BULK}", f"/waits/{TASK}/answer"]  # fmt: skip
DEEDS = [f"/runs/{RUN}/cancel", f"/runs/{RUN}/replay", "/workflows/greet/run",
         "/workflows/greet/simulate",
         "/runs/bulk", f"/runs/bulk/{BULK}/start", f"/runs/bulk/{BULK}/stop", "/runs/selection",
         f"/waits/{TASK}/answer", f"/waits/{TASK}/release"]  # fmt: skip
ADMIN_ASKS = [f"/runs/{RUN}/reveal"]
ADMIN_DEEDS = [f"/runs/{RUN}/reveal", "/workflows/greet/pause", "/workflows/greet/unpause"]
NEEDED = dict.fromkeys(DEEDS, "operator") | dict.fromkeys(ADMIN_DEEDS, "admin")
"""The least role that may, by what is done."""
OWN = ["/runs/views", *(f"/runs/views/{VIEW}/{deed}" for deed in ("rename", "delete", "default"))]
"""What every role may do, to what is its own."""
PLACES = {RUN: "<run_id>", "steps/attempts": "steps/<part>", BULK: "<bulk_id>", VIEW: "<view_id>",
          "greet": "<key>", f"{TASK}/answer": "<task_id>/answer",
          f"{TASK}/release": "<wait_id>/release"}  # fmt: skip


@pytest.fixture(autouse=True)
def _a_run(store: Store) -> None:
    of, _ = builders.published(store, "greet")
    run = builders.run(of, run_id=RUN)
    builders.save(store, run, builders.wait(run, "human", wait_id=TASK))
    builders.save(store, builders.step(run, path="root.steps[0]"))
    builders.save(store, builders.human_task(run, task_id=TASK))
    builders.save(
        store,
        BulkOperation(
            bulk_id=BULK, kind="cancel", created_at=builders.NOW, updated_at=builders.NOW
        ),
    )


def _rule_of(path: str) -> str:
    for place, name in PLACES.items():
        path = path.replace(place, name)
    return path.partition("?")[0]


def test_every_route_of_the_application_is_named_in_these_tests(app: Flask) -> None:
    """A new address has to be put under the guard's tests."""
    rules = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if rule.endpoint != "static"
    }
    named = {
        (_rule_of(path), method)
        for method, paths in (
            ("GET", READS + ASKS + ADMIN_ASKS),
            ("POST", DEEDS + ADMIN_DEEDS + OWN),
        )
        for path in paths
    }
    public = {("/sign-in", "GET"), ("/sign-in", "POST"), ("/sign-out", "POST"),
              ("/health/live", "GET"), ("/health/ready", "GET")}  # fmt: skip
    assert rules == named | public


@pytest.mark.parametrize("path", READS + ASKS + ADMIN_ASKS)
def test_without_a_session_a_page_leads_to_sign_in(anybody: Browser, path: str) -> None:
    response = anybody.get(path)
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/sign-in?next=")
    assert RUN not in response.text.replace(response.headers["Location"], "").replace(RUN, "", 1)


@pytest.mark.parametrize("path", READS + ASKS + ADMIN_ASKS)
def test_without_a_session_a_fragment_is_401_and_sends_the_browser_to_sign_in(
    anybody: Browser, path: str
) -> None:
    response = anybody.get(path, htmx=True, **{"HX-Current-URL": f"http://localhost/runs/{RUN}"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == f"/sign-in?next=/runs/{RUN}"
    assert response.text == ""


@pytest.mark.parametrize("path", DEEDS + ADMIN_DEEDS + OWN)
def test_without_a_session_nothing_is_done(anybody: Browser, store: Store, path: str) -> None:
    plain = anybody.post(path, {"reason": "because"})
    assert plain.status_code == 303
    assert plain.headers["Location"].startswith("/sign-in")
    assert anybody.post(path, {"reason": "because"}, htmx=True).status_code == 401
    _nothing_was_done(store)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/sign-in"])
def test_health_and_sign_in_need_no_session(anybody: Browser, path: str) -> None:
    assert anybody.get(path).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("path", READS)
def test_every_role_reads(sign_in: Callable[[str], Browser], role: str, path: str) -> None:
    assert sign_in(role).get(path).status_code == (303 if path in LEADS_ON else 200)


@pytest.mark.parametrize("role", ["operator", "admin"])
@pytest.mark.parametrize("path", ASKS)
def test_operators_and_admins_are_asked(
    sign_in: Callable[[str], Browser], role: str, path: str
) -> None:
    assert sign_in(role).get(path).status_code == 200


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("path", DEEDS + ADMIN_DEEDS)
def test_a_viewer_may_do_nothing_and_is_told_so(
    viewer: Browser, services: Services, path: str, htmx: bool
) -> None:
    response = viewer.post(path, {"reason": "because"}, htmx=htmx)
    assert response.status_code == 403
    assert f"Your role is viewer; this needs {NEEDED[path]}." in response.text
    _nothing_was_done(services.store)
    with services.store.reading() as session:
        denied = session.scalars(select(AuditLog).where(AuditLog.outcome == "denied")).one()
    assert viewer.operator is not None
    assert denied.operator_email == viewer.operator.email
    assert denied.source_ip == "127.0.0.1"
    assert denied.operation in {
        "workflow_run_cancel", "workflow_run_replay", "workflow_run_start", "workflow_simulate",
        "task_answer", "quota_release", "workflow_run_bulk", "workflow_run_bulk_stop",
        "workflow_run_select", "workflow_run_reveal", "workflow_pause", "workflow_unpause",
    }  # fmt: skip


@pytest.mark.parametrize("path", ADMIN_DEEDS)
def test_nor_may_an_operator_do_what_is_an_admins(
    operator: Browser, store: Store, path: str
) -> None:
    response = operator.post(path, {"reason": "because"})
    assert response.status_code == 403
    assert "Your role is operator; this needs admin." in response.text
    _nothing_was_done(store)


@pytest.mark.parametrize("path", ADMIN_ASKS)
def test_only_an_admin_is_asked_what_is_an_admins(
    sign_in: Callable[[str], Browser], path: str
) -> None:
    found = {role: sign_in(role).get(path).status_code for role in ("operator", "admin")}
    assert found == {"operator": 403, "admin": 200}


@pytest.mark.parametrize("path", ASKS + ADMIN_ASKS)
def test_a_viewer_is_not_asked_either(viewer: Browser, path: str) -> None:
    assert viewer.get(path).status_code == 403


def test_a_viewer_sees_no_control_that_would_not_work(viewer: Browser) -> None:
    page = viewer.page(f"/runs/{RUN}")
    deeds = [form.action for form in page.forms if form.method == "post"]
    assert deeds == ["/sign-out"]
    assert not any("replay" in link for link in page.links())
    assert any(link.endswith("/export") for link in page.links())
    assert not any(link.endswith("/run") for link in viewer.page("/workflows/greet").links())


def test_a_changed_role_takes_effect_at_the_next_request(
    operator: Browser, services: Services
) -> None:
    assert operator.get(f"/runs/{RUN}/replay").status_code == 200
    _change(services, operator, role="viewer")
    assert operator.get(f"/runs/{RUN}/replay").status_code == 403
    assert operator.post(f"/runs/{RUN}/cancel", {"reason": "because"}).status_code == 403


def test_a_deactivated_operator_is_out_at_the_next_request(
    operator: Browser, services: Services
) -> None:
    _change(services, operator, is_active=False)
    assert operator.get("/runs").status_code == 303


def test_a_live_region_seen_by_another_role_is_another_state(
    operator: Browser, viewer: Browser
) -> None:
    tags = {b.get(f"/runs/{RUN}").headers["HX-PTag"] for b in (operator, viewer)}
    assert len(tags) == 2


@pytest.mark.parametrize("path", DEEDS + ADMIN_DEEDS)
def test_without_a_csrf_token_nothing_is_done_and_the_page_says_what_to_do(
    operator: Browser, services: Services, path: str
) -> None:
    for data in ({"reason": "because"}, {"reason": "because", "csrf_token": "forged"}):
        for headers in ({}, HTMX):
            response = operator.client.post(path, data=data, headers=headers)
            assert response.status_code == 400
            assert "Go back" in response.text
            assert ("<html" in response.text) is (headers == {})
    _nothing_was_done(services.store)


def test_a_request_from_another_site_is_refused_even_with_a_token(
    operator: Browser, store: Store
) -> None:
    data = {"reason": "because"}
    for site in ("cross-site", "same-site"):
        response = operator.post(DEEDS[0], data, headers={"Sec-Fetch-Site": site})
        assert response.status_code == 403
    _nothing_was_done(store)
    response = operator.post(DEEDS[0], data, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 303


def _change(services: Services, browser: Browser, **values: object) -> None:
    assert browser.operator is not None
    with services.store.writing() as session:
        operator = session.get_one(Operator, browser.operator.operator_id)
        for name, value in values.items():
            setattr(operator, name, value)


def _nothing_was_done(store: Store) -> None:
    with store.reading() as session:
        run = session.scalars(select(WorkflowRun)).one()
    assert run.run_id == RUN
    assert run.cancel_requested_at is None
