"""What http.request takes, and how it reads an answer. No socket: see the integration tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from engine.actions.action import Action
from engine.actions.addresses import AddressPolicy
from engine.actions.http_message import HttpInput, content, cut, read_body
from engine.actions.http_request import http_request, retry_after_ms
from engine.errors import Category, StepFailed

NOON = datetime(2026, 6, 9, 12, tzinfo=UTC)
URL = "https://a.example/x?q=1"


@pytest.fixture
def action() -> Action:
    return http_request(AddressPolicy())


def read(**fields: Any) -> HttpInput:
    return HttpInput.model_validate({"method": "GET", "url": URL, **fields})


@pytest.mark.parametrize(
    ("method", "repeatable"),
    [("GET", True), ("head", True), ("PUT", True), ("delete", True), ("POST", False),
     ("patch", False), ("OPTIONS", False)],
)  # fmt: skip
def test_the_method_decides_whether_a_call_may_be_repeated(
    action: Action, method: str, repeatable: bool
) -> None:
    assert action.may_repeat(action.read({"method": method, "url": URL})) is repeatable


def test_http_request_is_never_local(action: Action) -> None:
    assert not action.spec.local
    assert not action.spec.repeatable


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"method": "TRACE"}, "/method"),
        ({"method": 5}, "/method"),
        ({"url": "/path"}, "/url"),
        ({"url": "ftp://a.example"}, "/url"),
        ({"url": "http://"}, "/url"),
        ({"url": "http://[bad"}, "/url"),
        ({"url": "http://a:99999/"}, "/url"),
        ({"url": "file:///etc/passwd"}, "/url"),
        ({"headers": {"a b": "x"}}, "/headers"),
        ({"headers": {"a": "x\r\nb: y"}}, "/headers"),
        ({"headers": {"Host": "b.example"}}, "/headers"),
        ({"headers": {"Content-Length": "5"}}, "/headers"),
        ({"headers": {"a": {"b": 1}}}, "/headers/a"),
        ({"query": {"a": {"b": 1}}}, "/query/a"),
        ({"timeout": 5}, "/timeout"),
    ],
    ids=str,
)
def test_a_wrong_input_is_a_validation_error_with_its_place(
    action: Action, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(StepFailed) as failed:
        action.read({"method": "GET", "url": URL, **fields})
    assert failed.value.category is Category.VALIDATION
    places = [problem["pointer"] for problem in failed.value.details["problems"]]
    assert any(place.startswith(pointer) for place in places)


def test_a_wrong_url_is_not_repeated_in_the_error(action: Action) -> None:
    with pytest.raises(StepFailed) as failed:
        action.read({"method": "GET", "url": "ftp://user:hunter2@a.example"})
    assert "hunter2" not in str(failed.value.as_data())


def test_the_query_is_added_to_the_urls_own() -> None:
    given = read(query={"b": [1, 2.0], "c": True, "d": None, "e": "ü&="})
    assert str(given.full_url) == "https://a.example/x?q=1&b=1&b=2&c=true&e=%C3%BC%26%3D"
    assert str(read().full_url) == URL


def test_header_values_are_texts_and_null_is_none() -> None:
    assert read(headers={"a": 1, "b": None, "c": True}).headers == {"a": "1", "c": "true"}


@pytest.mark.parametrize(
    ("body", "sent", "media"),
    [
        (None, None, None),
        ("täxt", "täxt".encode(), "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
        ({"b": 1, "a": ["ü", None]}, '{"b":1,"a":["ü",null]}'.encode(), "application/json"),
        ([], b"[]", "application/json"),
        (0, b"0", "application/json"),
        (False, b"false", "application/json"),
    ],
)
def test_text_is_sent_as_it_is_and_all_else_as_json(body: Any, sent: Any, media: Any) -> None:
    assert content(read(body=body)) == (sent, media)


@pytest.mark.parametrize(
    ("data", "media", "body"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "Application/Problem+JSON; charset=utf-8", {"a": 1}),
        (b'{"a": 1}', "text/plain", '{"a": 1}'),
        (b'{"a": 1}', None, '{"a": 1}'),
        (b"{", "application/json", "{"),
        (b"[NaN]", "application/json", "[NaN]"),
        (b'{"a":1,"a":2}', "application/json", '{"a":1,"a":2}'),
        (b"", "application/json", None),
        (b"", None, None),
        ("ü".encode("latin-1"), "text/plain; charset=iso-8859-1", "ü"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"a\x00b", "application/octet-stream", "a\ufffdb"),
        (b"a", "text/plain; charset=nonsense", "a"),
    ],
)
def test_an_answers_body_is_parsed_when_it_says_json(data: bytes, media: Any, body: Any) -> None:
    assert read_body(data, httpx.Headers({"content-type": media} if media else {})) == body


def test_a_body_in_details_is_cut_at_whole_characters() -> None:
    assert cut({"a": 1}, 4096) == {"a": 1}
    assert cut("ü" * 3000, 4096) == "ü" * 2048
    assert cut("x" * 4096, 4096) == "x" * 4096
    assert cut({"a": "y" * 5000}, 10) == '{"a":"yyyy'
    assert cut("🙂" * 2, 6) == "🙂"


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120_000),
        ("99999999999999", 86_400_000),
        ("Tue, 09 Jun 2026 12:00:30 GMT", 30_000),
        ("Tue, 09 Jun 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, after: int | None) -> None:
    assert retry_after_ms(value, NOON) == after
