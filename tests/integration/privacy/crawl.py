"""Every address that a browser can read: made of the routes, then followed from page to page.

A new route is crawled without anybody thinking of it. One with a new kind of argument fails until
`VALUES` knows values for it: a guarantee that nobody looks at is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from itertools import product
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

_FOLLOWED = {"href", "action", "src", "hx-get", "hx-post", "data-href", "data-src"}
_AT_MOST = 25
"""Addresses that are read of one route by one operator: links to filters and pages go on and on."""

QUERIES: dict[str, tuple[str, ...]] = {
    "runs.show": ("steps_before=99999", "step=root.steps%5B0%5D"),
    "runs.timeline": ("before=99999",),
    "runs.ask_replay": ("edit=1", "edit=1&version=1"),
    "runs.export": ("history=1",),
    "runs.log": ("level=DEBUG", "q=password"),
    "runs.index": ("status=FAILED", "queued=1", "q=0"),
    "waits.index": ("kind=human",),
}
"""Beside what links lead to."""


def seeds(app: Flask, values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every route that is read, with each value of its arguments."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        for address in _filled(app, rule, values):
            for query in ("", *QUERIES.get(rule.endpoint, ())):
                yield rule.endpoint, f"{address}?{query}" if query else address


def _filled(app: Flask, rule: Rule, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    names = sorted(rule.arguments)
    unknown = [name for name in names if name not in values]
    assert not unknown, f"{rule.rule} has arguments that no value is known for: {unknown}"
    for chosen in product(*(values[name] for name in names)):
        built = rule.build(dict(zip(names, chosen, strict=True)))
        assert built is not None
        yield built[1]


class Crawl:
    """A queue of addresses, each once; what pages link to comes after the routes themselves."""

    def __init__(self, app: Flask, values: Mapping[str, Sequence[str]]) -> None:
        self._router = app.url_map.bind("localhost")
        self._waiting = deque(address for _, address in seeds(app, values))
        self._seen = set(self._waiting)
        self._read: dict[str, int] = {}

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            address = self._waiting.popleft()
            endpoint = self.endpoint(address)
            if endpoint is None:
                continue
            self._read[endpoint] = self._read.get(endpoint, 0) + 1
            yield address

    @property
    def endpoints(self) -> set[str]:
        return set(self._read)

    def endpoint(self, address: str) -> str | None:
        """None: it is no address of ours that is read."""
        try:
            found, _ = self._router.match(urlsplit(address).path, method="GET")
        except HTTPException:
            return None
        return str(found)

    def follow(self, address: str, html: str) -> None:
        for link in links(html):
            parts = urlsplit(urljoin(f"http://localhost{address}", link))
            if parts.netloc != "localhost":
                continue
            found = f"{parts.path}?{parts.query}" if parts.query else parts.path
            endpoint = self.endpoint(found)
            if endpoint is None or found in self._seen or self._read.get(endpoint, 0) > _AT_MOST:
                continue
            self._seen.add(found)
            self._waiting.append(found)


def links(html: str) -> list[str]:
    parser = _Links()
    parser.feed(html)
    return parser.found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in _FOLLOWED and value]
