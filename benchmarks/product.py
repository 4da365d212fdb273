"""This product, as it is benchmarked: its own services, registry and a no-op action."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from engine.actions.action import Action, ActionContext
from engine.actions.registry import Registry, default_registry
from engine.contract import Json
from engine.gateway.connect import Connection
from engine.gateway.runs import TemporalRunGateway
from engine.services.context import Limits, Services
from engine.store.session import Store, in_transaction

SLOTS = 20
NO_LIMIT = 1_000_000


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _do_nothing(_input: Nothing, _context: ActionContext) -> dict[str, Json]:
    return {}


NOOP = Action(
    id="bench.noop",
    version=1,
    Input=Nothing,
    Output=Nothing,
    run=_do_nothing,
    summary="Does nothing.",
    repeatable=True,
    quick=True,
)


def registry() -> Registry:
    registry = default_registry(plugins=())
    registry.register(NOOP)
    return registry


def services(store: Store, connection: Connection) -> Services:
    return Services(
        store=store,
        gateway=TemporalRunGateway(connection, in_transaction),
        catalogue=registry(),
        limits=Limits(launches_per_minute=NO_LIMIT),
    )


def document(steps: int) -> dict[str, Json]:
    """A workflow of so many no-op action steps."""
    return {
        "id": f"bench-{steps}",
        "name": f"{steps} steps",
        "steps": [
            {
                "id": f"s{index}",
                "type": "action.call",
                "config": {"actionId": NOOP.id, "version": NOOP.version, "inputMapping": {}},
            }
            for index in range(steps)
        ],
    }
