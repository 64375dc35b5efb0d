"""What a request may bring: known fields, exact types, and text that can be stored, sent and shown."""

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, field_validator
from pydantic_core import CoreSchema, PydanticCustomError

from shared.runtime.settings import Limits

#: Control characters other than tab, line feed and carriage return, and halves of surrogate pairs.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_DEEPEST = Limits().json_depth
#: What MongoDB can store as a whole number.
_LEAST, _MOST = -(2**63), 2**63 - 1


def fit_text(text: str) -> str:
    """`text` itself; raises PydanticCustomError (a ValueError) where it holds what no text should."""
    found = _UNFIT.search(text)
    if found:
        raise PydanticCustomError(
            "text_characters",
            "Character {at} of this text is a control character or half of one. Remove it.",
            {"at": found.start() + 1},
        )
    return text


def _check(value: object) -> None:
    """Text anywhere within `value`, and how deep it goes. Not recursive: the depth is what somebody sent."""
    todo: list[tuple[object, int]] = [(value, 1)]
    while todo:
        item, depth = todo.pop()
        if depth > _DEEPEST:
            raise PydanticCustomError("nested_too_deep", "This is nested too deeply.")
        match item:
            case str():
                fit_text(item)
            case int() if not _LEAST <= item <= _MOST:
                raise PydanticCustomError("number_too_large", "This number is too large.")
            case float() if not math.isfinite(item):
                raise PydanticCustomError("finite_number", "This is not a number.")
            case Mapping():
                todo.extend((part, depth + 1) for pair in item.items() for part in pair)
            case list() | tuple() | set() | frozenset():
                todo.extend((part, depth + 1) for part in item)


def _exact(schema: Any) -> None:
    """Makes numbers and booleans in `schema` strict: "5" is no number and "yes" no truth value."""
    todo = [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if node.get("type") in {"int", "float", "bool"}:
                node["strict"] = True
            todo.extend(node.values())
        elif isinstance(node, list | tuple):
            todo.extend(node)


class Input(BaseModel):
    """The body of a request. Fields say their own lengths; unknown fields are refused by name."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False, use_enum_values=False
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _exact(schema)
        return schema

    @field_validator("*", mode="after")
    @classmethod
    def _fit(cls, value: Any) -> Any:
        _check(value)
        return value
