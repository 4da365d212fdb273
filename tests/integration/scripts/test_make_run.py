"""`make run` for real: what it prints, that its parts keep running, that it ends cleanly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dev_server import binary, free_port

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 120.0
pytestmark = [pytest.mark.temporal, pytest.mark.timeout(400)]


class Product:
    """`python -m scripts.run_product` with a data folder and ports of its own."""

    def __init__(self, data_dir: Path, **given: str) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.data_dir = data_dir
        self.ports = {
            name: str(free_port()) for name in ["PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT"]
        }
        (data_dir / "bin").mkdir(exist_ok=True)
        temporal = data_dir / "bin" / "temporal"
        if not temporal.exists():
            temporal.symlink_to(binary())
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "CI"}}
        self.environment = {
            **kept,
            **self.ports,
            "DATA_DIR": str(data_dir),
            "PATH": f"{data_dir / 'bin'}:{os.environ['PATH']}",
            **given,
        }
        self.log = data_dir / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def output(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.run_product"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, text: str) -> None:
        assert self.process is not None
        until = time.monotonic() + PATIENCE_S
        while text not in self.output:
            assert self.process.poll() is None, f"it ended:\n{self.output}"
            assert time.monotonic() < until, f"{text!r} did not come:\n{self.output}"
            time.sleep(0.05)

    def children(self) -> dict[str, int]:
        recorded = json.loads((self.data_dir / "running.json").read_text())
        names = {"app:create_app()": "web", "worker.py": "worker"}
        return {names.get(words[-1], "temporal"): int(pid) for pid, words in recorded.items()}

    def end(self, number: int = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, FileNotFoundError):
        return False


def eventually(condition: Callable[[], bool], why: str) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, why
        time.sleep(0.05)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except OSError:
        return 0


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    made = Product(tmp_path / "data")
    yield made
    made.kill()


def test_it_starts_says_how_to_sign_in_and_ends_with_nothing_left(product: Product) -> None:
    product.start()
    product.wait_for("Run Studio is up")
    product.wait_for("Ctrl-C")
    children = product.children()
    assert set(children) == {"temporal", "web", "worker"}
    assert status(f"{product.url}/health/ready") == 200
    assert f"Open       {product.url}" in product.output
    assert f"http://127.0.0.1:{product.ports['TEMPORAL_UI_PORT']}" in product.output
    assert re.search(r"Sign in +admin@localhost", product.output)
    assert re.search(r"Password +\S{12,}", product.output)
    running = (product.data_dir / "running.env").read_text()
    assert f"TEMPORAL_ADDRESS='127.0.0.1:{product.ports['TEMPORAL_PORT']}'" in running
    assert (product.data_dir / "running.env").stat().st_mode & 0o077 == 0

    assert product.end(signal.SIGINT) == 0
    assert "Traceback" not in product.output
    assert [name for name, pid in children.items() if lives(pid)] == []
    assert not (product.data_dir / "running.env").exists()


def test_what_dies_is_started_again_and_a_killed_supervisor_leaves_nothing(
    product: Product,
) -> None:
    product.start()
    product.wait_for("Ctrl-C")
    for name in ["worker", "temporal", "web"]:
        before = product.children()[name]
        os.kill(before, signal.SIGKILL)
        product.wait_for(f"the {name} ended (signal 9); starting it again in 1 s")
        product.wait_for(f"the {name} is started again")
        assert product.children()[name] != before
    eventually(lambda: status(f"{product.url}/health/ready") == 200, "the product did not recover")

    children = product.children()
    product.kill()
    eventually(lambda: not any(map(lives, children.values())), "children outlived a killed parent")

    again = Product(product.data_dir)
    again.environment |= product.ports
    again.start()
    again.wait_for("Ctrl-C")
    assert "Sign in    as the operator that exists" in again.output
    assert again.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("variable", ["PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT"])
def test_a_port_in_use_is_named_before_anything_is_started(product: Product, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(product.ports[variable])))
        taken.listen()
        product.start()
        assert product.process is not None
        assert product.process.wait(timeout=60) != 0
    assert f"Port {product.ports[variable]} is in use. Set {variable} to another" in product.output
    assert "Traceback" not in product.output
    assert not list(product.data_dir.glob("*.sqlite3"))


def test_wrong_settings_are_all_listed_without_their_values(tmp_path: Path) -> None:
    wrong = {"LOG_LEVEL": "LOUD", "WORKER_SLOTS": "none", "SECRET_KEY": "do-not-show"}
    product = Product(tmp_path / "data", **wrong)
    product.start()
    assert product.process is not None
    assert product.process.wait(timeout=60) == 2
    assert "LOG_LEVEL:" in product.output
    assert "WORKER_SLOTS:" in product.output
    assert "LOUD" not in product.output
    assert "do-not-show" not in product.output


def test_two_products_never_share_a_data_folder(product: Product) -> None:
    product.start()
    eventually((product.data_dir / "running.lock").exists, "it does not start")
    time.sleep(0.5)
    second = Product(product.data_dir)
    second.log = product.data_dir / "second.txt"
    second.start()
    assert second.process is not None
    assert second.process.wait(timeout=60) == 1
    assert "is running already with the data folder" in second.output
    assert product.end() == 0


def test_the_given_first_operator_is_made_and_the_password_is_not_printed(tmp_path: Path) -> None:
    given = {"ADMIN_EMAIL": "me@example.com", "ADMIN_PASSWORD": "correct horse battery"}
    product = Product(tmp_path / "data", **given)
    product.start()
    product.wait_for("Ctrl-C")
    assert "me@example.com with the password in ADMIN_PASSWORD" in product.output
    assert "correct horse battery" not in product.output
    assert product.end() == 0
