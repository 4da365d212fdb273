"""Which Temporal is taken, in which order, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts import find_temporal, obtain_temporal
from scripts.find_temporal import NoTemporal, find

ROOT = Path(__file__).resolve().parents[3]
VERSION = "temporal version 1.5.1 (Server {server}, UI 2.42.1)"


def program(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def temporal(path: Path, server: str = "1.29.1") -> Path:
    return program(path, f"echo '{VERSION.format(server=server)}'")


def go(path: Path, version: str = "go1.25.0") -> Path:
    """Answers as Go does; `go install` writes a Temporal, and a line to `installs`."""
    return program(
        path,
        f'[ "$1" = env ] && echo {version} && exit 0',
        f'echo "$2 $3" >> {path.parent}/installs',
        "sleep 0.3",
        "/bin/mkdir -p $GOBIN",
        f"printf '#!/bin/sh\\necho \"{VERSION.format(server='1.29.1')}\"\\n' > $GOBIN/temporal",
        "/bin/chmod +x $GOBIN/temporal",
    )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Nothing on PATH but the shell's own tools, an empty cache, and no download."""

    def cannot(*_: object) -> Path:
        raise obtain_temporal.NotObtained("no network")

    monkeypatch.setattr(obtain_temporal, "download", cannot)
    program(tmp_path / "bin" / "sleep", 'exec /bin/sleep "$@"')
    return {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def cached(machine: dict[str, str]) -> Path:
    return Path(machine["XDG_CACHE_HOME"]) / "run-studio" / "bin" / "temporal"


def test_an_address_is_used_before_all_else(machine: dict[str, str], tmp_path: Path) -> None:
    temporal(tmp_path / "bin" / "temporal")
    found = find(machine | {"TEMPORAL_ADDRESS": "temporal.example:7233"})
    assert (found.address, found.binary) == ("temporal.example:7233", None)


def test_path_comes_before_the_cache(machine: dict[str, str], tmp_path: Path) -> None:
    on_path = temporal(tmp_path / "bin" / "temporal")
    temporal(cached(machine))
    assert find(machine).binary == on_path


def test_the_cache_comes_before_getting_one(machine: dict[str, str], tmp_path: Path) -> None:
    temporal(cached(machine))
    go(tmp_path / "bin" / "go")
    assert find(machine).way == "our cache"
    assert not (tmp_path / "bin" / "installs").exists()


@pytest.mark.parametrize("bad", ["old server", "not temporal", "broken"])
def test_an_unusable_temporal_on_path_is_passed_over(
    machine: dict[str, str], tmp_path: Path, bad: str
) -> None:
    on_path = tmp_path / "bin" / "temporal"
    if bad == "old server":
        temporal(on_path, server="1.20.0")
    else:
        program(on_path, "echo hello" if bad == "not temporal" else "exit 3")
    temporal(cached(machine))
    assert find(machine).binary == cached(machine)


def test_the_download_comes_before_building(
    machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        obtain_temporal, "download", lambda folder, *_: temporal(folder / "temporal-cli")
    )
    go(tmp_path / "bin" / "go")
    assert find(machine).way == "the SDK's own download"
    assert not (tmp_path / "bin" / "installs").exists()


def test_it_is_built_from_the_pinned_module_and_kept(
    machine: dict[str, str], tmp_path: Path
) -> None:
    go(tmp_path / "bin" / "go")
    found = find(machine)
    assert (found.way, found.binary) == ("built from its Go module", cached(machine))
    built = (tmp_path / "bin" / "installs").read_text()
    assert built == "-v github.com/temporalio/cli/cmd/temporal@v1.5.1\n"
    assert find(machine).way == "our cache"
    assert [path.name for path in cached(machine).parent.iterdir() if path.is_dir()] == []


def test_two_processes_at_once_build_it_once(machine: dict[str, str], tmp_path: Path) -> None:
    go(tmp_path / "bin" / "go")
    threads = [threading.Thread(target=find, args=(machine,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((tmp_path / "bin" / "installs").read_text().splitlines()) == 1


@pytest.mark.parametrize("version", ["go1.24.9", "go1.9", "devel"])
def test_a_go_that_is_too_old_is_not_tried(
    machine: dict[str, str], tmp_path: Path, version: str
) -> None:
    go(tmp_path / "bin" / "go", version)
    with pytest.raises(NoTemporal) as raised:
        find(machine)
    assert not (tmp_path / "bin" / "installs").exists()
    assert "built from its Go module: " in str(raised.value)


def test_when_no_way_works_the_message_lists_each_and_what_would_help(
    machine: dict[str, str],
) -> None:
    with pytest.raises(NoTemporal) as raised:
        find(machine)
    message = str(raised.value)
    for tried in [
        "temporal on PATH: there is none",
        "our cache",
        "the SDK's own download: no network",
        "built from its Go module: Go is not installed",
    ]:
        assert tried in message
    for help_ in ["TEMPORAL_ADDRESS=", "on PATH", str(cached(machine)), "Go 1.25 or newer"]:
        assert help_ in message


def test_a_failed_build_leaves_nothing_behind(machine: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "go", '[ "$1" = env ] && echo go1.26.1 && exit 0', "exit 1")
    with pytest.raises(NoTemporal, match="go install failed"):
        find(machine)
    assert {path.name for path in cached(machine).parent.iterdir()} == {".lock"}


def test_a_download_without_a_byte_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obtain_temporal, "_DOWNLOAD", "import time; time.sleep(60)")
    monkeypatch.setattr(obtain_temporal, "STALLED_S", 0.5)
    with pytest.raises(obtain_temporal.NotObtained, match="nothing arrived"):
        obtain_temporal.download(tmp_path, {}, lambda _: None)


def test_a_download_that_goes_on_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = """
import sys, time
for _ in range(8):
    with open(sys.argv[1] + "/temporal-cli", "a") as file:
        file.write("more")
    time.sleep(0.2)
"""
    monkeypatch.setattr(obtain_temporal, "_DOWNLOAD", slow)
    monkeypatch.setattr(obtain_temporal, "STALLED_S", 0.8)
    binary = obtain_temporal.download(tmp_path, {}, lambda _: None)
    assert binary.read_text() == "more" * 8


def test_the_command_prints_the_path_alone_on_standard_output(machine: dict[str, str]) -> None:
    temporal(cached(machine))
    asked = subprocess.run(
        [sys.executable, "-m", "scripts.find_temporal"],
        cwd=ROOT,
        env=machine,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout == f"{cached(machine)}\n"
    assert "our cache" in asked.stderr


def test_at_hand_does_no_work(machine: dict[str, str], tmp_path: Path) -> None:
    go(tmp_path / "bin" / "go")
    assert find_temporal.at_hand(machine) is None
    temporal(cached(machine))
    assert find_temporal.at_hand(machine) == cached(machine)
