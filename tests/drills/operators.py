"""Operators at their browsers, and whoever sends events: they do it again when no answer comes.

The same form, and so the same token: what had been accepted is not accepted twice. What they were
told is kept: it must be so in the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

import httpx
from sqlalchemy import select

from engine.runs.status import TERMINAL
from engine.services.context import Actor, Services
from engine.services.deliver_event import deliver_event
from engine.store.tables import WorkflowHumanTask, WorkflowRun
from tests.acceptance.visitor import Visitor, run_id_in
from tests.drills.checker import Promised
from tests.drills.documents import EVENT, STARTS, shape_of
from tests.drills.house import EMAIL, PASSWORD
from tests.drills.plan import Launch
from tests.integration.web.browser import Form

_TRIES: Final = 400
_LATER_S: Final = 0.25
_PATIENCE_S: Final = 900.0
"""A person looks at the inbox as long as it takes."""
_WAITING_HANDS: Final = 24
_SENDER: Final = Actor(source="command")


class _Dead:
    """Temporal, for a sender that dies before it could tell anybody."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def signal_runs(self, signals: Any) -> list[None]:
        return [None] * len(signals)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@dataclass
class Operators:
    url: str
    services: Services
    """Of whoever sends events, past the network that breaks."""
    accepted: dict[str, float] = field(default_factory=dict)
    """When, by run: seconds of this process's clock."""
    answers: dict[str, Any] = field(default_factory=dict)
    canceled: set[str] = field(default_factory=set)
    refused: int = 0
    """Told so: 503, and a row that says why."""
    unanswered: int = 0
    """Presses of a button that had no answer."""
    sent: int = 0
    """Events."""
    _cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    _hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_WAITING_HANDS))
    _acts: list[Future[None]] = field(default_factory=list)

    @property
    def promised(self) -> Promised:
        return Promised(frozenset(self.accepted), dict(self.answers), frozenset(self.canceled))

    def sign_in(self) -> None:
        """Once: a session is a row, and outlives every process."""
        with Visitor(self.url) as visitor:
            visitor.sign_in(EMAIL, PASSWORD)
            self._cookies.update(visitor.client.cookies)

    def launch(self, launch: Launch) -> None:
        """Until it is accepted. What its operator does then is done by other hands."""
        address = f"/workflows/{launch.key}/run"
        answer = self._pressed(address, address, payload="{}")
        assert answer is not None, f"{launch} was never accepted"
        run_id = run_id_in(answer.headers["location"])
        self.accepted[run_id] = time.monotonic()
        for act in self._acts_on(launch):
            self._acts.append(self._hands.submit(act, run_id, launch))

    def finish(self) -> None:
        """Everything that they had begun; raises what went wrong in it."""
        for act in self._acts:
            act.result()
        self._hands.shutdown()

    def _acts_on(self, launch: Launch) -> list[Callable[[str, Launch], None]]:
        told = shape_of(launch.key).told
        acts: list[Callable[[str, Launch], None]] = []
        if told in {"event", "late event"}:
            acts.append(self._send)
        elif told == "answer":
            acts.append(self._answer)
        if launch.cancel_after_s is not None and told != "bulk":
            acts.append(self._cancel)
        return acts

    # Acts

    def _send(self, run_id: str, launch: Launch) -> None:
        """One for each wait; nobody sends an event twice under one id and finds two."""
        for _ in range(2):
            time.sleep(launch.delay_s)
            event_id = str(uuid4())
            for _ in range(2 if launch.sends_twice else 1):
                self._send_one(EVENT, run_id, event_id, untold=launch.untold)
        if launch.untold:
            self._send_one(STARTS, run_id, str(uuid4()), untold=False)

    def _send_one(self, name: str, key: str, event_id: str, *, untold: bool) -> None:
        services = self.services
        if untold:
            dead: Any = _Dead(services.gateway)
            services = replace(services, gateway=dead)
        for _ in range(_TRIES):
            try:
                deliver_event(services, name, key, {"key": key}, event_id=event_id, actor=_SENDER)
            except Exception:  # PostgreSQL is away: whoever sends tries again
                time.sleep(_LATER_S)
            else:
                self.sent += 1
                return
        raise AssertionError(f"the event {event_id} was never taken")

    def _answer(self, run_id: str, launch: Launch) -> None:
        task_id = self._open_task(run_id)
        if task_id is None:
            return
        address = f"/waits/{task_id}/answer"
        given = {"ok": launch.sends_twice}
        answer = self._pressed(
            address, address, **{"field:/ok": "true" if given["ok"] else "false"}
        )
        if answer is not None and run_id in answer.headers.get("location", ""):
            self.answers[task_id] = given

    def _open_task(self, run_id: str) -> str | None:
        """None: the run ended before there was one."""
        until = time.monotonic() + _PATIENCE_S
        task = select(WorkflowHumanTask.task_id).filter_by(run_id=run_id)
        run = select(WorkflowRun.status).filter_by(run_id=run_id)
        while time.monotonic() < until:
            try:
                with self.services.store.reading() as session:
                    found, status = session.scalar(task), session.scalar(run)
            except Exception:  # PostgreSQL is away
                found = status = None
            if found is not None or status in TERMINAL:
                return found
            time.sleep(_LATER_S)
        return None

    def _cancel(self, run_id: str, launch: Launch) -> None:
        time.sleep(launch.cancel_after_s or 0)
        page, action = f"/runs/{run_id}", f"/runs/{run_id}/cancel"
        if self._pressed(page, action, reason="a drill") is not None:
            self.canceled.add(run_id)

    # Pressing a button

    def _pressed(self, page: str, action: str, **typed: Any) -> httpx.Response | None:
        """The answer that says that it is done (303). None: it cannot be any more."""
        form: Form | None = None
        with Visitor(self.url) as visitor:
            visitor.client.cookies.update(self._cookies)
            for _ in range(_TRIES):
                try:
                    if form is None:
                        form = next(
                            (one for one in visitor.page(page).forms if one.action == action), None
                        )
                        if form is None:
                            return None
                    answer = visitor.submit(form, **typed)
                except (httpx.TransportError, AssertionError):  # of `page`: no 200
                    self.unanswered += 1
                    time.sleep(_LATER_S)
                    continue
                if answer.status_code == 303 and "/runs/" in answer.headers["location"]:
                    return answer
                if answer.status_code in {404, 409}:
                    return None
                assert answer.status_code != 422, (action, answer.text)
                if answer.status_code == 503:
                    # Refused, and its row says so: a form with a new token.
                    self.refused += 1
                    form = None
                time.sleep(_LATER_S)
        raise AssertionError(f"nothing came of {action}")
