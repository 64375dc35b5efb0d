"""The API: one address for all services, in the caller's name and language, and nothing of the inside."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.gateway.faults import fault_said
from services.gateway.live import MOST_OF_ONE
from services.gateway.locale import Locale
from services.gateway.tests.house import House
from services.gateway.tests.visitors import SITE, Gateway
from shared.runtime.auth import LIFE_SECONDS
from shared.runtime.ids import new_id

API = "/api/v1"
NOWHERE = "http://127.0.0.1:9"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["code"] == code, said
    assert said["correlation_id"] == answer.headers["x-correlation-id"]
    for inside in ("127.0.0.1", "Traceback", "/services/", "mongodb"):
        assert inside not in answer.text
    return said


@pytest.fixture
async def saga(gateway: Gateway, house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client(**house.members["saga"].bearer) as client:
        yield client


async def space_of(client: httpx.AsyncClient) -> str:
    new = {"name": f"Space {new_id()}", "language": "en"}
    answer = await client.post(f"{API}/wiki/spaces", json=new)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def page_of(client: httpx.AsyncClient, space: str, path: str, body: str = "Text.\n") -> str:
    answer = await client.post(f"{API}/wiki/pages", json={"space_id": space, "path": path, "body": body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_program_writes_a_page_and_reads_it_with_its_history(saga: httpx.AsyncClient) -> None:
    space = await space_of(saga)
    paths = [f"guides/{number}" for number in range(5)]
    ids = {path: await page_of(saga, space, path, f"# Guide {path}\n\nText.\n") for path in paths}
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await saga.get(f"{API}/wiki/pages", params={"space": space, "limit": 2, **cursor})
        listed = answer.json()
        assert listed["total"] == 5 and "fikarum-behind" not in answer.headers
        found += listed["items"]
        if listed["next"] is None:
            break
        cursor = {"cursor": listed["next"]}
    assert [(item["path"], item["id"], item["title"]) for item in found] == [
        (path, ids[path], f"Guide {path}") for path in paths
    ]
    page = await saga.get(f"{API}/wiki/pages/{ids['guides/0']}")
    assert page.json()["body"] == "# Guide guides/0\n\nText.\n" and page.headers["etag"] == '"1"'
    revised = await saga.put(
        f"{API}/wiki/pages/{ids['guides/0']}",
        json={"body": "New.\n", "note": "Why"},
        headers={"If-Match": '"1"'},
    )
    assert revised.status_code == 200 and revised.headers["fikarum-commit"].startswith("wiki/page-")
    steps = (await saga.get(f"{API}/wiki/pages/{ids['guides/0']}/revisions")).json()
    assert [(step["revision"], step["kind"]) for step in steps["items"]] == [(2, "revised"), (1, "started")]


async def test_a_started_page_says_where_it_is_on_this_side(saga: httpx.AsyncClient) -> None:
    space = await space_of(saga)
    answer = await saga.post(f"{API}/wiki/pages", json={"space_id": space, "path": "a", "body": ""})
    assert answer.headers["location"] == f"{API}/wiki/pages/{answer.json()['id']}"
    assert (await saga.get(answer.headers["location"])).status_code == 200


async def test_whoever_asks_is_themselves(saga: httpx.AsyncClient, house: House) -> None:
    me = (await saga.get(f"{API}/me")).json()
    assert (me["member_id"], me["name"], me["language"]) == (
        house.members["saga"].member_id,
        "Saga Demo",
        "sv",
    )


async def test_strangers_and_forged_or_foreign_tokens_are_refused(gateway: Gateway, house: House) -> None:
    client = gateway.client()
    problem(await client.get(f"{API}/wiki/spaces"), 401, "sign-in-needed")
    problem(await client.get(f"{API}/me"), 401, "sign-in-needed")
    token = house.members["saga"].token
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbHZhIn0."
    for shown in (
        "x",
        "",
        "fik_",
        "fik_" + "A" * 64,
        "fis_" + "A" * 64,
        swapped,
        unsigned,
        "å" * 60,
        "x" * 6_000,
    ):
        headers = {b"Authorization": b"Bearer " + shown.encode()}
        answer = await client.get(f"{API}/wiki/spaces", headers=headers)
        assert answer.status_code == 401, shown
        assert answer.headers["www-authenticate"] == "Bearer"
    problem(
        await client.get(f"{API}/wiki/spaces", headers={"Authorization": "Basic YTpi"}), 401, "sign-in-needed"
    )


async def test_a_revoked_token_opens_nothing_more(gateway: Gateway, house: House) -> None:
    client = gateway.client()
    jonas = house.members["jonas"]
    opened = await client.post(
        f"{API}/sessions", json={"user_name": jonas.user_name, "password": jonas.password}
    )
    assert opened.status_code == 201, opened.text
    headers = {"Authorization": f"Bearer {opened.json()['secret']}"}
    assert (await client.get(f"{API}/me", headers=headers)).status_code == 200
    ended = await client.delete(f"{API}/sessions/{opened.json()['session_id']}", headers=headers)
    assert ended.status_code == 204
    problem(await client.get(f"{API}/me", headers=headers), 401, "signed-out")


async def test_a_token_made_here_is_good_here_and_within_its_scopes(gateway: Gateway, house: House) -> None:
    client = gateway.client()
    jonas = house.members["jonas"]
    opened = await client.post(
        f"{API}/sessions", json={"user_name": jonas.user_name, "password": jonas.password}
    )
    session = {"Authorization": f"Bearer {opened.json()['secret']}"}
    new = {"name": "Reads", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"}
    made = await client.post(f"{API}/me/tokens", json=new, headers=session)
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert (await client.get(f"{API}/wiki/spaces", headers=headers)).status_code == 200
    answer = await client.post(f"{API}/wiki/spaces", json={"name": "x", "language": "en"}, headers=headers)
    assert answer.status_code == 403
    listed = (await client.get(f"{API}/me/tokens", headers=session)).json()["items"]
    assert "Reads" in [token["name"] for token in listed]
    gone = await client.delete(f"{API}/me/tokens/{made.json()['token_id']}", headers=session)
    assert gone.status_code == 204


async def test_a_members_token_is_asked_for_once_a_minute_and_not_kept_past_it(house: House) -> None:
    async with Gateway(house.settings) as gateway:
        sessions = gateway.app.state.visits.reception.sessions
        now = [1_000.0]
        sessions._clock = lambda: now[0]
        client = gateway.client(**house.members["saga"].bearer)
        await client.get(f"{API}/me")
        first = (await sessions.of(house.members["saga"].token)).held.token
        now[0] += LIFE_SECONDS - 15
        await client.get(f"{API}/me")
        assert (await sessions.of(house.members["saga"].token)).held.until == 1_000.0 + LIFE_SECONDS
        now[0] += 10
        await client.get(f"{API}/me")
        assert (await sessions.of(house.members["saga"].token)).held.until == now[0] + LIFE_SECONDS
        assert first


async def test_refusals_come_in_the_callers_language(
    gateway: Gateway, house: House, saga: httpx.AsyncClient
) -> None:
    path = f"{API}/wiki/pages/{'0' * 32}"
    english = await saga.get(path, headers={"Accept-Language": "en"})
    assert problem(english, 404, "no-such-page")["detail"] == "There is no such page."
    for headers in ({"Accept-Language": "sv"}, {"Accept-Language": "sv-FI,en;q=0.3"}):
        swedish = await saga.get(path, headers=headers)
        assert problem(swedish, 404, "no-such-page")["detail"] != "There is no such page."
        assert swedish.headers["content-language"] == "sv"


async def test_without_a_wish_the_members_own_language_is_spoken(gateway: Gateway, house: House) -> None:
    transport = httpx.ASGITransport(gateway.app)
    request = httpx.Request("GET", f"{SITE}{API}/wiki/pages/{'0' * 32}", headers=house.members["saga"].bearer)
    answer = await transport.handle_async_request(request)
    assert answer.headers["content-language"] == "sv"
    await answer.aclose()


async def test_faults_of_a_form_are_told_by_field_and_in_the_language(saga: httpx.AsyncClient) -> None:
    new = {"name": "x", "language": "en", "colour": "red"}
    answer = await saga.post(f"{API}/wiki/spaces", json=new, headers={"Accept-Language": "sv"})
    said = problem(answer, 422, "invalid-input")
    assert said["errors"] == [
        {"field": "colour", "message": "Det finns inget sådant fält.", "code": "extra-forbidden"}
    ]


async def test_nonsense_is_refused_whatever_it_is(saga: httpx.AsyncClient) -> None:
    space = await space_of(saga)
    new = {"space_id": space, "path": "a", "body": "x"}
    bodies: list[tuple[bytes, str]] = [
        (b'{"space_id": "' + space.encode() + b'", "path": "a", "body": "\\ud800"}', "application/json"),
        (json.dumps({**new, "body": "a\x00b"}).encode(), "application/json"),
        (json.dumps({**new, "path": "../a"}).encode(), "application/json"),
        (json.dumps({**new, "path": 7}).encode(), "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"),
    ]
    for content, kind in bodies:
        answer = await saga.post(f"{API}/wiki/pages", content=content, headers={"Content-Type": kind})
        assert answer.status_code == 422, content[:80]
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await saga.get(f"{API}/wiki/pages", params={"space": space})).json()["total"] == 0


async def test_bodies_have_a_limit_whether_they_say_their_size_or_not(
    saga: httpx.AsyncClient, house: House
) -> None:
    large = b'{"x": "' + b"a" * house.settings.limits.body_bytes

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(large), 100_000):
            yield large[at : at + 100_000]

    for content in (large, pieces()):
        answer = await saga.post(
            f"{API}/wiki/pages", content=content, headers={"Content-Type": "application/json"}
        )
        problem(answer, 413, "too-large")
    bad = await saga.get(f"{API}/me", headers={"Content-Length": "-1"})
    assert bad.status_code in (200, 422)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "keys",
        "tokens",
        "health/ready",
        "figures",
        "commits/page-1/1",
        "access-tokens",
        "wiki/%2e%2e/tokens",
        "wiki/%2e%2e/%2e%2e/operate/views",
        "wiki//pages",
        "operate/gateway/views",
        "nobody",
    ],
)
async def test_what_is_among_services_stays_there(saga: httpx.AsyncClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await saga.request(
            method, f"{API}/{path}", json={"secret": "x"} if method == "POST" else None
        )
        problem(answer, 404, "no-such-address")


async def test_unknown_methods_are_refused(saga: httpx.AsyncClient) -> None:
    problem(await saga.patch(f"{API}/wiki/spaces"), 405, "method-not-allowed")
    assert (await saga.request("TRACE", f"{API}/wiki/spaces")).status_code == 405


async def test_head_is_answered_as_get_is_without_the_body(saga: httpx.AsyncClient, house: House) -> None:
    """RFC 9110, section 9.3.2: scripts and monitors ask so. A stream of live updates is not left open."""
    for path in ("wiki/spaces", "openapi.json", "feed?limit=5"):
        got, head = await saga.get(f"{API}/{path}"), await saga.head(f"{API}/{path}")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
        assert head.headers["x-content-type-options"] == "nosniff"
    for _ in range(MOST_OF_ONE + 1):
        live = await saga.head(f"{API}/feed/live")
        assert live.status_code == 200 and live.headers["content-type"].startswith("text/event-stream")
    missing = await saga.head(f"{API}/wiki/pages/{new_id()}")
    assert (missing.status_code, missing.content) == (404, b"")
    written = await saga.head(f"{API}/posts")
    assert written.status_code == 405 and "POST" in written.headers["allow"]
    assert (await saga.head("/sign-in")).status_code == 200
    assert (await saga.head("/no-such-page")).status_code == 404


async def test_headers_of_the_caller_do_not_reach_the_services(saga: httpx.AsyncClient) -> None:
    answer = await saga.get(f"{API}/me", headers={"Host": "elsewhere", "X-Forwarded-For": "1.2.3.4"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers and "date" not in answer.headers


async def test_the_browsers_cookie_is_good_for_reading_and_for_writing_with_a_form_token(
    gateway: Gateway, house: House
) -> None:
    visitor = await gateway.visitor(house.members["eskil"])
    assert (await visitor.client.get(f"{API}/me")).json()["name"].startswith("Eskil")
    new = {"name": f"Space {new_id()}", "language": "en"}
    problem(await visitor.client.post(f"{API}/wiki/spaces", json=new), 403, "form-expired")
    headers = {"X-CSRF-Token": await visitor.token(), "Origin": "https://elsewhere.example"}
    problem(await visitor.client.post(f"{API}/wiki/spaces", json=new, headers=headers), 403, "foreign-origin")
    headers["Origin"] = SITE
    assert (await visitor.client.post(f"{API}/wiki/spaces", json=new, headers=headers)).status_code == 201


async def test_a_service_that_is_away_is_a_503_without_its_address(house: House) -> None:
    async with Gateway(house.settings.model_copy(update={"wiki_url": NOWHERE})) as gateway:
        client = gateway.client(**house.members["saga"].bearer)
        said = problem(
            await client.get(f"{API}/wiki/spaces", headers={"Accept-Language": "en"}), 503, "service-away"
        )
        assert said["detail"].startswith("A part of Fikarum")
        assert (await client.get(f"{API}/me")).status_code == 200


async def test_without_identity_whoever_was_known_goes_on_for_a_while(house: House) -> None:
    async with Gateway(house.settings) as gateway:
        client = gateway.client(**house.members["saga"].bearer)
        assert (await client.get(f"{API}/wiki/spaces")).status_code == 200
        clients = gateway.app.state.visits.reception.clients
        clients._settings = house.settings.model_copy(update={"identity_url": NOWHERE})
        assert (await client.get(f"{API}/wiki/spaces")).status_code == 200
        problem(
            await client.get(f"{API}/wiki/spaces", headers=house.members["jonas"].bearer), 503, "service-away"
        )


async def test_one_description_covers_every_service(gateway: Gateway) -> None:
    described = (await gateway.client().get(f"{API}/openapi.json")).json()
    assert described["openapi"] == "3.1.0"
    for path in (
        "/wiki/pages",
        "/wiki/pages/{page_id}/revisions",
        "/members",
        "/me",
        "/me/tokens",
        "/sessions",
    ):
        assert path in described["paths"], path
    assert not [path for path in described["paths"] if path.startswith(("/tokens", "/keys", "/commits"))]
    text = json.dumps(described)
    assert "127.0.0.1" not in text
    for schema in described["components"]["schemas"]:
        assert f'"#/components/schemas/{schema}"' in text, f"{schema} is used by nothing"
    missing = [
        ref
        for ref in text.split('"#/components/schemas/')[1:]
        if ref.partition('"')[0] not in described["components"]["schemas"]
    ]
    assert missing == []


async def test_programs_may_ask_to_see_what_another_one_wrote(gateway: Gateway, house: House) -> None:
    writer = gateway.client(**house.members["saga"].bearer)
    reader = gateway.client(**house.members["eskil"].bearer)
    space = await space_of(writer)
    page = await writer.post(f"{API}/wiki/pages", json={"space_id": space, "path": "a", "body": "x"})
    after = {"Fikarum-After": page.headers["fikarum-commit"]}
    answer = await reader.get(f"{API}/wiki/pages/{page.json()['id']}", headers=after)
    assert answer.status_code == 200 and "fikarum-behind" not in answer.headers
    assert (await reader.get(f"{API}/members?ids=x", headers=after)).status_code == 200
    bad = await reader.get(f"{API}/wiki/spaces", headers={"Fikarum-After": "nonsense"})
    problem(bad, 422, "bad-after")
    told = page.headers["fikarum-commit"]
    for made_up in ("nobody/page-1/1", told.partition("~")[0], told.replace("/1~", "/2~"), f"{told}0"):
        guessed = await reader.get(f"{API}/wiki/spaces", headers={"Fikarum-After": made_up})
        problem(guessed, 422, "bad-after")


async def test_operators_see_every_service_and_others_do_not(gateway: Gateway, house: House) -> None:
    client = gateway.client()
    for service in ("identity", "wiki"):
        answer = await client.get(f"{API}/operate/{service}/views", headers=house.members["alva"].bearer)
        assert answer.json()["service"] == service
        path = f"{API}/operate/{service}/views"
        problem(await client.get(path, headers=house.members["saga"].bearer), 403, "operators-only")


async def test_figures_are_at_metrics_and_refusals_come_in_the_readers_language(
    saga: httpx.AsyncClient,
) -> None:
    listed = await saga.get(f"{API}/metrics")
    assert listed.status_code == 200 and "monthly-contributors" in {e["name"] for e in listed.json()["items"]}
    await page_of(saga, await space_of(saga), "counted")
    told = (await saga.get(f"{API}/metrics/monthly-contributors")).json()
    assert told["periods"][-1]["values"]["contributors"] >= 1, "what the asker just did is counted"
    as_lines = await saga.get(f"{API}/metrics/monthly-contributors", headers={"Accept": "text/csv"})
    assert as_lines.headers["content-type"].startswith("text/csv")
    assert as_lines.headers["fikarum-complete-up-to"]
    asked = {"to": "1999-01"}
    swedish = {"Accept-Language": "sv"}
    said = problem(
        await saga.get(f"{API}/metrics/ladder", params=asked, headers=swedish), 422, "before-the-beginning"
    )
    assert said["detail"].startswith("Inget är känt om den tiden")


async def test_what_is_malformed_is_said_in_the_readers_language(saga: httpx.AsyncClient) -> None:
    swedish = {"Accept-Language": "sv"}
    for asked, field, told in (
        ({"version": "0"}, "version", "Det här är för litet."),
        ({"version": "x"}, "version", "Det här ska vara ett heltal."),
        ({"format": "xml"}, "format", "Välj ett av de värden som finns."),
    ):
        answer = await saga.get(f"{API}/metrics/ladder", params=asked, headers=swedish)
        said = problem(answer, 422, "invalid-input")
        assert (said["detail"], said["errors"][0]["message"]) == (f"{field}: {told}", told)
        english = await saga.get(f"{API}/metrics/ladder", params=asked, headers={"Accept-Language": "en"})
        assert problem(english, 422, "invalid-input")["detail"].startswith(f"{field}: Input should be")
    both = await saga.get(f"{API}/metrics/ladder", params={"version": "x", "format": "xml"}, headers=swedish)
    assert problem(both, 422, "invalid-input")["detail"].startswith("Något i det")


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
async def test_a_parameter_that_an_address_does_not_know_is_refused_in_the_readers_language(
    saga: httpx.AsyncClient, accept: str
) -> None:
    """And not answered as if nobody had asked: who mistypes `from` would take other days for those."""
    here = {"Accept-Language": "sv", "Accept": accept}
    unknown = problem(
        await saga.get(f"{API}/metrics/ladder", params={"form": "2024-01-01"}, headers=here),
        422,
        "no-such-parameter",
    )
    assert unknown["field"] == "form" and "form" in unknown["detail"] and "from" in unknown["params"]["known"]
    assert unknown["detail"].startswith("Här finns ingen parameter")
    twice = problem(
        await saga.get(f"{API}/metrics/ladder", params={"by": ["unit", "country"]}, headers=here),
        422,
        "parameter-twice",
    )
    assert twice["field"] == "by"
    problem(await saga.get(f"{API}/me", params={"x": "1"}, headers=here), 422, "takes-no-parameters")
    live = await saga.get(f"{API}/feed/live", params={"x": "1"}, headers=here)
    problem(live, 422, "takes-no-parameters")


async def test_pages_take_what_links_from_elsewhere_hang_onto_them(saga: httpx.AsyncClient) -> None:
    assert (await saga.get("/wiki?utm_source=mail&utm_source=mail")).status_code in (200, 303)


def test_the_line_of_an_import_is_said_with_what_is_wrong_in_it() -> None:
    assert fault_said("missing", "Line 3: Field required", Locale("sv")) == "Rad 3: Det här behövs."
    assert fault_said("brand-new", "Line 3: Odd.", Locale("sv")) == "Rad 3: Odd."
    assert fault_said("missing", "Line 3: Field required", Locale("en")) == "Line 3: Field required"
