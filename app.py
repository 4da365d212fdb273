"""The web's composition root: settings become extensions, services and blueprints. No routes.

Nothing here talks to the database or to Temporal: both are first used by a request, after gunicorn
has forked.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from flask import Flask

from blueprints import display, errors, guard, handshake, headers, register_blueprints
from blueprints.extensions import Web, csrf, db, htmx, migrate
from engine import compose, logging
from engine.actions.secrets import Secrets
from engine.commands import register_commands
from engine.errors import Unavailable
from engine.gateway.connect import LazyConnection
from engine.gateway.histories import TemporalHistories, history_key
from engine.gateway.queues import TemporalQueueGateway
from engine.gateway.runs import TemporalRunGateway
from engine.runs.redaction import Redactor
from engine.services.context import HistoryGateway, QueueGateway, RunGateway, Services
from engine.services.explain_queued import Explainer
from engine.services.look_ahead import Lookout
from engine.services.watch_queue import QueueWatch
from engine.settings import ROOT, Settings
from engine.store import session as store_session
from engine.store.session import Store

REQUEST_BYTES = 8 * 1024 * 1024
"""Of a whole request: above the largest payload, so that the form itself can say "too large"."""


def create_app(settings: Settings | None = None, *, gateway: RunGateway | None = None) -> Flask:
    """The web application. Without settings it reads them, and ends the process where they are
    wrong or cannot be used. Tests may give a gateway of their own."""
    if settings is not None:
        return _make_app(settings, gateway)
    settings = compose.read_settings()
    logging.configure(
        settings.log_level, as_json=settings.log_json, patterns=settings.redaction_patterns
    )
    with compose.ending_in_words():
        return _make_app(settings, gateway)


def _make_app(settings: Settings, gateway: RunGateway | None) -> Flask:
    with _in_data_dir(settings):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__, root_path=str(ROOT), instance_path=str(settings.data_dir.resolve()))
    app.config.update(_config(settings))
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    htmx.init_app(app)
    headers.init_app(app)
    guard.init_app(app)
    csrf.init_app(app)
    handshake.init_app(app)
    with app.app_context():
        engine = db.engine
    store_session.configure(engine)
    app.extensions["run_studio"] = _services(settings, Store(engine), gateway)
    app.extensions["run_studio_web"] = Web(
        production=settings.production,
        temporal_ui_url=(settings.temporal_ui_url or "").rstrip("/") or None,
        temporal_namespace=settings.temporal_namespace,
        session_lifetime=timedelta(hours=settings.session_hours),
    )
    watch = QueueWatch()
    app.extensions["run_studio_explainer"] = Explainer(watch)
    app.extensions["run_studio_lookout"] = Lookout(watch)
    register_blueprints(app)
    errors.init_app(app)
    display.init_app(app)
    register_commands(app)
    return app


def _config(settings: Settings) -> dict[str, object]:
    url = settings.effective_database_url
    prefix = "__Host-" if settings.production else ""
    return {
        "SECRET_KEY": secret_key(settings),
        "SQLALCHEMY_DATABASE_URI": store_session.normal_url(url),
        "SQLALCHEMY_ENGINE_OPTIONS": store_session.engine_options(url),
        "MAX_CONTENT_LENGTH": REQUEST_BYTES,
        "MAX_FORM_MEMORY_SIZE": REQUEST_BYTES,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),
        "SESSION_COOKIE_NAME": f"{prefix}run_studio_form",
        "SESSION_COOKIE_SECURE": settings.production,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
        "RUN_STUDIO_COOKIE": f"{prefix}run_studio_session",
    }


def _services(settings: Settings, store: Store, gateway: RunGateway | None) -> Services:
    Redactor(settings.redaction_patterns, settings.redaction_pointers)  # a wrong rule ends it here
    queues: QueueGateway | None = None
    histories: HistoryGateway | None = None
    if gateway is None:
        options = compose.temporal_options(settings)
        connection = LazyConnection(options)
        gateway = TemporalRunGateway(connection, store_session.in_transaction)
        queues = TemporalQueueGateway(connection)
        histories = TemporalHistories(
            connection, history_key(options.codec_key, secret_key(settings))
        )
    return Services(
        store=store,
        gateway=gateway,
        catalogue=compose.registry(settings),
        limits=compose.limits(settings),
        redaction_patterns=settings.redaction_patterns,
        redaction_pointers=settings.redaction_pointers,
        queues=queues,
        histories=histories,
        secret_names=Secrets.of_environment(settings.secrets_dir).names,
    )


def secret_key(settings: Settings) -> str:
    """What signs cookies: given, in a file, or made once and kept in `data_dir` for its owner."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.secret_key_file or settings.data_dir / "secret-key"
    if settings.secret_key_file is None and not path.exists():
        with _in_data_dir(settings):
            _keep_new_secret(path)
    return path.read_text(encoding="utf-8").strip()


@contextmanager
def _in_data_dir(settings: Settings) -> Iterator[None]:
    """Raises `Unavailable` where the folder cannot be written to."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"DATA_DIR ({settings.data_dir}) cannot be written to: {error.strerror}.",
            code="DATA_DIR_UNUSABLE",
        ) from error


def _keep_new_secret(path: Path) -> None:
    """Written beside and linked into place: of several processes that begin, one key remains."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(name, path)
    Path(name).unlink()
