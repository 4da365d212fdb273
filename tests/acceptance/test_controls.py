"""PRD: Retry/Resume/Requeue are gone; Replay, Cancel, Export remain and work on Temporal runs."""

from __future__ import annotations

import re

import pytest

from app import create_app
from engine.settings import Settings
from tests.acceptance.visitor import Visitor

GONE = re.compile(r"\b(retry|resume|requeue)\b", re.IGNORECASE)
pytestmark = pytest.mark.temporal


@pytest.mark.parametrize("name", ["retry", "resume", "requeue"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_their_addresses_are_not_found(
    visitor: Visitor, hello: str, name: str, method: str
) -> None:
    run_id = visitor.run_now(hello)
    token = visitor.page(f"/runs/{run_id}/replay").form(f"/runs/{run_id}/replay").fields
    data = {"csrf_token": token["csrf_token"], "reason": "x"} if method == "POST" else None
    answer = visitor.client.request(method, f"/runs/{run_id}/{name}", data=data)
    assert answer.status_code == 404


def test_no_address_and_no_command_has_their_names(tmp_path: object) -> None:
    app = create_app(Settings(data_dir=tmp_path, secret_key="x"))  # type: ignore[arg-type]
    rules = [f"{rule.rule} {rule.endpoint}" for rule in app.url_map.iter_rules()]
    assert [rule for rule in rules if GONE.search(rule.replace("_", " "))] == []
    commands = [name for group in app.cli.commands.values() for name in names(group)]
    assert [name for name in commands if GONE.search(name)] == []
    assert "cancel" in commands


def names(command: object) -> list[str]:
    subcommands = getattr(command, "commands", {})
    return [str(getattr(command, "name", "")), *subcommands]


def test_no_page_of_a_run_offers_them(visitor: Visitor, hello: str, pausing: str) -> None:
    ended, waiting = visitor.run_now(hello), visitor.run_now(pausing)
    visitor.wait_for_end(ended)
    for run_id in [ended, waiting]:
        page = visitor.page(f"/runs/{run_id}")
        controls = [form.action for form in page.forms] + page.links()
        assert [control for control in controls if GONE.search(control)] == []
        assert not GONE.search(page.text)
    visitor.cancel(waiting)


def test_cancel_works(visitor: Visitor, pausing: str) -> None:
    run_id = visitor.run_now(pausing)
    answer = visitor.cancel(run_id)
    assert answer.status_code == 303
    assert visitor.wait_for_end(run_id) == "CANCELED"


def test_replay_works(visitor: Visitor, hello: str) -> None:
    first = visitor.run_now(hello)
    visitor.wait_for_end(first)
    second = visitor.replay(first)
    assert second != first
    assert visitor.wait_for_end(second) == "SUCCEEDED"


def test_export_works(visitor: Visitor, hello: str) -> None:
    run_id = visitor.run_now(hello)
    visitor.wait_for_end(run_id)
    answer = visitor.client.get(f"/runs/{run_id}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["run"]["status"] == "SUCCEEDED"
