"""A task's form: what is typed is never lost, and nothing is claimed that was not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blueprints.waits import answer
from engine.errors import Conflict, Invalid, Problem, Unavailable
from engine.services.answer_task import AnswerState
from tests import builders
from tests.integration.web import waits_fake
from tests.integration.web.browser import Browser, Page


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> waits_fake.Waits:
    fake = waits_fake.Waits(task=waits_fake.task())
    monkeypatch.setattr(answer, "find_task", fake.find_task)
    monkeypatch.setattr(answer, "answer_task", fake.answer_task)
    return fake


@pytest.fixture
def address(waits: waits_fake.Waits) -> str:
    assert waits.task is not None
    return f"/waits/{waits.task.task_id}/answer"


def test_the_form_has_the_schemas_fields_and_shows_the_redacted_context(
    operator: Browser, address: str
) -> None:
    page = operator.page(address)
    assert "Approve the order" in page.text
    assert "It costs more than usual." in page.text
    assert '"api_key": "[REDACTED]"' in page.text
    fields = page.form(address).fields
    assert {"field:/approved", "field:/comment", "payload", "token", "csrf_token"} <= fields.keys()
    assert (
        page.form(address).fields["token"] != operator.page(address).form(address).fields["token"]
    )


@pytest.mark.parametrize("htmx", [False, True])
def test_an_accepted_answer_leads_to_the_runs_page(
    operator: Browser, waits: waits_fake.Waits, address: str, htmx: bool
) -> None:
    form = operator.page(address).form(address)
    response = operator.submit(form, htmx=htmx, **{"field:/approved": "true"})
    assert waits.task is not None
    where = response.headers["HX-Redirect"] if htmx else response.location
    assert where == f"/runs/{waits.task.run_id}"
    assert response.status_code == (200 if htmx else 303)
    assert waits.answers == [(waits.task.task_id, {"approved": True}, form.fields["token"])]


def test_raw_json_is_an_answer_too(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    form = operator.page(address).form(address)
    operator.submit(form, payload='{"approved": false, "comment": "No."}')
    assert waits.answers[0][1] == {"approved": False, "comment": "No."}


def test_a_bad_answer_is_said_beside_its_field_and_nothing_typed_is_lost(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    waits.failure = Invalid("It does not fit.", [Problem("/approved", "This field is required.")])
    form = operator.page(address).form(address)
    response = operator.submit(form, **{"field:/comment": "Ask Maria"})
    assert response.status_code == 422
    again = Page(response.text)
    assert "This field is required." in again.text
    assert again.form(address).fields["field:/comment"] == "Ask Maria"
    assert again.form(address).fields["token"] != form.fields["token"]


def test_json_that_is_none_is_a_422_and_is_sent_to_nobody(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    response = operator.submit(operator.page(address).form(address), payload='{"approved": ')
    assert response.status_code == 422
    assert Page(response.text).form(address).fields["payload"] == '{"approved": '
    assert waits.answers == []


def test_a_task_that_was_answered_meanwhile_says_who_and_when_and_keeps_what_was_typed(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    form = operator.page(address).form(address)
    waits.failure = Conflict("The task has been answered by paul@example.com.")
    waits.closes = {
        "status": "ANSWERED", "answered_by": "paul@example.com", "answered_at": builders.NOW
    }  # fmt: skip
    response = operator.submit(form, **{"field:/comment": "Ask Maria"})
    assert response.status_code == 409
    page = Page(response.text)
    assert "paul@example.com" in page.text
    assert "2026-11-23 09:30:00 UTC" in page.text
    assert "Ask Maria" in page.text
    assert not [form for form in page.forms if form.action == address]


def test_an_answer_that_nobody_confirmed_is_neither_saved_nor_refused(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    waits.state = AnswerState.UNCONFIRMED
    form = operator.page(address).form(address)
    response = operator.submit(form, **{"field:/approved": "true", "field:/comment": "Line\nline"})
    assert response.status_code == 202
    page = Page(response.text)
    assert "Not confirmed yet" in page.text
    assert not {"saved", "refused"} & set(page.text.lower().split())
    same = page.form(address)
    assert same.fields["token"] == form.fields["token"]
    operator.submit(same)
    assert waits.answers[0] == waits.answers[1]


def test_an_unreachable_temporal_is_a_503_that_keeps_the_form(
    operator: Browser, waits: waits_fake.Waits, address: str
) -> None:
    waits.failure = Unavailable("Temporal does not answer.")
    response = operator.submit(operator.page(address).form(address), **{"field:/comment": "Kept"})
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert Page(response.text).form(address).fields["field:/comment"] == "Kept"


@pytest.mark.parametrize(
    ("status", "said"),
    [("EXPIRED", "Nobody answered in time"), ("CANCELED", "because its run ended")],
)
def test_a_closed_task_has_no_form_and_says_why(
    operator: Browser, waits: waits_fake.Waits, address: str, status: str, said: str
) -> None:
    assert waits.task is not None
    waits.task = replace(waits.task, status=status)
    page = operator.page(address)
    assert said in page.text
    assert not [form for form in page.forms if form.action == address]


def test_a_viewer_may_not_and_nobody_may_without_a_session(
    viewer: Browser, anybody: Browser, waits: waits_fake.Waits, address: str
) -> None:
    assert viewer.get(address).status_code == 403
    assert viewer.post(address, {"field:/approved": "true"}).status_code == 403
    assert anybody.get(address).status_code == 303
    assert waits.answers == []


def test_ids_of_nothing_are_not_found(operator: Browser, waits: waits_fake.Waits) -> None:
    for task_id in (builders.new_id(), "nope", "9" * 500):
        assert operator.get(f"/waits/{task_id}/answer").status_code == 404
