"""Every control of every page works and does what it says: found in the pages, not listed here.

A page, or a button, that somebody adds is pressed from then on; for a button that does something
new this fails until `pressing.EFFECTS` says what that is. `test_controls.py` does the same with a
run's page for each status, role and state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from flask import Flask

from engine.runs.roles import Role
from tests.engine_fake import FakeEngine
from tests.integration.web.browser import Browser
from tests.integration.web.controls import posts_of, press
from tests.integration.web.pressing import EFFECTS, ON_EVERY_PAGE, follow_links, press_buttons
from tests.integration.web.world import PAGES, World

PUBLIC: Final = {"static", "health.live", "health.ready", "auth.sign_in"}
FILES_OF_A_STEP: Final = "runs.step_file"
"""Its address names a step; it is reached by the links of the page of a run."""
NO_PAGE: Final = {"definitions.simulate", "auth.begin"}
"""For programs; and the sign-in, which every test here goes through."""


def _gets(app: Flask) -> set[str]:
    rules = app.url_map.iter_rules()
    return {rule.endpoint for rule in rules if "GET" in (rule.methods or ())}


def _posts(app: Flask) -> set[str]:
    rules = app.url_map.iter_rules()
    return {rule.endpoint for rule in rules if "POST" in (rule.methods or ())}


def test_every_page_is_looked_at_and_every_post_has_an_effect_here(app: Flask) -> None:
    assert _gets(app) - PUBLIC - {FILES_OF_A_STEP} == set(PAGES)
    assert _posts(app) - NO_PAGE - ON_EVERY_PAGE == set(EFFECTS)


@pytest.mark.parametrize("role", list(Role))
def test_every_link_leads_somewhere_and_every_button_does_what_it_says(
    app: Flask,
    engine: FakeEngine,
    sign_in: Callable[[str], Browser],
    living_worker: Callable[[], None],
    role: Role,
) -> None:
    living_worker()
    world = World(app, sign_in(role), engine, role)
    pressed: set[str] = set()
    for makers in PAGES.values():
        for make in makers:
            follow_links(world, make)
            pressed |= press_buttons(world, make)
    if role is Role.ADMIN:
        assert pressed == set(EFFECTS), "what no page offers to an admin"
    if role is Role.VIEWER:
        assert {name.split(".")[0] for name in pressed} == {"saved_views"}


@pytest.mark.parametrize("role", list(Role))
def test_what_stands_on_every_page_does_what_it_says(
    app: Flask, sign_in: Callable[[str], Browser], role: Role
) -> None:
    browser = sign_in(role)
    found = posts_of(browser.page("/waits"), "/waits")
    assert {control.endpoint(app) for control in found} == ON_EVERY_PAGE
    assert press(browser, found[0]).status_code == 303
    assert browser.get("/runs").status_code == 303, "signed out"
