"""Every control of a run's page works: made from the page itself, TRANSITIONS and the roles.

For each status, role and state of a run, with a worker and without one, every link is followed and
every button pressed, each on a run of its own, and what it says it does has been done.
`test_every_page.py` does the same with all other pages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from flask import Flask

from engine.runs.roles import Role
from engine.runs.status import OPEN, RunStatus, may_become
from engine.store.runs import WorkflowRun
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser
from tests.integration.web.controls import Control, posts_of, press
from tests.integration.web.pressing import TYPED, Make, follow_links, look, press_buttons
from tests.integration.web.world import World

STATES: Final[dict[str, dict[str, Any]]] = {
    "as it is": {"claimed_by": "x"},
    "cancel just requested": {"claimed_by": "x", "cancel_requested_at": builders.NOW},
    "cancel overdue": {"cancel_requested_at": builders.NOW - timedelta(seconds=31)},
    "queued": {"started_at": builders.NOW - timedelta(minutes=5)},
}


@pytest.fixture(params=[False, True], ids=["no worker", "worker"])
def worker(request: pytest.FixtureRequest, living_worker: Callable[[], None]) -> bool:
    if request.param:
        living_worker()
    return bool(request.param)


def _page_of(status: RunStatus, fields: dict[str, Any], tail: str = "") -> Make:
    return lambda world: f"/runs/{world.run(status, **fields).run_id}{tail}"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("status", list(RunStatus))
def test_every_visible_control_works_and_does_what_it_says(
    app: Flask, engine: FakeEngine, sign_in: Callable[[str], Browser],
    status: RunStatus, role: Role, worker: bool,
) -> None:  # fmt: skip
    world = World(app, sign_in(role), engine, role)
    may = role is not Role.VIEWER
    for state, fields in STATES.items() if status in OPEN else [("ended", {})]:
        follow_links(world, _page_of(status, fields))
        pressed = press_buttons(world, _page_of(status, fields))
        pressed |= press_buttons(world, _page_of(status, fields, "/replay"))
        expected = {"runs.replay"} if may else set()
        if may and status is RunStatus.WAITING:
            expected |= {"waits.release", "waits.answer"}
        if may and may_become(status, RunStatus.CANCELED):
            asked = state == "cancel just requested"
            expected |= {"runs.cancel"} - ({"runs.cancel"} if asked and worker else set())
        assert pressed == expected, state


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("status", sorted(OPEN))
def test_with_no_worker_a_way_out_ends_the_run_whatever_its_state(
    app: Flask, engine: FakeEngine, operator: Browser, status: RunStatus, state: str
) -> None:
    world = World(app, operator, engine, Role.OPERATOR)
    page = look(world, address := _page_of(status, STATES[state])(world))
    assert page is not None
    (stop,) = [control for control in posts_of(page, address) if "force" in control.fields]
    assert _press(world, stop) == 303
    with world.store.reading() as session:
        assert session.get_one(WorkflowRun, world.subject.run_id).status == "CANCELED"


def _press(world: World, control: Control) -> int:
    return press(world.browser, control, reason=TYPED["reason"]).status_code
