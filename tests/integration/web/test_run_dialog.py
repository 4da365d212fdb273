"""The Run dialog: fields from the schema, raw JSON, and one run a form."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from engine.runs.strict_json import canonical
from engine.store.runs import WorkflowRun
from engine.store.session import Store
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser
from tests.integration.web.dialog import GOOD, RUN, all_runs


def _only_input(store: Store) -> Any:
    (run,) = all_runs(store)
    return run.input_json


@pytest.mark.usefixtures("onboard")
def test_the_form_has_a_field_for_each_property(operator: Browser) -> None:
    page = operator.page(RUN)
    form = page.form(RUN)
    assert set(form.fields) == {
        "csrf_token", "token", "payload", "field:/customer/name", "field:/customer/email",
        "field:/customer/a~1b~0c", "field:/plan", "field:/seats", "field:/discount",
        "field:/notify", "field:/devices", "field:/ports", "field:/from", "field:/password",
        "field:/extra",
    }  # fmt: skip
    assert form.fields["field:/plan"] == "basic"
    assert form.fields["payload"] == ""
    assert (form.method, form.attributes["hx-post"]) == ("post", RUN)
    inputs = {a["name"]: a for tag in ("input", "textarea", "select") for a in page.all(tag)
              if "name" in a}  # fmt: skip
    assert inputs["field:/customer/email"]["type"] == "email"
    assert inputs["field:/from"]["type"] == "date"
    assert inputs["field:/password"]["type"] == "password"
    assert inputs["field:/seats"]["inputmode"] == "numeric"
    assert inputs["field:/customer/name"]["aria-required"] == "true"
    assert "required" not in inputs["field:/customer/name"]
    hint = inputs["field:/customer/name"]["aria-describedby"]
    assert page.by_id(hint) is not None
    assert "As on the contract" in page.text


@pytest.mark.usefixtures("onboard")
def test_the_filled_form_starts_a_run_and_leads_to_its_page(
    operator: Browser, store: Store, engine: FakeEngine
) -> None:
    form = operator.page(RUN).form(RUN)
    response = operator.submit(
        form,
        **{
            "field:/customer/name": "Harbour",
            "field:/customer/a~1b~0c": "odd",
            "field:/plan": "plus",
            "field:/seats": "12",
            "field:/discount": "-2.50",
            "field:/notify": "false",
            "field:/devices": "laptop\r\n\r\nprinter \r\n",
            "field:/ports": "80\n443",
            "field:/extra": '{"deep": [1, null]}',
        },
    )
    (run,) = all_runs(store)
    assert (response.status_code, response.headers["Location"]) == (303, f"/runs/{run.run_id}")
    assert canonical(run.input_json) == canonical(
        {
            "customer": {"name": "Harbour", "a/b~c": "odd"}, "plan": "plus", "seats": 12,
            "discount": -2.5, "notify": False, "devices": ["laptop", "printer"],
            "ports": [80, 443], "extra": {"deep": [1, None]},
        }
    )  # fmt: skip
    assert engine.asked("start") == [run.run_id]
    assert operator.operator is not None
    assert run.started_by == operator.operator.operator_id
    assert operator.get(f"/runs/{run.run_id}").status_code == 200


@pytest.mark.usefixtures("onboard")
def test_htmx_is_sent_to_the_new_runs_page(operator: Browser, store: Store) -> None:
    form = operator.page(RUN).form(RUN)
    response = operator.submit(form, htmx=True, payload=GOOD)
    (run,) = all_runs(store)
    assert response.headers["HX-Redirect"] == f"/runs/{run.run_id}"
    assert response.status_code == 200


@pytest.mark.usefixtures("onboard")
def test_raw_json_is_used_instead_of_the_fields(operator: Browser, store: Store) -> None:
    form = operator.page(RUN).form(RUN)
    sent = {"field:/customer/name": "Form", "field:/seats": "nonsense", "payload": GOOD}
    assert operator.submit(form, **sent).status_code == 303
    assert _only_input(store)["customer"] == {"name": "Raw"}


@pytest.mark.usefixtures("anything")
def test_without_a_schema_the_json_is_open_and_prefilled(operator: Browser, store: Store) -> None:
    page = operator.page("/workflows/anything/run")
    form = page.form("/workflows/anything/run")
    assert form.fields["payload"] == "{}"
    assert "open" in next(a for a in page.all("details") if a.get("id") == "raw")
    assert operator.submit(form).status_code == 303
    assert _only_input(store) == {}


@pytest.mark.usefixtures("anything")
def test_the_second_submit_of_a_form_leads_to_the_first_run(
    operator: Browser, store: Store, engine: FakeEngine
) -> None:
    form = operator.page("/workflows/anything/run").form("/workflows/anything/run")
    first, second = operator.submit(form), operator.submit(form)
    assert first.headers["Location"] == second.headers["Location"]
    assert second.status_code == 303
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(WorkflowRun)) == 1
    assert len(engine.asked("start")) == 1


@pytest.mark.usefixtures("anything")
def test_every_rendering_has_a_token_of_its_own(operator: Browser) -> None:
    tokens = {
        operator.page("/workflows/anything/run").form("/workflows/anything/run").fields["token"]
        for _ in range(3)
    }
    assert len(tokens) == 3
