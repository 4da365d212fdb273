"""The pictures: every page of the scene answers, and each has its picture in both looks."""

from __future__ import annotations

from pathlib import Path

from app import create_app
from engine.settings import Settings
from scripts.screenshots import scene
from scripts.screenshots.__main__ import FOLDER, LOOKS
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser


def test_every_page_of_the_scene_answers_and_has_a_picture(sqlite_url: str, tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path, database_url=sqlite_url), gateway=FakeEngine())
    services = app.extensions["run_studio"]
    addresses = scene.make(services)
    browser = Browser(app)
    browser.sign_in(scene.EMAIL, scene.PASSWORD)
    for name, address in addresses.items():
        assert browser.get(address).status_code == 200, name
    missing = [
        f"{name}-{look}.png"
        for name in [*addresses, "sign-in"]
        for look in LOOKS
        if not (FOLDER / f"{name}-{look}.png").exists()
    ]
    services.store.engine.dispose()
    assert missing == []
