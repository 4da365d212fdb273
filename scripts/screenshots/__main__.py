"""Take them: python -m scripts.screenshots [FOLDER]. Nothing but Chromium is needed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scripts import find_chromium
from tests.scene.desk import ADMIN, NOW, PASSWORD
from tests.scene.served import Scene, served

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "img"
Look = Literal["light", "dark"]
LOOKS: Final[tuple[Look, ...]] = ("light", "dark")
WINDOW: Final = ViewportSize(width=1120, height=760)


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    chromium = find_chromium.find(may_install=False)
    if chromium is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as data,
        served(Path(data)) as scene,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        taken = [name for look in LOOKS for name in _take(browser, look, scene, folder)]
        browser.close()
    for old in {path.name for path in folder.glob("*.png")} - set(taken):
        (folder / old).unlink()
    print(f"{len(taken)} pictures in {folder}")
    return 0


def _take(browser: Browser, look: Look, scene: Scene, folder: Path) -> list[str]:
    """The names of the files."""
    context = browser.new_context(
        base_url=scene.url,
        color_scheme=look,
        viewport=WINDOW,
        timezone_id="Europe/Berlin",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto("/sign-in")
    taken = [_picture(page, folder, f"sign-in-{look}.png")]
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Runs", exact=True).wait_for()
    for name, address in scene.pages.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        taken.append(_picture(page, folder, f"{name}-{look}.png"))
    context.close()
    return taken


def _picture(page: Page, folder: Path, name: str) -> str:
    page.screenshot(path=folder / name)
    return name


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
