"""Does everything that an older schema allowed still mean the same under the newer one?

Within a version an optional field may be added, an enumeration may grow and a limit may loosen; no more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Schema = Mapping[str, Any]
Kind = Literal["removed", "required", "retyped"]

_PROSE = {"title", "description", "examples", "$comment", "deprecated"}
#: A lower limit may fall or go, an upper one may rise or go.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_STRUCTURE = {"properties", "required", "enum", "const", "items", "additionalProperties", "anyOf", "oneOf"}
#: What belongs to the whole document and is compared elsewhere.
_DOCUMENT = {"$schema", "$id", "$defs", "x-topic"}


@dataclass(frozen=True, slots=True)
class Breach:
    """A change that no reader agreed to; `field` is a dotted path."""

    kind: Kind
    field: str
    what: str


def breaches(old: Schema, new: Schema) -> list[Breach]:
    """Every breach between two schemas of one version of an event."""
    return list(_Comparison(old, new).objects(old, new, ""))


class _Comparison:
    """Two documents side by side; references are followed in each one's own definitions, every pair once."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old: Schema = old.get("$defs", {})
        self._new: Schema = new.get("$defs", {})
        self._compared: set[tuple[str, str]] = set()

    def objects(self, old: Schema, new: Schema, at: str) -> Iterator[Breach]:
        before: Schema = old.get("properties", {})
        after: Schema = new.get("properties", {})
        for name, schema in before.items():
            if name in after:
                yield from self.values(schema, after[name], _below(at, name))
            else:
                yield Breach("removed", _below(at, name), "is gone")
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                what = "became required" if name in before else "is new and required"
                yield Breach("required", _below(at, name), what)

    def values(self, old: Schema, new: Schema, at: str) -> Iterator[Breach]:
        pair = old.get("$ref", ""), new.get("$ref", "")
        if any(pair):
            if pair in self._compared:
                return
            self._compared.add(pair)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if difference := _difference(old, new):
            yield Breach("retyped", at, difference)
            return
        yield from self.objects(old, new, at)
        yield from self._parts(old, new, at)

    def _parts(self, old: Schema, new: Schema, at: str) -> Iterator[Breach]:
        for part in ("items", "additionalProperties"):
            before, after = old.get(part), new.get(part)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self.values(before, after, f"{at}[]")
            elif before != after:
                yield Breach("retyped", f"{at}[]", f"was {_said(before)} and is {_said(after)}")
        for part in ("anyOf", "oneOf"):
            before, after = old.get(part, ()), new.get(part, ())
            if len(before) != len(after):
                yield Breach("retyped", at, f"was {_said(before)} and is {_said(after)}")
            else:
                for one, other in zip(before, after, strict=True):
                    yield from self.values(one, other, at)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """Without references at its top; what stands beside a reference is kept."""
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}
    return schema


def _difference(old: Schema, new: Schema) -> str | None:
    """What makes these two values different in kind, leaving their parts aside."""
    if gone := [value for value in _choices(old) or () if value not in (_choices(new) or (value,))]:
        return f"no longer allows {', '.join(map(str, gone))}"
    if (_choices(old) is None) != (_choices(new) is None):
        return f"was {_said(old)} and is {_said(new)}"
    for limit in _LOWER + _UPPER:
        if narrowed := _narrowed(limit, old.get(limit), new.get(limit)):
            return narrowed
    for key in sorted(set(old) | set(new)):
        if key in _PROSE or key in _STRUCTURE or key in _DOCUMENT or key in _LOWER + _UPPER:
            continue
        if key == "default" and not (key in old and key in new):
            continue
        if (key in old) != (key in new) or old.get(key) != new.get(key):
            return _changed(key, old, new)
    return None


def _changed(key: str, old: Schema, new: Schema) -> str:
    """A default counts too: what was recorded without the field would read differently."""
    if key == "type":
        return f"was {_said(old)} and is {_said(new)}"
    before, after = (_said(schema[key]) if key in schema else "none" for schema in (old, new))
    return f"had the {key.removeprefix('x-')} {before} and has {after}"


def _choices(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _narrowed(limit: str, old: Any, new: Any) -> str | None:
    if new is None or (old is not None and (new <= old if limit in _LOWER else new >= old)):
        return None
    return f"is narrower: {limit} was {_said(old)} and is {new}"


def _said(value: Any) -> str:
    """A schema in few words."""
    match value:
        case {"type": kind, **rest}:
            return f"{kind} ({rest['format']})" if "format" in rest else str(kind)
        case {"enum": choices}:
            return f"one of {', '.join(map(str, choices))}"
        case {"anyOf": parts} | {"oneOf": parts}:
            return _said(parts)
        case {"$ref": reference}:
            return str(reference).rpartition("/")[2]
        case [] | () | None:
            return "nothing"
        case [*parts] if all(isinstance(part, Mapping) for part in parts):
            return " or ".join(map(_said, parts))
    return str(value)


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
