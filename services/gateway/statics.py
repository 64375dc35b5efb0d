"""Where do style, script and pictures come from? From memory, compressed once, and kept by browsers."""

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.gateway import places
from services.gateway.assets import DIST, MOUNTED_AT
from services.gateway.headers import KEEP_FOREVER

#: Only names that change with their content may be kept for ever; nothing else of the folder is served.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}-[0-9a-f]{8,64}\.(css|js|svg|txt)")
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    zipped: bytes
    headers: dict[str, str]


class Statics:
    """The built files of a folder, read when they are first asked for."""

    def __init__(self, folder: Path = DIST) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}

    def answer(self, name: str, zipped: bool) -> Response:
        """Raises NotFound."""
        file = self._files.get(name) or self._read(name)
        if zipped:
            return Response(file.zipped, headers={**file.headers, "Content-Encoding": "gzip"})
        return Response(file.plain, headers=file.headers)

    def _read(self, name: str) -> _File:
        found = _NAME.fullmatch(name)
        try:
            content = (self._folder / name).read_bytes() if found else None
        except FileNotFoundError:
            content = None
        if found is None or content is None:
            raise places.nowhere()
        headers = {"Content-Type": _TYPES[found[1]], "Cache-Control": KEEP_FOREVER, "Vary": "Accept-Encoding"}
        file = self._files[name] = _File(content, gzip.compress(content, mtime=0), headers)
        return file


def router(statics: Statics) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get(MOUNTED_AT + "/{name}")
    async def static_file(name: str, request: Request) -> Response:
        return statics.answer(name, "gzip" in request.headers.get("accept-encoding", ""))

    return routes
