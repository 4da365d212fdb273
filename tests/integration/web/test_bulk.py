"""Cancel and replay of many runs: the dry run, the start, the progress and the receipts."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from engine.contract import temporal_workflow_id
from engine.services.context import Services
from engine.services.perform_bulk import perform_bulk
from engine.store.audit import AuditLog
from engine.store.bulk import BulkOperation
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders, bulk
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.conftest import Clock
from tests.integration.web.marks import on_both

CANARY = "canary-4711"


@pytest.fixture
def waiting(store: Store, engine: FakeEngine, of: WorkflowDefinition) -> list[str]:
    """Three runs that wait."""
    found = [builders.run(of, "WAITING", claimed_by="x") for _ in range(3)]
    builders.save(store, *found)
    for run in found:
        engine.put(temporal_workflow_id(run.run_id))
    return sorted((run.run_id for run in found), reverse=True)


@pytest.fixture
def ended(store: Store, of: WorkflowDefinition) -> str:
    found = builders.run(
        of,
        "FAILED",
        input_json={"customer": "Ann", "password": CANARY, "note": f"it is {CANARY}"},
        error_json={"message": f"no {CANARY}"},
    )
    builders.save(store, found, builders.invocation(found, "SUCCEEDED", action_id="http.request"))
    return found.run_id


def _draft(browser: Browser, kind: str, run_ids: list[str]) -> str:
    response = browser.post("/runs/bulk", {"kind": kind, "scope": "selected", "run": run_ids})
    assert response.status_code == 303, response.text
    return str(response.headers["Location"])


def _id_of(address: str) -> str:
    return urlsplit(address).path.rsplit("/", 1)[-1]


@on_both
def test_cancelling_three_from_the_tick_to_the_receipt(
    operator: Browser,
    store: Store,
    services: Services,
    engine: FakeEngine,
    clock: Clock,
    waiting: list[str],
    ended: str,
) -> None:
    address = _draft(operator, "cancel", [*waiting, ended])
    page = operator.page(address)
    assert "3 would be canceled" in page.text
    assert "1 skipped: It has ended: it is FAILED." in page.text
    assert engine.calls == []
    response = operator.submit(page.form(f"{address}/start"), reason="Wrong customer")
    assert (response.status_code, response.headers["Location"]) == (303, address)
    assert engine.calls == []
    page = operator.page(address)
    assert "0 of 4 done" in page.text
    assert "No worker is running. The rest is kept" in page.text
    live = page.by_id("bulk-live")
    assert live is not None
    assert live["hx-trigger"] == "every 2s"
    while perform_bulk(services, "worker-1") is not None:
        pass
    page = operator.page(address)
    assert "4 of 4 done" in page.text
    assert "3 requested 0 seen to have ended 1 skipped 0 failed" in page.text
    assert "hx-get" in (page.by_id("bulk-live") or {})
    with store.writing() as session:
        for run_id in waiting:
            run = session.get_one(WorkflowRun, run_id)
            run.status, run.completed_at, run.updated_at = "CANCELED", clock(), clock()
    page = operator.page(address)
    assert "3 requested 3 seen to have ended 1 skipped 0 failed" in page.text
    assert "hx-get" not in (page.by_id("bulk-live") or {})
    assert page.all("meta") == [m for m in page.all("meta") if m.get("http-equiv") != "refresh"]


def test_a_replay_shows_side_effects_and_leads_to_the_new_run(
    operator: Browser, services: Services, store: Store, ended: str
) -> None:
    address = _draft(operator, "replay", [ended])
    page = operator.page(address)
    assert "1 would be replayed" in page.text
    assert "Side effects that happen once more: http.request" in page.text
    assert "A new run of version 1 with the same payload." in page.text
    operator.submit(page.form(f"{address}/start"), reason="The server is back")
    perform_bulk(services, "worker-1")
    new = bulk.items(store, _id_of(address))[0].new_run_id
    assert f"/runs/{new}" in operator.page(address).links()


@on_both
def test_all_that_match_are_those_of_the_moment(
    operator: Browser, store: Store, engine: FakeEngine, waiting: list[str], ended: str
) -> None:
    sent = {"kind": "cancel", "scope": "matching", "query": "status=WAITING&last=", "run": [ended]}
    address = operator.post("/runs/bulk", sent).headers["Location"]
    assert bulk.operation(store, _id_of(address)).query == "status=WAITING"
    assert sorted(item.run_id for item in bulk.items(store, _id_of(address))) == sorted(waiting)
    page = operator.page(address)
    assert "They matched status: WAITING" in page.text


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "cancel"},
        {"kind": "cancel", "scope": "matching"},
        {"kind": "cancel", "scope": "matching", "query": "status=NONSENSE"},
        {"kind": "cancel", "scope": "matching", "query": "q=zzzz-no-such"},
        {"kind": "resurrect", "run": ["x"]},
        {},
    ],
)
def test_what_cannot_be_understood_chooses_nothing(
    operator: Browser, store: Store, waiting: list[str], sent: dict[str, object]
) -> None:
    """Above all, filters that got lost do not come to mean all runs."""
    response = operator.post("/runs/bulk", sent)
    assert response.status_code == 422
    with store.reading() as session:
        assert session.scalars(select(BulkOperation)).all() == []


def test_nothing_ticked_is_said_in_the_selection_bar(operator: Browser, waiting: list[str]) -> None:
    response = operator.post("/runs/bulk", {"kind": "cancel", "back": "status=WAITING"})
    page = Page(response.text)
    assert page.by_id("selection-error") is not None
    assert "Tick at least one run" in page.text
    assert page.form("/runs/selection").fields["query"] == "status=WAITING"


@pytest.mark.parametrize("reason", ["", " ab ", "x\x00y", "y" * 2001])
def test_a_reason_that_does_not_do_is_422_beside_the_field(
    operator: Browser, store: Store, waiting: list[str], reason: str
) -> None:
    address = _draft(operator, "cancel", waiting)
    response = operator.post(f"{address}/start", {"reason": reason})
    assert response.status_code == 422
    page = Page(response.text)
    field = page.by_id("reason")
    assert field is not None
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "reason-error")
    assert page.by_id("reason-error") is not None
    assert bulk.operation(store, _id_of(address)).status == "DRAFT"


def test_a_second_start_only_leads_to_the_operation(
    operator: Browser, store: Store, waiting: list[str]
) -> None:
    address = _draft(operator, "cancel", waiting)
    for _ in range(2):
        response = operator.post(f"{address}/start", {"reason": "Wrong customer"})
        assert (response.status_code, response.headers["Location"]) == (303, address)
    with store.reading() as session:
        rows = session.scalars(
            select(AuditLog).where(AuditLog.operation == "workflow_run_bulk_cancel")
        ).all()
    assert len(rows) == 1


def test_where_nothing_would_happen_there_is_no_button_and_a_start_is_409(
    operator: Browser, ended: str
) -> None:
    address = _draft(operator, "cancel", [ended])
    page = operator.page(address)
    assert not any(form.action.endswith("/start") for form in page.forms)
    response = operator.post(f"{address}/start", {"reason": "Wrong customer"})
    assert response.status_code == 409
    assert "Every one of these runs would be skipped" in response.text


def test_another_operator_sees_it_and_does_not_start_it(
    operator: Browser, sign_in: object, waiting: list[str]
) -> None:
    address = _draft(operator, "cancel", waiting)
    other: Browser = sign_in("operator")  # type: ignore[operator]
    page = other.page(address)
    assert not any(form.action.endswith("/start") for form in page.forms)
    assert other.post(f"{address}/start", {"reason": "Wrong customer"}).status_code == 403


def test_the_poll_of_an_unchanged_operation_is_304(
    operator: Browser, services: Services, waiting: list[str]
) -> None:
    address = _draft(operator, "cancel", waiting)
    operator.post(f"{address}/start", {"reason": "Wrong customer"})
    tag = operator.get(address, htmx=True).headers["HX-PTag"]
    same = operator.get(address, htmx=True, **{"HX-PTag": tag})
    assert (same.status_code, same.data) == (304, b"")
    perform_bulk(services, "worker-1")
    changed = operator.get(address, htmx=True, **{"HX-PTag": tag})
    assert changed.status_code == 200
    assert changed.text.strip().startswith('<section id="bulk-live"')


def test_the_rest_is_left_out(operator: Browser, waiting: list[str]) -> None:
    address = _draft(operator, "cancel", waiting)
    operator.post(f"{address}/start", {"reason": "Wrong customer"})
    form = operator.page(address).form(f"{address}/stop")
    assert operator.submit(form).status_code == 303
    page = operator.page(address)
    assert "3 skipped" in page.text
    assert "before its turn came" in page.text
    assert operator.post(f"{address}/stop").status_code == 409


def test_the_list_of_operations_leads_to_each(operator: Browser, waiting: list[str]) -> None:
    assert "Nothing has been done in bulk yet" in operator.page("/runs/bulk").text
    address = _draft(operator, "cancel", waiting)
    assert address not in operator.page("/runs/bulk").links()
    operator.post(f"{address}/start", {"reason": "Wrong customer"})
    assert address in operator.page("/runs/bulk").links()


@pytest.mark.parametrize("name", ["x", "11111111-1111-4111-8111-111111111111", "%00"])
def test_one_that_is_not_there_is_404(operator: Browser, name: str) -> None:
    assert operator.get(f"/runs/bulk/{name}").status_code == 404
    for deed in ("start", "stop"):
        data = {"reason": "Wrong customer"}
        assert operator.post(f"/runs/bulk/{name}/{deed}", data).status_code == 404


def test_a_viewer_may_do_none_of_it_and_the_tries_are_kept(
    operator: Browser, viewer: Browser, store: Store, waiting: list[str]
) -> None:
    address = _draft(operator, "cancel", waiting)
    assert viewer.get(address).status_code == 403
    assert viewer.post("/runs/bulk", {"kind": "cancel", "run": waiting}).status_code == 403
    assert viewer.post(f"{address}/start", {"reason": "Wrong customer"}).status_code == 403
    assert viewer.post(f"{address}/stop").status_code == 403
    with store.reading() as session:
        denied = session.scalars(select(AuditLog).where(AuditLog.outcome == "denied")).all()
    assert len(denied) == 4


def test_without_a_csrf_token_nothing_is_chosen_or_started(
    operator: Browser, store: Store, waiting: list[str]
) -> None:
    address = _draft(operator, "cancel", waiting)
    for path, data in [
        ("/runs/bulk", {"kind": "cancel", "run": waiting}),
        (f"{address}/start", {"reason": "Wrong customer"}),
        ("/runs/selection", {"run": waiting}),
    ]:
        assert operator.post(path, data | {"csrf_token": ""}).status_code == 400
    assert bulk.operation(store, _id_of(address)).status == "DRAFT"


@pytest.mark.parametrize("kind", ["cancel", "replay"])
def test_no_page_of_it_shows_what_is_redacted(
    operator: Browser, services: Services, ended: str, waiting: list[str], kind: str
) -> None:
    address = _draft(operator, kind, [ended, *waiting])
    texts = [operator.get(address).text, operator.get(address, htmx=True).text]
    operator.post(f"{address}/start", {"reason": "Wrong customer"})
    perform_bulk(services, "worker-1")
    texts += [operator.get(a).text for a in (address, "/runs", "/runs/bulk")]
    assert not any(CANARY in text for text in texts)
