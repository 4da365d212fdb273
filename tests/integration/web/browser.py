"""A test client that reads forms and fills them in, as a browser without JavaScript does."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from engine.store.operators import Operator

PASSWORD = "correct horse battery staple"
HTMX = {"HX-Request": "true"}


@dataclass
class Form:
    action: str
    method: str
    attributes: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    """What it would send as it stands; unchecked boxes are left out."""
    submits: list[dict[str, str]] = field(default_factory=list)
    """Attributes of the buttons that send it."""


class Page(HTMLParser):
    """What tests look for in a page: its elements, texts and forms."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._textarea: str | None = None
        self._select: str | None = None
        self._of_every_page = False
        """In the search that every page has: it is none of the page's own forms."""
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def by_id(self, wanted: str) -> dict[str, str] | None:
        return next((a for _, a in self.elements if a.get("id") == wanted), None)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def form(self, action: str, **having: str) -> Form:
        for form in self.forms:
            if form.action == action and having.items() <= form.fields.items():
                return form
        raise AssertionError(f"no form for {action}: {[form.action for form in self.forms]}")

    def links(self) -> list[str]:
        return [a["href"] for a in self.all("a") if "href" in a]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag == "form":
            self._of_every_page = found.get("role") == "search"
            if not self._of_every_page:
                self.forms.append(Form(found.get("action", ""), found.get("method", "get"), found))
        elif self.forms and not self._of_every_page:
            self._note(tag, found)

    def _note(self, tag: str, found: dict[str, str]) -> None:
        """What a form sends."""
        if "name" in found and tag in {"input", "textarea", "select"}:
            self._note_field(tag, found)
        elif tag == "button" and found.get("type", "submit") == "submit":
            self._form_of(found).submits.append(found)
        elif tag == "option" and self._select is not None and "selected" in found:
            self.forms[-1].fields[self._select] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._of_every_page = False
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            # The newline right after the start tag is not part of the value.
            self.forms[-1].fields[self._textarea] = data.removeprefix("\n")
        self.texts.append(data)

    def _form_of(self, found: dict[str, str]) -> Form:
        """The form that a field or button names, else the one that it stands in."""
        if "form" in found:
            named = (form for form in self.forms if form.attributes.get("id") == found["form"])
            return next(named, self.forms[-1])
        return self.forms[-1]

    def _note_field(self, tag: str, found: dict[str, str]) -> None:
        name = found["name"]
        if tag == "textarea":
            self._textarea = name
            self.forms[-1].fields[name] = ""
        elif tag == "select":
            self._select = name
            self.forms[-1].fields[name] = ""
        elif found.get("type") not in {"checkbox", "radio"} or "checked" in found:
            self._form_of(found).fields[name] = found.get("value", "")


class Browser:
    def __init__(self, app: Flask, operator: Operator | None = None) -> None:
        self.client = app.test_client()
        self.operator = operator

    def get(self, address: str, *, htmx: bool = False, **headers: str) -> TestResponse:
        return self.client.get(address, headers=(HTMX if htmx else {}) | headers)

    def page(self, address: str) -> Page:
        response = self.get(address)
        assert response.status_code == 200, (response.status_code, response.text)
        return Page(response.text)

    def post(
        self, address: str, data: dict[str, Any] | None = None, *, htmx: bool = False, **more: Any
    ) -> TestResponse:
        """With a valid token, unless `data` brings one."""
        sent = data or {}
        if "csrf_token" not in sent:
            sent = {"csrf_token": self.token()} | sent
        headers = (HTMX if htmx else {}) | more.pop("headers", {})
        return self.client.post(address, data=sent, headers=headers, **more)

    def submit(self, form: Form, *, htmx: bool = False, **typed: Any) -> TestResponse:
        """The form as it stands, with what was typed into it."""
        return self.post(form.action, form.fields | typed, htmx=htmx)

    def token(self) -> str:
        """A CSRF token of this browser's session, from any page that has a form."""
        signed_out = self.get("/sign-in")
        html = signed_out.text if signed_out.status_code == 200 else self.get("/workflows").text
        return next(f.fields["csrf_token"] for f in Page(html).forms if "csrf_token" in f.fields)

    def sign_in(self, email: str, password: str = PASSWORD, **more: str) -> TestResponse:
        form = Page(self.get("/sign-in").text).form("/sign-in")
        return self.post("/sign-in", form.fields | {"email": email, "password": password} | more)
