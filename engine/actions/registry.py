"""Which actions there are: the built-in ones, the pure transforms, and third parties'.

The registry is what publish checks, plans and the worker agree on; `fingerprint` tells whether two
processes have the same one (docs/rules.md 11, WRONG_REGISTRY).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import EntryPoint

from engine.actions import builtin
from engine.actions.action import Action
from engine.actions.builtin import ActionOptions
from engine.actions.plugins import PluginBroken, installed, load
from engine.definitions.catalogue import ActionSpec
from engine.errors import Category, RunStudioError, StepFailed
from engine.interpreter.transforms import TRANSFORMS
from engine.interpreter.transforms.transform import Transform
from engine.runs.strict_json import canonical


class ActionRefused(RunStudioError):
    """An action that cannot be registered; the message names it and says why."""

    code = "ACTION_REFUSED"


class Registry:
    """Implements `engine.definitions.catalogue.Catalogue`."""

    def __init__(
        self,
        actions: Iterable[Action] = (),
        *,
        transforms: Mapping[tuple[str, int], Transform] = TRANSFORMS,
    ) -> None:
        self._actions: dict[tuple[str, int], Action] = {}
        self._specs = {key: _spec_of(key, transform) for key, transform in transforms.items()}
        self._fingerprint: str | None = None
        for action in actions:
            self.register(action)

    def register(self, action: Action) -> None:
        """Raises `ActionRefused` for a duplicate and for an action that breaks a rule."""
        _check(action)
        key = (action.id, action.version)
        if key in self._specs:
            raise ActionRefused(f"{action.name} is registered already")
        self._actions[key] = action
        self._specs[key] = action.spec
        self._fingerprint = None

    def get(self, action: str, version: int) -> Action:
        """The action to run; pure transforms are not here, they run inside the workflow.

        Raises ActionError with code UNKNOWN_ACTION: this worker does not have it.
        """
        found = self._actions.get((action, version))
        if found is None:
            raise StepFailed(
                Category.ACTION,
                f"This worker has no action {action}@{version}.",
                code="UNKNOWN_ACTION",
            )
        return found

    def find(self, action: str, version: int) -> ActionSpec | None:
        return self._specs.get((action, version))

    def versions(self, action: str) -> list[int]:
        return sorted(version for name, version in self._specs if name == action)

    def names(self) -> list[str]:
        return sorted({name for name, _ in self._specs})

    def specs(self) -> list[ActionSpec]:
        return [self._specs[key] for key in sorted(self._specs)]

    def fingerprint(self) -> str:
        """SHA-256 over ids, versions, schemas and flags of everything that is registered."""
        if self._fingerprint is None:
            self._fingerprint = self._described()
        return self._fingerprint

    def _described(self) -> str:
        described = [
            {**asdict(spec), "in_transaction": self._is_in_transaction(spec)}
            for spec in self.specs()
        ]
        return hashlib.sha256(canonical(described).encode()).hexdigest()

    def _is_in_transaction(self, spec: ActionSpec) -> bool:
        action = self._actions.get((spec.action, spec.version))
        return action is not None and action.in_transaction


def _spec_of(key: tuple[str, int], transform: Transform) -> ActionSpec:
    return ActionSpec(
        action=key[0],
        version=key[1],
        input_schema=transform.input_model.model_json_schema(),
        output_schema=transform.output_model.model_json_schema(mode="serialization"),
        summary=transform.summary,
        pure=True,
        repeatable=True,
    )


def _check(action: Action) -> None:
    if not action.id or action.version < 1:
        raise ActionRefused(f"{action.name}: an action has an id and a version from 1")
    for model in (action.Input, action.Output):
        if model.model_config.get("extra") != "forbid":
            raise ActionRefused(f"{action.name}: {model.__name__} must forbid extra fields")
    if action.quick and action.repeatable is not True:
        raise ActionRefused(
            f"{action.name}: an action that is not repeatable cannot be quick (docs/rules.md 3)"
        )
    if action.in_transaction and not action.quick:
        raise ActionRefused(f"{action.name}: work inside the transaction must be quick")


def default_registry(
    options: ActionOptions | None = None, *, plugins: Iterable[EntryPoint] | None = None
) -> Registry:
    """The built-in actions and those of every installed package that offers some.

    Raises `PluginBroken` or `ActionRefused`, which name the package's entry point.
    """
    registry = Registry(builtin.actions(options or ActionOptions()))
    for point in installed() if plugins is None else plugins:
        for action in load(point):
            try:
                registry.register(action)
            except ActionRefused as error:
                raise PluginBroken(f"The actions {point.name!r}: {error.message}") from error
    return registry
