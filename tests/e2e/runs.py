"""What an operator does in the browser, in the words of the tests."""

from __future__ import annotations

import re
import time
from typing import Final
from urllib.parse import parse_qs

from playwright.sync_api import Locator, Page, Request, expect

RUN_PAGE = re.compile(r"/runs/[0-9a-f-]{36}$")

PATIENCE_S: Final = 40


def status(page: Page) -> Locator:
    """The badge of the run whose page it is."""
    return page.locator("#run-live .badge").first


def comes_to_be(page: Page, wanted: str) -> None:
    """The run's status. Without scripts the page is loaded again sooner than by itself."""
    until = time.monotonic() + PATIENCE_S
    while _reloads(page) and status(page).inner_text() != wanted and time.monotonic() < until:
        page.wait_for_timeout(300)
        page.reload()
    expect(status(page)).to_have_text(wanted)


def _reloads(page: Page) -> bool:
    """What stands in <noscript> is an element only where scripts are off."""
    return page.locator("meta[http-equiv=refresh]").count() > 0


def run_id(page: Page) -> str:
    """Of the run on whose page the browser is, or comes to be."""
    expect(page).to_have_url(RUN_PAGE)
    return page.url.rsplit("/", 1)[-1]


def start(page: Page, key: str, payload: str) -> str:
    """By raw JSON; the run's id."""
    page.goto(f"/workflows/{key}/run")
    if page.locator("#raw[open]").count() == 0:
        page.locator("#raw > summary").click()
    page.get_by_label("Payload (JSON)").fill(payload)
    page.get_by_role("button", name="Run", exact=True).click()
    return run_id(page)


def replay(page: Page, old: str) -> tuple[str, dict[str, list[str]]]:
    """Press Replay on the form; the new run's id, and the fields that were sent."""

    def is_it(request: Request) -> bool:
        return request.method == "POST" and request.url.endswith(f"/runs/{old}/replay")

    with page.expect_request(is_it) as sent:
        page.get_by_role("button", name="Replay", exact=True).click()
    fields = parse_qs(sent.value.post_data or "", keep_blank_values=True)
    expect(page).not_to_have_url(re.compile(old))
    return run_id(page), fields
