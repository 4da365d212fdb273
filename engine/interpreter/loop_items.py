"""What the items of a loop have in common, whether they run one by one or at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.contract import Json
from engine.interpreter.failure import Failure
from engine.interpreter.open_step import OpenStep
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


def begin_item(scope: Scope, outer: dict[str, Json], loop: OpenStep, index: int) -> None:
    """Raises StepFailed(StateTooLarge)."""
    scope.set_local(local_names(outer, loop, index))
    scope.set_var(loop.config["itemVar"], loop.state["items"][index])


def local_names(outer: dict[str, Json], loop: OpenStep, index: int) -> dict[str, Json]:
    """The names of this item over those of the loops around."""
    items = loop.state["items"]
    return {
        **outer,
        "item": items[index],
        "index": index,
        "length": len(items),
        "isFirst": index == 0,
        "isLast": index == len(items) - 1,
        loop.config["itemVar"]: items[index],
    }


class ItemErrors:
    """onItemError continue: failures by item in `vars.<stepId>Errors`, empty when there is none."""

    def __init__(self, branch: Branch, loop: OpenStep) -> None:
        self._branch = branch
        self._loop = loop
        self.goes_on = loop.config.get("onItemError") == "continue"
        self.handler = "item" if self.goes_on else branch.handler

    def begin(self) -> None:
        if self.goes_on:
            self._branch.scope.set_var(self._name, [])

    def take(self, index: int, failure: Failure) -> None:
        """Raises the failure again when the loop does not go on."""
        if not (self.goes_on and failure.catchable):
            raise failure
        self._branch.scope.set_error(failure.data)
        self.add([(index, failure.data)])

    def add(self, failures: list[tuple[int, dict[str, Json]]]) -> None:
        """Raises StepFailed(StateTooLarge): the loop's own failure."""
        before = self._branch.scope.vars.get(self._name)
        items = self._loop.state["items"]
        more = [{"index": index, "item": items[index], "error": error} for index, error in failures]
        self._branch.scope.set_var(
            self._name, [*before, *more] if isinstance(before, list) else more
        )

    @property
    def _name(self) -> str:
        return f"{self._loop.step.id}Errors"
