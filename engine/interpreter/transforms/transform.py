"""What a pure action is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.contract import Json
from engine.interpreter.transforms.fields import Fields


@dataclass(frozen=True, slots=True)
class Transform:
    """`run` gets the validated input and gives the output as a plain object.

    It raises nothing but `StepFailed`, touches no clock, and gives the same for the same input.
    """

    input_model: type[Fields]
    output_model: type[Fields]
    run: Callable[[Any], dict[str, Json]]
    summary: str
