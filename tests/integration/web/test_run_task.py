"""A task's form on the page of the run that waits for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests import builders
from tests.integration.web.browser import Browser

SCHEMA = {
    "type": "object",
    "required": ["approved"],
    "properties": {"approved": {"type": "boolean"}, "note": {"type": "string"}},
}


@pytest.fixture
def run(store: Store, of: WorkflowDefinition) -> WorkflowRun:
    made = builders.run(of, "WAITING", input_json={"password": "canary-of-a-task"})
    waits = [
        builders.wait(made, "human", created_at=builders.NOW + timedelta(seconds=n))
        for n in range(2)
    ]
    tasks = [
        builders.human_task(made, task_id=wait.wait_id, title=f"Task {n}", form_json=SCHEMA,
                            description="About canary-of-a-task", context_json={"seen": n})
        for n, wait in enumerate(waits)
    ]  # fmt: skip
    builders.save(store, made, builders.step(made, "STARTED"), *waits, *tasks)
    return made


def test_the_oldest_task_is_answered_on_the_spot_and_others_on_their_pages(
    operator: Browser, run: WorkflowRun
) -> None:
    page = operator.page(f"/runs/{run.run_id}")
    (form,) = [form for form in page.forms if form.action.endswith("/answer")]
    assert {"token", "csrf_token"} < set(form.fields)
    assert any("approved" in name for name in form.fields)
    assert "About [REDACTED]" in page.text
    links = [link for link in page.links() if link.endswith("/answer")]
    assert len(links) == 2
    assert form.action in links
    assert not any(meta.get("http-equiv") == "refresh" for meta in page.all("meta"))
    wrong = operator.submit(form)
    assert wrong.status_code == 422
    assert 'id="wait-answer"' in wrong.text


def test_who_may_not_answer_sees_what_is_waited_for_and_no_form(
    viewer: Browser, run: WorkflowRun
) -> None:
    page = viewer.page(f"/runs/{run.run_id}")
    assert not [form for form in page.forms if form.action.endswith("/answer")]
    assert any(meta.get("http-equiv") == "refresh" for meta in page.all("meta"))
