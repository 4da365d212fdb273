"""Every control that is shown works: made from the templates, TRANSITIONS and the roles.

For each status, role and state of a run, every link and form of its page is used, each on a run of
its own, and what it says it does has been done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from engine.runs.roles import Role
from engine.runs.status import OPEN, RunStatus, may_become
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Form, Page
from tests.unit.architecture import repository

TYPED: Final = {"reason": "Because it must", "payload": '{"approved": true}'}
_POSTS = re.compile(r"""method="post" action="\{\{ url_for\('([\w.]+)'""")


@dataclass
class Seen:
    """A run in one of the states that its page can show."""

    run: WorkflowRun
    store: Store
    engine: FakeEngine

    def now(self) -> WorkflowRun:
        with self.store.reading() as session:
            return session.get_one(WorkflowRun, self.run.run_id)


STATES: Final[dict[str, dict[str, Any]]] = {
    "as it is": {},
    "cancel just requested": {"cancel_requested_at": builders.NOW},
    "cancel overdue": {"cancel_requested_at": builders.NOW - timedelta(seconds=31)},
    "queued": {"started_at": builders.NOW - timedelta(minutes=5)},
}


@pytest.fixture
def make(store: Store, engine: FakeEngine, of: WorkflowDefinition) -> Callable[..., Seen]:
    def made(status: RunStatus, fields: dict[str, Any]) -> Seen:
        run = builders.run(of, status, **fields)
        builders.save(store, run)
        if status in OPEN:
            assert run.temporal_workflow_id is not None
            engine.put(run.temporal_workflow_id)
        if status is RunStatus.WAITING:
            task = builders.wait(run, "human", payload={"title": "Approve it"})
            quota = builders.wait(run, "quota", payload={"limit": 5})
            builders.save(store, task, quota, builders.human_task(run, task_id=task.wait_id))
        return Seen(run, store, engine)

    return made


def _did_what_it_says(seen: Seen, form: Form, location: str) -> None:
    run, endpoint = seen.now(), form.action.rsplit("/", 1)[1]
    if endpoint == "cancel" and "force" in form.fields:
        assert run.status == RunStatus.CANCELED
    elif endpoint == "cancel":
        assert run.cancel_requested_at is not None
        assert run.temporal_workflow_id in seen.engine.asked("cancel")
    elif endpoint == "release":
        assert run.temporal_workflow_id in [told.workflow_id for told in seen.engine.signals]
    elif endpoint == "answer":
        assert ("update", run.temporal_workflow_id) in seen.engine.calls
    elif endpoint == "replay":
        with seen.store.reading() as session:
            new = session.get_one(WorkflowRun, location.rsplit("/", 1)[1])
        assert new.replay_of_run_id == run.run_id
    else:
        raise AssertionError(f"what should {form.action} have done?")


def _forms(page: Page) -> Iterator[int]:
    yield from (n for n, form in enumerate(page.forms) if form.action != "/sign-out")


def _links(page: Page) -> list[str]:
    return [link for link in page.links() if link.startswith("/") and "#" not in link]


@pytest.mark.parametrize("worker", [False, True], ids=["no worker", "worker"])
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("status", list(RunStatus))
def test_every_visible_control_works_and_does_what_it_says(
    sign_in: Callable[[str], Browser], make: Callable[..., Seen],
    living_worker: Callable[[], None], status: RunStatus, role: Role, worker: bool,
) -> None:  # fmt: skip
    if worker:
        living_worker()
    browser = sign_in(role)
    for fields in STATES.values() if status in OPEN else [{}]:
        first = make(status, fields)
        page = browser.page(f"/runs/{first.run.run_id}")
        asked = [link for link in _links(page) if link.endswith(("/replay", "/answer"))]
        for link in _links(page):
            assert browser.get(link).status_code < 400, link
        for number in _forms(page):
            seen = make(status, fields)
            form = browser.page(f"/runs/{seen.run.run_id}").forms[number]
            _use(browser, seen, form)
        for number in range(len(asked)):
            seen = make(status, fields)
            links = _links(browser.page(f"/runs/{seen.run.run_id}"))
            link = [link for link in links if link.endswith(("/replay", "/answer"))][number]
            _use(browser, seen, browser.page(link).form(link))
        ways_out = [form for form in page.forms if form.action.endswith("/cancel")]
        may = role is not Role.VIEWER and may_become(status, RunStatus.CANCELED)
        overdue = fields.get("cancel_requested_at", builders.NOW) < builders.NOW
        if may and (not worker or overdue or "cancel_requested_at" not in fields):
            assert ways_out
        if not may:
            assert not ways_out


def _use(browser: Browser, seen: Seen, form: Form) -> None:
    typed = {name: text for name, text in TYPED.items() if name in form.fields}
    response = browser.submit(form, **typed)
    assert response.status_code < 400, (form.action, response.text)
    _did_what_it_says(seen, form, response.headers.get("Location", ""))


def test_every_form_of_the_runs_pages_is_one_that_is_tried_here() -> None:
    """A new button has to be put into `_did_what_it_says`."""
    sources = [
        repository.text(path)
        for path in repository.under("templates/", suffix=".html")
        if path.parent.name in {"runs", "waits"}
    ]
    posts = {name for source in sources for name in _POSTS.findall(source)}
    assert posts <= {
        "runs.cancel", "runs.replay", "waits.release", "waits.answer"
    }  # fmt: skip
