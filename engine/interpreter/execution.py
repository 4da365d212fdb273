"""What all branches of one run share: the host, positions, budgets, prepared templates."""

from __future__ import annotations

from typing import Final

from engine.contract import Json
from engine.definitions.plan import PlanStep
from engine.expressions.language import ExpressionFailed
from engine.expressions.limits import MAX_EVALUATIONS, MAX_RESULT_BYTES
from engine.interpreter.account import LIMIT_BYTES, Account, too_large
from engine.interpreter.host import Host, StepEnd, StepPlace
from engine.interpreter.references import FetchedValues
from engine.interpreter.scope import Scope
from engine.interpreter.templates import Slot, Template

YIELD_AFTER: Final = MAX_EVALUATIONS
"""A value of many expressions is evaluated with the chance to yield in between: one expression
may take 5,000 evaluations, and a workflow task 20,000 (docs/rules.md 10)."""

SLOTS_NOT_WEIGHED: Final = LIMIT_BYTES // MAX_RESULT_BYTES
"""So many expressions cannot make a value above the limit: each result has one of its own."""


class Execution:
    def __init__(self, host: Host, run_id: str) -> None:
        self.host = host
        self.run_id = run_id
        self.account = Account()
        self.values = FetchedValues(host.fetch)
        self.position = 0
        """Of the occurrence or attempt that began last."""
        self.current_path: str | None = None
        self.executing = 1
        """Branches that execute; those that wait do not count (docs/rules.md 4)."""
        self._spent = 0
        self._records = 0
        self._templates: dict[tuple[str, str], Template] = {}

    def place(self, step: PlanStep, iter: tuple[int, ...], attempt: int) -> StepPlace:
        self.position += 1
        self.current_path = step.path
        return StepPlace(self.position, step.id, step.path, iter, step.kind, attempt, step.name)

    def record(self, end: StepEnd) -> None:
        self._records += 1
        self.host.record(end)

    def spent(self, evaluations: int) -> None:
        """Note pure work; `settle` accounts for it."""
        self._spent += evaluations

    async def settle(self) -> None:
        """Account for the pure work since the last time; here the host may yield."""
        spent, records = self._spent + self.account.take_work(), self._records
        self._spent = self._records = 0
        await self.host.spend(spent, records)

    def template(self, step: PlanStep, field: str, value: Json) -> Template:
        """`value`, prepared: the part of the step's config that `field` names.

        Raises StepFailed(ExpressionError) for an expression that is not in the language.
        """
        key = (step.path, field)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(value)
        return template

    async def resolve(
        self,
        template: Template,
        scope: Scope,
        *,
        extra: dict[str, Json] | None = None,
    ) -> Json:
        """The value of `template`; `extra` are names that only this place knows (childRun).

        Raises StepFailed: ExpressionError, or StateTooLarge for a value above 8 MiB.
        """
        if not template.slots:
            return template.filled([])
        context = scope.context()
        if scope.holds_references:
            context = await scope.context_for(template.roots, self.values)
        if extra is not None:
            context = {**context, **await self._true(template, extra)}
        values: list[Json] = []
        size = 0
        begun_with = self._spent
        for slot in template.slots:
            if self._spent - begun_with >= YIELD_AFTER:
                await self.settle()
                begun_with = self._spent
            values.append(self._evaluated(slot, context))
            if len(template.slots) > SLOTS_NOT_WEIGHED:
                size += self.account.size(values[-1])
                if size > LIMIT_BYTES:
                    raise too_large("The value", size)
        return template.filled(values)

    async def _true(self, template: Template, extra: dict[str, Json]) -> dict[str, Json]:
        """`extra`, with true values in place of references where the template reads it."""
        roots = template.roots
        return {
            name: await self.values.substitute(value) if roots is None or name in roots else value
            for name, value in extra.items()
        }

    def _evaluated(self, slot: Slot, context: dict[str, Json]) -> Json:
        try:
            evaluated = slot.expression.evaluate(context, now=self.host.now())
        except ExpressionFailed as failed:
            self._spent += failed.evaluations
            if slot.at:
                failed.details = {**failed.details, "at": slot.at}
            raise
        self._spent += evaluated.evaluations
        return evaluated.value
