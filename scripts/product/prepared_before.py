"""Was this database prepared already? Then a start is spared a third of its time.

Looks with the standard library alone, for the libraries' import is what takes the time. Only SQLite
is looked at; whatever is not certain is prepared again, which is harmless.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.settings import ROOT, Settings
from scripts.product.greeting import Prepared

SOURCES = ("migrations/versions/*.py", "samples/*.json")


@dataclass(frozen=True, slots=True)
class State:
    """What a prepared database holds; read from it when it was prepared, and again."""

    revision: str
    operators: int
    workflows: int


def known(settings: Settings) -> Prepared | None:
    """What preparing would answer, or None when it must be asked."""
    state = _state(settings)
    with suppress(OSError, ValueError):
        noted = json.loads(_note(settings).read_text())
        if (
            state is not None
            and noted["sources"] == _sources()
            and noted["revision"] == state.revision
            and state.workflows >= noted["workflows"]
            and state.operators > 0
            and _has_given_operator(settings)
        ):
            return Prepared(operators=state.operators)
    return None


def note(settings: Settings) -> None:
    """Remember that the database has just been prepared."""
    state = _state(settings)
    if state is not None:
        noted = {
            "sources": _sources(),
            "revision": state.revision,
            "workflows": state.workflows,
        }
        _note(settings).write_text(json.dumps(noted))


def _note(settings: Settings) -> Path:
    return settings.data_dir / "prepared.json"


def _sources() -> str:
    """Changes with every migration and every sample."""
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _database(settings: Settings) -> Path | None:
    scheme, _, path = settings.effective_database_url.partition(":///")
    return Path(path) if scheme == "sqlite" and path else None


def _state(settings: Settings) -> State | None:
    revisions = _ask(settings, "SELECT version_num FROM alembic_version")
    operators = _ask(settings, "SELECT count(*) FROM operators WHERE is_active")
    workflows = _ask(settings, "SELECT count(*) FROM workflow_definitions")
    if revisions is None or operators is None or workflows is None or len(revisions) != 1:
        return None
    return State(revisions[0], int(operators[0]), int(workflows[0]))


def _has_given_operator(settings: Settings) -> bool:
    if settings.admin_password is None:
        return True
    wanted = (settings.admin_email or "").strip().lower()
    emails = _ask(settings, "SELECT email FROM operators")
    return emails is not None and wanted in emails


def _ask(settings: Settings, question: str) -> list[str] | None:
    """The first column; None when the database is not there or does not answer."""
    path = _database(settings)
    if path is None or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return [str(row[0]) for row in database.execute(question)]
    except sqlite3.Error:
        return None
