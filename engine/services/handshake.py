"""The web and the workers tell each other which actions they know, through the database.

A run is checked by the web's registry and executed by a worker's. Each web process writes down its
own; a worker compares when it starts, and the web whenever it shows its workers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, runtime_checkable

from sqlalchemy import select

from engine.definitions.catalogue import ActionSpec
from engine.services.context import Services
from engine.store.workers import Handshake
from engine.version import VERSION

EVERY: Final = timedelta(minutes=1)
FRESH_FOR: Final = timedelta(minutes=10)
"""A web without visitors says nothing for a while."""


@dataclass(frozen=True, slots=True)
class Known:
    """The actions that a process knows."""

    fingerprint: str
    """Of their schemas and flags too."""
    actions: tuple[str, ...]
    """`name@version`, sorted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Between this process's actions and those of the web."""

    release: str
    """The web's."""
    lacks: tuple[str, ...]
    """What the web knows and this process does not."""
    knows_more: tuple[str, ...]


@runtime_checkable
class _Registry(Protocol):
    def fingerprint(self) -> str: ...
    def specs(self) -> Sequence[ActionSpec]: ...


def known_here(services: Services) -> Known | None:
    """None: this process has no registry (a command that needs none, a test)."""
    registry = services.catalogue
    if not isinstance(registry, _Registry):
        return None
    actions = sorted(f"{spec.action}@{spec.version}" for spec in registry.specs())
    return Known(registry.fingerprint(), tuple(actions))


def shake(services: Services) -> None:
    """Write down what this web process knows."""
    known = known_here(services)
    if known is None:
        return
    with services.store.writing() as session:
        session.merge(
            Handshake(
                registry_fingerprint=known.fingerprint,
                release=VERSION,
                registry_json=list(known.actions),
                seen_at=services.now(),
            )
        )


def difference_to_web(services: Services) -> Difference | None:
    """How this process's actions differ from those of the web; None: not, or no web was seen."""
    mine = known_here(services)
    with services.store.reading() as session:
        webs = session.scalars(
            select(Handshake)
            .where(Handshake.seen_at >= services.now() - FRESH_FOR)
            .order_by(Handshake.seen_at.desc())
        ).all()
    if mine is None or not webs or mine.fingerprint in {web.registry_fingerprint for web in webs}:
        return None
    lacks, more = lacking_and_more(mine.actions, webs[0].registry_json)
    return Difference(release=webs[0].release, lacks=lacks, knows_more=more)


def lacking_and_more(of: Collection[str], beside: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `beside` knows and `of` does not, and the reverse. `beside`: as a row has it; a release
    that did not say which actions it knows lacks nothing that is known."""
    if not isinstance(beside, list):
        return (), ()
    return tuple(sorted(set(beside) - set(of))), tuple(sorted(set(of) - set(beside)))
