"""What the composition roots make of the settings: the web, the worker and the commands alike.

Both sides make their registry, their limits and their Temporal options here, so that they cannot
differ by an oversight.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from engine.actions.builtin import ActionOptions
from engine.actions.registry import Registry, default_registry
from engine.errors import RunStudioError
from engine.gateway.codec import key_from_text
from engine.gateway.connect import TemporalOptions
from engine.services.context import Limits
from engine.settings import Settings


def read_settings() -> Settings:
    """The settings; wrong ones end the process (code 2) with all of them listed, without values."""
    try:
        return Settings()
    except ValidationError as error:
        print(wrong_values(error), file=sys.stderr)
        raise SystemExit(2) from None


@contextmanager
def ending_in_words() -> Iterator[None]:
    """What keeps a process from being made ends it (code 1) with its reason, and no traceback."""
    try:
        yield
    except RunStudioError as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(1) from None


def wrong_values(error: ValidationError) -> str:
    """All problems, one a line, without the values: one of them may be a secret."""
    problems = error.errors(include_input=False, include_url=False)
    lines = [
        f"  {str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in problems
    ]
    return "\n".join(["These settings cannot be used:", *lines])


def temporal_options(settings: Settings, identity: str | None = None) -> TemporalOptions:
    """`identity`: how Temporal lists this process; None: `<pid>@<host>`."""
    api_key, codec_key = settings.temporal_api_key, settings.temporal_codec_key
    return TemporalOptions(
        address=settings.temporal_address,
        namespace=settings.temporal_namespace,
        tls=settings.temporal_tls,
        api_key=api_key.get_secret_value() if api_key else None,
        codec_key=key_from_text(codec_key.get_secret_value()) if codec_key else None,
        identity=identity,
    )


def registry(settings: Settings) -> Registry:
    """Every action of this installation, with its options."""
    return default_registry(
        ActionOptions(
            production=settings.production,
            http_allow=settings.http_allow,
            http_deny=settings.http_deny,
            smtp_url=settings.smtp_url,
            smtp_from=settings.smtp_from,
        )
    )


def limits(settings: Settings) -> Limits:
    return Limits(
        payload_bytes=settings.payload_max_bytes,
        launches_per_minute=settings.launches_per_minute,
        sign_in_attempts_per_minute=settings.sign_in_attempts_per_minute,
        session_hours=settings.session_hours,
    )
