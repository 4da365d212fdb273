"""Whatever the settings are, a start is executed or refused: none is accepted and idle.

The same settings make the web's side and the worker's, as in an installation; the original's
variables are set too, to anything (docs/rules.md 12).
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine import compose
from engine.errors import RunStudioError
from engine.gateway.connect import LazyConnection
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.runs.payload import Payload
from engine.runs.status import TERMINAL
from engine.services.context import Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.settings import Settings
from engine.store.session import in_transaction
from tests.acceptance.conftest import MISLEADING
from tests.dev_server import free_port
from tests.run_cases import SOMEBODY
from tests.steps import act
from tests.studio import Studio

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(300)]

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
NOBODY = f"127.0.0.1:{free_port()}"
OURS: dict[str, list[str]] = {
    "TEMPORAL_CODEC_KEY": ["", KEY, "too short"],
    "TEMPORAL_API_KEY": ["", "an-api-key"],
    "WORKER_SLOTS": ["1", "20", "0"],
    "PAYLOAD_MAX_BYTES": ["1024", "524288"],
    "LAUNCHES_PER_MINUTE": ["1", "60"],
    "PRODUCTION": ["true", "false"],
    "REDACTION_PATTERNS": ["", "tag", "(("],
    "REDACTION_POINTERS": ["", "/payload/tag"],
    "SECRET_KEY": ["", "x"],
    "LOG_LEVEL": ["INFO", "ERROR"],
}
THEIRS = st.sampled_from(["", "true", "false", "db", "temporal", "elsewhere", "0", "§"])
ENVIRONMENTS = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in OURS.items()}
    | dict.fromkeys(MISLEADING, THEIRS)
)


def services_of(studio: Studio, wanted: Settings, thread: LoopThread) -> Services:
    """As the composition roots make them; the store and the actions are the test's."""
    studio.options = compose.temporal_options(wanted)
    connection = LazyConnection(studio.options, thread)
    return Services(
        store=studio.store,
        gateway=TemporalRunGateway(connection, in_transaction),
        catalogue=studio.tools.registry,
        limits=compose.limits(wanted),
        redaction_patterns=wanted.redaction_patterns,
        redaction_pointers=wanted.redaction_pointers,
    )


def outcome(studio: Studio, environment: dict[str, str], *, worker: bool = True) -> str:
    """`refused`, with the code where a start was; or the end of the run that was accepted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", studio.address)
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            wanted = Settings(_env_file=None)  # type: ignore[call-arg]
        except ValidationError:
            return "refused"
    thread, usual = LoopThread(), studio.options
    try:
        services = services_of(studio, wanted, thread)
        of = studio.publish(act("only", "quick"))
        request = LaunchRequest(of.key, Payload({"tag": "a"}), SOMEBODY)
        try:
            run_id = launch_published_workflow_run(services, request).run_id
        except RunStudioError as refusal:
            left = refusal.details.get("run_id")
            assert left is None or studio.run(str(left)).status == "FAILED"
            return f"refused: {refusal.code}"
        assert worker, "accepted where no worker can be"
        with studio.worker(limits=services.limits):
            studio.eventually(lambda: studio.run(run_id).status in TERMINAL)
        return studio.run(run_id).status
    finally:
        thread.stop()
        studio.options = usual


@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(environment=dict(MISLEADING))
@given(environment=ENVIRONMENTS)
def test_a_start_is_executed_or_refused(studio: Studio, environment: dict[str, Any]) -> None:
    found = outcome(studio, environment)
    assert found == "SUCCEEDED" or found.startswith("refused")
    if environment == MISLEADING:
        assert found == "SUCCEEDED"


@pytest.mark.parametrize(
    "environment",
    [
        {"TEMPORAL_ADDRESS": NOBODY},
        {"TEMPORAL_NAMESPACE": "not-there"},
        {"TEMPORAL_TLS": "true"},
    ],
    ids=["address", "namespace", "tls"],
)
def test_with_a_temporal_that_cannot_be_reached_a_start_is_refused(
    studio: Studio, environment: dict[str, str]
) -> None:
    assert (
        outcome(studio, environment | MISLEADING, worker=False) == "refused: TEMPORAL_UNAVAILABLE"
    )
