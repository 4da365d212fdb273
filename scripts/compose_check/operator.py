"""An operator at the web's pages, without a browser: signs in, starts a run, looks how it ended."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any

TIMEOUT_S = 15
TERMINAL = {"SUCCEEDED", "FAILED", "CANCELED"}


class NotAsPromised(Exception):
    """The product did not do what it promises; the message says what it did."""


@dataclass
class Forms(HTMLParser):
    """The fields of each form of a page, as a browser would send them, by the form's action."""

    found: dict[str, dict[str, str]] = field(default_factory=dict)
    _fields: dict[str, str] | None = None
    _text: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.found.setdefault(given.get("action", ""), {})
        if self._fields is None or "name" not in given:
            return
        if tag == "input" and given.get("type") not in {"checkbox", "radio", "submit"}:
            self._fields[given["name"]] = given.get("value", "")
        if tag == "textarea":
            self._text = given["name"]
            self._fields[self._text] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        if tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._fields is not None and self._text is not None:
            self._fields[self._text] += data


class Operator:
    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # the stack is on this machine
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )

    def sign_in(self, email: str, password: str) -> None:
        page, _ = self._submit("/sign-in", "/sign-in", email=email, password=password)
        if page.endswith("/sign-in"):
            raise NotAsPromised("the first operator could not sign in")

    def start(self, key: str, payload: dict[str, Any]) -> str:
        """By the run dialog; the run's id."""
        address = f"/workflows/{key}/run"
        page, text = self._submit(address, address, payload=json.dumps(payload))
        run_id = page.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
        if "/runs/" not in page:
            raise NotAsPromised(f"the run was not started: {page} answered {text[:300]!r}")
        return run_id

    def outcome(self, run_id: str, within_s: float) -> str:
        """The status that the run ends with. While the web is away it is asked again."""
        until = time.monotonic() + within_s
        status = "unknown"
        while time.monotonic() < until:
            try:
                status = json.loads(self._get(f"/runs/{run_id}/export")[1])["run"]["status"]
            except (OSError, ValueError) as error:
                status = f"unknown ({error})"
            if status in TERMINAL:
                return status
            time.sleep(0.5)
        raise NotAsPromised(f"run {run_id} is {status} after {within_s:.0f} s")

    def _submit(self, address: str, action: str, **typed: str) -> tuple[str, str]:
        forms = Forms()
        forms.feed(self._get(address)[1])
        if action not in forms.found:
            raise NotAsPromised(f"{address} has no form for {action}")
        data = urllib.parse.urlencode(forms.found[action] | typed).encode()
        return self._open(urllib.request.Request(self._url + action, data))

    def _get(self, address: str) -> tuple[str, str]:
        return self._open(urllib.request.Request(self._url + address))

    def _open(self, request: urllib.request.Request) -> tuple[str, str]:
        """The address that it ended at, and what is there."""
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            return answer.geturl(), answer.read().decode()
