"""How the API describes its errors: every operation may answer with a problem, and they all look alike."""

from typing import Any

from shared.runtime.problems import MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with our problems in place of the framework's validation errors."""
    schemas: dict[str, Any] = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in _FRAMEWORK:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template=_REF)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    refused = {
        "description": "Refused",
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }
    for path in schema.get("paths", {}).values():
        for operation in path.values():
            answers = operation["responses"]
            if _REF.format(model="HTTPValidationError") in str(answers.get("422")):
                del answers["422"]
            answers["4XX"] = refused
            answers["5XX"] = {**refused, "description": "Failed, or not available right now"}
    return schema
