"""What expressions see and writes change: payload, vars, local, meta, error, system.

Values are never changed in place: a write makes new containers along its path, so that whatever
an expression returned, a checkpoint holds or a concurrent branch shares stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.contract import Json
from engine.expressions.paths import Target, assign
from engine.interpreter.account import Account
from engine.interpreter.host import ValueRef
from engine.interpreter.references import FetchedValues, within

WRITABLE: Final = ("payload", "vars", "meta", "error")

_ABSENT: Final[Any] = object()


@dataclass(frozen=True, slots=True)
class Snapshot:
    payload: Json
    vars: dict[str, Json]
    meta: dict[str, Json]
    error: Json
    with_refs: dict[tuple[str, str], None]
    own_bytes: int


class Scope:
    """One branch's scopes. `local` holds the names of all loops around, inner ones win."""

    __slots__ = (
        "_account", "_context", "_own_bytes", "_with_refs",
        "error", "local", "meta", "payload", "system", "vars",
    )  # fmt: skip

    def __init__(
        self, *, payload: Json, meta: dict[str, Json], system: dict[str, Json], account: Account
    ) -> None:
        self.payload = payload
        self.vars: dict[str, Json] = {}
        self.local: dict[str, Json] = {}
        self.meta = meta
        self.error: Json = None
        self.system = system
        self._account = account
        self._own_bytes = 0
        self._context: dict[str, Json] | None = None
        self._with_refs: dict[tuple[str, str], None] = {}
        """Where references are: ("vars", name) or (scope, "")."""

    def begin(self) -> None:
        """Count what a run begins with; it fits, whatever it is."""
        size = sum(self._held_by(getattr(self, name)) for name in WRITABLE)
        self._account.change(size, even_if_full=True)
        self._find_references()

    def take_up(self, scopes: Mapping[str, Json], size: int) -> None:
        """Go on from a checkpoint's scopes; `size` as it was counted then."""
        for name in WRITABLE:
            setattr(self, name, scopes[name])
        self._account.change(size, even_if_full=True)
        self._context = None
        self._find_references()

    def _find_references(self) -> None:
        found = {("vars", name): value for name, value in self.vars.items()}
        found |= {(name, ""): getattr(self, name) for name in ("payload", "meta", "error")}
        self._with_refs = {key: None for key, value in found.items() if _holds_reference(value)}

    # Reading

    def context(self) -> dict[str, Json]:
        """The one expression context: scopes by name, then names of loops, then vars."""
        if self._context is None:
            self._context = self._context_of(self.vars, self.payload, self.meta, self.error)
        return self._context

    async def context_for(
        self, roots: frozenset[str] | None, values: FetchedValues
    ) -> dict[str, Json]:
        """The context with true values in place of the references that `roots` lead to."""
        wanted = [key for key in self._with_refs if _reads(roots, *key)]
        if not wanted:
            return self.context()
        parts: dict[str, Json] = {name: getattr(self, name) for name in WRITABLE}
        for name, var in wanted:
            if var:
                true = await values.substitute(self.vars[var])
                parts["vars"] = {**parts["vars"], var: true}
            else:
                parts[name] = await values.substitute(parts[name])
        return self._context_of(parts["vars"], parts["payload"], parts["meta"], parts["error"])

    @property
    def holds_references(self) -> bool:
        return bool(self._with_refs)

    def as_data(self) -> dict[str, Json]:
        """All scopes, as a parent's output mapping sees them; references stay references."""
        return {
            "payload": self.payload,
            "vars": self.vars,
            "local": self.local,
            "meta": {**self.system, **self.meta},
            "error": self.error,
            "system": self.system,
        }

    def _context_of(
        self, variables: dict[str, Json], payload: Json, meta: dict[str, Json], error: Json
    ) -> dict[str, Json]:
        context = {**variables, **self.local} if self.local else dict(variables)
        context["payload"] = payload
        context["vars"] = variables
        context["local"] = self.local
        context["meta"] = {**self.system, **meta}
        context["error"] = error
        context["system"] = self.system
        return context

    # Writing

    def write(self, target: Target, value: Json) -> None:
        """Raises StepFailed: StateTooLarge, or a path that leads through what is no container."""
        before = getattr(self, target.scope)
        after = assign(before, target.segments, value)
        self._count(before, after, target.segments[0])
        setattr(self, target.scope, after)
        self._context = None
        self._note(target.scope, target.segments[0] if target.scope == "vars" else "", value)

    async def reach(self, target: Target, values: FetchedValues) -> None:
        """Put the true value where a reference stands in the way of a write inside it."""
        inside = getattr(self, target.scope)
        for depth, segment in enumerate(target.segments[:-1], start=1):
            inside = inside.get(segment) if isinstance(inside, dict) else None
            if isinstance(inside, ValueRef):
                true = await values.value(inside)
                self.write(Target(target.scope, target.segments[:depth]), true)

    def set_var(self, name: str, value: Json, *, even_if_full: bool = False) -> None:
        """`vars.<name>`, the name taken as it is."""
        before = self.vars.get(name, _ABSENT)
        by = self._bytes_of(name, value) - (
            0 if before is _ABSENT else self._bytes_of(name, before)
        )
        self._account.change(by, even_if_full=even_if_full)
        self._own_bytes += by
        self.vars = {**self.vars, name: value}
        self._context = None
        self._note("vars", name, value)

    def put_back(self, name: str, previous: Mapping[str, Json]) -> None:
        """`vars.<name>` as it was before a loop: {"value": …}, or {} where there was none."""
        if "value" in previous:
            self.set_var(name, previous["value"], even_if_full=True)
            if _holds_reference(previous["value"]):
                self._with_refs["vars", name] = None
        elif name in self.vars:
            by = -self._bytes_of(name, self.vars[name])
            self._account.change(by)
            self._own_bytes += by
            self.vars = {key: value for key, value in self.vars.items() if key != name}
            self._context = None
            self._with_refs.pop(("vars", name), None)

    def set_error(self, data: dict[str, Json]) -> None:
        """The failure that was handled last; it fits however full the scopes are."""
        by = self._held_by(data) - self._held_by(self.error)
        self._account.change(by, even_if_full=True)
        self._own_bytes += by
        self.error = data
        self._context = None
        self._with_refs.pop(("error", ""), None)

    def set_local(self, local: dict[str, Json]) -> None:
        self.local = local
        self._context = None

    # Branching

    def snapshot(self) -> Snapshot:
        """What `restore` goes back to: a step that fails half-way has written nothing."""
        return Snapshot(
            self.payload, self.vars, self.meta, self.error, dict(self._with_refs), self._own_bytes
        )

    def restore(self, before: Snapshot) -> None:
        self.payload, self.vars = before.payload, before.vars
        self.meta, self.error = before.meta, before.error
        self._with_refs = before.with_refs
        self._account.change(before.own_bytes - self._own_bytes, even_if_full=True)
        self._own_bytes = before.own_bytes
        self._context = None

    def fork(self) -> Scope:
        """A concurrent item's own scopes: what it writes is not visible outside."""
        other = Scope(payload=None, meta={}, system=self.system, account=self._account)
        for name in (*WRITABLE, "local"):
            setattr(other, name, getattr(self, name))
        other._with_refs = dict(self._with_refs)
        return other

    def release(self) -> None:
        """Give back what this branch's own writes counted, at its end."""
        self._account.change(-self._own_bytes, even_if_full=True)
        self._own_bytes = 0

    def _count(self, before: Json, after: Json, name: str) -> None:
        """Exact, and cheap where it matters: only what the path's first name holds is measured."""
        if isinstance(before, dict):
            old = self._bytes_of(name, before[name]) if name in before else 0
            by = self._bytes_of(name, after[name]) - old
        else:
            by = self._held_by(after) - self._held_by(before)
        self._account.change(by)
        self._own_bytes += by

    def _held_by(self, scope: Json) -> int:
        """A whole scope, counted as its members are."""
        if not isinstance(scope, dict):
            return self._account.size(scope)
        return 2 + sum(self._bytes_of(name, value) for name, value in scope.items())

    def _bytes_of(self, name: str, value: Json) -> int:
        """A member of an object: `"name":value,`."""
        return len(name) + 4 + self._account.size(value)

    def _note(self, scope: str, var: str, written: Json) -> None:
        """Keep account of where references are. What expressions gave never holds one."""
        key = (scope, var)
        if isinstance(written, ValueRef):
            self._with_refs[key] = None
        elif key in self._with_refs:
            holder = self.vars[var] if var else getattr(self, scope)
            if not _holds_reference(holder):
                del self._with_refs[key]


def _holds_reference(value: Json) -> bool:
    return any(True for _ in within(value))


def _reads(roots: frozenset[str] | None, scope: str, var: str) -> bool:
    return roots is None or scope in roots or (bool(var) and var in roots)
