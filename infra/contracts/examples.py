"""One payload per version, made once and then kept as it is: proof that what was recorded still reads."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from infra.contracts.catalogue import Contract
from infra.contracts.schema import PERSONAL, document
from shared.kernel.personal import Sealed

Schema = Mapping[str, Any]

_BY_FORMAT = {
    "date-time": "2026-03-02T12:00:00Z",
    "date": "2026-03-02",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "0192f3a0-5b1c-7c3e-8a4d-2f6b7c8d9e0f",
    "uri": "https://intranet.example/",
    "email": "ann@example.org",
}
#: Words that the house's fields have in common; every other text is called after its field.
_BY_NAME = {
    "audience": "staff",
    "body": "# Returns\n\nScan the receipt.\n",
    "country": "SE",
    "language": "sv",
    "path": "service/returns",
    "time_zone": "Europe/Stockholm",
    "title": "Returns",
}
#: The AES-GCM parts of a sealed value that no key opens: nonce, text and tag have their true lengths.
_CIPHERTEXT = bytes(range(12 + 5 + 16))


class NeedsAHand(Exception):
    """No payload can be made up for this event; somebody has to write one."""


def payload(contract: Contract) -> str:
    """A payload of today's version with every field, as the store would record it. Raises NeedsAHand."""
    schema = document(contract)
    try:
        made = _object(schema, schema)
        return contract.event.model_validate(made).model_dump_json(indent=2) + "\n"
    except RecursionError as error:
        raise NeedsAHand("it holds itself") from error
    except ValidationError as error:
        raise NeedsAHand(str(error)) from error


def _object(schema: Schema, whole: Schema) -> dict[str, Any]:
    fields: Schema = schema.get("properties", {})
    made = {name: _value(name, field, whole) for name, field in fields.items()}
    for name, field in fields.items():
        if subject := field.get(PERSONAL):
            made[name] = str(Sealed(str(made[subject]), "event-1", name, _CIPHERTEXT))
    return made


def _value(name: str, schema: Schema, whole: Schema) -> Any:
    match schema:
        case {"$ref": reference}:
            return _value(name, whole["$defs"][reference.removeprefix("#/$defs/")], whole)
        case {"const": only}:
            return only
        case {"enum": [first, *_]}:
            return first
        case {"anyOf": parts} | {"oneOf": parts}:
            return _value(name, next(p for p in parts if p.get("type") != "null"), whole)
        case {"type": "object", "additionalProperties": dict() as values}:
            return {"key": _value(name, values, whole)}
        case {"type": "object"}:
            return _object(schema, whole)
        case {"type": "array", "prefixItems": parts}:
            return [_value(name, part, whole) for part in parts]
        case {"type": "array"}:
            return [_value(name, schema.get("items", {}), whole)]
        case {"type": "string"}:
            return _text(name, schema)
        case {"type": "integer" | "number"}:
            return _number(schema)
        case {"type": "boolean"}:
            return True
        case {"type": "null"}:
            return None
    return "anything"


def _text(name: str, schema: Schema) -> str:
    if "pattern" in schema:
        raise NeedsAHand(f"{name} follows the pattern {schema['pattern']}")
    found = _BY_FORMAT.get(schema.get("format", "")) or _BY_NAME.get(name)
    made = found or (f"{name.removesuffix('_id')}-1" if name.endswith("_id") else name.replace("_", " "))
    return made.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Schema) -> int:
    if "exclusiveMinimum" in schema:
        return int(schema["exclusiveMinimum"]) + 1
    return max(int(schema.get("minimum", 1)), min(1, int(schema.get("maximum", 1))))
