"""$expr, $secret and other keys with a $ in action inputs (original 2.3, 2.7)."""

from __future__ import annotations

import re
from typing import Final

from engine.contract import Json
from engine.definitions.checks.checked import Checked
from engine.definitions.findings import did_you_mean
from engine.definitions.walk import RawStep
from engine.expressions.mapping import EXPRESSION_KEY, Place, is_expression, is_secret
from engine.expressions.result import SECRET_KEY

SECRET_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")


def check_special_keys(checked: Checked) -> None:
    for step in checked.steps:
        if step.kind == "action.call":
            _check(checked, step, step.config.get("inputMapping"), ("inputMapping",))


def _check(checked: Checked, step: RawStep, value: Json, place: Place) -> None:
    waiting: list[tuple[Place, Json]] = [(place, value)]
    while waiting:
        here, one = waiting.pop()
        if is_expression(one):
            if len(one) > 1:
                message = f"{_name(here)}: nothing may stand beside $expr."
                checked.error(step, "INVALID_EXPRESSION", message)
        elif is_secret(one):
            _check_secret(checked, step, one, here)
        elif isinstance(one, dict):
            for key in one:
                if key.startswith("$"):
                    message = f"{_name((*here, key))}: {key} has no meaning here."
                    suggestion = did_you_mean(key, (EXPRESSION_KEY, SECRET_KEY))
                    checked.warning(step, "UNKNOWN_SPECIAL_KEY", message, suggestion)
            waiting.extend(((*here, key), member) for key, member in reversed(one.items()))
        elif isinstance(one, list):
            waiting.extend(((*here, index), one[index]) for index in reversed(range(len(one))))


def _check_secret(checked: Checked, step: RawStep, one: dict[str, Json], place: Place) -> None:
    name = one[SECRET_KEY]
    if len(one) > 1:
        message = f"{_name(place)}: nothing may stand beside $secret."
        checked.error(step, "INVALID_SECRET_NAME", message)
    if not isinstance(name, str) or not SECRET_NAME.fullmatch(name):
        checked.error(
            step,
            "INVALID_SECRET_NAME",
            f"{_name(place)}: a secret's name has capitals, digits and _, a capital first.",
        )
    elif checked.secrets is not None and name not in checked.secrets:
        message = f"{_name(place)}: there is no secret {name} here."
        checked.warning(step, "UNKNOWN_SECRET", message, did_you_mean(name, checked.secrets))


def _name(place: Place) -> str:
    return ".".join(map(str, place))
