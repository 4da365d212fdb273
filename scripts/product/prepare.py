"""Before each start, and harmless at each: the schema at head, the samples, the first operator.

    python -m scripts.product.prepare [--without-samples]

The last line is JSON, for `make run`: {"published": [KEY...], "operators": N, "email", "password"};
the password only where it was made here. It is shown once: only its hash is kept.
"""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from engine import compose
from engine.contract import Json
from engine.definitions.hashing import canonical_hash
from engine.errors import RunStudioError
from engine.runs import strict_json
from engine.services import find_definitions, manage_operators, publish_definition
from engine.services.context import Actor, RunGateway, Services
from engine.services.publish_definition import DocumentRefused
from engine.settings import ROOT, Settings
from engine.store import schema
from engine.store.session import Store, make_engine
from scripts.product.greeting import Prepared

SAMPLES = ROOT / "samples"
FIRST_OPERATOR = "admin@localhost"
ACTOR = Actor(source="command")


class NoGateway:
    """Nothing here talks to Temporal; what would, fails."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"preparing called {name}")


def main(options: list[str]) -> int:
    settings = compose.read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.effective_database_url, pool_size=2)
    try:
        schema.upgrade(engine)
        services = _services(settings, Store(engine))
        published = [] if "--without-samples" in options else publish_samples(services, SAMPLES)
        prepared = first_operator(services, settings, published)
    except (RunStudioError, SQLAlchemyError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        engine.dispose()
    print(json.dumps(asdict(prepared)))
    return 0


def publish_samples(services: Services, folder: Path) -> list[str]:
    """The keys of what is new. A sample that was published once is left to the operators.

    Samples may call one another, so that the order in which they can be published is found by
    trying; one that is refused is told, and hinders nothing else.
    """
    documents = {path.name: strict_json.parse(path.read_text()) for path in folder.glob("*.json")}
    waiting = {name: one for name, one in sorted(documents.items()) if _is_new(services, one)}
    published: list[str] = []
    while waiting:
        refused: dict[str, DocumentRefused] = {}
        for name, document in waiting.items():
            try:
                published.append(publish_definition.publish(services, document, ACTOR).key)
            except DocumentRefused as refusal:
                refused[name] = refusal
        if len(refused) == len(waiting):
            for name, why in refused.items():
                print(f"samples/{name}: {why}", *why.problems, sep="\n  ", file=sys.stderr)
            break
        waiting = {name: waiting[name] for name in refused}
    return published


def _is_new(services: Services, document: Json) -> bool:
    """No version of its workflow has this content."""
    with services.store.reading() as session:
        definition = find_definitions.by_key(session, document["id"])
        if definition is None:
            return True
        rows = find_definitions.list_versions(session, definition.workflow_id)
        versions = [
            find_definitions.version_numbered(session, definition.workflow_id, row.version)
            for row in rows
        ]
    contents = [_content(version.definition_json) for version in versions if version is not None]
    return _content(document) not in contents


def _content(document: dict[str, Json]) -> str:
    return canonical_hash({name: value for name, value in document.items() if name != "version"})


def first_operator(services: Services, settings: Settings, published: list[str]) -> Prepared:
    """ADMIN_EMAIL with ADMIN_PASSWORD; else, where there is nobody, one with a new password."""
    given = settings.admin_password.get_secret_value() if settings.admin_password else None
    email, password = settings.admin_email or FIRST_OPERATOR, given or new_password()
    made = None
    with services.store.reading() as session:
        operators = manage_operators.count_operators(session)
    if given or not operators:
        made = manage_operators.ensure_admin(services, email, password, ACTOR)
    if made is None:
        return Prepared(published, operators)
    return Prepared(published, operators + 1, made.email, None if given else password)


def new_password() -> str:
    """79 random bits, in letters and digits that nobody mistakes for one another."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def _services(settings: Settings, store: Store) -> Services:
    gateway: RunGateway = NoGateway()  # type: ignore[assignment]
    return Services(store, gateway, compose.registry(settings), compose.limits(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
