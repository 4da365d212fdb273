"""One whole product for all criteria, an operator who is signed in, and the product's database.

The original's variables are set, to values that would mislead a program that read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.store.session import Store, make_engine
from tests.acceptance.visitor import Visitor
from tests.product import Product

# Minutes, and a Temporal server that takes minutes to build: `make compose-processes`.
collect_ignore = [] if os.environ.get("STACK_AS_PROCESSES") else ["test_stack_as_processes.py"]

EMAIL, PASSWORD = "operator@example.com", "correct horse battery staple"
ORIGINAL = "_".join(["WORKFLOW", "RUNTIME", "V2"])
MISLEADING = {
    f"{ORIGINAL}_" + "ENABLE_TEMPORAL_POLLING": "false",
    f"{ORIGINAL}_" + "ENABLE_DB_POLLING": "true",
    f"{ORIGINAL}_" + "TEMPORAL_TASK_" + "QUEUE": "elsewhere",
    "TASK_" + "QUEUE": "elsewhere",
    "TEMPORAL_TASK_" + "QUEUE": "elsewhere",
    "ENGINE": "db",
}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What the product said belongs to the report of a test that failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]
    running = getattr(item, "funcargs", {}).get("product")
    if report.failed and running is not None:
        report.sections.append(("the product", running.output[-4000:]))


Publish = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    given = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, **MISLEADING}
    made = Product(tmp_path_factory.mktemp("product"), **given)
    made.start()
    made.wait_for("Ctrl-C")
    yield made
    made.end()


@pytest.fixture(scope="session")
def visitor(product: Product) -> Iterator[Visitor]:
    """An operator's browser without JavaScript."""
    with Visitor(product.url) as signed_in:
        signed_in.sign_in(EMAIL, PASSWORD)
        yield signed_in


@pytest.fixture(scope="session")
def product_store(product: Product) -> Iterator[Store]:
    engine = make_engine(f"sqlite:///{product.data_dir / 'run-studio.sqlite3'}")
    yield Store(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def publish(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """By the command, as an author does it; the key."""
    folder: Path = tmp_path_factory.mktemp("documents")

    def published(document: dict[str, Any]) -> str:
        file = folder / f"{document['id']}.json"
        file.write_text(json.dumps(document))
        done = product.flask("definitions", "publish", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        return str(document["id"])

    return published


@pytest.fixture(scope="session")
def hello(publish: Publish) -> str:
    """Ends at once, by an action."""
    log = {"level": "INFO", "message": "hello"}
    return publish(
        {
            "id": "hello",
            "name": "Hello",
            "steps": [
                {
                    "id": "say",
                    "type": "action.call",
                    "config": {"actionId": "log.write", "version": 1, "inputMapping": log},
                }
            ],
        }
    )


@pytest.fixture(scope="session")
def pausing(publish: Publish) -> str:
    """Waits until it is cancelled."""
    config = {"mode": "duration", "durationMs": 3_600_000}
    steps = [{"id": "pause", "type": "time.wait", "config": config}]
    return publish({"id": "pausing", "name": "Pausing", "steps": steps})
