"""`http.request`: one request, its redirects, and what its answer means (docs/authoring.md)."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final

import httpcore
import httpx

from engine.actions.action import Action, ActionContext, AnswerLost, Interrupted
from engine.actions.addresses import AddressPolicy
from engine.actions.http_connection import (
    CONNECT_TIMEOUT_S,
    Ended,
    JudgedTransport,
    Lifeline,
    NoConnection,
)
from engine.actions.http_message import (
    REPEATABLE,
    HttpInput,
    HttpOutput,
    content,
    cut,
    read_body,
)
from engine.contract import Json
from engine.errors import Category, StepFailed

ANSWER_MAX_BYTES: Final = 4 * 1024 * 1024
DETAILS_MAX_BYTES: Final = 4 * 1024
MAX_REDIRECTS: Final = 5
_TRANSIENT: Final = frozenset({408, 425, 429})
_RETRY_AFTER_MAX_MS: Final = 24 * 3_600_000


class HttpRequest:
    """The action's `run`, with the installation's address policy."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def __call__(self, input: HttpInput, context: ActionContext) -> HttpOutput:
        context.raise_if_cancelled()
        with Lifeline(context.cancelled, context.timeout_s) as lifeline:
            transport = JudgedTransport(self._policy, lifeline, self._tls)
            timeout = httpx.Timeout(
                lifeline.left_s, connect=min(CONNECT_TIMEOUT_S, lifeline.left_s)
            )
            with httpx.Client(transport=transport, timeout=timeout, trust_env=False) as client:
                try:
                    return _exchange(client, _request(client, input, context), context)
                except Exception as error:
                    failure = _failure(error, lifeline, input, context)
                    if failure is error:
                        raise
                    raise failure from error


def http_request(policy: AddressPolicy) -> Action:
    return Action(
        id="http.request",
        version=1,
        Input=HttpInput,
        Output=HttpOutput,
        run=HttpRequest(policy),
        summary="Send an HTTP request.",
        repeatable=_may_repeat,
    )


def _may_repeat(input: HttpInput) -> bool:
    return input.method in REPEATABLE


def _request(client: httpx.Client, input: HttpInput, context: ActionContext) -> httpx.Request:
    body, media_type = content(input)
    ours = {
        "Accept-Encoding": "identity",
        "User-Agent": "Run-Studio/1",
        "Idempotency-Key": _as_header(context.idempotency_key),
    }
    if media_type is not None:
        ours["Content-Type"] = media_type
    given = {name.lower() for name in input.headers}
    headers = {name: value for name, value in ours.items() if name.lower() not in given}
    raw = [
        (name.encode("ascii"), value.encode("utf-8"))
        for name, value in (headers | input.headers).items()
    ]
    return client.build_request(input.method, input.full_url, headers=raw, content=body)


def _as_header(key: str) -> str:
    """An author's key may hold anything; a header may not."""
    if key.isascii() and key.isprintable() and len(key) <= 255:
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _exchange(client: httpx.Client, request: httpx.Request, context: ActionContext) -> HttpOutput:
    response = client.send(request, stream=True)
    for _ in range(MAX_REDIRECTS):
        following = response.next_request
        if following is None:
            return _output(response, context)
        _refuse_other_host(request.url, following.url, response.status_code)
        response.close()
        context.raise_if_cancelled()
        response = client.send(following, stream=True)
    if response.next_request is None:
        return _output(response, context)
    raise StepFailed(
        Category.ACTION,
        f"The answer redirects more than {MAX_REDIRECTS} times.",
        code="TOO_MANY_REDIRECTS",
        details={"status": response.status_code},
    )


def _refuse_other_host(asked: httpx.URL, to: httpx.URL, status: int) -> None:
    same = (asked.scheme, asked.host, asked.port) == (to.scheme, to.host, to.port)
    safer = (asked.scheme, to.scheme) == ("http", "https") and (
        (asked.host, asked.port, to.port) == (to.host, None, None)
    )
    if same or safer:
        return
    raise StepFailed(
        Category.ACTION,
        f"{asked.host} redirects to another host, {to.host}: redirects go to the same host only.",
        code="REDIRECT_REFUSED",
        details={"status": status, "host": to.host},
    )


def _output(response: httpx.Response, context: ActionContext) -> HttpOutput:
    body = read_body(_data(response), response.headers)
    status = response.status_code
    if status >= 400:
        raise _status_failure(status, body, response.headers, context.now)
    return HttpOutput(status=status, headers=dict(response.headers), body=body)


def _data(response: httpx.Response) -> bytes:
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > ANSWER_MAX_BYTES:
            if response.status_code >= 400:
                break
            raise StepFailed(
                Category.ACTION,
                f"The answer is too large: at most {ANSWER_MAX_BYTES} bytes.",
                code="ANSWER_TOO_LARGE",
                details={"status": response.status_code, "max": ANSWER_MAX_BYTES},
            )
    return bytes(data)


def _status_failure(status: int, body: Json, headers: httpx.Headers, now: datetime) -> StepFailed:
    transient = status >= 500 or status in _TRANSIENT
    details: dict[str, Any] = {"status": status, "body": cut(body, DETAILS_MAX_BYTES)}
    after = retry_after_ms(headers.get("retry-after"), now)
    if transient and after is not None:
        details["retryAfterMs"] = after
    return StepFailed(
        Category.TRANSIENT if transient else Category.ACTION,
        f"The answer has status {status}.",
        code=f"HTTP_{status}",
        details=details,
    )


def retry_after_ms(value: str | None, now: datetime) -> int | None:
    """`Retry-After`, in seconds or as a date (RFC 9110, 10.2.3); at most a day."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * 1000, _RETRY_AFTER_MAX_MS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(0, round((at - now).total_seconds() * 1000)), _RETRY_AFTER_MAX_MS)


def _failure(
    error: Exception, lifeline: Lifeline, input: HttpInput, context: ActionContext
) -> Exception:
    """What the author sees of a request that got no answer. Never holds the URL."""
    if lifeline.ended is Ended.CANCELLED or context.cancelled():
        if lifeline.connected and not _may_repeat(input):
            return Interrupted("the request may have been received")
        return StepFailed(Category.CANCELLATION, "The request was given up: the run is cancelled.")
    if isinstance(error, StepFailed):
        return error
    if lifeline.ended is Ended.TIMED_OUT or isinstance(error, httpcore.TimeoutException):
        return StepFailed(
            Category.TIMEOUT, f"There was no answer within {context.timeout_s:g} s.", code="TIMEOUT"
        )
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return StepFailed(
            Category.ACTION,
            f"The server's certificate is not accepted: {error.__cause__.verify_message}.",
            code="TLS_REFUSED",
        )
    if isinstance(error, httpcore.ConnectError):
        return NoConnection(f"No connection: {error}.")
    if isinstance(error, httpcore.NetworkError | httpcore.RemoteProtocolError):
        return AnswerLost("The connection broke before the answer was whole.")
    if isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpcore.LocalProtocolError):
        return StepFailed(
            Category.ACTION, f"It is no HTTP: {type(error).__name__}.", code="NOT_HTTP"
        )
    return error
