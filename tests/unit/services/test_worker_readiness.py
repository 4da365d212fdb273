"""A worker is ready while Temporal, its database and its polling are; else it says which is not."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.services.worker_file import WorkerFile, workers_of
from engine.services.worker_readiness import Readiness
from scripts.probe import main, worker_is


class Parts:
    """What a worker's readiness depends on, as a test wants it."""

    def __init__(self) -> None:
        self.now, self.temporal, self.polls = 0.0, True, True
        self.readiness = Readiness(lambda: self.now)
        gateway = SimpleNamespace(reachable=lambda: self.temporal)
        self.services: Any = SimpleNamespace(gateway=gateway)

    def all_are_there(self) -> Readiness:
        self.readiness.polling(lambda: self.polls)
        self.readiness.look(self.services)
        self.readiness.beaten(lambda: None)
        return self.readiness


def test_at_first_it_is_ready_for_nothing_and_then_for_all() -> None:
    parts = Parts()
    assert parts.readiness.because() is not None
    assert parts.all_are_there().because() is None


def test_without_temporal_it_is_not_ready_until_it_is_back() -> None:
    parts = Parts()
    readiness = parts.all_are_there()
    parts.temporal = False
    readiness.look(parts.services)
    assert readiness.because() == readiness.because_elsewhere() == "Temporal does not answer"
    parts.temporal = True
    readiness.look(parts.services)
    assert readiness.because() is None


def test_a_heartbeat_that_the_database_does_not_take_says_so_at_once() -> None:
    parts = Parts()
    readiness = parts.all_are_there()
    with pytest.raises(OSError, match="away"):
        readiness.beaten(_fails)
    assert readiness.because() == "the database does not answer"
    assert readiness.because_elsewhere() is None
    readiness.beaten(lambda: None)
    assert readiness.because() is None


def _fails() -> None:
    raise OSError("away")


def test_a_heartbeat_that_hangs_is_no_heartbeat() -> None:
    parts = Parts()
    readiness = parts.all_are_there()
    parts.now = 12.0
    assert readiness.because() is None
    parts.now = 12.1
    assert readiness.because() == "the database does not answer"


def test_one_that_polls_no_more_or_leaves_is_not_ready() -> None:
    parts = Parts()
    readiness = parts.all_are_there()
    parts.polls = False
    assert readiness.because() == "it does not poll the task queue"
    readiness.leave()
    assert readiness.because() == "it is leaving"


def test_a_probe_of_its_host_hears_whether_it_is_ready_and_whether_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert (main("worker"), main("worker-live")) == (1, 1)
    parts = Parts()
    file = WorkerFile(tmp_path, parts.readiness.because)
    file.write()
    assert (main("worker"), main("worker-live")) == (1, 0)
    assert "Temporal does not answer" in capsys.readouterr().out
    parts.all_are_there()
    file.write()
    assert (main("worker"), main("worker-live")) == (0, 0)
    file.remove()
    assert main("worker-live") == 1


def test_what_a_killed_worker_left_behind_is_no_sign_of_life(tmp_path: Path) -> None:
    dead = tmp_path / "worker-1.json"
    dead.write_text(json.dumps({"pid": 1, "at": time.time() - 11, "ready": True, "because": None}))
    (tmp_path / "worker-2.json").write_text("{")
    assert workers_of(tmp_path) == []
    assert worker_is("worker", tmp_path) == f"no worker of {tmp_path} lives"
    os.utime(dead, (0, 0))
    WorkerFile(tmp_path, lambda: None).write()
    assert not dead.exists()
    assert worker_is("worker", tmp_path) is None


def test_a_folder_that_cannot_be_written_to_keeps_no_worker_from_its_work(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    file = WorkerFile(tmp_path / "a-file" / "below", lambda: None)
    file.write()
    file.remove()
