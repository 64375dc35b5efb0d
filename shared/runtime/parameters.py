"""Which parameters may an address be asked with? Those that the API describes for it, each once unless it is
a list; any other is refused by its name. Passed over, one that is mistyped would be answered as if it had not
been asked.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from shared.kernel.errors import Refused
from shared.runtime.problems import LONGEST_FIELD

_LISTS = (list, tuple, set, frozenset)


class Parameters:
    """What the routes of one application know, each found out once."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[str, bool]] = {}

    async def check(self, request: Request) -> None:
        """Raises Refused. Of addresses that the API does not describe (pages, what operators ask) nothing is
        known, and nothing refused."""
        if not request.scope["query_string"]:
            return
        route = request.scope.get("route")
        if isinstance(route, APIRoute) and route.include_in_schema:
            known = self._known.get(route.unique_id)
            if known is None:
                known = self._known[route.unique_id] = _parameters_of(route)
            _check(known, Counter(name for name, _ in request.query_params.multi_items()))


def takes_none(request: Request) -> None:
    """Of an address that is asked with no parameters, though the API does not describe it. Raises Refused."""
    _check({}, Counter(request.query_params.keys()))


def _check(known: Mapping[str, bool], given: Mapping[str, int]) -> None:
    for name, times in given.items():
        shown = name[:LONGEST_FIELD]
        if not known:
            raise Refused(
                "takes-no-parameters",
                "This address takes no parameters, so none that is called {name}.",
                field=shown,
                params={"name": shown},
            )
        if name not in known:
            raise Refused(
                "no-such-parameter",
                "There is no parameter {name} here. There are: {known}.",
                field=shown,
                params={"name": shown, "known": ", ".join(sorted(known))},
            )
        if times > 1 and not known[name]:
            raise Refused(
                "parameter-twice",
                "{name} is given more than once. Give it once.",
                field=shown,
                params={"name": shown},
            )


def _parameters_of(route: APIRoute) -> Mapping[str, bool]:
    """By name, whether it may be given more than once."""
    return {
        field.alias: _is_list(field.field_info.annotation)
        for field in get_flat_params(route.dependant)
        if isinstance(field.field_info, params.Query)
    }


def _is_list(annotation: Any) -> bool:
    """Also one that may be left out: `list[str] | None`."""
    return get_origin(annotation) in _LISTS or any(map(_is_list, get_args(annotation)))
