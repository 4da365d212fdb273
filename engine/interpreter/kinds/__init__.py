"""The closed set of step kinds, one file each. A new kind is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.interpreter.kinds.action_call import action_call
from engine.interpreter.kinds.control_call_workflow import control_call_workflow
from engine.interpreter.kinds.control_for_each import control_for_each
from engine.interpreter.kinds.control_if import control_if
from engine.interpreter.kinds.control_return import control_return
from engine.interpreter.kinds.control_try_catch import control_try_catch
from engine.interpreter.kinds.event_wait import event_wait
from engine.interpreter.kinds.human_task import human_task
from engine.interpreter.kinds.registry import Handler
from engine.interpreter.kinds.state_set import state_set
from engine.interpreter.kinds.time_wait import time_wait
from engine.interpreter.kinds.transform_assign import transform_assign

KINDS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "action.call": action_call,
        "transform.assign": transform_assign,
        "state.set": state_set,
        "control.if": control_if,
        "control.forEach": control_for_each,
        "control.tryCatch": control_try_catch,
        "control.return": control_return,
        "control.callWorkflow": control_call_workflow,
        "time.wait": time_wait,
        "event.wait": event_wait,
        "human.task": human_task,
    }
)
