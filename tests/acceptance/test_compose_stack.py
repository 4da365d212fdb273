"""PRD: `docker compose -f docker-compose.ee.yaml` brings up a stack where a run executes.

Here: the file by itself, against the Compose specification's schema and the promises made of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from engine.settings import Settings
from scripts.product.temporal_server import TUNING

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "data"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.ee.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"secrets", "temporal-schema", "temporal-namespace", "migrate"}
LONG_LIVED = {"postgres", "temporal", "temporal-ui", "web", "worker"}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    schema = json.loads((DATA / "compose-spec.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(COMPOSE)] == []


def test_the_schema_is_the_specifications_own() -> None:
    content = (DATA / "compose-spec.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() in (DATA / "SOURCES.md").read_text()


def test_the_schema_refuses_a_wrong_file() -> None:
    schema = json.loads((DATA / "compose-spec.json").read_text())
    wrong = {"services": {"web": {"image": "x", "depend_on": ["y"]}}}
    assert list(Draft202012Validator(schema).iter_errors(wrong))


def test_there_is_one_file_and_no_overlay() -> None:
    found = [path.name for path in ROOT.glob("*compose*.y*ml")]
    assert found == ["docker-compose.ee.yaml"]


def test_temporal_is_in_the_stack_with_everything_it_needs() -> None:
    assert set(SERVICES) == ONE_SHOTS | LONG_LIVED


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_pinned_by_a_tag(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[\w/-]+:\d[\w.-]*", image), image
    assert image.startswith("run-studio:") == ("build" in SERVICES[name])


@pytest.mark.parametrize("name", sorted(LONG_LIVED))
def test_what_runs_on_has_a_health_check_and_is_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOTS))
def test_a_one_shot_is_waited_for_until_it_is_done(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"
    waiting = [service for service in SERVICES.values() if name in service.get("depends_on", {})]
    assert waiting
    for service in waiting:
        assert service["depends_on"][name]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_everything_waits_for_health_or_completion(name: str) -> None:
    for on, how in SERVICES[name].get("depends_on", {}).items():
        expected = "service_healthy" if on in LONG_LIVED else "service_completed_successfully"
        assert how["condition"] == expected


@pytest.mark.parametrize("name", ["web", "worker"])
def test_web_and_worker_start_only_when_a_run_could_be_executed(name: str) -> None:
    assert needed(name) >= {"migrate", "temporal-namespace", "temporal", "postgres"}


def needed(name: str) -> set[str]:
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(needed(other) for other in direct))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_ends_in_seconds(name: str) -> None:
    assert SERVICES[name]["init"] is True


def test_temporal_is_healthy_only_when_it_hands_out_tasks() -> None:
    """Its frontend answers for itself before it knows the other parts."""
    assert "/task-queues/" in SERVICES["temporal"]["healthcheck"]["test"][1]


def test_a_run_links_to_temporals_ui_at_the_port_where_it_is_published() -> None:
    assert "${TEMPORAL_UI_PORT:-8233}" in SERVICES["web"]["environment"]["TEMPORAL_UI_URL"]


def test_postgres_ends_at_once_also_while_somebody_is_connected() -> None:
    """By SIGTERM it waits for its clients to leave: a minute, and then it is killed."""
    assert SERVICES["postgres"]["stop_signal"] == "SIGINT"


def test_the_worker_may_finish_its_longest_step() -> None:
    default_timeout = timedelta(milliseconds=30_000)
    grace = timedelta(seconds=int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")))
    assert grace > default_timeout + timedelta(seconds=10)


def test_only_the_web_is_published_and_the_temporal_ui_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "web": ["${PORT:-8080}:8080"],
        "temporal-ui": ["127.0.0.1:${TEMPORAL_UI_PORT:-8233}:8080"],
    }


def test_passwords_are_files_and_none_is_in_the_repository() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASS|PWD|SECRET|KEY", variable) and variable != "ADMIN_PASSWORD":
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/"), (name, variable)
    assert SERVICES["migrate"]["environment"]["ADMIN_PASSWORD"] == "${ADMIN_PASSWORD:-}"


def test_the_passwords_reach_only_the_containers_that_need_them() -> None:
    mounts = {
        name
        for name, service in SERVICES.items()
        for volume in service.get("volumes", [])
        if isinstance(volume, dict) and volume["source"] == "secrets"
    }
    assert mounts == {
        "secrets", "postgres", "temporal-schema", "temporal", "migrate", "web", "worker",
    }  # fmt: skip


def test_our_containers_get_settings_that_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for name in ["migrate", "web", "worker"]:
        assert set(SERVICES[name]["environment"]) <= known


def test_ours_run_as_no_root_on_a_file_system_they_cannot_change() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", dockerfile, flags=re.MULTILINE)
    for name in ["secrets", "migrate", "web", "worker"]:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_temporary_files_may_be_written_after_a_restart_too() -> None:
    """Docker gives a tmpfs that is mounted again the mode of the image's folder."""
    assert "chmod 1777 /tmp" in (ROOT / "Dockerfile").read_text()
    for name in ["secrets", "migrate", "web", "worker"]:
        assert "/tmp" in SERVICES[name]["tmpfs"]


@pytest.mark.parametrize(
    "name", ["temporal", "temporal-schema", "temporal-namespace", "temporal-ui"]
)
def test_temporal_runs_as_no_root_whatever_its_image_says(name: str) -> None:
    assert SERVICES[name]["user"] == "1000:1000"


def test_the_image_is_built_from_the_lock_alone() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert not re.search(r"\b(apt|apk|curl|wget|git|npm)\b", dockerfile)
    froms = re.findall(r"^FROM (\S+)", dockerfile, flags=re.MULTILINE)
    assert froms == ["python:3.12-slim"] * 2


def test_everything_the_image_copies_is_sent_to_the_builder() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, flags=re.MULTILINE)
        for source in line.split()[:-1]
    }
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert copied == sent
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_temporal_is_tuned_as_in_development_but_keeps_its_partitions() -> None:
    tuned = yaml.safe_load((ROOT / "deploy/temporal/dynamicconfig.yaml").read_text())
    expected = {
        key: value.strip('"') for key, value in TUNING.items() if key.startswith("history.")
    }
    assert {key: str(values[0]["value"]) for key, values in tuned.items()} == expected


def test_temporal_keeps_closed_runs_for_30_days() -> None:
    assert SERVICES["temporal-namespace"]["environment"]["RETENTION"] == "30d"


def test_the_scripts_that_are_mounted_exist() -> None:
    for service in SERVICES.values():
        for word in service.get("entrypoint", []):
            if word.startswith("/deploy/"):
                assert (ROOT / "deploy/temporal" / word.removeprefix("/deploy/")).is_file()
