"""While identity says nothing of its members: staff stay staff, guests guests, and nobody becomes one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from services.gateway.tests.house import House
from services.gateway.tests.visitors import Gateway


@asynccontextmanager
async def identity_but(closed: set[str], url: str) -> AsyncIterator[str]:
    """The address of something that hands on to `url`, except for the paths that are `closed`."""
    async with aiohttp.ClientSession() as http:

        async def answer(request: web.Request) -> web.Response:
            if request.path in closed:
                return web.json_response({"code": "view-being-built", "detail": "Not now."}, status=503)
            asked = {name: value for name, value in request.headers.items() if name != "Host"}
            content = await request.read()
            async with http.request(
                request.method, url + request.path_qs, data=content, headers=asked
            ) as found:
                kept = {name: found.headers[name] for name in ("Content-Type",) if name in found.headers}
                return web.Response(body=await found.read(), status=found.status, headers=kept)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


async def test_while_identity_says_nothing_of_members_staff_stay_staff_and_guests_so(
    house: House,
) -> None:
    closed = set[str]()
    async with identity_but(closed, house.settings.identity_url) as url:
        settings = house.settings.model_copy(update={"identity_url": url})
        async with Gateway(settings) as gateway:
            saga = await gateway.visitor(house.members["saga"])
            gemma = await gateway.visitor(house.members["gemma"])
            assert (await saga.see("/wiki/new")).status_code == 200
            assert (await gemma.see("/wiki/new")).status_code == 403
            closed.add("/members")
            gateway.app.state.visits.people._known.clear()  # as ten seconds later
            for path in ("/wiki/new", "/groups/new", "/adoption"):
                assert (await saga.see(path)).status_code == 200, path
                assert (await gemma.see(path)).status_code == 403, path


async def test_somebody_of_whom_nothing_is_known_is_not_refused_as_a_guest(house: House) -> None:
    closed = {"/members"}
    async with identity_but(closed, house.settings.identity_url) as url:
        settings = house.settings.model_copy(update={"identity_url": url})
        async with Gateway(settings) as gateway:
            saga = await gateway.visitor(house.members["saga"])
            for path in ("/wiki/new", "/groups/new", "/adoption"):
                answer = await saga.see(path)
                assert answer.status_code == 503 and "svarar inte just nu" in answer.text, path
            closed.clear()
            assert (await saga.see("/wiki/new")).status_code == 200
