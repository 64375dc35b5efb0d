"""HTTP as every service speaks it: problems, limits, ids, versions, and nothing of ours shown to anybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared.kernel import errors
from shared.kernel.errors import Refused
from shared.runtime.commits import Idempotency
from shared.runtime.http import Api, build_app, uvicorn_options
from shared.runtime.problems import status_of
from shared.runtime.settings import Limits, Settings
from shared.runtime.tests.notes import ANN, BOSS, LIMITS, Doors, may, problem_of


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("NotFound", 404),
        ("Forbidden", 403),
        ("Unauthenticated", 401),
        ("Conflict", 409),
        ("TooLarge", 413),
        ("TooMany", 429),
        ("Unavailable", 503),
        ("Refused", 422),
    ],
)
async def test_every_refusal_has_its_status(client: httpx.AsyncClient, kind: str, status: int) -> None:
    answer = await client.get(f"/refusals/{kind}")
    problem = problem_of(answer, status, "some-code")
    assert problem["detail"] == f"There are 3 of {kind}."
    assert problem["params"] == {"count": 3, "what": kind}
    assert ("retry-after" in answer.headers) == (status in {429, 503})
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_a_refusal_of_a_services_own_kind_has_the_status_of_its_family() -> None:
    class NameTaken(errors.Conflict):
        pass

    assert status_of(NameTaken("name-taken", "Choose another name.")) == 409
    assert status_of(Refused("no", "No.")) == 422


async def test_unknown_addresses_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/nowhere"), 404, "no-such-address")
    problem_of(await client.get("/notes/"), 404, "no-such-address")
    answer = await client.patch("/notes")
    problem_of(answer, 405, "method-not-allowed")
    assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]


async def test_a_bug_shows_nothing_and_is_logged_under_its_id(client: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        answer = await client.get("/bug")
    problem = problem_of(answer, 500, "failed")
    assert "diary" not in answer.text and "Runtime" not in answer.text and "Traceback" not in answer.text
    failed = [line for line in logs if line["event"] == "request failed"]
    assert failed and failed[0]["exc_info"] and problem["correlation_id"]


async def test_whoever_shows_nothing_is_asked_to_sign_in(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/notes"), 401, "sign-in-needed")
    problem_of(await client.get("/notes", headers={"Authorization": "Basic YTpi"}), 401, "sign-in-needed")
    problem_of(await client.get("/notes", headers={"Authorization": "Bearer who"}), 401, "token-invalid")
    assert (await client.post("/sign-in")).json() == {"by": None}


async def test_roles_decide_what_is_permitted(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.delete("/notes/1", headers=ANN), 403, "not-permitted")
    assert problem["params"] == {"permission": "notes.delete"}
    assert (await client.delete("/notes/1", headers=BOSS)).json() == "boss"
    with pytest.raises(KeyError):
        may.require("notes.fly")


async def test_a_command_knows_its_circumstances_and_answers_its_commit(client: httpx.AsyncClient) -> None:
    headers = {**ANN, "X-Correlation-ID": "story-1", "X-Causation-ID": "event-9"}
    answer = await client.post("/notes", json={"title": "Hej"}, headers=headers)
    assert answer.json() == {"by": "ann", "correlation_id": "story-1", "causation_id": "event-9"}
    assert answer.headers["x-correlation-id"] == "story-1"
    assert answer.headers["etag"] == '"7"'
    assert answer.headers["fikarum-commit"] == "notes/note-1/7"


async def test_an_insane_correlation_id_is_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"X-Correlation-ID": "a b"})
    assert len(answer.headers["x-correlation-id"]) == 32


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_body_past_the_limit_is_refused(client: httpx.AsyncClient, streamed: bool) -> None:
    body = json.dumps({"title": "a" * 30_000}).encode()

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 1_000):
            yield body[at : at + 1_000]

    headers = {**ANN, "Content-Type": "application/json"}
    answer = await client.post("/notes", content=parts() if streamed else body, headers=headers)
    problem_of(answer, 413, "too-large")


async def test_a_body_that_nobody_reads_is_refused_all_the_same(client: httpx.AsyncClient) -> None:
    problem_of(await client.post("/nowhere", content=b"a" * 30_000), 413, "too-large")


async def test_requests_past_the_ceiling_are_turned_away_at_once(
    client: httpx.AsyncClient, doors: Doors
) -> None:
    most = LIMITS.requests_at_once
    under_way = [asyncio.create_task(client.get("/wait")) for _ in range(most + 1)]
    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    problem_of(done.pop().result(), 503, "too-busy")
    assert (await client.get("/health/live")).status_code == 200
    doors.gate.set()
    assert sorted(answer.status_code for answer in await asyncio.gather(*under_way)) == [200] * most + [503]
    assert (await client.get("/wait")).status_code == 200


@pytest.mark.parametrize(("sent", "expected"), [('"7"', 7), (' "0" ', 0), (None, None)])
async def test_a_version_is_taken_from_if_match(
    client: httpx.AsyncClient, sent: str | None, expected: int | None
) -> None:
    headers = ANN if sent is None else {**ANN, "If-Match": sent}
    answer = await client.put("/notes/1", json={"title": "a"}, headers=headers)
    assert answer.json()["if_match"] == expected


@pytest.mark.parametrize("sent", ["7", 'W/"7"', '"7", "8"', "*", '"seven"', '"-1"', '"' + "9" * 30 + '"'])
async def test_an_if_match_that_is_no_version_is_refused(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.put("/notes/1", json={"title": "a"}, headers={**ANN, "If-Match": sent})
    assert problem_of(answer, 422, "bad-if-match")["field"] == "If-Match"


async def test_what_is_kept_of_a_request_is_made_with_a_key(notes: Api, client: httpx.AsyncClient) -> None:
    async def kept(*keys: bytes) -> str:
        notes.state.digest_keys = keys
        answer = await client.put("/notes/1", json={"title": "a"}, headers={**ANN, "Idempotency-Key": "k-1"})
        return str(answer.json()["key"][2])

    assert len({await kept(), await kept(b"old"), await kept(b"new", b"old")}) == 3
    assert await kept(b"new", b"old") == await kept(b"new")
    known = Idempotency("ann", "k-1", await kept(b"new"), known_as=frozenset({await kept(b"old")}))
    assert known.is_of(await kept(b"new")) and known.is_of(await kept(b"old"))
    assert not known.is_of(await kept())


async def test_an_idempotency_key_is_bound_to_its_member_and_request(client: httpx.AsyncClient) -> None:
    async def key(path: str, title: str, headers: dict[str, str]) -> list[str]:
        answer = await client.put(path, json={"title": title}, headers={**headers, "Idempotency-Key": "k-1"})
        found: list[str] = answer.json()["key"]
        return found

    first = await key("/notes/1", "a", ANN)
    assert first[:2] == ["ann", "k-1"]
    assert first == await key("/notes/1", "a", ANN)
    others = [
        await key("/notes/1", "b", ANN),
        await key("/notes/2", "a", ANN),
        await key("/notes/1?quietly=yes", "a", ANN),
    ]
    assert len({first[2], *(other[2] for other in others)}) == 4
    assert (await key("/notes/1", "a", BOSS))[0] == "boss"
    bad = await client.put("/notes/1", json={"title": "a"}, headers={**ANN, "Idempotency-Key": "a b"})
    problem_of(bad, 422, "bad-idempotency-key")


async def test_lists_take_a_size_a_cursor_and_a_commit_to_be_seen(client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes", headers={**ANN, "Fikarum-After": "notes/note-1/7"})
    assert answer.json() == {"limit": 20, "cursor": None, "after": "notes/note-1/7"}
    assert answer.headers["fikarum-behind"] == "true"
    assert (await client.get("/notes?limit=50", headers=ANN)).json()["limit"] == 50
    assert problem_of(await client.get("/notes?limit=51", headers=ANN), 422, "page-too-large")["params"] == {
        "most": 50
    }
    assert (
        problem_of(await client.get("/notes?limit=0", headers=ANN), 422, "invalid-input")["field"] == "limit"
    )
    problem_of(await client.get("/notes?cursor=zzz", headers=ANN), 422, "bad-cursor")
    problem_of(await client.get("/notes", headers={**ANN, "Fikarum-After": "notes"}), 422, "bad-after")


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ("/notes?limti=5", "no-such-parameter", "limti"),
        ("/notes?limit=5&Limit=5", "no-such-parameter", "Limit"),
        ("/notes?limit=5&limit=5", "parameter-twice", "limit"),
        ("/bug?x=1", "takes-no-parameters", "x"),
        (f"/notes?{'a' * 1_000}=", "no-such-parameter", "a" * 200),
        ("/notes?{known}=%00", "no-such-parameter", "{known}"),
    ],
)
async def test_a_parameter_that_is_not_known_or_stands_there_twice_is_refused_by_its_name(
    client: httpx.AsyncClient, asked: str, code: str, field: str
) -> None:
    """Also where it would have been answered as if nobody had asked."""
    problem = problem_of(await client.get(asked, headers=ANN), 422, code)
    assert problem["field"] == problem["params"]["name"] == field
    if code == "no-such-parameter":
        assert problem["params"]["known"] == "cursor, kind, limit, q" and "cursor, kind" in problem["detail"]


async def test_a_list_may_stand_there_more_than_once_and_operators_ask_as_they_like(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/notes?kind=a&kind=b", headers=ANN)).json()["kind"] == ["a", "b"]
    for path in ("/health/live", "/metrics", "/openapi.json"):
        assert (await client.get(f"{path}?name=x&name=y")).status_code == 200
    problem_of(await client.get("/nowhere?x=1"), 404, "no-such-address")


async def test_health_says_what_is_waited_for(client: httpx.AsyncClient, doors: Doors) -> None:
    assert (await client.get("/health/ready")).json() == {"status": "ready", "waiting_for": []}
    doors.waiting.append("kafka")
    answer = await client.get("/health/ready")
    assert answer.status_code == 503 and answer.json()["waiting_for"] == ["kafka"]


async def test_readiness_that_hangs_is_an_answer_too() -> None:
    async def hangs() -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    app = build_app("notes", Settings(limits=Limits(ready_seconds=0.05)), ready=hangs)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notes") as client:
        assert (await client.get("/health/ready")).status_code == 503


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    for note in range(5):
        await client.delete(f"/notes/{note}-of-many", headers=BOSS)
    await client.get("/somewhere-else")
    metrics = (await client.get("/metrics")).text
    assert 'method="DELETE",route="/notes/{note_id}",service="notes",status="200"' in metrics
    assert "of-many" not in metrics and "somewhere-else" not in metrics


async def test_the_access_log_names_member_route_and_outcome_but_no_query(client: httpx.AsyncClient) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        await client.get("/notes?cursor=&q=dear-diary", headers={**ANN, "X-Correlation-ID": "story-1"})
    line = next(line for line in logs if line["event"] == "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/notes", 200)
    assert (line["member_id"], line["correlation_id"]) == ("ann", "story-1")
    assert "diary" not in str(logs)
    with capture_logs(processors=[merge_contextvars]) as logs:
        await client.get("/notes")
    assert logs[-1]["member_id"] is None, "nobody is taken for the member before"


async def test_the_api_describes_its_problems_and_its_tokens(
    client: httpx.AsyncClient,
) -> None:
    api = (await client.get("/openapi.json")).json()
    assert api["openapi"].startswith("3.1")
    write = api["paths"]["/notes"]["post"]
    assert write["operationId"] == "write_note"
    assert write["security"] == [{"HTTPBearer": []}]
    assert api["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    problem = write["responses"]["4XX"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
    assert "422" not in write["responses"] and "HTTPValidationError" not in api["components"]["schemas"]
    assert "security" not in api["paths"]["/sign-in"]["post"]
    assert {"Problem", "Fault"} <= set(api["components"]["schemas"])


def test_services_run_without_the_servers_own_logs_and_name() -> None:
    options = uvicorn_options(Settings(port=7104))
    assert (options["port"], options["log_config"], options["server_header"]) == (7104, None, False)
    assert options["timeout_graceful_shutdown"] > Limits().behind_seconds
