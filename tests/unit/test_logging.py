"""One way to log, for us and for libraries: readable, JSON on demand, and never a secret."""

from __future__ import annotations

import io
import json
import logging as standard
from collections.abc import Iterator

import pytest
import structlog

from engine import logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = standard.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def configured(**options: object) -> io.StringIO:
    stream = io.StringIO()
    logging.configure("INFO", as_json=True, stream=stream, **options)
    return stream


def test_a_line_says_what_happened_where_and_when() -> None:
    stream = configured()
    structlog.get_logger("room").warning("run.ended", run_id="r", status="FAILED")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "run.ended",
        "level": "warning",
        "logger": "room",
        "run_id": "r",
        "status": "FAILED",
    }


def test_a_library_s_line_looks_the_same() -> None:
    stream = configured()
    standard.getLogger("temporalio").error("poll %s failed", 7)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == (
        "poll 7 failed",
        "error",
        "temporalio",
    )


def test_what_is_bound_to_the_context_is_in_every_line() -> None:
    stream = configured()
    with structlog.contextvars.bound_contextvars(run_id="r", step="root.steps[0]"):
        structlog.get_logger().info("one")
        standard.getLogger("library").warning("two")
    structlog.get_logger().info("three")
    bound = [(line.get("run_id"), line.get("step")) for line in lines(stream)]
    assert bound == [("r", "root.steps[0]")] * 2 + [(None, None)]


def test_below_the_level_nothing_is_written() -> None:
    stream = configured()
    structlog.get_logger().debug("quiet")
    assert stream.getvalue() == ""


def test_a_value_under_a_secret_s_name_is_masked_however_deep() -> None:
    stream = configured(patterns=("iban",))
    structlog.get_logger().info(
        "called", headers={"Authorization": "Bearer hunter2"}, api_key="hunter2", IBAN="hunter2"
    )
    standard.getLogger("library").warning("two", extra={"password": "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("[REDACTED]") == 4


def test_a_pattern_that_cannot_be_compiled_ends_the_start() -> None:
    with pytest.raises(ValueError, match="redaction pattern"):
        logging.configure(patterns=("(",))


def test_an_exception_is_one_line_of_json() -> None:
    stream = configured()
    try:
        raise KeyError("gone")
    except KeyError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "KeyError: 'gone'" in line["exception"]


def test_for_people_a_line_is_text() -> None:
    stream = io.StringIO()
    logging.configure("INFO", stream=stream)
    structlog.get_logger().info("run.started", run_id="r")
    assert "run.started" in stream.getvalue()
    assert "run_id=r" in stream.getvalue()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_variables(as_json: bool) -> None:
    stream = io.StringIO()
    logging.configure("INFO", as_json=as_json, stream=stream)

    def fails(word: str) -> None:
        hidden = word * 3
        raise ValueError(f"of {len(hidden)} characters")

    try:
        fails("hunter2")
    except ValueError:
        structlog.get_logger("room").exception("it.failed")
    assert "of 21 characters" in stream.getvalue()
    assert "hunter2hunter2" not in stream.getvalue()


def test_the_sdk_s_debug_lines_which_hold_payloads_are_never_written() -> None:
    stream = io.StringIO()
    logging.configure("DEBUG", stream=stream)
    sdk = standard.getLogger("temporalio.worker._activity")
    sdk.debug("Completing activity with completion: hunter2")
    sdk.info("polling")
    logging.configure("ERROR", stream=stream)
    sdk.warning("hunter2")
    assert "hunter2" not in stream.getvalue()
    assert "polling" in stream.getvalue()
