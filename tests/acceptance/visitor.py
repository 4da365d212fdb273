"""A person at a browser without JavaScript: reads pages and fills in their forms."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

import httpx

from tests.integration.web.browser import Form, Page

TERMINAL = {"SUCCEEDED", "FAILED", "CANCELED"}


class Visitor:
    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        self.sent: dict[str, list[str]] = {}
        """The fields of the last form that was sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()

    def page(self, address: str) -> Page:
        answer = self.client.get(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.text)
        return Page(answer.text)

    def submit(self, form: Form, *, htmx: bool = False, **typed: str) -> httpx.Response:
        """The form as it stands, with what was typed; a redirection is not followed."""
        headers = {"HX-Request": "true"} if htmx else {}
        answer = self.client.post(form.action, data=form.fields | typed, headers=headers)
        self.sent = parse_qs(answer.request.content.decode(), keep_blank_values=True)
        return answer

    def sign_in(self, email: str, password: str) -> None:
        form = self.page("/sign-in").form("/sign-in")
        answer = self.submit(form, email=email, password=password)
        assert answer.status_code == 303, answer.text

    def run_now(self, key: str, payload: str = "{}") -> str:
        """By the run dialog; the run's id."""
        address = f"/workflows/{key}/run"
        answer = self.submit(self.page(address).form(address), payload=payload)
        assert answer.status_code == 303, answer.text
        return run_id_in(answer.headers["location"])

    def replay(self, run_id: str, reason: str = "again") -> str:
        address = f"/runs/{run_id}/replay"
        answer = self.submit(self.page(address).form(address), reason=reason)
        assert answer.status_code == 303, answer.text
        return run_id_in(answer.headers["location"])

    def cancel(self, run_id: str, reason: str = "enough") -> httpx.Response:
        form = self.page(f"/runs/{run_id}").form(f"/runs/{run_id}/cancel")
        return self.submit(form, reason=reason)

    def wait_for_end(self, run_id: str, within_s: float = 60) -> str:
        until = time.monotonic() + within_s
        while (status := self.status(run_id)) not in TERMINAL:
            assert time.monotonic() < until, f"{run_id} is {status} after {within_s} s"
            time.sleep(0.1)
        return status

    def status(self, run_id: str) -> str:
        return str(self.export(run_id)["run"]["status"])

    def export(self, run_id: str) -> dict[str, dict[str, object]]:
        answer = self.client.get(f"/runs/{run_id}/export")
        assert answer.status_code == 200, answer.text
        found: dict[str, dict[str, object]] = answer.json()
        return found


def run_id_in(location: str) -> str:
    return location.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
