"""The handbook's nine years, through the wiki's commands on real engines: once and again, and refusals."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.identity import Kind, MemberErased
from services.wiki import handbook, projections
from services.wiki.api.imports import needs
from services.wiki.api.requests import ImportedChange
from services.wiki.handbook import Change, lines, plan
from services.wiki.tests.test_api import page_of, refused, space_of
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.tests.company import House, registered
from shared.tests.eventually import eventually

#: One service for all of them: each test has a space of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

HANDBOOK = Path(__file__).parent.parent / "data" / "handbook-history.jsonl.xz"


def changes(rows: Iterable[bytes], source: str) -> Iterator[dict[str, Any]]:
    for each in plan(rows, source):
        assert isinstance(each, Change)
        yield handbook.request(each, each.author)


async def authors(house: House, names: Iterable[str]) -> None:
    """Members who do not sign in, as identity has the authors of what is brought in; and the wiki knows."""
    wanted = sorted(set(names))
    for name in wanted:
        if not await house.identity.load(f"member-{name}"):
            event = registered(name, Kind.STAFF, signs_in=False)
            await house.identity.append(f"member-{name}", 1, [event], Occasion(None, new_id()))

    async def known() -> bool:
        return set(await house.service.views(projections.authors).get_many(wanted)) == set(wanted)

    await eventually(known)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def small_authors(house: House) -> None:
    await authors(house, ("author-001", "author-002"))


async def sent(house: House, space: str, source: str, batch: list[dict[str, Any]], who: str = "oda") -> Any:
    asked = {"source": source, "space_id": space, "owner_id": "oda", "changes": batch}
    answer = await house.ask(who, "POST", "/wiki/import/changes", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(*said: dict[str, Any]) -> list[bytes]:
    common = {"at": "2016-09-30T14:46:06-04:00", "author": "author-001"}
    return [json.dumps({**common, **line}).encode() for line in said]


def batched(planned: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (planned[at : at + 100] for at in range(0, len(planned), 100))


SMALL = rows(
    {"op": "put", "path": "a", "body": "# One"},
    {"op": "put", "path": "a", "body": "# Two", "author": "author-002", "at": "2017-01-01T00:00:00+00:00"},
    {"op": "put", "path": "b", "body": "other"},
    {"op": "move", "path": "c", "from": "a", "body": "# Three"},
    {"op": "put", "path": "a", "body": "new page"},
    {"op": "delete", "path": "b"},
    {"op": "move", "path": "b", "from": "c", "body": "# Three"},
)


async def test_a_history_arrives_in_order_with_its_authors_and_times(house: House) -> None:
    space = await space_of(house, "oda")
    answer = await sent(house, space, "small", list(changes(SMALL, f"{space}-small")))
    assert [each["outcome"] for each in answer["results"]] == ["done"] * 7
    after = {"Fikarum-After": answer["commit"]}
    listed = await house.ask("bob", "GET", "/wiki/pages", params={"space": space}, headers=after)
    pages = {item["path"]: item for item in listed.json()["items"]}
    assert {path: item["title"] for path, item in pages.items()} == {"a": "A", "b": "Three"}
    page = pages["b"]
    assert (page["author_id"], page["started_by"], page["owner_id"]) == ("author-001", "author-001", "oda")
    assert page["started_at"] == "2016-09-30T18:46:06Z"
    assert page["paths"] == ["a", "c", "b"]
    steps = (await house.get("bob", f"/wiki/pages/{page['id']}/revisions")).json()["items"]
    assert [(s["kind"], s["author_id"]) for s in reversed(steps)] == [
        ("started", "author-001"),
        ("revised", "author-002"),
        ("moved", "author-001"),
        ("revised", "author-001"),
        ("moved", "author-001"),
    ]
    assert all(step["imported"] for step in steps)
    assert steps[3]["occurred_at"] == "2017-01-01T00:00:00Z" < steps[3]["recorded_at"]


async def test_a_second_run_changes_nothing_whoever_starts_it_and_a_broken_one_goes_on(house: House) -> None:
    space = await space_of(house, "oda")
    batch = list(changes(SMALL, f"{space}-twice"))
    first = await sent(house, space, "twice", batch[:4])
    assert {each["outcome"] for each in first["results"]} == {"done"}
    again = await sent(house, space, "twice", batch)
    assert [each["outcome"] for each in again["results"]] == ["already"] * 4 + ["done"] * 3
    stored = await house.service.store.load(f"page-{batch[0]['page_id']}")
    last = await sent(house, space, "twice", batch)
    assert {each["outcome"] for each in last["results"]} == {"already"}
    assert await house.service.store.load(f"page-{batch[0]['page_id']}") == stored


async def test_a_line_that_cannot_be_kept_is_answered_with_its_reason_and_the_rest_goes_on(
    house: House,
) -> None:
    space = await space_of(house, "oda")
    batch = list(changes(SMALL, f"{space}-bad"))
    batch[2]["path"] = "a"
    answer = await sent(house, space, "bad", batch)
    assert [(each["outcome"], each["code"]) for each in answer["results"]] == [
        ("done", None),
        ("done", None),
        ("refused", "path-taken"),
        ("done", None),
        ("done", None),
        ("refused", "page-not-begun"),
        ("done", None),
    ]
    changed = [{**batch[0], "body": "# Another"}]
    answer = await sent(house, space, "bad", changed)
    assert answer["results"][0]["code"] == "idempotency-key-reused"


async def test_what_nobody_here_wrote_is_not_brought_in(house: House) -> None:
    """The rule of every import: whose line it is must be known. A page's later lines say why they are not
    taken either, whatever its first line was refused for."""
    space = await space_of(house, "oda")
    gone = f"author-{new_id()}"
    await authors(house, [gone])
    first, second = changes(
        rows(
            {"op": "put", "path": "a", "body": "# One", "author": "nobody"},
            {"op": "put", "path": "a", "body": "# Two"},
        ),
        f"{space}-unknown",
    )
    ahead = {**first, "line": 3, "page_id": new_id(), "path": "b", "by": gone, "at": "2999-01-01T00:00:00Z"}
    later = {**second, "line": 4, "page_id": ahead["page_id"], "path": "b"}
    results = (await sent(house, space, "unknown", [first, second, ahead, later]))["results"]
    assert [(each["outcome"], each["code"]) for each in results] == [
        ("refused", "line-member-unknown"),
        ("refused", "page-not-begun"),
        ("refused", "line-time-future"),
        ("refused", "page-not-begun"),
    ]
    lone = (await sent(house, space, "unknown", [second]))["results"]
    assert [each["code"] for each in lone] == ["no-such-page"], "its first line is in no batch that is known"
    mended = (await sent(house, space, "unknown", [{**first, "by": gone}, second]))["results"]
    assert [each["outcome"] for each in mended] == ["done", "done"]
    await house.identity.append(f"member-{gone}", 2, [MemberErased(member_id=gone)], Occasion(None, new_id()))

    async def forgotten() -> None:
        assert await house.service.views(projections.authors).get(gone) is None

    await eventually(forgotten)
    again = {**first, "line": 9, "page_id": new_id(), "path": "c", "by": gone}
    results = (await sent(house, space, "unknown", [again]))["results"]
    assert [each["code"] for each in results] == ["line-member-unknown"]


async def test_nothing_is_brought_in_from_the_future(house: House) -> None:
    space = await space_of(house, "oda")
    (change,) = changes(rows({"op": "put", "path": "ahead", "body": "# Ahead"}), f"{space}-ahead")
    for at in ("2999-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:00"):
        answer = await sent(house, space, "ahead", [{**change, "at": at}])
        assert answer["results"][0]["outcome"] == "refused"
        assert answer["results"][0]["code"] in ("line-time-future", "not-storable")
    assert (await sent(house, space, "ahead", [change]))["results"][0]["outcome"] == "done"


async def test_what_who_imports_may_not_see_stays_as_it_is(house: House) -> None:
    """Answered as what there is not; nor is a page of another space gone on with."""
    space, elsewhere = await space_of(house, "oda"), await space_of(house, "oda")
    hidden = await page_of(house, space, "hidden", "# Mine", audience=["member:ann"])
    other = await page_of(house, elsewhere, "other", "# There")
    at, by = "2020-01-01T00:00:00Z", "ann"
    for page in (hidden, other, new_id()):
        ops: tuple[tuple[str, dict[str, str]], ...] = (
            ("revise", {"body": "# Theirs"}),
            ("move", {"from_path": "hidden"}),
            ("delete", {}),
        )
        batch = [
            {"line": line, "op": op, "page_id": page, "path": "x", "by": by, "at": at, **how}
            for line, (op, how) in enumerate(ops, 1)
        ]
        results = (await sent(house, space, f"taken-{page}", batch))["results"]
        assert [(each["outcome"], each["code"]) for each in results] == [("refused", "no-such-page")] * 3
    assert (await house.get("ann", f"/wiki/pages/{hidden}")).json()["revision"] == 1
    assert (await house.get("ann", f"/wiki/pages/{other}")).json()["path"] == "other"
    closed = await space_of(house, audience=["member:ann"])
    asked = {"source": "s", "space_id": closed, "owner_id": "oda", "changes": []}
    refused(await house.ask("oda", "POST", "/wiki/import/changes", json=asked), 404, "no-such-space")


async def test_only_operators_import(house: House) -> None:
    space = await space_of(house)
    asked = {"source": "x", "space_id": space, "owner_id": "ann", "changes": []}
    for who in ("ann", "edi", "gil"):
        refused(await house.ask(who, "POST", "/wiki/import/changes", json=asked), 403, "may-not-import")
    missing = {**asked, "space_id": "nowhere"}
    refused(await house.ask("oda", "POST", "/wiki/import/changes", json=missing), 404, "no-such-space")
    many = {**asked, "changes": [next(changes(SMALL, "x"))] * 201}
    assert (await house.ask("oda", "POST", "/wiki/import/changes", json=many)).status_code == 422


async def test_only_changes_of_the_same_page_or_path_wait_for_each_other() -> None:
    batch = [ImportedChange.model_validate(each) for each in changes(SMALL, "x")]
    waits = [
        [at + 1 for at in range(after) if set(needs(batch[at])) & set(needs(batch[after]))]
        for after in range(len(batch))
    ]
    assert waits == [[], [1], [], [1, 2], [1, 2, 4], [3], [1, 2, 3, 4, 6]]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_whole_handbook_arrives_byte_for_byte(house: House) -> None:
    space = await space_of(house, "oda")
    with HANDBOOK.open("rb") as file:
        said = list(lines(file))
    planned = list(changes(said, "whole"))
    await authors(house, (row["by"] for row in planned))
    begun, busy = time.perf_counter(), time.process_time()
    outcomes: Counter[str] = Counter()
    commit = ""
    for batch in batched(planned):
        answer = await sent(house, space, "whole", batch)
        outcomes.update(each["outcome"] for each in answer["results"])
        commit = answer["commit"]
    print(f"imported in {time.perf_counter() - begun:.1f} s, {time.process_time() - busy:.1f} s of processor")
    assert outcomes == {"done": 5_843}
    live: dict[str, dict[str, Any]] = {}
    for row in planned:
        if row["op"] == "delete":
            del live[row["page_id"]]
        else:
            live[row["page_id"]] = row
    assert len(live) == 246

    async def readable() -> bool:
        shown = await _list(house, space, commit)
        return "Fikarum-Behind" not in shown.headers and shown.json()["total"] == len(live)

    await eventually(readable)
    print(f"readable after {time.perf_counter() - begun:.1f} s")
    for page_id, row in list(live.items())[::12]:
        shown = (await house.get("bob", f"/wiki/pages/{page_id}")).json()
        assert (shown["body"], shown["path"]) == (row["body"], row["path"])
    for each in planned[::97]:
        found = await house.service.store.load(f"page-{each['page_id']}")
        bodies = [recorded.event().model_dump().get("body") for recorded in found]
        assert each["body"] is None or each["body"] in bodies
    again = Counter[str]()
    for batch in batched(planned):
        answer = await sent(house, space, "whole", batch)
        again.update(each["outcome"] for each in answer["results"])
    assert again == {"already": 5_843}


async def _list(house: House, space: str, commit: str) -> Any:
    headers = {"Fikarum-After": commit}
    return await house.ask("bob", "GET", "/wiki/pages", params={"space": space, "limit": 1}, headers=headers)


async def test_spaces_arrive_in_the_names_of_their_owners_once(house: House) -> None:
    space_id = new_id()
    space = {
        "line": 1,
        "space_id": space_id,
        "by": "ann",
        "at": "2025-04-07T09:30:00Z",
        "name": "Guides",
        "language": "en",
    }
    asked = {"source": "spaces", "spaces": [space]}
    for outcome in ("done", "already"):
        answer = await house.ask("oda", "POST", "/wiki/import/spaces", json=asked)
        assert answer.json()["results"] == [{"line": 1, "outcome": outcome, "code": None, "detail": None}]
    stored = await house.service.store.load(f"space-{space_id}")
    assert [(each.by, each.imported, each.event().model_dump()["owner_id"]) for each in stored] == [
        ("ann", True, "ann")
    ]
    refused(await house.ask("ann", "POST", "/wiki/import/spaces", json=asked), 403, "may-not-import")
