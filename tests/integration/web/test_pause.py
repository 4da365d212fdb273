"""Pausing a workflow on its page: an admin's button, and what everybody then sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store.definitions import WorkflowDefinition
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page

PAUSE, UNPAUSE = "/workflows/greet/pause", "/workflows/greet/unpause"


@pytest.fixture
def admin(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("admin")


def _pause(admin: Browser) -> None:
    form = admin.page("/workflows/greet").form(PAUSE)
    response = admin.submit(form, reason="The CRM is down")
    assert (response.status_code, response.location) == (303, "/workflows/greet")


def test_an_admin_pauses_and_everybody_is_told_why(
    admin: Browser, viewer: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    _pause(admin)
    for browser in (admin, viewer):
        text = browser.page("/workflows/greet").text
        assert "This workflow is paused: new runs are not accepted." in text
        assert f"by {admin.operator.email if admin.operator else ''}: The CRM is down" in text
    assert "paused" in viewer.page("/workflows").text
    for address in ("/workflows", "/workflows/greet", f"/runs/{run.run_id}"):
        links = admin.page(address).links()
        assert "/workflows/greet/run" not in links
        assert f"/runs/{run.run_id}/replay" not in links


def test_its_dialogs_say_so_and_have_no_button_that_cannot_work(
    admin: Browser, operator: Browser, store: Store, of: WorkflowDefinition
) -> None:
    run = builders.run(of, "FAILED")
    builders.save(store, run)
    half_typed = operator.page("/workflows/greet/run").form("/workflows/greet/run")
    _pause(admin)
    for address in ("/workflows/greet/run", f"/runs/{run.run_id}/replay"):
        page = operator.page(address)
        assert "paused" in page.text
        assert not [b for b in page.all("button") if b.get("class") == "primary"]
    response = operator.submit(half_typed)
    assert response.status_code == 409
    assert "is paused: new runs are not accepted" in Page(response.text).text


def test_unpaused_it_runs_again(admin: Browser, operator: Browser, of: WorkflowDefinition) -> None:
    _pause(admin)
    assert admin.submit(admin.page("/workflows/greet").form(UNPAUSE)).status_code == 303
    assert "paused" not in operator.page("/workflows/greet").text
    form = operator.page("/workflows/greet/run").form("/workflows/greet/run")
    assert operator.submit(form).status_code == 303


def test_it_asks_why(admin: Browser, of: WorkflowDefinition) -> None:
    form = admin.page("/workflows/greet").form(PAUSE)
    for reason in ("", "no", "x\0yz"):
        response = admin.submit(form, reason=reason)
        assert response.status_code == 422
        field = Page(response.text).by_id("pause-reason")
        assert field is not None
        assert field["aria-invalid"] == "true"
    assert "is paused" not in admin.page("/workflows/greet").text


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_nobody_else_sees_the_buttons_and_a_try_is_refused(
    sign_in: Callable[[str], Browser], of: WorkflowDefinition, role: str
) -> None:
    browser = sign_in(role)
    actions = {form.action for form in browser.page("/workflows/greet").forms}
    assert not actions & {PAUSE, UNPAUSE}
    for address in (PAUSE, UNPAUSE):
        assert browser.post(address, {"reason": "because"}).status_code == 403


def test_a_workflow_that_is_not_there_is_404(admin: Browser, of: WorkflowDefinition) -> None:
    for name in ("pause", "unpause"):
        response = admin.post(f"/workflows/nothing/{name}", {"reason": "because"})
        assert response.status_code == 404
