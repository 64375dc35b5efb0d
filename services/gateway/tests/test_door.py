"""Signing in and out, cookies, forms of other sites, and what every answer says about safety."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.engines.ports import ports_of
from services.gateway.pages.door import device_of
from services.gateway.tests.house import House
from services.gateway.tests.visitors import SITE, Gateway
from shared.runtime.settings import Environment
from shared.tests.eventually import eventually

SIGNED_OUT = ("/", "/wiki", "/wiki/pages/x", "/wiki/new", "/settings", "/settings/tokens", "/operate")


async def test_somebody_signs_in_and_is_where_they_wanted_to_be(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor()
    asked = await visitor.see("/settings/tokens")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?back=%2Fsettings%2Ftokens")
    answer = await visitor.sign_in(house.members["saga"], back="/settings/tokens")
    assert answer.headers["location"] == "/settings/tokens"
    assert "Saga Demo" in (await visitor.see("/settings")).text


async def test_signing_out_ends_the_session_for_good(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["saga"])
    secret = visitor.client.cookies[f"fikarum_session_{house.settings.port}"]
    answer = await visitor.send("/sign-out", seen="/settings")
    assert answer.headers["location"] == "/sign-in"
    assert not visitor.client.cookies.get(f"fikarum_session_{house.settings.port}")
    again = gateway.client(Cookie=f"fikarum_session_{house.settings.port}={secret}")
    assert (await again.get("/settings")).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", SIGNED_OUT)
async def test_strangers_are_sent_to_the_door(gateway: Gateway, path: str) -> None:
    answer = await gateway.client().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


async def test_who_is_signed_out_within_a_page_comes_back_to_that_page(gateway: Gateway) -> None:
    for shown, back in (
        (f"{SITE}/wiki?sort=new", "%2Fwiki%3Fsort%3Dnew"),
        ("https://x.example/wiki", "%2Fsearch%2Fsuggestions%3Fq%3Dfika"),
        (f"{SITE}//x.example", ""),
    ):
        headers = {"HX-Request": "true", "HX-Current-URL": shown}
        answer = await gateway.client().get("/search/suggestions?q=fika", headers=headers)
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"] == (f"/sign-in?back={back}" if back else "/sign-in")


async def test_what_is_measured_is_told_at_a_port_of_its_own_and_not_at_the_door(
    house: House, tmp_path: Path
) -> None:
    (port,) = ports_of(tmp_path, ["metrics"], {}).values()
    async with Gateway(house.settings.model_copy(update={"metrics_port": port})) as gateway:
        assert (await gateway.client().get("/metrics")).status_code == 404
        async with httpx.AsyncClient(trust_env=False) as operator:
            told = await operator.get(f"http://127.0.0.1:{port}/metrics")
        assert told.status_code == 200 and "fikarum_http_requests_total" in told.text
        assert (await gateway.client().get("/health/ready")).status_code == 200


async def test_a_wrong_password_an_unknown_name_and_nonsense_look_the_same(gateway: Gateway) -> None:
    said = set()
    for username, password in (
        ("saga", "wrong" * 4),
        ("nobody", "wrong" * 4),
        ("x" * 5_000, "wrong" * 5),
        ("a", "z" * 9_000),
    ):
        visitor = await gateway.visitor()
        answer = await visitor.send("/sign-in", {"username": username, "password": password})
        assert answer.status_code == 401
        assert f"fikarum_session_{gateway.settings.port}" not in visitor.client.cookies
        assert password not in answer.text
        said.add(answer.text.partition('role="alert"')[2].partition("</p>")[0].rpartition(">")[2])
    assert len(said) == 1 and "" not in said


async def test_empty_fields_are_told_beside_them_and_what_was_typed_stays(gateway: Gateway) -> None:
    visitor = await gateway.visitor()
    answer = await visitor.send("/sign-in", {"username": "", "password": ""})
    assert answer.status_code == 422
    assert 'id="username-error"' in answer.text and 'id="password-error"' in answer.text
    answer = await visitor.send("/sign-in", {"username": 'sa"ga<', "password": ""})
    assert 'value="sa&#34;ga&lt;"' in answer.text


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:x"]
)
async def test_the_way_back_never_leads_elsewhere(gateway: Gateway, house: House, back: str) -> None:
    visitor = await gateway.visitor()
    assert (await visitor.sign_in(house.members["saga"], back=back)).headers["location"] == "/"


async def test_the_session_cookie_is_hidden_from_scripts_and_from_other_sites(
    gateway: Gateway, house: House
) -> None:
    answer = await (await gateway.visitor()).sign_in(house.members["saga"])
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if "fikarum_session" in c]
    attributes = {part.strip().lower().partition("=")[0] for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite", "path", "max-age"} <= attributes
    assert "samesite=lax" in cookie.lower() and "path=/" in cookie.lower() and "domain" not in attributes
    assert "secure" not in attributes


async def test_in_production_cookies_are_bound_to_the_host_and_to_https(house: House) -> None:
    settings = house.settings.model_copy(update={"environment": Environment.PRODUCTION})
    async with Gateway(settings) as gateway:
        client = gateway.client("https://intranet.example")
        answer = await client.get("/sign-in")
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-fikarum-visitor=")
        assert "secure" in cookie.lower() and "path=/" in cookie.lower() and "domain" not in cookie.lower()
        assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_a_form_without_its_token_is_refused(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["saga"])
    other = await gateway.visitor(house.members["jonas"])
    for fields in (
        {"x": "y"},
        {"csrf_token": ""},
        {"csrf_token": "x" * 64},
        {"csrf_token": await other.token()},
    ):
        answer = await visitor.client.post("/sign-out", data=fields, headers={"Origin": SITE})
        assert answer.status_code == 403, fields
    assert (await visitor.see("/settings")).status_code == 200


async def test_a_form_from_another_site_is_refused_even_with_a_token(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["saga"])
    token = await visitor.token()
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        answer = await visitor.client.post("/sign-out", data={"csrf_token": token}, headers=headers)
        assert answer.status_code == 403
    assert (await visitor.see("/settings")).status_code == 200


async def test_signing_in_needs_a_form_of_ours_too(gateway: Gateway, house: House) -> None:
    saga = house.members["saga"]
    fields = {"username": saga.user_name, "password": saga.password}
    client = gateway.client()
    assert (await client.post("/sign-in", data=fields)).status_code == 403
    token = await (await gateway.visitor()).token("/sign-in")
    assert (await client.post("/sign-in", data={**fields, "csrf_token": token})).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nowhere", "/health/live", "/api/v1/wiki/pages", "/static/x"]
)
async def test_every_answer_is_guarded(gateway: Gateway, path: str) -> None:
    headers = (await gateway.client().get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-correlation-id"]
    assert "server" not in headers


async def test_every_answer_under_load_is_guarded_too(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"requests_at_once": 1})
    async with Gateway(house.settings.model_copy(update={"limits": limits})) as gateway:
        bounded = gateway.app.middleware_stack.app.app  # type: ignore[union-attr]
        bounded._under_way = 1
        answer = await gateway.client().get("/sign-in")
        assert answer.status_code == 503
        assert "content-security-policy" in answer.headers


async def test_pages_come_compressed(gateway: Gateway) -> None:
    answer = await gateway.client().get("/sign-in", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "Fikarum" in answer.text


async def test_style_and_script_are_kept_for_ever(gateway: Gateway) -> None:
    client = gateway.client()
    page = (await client.get("/sign-in")).text
    for file in (each.partition('"')[0] for each in page.split('"/static/')[1:]):
        answer = await client.get(f"/static/{file.partition('#')[0]}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_language_and_theme_are_chosen_without_signing_in(gateway: Gateway) -> None:
    visitor = await gateway.visitor()
    answer = await visitor.send("/preferences/language", {"lang": "sv", "back": "/sign-in"}, seen="/sign-in")
    assert answer.headers["location"] == "/sign-in"
    page = await visitor.see("/sign-in")
    assert page.headers["content-language"] == "sv" and "Användarnamn" in page.text
    token = await visitor.token("/sign-in")
    fields = {"csrf_token": token, "theme": "dark", "back": "/sign-in"}
    await visitor.client.post("/preferences/theme", data=fields, headers={"Origin": SITE})
    assert 'data-theme="dark"' in (await visitor.see("/sign-in")).text


async def test_the_page_speaks_the_readers_language(gateway: Gateway, house: House) -> None:
    assert (
        "Användarnamn"
        in (await gateway.client().get("/sign-in", headers={"Accept-Language": "sv-SE,en;q=0.5"})).text
    )
    member = await gateway.visitor(house.members["saga"])
    page = await member.see("/settings", **{"Accept-Language": "en"})
    assert page.headers["content-language"] == "sv"


async def test_what_is_not_a_form_is_refused(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["saga"])
    for content, kind in (
        (b"{}", "application/json"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(300)), "application/x-www-form-urlencoded"),
    ):
        answer = await visitor.client.post(
            "/sign-out", content=content, headers={"Content-Type": kind, "Origin": SITE}
        )
        assert answer.status_code == 422, kind
        assert "Traceback" not in answer.text


async def test_a_form_that_is_too_large_is_refused_in_words(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["eskil"])
    large = b"csrf_token=x&body=" + b"a" * gateway.settings.limits.body_bytes

    async def pieces() -> AsyncIterator[bytes]:
        yield large[:1000]
        yield large[1000:]

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITE}
    for content in (large, pieces()):
        answer = await visitor.client.post("/wiki/new", content=content, headers=headers)
        assert answer.status_code == 413
        assert "That is too much at once" in answer.text


async def test_whoever_asks_too_often_is_asked_to_wait(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"requests_a_minute": 6, "requests_burst": 3})
    async with Gateway(house.settings.model_copy(update={"limits": limits})) as gateway:
        client = gateway.client()
        answers = [await client.get("/sign-in") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
        assert (await gateway.client(address="10.0.0.2").get("/sign-in")).status_code == 200


async def test_unknown_addresses_are_pages_with_a_way_on(gateway: Gateway, house: House) -> None:
    visitor = await gateway.visitor(house.members["jonas"])
    for path in (
        "/nowhere",
        "/wiki/pages/" + "0" * 32,
        "/wiki/pages/%2e%2e",
        "/wiki/pages/x/revisions/none",
        "/operate",
    ):
        answer = await visitor.see(path)
        assert answer.status_code == 404, path
        assert "There is nothing here" in answer.text
        assert answer.headers["x-correlation-id"] in answer.text


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140.0 Safari/537 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537 Chrome/140.0 Mobile Safari/537", "Chrome, Android"),
        ("curl/8.5.0", "curl"),
        ("x" * 500, "x" * 100),
        ("\x00\x1b[31m", "[31m"),
        ("", ""),
    ],
)
def test_a_device_is_called_what_its_owner_calls_it(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


async def test_identity_hears_the_browsers_address_and_nobody_can_claim_another(
    gateway: Gateway, house: House
) -> None:
    clients = gateway.app.state.visits.reception.clients
    stream, heard = clients.stream, []

    async def listening(service: str, method: str, path: str, **how: Any) -> Any:
        if (service, method, path) == ("identity", "POST", "/sessions"):
            heard.append(how["headers"].get("Fikarum-Client-Address"))
        return await stream(service, method, path, **how)

    clients.stream = listening
    claimed = {"Fikarum-Client-Address": "192.0.2.9", "X-Forwarded-For": "192.0.2.9"}
    visitor = await gateway.visitor(None, address="192.0.2.1", **claimed)
    await visitor.sign_in(house.members["saga"])
    who = {"user_name": "nobody", "password": "x" * 20}
    await gateway.client(address="192.0.2.2", **claimed).post("/api/v1/sessions", json=who)
    assert heard == ["192.0.2.1", "192.0.2.2"]


async def test_whoever_was_signed_out_elsewhere_is_out_at_once(gateway: Gateway, house: House) -> None:
    here, there = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["saga"])
    program = gateway.client(**house.members["saga"].bearer)
    assert (await there.see("/")).status_code == 200

    async def all_listed() -> list[str]:
        listed = (await program.get("/api/v1/sessions")).json()["items"]
        ids = [session["session_id"] for session in listed]
        known = gateway.app.state.visits.reception.sessions
        for visitor in (here, there):
            secret = visitor.client.cookies[gateway.app.state.visits.reception.session_cookie]
            assert (await known.of(secret)).held.session_id in ids
        return ids

    for session_id in await eventually(all_listed):
        assert (await program.delete(f"/api/v1/sessions/{session_id}")).status_code == 204
    for visitor in (here, there):
        answer = await visitor.see("/")
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


async def test_an_origin_that_is_none_is_foreign(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    asked = {"csrf_token": await saga.token(), "text": "x", "to": "staff"}
    for headers in ({"Origin": "http://["}, {"Origin": "http://[", "Referer": "http://["}):
        assert (await saga.client.post("/posts/new", data=asked, headers=headers)).status_code == 403
