"""A real browser on the whole product: Temporal, worker, web; each test with scripts and without.

`seen` is a web application whose database and clock a test moves itself: for states that a running
engine passes too quickly, or never comes to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.security import generate_password_hash
from werkzeug.serving import make_server

from app import create_app
from engine.services.context import Services
from engine.settings import Settings
from engine.store.session import Store, make_engine
from scripts import find_chromium
from tests import builders
from tests.engine_fake import FakeEngine
from tests.integration.web.conftest import Clock
from tests.product import Product
from tests.scene.desk import ADMIN, NOW
from tests.scene.served import Scene, served

EMAIL, PASSWORD = "operator@example.com", "correct horse battery staple"
PATIENCE_MS: Final = 40_000
"""Without scripts a page shows what is new only when it reloads itself, every ten seconds."""
_FLAGS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def sign_in(page: Page, password: str = PASSWORD, *, email: str = EMAIL) -> None:
    page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium.find(may_install=False)
    if path is None:
        pytest.skip("no Chromium on this machine")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    made = Product(tmp_path_factory.mktemp("product"), ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD)
    made.start()
    made.wait_for("Ctrl-C")
    yield made
    made.end()


@pytest.fixture(scope="session")
def product_store(product: Product) -> Iterator[Store]:
    engine = make_engine(f"sqlite:///{product.data_dir / 'run-studio.sqlite3'}")
    yield Store(engine)
    engine.dispose()


@pytest.fixture(params=[True, False], ids=["scripted", "plain"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def stranger(chromium: Browser, product: Product, scripted: bool) -> Iterator[Page]:
    """A browser in which nobody has signed in, and which finds nothing to complain about."""
    with chromium.new_context(java_script_enabled=scripted, base_url=product.url) as context:
        page = context.new_page()
        said = complaints(page)
        yield page
        assert said == []


@pytest.fixture
def page(stranger: Page) -> Page:
    """An operator's browser."""
    sign_in(stranger)
    expect(stranger.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    return stranger


def complaints(page: Page) -> list[str]:
    """What the browser will have said against the page: errors, and what the CSP forbade."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console", lambda line: said.append(line.text) if _is_fault(line.type, line.text) else None
    )
    return said


def _is_fault(kind: str, text: str) -> bool:
    """An answer of 4xx is not one: forms are answered so."""
    return kind == "error" and "responded with a status of" not in text


@dataclass
class Seen:
    url: str
    store: Store
    engine: FakeEngine
    clock: Clock


@pytest.fixture
def seen(sqlite_url: str, tmp_path: Path) -> Iterator[Seen]:
    engine, clock = FakeEngine(), Clock()
    app = create_app(Settings(data_dir=tmp_path, database_url=sqlite_url), gateway=engine)
    services: Services = replace(app.extensions["run_studio"], now=clock)
    app.extensions["run_studio"] = services
    hashed = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
    builders.save(services.store, builders.operator(email=EMAIL, password_hash=hashed))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Seen(f"http://127.0.0.1:{server.server_port}", services.store, engine, clock)
    server.shutdown()
    thread.join()
    server.server_close()
    services.store.engine.dispose()


@pytest.fixture
def look(chromium: Browser, seen: Seen) -> Iterator[Callable[..., Page]]:
    """A signed-in browser on `seen`; its options are those of a browser context."""
    contexts: list[BrowserContext] = []

    def looking(**options: Any) -> Page:
        contexts.append(chromium.new_context(base_url=seen.url, **options))
        found = contexts[-1].new_page()
        sign_in(found)
        expect(found.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
        return found

    yield looking
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Every page with something to be seen on it; a test that changes rows makes its own."""
    with served(tmp_path_factory.mktemp("scene")) as made:
        yield made


@pytest.fixture
def visit(chromium: Browser, scene: Scene) -> Iterator[Callable[..., Page]]:
    """An admin's browser on the scene; its options are those of a browser context."""
    contexts: list[BrowserContext] = []

    def visiting(**options: Any) -> Page:
        contexts.append(chromium.new_context(base_url=scene.url, **options))
        found = contexts[-1].new_page()
        found.clock.set_fixed_time(NOW)
        sign_in(found, email=ADMIN)
        return found

    yield visiting
    for context in contexts:
        context.close()
