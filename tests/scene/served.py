"""The web alone over the scene's rows, on a port of its own: no Temporal, no worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

from flask import Flask, abort, g
from flask_migrate import upgrade
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from engine.contract import temporal_workflow_id
from engine.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from engine.services.context import Services
from engine.settings import Settings
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser
from tests.scene.desk import ADMIN, NOW, OPEN, PASSWORD, Desk, furnish
from tests.scene.pages import FAULT, pages

_EXPECTED: Final = {
    403: Forbidden("Your role is viewer; this needs operator. Nothing was done."),
    404: NotFound("There is no such run."),
    409: Conflict("The run has ended. Nothing was done."),
    422: Invalid("The filters cannot be used.", [Problem("/last", "Give a time, as 24h.")]),
    503: Unavailable("Temporal does not answer. Nothing was started; try again in a moment."),
}


@dataclass(frozen=True)
class Scene:
    url: str
    app: Flask
    engine: FakeEngine
    desk: Desk
    pages: dict[str, str]
    """Addresses by the name of their picture."""


@contextmanager
def served(folder: Path) -> Iterator[Scene]:
    """Over a database of its own in `folder`."""
    engine = FakeEngine()
    app = create_app(Settings(data_dir=folder), gateway=engine)
    with app.app_context():
        upgrade()
    services: Services = replace(app.extensions["run_studio"], now=lambda: NOW)
    app.extensions["run_studio"] = services
    app.add_url_rule("/fault/<int:code>", FAULT, _fault)
    desk = furnish(services)
    for name in OPEN:
        engine.put(temporal_workflow_id(desk.runs[name]))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Scene(url, app, engine, desk, _with_a_page(app, pages(app, desk)))
    server.shutdown()
    server.server_close()
    services.store.engine.dispose()


def _with_a_page(app: Flask, addresses: dict[str, str]) -> dict[str, str]:
    """Without what answers with a file, or leads elsewhere."""
    browser = Browser(app)
    browser.sign_in(ADMIN, PASSWORD)
    answers = {name: browser.get(address) for name, address in addresses.items()}
    return {
        name: addresses[name]
        for name, answer in answers.items()
        if answer.mimetype == "text/html" and not 300 <= answer.status_code < 400
    }


def _fault(code: int) -> NoReturn:
    g.request_id = "4f1c2a9e77d04f0b8a6f5c3d2e1b0a99"
    if code in _EXPECTED:
        raise _EXPECTED[code]
    abort(code)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing: a line a request is of no use here."""
