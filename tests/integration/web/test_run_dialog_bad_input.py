"""The Run dialog given what cannot be run: the right status, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest

from engine.services.context import Services
from engine.store.session import Store
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser, Page
from tests.integration.web.dialog import RUN, all_runs

BAD_FIELDS = [
    ({"field:/seats": "12.5"}, "/seats", "This must be a whole number."),
    ({"field:/seats": "many"}, "/seats", "This must be a whole number."),
    ({"field:/seats": "0"}, "/seats", None),
    ({"field:/seats": ""}, "/seats", "This field is required."),
    ({"field:/discount": "NaN"}, "/discount", "This must be a number."),
    ({"field:/discount": "1e999"}, "/discount", None),
    ({"field:/notify": "perhaps"}, "/notify", "Choose yes or no."),
    ({"field:/plan": "gold"}, "/plan", "This is none of the choices."),
    ({"field:/plan": ""}, "/plan", "This field is required."),
    ({"field:/ports": "80\nhttp"}, "/ports", "Line 2: This must be a whole number."),
    ({"field:/extra": "{"}, "/extra", "This is not valid JSON"),
    ({"field:/extra": "7"}, "/extra", None),
    ({"field:/customer/name": "x"}, "/customer/name", None),
    ({"field:/customer/name": ""}, "/customer/name", "This field is required."),
    ({"field:/customer/email": "a\x00b"}, "/customer/email", "U+0000"),
]


@pytest.mark.parametrize(("typed", "place", "message"), BAD_FIELDS)
@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.usefixtures("onboard")
def test_a_bad_field_is_422_with_the_message_beside_it_and_all_that_was_typed(
    operator: Browser, store: Store, typed: dict[str, str], place: str, message: str | None,
    htmx: bool,
) -> None:  # fmt: skip
    good = {"field:/customer/name": "Harbour <b>", "field:/seats": "3", "field:/devices": "a\nb"}
    sent = good | typed
    before = operator.page(RUN).form(RUN)
    response = operator.submit(before, htmx=htmx, **sent)
    assert response.status_code == 422
    assert ("<html" in response.text) is not htmx
    page = Page(response.text)
    after = page.form(RUN)
    for name, text in sent.items():
        assert after.fields[name].replace("\r\n", "\n") == text.replace("\x00", "�") or (
            "\x00" in text
        ), name
    element = next(
        a for tag in ("input", "textarea", "select") for a in page.all(tag)
        if a.get("name") == f"field:{place}"
    )  # fmt: skip
    assert element["aria-invalid"] == "true"
    said = page.by_id(element["aria-describedby"].split()[-1])
    assert said is not None
    assert said["class"] == "field-error"
    assert message is None or message in page.text
    assert after.fields["token"] != before.fields["token"]
    assert all_runs(store) == []


BAD_JSON = [
    ("{", "This is not valid JSON."),
    ("[]", "The payload must be a JSON object."),
    ("7", "The payload must be a JSON object."),
    ('{"seats": NaN}', "This is not valid JSON."),
    ('{"customer": {"name": "a", "name": "b"}}', "/customer/name"),
    ('{"customer": {"name": "\\u0000"}, "plan": "plus", "seats": 1}', "/customer/name"),
    ('{"customer": {"name": "\\ud800"}, "plan": "plus", "seats": 1}', "/customer/name"),
    ('{"customer": {"name": "ok"}, "plan": "plus", "seats": "1"}', "/seats"),
    ('{"customer": {"name": "ok"}, "plan": "plus"}', "/seats"),
    ('{"unknown": 1}', "/customer"),
    ("[" * 100 + "]" * 100, "deep"),
]


@pytest.mark.parametrize(("text", "said"), BAD_JSON)
@pytest.mark.usefixtures("onboard")
def test_bad_json_is_422_with_the_message_beside_it_and_the_text_kept(
    operator: Browser, store: Store, text: str, said: str
) -> None:
    form = operator.page(RUN).form(RUN)
    response = operator.submit(form, payload=text, **{"field:/customer/name": "kept"})
    assert response.status_code == 422
    page = Page(response.text)
    assert said in page.text
    after = page.form(RUN)
    assert after.fields["payload"] == text
    assert after.fields["field:/customer/name"] == "kept"
    area = next(a for a in page.all("textarea") if a["name"] == "payload")
    assert area["aria-invalid"] == "true"
    assert "payload-error" in area["aria-describedby"]
    assert page.by_id("payload-error") is not None
    assert "open" in next(a for a in page.all("details") if a.get("id") == "raw")
    assert all_runs(store) == []


@pytest.mark.usefixtures("anything")
def test_a_payload_that_is_too_large_is_413_and_kept(operator: Browser, store: Store) -> None:
    form = operator.page("/workflows/anything/run").form("/workflows/anything/run")
    text = '{"x": "' + "é" * (300 * 1024) + '"}'
    response = operator.submit(form, payload=text)
    assert response.status_code == 413
    page = Page(response.text)
    assert "524,288" in page.text
    assert page.form("/workflows/anything/run").fields["payload"] == text
    assert all_runs(store) == []


@pytest.mark.usefixtures("anything")
def test_a_request_that_is_not_even_read_is_413_with_what_to_do(operator: Browser) -> None:
    response = operator.post("/workflows/anything/run", {"payload": "x" * (9 * 1024 * 1024)})
    assert response.status_code == 413
    assert "shorten it" in response.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"is_paused": True}, "is paused"), ({"status": "draft"}, "is not published")],
)
def test_paused_and_unpublished_are_409_on_the_same_form(
    operator: Browser, store: Store, fields: dict[str, Any], said: str
) -> None:
    builders.published(store, "shut", **fields)
    assert said in operator.page("/workflows/shut/run").text
    response = operator.post("/workflows/shut/run", {"payload": '{"a": 1}', "token": "t"})
    assert response.status_code == 409
    page = Page(response.text)
    assert said in page.text
    assert page.form("/workflows/shut/run").fields["payload"] == '{"a": 1}'
    assert "/workflows/shut/run" not in operator.page("/workflows/shut").links()
    assert all_runs(store) == []


def test_a_definition_without_a_version_is_409(operator: Browser, store: Store) -> None:
    builders.save(store, builders.definition("bare"))
    assert operator.post("/workflows/bare/run", {"payload": "{}"}).status_code == 409


@pytest.mark.parametrize("key", ["nowhere", "%00", "x" * 500, "..", "A B", "{}"])
def test_an_unknown_workflow_is_404(operator: Browser, key: str) -> None:
    for address in (f"/workflows/{key}", f"/workflows/{key}/run"):
        assert operator.get(address).status_code == 404
    assert operator.post(f"/workflows/{key}/run", {"payload": "{}"}).status_code == 404


def test_at_the_concurrency_limit_it_is_429_with_the_form(operator: Browser, store: Store) -> None:
    of, _ = builders.published(store, "one", concurrency_limit=1)
    builders.save(store, builders.run(of))
    response = operator.post("/workflows/one/run", {"payload": '{"a": 2}'})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert Page(response.text).form("/workflows/one/run").fields["payload"] == '{"a": 2}'


@pytest.mark.usefixtures("anything")
def test_above_the_launch_rate_it_is_429(operator: Browser, services: Services) -> None:
    for _ in range(services.limits.launches_per_minute):
        assert operator.post("/workflows/anything/run", {"payload": "{}"}).status_code == 303
    assert operator.post("/workflows/anything/run", {"payload": "{}"}).status_code == 429


@pytest.mark.usefixtures("anything")
def test_while_temporal_is_down_it_is_503_with_the_form_and_the_row_says_why(
    operator: Browser, store: Store, engine: FakeEngine
) -> None:
    engine.down = True
    form = operator.page("/workflows/anything/run").form("/workflows/anything/run")
    response = operator.submit(form, payload='{"a": 3}')
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    again = Page(response.text).form("/workflows/anything/run")
    assert again.fields["payload"] == '{"a": 3}'
    assert again.fields["token"] != form.fields["token"]
    (run,) = all_runs(store)
    assert (run.status, run.error_json["stage"]) == ("FAILED", "launch")
    assert "It was not started" in operator.page(f"/runs/{run.run_id}").text
    engine.down = False
    assert operator.submit(again).status_code == 303
