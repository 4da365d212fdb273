"""`log.write` hands its line to the run's log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.actions.action import ActionContext
from engine.actions.log_write import LOG_WRITE
from engine.actions.perform import perform, prepare
from engine.actions.secrets import Secrets
from engine.errors import Category, StepFailed


def write(**fields: Any) -> list[Any]:
    lines: list[Any] = []
    context = ActionContext(
        run_id="r",
        idempotency_key="k",
        now=datetime(2026, 6, 9, tzinfo=UTC),
        log=lambda *line: lines.append(line),
    )
    secrets = Secrets({}).opened()
    assert perform(LOG_WRITE, prepare(LOG_WRITE, fields, secrets), context, secrets) == {}
    return lines


def test_a_line_has_level_message_and_context() -> None:
    assert write(level="WARN", message="late", context={"n": 1}) == [("WARN", "late", {"n": 1})]
    assert write(level="info", message="", context=None) == [("INFO", "", None)]
    assert write(level="DEBUG", message="ü") == [("DEBUG", "ü", None)]


@pytest.mark.parametrize(
    "fields",
    [{"level": "LOUD", "message": ""}, {"level": "INFO"}, {"level": "INFO", "message": 5},
     {"level": "INFO", "message": "", "context": [1]}],
    ids=str,
)  # fmt: skip
def test_a_wrong_line_is_a_validation_error(fields: dict[str, Any]) -> None:
    with pytest.raises(StepFailed) as failed:
        write(**fields)
    assert failed.value.category is Category.VALIDATION
