"""Every page passes axe in light and in dark, fits a phone, and has targets that can be hit.

The pages are the scene's: made from the application's own routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

from tests.e2e.conftest import complaints
from tests.scene.served import Scene

RULES: Final[dict[str, Any]] = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}
COLOURS: Final = RULES | {"runOnly": ["color-contrast", "link-in-text-block"]}
DESK: Final = ViewportSize(width=1120, height=800)
PHONES: Final = (390, 320)
_AXE: Final = Axe()


@pytest.mark.timeout(600)
def test_every_page_passes_axe_in_light_and_dark_and_fits_every_window(
    visit: Callable[..., Page], scene: Scene
) -> None:
    page = visit(color_scheme="light", viewport=DESK)
    said = complaints(page)
    faults: list[str] = []
    for name, address in scene.pages.items():
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        page.evaluate(_AXE.axe_script)
        faults += _violations(page, f"{name} in light", RULES)
        page.emulate_media(color_scheme="dark")
        faults += _violations(page, f"{name} in dark", COLOURS)
        page.emulate_media(color_scheme="light")
        faults += _too_wide(page, name)
    assert faults == []
    assert said == []


def _violations(page: Page, where: str, options: dict[str, Any]) -> list[str]:
    found = page.evaluate("(options) => axe.run(options)", options)
    return [
        f"{where}: {fault['id']}: {node['html'][:120]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def _too_wide(page: Page, name: str) -> list[str]:
    """Nothing scrolls sideways but what has a scroll bar of its own."""
    faults = []
    for width in PHONES:
        page.set_viewport_size(ViewportSize(width=width, height=800))
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            faults.append(f"{name} is {over} px too wide at {width} px")
    page.set_viewport_size(DESK)
    return faults


def test_targets_are_at_least_24_pixels(visit: Callable[..., Page], scene: Scene) -> None:
    page = visit()
    small: list[str] = []
    for name, address in scene.pages.items():
        page.goto(address)
        small += [
            f"{name}: {one}"
            for one in page.evaluate(
                """() => [...document.querySelectorAll(
                    "button, .button, summary, select, input:not([type=hidden]), nav a, td a, th a"
                  )].filter((e) => e.checkVisibility())
                    .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
                    .filter(([, box]) => box.height < 24 || box.width < 24)
                    .map(([e, box]) => `${box.width} by ${box.height}: ${e.outerHTML.slice(0, 99)}`)
                """
            )
        ]
    assert small == []
