"""What a rule masks is in no answer, fragment, form, file, command's output or line of a log.

A real run copies canaries from every masked place to wherever a run keeps something; then every
address is read by every role, and what the product printed meanwhile is looked through.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import logging as standard_logging
import re
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from engine import logging
from engine.runs.roles import Role
from tests.integration.actions.servers import HttpServer
from tests.integration.commands.conftest import CommandLine
from tests.integration.privacy import leaky
from tests.integration.privacy.crawl import Crawl
from tests.integration.privacy.leaky import CANARY
from tests.integration.privacy.lives import Lives, live

pytestmark = pytest.mark.temporal

LEAD_ELSEWHERE = {"auth.home", "auth.sign_in", "runs.jump"}
"""Routes that only redirect somebody who has signed in."""

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
    crawl = Crawl(lives.house.app, lives.route_values())
    shown: set[str] = set()
    for address in crawl:
        for htmx in (False, True):
            response = browser.get(address, htmx=htmx)
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


def _leaks(address: str, response: TestResponse) -> dict[str, str]:
    """{what is seen: where}."""
    seen = found(response.data) or found(str(response.headers).encode())
    return {seen: address} if seen else {}
