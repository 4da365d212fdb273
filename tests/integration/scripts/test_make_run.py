"""`make run` for real: what it prints, that its parts keep running, that it ends cleanly."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.dev_server import DevServer
from tests.integration.scripts.watching import eventually, lives, status
from tests.product import Product

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(400)]


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


def test_a_given_temporal_and_a_given_database_are_used(tmp_path: Path) -> None:
    server = DevServer(tmp_path)
    server.start()
    database = tmp_path / "elsewhere.sqlite3"
    given = {"TEMPORAL_ADDRESS": server.address, "DATABASE_URL": f"sqlite:///{database}"}
    product = Product(tmp_path / "data", **given)
    try:
        product.start()
        product.wait_for("Ctrl-C")
        assert set(product.children()) == {"web", "worker"}
        assert status(f"{product.url}/health/ready") == 200
        assert database.exists()
        assert list(product.data_dir.glob("*.sqlite3")) == []
        assert f"Temporal   {server.address}" in product.output
        assert product.end() == 0
    finally:
        product.kill()
        server.kill()
