"""The gateway, assembled: pages and API in front of the services. It keeps nothing itself."""

import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from prometheus_client import start_http_server
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from services.gateway import api, assets, places, statics
from services.gateway.addresses import API
from services.gateway.headers import Guarded
from services.gateway.pages import areas, problems
from services.gateway.pages.visit import Visits
from services.gateway.reception import Reception
from shared.kernel.errors import Refused
from shared.runtime import telemetry
from shared.runtime.ending import told_of_exit
from shared.runtime.http import Api, build_app
from shared.runtime.settings import Settings

#: Quick, and within a few percent of the smallest.
ZIP_LEVEL = 4
SMALLEST_ZIPPED = 1_024

#: Files from memory, and what stays open while somebody looks.
_UNCOUNTED = (f"{assets.MOUNTED_AT}/", api.LIVE)

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def assemble(settings: Settings) -> Api:
    reception = Reception(settings)
    visits = Visits(reception)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Said now and not by the first page: an image without its files must not begin to serve.
        assets.asset_url("app.css")
        with told_of_exit(reception.live.end), measured(settings):
            yield
        await reception.live.close()
        await reception.clients.close()

    app = build_app("gateway", _counting(settings), lifespan=lifespan, uncounted=_UNCOUNTED)
    # The services describe the API together; a description of the pages would be noise. What is measured is
    # told at a port of its own: this one is reached from outside.
    unanswered = (app.openapi_url, "/metrics")
    app.router.routes[:] = [
        route for route in app.router.routes if getattr(route, "path", "") not in unanswered
    ]
    app.state.visits = visits
    app.include_router(statics.router(statics.Statics()))
    app.include_router(api.router(reception))
    for routes in areas.ALL:
        app.include_router(routes)
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_ZIPPED, compresslevel=ZIP_LEVEL)
    _refuse(app, reception, visits)
    app.middleware_stack = Guarded(app.build_middleware_stack(), production=settings.production, api=API)
    return app


@contextmanager
def measured(settings: Settings) -> Iterator[None]:
    """Tells Prometheus what is measured, where the settings say at which port. Raises OSError where somebody
    else listens there."""
    if not settings.metrics_port:
        yield
        return
    server, thread = start_http_server(settings.metrics_port, settings.host, telemetry.REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _counting(settings: Settings) -> Settings:
    """Bodies are counted where they are read, and refused in the reader's words; the framework has others."""
    return settings.model_copy(
        update={"limits": settings.limits.model_copy(update={"body_bytes": sys.maxsize})}
    )


def _refuse(app: Api, reception: Reception, visits: Visits) -> None:
    """Problems leave as problem details from the API and as pages from everywhere else."""

    async def refused(request: Request, error: Refused) -> Response:
        if api.is_api(request):
            return await api.of_refusal(reception, request, error)
        return await problems.of_refusal(visits, request, error)

    async def http(request: Request, error: HTTPException) -> Response:
        if api.is_api(request):
            return await api.of_http(reception, request, error)
        return await problems.of_http(visits, request, error)

    async def failed(request: Request, error: Exception) -> Response:
        if api.is_api(request):
            return await api.of_bug(reception, request)
        return await problems.of_bug(visits, request)

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # Only numbers in addresses are declared: one that is none names nothing.
        return await refused(request, places.nowhere())

    handlers: dict[type[Exception], Handler] = {
        Refused: refused,
        HTTPException: http,
        RequestValidationError: invalid,
        Exception: failed,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


app = assemble(Settings.from_env())
