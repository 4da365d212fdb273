"""What http.request sends and gives: input and output, and the bodies in between."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Final

import httpx
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engine.contract import Json
from engine.errors import Invalid
from engine.interpreter.transforms.coerced import text_of
from engine.interpreter.transforms.fields import Fields, Result
from engine.runs import strict_json

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""May be sent again without the author's consent (docs/authoring.md)."""
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE_FAULT: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


def _method(value: object) -> object:
    if isinstance(value, str) and value.upper() in METHODS:
        return value.upper()
    raise PydanticCustomError("method", f"Input should be one of {', '.join(METHODS)}")


def _url(value: str) -> str:
    """Never repeats the URL: it may hold a secret."""
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, ValueError):
        raise PydanticCustomError("url", "Input should be a URL") from None
    if url.scheme not in {"http", "https"} or not url.host or "%" in url.host:
        raise PydanticCustomError("url", "Input should be a URL with http:// or https:// and host")
    if url.port is not None and not 0 < url.port < 65_536:
        raise PydanticCustomError("url", "Input should be a URL with a port up to 65535")
    return value


def _scalar(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    raise PydanticCustomError("scalar", "Input should be text, a number, true, false or null")


Scalar = Annotated[Any, BeforeValidator(_scalar)]
"""Null: as if it were not given."""


def _headers(headers: dict[str, Any]) -> dict[str, str]:
    plain = {name: text_of(value) for name, value in headers.items() if value is not None}
    for name, value in plain.items():
        if not _HEADER_NAME.fullmatch(name):
            raise PydanticCustomError("header", "A header's name has a sign that is not allowed")
        if name.lower() in _OURS:
            raise PydanticCustomError("header", f"The header {name} cannot be set")
        if _HEADER_VALUE_FAULT.search(value):
            raise PydanticCustomError(
                "header", f"The value of header {name} has a sign that is not allowed"
            )
    return plain


class HttpInput(Fields):
    method: Annotated[str, BeforeValidator(_method)]
    url: Annotated[str, AfterValidator(_url), Field(max_length=16_384)]
    headers: Annotated[dict[str, Scalar], AfterValidator(_headers)] = Field(default_factory=dict)
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """Added to the query that the URL has; a list gives its name several times."""
    body: Any = None
    """Text is sent as it is, anything else as JSON; null: no body."""

    @property
    def full_url(self) -> httpx.URL:
        url = httpx.URL(self.url)
        pairs = list(url.params.multi_items())
        for name, value in self.query.items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, text_of(each)) for each in values if each is not None]
        return url.copy_with(params=pairs) if self.query else url


class HttpOutput(Result):
    status: int
    headers: dict[str, str]
    """Names in lower case; a header that comes several times is joined by commas."""
    body: Any
    """Parsed when it says JSON, else text; null when there is none."""


def content(input: HttpInput) -> tuple[bytes | None, str | None]:
    """The body's bytes and the media type that they have when the author names none."""
    if input.body is None:
        return None, None
    if isinstance(input.body, str):
        return input.body.encode("utf-8"), "text/plain; charset=utf-8"
    text = json.dumps(input.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8"), "application/json"


def says_json(headers: httpx.Headers) -> bool:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and "+json" in media)


def read_body(data: bytes, headers: httpx.Headers) -> Json:
    """The answer's body. What says JSON and is none, or none that can be kept, stays text."""
    if not data:
        return None
    if says_json(headers):
        try:
            return strict_json.parse(data)
        except Invalid:
            pass
    return _text(data, headers)


def cut(body: Json, most: int) -> Json:
    """`body`, or the first `most` bytes of its text."""
    text = body if isinstance(body, str) else strict_json.canonical(body)
    data = text.encode("utf-8")
    return body if len(data) <= most else data[:most].decode("utf-8", "ignore")


def _text(data: bytes, headers: httpx.Headers) -> str:
    charset = httpx.Response(200, headers=headers).charset_encoding or "utf-8"
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        text = data.decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
