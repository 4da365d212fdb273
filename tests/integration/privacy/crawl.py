"""Every address that a browser can read: made of the routes, then followed from page to page.

A new route is crawled without anybody thinking of it. One with a new kind of argument fails until
`VALUES` knows values for it: a guarantee that nobody looks at is none.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from itertools import product
from urllib.parse import urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

_FOLLOWED = {"href", "action", "src", "hx-get", "hx-post", "data-href", "data-src"}
_FOLLOW = 4
"""Links to one route that are followed beside what is made of the route: they go on and on."""
_FRAGMENTS = 3
"""Addresses of one route that are also asked for as fragments."""

QUERIES: dict[str, tuple[str, ...]] = {
    "runs.show": ("steps_before=99999", "step=root.steps%5B0%5D"),
    "runs.timeline": ("before=99999",),
    "runs.ask_replay": ("edit=1", "edit=1&version=1"),
    "runs.export": ("history=1",),
    "runs.step_file": tuple(f"step=root.steps%5B{number}%5D" for number in (0, 1, 6, 10, 11)),
    "runs.log": ("level=DEBUG", "q=password"),
    "runs.index": ("status=FAILED", "queued=1", "q=0"),
    "waits.index": ("kind=human",),
}
"""Beside what links lead to."""


def seeds(app: Flask, values: Mapping[str, Sequence[str]], most: int) -> Iterator[str]:
    """At most `most` addresses of every route that is read, over the values of its arguments."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        queries = ("", *(f"?{query}" for query in QUERIES.get(rule.endpoint, ())))
        there = [f"{address}{query}" for address in _filled(app, rule, values) for query in queries]
        yield from random.Random(rule.endpoint).sample(there, min(most, len(there)))


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

    def __init__(self, app: Flask, values: Mapping[str, Sequence[str]], most: int) -> None:
        self._router = app.url_map.bind("localhost")
        self._waiting = deque(seeds(app, values, most))
        self._seen = set(self._waiting)
        self._read: Counter[str] = Counter()
        self._followed: Counter[str] = Counter()

    def __iter__(self) -> Iterator[tuple[str, bool]]:
        """(address, as a fragment?)."""
        while self._waiting:
            address = self._waiting.popleft()
            endpoint = self.endpoint(address)
            if endpoint is None:
                continue
            self._read[endpoint] += 1
            yield address, False
            if self._read[endpoint] <= _FRAGMENTS:
                yield address, True

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
            if endpoint is None or found in self._seen or self._followed[endpoint] >= _FOLLOW:
                continue
            self._followed[endpoint] += 1
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
