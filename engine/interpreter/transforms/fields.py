"""Inputs and outputs of actions as pydantic models, and what a wrong input says.

Models are strict (text is no number) and refuse fields they do not name. JSON has one kind of
number, so that 3.0, which an expression may give, is the whole number 3. A fault never repeats the
value: it may be a secret.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.runs.strict_json import child_pointer


class Fields(BaseModel):
    """Base of inputs and outputs; a field `max_length` is written `maxLength`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        ser_json_inf_nan="constants",
    )


class Result(Fields):
    """Base of outputs that Python code makes: it uses the Python names."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number, also when it comes as 3.0."""

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], value: Json) -> Model:
    """`value` as `model`. Raises ValidationError with `details.problems`, [{pointer, message}]."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = _problems(error)
        first = problems[0]
        raise StepFailed(
            Category.VALIDATION,
            f"The input does not fit: {first['pointer'] or 'the input'}: {first['message']}",
            code="INVALID_INPUT",
            details={"problems": problems},
        ) from None


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"pointer": _pointer(fault["loc"]), "message": fault["msg"]} for fault in faults]


def _pointer(location: tuple[int | str, ...]) -> str:
    pointer = ""
    for part in location:
        pointer = child_pointer(pointer, part)
    return pointer
