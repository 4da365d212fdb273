"""Reveal: an admin sees a run's payload unmasked, once, and everybody sees that it was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from engine.services.values import keep
from engine.store.audit import AuditLog
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both

HIDDEN = "hidden-4711"
REASON = "The client asks what was sent"
PAYLOAD = {"client": "Northwind", "token": HIDDEN, "key": {"$secret": "CRM"}}


@pytest.fixture
def admin(sign_in: Callable[[str], Browser]) -> Browser:
    return sign_in("admin")


@pytest.fixture
def run(store: Store, of: WorkflowDefinition) -> WorkflowRun:
    made = builders.run(of, "FAILED", input_json=PAYLOAD)
    builders.save(store, made)
    return made


def address(run: WorkflowRun) -> str:
    return f"/runs/{run.run_id}/reveal"


def reveal(browser: Browser, run: WorkflowRun, *, htmx: bool = False, **typed: str) -> TestResponse:
    """By the form of the page, as it stands but for what is typed."""
    form = browser.page(address(run)).form(address(run))
    return browser.submit(form, htmx=htmx, **({"reason": REASON} | typed))


def audited(store: Store) -> list[AuditLog]:
    with store.reading() as session:
        query = select(AuditLog).where(AuditLog.operation == "workflow_run_reveal")
        return list(session.scalars(query.order_by(AuditLog.at)))


def test_the_page_asks_why_says_who_will_see_it_and_shows_nothing(
    admin: Browser, run: WorkflowRun, store: Store
) -> None:
    for htmx in (False, True):
        response = admin.get(address(run), htmx=htmx)
        assert response.status_code == 200
        assert HIDDEN not in response.text
    page = admin.page(address(run))
    form = page.form(address(run))
    assert (form.method, form.fields.keys()) == ("post", {"csrf_token", "reason"})
    field = page.by_id("reason")
    assert field is not None
    assert field["aria-required"] == "true"
    assert "Everybody who signs in can read there who revealed it, when and why." in page.text
    assert f"/runs/{run.run_id}/audit" in page.links()
    assert audited(store) == []


@on_both
@pytest.mark.parametrize("htmx", [False, True])
def test_the_answer_to_the_form_shows_the_payload_and_an_audit_row_says_so(
    admin: Browser, run: WorkflowRun, store: Store, htmx: bool
) -> None:
    response = reveal(admin, run, htmx=htmx)
    assert response.status_code == 200
    assert ("<html" in response.text) is not htmx
    text = Page(response.text).text
    assert f'"token": "{HIDDEN}"' in text
    assert '"$secret": "CRM"' in text, "a reference to a secret stays one"
    (row,) = audited(store)
    assert admin.operator is not None
    assert (row.outcome, row.operator_email) == ("done", admin.operator.email)
    assert (row.record_type, row.record_id) == ("workflow_run", run.run_id)
    assert row.details_json == {"revealed": ["payload"], "reason": REASON}


@pytest.mark.parametrize("htmx", [False, True])
def test_what_was_revealed_stays_nowhere(admin: Browser, run: WorkflowRun, htmx: bool) -> None:
    """Not in a cache, not in a page that polls, not at an address of its own."""
    response = reveal(admin, run, htmx=htmx)
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"HX-Push-Url", "HX-Replace-Url", "HX-Location", "Location", "HX-PTag"} & set(
        response.headers.keys()
    )
    page = Page(response.text)
    for _, attributes in page.elements:
        assert not attributes.keys() & {"hx-get", "hx-trigger", "hx-push-url", "hx-replace-url"}
    assert not [a for a in page.all("meta") if a.get("http-equiv") == "refresh"]
    for after in (address(run), f"/runs/{run.run_id}", f"/runs/{run.run_id}/audit"):
        assert HIDDEN not in admin.get(after).text


def _no_row(store: Store) -> None:
    """No INSERT into the audit log succeeds."""

    def refuse(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO audit_logs"):
            raise OSError("no space left")

    event.listen(store.engine, "before_cursor_execute", refuse)


def _no_commit(store: Store) -> None:
    """The row is written, but its transaction does not come through."""
    written: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        written.extend([statement] if statement.startswith("INSERT INTO audit_logs") else [])

    def refuse(connection: Any) -> None:
        if written:
            raise OSError("no space left")

    event.listen(store.engine, "before_cursor_execute", note)
    event.listen(store.engine, "commit", refuse)


@pytest.mark.parametrize("broken", [_no_row, _no_commit])
def test_without_an_audit_row_nothing_is_shown(
    admin: Browser, run: WorkflowRun, store: Store, broken: Callable[[Store], None]
) -> None:
    form = admin.page(address(run)).form(address(run))
    broken(store)
    response = admin.submit(form, reason=REASON)
    assert response.status_code == 500
    assert HIDDEN not in response.text


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_nobody_but_an_admin_may_and_each_try_is_kept(
    sign_in: Callable[[str], Browser], run: WorkflowRun, store: Store, role: str
) -> None:
    browser = sign_in(role)
    for htmx in (False, True):
        for response in (
            browser.get(address(run), htmx=htmx),
            browser.post(address(run), {"reason": REASON}, htmx=htmx),
        ):
            assert response.status_code == 403
            assert f"Your role is {role}; this needs admin." in response.text
            assert HIDDEN not in response.text
    rows = audited(store)
    assert [(row.outcome, row.record_id) for row in rows] == [("denied", run.run_id)] * 4


@pytest.mark.parametrize("htmx", [False, True])
def test_without_a_reason_nothing_is_revealed_and_the_field_says_so(
    admin: Browser, run: WorkflowRun, store: Store, htmx: bool
) -> None:
    for sent in ({}, *({"reason": text} for text in ("", "   ", "no", "x\0yz", "x" * 2001))):
        response = admin.post(address(run), sent, htmx=htmx)
        assert response.status_code == 422
        assert HIDDEN not in response.text
        page = Page(response.text)
        field = page.by_id("reason")
        assert field is not None
        assert field["aria-invalid"] == "true"
        assert page.by_id("reason-error") is not None
        assert "reason-error" in field["aria-describedby"].split()
    assert audited(store) == []


def test_a_run_that_is_not_there_is_404(admin: Browser, run: WorkflowRun, store: Store) -> None:
    for run_id in ("nope", builders.new_id()):
        assert admin.get(f"/runs/{run_id}/reveal").status_code == 404
        for reason in (REASON, ""):
            assert admin.post(f"/runs/{run_id}/reveal", {"reason": reason}).status_code == 404
    assert audited(store) == []


@on_both
def test_a_value_that_is_kept_apart_is_shown_but_never_that_of_another_run(
    admin: Browser, store: Store, of: WorkflowDefinition, run: WorkflowRun
) -> None:
    with store.writing() as session:
        theirs = keep(session, run.run_id, {"of": "another run"}, builders.NOW)
    own = builders.run(of, input_json={})
    builders.save(store, own)
    with store.writing() as session:
        kept = keep(session, own.run_id, {"token": HIDDEN}, builders.NOW)
        row = session.get_one(WorkflowRun, own.run_id)
        row.input_json = {"large": [kept], "forged": theirs}
    text = Page(reveal(admin, own).text).text
    assert f'"large": [ {{ "token": "{HIDDEN}" }} ]' in text
    assert "another run" not in text
    assert str(theirs["$ref"]) in text


def test_all_of_a_large_payload_is_shown_and_markup_stays_text(
    admin: Browser, store: Store, of: WorkflowDefinition
) -> None:
    """The export is masked, so that what is left out here could be read nowhere."""
    run = builders.run(of, input_json={"long": "x" * 50_000, "token": "<script>alert(1)</script>"})
    builders.save(store, run)
    response = reveal(admin, run)
    assert "x" * 50_000 in response.text
    assert "<script>alert" not in response.text
    assert "<script>alert(1)</script>" in Page(response.text).text


def test_the_run_page_offers_it_beside_the_payload_to_who_may(
    sign_in: Callable[[str], Browser], run: WorkflowRun
) -> None:
    for role, offered in (("viewer", False), ("operator", False), ("admin", True)):
        page = sign_in(role).page(f"/runs/{run.run_id}")
        assert (address(run) in page.links()) is offered
        assert ("Input Reveal…" in page.text) is offered
        assert HIDDEN not in page.text


def test_the_audit_trail_says_in_words_who_revealed_it_and_who_was_refused(
    admin: Browser, operator: Browser, viewer: Browser, run: WorkflowRun
) -> None:
    reveal(admin, run)
    operator.post(address(run), {"reason": REASON})
    page = viewer.page(f"/runs/{run.run_id}/audit")
    assert admin.operator is not None
    assert operator.operator is not None
    did = "revealed the payload workflow_run_reveal done"
    assert f"{did} {admin.operator.email}" in page.text
    tried = "was refused a reveal of the payload workflow_run_reveal denied"
    assert f"{tried} {operator.operator.email}" in page.text
    assert REASON in page.text
    assert HIDDEN not in page.text


def test_a_reason_that_repeats_what_is_hidden_does_not_tell_it_to_others(
    admin: Browser, viewer: Browser, run: WorkflowRun
) -> None:
    reveal(admin, run, reason=f"Is it {HIDDEN}?")
    assert HIDDEN not in viewer.get(f"/runs/{run.run_id}/audit").text
