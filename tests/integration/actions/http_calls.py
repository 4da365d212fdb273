"""Calls of http.request as the worker makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.actions.action import ActionContext
from engine.actions.addresses import AddressPolicy
from engine.actions.http_request import http_request
from engine.actions.perform import perform, prepare
from engine.actions.secrets import Secrets
from engine.errors import StepFailed

CONTEXT = ActionContext(
    run_id="r", idempotency_key="key-1", now=datetime(2026, 6, 9, 12, tzinfo=UTC), timeout_s=10
)


def call(
    url: str,
    method: str = "GET",
    *,
    policy: AddressPolicy | None = None,
    context: ActionContext = CONTEXT,
    may_repeat: bool = True,
    environ: dict[str, str] | None = None,
    **fields: Any,
) -> Any:
    action = http_request(policy or AddressPolicy())
    secrets = Secrets(environ or {}).opened()
    prepared = prepare(action, {"method": method, "url": url, **fields}, secrets)
    return perform(action, prepared, context, secrets, may_repeat=may_repeat)


def failure(*args: Any, **kwargs: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        call(*args, **kwargs)
    return failed.value
