"""Saved views of the list of runs: in its header, on a page of their own, and each operator's."""

from __future__ import annotations

import pytest

from engine.services import saved_views
from engine.store.definitions import WorkflowDefinition
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both

FILTERS = "status=FAILED&workflow=greet&last=24h"


def _save(browser: Browser, name: str, query: str = FILTERS, **more: str) -> None:
    response = browser.post("/runs/views", {"name": name, "query": query} | more)
    assert response.status_code == 303, response.text


def _id(page: Page, deed: str = "rename") -> str:
    return next(f.action for f in page.forms if f.action.endswith(deed)).split("/")[-2]


@on_both
def test_the_filters_of_the_list_are_saved_and_lead_back_to_it(
    operator: Browser, of: WorkflowDefinition
) -> None:
    form = operator.page(f"/runs?{FILTERS}").form("/runs/views")
    response = operator.submit(form, name="Failed today")
    assert (response.status_code, response.headers["Location"]) == (303, f"/runs?{FILTERS}")
    page = operator.page(response.headers["Location"])
    link = next(a for a in page.all("a") if a.get("href") == f"/runs?{FILTERS}")
    assert link["aria-current"] == "page"
    assert "Failed today" in page.text
    assert "Failed today" in operator.page("/runs").text


def test_a_place_in_the_pages_and_what_the_list_does_not_know_are_not_saved(
    operator: Browser,
) -> None:
    _save(operator, "mine", "status=FAILED&cursor=abc&csrf_token=x&shown=y&evil=1&workflow=")
    assert "/runs?status=FAILED" in operator.page("/runs").links()


def test_another_operator_does_not_see_them(operator: Browser, viewer: Browser) -> None:
    _save(operator, "Mine alone")
    assert "Mine alone" not in viewer.page("/runs").text
    _save(viewer, "A viewer's")
    view = _id(operator.page("/runs/views"))
    for deed in ("rename", "delete", "default"):
        assert viewer.post(f"/runs/views/{view}/{deed}", {"name": "x"}).status_code == 404


def test_the_default_view_is_what_the_list_opens_with(
    operator: Browser, of: WorkflowDefinition
) -> None:
    _save(operator, "Failed", "status=FAILED")
    page = operator.page("/runs/views")
    operator.submit(page.form(f"/runs/views/{_id(page)}/default"))
    response = operator.get("/runs")
    assert (response.status_code, response.headers["Location"]) == (303, "/runs?status=FAILED")
    assert operator.get("/runs?all=1").status_code == 200
    assert operator.get("/runs", htmx=True).status_code == 200
    page = operator.page("/runs/views")
    assert "opens first" in page.text
    operator.submit(page.form(f"/runs/views/{_id(page)}/default"))
    assert operator.get("/runs").status_code == 200


def test_saved_as_the_default_at_once(operator: Browser) -> None:
    _save(operator, "Failed", "status=FAILED", default="1")
    assert operator.get("/runs").headers["Location"] == "/runs?status=FAILED"


def test_renamed_and_deleted(operator: Browser) -> None:
    _save(operator, "First")
    page = operator.page("/runs/views")
    operator.submit(page.form(f"/runs/views/{_id(page)}/rename"), name="Second")
    page = operator.page("/runs/views")
    assert "Second" in page.text
    operator.submit(page.form(f"/runs/views/{_id(page)}/delete"))
    assert "No views yet" in operator.page("/runs/views").text


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "Taken"])
@pytest.mark.parametrize("deed", ["save", "rename"])
def test_a_name_that_does_not_do_is_422_beside_the_field(
    operator: Browser, name: str, deed: str
) -> None:
    _save(operator, "Taken", "status=WAITING")
    _save(operator, "Zebra", "status=FAILED")
    page = operator.page("/runs/views")
    renames = [f.action for f in page.forms if f.action.endswith("rename")]
    address = "/runs/views" if deed == "save" else renames[1]
    response = operator.post(address, {"name": name, "query": FILTERS})
    assert response.status_code == 422
    page = Page(response.text)
    field = next(a for a in page.all("input") if a.get("aria-invalid") == "true")
    assert field["value"] == name.replace("\x00", "\ufffd") or "\x00" in name
    assert page.by_id(field["aria-describedby"]) is not None
    if deed == "save":
        assert page.form("/runs/views").fields["query"] == FILTERS


def test_more_than_the_limit_is_said(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    _save(operator, "First")
    response = operator.post("/runs/views", {"name": "Second", "query": FILTERS})
    assert response.status_code == 409
    assert "which is the limit" in response.text


def test_a_name_is_text_and_nothing_else(operator: Browser) -> None:
    _save(operator, "<script>alert(1)</script>", "q=%22%3E%3Cb%3E")
    for address in ("/runs", "/runs/views"):
        assert "<script>alert(1)" not in operator.get(address).text
        assert '"><b>' not in operator.get(address).text


def test_without_a_csrf_token_nothing_is_saved(operator: Browser) -> None:
    response = operator.post("/runs/views", {"name": "x", "query": "", "csrf_token": ""})
    assert response.status_code == 400
