"""What a rule masks is in no answer, fragment, form, file, command's output or line of a log.

A real run copies canaries from every masked place to wherever a run keeps something; then every
address is read by every role, and what the product printed meanwhile is looked through.
"""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import logging as standard_logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import inspect, select, text
from werkzeug.test import TestResponse

from engine import logging
from engine.runs.roles import Role
from engine.store.audit import AuditLog
from tests.integration.actions.servers import HttpServer
from tests.integration.commands.conftest import CommandLine
from tests.integration.privacy import leaky
from tests.integration.privacy.crawl import Crawl
from tests.integration.privacy.leaky import CANARY
from tests.integration.privacy.lives import Lives, live
from tests.integration.web.browser import Page

pytestmark = pytest.mark.temporal

LEAD_ELSEWHERE = {"auth.home", "auth.sign_in", "runs.jump"}
"""Routes that only redirect somebody who has signed in."""

MOST = {Role.VIEWER: 4, Role.OPERATOR: 6, Role.ADMIN: 20}
"""Addresses of one route that are read: an admin sees whatever the others see."""
RUNS = ("failed", "waiting")

_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{12,}")


def found(data: bytes) -> str | None:
    """Where a canary is, in any case of its letters and in base64 too; None: nowhere."""
    for plain in (data, *_decoded(data)):
        at = plain.upper().find(CANARY.encode())
        if at >= 0:
            return plain[max(0, at - 120) : at + 80].decode(errors="replace")
    return None


def _decoded(data: bytes) -> Iterator[bytes]:
    for token in _ENCODED.findall(data):
        standard = token.translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield base64.b64decode(standard[: len(standard) // 4 * 4])
        except binascii.Error:
            continue


@pytest.fixture(scope="module")
def lives(house: CommandLine, world: HttpServer) -> Iterator[Lives]:
    web_log = io.StringIO()
    root = standard_logging.getLogger()
    handlers, level = list(root.handlers), root.level
    logging.configure("DEBUG", patterns=[leaky.PATTERNS], stream=web_log)
    made = Lives(house, web_log)
    live(made, world.url)
    yield made
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_the_canaries_are_where_they_are_to_be_hidden(lives: Lives) -> None:
    """Else there would be nothing to find."""
    with lives.store.reading() as session:
        tables = inspect(session.get_bind()).get_table_names()
        held = json.dumps(
            [
                [str(row) for row in session.execute(text(f'SELECT * FROM "{name}"'))]
                for name in tables
            ]
        )
    for value in (leaky.PASSWORD, leaky.PIN_CODE, leaky.SEALED, leaky.TAX, leaky.NOTE, leaky.NESTED,
                  leaky.NUMBER, leaky.IBAN, leaky.TOKEN, leaky.ANSWER, leaky.EVENT,
                  leaky.HIRED):  # fmt: skip
        assert value in held, value
    assert leaky.SECRET not in held


@pytest.mark.parametrize("role", list(Role))
def test_no_address_shows_a_canary_to_any_role(lives: Lives, role: Role) -> None:
    browser, leaks = lives.browsers[role], dict[str, str]()
    crawl = Crawl(lives.house.app, lives.route_values(), MOST[role])
    shown: set[str] = set()
    for address, fragment in crawl:
        response = browser.get(address, htmx=fragment)
        assert response.status_code < 500, (address, response.text)
        leaks |= _leaks(address, response)
        if response.status_code == 200:
            shown.add(crawl.endpoint(address) or "")
            if response.mimetype == "text/html":
                crawl.follow(address, response.text)
    assert leaks == {}, "\n".join(f"{where}  at {place}" for where, place in leaks.items())
    missing = crawl.endpoints - shown - LEAD_ELSEWHERE
    if role is Role.ADMIN:
        assert missing == set()


def test_no_answer_to_a_form_shows_one(lives: Lives) -> None:
    """An error says what is wrong with what was typed, and never by what is hidden."""
    operator, failed, open_run = lives.browsers[Role.OPERATOR], *map(lives.runs.get, RUNS)
    replay, task = f"/runs/{failed}/replay", lives.task("waiting")
    shown = operator.page(f"{replay}?edit=1").form(replay, reason="").fields
    payload = json.loads(shown["payload"])

    def edited(change: Any, **more: str) -> dict[str, str]:
        return shown | {"reason": "again", "payload": json.dumps(change)} | more

    sent: list[tuple[str, dict[str, str], int, str]] = [
        (replay, {"reason": ""}, 422, "reason"),
        (replay, shown | {"reason": "again", "payload": "{"}, 422, "not valid JSON"),
        (replay, edited(payload | {"name": 5}), 422, "name"),
        (replay, edited(payload | {"name": "[REDACTED]"}), 422, "name"),
        (replay, edited(payload | {"records": ["[REDACTED]"]}), 422, "records"),
        (replay, edited({"name": "x"}), 422, "password"),
        (replay, edited(payload, version="2"), 422, "password"),
        (replay, edited(payload | {"name": "y"}, shown="0" * 64), 409, "has changed since"),
        (f"/runs/{failed}/cancel", {"reason": "too late"}, 409, "has ended"),
        (f"/runs/{open_run}/cancel", {"reason": ""}, 422, "reason"),
        (f"/waits/{task}/answer", {"secretAnswer": "x"}, 422, "secretAnswer"),
        (f"/waits/{task}/answer", {"secretAnswer": "longer", "count": "none"}, 422, "count"),
        ("/workflows/leaky/run", {"payload": "{}"}, 422, "password"),
    ]
    for address, fields, status, says in sent:
        for htmx in (False, True):
            response = operator.post(address, fields, htmx=htmx)
            assert (response.status_code, says in response.text) == (status, True), (
                says,
                Page(response.text).text,
            )
            assert _leaks(address, response) == {}, fields


def test_the_one_answer_that_shows_them_is_audited_before(lives: Lives) -> None:
    """An admin's reveal; whoever else tries gets none. The pages after it have none again."""
    address = f"/runs/{lives.runs['failed']}/reveal"
    for role in (Role.VIEWER, Role.OPERATOR):
        refused = lives.browsers[role].post(address, {"reason": "because"})
        assert refused.status_code == 403
        assert _leaks(address, refused) == {}
    admin = lives.browsers[Role.ADMIN]
    assert _leaks(address, admin.post(address, {"reason": ""})) == {}
    for htmx in (False, True):
        response = admin.post(address, {"reason": f"Is it {leaky.PASSWORD}?"}, htmx=htmx)
        assert response.status_code == 200
        assert json.loads(_revealed(response.text)) == leaky.PAYLOAD
    audited = select(AuditLog).where(AuditLog.operation == "workflow_run_reveal")
    with lives.store.reading() as session:
        rows = session.scalars(audited.where(AuditLog.record_id == lives.runs["failed"])).all()
    # Each role has read the page once at least, and all but the admin were refused.
    assert [row.details_json["revealed"] for row in rows if row.outcome == "done"] == [
        ["payload"], ["payload"]
    ]  # fmt: skip
    assert {row.operator_email for row in rows if row.outcome == "denied"} == {
        operator.email
        for role in (Role.VIEWER, Role.OPERATOR)
        if (operator := lives.browsers[role].operator)
    }
    for after in (address, address.replace("/reveal", "/audit"), address.replace("/reveal", "")):
        assert _leaks(after, admin.get(after)) == {}


def test_no_command_prints_one(lives: Lives, tmp_path: Path) -> None:
    file = str(tmp_path / "run.json")
    for name in ("failed", "waiting", "canceled", "child", "by event"):
        run_id = lives.runs[name]
        for words in (["show", run_id], ["show", run_id, "--json"], ["export", run_id],
                      ["export", run_id, "--history"],
                      ["export", run_id, "--history", "--output", file]):  # fmt: skip
            lives.flask("runs", *words)
        lives.flask("runs", "verify", file, "--replay-history")
    for group in ("tasks", "definitions", "operators"):
        lives.flask(group, "list", "--json")
    lives.flask("runs", "replay", lives.runs["failed"], "--version", "2", code=3)
    lives.flask("runs", "replay", lives.runs["failed"], "--payload", '{"a": "[REDACTED]"}', code=3)
    lives.flask("quota", "show", "--json")
    lives.flask("secrets", "check", code=1)
    for words, output in lives.printed:
        assert found(output.encode()) is None, words


def test_no_line_of_a_log_holds_one_and_no_file_a_secret(lives: Lives) -> None:
    """Last: of all that the tests before it have asked for."""
    directory = lives.house.directory
    assert found((directory / "worker.log").read_bytes()) is None
    assert "debug" in lives.web_log.getvalue()
    assert found(lives.web_log.getvalue().encode()) is None
    for path in directory.iterdir():
        if path.is_file():
            assert leaky.SECRET.encode() not in path.read_bytes(), path


def _revealed(page: str) -> str:
    found = re.search(r"<pre[^>]*unmasked[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def _leaks(address: str, response: TestResponse) -> dict[str, str]:
    """{what is seen: where}."""
    seen = found(response.data) or found(str(response.headers).encode())
    return {seen: address} if seen else {}
