"""The inbox: tasks first, what else holds runs after them, and the release of a quota pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from blueprints.waits import browse, release
from engine.errors import Conflict, Unavailable
from engine.store.session import Store
from tests import builders
from tests.integration.web import waits_fake
from tests.integration.web.browser import Browser, Page
from tests.integration.web.marks import on_both


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> waits_fake.Waits:
    fake = waits_fake.Waits()
    monkeypatch.setattr(browse, "list_open_waits", fake.list_open_waits)
    monkeypatch.setattr(release, "release_quota", fake.release_quota)
    return fake


def test_an_empty_inbox_says_what_will_appear_in_it(
    operator: Browser, waits: waits_fake.Waits
) -> None:
    assert "Nothing waits" in operator.page("/waits").text
    assert "No task is assigned to you" in operator.page("/waits?mine=1").text


def test_tasks_come_first_and_lead_to_their_forms(
    operator: Browser, waits: waits_fake.Waits
) -> None:
    task = waits_fake.wait(
        "human", title="Approve it", assignee="x@example.com", due_at=builders.NOW
    )
    event = waits_fake.wait("event", event_name="order.paid", key="4711")
    waits.waits = [event, task]
    page = operator.page("/waits")
    assert page.text.index("Approve it") < page.text.index("order.paid")
    assert "with key 4711" in page.text
    assert "x@example.com" in page.text
    assert f"/waits/{task.wait_id}/answer" in page.links()
    assert f"/runs/{event.run_id}" in page.links()


def test_kinds_and_mine_filter_and_an_unknown_kind_is_said(
    operator: Browser, waits: waits_fake.Waits
) -> None:
    assert operator.operator is not None
    mine = waits_fake.wait("human", title="For me", assignee=operator.operator.email)
    waits.waits = [
        mine,
        waits_fake.wait("human", title="For another"),
        waits_fake.wait("time", until=builders.NOW + timedelta(hours=1)),
    ]
    times = operator.page("/waits?kind=time").text
    assert "until a time" in times
    assert "For me" not in times
    own = operator.page("/waits?mine=1").text
    assert "For me" in own
    assert "For another" not in own
    unknown = operator.get("/waits?kind=sideways")
    assert unknown.status_code == 422
    assert "There is no kind of wait" in Page(unknown.text).text
    assert operator.get("/waits?kind=human&cursor=x").status_code == 422


def test_a_viewer_sees_the_waits_and_no_control(viewer: Browser, waits: waits_fake.Waits) -> None:
    quota = waits_fake.wait("quota", quota={"usedCount": 5, "limit": 5})
    waits.waits = [waits_fake.wait("human", title="Approve it"), quota]
    page = viewer.page("/waits")
    assert "Approve it" in page.text
    assert "5 of 5 steps" in page.text
    assert not [link for link in page.links() if link.endswith("/answer")]
    assert not [form for form in page.forms if form.action.endswith("/release")]
    assert viewer.post(f"/waits/{quota.wait_id}/release").status_code == 403
    assert waits.released == []


def test_a_quota_pause_is_released_and_the_browser_is_on_its_run(
    operator: Browser, waits: waits_fake.Waits
) -> None:
    quota = waits_fake.wait("quota")
    waits.waits = [quota]
    form = operator.page("/waits").form(f"/waits/{quota.wait_id}/release")
    response = operator.submit(form)
    assert response.status_code == 303
    assert response.location.startswith("/runs/")
    assert waits.released == [quota.wait_id]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(Conflict("It waits for no quota."), 409), (Unavailable("Temporal does not answer."), 503)],
)
def test_a_release_that_fails_says_why_on_the_inbox(
    operator: Browser, waits: waits_fake.Waits, failure: Conflict | Unavailable, status: int
) -> None:
    quota = waits_fake.wait("quota")
    waits.waits, waits.failure = [quota], failure
    response = operator.post(f"/waits/{quota.wait_id}/release")
    assert response.status_code == status
    page = Page(response.text)
    assert failure.message in page.text
    assert page.form(f"/waits/{quota.wait_id}/release")


def test_an_unchanged_inbox_is_a_304_and_a_changed_one_is_not(
    operator: Browser, waits: waits_fake.Waits
) -> None:
    waits.waits = [waits_fake.wait("human", title="Approve it")]
    first = operator.get("/waits", htmx=True)
    tag = first.headers["HX-PTag"]
    same = operator.get("/waits", htmx=True, **{"HX-PTag": tag})
    assert (same.status_code, same.data) == (304, b"")
    waits.waits = [replace(waits.waits[0], title="Approve that")]
    assert operator.get("/waits", htmx=True, **{"HX-PTag": tag}).status_code == 200


@pytest.mark.parametrize("verb", ["resume", "retry", "requeue"])
def test_no_address_of_a_wait_is_named_after_what_the_old_engine_did(
    operator: Browser, waits: waits_fake.Waits, verb: str
) -> None:
    assert operator.post(f"/waits/{builders.new_id()}/{verb}").status_code == 404


@on_both
def test_an_inbox_of_many_runs_asks_no_more_often_than_one_of_few(
    operator: Browser, store: Store
) -> None:
    counts = []
    for number in (2, 30):
        for _ in range(number):
            of, _ = builders.published(store)
            run = builders.run(of, "WAITING", input_json={"password": "canary-of-one"})
            task = builders.wait(run, "human")
            titled = builders.human_task(run, task_id=task.wait_id, title="Ask canary-of-one")
            builders.save(store, run, task, titled, builders.step(run, "STARTED"))
        asked: list[str] = []
        event.listen(store.engine, "before_cursor_execute", lambda *a, to=asked: to.append(a[2]))
        page = operator.page("/waits")
        assert page.text.count("Ask [REDACTED]") >= number
        counts.append(len(asked))
        assert "canary" not in page.html
    assert counts[1] <= counts[0]
