"""Every page with JavaScript off: it is whole, and each of its forms does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.e2e.conftest import sign_in
from tests.scene.desk import ADMIN
from tests.scene.served import Scene, served

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_EXPECTED: Final = {"run-missing": 404, "run-compare-unknown": 422}
"""Pages that show an error, beside those whose name says it."""


@pytest.fixture
def plain(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Page, Scene]]:
    """A browser without scripts on a scene of its own: forms change its rows."""
    with (
        served(tmp_path) as scene,
        chromium.new_context(java_script_enabled=False, base_url=scene.url) as context,
    ):
        page = context.new_page()
        sign_in(page, email=ADMIN)
        yield page, scene


@pytest.mark.timeout(600)
def test_every_page_is_whole_and_every_form_of_it_answers(plain: tuple[Page, Scene]) -> None:
    page, scene = plain
    pressed: set[str] = set()
    faults: list[str] = []
    for name, address in scene.pages.items():
        answer = page.goto(address)
        assert answer is not None
        expected = int(name.removeprefix("error-")) if name.startswith("error-") else 200
        if answer.status != _EXPECTED.get(name, expected):
            faults.append(f"{name} is answered by {answer.status}")
        faults += [f"{name}: {fault}" for fault in _faults(page)]
        while (form := _new_form(page, pressed)) is not None:
            faults += [f"{name}: {fault}" for fault in _press(page, form)]
            page.goto(address)
    assert faults == []
    assert {"post /runs/*/cancel", "post /runs/*/replay", "post /waits/*/answer"} <= pressed


def _faults(page: Page) -> list[str]:
    """What a page without scripts must have, and must not."""
    faults = []
    if page.locator("h1").count() != 1:
        faults.append("it has not one heading")
    if page.locator("time:not([title*=UTC])", has_not_text="UTC").count():
        faults.append("it has a time that does not say that it is UTC")
    faults += [
        f"only a script does this: {found.inner_text()}"
        for found in page.locator("button[type=button]:visible").all()
    ]
    return faults


def _new_form(page: Page, pressed: set[str]) -> Locator | None:
    """A form of the page whose kind has not been pressed on any; it is noted as pressed."""
    for form in page.locator("main form").all():
        kind = f"{form.get_attribute('method')} {_place(form)}"
        if form.locator("[name=force]").count():
            kind += " at once"
        if kind not in pressed:
            pressed.add(kind)
            return form
    return None


def _place(form: Locator) -> str:
    return _ID.sub("*", (form.get_attribute("action") or "").partition("?")[0])


def _press(page: Page, form: Locator) -> list[str]:
    """Send the form as it stands: it is done, or what is missing is said beside its field."""
    button = form.locator("button[type=submit]").first
    _unfold(form)
    if not button.is_visible():
        return [f"its form to {_place(form)} has no button to be seen"]
    place = _place(form)
    with page.expect_navigation() as arrived:
        button.click()
    status = arrived.value.status
    if status < 400:
        return []
    wrong = page.locator("main [aria-invalid=true]").first
    if status != 422 or not wrong.count():
        return [f"{place} is answered by {status}"]
    described = (wrong.get_attribute("aria-describedby") or "").split()
    if not any(page.locator(f"[id='{one}']").inner_text() for one in described):
        return [f"{place} does not say beside the field what is wrong"]
    if not wrong.evaluate("(field) => field === document.activeElement"):
        return [f"{place}: the faulty field is not focused"]
    return []


def _unfold(form: Locator) -> None:
    around = form.locator("xpath=ancestor::details[not(@open)]/summary")
    for summary in around.all():
        summary.click()
