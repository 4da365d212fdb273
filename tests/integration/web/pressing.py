"""Following every link and pressing every button of a page, and whether it did what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from engine.runs.roles import Role, allows
from engine.store.audit import AuditLog
from engine.store.bulk import BulkItem, BulkOperation, RunSelection
from engine.store.definitions import WorkflowDefinition
from engine.store.runs import WorkflowRun
from engine.store.saved_views import SavedView
from tests import builders
from tests.integration.web.browser import Page
from tests.integration.web.controls import Control, controls_of, posts_of, press
from tests.integration.web.world import PAYLOAD, World

ON_EVERY_PAGE: Final = {"auth.end"}
"""The same everywhere: pressed in a test of its own."""
TYPED: Final[dict[str, Any]] = {
    "reason": "Because it must",
    "field:/seats": "4",
    "field:/customer/name": "Harbour",
    "field:/plan": "plus",
}

FOR_ADMINS: Final = ("/reveal",)
"""How the addresses end that operators may not read either."""

Make = Callable[[World], str]
"""Makes something new to look at; the address of its page."""
Effect = Callable[[World, Control, TestResponse], bool]


def _run(world: World) -> WorkflowRun:
    found: WorkflowRun = world.row(WorkflowRun, world.subject.run_id)
    return found


def _is_canceled(world: World, control: Control, response: TestResponse) -> bool:
    run = _run(world)
    if "force" in control.fields:
        return run.status == "CANCELED"
    return run.cancel_requested_at is not None


def _is_replayed(world: World, control: Control, response: TestResponse) -> bool:
    new = world.row(WorkflowRun, _last(response))
    return bool(new.replay_of_run_id == world.subject.run_id)


def _is_revealed(world: World, control: Control, response: TestResponse) -> bool:
    done = select(AuditLog.outcome).where(
        AuditLog.operation == "workflow_run_reveal", AuditLog.record_id == world.subject.run_id
    )
    with world.store.reading() as session:
        kept = session.scalars(done).all() == ["done"]
    return kept and f'"apiKey": "{PAYLOAD["apiKey"]}"' in Page(response.text).text


def _is_started(world: World, control: Control, response: TestResponse) -> bool:
    new = world.row(WorkflowRun, _last(response))
    return bool(new.workflow_id == world.subject.workflow_id)


def _is_drafted(world: World, control: Control, response: TestResponse) -> bool:
    bulk = world.row(BulkOperation, _last(response))
    return (bulk.kind, bulk.status) == (control.fields["kind"], "DRAFT")


def _is_selected(world: World, control: Control, response: TestResponse) -> bool:
    with world.store.reading() as session:
        kept = session.scalar(select(func.count()).select_from(RunSelection))
    return bool(kept) == ("clear" not in control.fields)


def _left_out(world: World, control: Control, response: TestResponse) -> bool:
    of_bulk = select(BulkItem.state).where(BulkItem.bulk_id == world.subject)
    with world.store.reading() as session:
        return "PENDING" not in session.scalars(of_bulk).all()


def _is_saved(world: World, control: Control, response: TestResponse) -> bool:
    named = select(SavedView).where(SavedView.name == world.typed["name"])
    with world.store.reading() as session:
        return session.scalars(named).one_or_none() is not None


def _is_default(world: World, control: Control, response: TestResponse) -> bool:
    view = world.row(SavedView, control.path.split("/")[-2])
    return bool(view.is_default) == (control.fields["on"] == "1")


EFFECTS: Final[dict[str, Effect]] = {
    "bulk.draft": _is_drafted,
    "bulk.select": _is_selected,
    "bulk.start": lambda world, *_: world.row(BulkOperation, world.subject).status == "STARTED",
    "bulk.stop": _left_out,
    "definitions.pause": lambda world, *_: _workflow(world).is_paused,
    "definitions.run": _is_started,
    "definitions.unpause": lambda world, *_: not _workflow(world).is_paused,
    "runs.cancel": _is_canceled,
    "runs.replay": _is_replayed,
    "runs.reveal": _is_revealed,
    "saved_views.default": _is_default,
    "saved_views.delete": lambda world, control, _: (
        world.row(SavedView, control.path.split("/")[-2]) is None
    ),
    "saved_views.rename": _is_saved,
    "saved_views.save": _is_saved,
    "waits.answer": lambda world, *_: world.engine.updates != [],
    "waits.release": lambda world, *_: world.engine.signals != [],
}
"""What each button says it does, by the endpoint it goes to."""


def _workflow(world: World) -> WorkflowDefinition:
    found: WorkflowDefinition = world.row(WorkflowDefinition, world.subject.workflow_id)
    return found


def _last(response: TestResponse) -> str:
    return str(response.location).rsplit("/", 1)[-1]


def follow_links(world: World, make: Make) -> None:
    """And the forms that only ask; one of each kind: a list has the same for every row."""
    address = make(world)
    page = look(world, address)
    kinds: set[object] = set()
    for control in controls_of(page, address) if page else ():
        kind = (control.endpoint(world.app), *sorted(parse_qs(urlsplit(control.address).query)))
        if control.method == "post" or kind in kinds:
            continue
        kinds.add(kind)
        response = press(world.browser, control)
        assert response.status_code < 400, (address, control.address, response.status_code)


def press_buttons(world: World, make: Make) -> set[str]:
    """The endpoints of those that were pressed, one of each kind, each on something new."""
    pressed: set[str] = set()
    kinds: set[object] = set()
    page, number = look(world, address := make(world)), 0
    while page and number < len(posts := posts_of(page, address)):
        control, number = posts[number], number + 1
        endpoint = control.endpoint(world.app)
        kind = (endpoint, *sorted(control.fields), control.fields.get("kind"))
        if endpoint in ON_EVERY_PAGE or kind in kinds:
            continue
        kinds.add(kind)
        world.typed = TYPED | {"name": builders.new_id()}
        typed = {name: text for name, text in world.typed.items() if name in control.fields}
        if endpoint in {"bulk.draft", "bulk.select"}:
            typed["run"] = [world.subject.run_id]
        response = press(world.browser, control, **typed)
        assert response.status_code < 400, (address, control, response.text[:3000])
        assert EFFECTS[endpoint](world, control, response), (address, control)
        pressed.add(endpoint)
        page = look(world, address := make(world))
    return pressed


def look(world: World, address: str) -> Page | None:
    """The page; None for a file, a redirect, and what somebody of this role may not see."""
    response = world.browser.get(address)
    may = Role.ADMIN if address.endswith(FOR_ADMINS) else Role.OPERATOR
    if response.status_code == 403 and not allows(world.role, may):
        return None
    assert response.status_code < 400, (address, response.status_code)
    is_page = response.status_code == 200 and response.mimetype == "text/html"
    return Page(response.text) if is_page else None
