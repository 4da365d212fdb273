"""One run's redaction: the rules that hold for it, and the values it is known to hide.

A masked value must stay masked wherever an author copies it to: into a later step's input, an
error's message, a log line. So the redactor first learns what stands at masked places of the
payload and of the steps' outputs, and is then used for all of it (docs/architecture.md 4). A run
that was called also keeps masked what its caller hides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from engine.contract import Json
from engine.runs.payload import RedactedPayload
from engine.runs.redaction import Redactor
from engine.services.context import Services
from engine.services.outline import Outline, saved_at
from engine.services.values import reference_in


@dataclass(frozen=True, slots=True)
class Rules:
    """The installation's rules, beside the built-in ones."""

    patterns: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()

    @classmethod
    def of(cls, services: Services) -> Rules:
        return cls(services.redaction_patterns, services.redaction_pointers)


class StepValues(Protocol):
    """What is learned from, and shown of, a step: its row, or a part of it."""

    @property
    def step_path(self) -> str: ...
    @property
    def input_json(self) -> Json: ...
    @property
    def output_json(self) -> Json: ...


class RunRedaction:
    def __init__(
        self, rules: Rules, outline: Outline, payload: Json, above: RunRedaction | None = None
    ) -> None:
        """`above`: of the run that called it, whose masked values stay masked in it."""
        sealed = above.sealed if above else frozenset[str]()
        self._outline = outline
        self._sealed_whole = False
        try:
            pointers = (*rules.pointers, *outline.redact)
            redactor = Redactor(rules.patterns, pointers, sealed=sealed)
        except ValueError:
            # A document from before its pointers were checked: nothing of its data is shown.
            self._sealed_whole = True
            redactor = Redactor(rules.patterns, ("/payload", "/vars"), sealed=sealed)
        self._redactor = redactor.knowing(payload, "/payload")
        self._var_rules = tuple(
            pointer for pointer in (*rules.pointers, *outline.redact) if pointer.startswith("/vars")
        )

    @property
    def sealed(self) -> frozenset[str]:
        """What it is known to hide. For the redaction of other runs only."""
        return self._redactor.sealed

    def learn(self, steps: Iterable[StepValues]) -> None:
        """Seal what stands at masked places of these steps' inputs and outputs."""
        self._redactor = self._redactor.knowing_all(
            part
            for step in steps
            for part in self._parts(step.step_path, step.input_json, step.output_json)
        )

    def writes_masked_vars(self, path: str) -> bool:
        """Does the step save where a /vars rule points at, into or above?"""
        step = self._outline.of(path)
        if step is None or not self._var_rules:
            return False
        if step.kind == "transform.assign":
            return True
        root = step.saved_at
        return root is not None and any(
            f"{rule}/".startswith(f"{root}/") or f"{root}/".startswith(f"{rule}/")
            for rule in self._var_rules
        )

    @property
    def masked_writers(self) -> list[str]:
        """Paths of the steps whose outputs must be known whatever is shown."""
        return [path for path in self._outline.steps if self.writes_masked_vars(path)]

    def payload(self, value: Json) -> RedactedPayload:
        return self._redactor.redact(value, "/payload")

    def value(self, value: Json, root: str = "") -> RedactedPayload:
        return self._redactor.redact(value, "/vars" if self._sealed_whole else root)

    def text(self, text: str | None) -> str | None:
        return None if text is None else self._redactor.redact_text(text)

    def step_output(self, path: str, value: Json) -> RedactedPayload:
        step = self._outline.of(path)
        if step is not None and step.kind == "transform.assign" and isinstance(value, dict):
            return RedactedPayload(
                {
                    self._redactor.redact_text(target): self._assigned(target, item)
                    for target, item in value.items()
                }
            )
        return self.value(value, (step.saved_at if step else None) or "")

    def _assigned(self, target: str, item: Json) -> Json:
        """A written value, under the rules of its place and of the name it is written to."""
        root = saved_at(target) or ""
        name = root.rpartition("/")[2]
        redacted = self.value({name: item}, root.rpartition("/")[0]).value
        return next(iter(redacted.values()))

    def _parts(self, path: str, given: Json, made: Json) -> Iterable[tuple[Json, str]]:
        if given is not None:
            yield given, ""
        if made is None or reference_in(made) is not None:
            return
        step = self._outline.of(path)
        if step is not None and step.kind == "transform.assign" and isinstance(made, dict):
            for target, item in made.items():
                root = saved_at(target) or ""
                parent, _, name = root.rpartition("/")
                yield {name: item}, parent
        else:
            yield made, (step.saved_at if step else None) or ""
