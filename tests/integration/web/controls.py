"""Everything on a page that can be pressed, found in its HTML: links, and forms by each button."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from tests.integration.web.browser import Browser, Page


@dataclass(frozen=True)
class Control:
    """A link (no method) or one button of a form."""

    address: str
    method: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    def endpoint(self, app: Flask) -> str:
        adapter = app.url_map.bind("localhost")
        return str(adapter.match(self.path, method=self.method.upper() or "GET")[0])


def controls_of(page: Page, at: str) -> list[Control]:
    """In their order on the page; `at`: its address, which a form without an action goes to."""
    return [*_links(page), *_buttons(page, at)]


def posts_of(page: Page, at: str) -> list[Control]:
    return [control for control in _buttons(page, at) if control.method == "post"]


def _links(page: Page) -> Iterator[Control]:
    """Within the product; where a fragment of the page itself is meant, the page has it."""
    for link in dict.fromkeys(page.links()):
        if link.startswith("#"):
            assert page.by_id(link[1:]) is not None, f"{link} leads nowhere"
        elif link.startswith("/"):
            yield Control(link)
    for _, attributes in page.elements:
        if "hx-get" in attributes:
            yield Control(attributes["hx-get"])


def _buttons(page: Page, at: str) -> Iterator[Control]:
    for form in page.forms:
        for button in form.submits:
            address = button.get("formaction") or form.action or at
            pressed = {button["name"]: button.get("value", "")} if "name" in button else {}
            yield Control(address, form.method.lower(), form.fields | pressed)


def press(browser: Browser, control: Control, **typed: object) -> TestResponse:
    """A form's text fields are filled in where `typed` names one of them."""
    if control.method == "post":
        return browser.post(control.address, control.fields | typed)
    query = urlencode(control.fields)
    return browser.get(control.address + (f"?{query}" if query else ""))
