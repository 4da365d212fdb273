"""Signing in and out in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import EMAIL, PASSWORD, sign_in


def test_a_page_asks_to_sign_in_and_is_shown_then(stranger: Page) -> None:
    stranger.goto("/workflows/ticket-triage")
    expect(stranger).to_have_url(re.compile(r"/sign-in\?next="))
    stranger.get_by_label("Email").fill(EMAIL)
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger).to_have_url(re.compile(r"/workflows/ticket-triage$"))
    stranger.get_by_role("button", name="Sign out").click()
    stranger.goto("/runs")
    expect(stranger).to_have_url(re.compile("/sign-in"))


def test_a_wrong_password_is_said_and_the_email_is_kept(stranger: Page) -> None:
    sign_in(stranger, "not the password")
    expect(stranger.get_by_role("alert")).to_be_visible()
    expect(stranger.get_by_label("Email")).to_have_value(EMAIL)
    expect(stranger.get_by_label("Password")).to_have_value("")
