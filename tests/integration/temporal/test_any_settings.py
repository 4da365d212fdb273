"""Whatever the settings are, a start is executed or refused: none is accepted and idle.

What is tried is made of `Settings` itself, so that a new setting is tried too. The application's
factory makes the web's side and the worker's parts are made of the same settings, as in an
installation; the original's variables are set too, to anything (docs/rules.md 12).
"""

from __future__ import annotations

import base64
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Le
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy.exc import SQLAlchemyError

from app import create_app
from engine import compose
from engine.actions.secrets import Secrets
from engine.errors import RunStudioError
from engine.gateway.connect import PROCESS_LOOP
from engine.runs.payload import Payload
from engine.runs.status import TERMINAL
from engine.services.action_attempt import ActionTools
from engine.services.context import Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.settings import Settings
from tests.acceptance.conftest import MISLEADING
from tests.dev_server import free_port
from tests.run_cases import SOMEBODY
from tests.studio import Studio

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(300)]

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
NOBODY = f"127.0.0.1:{free_port()}"
HERE: Final = "<here>"
"""What the test has there: its database, its Temporal, its folder."""

OF_SOME: Final[dict[str, list[str]]] = {
    "data_dir": [HERE],
    "database_url": [HERE, "sqlite:////nowhere/at/all.sqlite3", "no url"],
    "temporal_address": [HERE, NOBODY, "nonsense", ":7233"],
    "temporal_namespace": ["default", "not-there"],
    "temporal_codec_key": ["", KEY, "too short"],
    "redaction_patterns": ["", "tag", "(("],
    "redaction_pointers": ["", "/payload/tag", "no pointer"],
    "smtp_url": ["", "smtp://127.0.0.1:1", "nonsense"],
}
"""Where a type does not say which values make a difference."""


def values_of(name: str, field: FieldInfo) -> list[str]:
    """Texts of an environment variable: usual ones, the outermost, and wrong ones."""
    if name in OF_SOME:
        return OF_SOME[name]
    kinds = _kinds(field.annotation)
    if bool in kinds:
        return ["false", "true", "perhaps"]
    if int in kinds:
        least = [int(str(rule.ge)) for rule in field.metadata if isinstance(rule, Ge)]
        most = [int(str(rule.le)) for rule in field.metadata if isinstance(rule, Le)]
        below = [end - 1 for end in least]
        return [str(end) for end in (*least, field.default, *most, *below)] + ["many"]
    if any(isinstance(kind, type) and issubclass(kind, Path) for kind in kinds):
        return ["", "/nowhere/at/all"]
    if SecretStr in kinds:
        return ["", "x"]
    return [str(field.default or ""), "nonsense"]


def _kinds(annotation: Any) -> set[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return {kind for part in get_args(annotation) for kind in _kinds(part)}
    return {get_args(annotation)[0]} if get_origin(annotation) is not None else {annotation}


VALUES: Final = {name: values_of(name, field) for name, field in Settings.model_fields.items()}
CHOICES: Final = [(name, value) for name, values in VALUES.items() for value in values]
THEIRS = st.sampled_from(["", "true", "false", "db", "temporal", "elsewhere", "0", "§"])
OURS = st.lists(st.sampled_from(CHOICES), max_size=6, unique_by=lambda choice: choice[0]).map(dict)
FLAGS = st.fixed_dictionaries(dict.fromkeys(MISLEADING, THEIRS))


@contextmanager
def environment(studio: Studio, folder: Path, ours: dict[str, str]) -> Iterator[None]:
    """The variables, and nothing else of ours."""
    here = {
        "data_dir": str(folder),
        "database_url": studio.store.engine.url.render_as_string(hide_password=False),
        "temporal_address": studio.address,
    }
    chosen = dict.fromkeys(here, HERE) | ours
    with pytest.MonkeyPatch.context() as patch:
        for name in VALUES:
            patch.delenv(name.upper(), raising=False)
        for name, value in chosen.items():
            patch.setenv(name.upper(), here[name] if value == HERE else value)
        yield


def outcome(studio: Studio, folder: Path, ours: dict[str, str], theirs: dict[str, str]) -> str:
    """`refused`, with the code where a start was; or the end of the run that was accepted."""
    with environment(studio, folder, ours), pytest.MonkeyPatch.context() as patch:
        for name, value in theirs.items():
            patch.setenv(name, value)
        try:
            wanted = Settings(_env_file=None)  # type: ignore[call-arg]
            app = create_app(wanted)
        except (ValidationError, SQLAlchemyError, OSError):
            return "refused at start"
        services: Services = app.extensions["run_studio"]
        usual = studio.options, studio.tools
        studio.options = compose.temporal_options(wanted)
        studio.tools = ActionTools(compose.registry(wanted), Secrets.of_environment(None))
        try:
            return _started(studio, services)
        finally:
            studio.options, studio.tools = usual
            services.store.engine.dispose()
            PROCESS_LOOP.stop()


def _started(studio: Studio, services: Services) -> str:
    note = {"level": "INFO", "message": "hello"}
    config = {"actionId": "log.write", "version": 1, "inputMapping": note}
    of = studio.publish({"id": "only", "type": "action.call", "config": config})
    request = LaunchRequest(of.key, Payload({"tag": "a"}), SOMEBODY)
    try:
        run_id = launch_published_workflow_run(services, request).run_id
    except RunStudioError as refusal:
        left = refusal.details.get("run_id")
        assert left is None or studio.run(str(left)).status == "FAILED"
        return f"refused: {refusal.code}"
    except SQLAlchemyError:
        return "refused: no database"
    with studio.worker(limits=services.limits):
        studio.eventually(lambda: studio.run(run_id).status in TERMINAL)
    return studio.run(run_id).status


LEAST: Final = {name: values[0] for name, values in VALUES.items()}
MOST: Final = LEAST | {
    name: str(field.metadata[-1].le)
    for name, field in Settings.model_fields.items()
    if field.metadata and isinstance(field.metadata[-1], Le)
}


@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(ours={}, theirs=dict(MISLEADING))
@example(ours=LEAST, theirs=dict(MISLEADING))
@example(ours=MOST, theirs=dict(MISLEADING))
@example(ours={"temporal_codec_key": KEY, "production": "true"}, theirs={})
@given(ours=OURS, theirs=FLAGS)
def test_a_start_is_executed_or_refused(
    studio: Studio, tmp_path: Path, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    found = outcome(studio, tmp_path, ours, theirs)
    assert found == "SUCCEEDED" or found.startswith("refused"), (ours, theirs, found)
    if ours in ({}, LEAST, MOST):
        assert found == "SUCCEEDED", "what can be used was refused, or their variables count"


@pytest.mark.parametrize(
    "ours",
    [{"temporal_address": NOBODY}, {"temporal_namespace": "not-there"}, {"temporal_tls": "true"}],
    ids=["address", "namespace", "tls"],
)
def test_with_a_temporal_that_cannot_be_reached_a_start_is_refused(
    studio: Studio, tmp_path: Path, ours: dict[str, str]
) -> None:
    assert outcome(studio, tmp_path, ours, MISLEADING) == "refused: TEMPORAL_UNAVAILABLE"


def test_every_setting_is_tried_with_more_than_one_value_and_most_values_can_be_used(
    studio: Studio, tmp_path: Path
) -> None:
    """Each value alone: Settings takes it, or says what is wrong and starts nothing."""
    usable = dict.fromkeys(VALUES, 0)
    for name, value in CHOICES:
        with environment(studio, tmp_path, {name: value}):
            blamed = _blamed()
        assert blamed <= {name}
        usable[name] += not blamed
    assert [name for name, count in usable.items() if count == 0] == []
    assert [name for name, values in VALUES.items() if len(values) < 2] == ["data_dir"]


def _blamed() -> set[str]:
    """The settings that cannot be used."""
    try:
        Settings(_env_file=None)  # type: ignore[call-arg]
    except ValidationError as error:
        return {str(fault["loc"][0]) for fault in error.errors()}
    return set()
