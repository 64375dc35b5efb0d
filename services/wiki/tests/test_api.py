"""The wiki over HTTP on real engines: writing, reading, and what stays hidden."""

from typing import Any

import httpx
import pytest

from shared.runtime.ids import new_id
from shared.tests.company import House
from shared.tests.eventually import eventually

#: One service for all of them: each test has a space of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def space_of(house: House, who: str = "ann", **how: Any) -> str:
    asked = {"name": f"Travel {new_id()}", "language": "en", **how}
    answer = await house.ask(who, "POST", "/wiki/spaces", json=asked)
    assert answer.status_code == 201, answer.text
    await house.get(who, f"/wiki/spaces/{answer.json()['id']}", after=answer)
    return str(answer.json()["id"])


async def start(
    house: House, space: str, path: str, body: str, who: str = "ann", **how: Any
) -> httpx.Response:
    asked = {"space_id": space, "path": path, "body": body, **how}
    return await house.ask(who, "POST", "/wiki/pages", json=asked)


async def page_of(house: House, space: str, path: str, body: str, who: str = "ann", **how: Any) -> str:
    answer = await start(house, space, path, body, who, **how)
    assert answer.status_code == 201, answer.text
    await house.get(who, f"/wiki/pages/{answer.json()['id']}", after=answer)
    return str(answer.json()["id"])


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


async def test_a_page_is_written_read_revised_and_compared(house: House) -> None:
    space = await space_of(house)
    begun = await start(house, space, "booking.md", "# Booking\n\nCash up to 100 euro.\n", note="First")
    page = begun.json()["id"]
    assert begun.headers["Location"] == f"/wiki/pages/{page}"
    assert begun.headers["ETag"] == '"1"'
    revised = await house.ask(
        "bob",
        "PUT",
        f"/wiki/pages/{page}",
        json={"body": "# Booking\n\nCash up to 200 euro.\n", "note": "More cash"},
        headers={"If-Match": begun.headers["ETag"]},
    )
    assert revised.status_code == 200
    shown = (await house.get("bob", f"/wiki/pages/{page}", after=revised)).json()
    assert shown["title"] == "Booking"
    assert shown["body"] == "# Booking\n\nCash up to 200 euro.\n"
    assert shown["html"] == "<p>Cash up to 200 euro.</p>\n"
    assert (shown["author_id"], shown["owner_id"], shown["note"], shown["revision"]) == (
        "bob",
        "ann",
        "More cash",
        2,
    )
    assert (shown["audience"], shown["classification"], shown["language"]) == (["staff"], "internal", "en")
    assert shown["may"] == {"write": True, "delete": False, "audience": False, "owner": False}
    steps = (await house.get("bob", f"/wiki/pages/{page}/revisions", after=revised)).json()
    assert [(s["revision"], s["kind"], s["author_id"]) for s in steps["items"]] == [
        (2, "revised", "bob"),
        (1, "started", "ann"),
    ]
    first = (await house.get("bob", f"/wiki/pages/{page}/revisions/1")).json()
    assert first["body"].endswith("100 euro.\n") and first["note"] == "First"
    compared = (await house.get("bob", f"/wiki/pages/{page}/compare", params={"from": 1, "to": 2})).json()
    assert (compared["words_added"], compared["words_removed"], compared["equal"]) == (1, 1, False)
    runs = [run for block in compared["blocks"] for line in block["after"] for run in line["runs"]]
    assert {"kind": "ins", "text": "200"} in runs
    typed = await house.ask(
        "bob", "POST", f"/wiki/pages/{page}/compare", json={"body": shown["body"] + "More.\n"}
    )
    assert (typed.json()["words_added"], typed.json()["words_removed"]) == (1, 0)


async def test_nobody_overwrites_what_they_have_not_read(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    refused(await house.ask("bob", "PUT", f"/wiki/pages/{page}", json={"body": "x"}), 422, "if-match-needed")
    first = {"json": {"body": "two"}, "headers": {"If-Match": '"1"'}}
    assert (await house.ask("ann", "PUT", f"/wiki/pages/{page}", **first)).status_code == 200
    late = await house.ask(
        "bob", "PUT", f"/wiki/pages/{page}", json={"body": "three"}, headers={"If-Match": '"1"'}
    )
    refused(late, 409, "edited-meanwhile")


async def test_the_same_request_under_one_key_starts_one_page(house: House) -> None:
    space = await space_of(house)
    asked = {"space_id": space, "path": "once", "body": "x"}
    key = {"Idempotency-Key": new_id()}
    first = await house.ask("ann", "POST", "/wiki/pages", json=asked, headers=key)
    again = await house.ask("ann", "POST", "/wiki/pages", json=asked, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()


async def test_two_pages_never_live_at_one_path(house: House) -> None:
    space = await space_of(house)
    await page_of(house, space, "a", "one")
    other = await page_of(house, space, "b", "two")
    refused(await start(house, space, "a", "three"), 409, "path-taken")
    refused(
        await house.ask("ann", "POST", f"/wiki/pages/{other}/move", json={"path": "a"}), 409, "path-taken"
    )
    elsewhere = await space_of(house)
    assert (await start(house, elsewhere, "a", "one")).status_code == 201


async def test_a_moved_page_is_found_at_its_old_path_until_another_page_lives_there(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "old.md", "# Old")
    linking = await page_of(house, space, "index.md", "See [it](old.md) and [that](/nowhere).")
    moved = await house.ask(
        "ann", "POST", f"/wiki/pages/{page}/move", json={"path": "new/place.md", "note": "Tidy"}
    )
    assert moved.status_code == 200
    place = (
        await house.get("bob", "/wiki/at", after=moved, params={"space": space, "path": "old.md"})
    ).json()
    assert (place["id"], place["path"], place["moved"]) == (page, "new/place.md", True)
    shown = (await house.get("bob", f"/wiki/pages/{linking}")).json()
    assert f'<a href="/wiki/pages/{page}">it</a>' in shown["html"]
    assert shown["missing_links"] == ["nowhere"]
    links = (await house.get("bob", f"/wiki/pages/{page}/backlinks")).json()
    assert [item["id"] for item in links["items"]] == [linking]
    new = await start(house, space, "old.md", "# New one")
    place = (await house.get("bob", "/wiki/at", after=new, params={"space": space, "path": "old.md"})).json()
    assert (place["id"], place["moved"]) == (new.json()["id"], False)


async def test_a_deleted_page_frees_its_path_keeps_its_history_and_comes_back(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    refused(await house.ask("bob", "DELETE", f"/wiki/pages/{page}"), 403, "may-not-delete")
    gone = await house.ask("ann", "DELETE", f"/wiki/pages/{page}", params={"note": "Outdated"})
    assert gone.status_code == 200
    listed = (await house.get("bob", "/wiki/pages", after=gone, params={"space": space})).json()
    assert (listed["items"], listed["total"]) == ([], 0)
    shown = (await house.get("bob", f"/wiki/pages/{page}")).json()
    assert (shown["deleted"], shown["note"], shown["body"]) == (True, "Outdated", "one")
    put = await house.ask(
        "ann", "PUT", f"/wiki/pages/{page}", json={"body": "x"}, headers={"If-Match": '"2"'}
    )
    refused(put, 409, "page-deleted")
    await page_of(house, space, "a", "other")
    refused(await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json={}), 409, "path-taken")
    back = await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json={"path": "b"})
    assert back.status_code == 200, back.text
    refused(
        await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json={"path": "c"}),
        409,
        "page-not-deleted",
    )
    listed = (await house.get("bob", "/wiki/pages", after=back, params={"space": space})).json()
    assert [item["path"] for item in listed["items"]] == ["a", "b"]
    assert (await start(house, space, "c", "free")).status_code == 201


async def test_a_text_is_not_restored_to_another_place(house: House) -> None:
    page = await page_of(house, await space_of(house), "a", "one")
    both = {"revision": 1, "path": "b"}
    refused(await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json=both), 422, "revision-or-path")


async def test_an_earlier_text_is_restored_as_a_new_revision(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    await house.ask("ann", "PUT", f"/wiki/pages/{page}", json={"body": "two"}, headers={"If-Match": '"1"'})
    back = await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json={"revision": 1})
    shown = (await house.get("bob", f"/wiki/pages/{page}", after=back)).json()
    assert (shown["body"], shown["revision"]) == ("one", 3)
    steps = (await house.get("bob", f"/wiki/pages/{page}/revisions", after=back)).json()["items"]
    assert steps[0]["restores"] == 1
    refused(
        await house.ask("ann", "POST", f"/wiki/pages/{page}/restore", json={"revision": 99}),
        404,
        "no-such-revision",
    )


async def test_what_one_may_not_see_looks_like_what_does_not_exist(house: House) -> None:
    space = await space_of(house, audience=["everyone"], classification="open")
    hidden = await page_of(house, space, "plans", "secret plans", audience=["member:ann"])
    staff = await page_of(house, space, "staff", "[x](plans) [y](open)", audience=["staff"])
    confidential = await page_of(house, space, "pay", "pay", classification="confidential")
    public = await page_of(house, space, "open", "[p](plans) [s](staff)", audience=["everyone"])
    for who, visible in (
        ("ann", {hidden, staff, confidential, public}),
        ("bob", {staff, public}),
        ("gil", {public}),
    ):
        listed = (await house.get(who, "/wiki/pages", params={"space": space})).json()
        assert {item["id"] for item in listed["items"]} == visible
        assert listed["total"] == len(visible)
        recent = (await house.get(who, "/wiki/recent", params={"space": space})).json()
        assert {item["id"] for item in recent["items"]} == visible
        tree = (await house.get(who, f"/wiki/spaces/{space}/tree")).json()
        assert {item["id"] for item in tree["items"]} == visible
        for page in {hidden, staff, confidential, public} - visible:
            await _looks_missing(house, who, page)
        shown = (await house.get(who, f"/wiki/pages/{public}")).json()
        assert len(shown["missing_links"]) == 2 - len({hidden, staff} & visible)
        links = (await house.get(who, f"/wiki/pages/{public}/backlinks")).json()
        assert [item["id"] for item in links["items"]] == ([staff] if staff in visible else [])
    for path in ("plans", "nothing-here"):
        refused(
            await house.ask("bob", "GET", "/wiki/at", params={"space": space, "path": path}),
            404,
            "no-page-there",
        )


async def _looks_missing(house: House, who: str, page: str) -> None:
    """Every way to ask answers the same for a hidden page and for one that was never there."""
    ways: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "/revisions", {}),
        ("GET", "/revisions/1", {}),
        ("GET", "/compare?from=1&to=1", {}),
        ("POST", "/compare", {"json": {"body": "x"}}),
        ("GET", "/backlinks", {}),
        ("PUT", "", {"json": {"body": "x"}, "headers": {"If-Match": '"1"'}}),
        ("POST", "/move", {"json": {"path": "x"}}),
        ("POST", "/restore", {"json": {}}),
        ("POST", "/restore", {"json": {"revision": 1}}),
        ("DELETE", "", {}),
        ("PUT", "/audience", {"json": {"audience": ["everyone"], "classification": "open"}}),
        ("PUT", "/owner", {"json": {"owner_id": who}}),
    ]
    for method, path, how in ways:
        answers = [
            await house.ask(who, method, f"/wiki/pages/{each}{path}", **how)
            for each in (page, "0" * 32, "no.such~id")
        ]
        problems = [{**answer.json(), "correlation_id": ""} for answer in answers]
        assert answers[0].status_code == 404, (method, path)
        assert problems[0] == problems[1] == problems[2]


async def test_a_changed_audience_hides_the_page_and_all_its_history(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")

    async def there() -> bool:
        return (await house.get("bob", f"/wiki/pages/{page}/revisions/1")).status_code == 200

    await eventually(there)
    asked = {"audience": ["member:ann"], "classification": "internal"}
    refused(
        await house.ask("bob", "PUT", f"/wiki/pages/{page}/audience", json=asked), 403, "may-not-audience"
    )
    changed = await house.ask("ann", "PUT", f"/wiki/pages/{page}/audience", json=asked)
    await house.get("ann", f"/wiki/pages/{page}", after=changed)
    await _looks_missing(house, "bob", page)
    secret = {**asked, "classification": "secret"}
    refused(
        await house.ask("ann", "PUT", f"/wiki/pages/{page}/audience", json=secret),
        422,
        "secret-has-no-place-here",
    )


async def test_a_page_is_handed_over_by_its_owner_or_an_editor(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    to_bob = {"json": {"owner_id": "bob"}}
    refused(await house.ask("bob", "PUT", f"/wiki/pages/{page}/owner", **to_bob), 403, "may-not-owner")
    handed = await house.ask("edi", "PUT", f"/wiki/pages/{page}/owner", **to_bob)
    assert (await house.get("bob", f"/wiki/pages/{page}", after=handed)).json()["may"]["owner"]


async def test_guests_read_what_is_for_them_and_write_nothing(house: House) -> None:
    space = await space_of(house, audience=["everyone"], classification="open")
    page = await page_of(house, space, "a", "one")
    assert (await house.get("gil", f"/wiki/pages/{page}")).status_code == 200
    refused(await start(house, space, "b", "x", who="gil"), 403, "may-not-write")
    put = {"json": {"body": "x"}, "headers": {"If-Match": '"1"'}}
    refused(await house.ask("gil", "PUT", f"/wiki/pages/{page}", **put), 403, "may-not-write")
    refused(
        await house.ask("gil", "POST", "/wiki/spaces", json={"name": "x", "language": "en"}),
        403,
        "may-not-open-space",
    )
    draft = {"space_id": space, "path": "a", "body": "x"}
    refused(await house.ask("gil", "POST", "/wiki/preview", json=draft), 403, "may-not-write")
    refused(await house.ask("nobody", "GET", "/wiki/spaces"), 401, "token-invalid")


async def test_lists_go_on_where_they_ended(house: House) -> None:
    space = await space_of(house)
    for n in range(5):
        await page_of(house, space, f"p{n}", f"# P{n}")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        listed = await house.get("bob", "/wiki/pages", params={"space": space, "limit": 2, "cursor": cursor})
        seen += [item["title"] for item in listed.json()["items"]]
        assert listed.json()["total"] == 5
        cursor = listed.json()["next"]
    assert seen == [f"P{n}" for n in range(5)]
    recent = (await house.get("bob", "/wiki/recent", params={"space": space, "limit": 3})).json()
    rest = (await house.get("bob", "/wiki/recent", params={"space": space, "cursor": recent["next"]})).json()
    assert [item["title"] for item in [*recent["items"], *rest["items"]]] == ["P4", "P3", "P2", "P1", "P0"]


async def test_a_space_is_renamed_shown_and_handed_over_by_those_who_may(house: House) -> None:
    space = await space_of(house, purpose="How we travel")
    names = {"json": {"name": "Trips", "purpose": "Where to"}}
    refused(await house.ask("bob", "PUT", f"/wiki/spaces/{space}", **names), 403, "may-not-rename-space")
    assert (await house.ask("ann", "PUT", f"/wiki/spaces/{space}", **names)).status_code == 200
    to_bob = await house.ask("edi", "PUT", f"/wiki/spaces/{space}/owner", json={"owner_id": "bob"})
    shown = (await house.get("bob", f"/wiki/spaces/{space}", after=to_bob)).json()
    assert (shown["name"], shown["purpose"], shown["owner_id"]) == ("Trips", "Where to", "bob")
    hide = {"json": {"audience": ["member:bob"], "classification": "internal"}}
    hidden = await house.ask("bob", "PUT", f"/wiki/spaces/{space}/audience", **hide)
    await house.get("bob", f"/wiki/spaces/{space}", after=hidden)
    for answer in (
        await house.ask("ann", "GET", f"/wiki/spaces/{space}"),
        await house.ask("ann", "GET", "/wiki/pages", params={"space": space}),
        await house.ask("ann", "PUT", f"/wiki/spaces/{space}", **names),
        await start(house, space, "a", "x"),
    ):
        refused(answer, 404, "no-such-space")


async def test_a_preview_shows_what_a_page_would_look_like_and_keeps_nothing(house: House) -> None:
    space = await space_of(house)
    target = await page_of(house, space, "there", "x")
    draft = {"space_id": space, "path": "here", "body": "## A\n\n[x](there) <script>alert(1)</script>"}
    shown = (await house.ask("bob", "POST", "/wiki/preview", json=draft)).json()
    assert f'<a href="/wiki/pages/{target}">x</a>' in shown["html"]
    assert "script" not in shown["html"]
    nowhere = await house.ask("bob", "POST", "/wiki/preview", json={"space_id": space, "body": "Hello"})
    assert nowhere.json()["html"] == "<p>Hello</p>\n"
    assert (await house.get("bob", "/wiki/pages", params={"space": space})).json()["total"] == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"path": "../../etc/passwd"}, "path-climbs"),
        ({"path": "a\\b"}, "path-characters"),
        ({"path": ""}, "path-missing"),
        ({"audience": ["nonsense"]}, "audience-unknown"),
        ({"audience": []}, "audience-empty"),
        ({"classification": "secret"}, "secret-has-no-place-here"),
        ({"language": "x"}, "language-unknown"),
        ({"note": "n" * 501}, "text-too-long"),
        ({"owner_id": "<b>"}, "member-unknown"),
    ],
)
async def test_what_breaks_a_rule_is_refused_beside_its_field(
    house: House, asked: dict[str, Any], code: str
) -> None:
    space = await space_of(house)
    problem = refused(await start(house, space, **{"path": "a", "body": "x", **asked}), 422, code)
    assert problem["field"] == next(iter(asked))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b'{"space_id": "s", "path": "a", "body": "\\ud800"}', 422),
        (b'{"space_id": "s", "path": "a", "body": "x", "extra": 1}', 422),
        (b'{"space_id": "s", "path": "a", "body": 7}', 422),
        (b'{"space_id": "s", "path": "a"', 422),
        (b'{"space_id": "s", "path": "a", "body": "' + b"x" * 600_000 + b'"}', 422),
        (b'{"space_id": "s", "path": "a", "body": "' + b"x" * 3_000_000 + b'"}', 413),
        (b"[" * 100_000, 422),
    ],
)
async def test_malformed_input_is_refused_and_nothing_is_written(
    house: House, sent: bytes, status: int
) -> None:
    answer = await house.ask(
        "ann", "POST", "/wiki/pages", content=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "WyJhIiwiYiIsImMiXQ", "bnVsbA"])
async def test_a_made_up_cursor_is_refused(house: House, cursor: str) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "x")
    for path, params in (
        ("/wiki/pages", {"space": space}),
        ("/wiki/recent", {}),
        ("/wiki/spaces", {}),
        (f"/wiki/pages/{page}/revisions", {}),
        (f"/wiki/pages/{page}/backlinks", {}),
    ):
        answer = await house.ask("ann", "GET", path, params={**params, "cursor": cursor})
        assert refused(answer, 422, "bad-cursor")["field"] == "cursor"


async def test_pages_are_listed_over_all_spaces_that_the_reader_may_see(house: House) -> None:
    one, other = await space_of(house), await space_of(house)
    name = new_id()
    first = await page_of(house, one, f"{name}-a.md", "# One\n")
    second = await page_of(house, other, f"{name}-b.md", "# Other\n")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        listed = (await house.get("bob", "/wiki/pages", params={"limit": "50", **cursor})).json()
        found += [item["id"] for item in listed["items"]]
        if listed["next"] is None:
            break
        cursor = {"cursor": listed["next"]}
    assert {first, second} <= set(found) and len(found) == len(set(found)) == listed["total"]


async def test_some_spaces_are_asked_for_by_their_ids(house: House) -> None:
    """Of those that one may not see, nothing."""
    spaces = [await space_of(house) for _ in range(3)]
    hidden = await house.ask(
        "ann",
        "PUT",
        f"/wiki/spaces/{spaces[2]}/audience",
        json={"audience": ["member:ann"], "classification": "internal"},
    )
    await house.get("ann", f"/wiki/spaces/{spaces[2]}", after=hidden)
    params = {"ids": ",".join([*spaces, "nothing"])}
    for who, expected in (("ann", set(spaces)), ("bob", set(spaces[:2]))):
        listed = (await house.get(who, "/wiki/spaces", params=params)).json()
        assert {item["id"] for item in listed["items"]} == expected
        assert listed["total"] == len(expected) and listed["next"] is None
    first = (await house.get("ann", "/wiki/spaces", params={**params, "limit": 1})).json()
    assert first["total"] == 3 and first["next"]
    too_long = await house.ask("ann", "GET", "/wiki/spaces", params={"ids": "x" * 4_001})
    assert too_long.status_code == 422
    for of_group, total in (("false", 3), ("true", 0)):
        asked = {**params, "of_group": of_group}
        assert (await house.get("ann", "/wiki/spaces", params=asked)).json()["total"] == total
