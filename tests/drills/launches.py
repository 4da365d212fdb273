"""An operator who launches by the run dialog, and presses Run again when no answer came.

The same form, and so the same token: what had been accepted is not accepted twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

import httpx

from tests.acceptance.visitor import Visitor, run_id_in
from tests.drills.documents import SHAPES, Shape
from tests.drills.house import EMAIL, PASSWORD
from tests.integration.web.browser import Form

_TRIES: Final = 400
_LATER_S: Final = 0.25


@dataclass
class Launches:
    url: str
    accepted: dict[str, Shape] = field(default_factory=dict)
    """By the run's id."""
    tags: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    """Told so: 503, and a row that says why."""
    unanswered: int = 0
    """Presses of the button that had no answer."""
    _cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def sign_in(self) -> None:
        """Once: a session is a row, and outlives every process."""
        with Visitor(self.url) as visitor:
            visitor.sign_in(EMAIL, PASSWORD)
            self._cookies.update(visitor.client.cookies)

    def launch(self, number: int) -> None:
        shape, tag = SHAPES[number % len(SHAPES)], f"run-{number}"
        form: Form | None = None
        address = f"/workflows/{shape.key}/run"
        with Visitor(self.url) as visitor:
            visitor.client.cookies.update(self._cookies)
            for _ in range(_TRIES):
                try:
                    form = form or visitor.page(address).form(address)
                    answer = visitor.submit(form, payload=f'{{"tag": "{tag}"}}')
                except (httpx.TransportError, AssertionError):
                    self.unanswered += 1
                    time.sleep(_LATER_S)
                    continue
                if answer.status_code == 303 and "/runs/" in answer.headers["location"]:
                    run_id = run_id_in(answer.headers["location"])
                    self.accepted[run_id], self.tags[run_id] = shape, tag
                    return
                if answer.status_code == 503:
                    # Refused, and its row says so: a form with a new token, a tag of its own.
                    self.refused += 1
                    tag = f"{tag}-again"
                    form = None
                time.sleep(_LATER_S)
        raise AssertionError(f"{tag} was never accepted")
