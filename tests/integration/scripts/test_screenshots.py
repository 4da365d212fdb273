"""The pictures: every page that the application has is there, in both looks."""

from __future__ import annotations

from pathlib import Path

from scripts.screenshots.__main__ import FOLDER, LOOKS
from tests.scene.served import served


def test_every_page_of_the_application_has_its_pictures(tmp_path: Path) -> None:
    with served(tmp_path) as scene:
        names = ["sign-in", *scene.pages]
    wanted = {f"{name}-{look}.png" for name in names for look in LOOKS}
    assert wanted == {path.name for path in FOLDER.glob("*.png")}, "take them: make screenshots"
