"""The scripts of deploy/temporal by themselves, with a program in the server's place.

The server's image has busybox and nothing else, perhaps not even a user of the number that the
compose file gives it (docs/measured.md 6).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "of-this-test-alone"


def environment_of_the_server(folder: Path, given: dict[str, str]) -> dict[str, str]:
    """What deploy/temporal/start-server.sh hands to `temporal-server`."""
    (folder / "postgres_password").write_text(PASSWORD)
    script = (ROOT / "deploy/temporal/start-server.sh").read_text()
    (folder / "start.sh").write_text(script.replace("/run/secrets", str(folder)))
    (folder / "temporal-server").write_text("#!/bin/sh\nexec env\n")
    (folder / "temporal-server").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", folder / "start.sh"],
        env={"PATH": f"{folder}:/usr/bin:/bin", **given},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_the_server_gets_its_password_and_is_found_from_everywhere(tmp_path: Path) -> None:
    environment = environment_of_the_server(tmp_path, {})
    assert environment["POSTGRES_PWD"] == PASSWORD
    assert environment["BIND_ON_IP"] == "0.0.0.0"


def test_the_servers_parts_find_each_other_by_an_address_that_the_next_start_has_too(
    tmp_path: Path,
) -> None:
    """By another one they look for those of before: healthy, and idle for half a minute."""
    environment = environment_of_the_server(tmp_path, {})
    assert environment["TEMPORAL_BROADCAST_ADDRESS"] == "127.0.0.1"


def test_the_server_starts_as_a_user_that_its_image_does_not_know(tmp_path: Path) -> None:
    """Without an entry in /etc/passwd it asks USER and HOME, and ends where they are unset."""
    environment = environment_of_the_server(tmp_path, {})
    assert environment["USER"] == "temporal"
    assert environment["HOME"]
    assert environment_of_the_server(tmp_path, {"USER": "its-own"})["USER"] == "its-own"
