"""Take them: python -m scripts.screenshots [FOLDER]. Nothing but Chromium is needed."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from flask_migrate import upgrade
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from app import create_app
from engine.settings import Settings
from scripts import find_chromium
from scripts.screenshots import scene
from tests.engine_fake import FakeEngine

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "img"
Look = Literal["light", "dark"]
LOOKS: Final[tuple[Look, ...]] = ("light", "dark")


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium.find(may_install=False)
    if chromium is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    with _served() as (url, addresses), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for look in LOOKS:
            _take(browser, look, url, addresses, folder)
        browser.close()
    print(f"{len(LOOKS) * (len(addresses) + 1)} pictures in {folder}")
    return 0


def _take(browser: Browser, look: Look, url: str, addresses: dict[str, str], folder: Path) -> None:
    context = browser.new_context(
        base_url=url,
        color_scheme=look,
        viewport={"width": 1120, "height": 760},
        timezone_id="UTC",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto("/sign-in")
    page.screenshot(path=folder / f"sign-in-{look}.png")
    page.get_by_label("Email").fill(scene.EMAIL)
    page.get_by_label("Password").fill(scene.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Runs").wait_for()
    for name, address in addresses.items():
        response = page.goto(address)
        if response is None or not response.ok:
            raise RuntimeError(f"{address} does not answer as it should")
        page.wait_for_timeout(100)
        page.screenshot(path=folder / f"{name}-{look}.png")
    context.close()


@contextmanager
def _served() -> Iterator[tuple[str, dict[str, str]]]:
    """The web alone, over a database of its own that holds the scene."""
    with tempfile.TemporaryDirectory() as data:
        app = create_app(Settings(data_dir=Path(data)), gateway=FakeEngine())
        with app.app_context():
            upgrade()
        services = app.extensions["run_studio"]
        addresses = scene.make(services)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", addresses
        server.shutdown()
        server.server_close()
        services.store.engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
