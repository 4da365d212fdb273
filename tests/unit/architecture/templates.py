"""What the tests of the templates look for, as functions of a template's source."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_FORM = re.compile(
    r"<form\b(?P<attributes>(?:\{\{.*?\}\}|\{%.*?%\}|[^>])*)>(?P<inner>.*?)</form>", re.DOTALL
)
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)
_CSRF = re.compile(r"\bcsrf(_token|_field)?\b|hidden_tag\(")


class _Roots(HTMLParser):
    """Elements that stand in no other element, with their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.roots: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.roots.append((tag, dict(attrs).get("id")))
        if tag not in _VOID:
            self.depth += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.roots.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.depth -= 1


def roots(source: str) -> list[tuple[str, str | None]]:
    """The elements outside all others. Branches of an `if` each bring their own."""
    parser = _Roots()
    parser.feed(_JINJA.sub("", source))
    return parser.roots


def expected_ids(folder: str, name: str) -> set[str]:
    """`runs/_live.html` may be `live` or `run-live`."""
    stem = name.removesuffix(".html").lstrip("_").replace("_", "-")
    noun = folder.removesuffix("s")
    return {stem, f"{noun}-{stem}", f"{folder}-{stem}"}


def faults_of_forms(source: str) -> list[str]:
    """A form has a method and an action; one that posts a CSRF token, one that gets none."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    faults = []
    if source.count("<form") != source.count("</form>"):
        faults.append("a form is not closed in its own file")
    for form in _FORM.finditer(source):
        attributes = form["attributes"]
        method = re.search(r"""\bmethod=["']?(\w+)""", attributes)
        shown = " ".join(f"<form{attributes}>".split())
        if method is None:
            faults.append(f"{shown} has no method")
        if not re.search(r"(?<![-\w])action=", attributes):
            faults.append(f"{shown} has no action")
        posts = method is None or method[1].lower() == "post"
        if posts and not _CSRF.search(form["inner"]):
            faults.append(f"{shown} has no CSRF token")
        if not posts and _CSRF.search(form["inner"]):
            faults.append(f"{shown} puts a CSRF token into an address")
    return faults
