"""Which lines a run has gone along."""

from __future__ import annotations

from typing import Any

from engine.definitions.drawing.layout import lay_out
from engine.definitions.drawing.shapes import Line, Role
from engine.definitions.drawing.steps import steps_to_draw
from engine.definitions.drawing.walked import Passes, lines_walked
from tests.unit.drawing.documents import action, branch, document, guarded, loop, stop

ONCE = Passes(begun=1, done=1)
FAILED = Passes(begun=1, failed=1)


def walked(of: dict[str, Any], **passes: Passes) -> list[Line]:
    """`passes` by short names: s0 is root.steps[0], s0_then_s1 its second step within."""
    drawing = lay_out(steps_to_draw(of))
    return list(lines_walked(drawing, {_path(name): found for name, found in passes.items()}))


def _path(name: str) -> str:
    path = "root"
    for part in name.split("_"):
        path += f".steps[{part[1:]}]" if part[1:].isdigit() else f".{part}"
    return path


def ends(lines: list[Line]) -> set[tuple[str, str | None, str | None]]:
    return {(line.role.value, line.source, line.target) for line in lines}


def test_before_a_run_begins_no_line_is_walked() -> None:
    assert walked(document(action(), branch([action()]), loop([action()]))) == []


def test_a_run_is_seen_where_it_is_and_not_beyond() -> None:
    lines = walked(document(action(), action(), action()), s0=ONCE, s1=Passes(begun=1))
    assert [line.target for line in lines] == ["root.steps[0]", "root.steps[1]"]


def test_to_the_end_only_when_the_last_step_is_done() -> None:
    of = document(action())
    assert ends(walked(of, s0=ONCE)) == {
        ("enter", None, "root.steps[0]"), ("leave", "root.steps[0]", None),
    }  # fmt: skip
    assert len(walked(of, s0=FAILED)) == 1


def test_of_two_branches_the_one_that_was_taken() -> None:
    lines = walked(document(branch([action()], [action()])), s0=ONCE, s0_else_s0=ONCE)
    inside = {line.source for line in lines if line.role is Role.LEAVE}
    assert inside == {"root.steps[0].else.steps[0]", "root.steps[0]"}


def test_a_branch_without_steps_was_taken_when_the_other_was_not() -> None:
    of = document(branch([action()]))
    assert any(line.role is Role.SKIP for line in walked(of, s0=ONCE))
    assert not any(line.role is Role.SKIP for line in walked(of, s0=ONCE, s0_then_s0=ONCE))


def test_in_a_loop_both_branches_may_have_been_taken() -> None:
    of = document(loop([branch([action()])]))
    thrice, twice = Passes(begun=3, done=3), Passes(begun=2, done=2)
    roles = {line.role for line in walked(of, s0=ONCE, s0_body_s0=thrice, s0_body_s0_then_s0=twice)}
    assert roles == set(Role)


def test_the_line_back_was_taken_from_the_second_item_on() -> None:
    of = document(loop([action()]))
    assert not any(line.role is Role.REPEAT for line in walked(of, s0=ONCE, s0_body_s0=ONCE))
    twice = Passes(begun=2, done=2)
    assert any(line.role is Role.REPEAT for line in walked(of, s0=ONCE, s0_body_s0=twice))


def test_a_return_in_a_branch_is_not_left() -> None:
    of = document(branch([stop()]), action())
    lines = walked(of, s0=ONCE, s0_then_s0=ONCE)
    assert not any(line.role is Role.LEAVE for line in lines)


def test_a_catch_without_steps_was_entered_when_the_try_failed() -> None:
    of = document(guarded([action()], []))
    assert any(line.is_fault for line in walked(of, s0=ONCE, s0_try_s0=FAILED))
    assert not any(line.is_fault for line in walked(of, s0=ONCE, s0_try_s0=ONCE))


def test_of_two_branches_without_steps_none_is_claimed() -> None:
    lines = walked(document(branch([], [])), s0=ONCE)
    assert not any(line.role is Role.SKIP for line in lines)
