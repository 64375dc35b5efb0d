"""What does the API look like as a whole? The services' own descriptions, merged."""

import json
import re
from collections.abc import Mapping
from typing import Any

from services.gateway.addresses import API, SERVICES, public
from services.gateway.clients import Away, Clients

_SCHEMAS = "#/components/schemas/"
_REFERENCE = re.compile(f'"{_SCHEMAS}([^"]+)"')
_BEARER = "bearer"
_ABOUT = (
    "All that members can do, for programs. A parameter or a field that an address does not describe is "
    "refused by its name."
)
#: The same everywhere; every other model takes its service's name in front.
_SHARED = frozenset({"Problem", "Fault"})
_METHODS = frozenset({"get", "put", "post", "patch", "delete", "head", "options"})


class Description:
    """The merged description; a service that is away is described as it last was."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._parts: dict[str, Mapping[str, Any]] = {}
        self._whole: dict[str, Any] | None = None

    async def whole(self) -> dict[str, Any]:
        """Raises Away while no service can be described."""
        if self._whole is not None:
            return self._whole
        away: Away | None = None
        for service in SERVICES:
            try:
                self._parts[service] = json.loads(
                    (await self._clients.ask(service, "GET", "/openapi.json")).content
                )
            except Away as error:
                away = error
        if not self._parts and away is not None:
            raise away
        merged = merge(self._parts)
        self._whole = merged if away is None else None
        return merged


def merge(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One OpenAPI 3.1 document of the services' own."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for service, described in parts.items():
        for path, operations in described.get("paths", {}).items():
            if (shown := public(service, path)) is not None:
                paths[shown] = {
                    method: _operation(service, operation) if method in _METHODS else operation
                    for method, operation in operations.items()
                }
        for name, schema in described.get("components", {}).get("schemas", {}).items():
            schemas[_named(service, name)] = _renamed(service, schema)
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "description": "A personal access token, made under Settings, Access tokens.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fikarum", "version": "1", "description": _ABOUT},
        "servers": [{"url": API}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": _used(paths, schemas), "securitySchemes": {_BEARER: bearer}},
    }


def _operation(service: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = _renamed(service, operation)
    changed["operationId"] = f"{service}_{operation['operationId']}"
    if "security" in changed:
        changed["security"] = [{_BEARER: []}]
    return changed


def _used(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The models that the paths speak of, and those that these speak of."""
    found: dict[str, Any] = {}
    todo = [json.dumps(paths)]
    while todo:
        for name in _REFERENCE.findall(todo.pop()):
            if name not in found:
                found[name] = schemas[name]
                todo.append(json.dumps(schemas[name]))
    return dict(sorted(found.items()))


def _named(service: str, name: str) -> str:
    return name if name in _SHARED else f"{service.capitalize()}{name}"


def _renamed(service: str, node: Any) -> Any:
    """The same, with references to models under their new names."""
    if isinstance(node, Mapping):
        return {key: _renamed(service, value) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(service, item) for item in node]
    if isinstance(node, str) and node.startswith(_SCHEMAS):
        return _SCHEMAS + _named(service, node.removeprefix(_SCHEMAS))
    return node
