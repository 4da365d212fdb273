"""Extensions without an application, and what the composition root hands to the views."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import current_app
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy.orm import Session

from engine.runs.export_signature import Signer
from engine.runs.fingerprint import Fingerprints
from engine.services.context import Services
from engine.services.explain_queued import Explainer
from engine.services.look_ahead import Lookout
from engine.services.redact_run import Rules
from engine.store.tables import METADATA

db = SQLAlchemy(metadata=METADATA)
migrate = Migrate()
csrf = CSRFProtect()
htmx = Htmx()


@dataclass(frozen=True, slots=True)
class Web:
    """What only the web has to know of the settings."""

    production: bool
    temporal_ui_url: str | None
    temporal_namespace: str
    session_lifetime: timedelta


def services() -> Services:
    return cast(Services, current_app.extensions["run_studio"])


def web() -> Web:
    return cast(Web, current_app.extensions["run_studio_web"])


def explainer() -> Explainer:
    return cast(Explainer, current_app.extensions["run_studio_explainer"])


def lookout() -> Lookout:
    return cast(Lookout, current_app.extensions["run_studio_lookout"])


def fingerprints() -> Fingerprints:
    """Keyed by what also signs cookies."""
    return Fingerprints(current_app.config["SECRET_KEY"])


def signer() -> Signer:
    """Of exported files; its key is made of the same."""
    return Signer(current_app.config["SECRET_KEY"])


def rules() -> Rules:
    """The installation's redaction rules."""
    return Rules.of(services())


@contextmanager
def reading() -> Iterator[Session]:
    """A read transaction; it must be over before Temporal is called (docs/rules.md 2)."""
    with services().store.reading() as session:
        yield session
