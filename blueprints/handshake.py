"""Tells the workers which actions this web process knows: with a page or a probe, once a minute.

Nothing talks to the database before the first request (gunicorn forks); fragments are left alone,
for a poll of what has not changed costs one query.
"""

from __future__ import annotations

import threading
import time

import structlog
from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError

from blueprints.extensions import services
from blueprints.hypermedia import wants_fragment
from engine.services import handshake

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    app.before_request(_Teller().tell)


class _Teller:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due_at = 0.0

    def tell(self) -> None:
        if request.endpoint in (None, "static", "health.live") or wants_fragment():
            return
        if self._is_due():
            try:
                handshake.shake(services())
            except SQLAlchemyError as error:  # the page that is asked for says what is wrong
                log.warning("handshake.not_written", reason=type(error).__name__)

    def _is_due(self) -> bool:
        """One thread is told yes, once a minute."""
        with self._lock:
            if time.monotonic() < self._due_at:
                return False
            self._due_at = time.monotonic() + handshake.EVERY.total_seconds()
            return True
