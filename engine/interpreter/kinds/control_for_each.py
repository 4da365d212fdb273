"""control.forEach: the body once for each item, one after the other or several at once.

Inside, `item`, `index`, `length`, `isFirst`, `isLast` and the author's item name are known; the
item is also in vars under its name, and what was there before comes back afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Category, StepFailed
from engine.interpreter import fields
from engine.interpreter.concurrent_items import run_concurrently
from engine.interpreter.failure import Failure
from engine.interpreter.loop_items import ItemErrors, begin_item, local_names
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def control_for_each(branch: Branch, opened: OpenStep) -> bool:
    if not opened.resumed:
        await _begin(branch, opened)
    opened.output = {"items": len(opened.state["items"])}
    if not opened.state["items"] or not opened.step.blocks.get("body"):
        return False
    if opened.config.get("concurrency", 1) > 1:
        return await run_concurrently(branch, opened)
    return await _one_by_one(branch, opened)


async def _begin(branch: Branch, opened: OpenStep) -> None:
    items = await fields.value(branch, opened, "items")
    if not isinstance(items, list):
        raise StepFailed(
            Category.VALIDATION, f"The items must be a list, not {fields.described(items)}."
        )
    opened.block = "body"
    name = opened.config["itemVar"]
    variables = branch.scope.vars
    opened.state = {
        "items": items,
        "next": 0,
        "previous": {"value": variables[name]} if name in variables else {},
    }
    ItemErrors(branch, opened).begin()


async def _one_by_one(branch: Branch, opened: OpenStep) -> bool:
    state, name = opened.state, opened.config["itemVar"]
    outer_iter, outer_local = branch.iter, branch.scope.local
    errors = ItemErrors(branch, opened)
    resumed = opened.resumed
    with branch.inside(opened), branch.handled_by(errors.handler):
        try:
            while state["next"] < len(state["items"]):
                index = state["next"]
                branch.iter = (*outer_iter, index)
                if resumed:
                    branch.scope.set_local(local_names(outer_local, opened, index))
                    resumed = False
                else:
                    opened.index = 0
                    begin_item(branch.scope, outer_local, opened, index)
                try:
                    if await branch.run_block(opened):
                        return True
                except Failure as failure:
                    errors.take(index, failure)
                state["next"] = index + 1
        finally:
            branch.iter = outer_iter
            branch.scope.set_local(outer_local)
            branch.scope.put_back(name, state["previous"])
    return False
