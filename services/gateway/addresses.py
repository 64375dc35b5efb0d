"""Which address of the API belongs to which service? The one table, read in both directions."""

from collections.abc import Sequence

from services.gateway import places
from services.gateway.clients import part

API = "/api/v1"
SERVICES = ("identity", "feed", "groups", "wiki", "search", "engagement")
#: First parts of the addresses that are for members, the same here and there. All else is among services.
_OWNERS = {
    "members": "identity",
    "me": "identity",
    "sessions": "identity",
    "units": "identity",
    "feed": "feed",
    "posts": "feed",
    "comments": "feed",
    "pictures": "feed",
    "topics": "feed",
    "reach": "feed",
    "groups": "groups",
    "invitations": "groups",
    "wiki": "wiki",
    "search": "search",
    "suggestions": "search",
    "signals": "engagement",
    "consent": "engagement",
    "coaching": "engagement",
    "metrics": "engagement",
}
#: Members' addresses that a service calls otherwise: `/metrics` of a service is the operators'.
_OTHERWISE = {"metrics": "figures"}
_HERE = {there: here for here, there in _OTHERWISE.items()}
_OPERATE = "operate"


def destination(path: str) -> tuple[str, str]:
    """The service that answers `path` (below `/api/v1/`) and its own address for it. Raises NotFound."""
    parts = path.split("/")
    if parts[0] == _OPERATE and len(parts) > 2 and parts[1] in SERVICES:
        return parts[1], _joined([_OPERATE, *parts[2:]])
    if parts[0] not in _OWNERS or parts[0] in _HERE:
        raise places.nowhere()
    return _OWNERS[parts[0]], _joined([_OTHERWISE.get(parts[0], parts[0]), *parts[1:]])


def public(service: str, path: str) -> str | None:
    """What a service's address is called here, below `/api/v1`; None for what is not for members."""
    parts = path.removeprefix("/").split("/")
    if parts[0] == _OPERATE:
        return "/" + "/".join([_OPERATE, service, *parts[1:]])
    if parts[0] in _OTHERWISE:
        return None
    here = _HERE.get(parts[0], parts[0])
    return "/" + "/".join([here, *parts[1:]]) if _OWNERS.get(here) == service else None


def _joined(parts: Sequence[str]) -> str:
    return "".join("/" + part(text) for text in parts)
