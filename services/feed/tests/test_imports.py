"""Talk from elsewhere: in its authors' names and times, by the same rules, once, new to nobody."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.groups import Openness
from contracts.identity import Role
from services.feed.tests.test_live import looking
from services.feed.tests.world import House, Person
from services.feed.tests.world import house as running
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings
from shared.tests.company import refused
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = "2025-04-07T09:30:00Z"


@pytest.fixture(scope="module")
def settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("feed-imports")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    """With `ope`, who operates."""
    async with running(settings) as house:
        await house.world.member("ope", Person(roles=(Role.OPERATOR,)))

        async def known() -> bool:
            return (await house.ask("ope", "GET", "/feed")).status_code == 200

        await eventually(known)
        yield house


def post(line: int, by: str = "ann", **more: Any) -> dict[str, Any]:
    said = {"op": "post", "line": line, "by": by, "at": AT, "post_id": f"{new_id()}"}
    return {**said, "text": "Vi har flyttat disken till entrén", "language": "sv", **more}


async def sent(house: House, source: str, *commands: dict[str, Any], who: str = "ope") -> Any:
    asked = {"source": source, "commands": list(commands)}
    answer = await house.ask(who, "POST", "/feed/import/commands", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def outcomes(answer: Any) -> list[tuple[str, str | None]]:
    return [(each["outcome"], each["code"]) for each in answer["results"]]


async def test_a_conversation_arrives_in_its_authors_names_and_times(house: House) -> None:
    said = post(1, text="Disken är flyttad, @[bob] #butiken", must_acknowledge=False)
    comment_id = new_id()
    about = {"post_id": said["post_id"], "at": "2025-04-07T10:00:00Z"}
    answer = await sent(
        house,
        "talk",
        said,
        {"op": "comment", "line": 2, "by": "bob", "comment_id": comment_id, "text": "Thank you", **about},
        {"op": "react", "line": 3, "by": "dag", "kind": "thanks", "comment_id": comment_id, **about},
        {"op": "react", "line": 4, "by": "dag", "kind": "like", **about},
        {
            "op": "comment",
            "line": 5,
            "by": "ann",
            "comment_id": new_id(),
            "parent_id": comment_id,
            "text": "Varsågod",
            **about,
        },
    )
    assert outcomes(answer) == [("done", None)] * 5

    async def whole() -> bool:
        shown = (await house.get("edi", f"/posts/{said['post_id']}")).json()
        return bool(shown.get("comments") == 2 and shown["reactions"] == {"like": 1})

    await eventually(whole)
    shown = (await house.get("edi", f"/posts/{said['post_id']}")).json()
    assert (shown["author_id"], shown["published_at"], shown["mentions"]) == ("ann", AT, ["bob"])
    assert (shown["language"], shown["language_source"], shown["topics"]) == ("sv", "author", ["butiken"])
    comments = (await house.get("edi", f"/posts/{said['post_id']}/comments")).json()["items"]
    assert [(each["author_id"], each["parent_id"]) for each in comments] == [
        ("bob", None),
        ("ann", comment_id),
    ]
    assert comments[0]["reactions"] == {"thanks": 1}
    stored = await house.service.store.load(f"post-{said['post_id']}")
    assert [(each.by, each.imported) for each in stored] == [("ann", True)]


async def test_an_announcement_is_acknowledged_by_those_who_read_it(house: House) -> None:
    said = post(1, "edi", kind="announcement", title="Rules", must_acknowledge=True, audience=["staff"])
    read = {"op": "acknowledge", "post_id": said["post_id"], "at": "2025-04-08T09:00:00Z"}
    plain = post(4)
    answer = await sent(
        house,
        "read",
        said,
        {**read, "line": 2, "by": "ann"},
        {**read, "line": 3, "by": "gil"},
        plain,
        {**read, "line": 5, "by": "ann", "post_id": plain["post_id"]},
    )
    assert outcomes(answer) == [
        ("done", None),
        ("done", None),
        ("refused", "no-such-post"),
        ("done", None),
        ("refused", "nothing-to-acknowledge"),
    ]


async def test_who_may_not_did_not(house: House) -> None:
    group_id = await house.world.group(Openness.CLOSED, "ann")
    await house.knows("ann", group_id)
    inside = post(1, group_id=group_id)
    answer = await sent(
        house,
        "rules",
        inside,
        post(2, "bob", group_id=group_id),
        post(3, "gil"),
        post(4, "ann", kind="announcement", title="No"),
        {"op": "react", "line": 5, "by": "bob", "post_id": inside["post_id"], "kind": "like", "at": AT},
        post(6, "nobody"),
        post(7, audience=["unit:nowhere"]),
        post(8, text=" "),
        {
            "op": "comment",
            "line": 9,
            "by": "ann",
            "post_id": "none",
            "comment_id": "c",
            "text": "x",
            "at": AT,
        },
    )
    assert outcomes(answer) == [
        ("done", None),
        ("refused", "no-such-group"),
        ("refused", "may-not-post"),
        ("refused", "may-not-announce"),
        ("refused", "no-such-post"),
        ("refused", "line-member-unknown"),
        ("refused", "audience-unknown"),
        ("refused", "text-missing"),
        ("refused", "no-such-post"),
    ]


async def test_a_second_run_changes_nothing_and_a_broken_one_goes_on(house: House) -> None:
    batch = [post(line) for line in (1, 2, 3, 4)]
    assert outcomes(await sent(house, "twice", *batch[:2])) == [("done", None)] * 2
    again = await sent(house, "twice", *batch)
    assert outcomes(again) == [("already", None)] * 2 + [("done", None)] * 2
    stored = await house.service.store.load(f"post-{batch[0]['post_id']}")
    assert outcomes(await sent(house, "twice", *batch)) == [("already", None)] * 4
    assert await house.service.store.load(f"post-{batch[0]['post_id']}") == stored
    changed = {**batch[0], "text": "Something else"}
    assert outcomes(await sent(house, "twice", changed)) == [("refused", "idempotency-key-reused")]


async def test_nothing_comes_from_the_future_or_from_before_the_calendar(house: House) -> None:
    """Of the year 1 there is no day in every time zone: pages that showed it failed."""
    for early in ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"):
        assert outcomes(await sent(house, "early", post(1, at=early))) == [("refused", "line-time-early")]
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert outcomes(await sent(house, "ahead", post(1, at=ahead))) == [("refused", "line-time-future")]


async def test_only_operators_import(house: House) -> None:
    for who in ("ann", "edi", "gil"):
        asked = {"source": "x", "commands": [post(1)]}
        refused(await house.ask(who, "POST", "/feed/import/commands", json=asked), 403, "may-not-import")


async def test_what_is_malformed_is_refused_by_the_number_of_its_line(house: House) -> None:
    for wrong in ({"text": 5}, {"extra": 1}, {"at": "yesterday"}, {"at": "2025-04-07T09:30:00"}):
        asked = {"source": "x", "commands": [post(41), post(42, **wrong)]}
        answer = await house.ask("ope", "POST", "/feed/import/commands", json=asked)
        problem = refused(answer, 422, "invalid-input")
        assert problem["errors"][0]["field"].startswith("commands.1.post.")
        assert problem["errors"][0]["message"].startswith("Line 42: ")
    for asked in ({"source": "No!", "commands": [post(1)]}, {"source": "x", "commands": [post(1)] * 501}):
        refused(await house.ask("ope", "POST", "/feed/import/commands", json=asked), 422, "invalid-input")


async def test_whoever_looks_on_is_not_told_that_it_is_new(house: House) -> None:
    async with looking(house, "bob") as screen:
        await sent(house, "quiet", post(1), post(2, at=datetime.now(UTC).isoformat()))
        fresh = (await house.post("ann", "And this is said now")).json()["id"]

        async def heard() -> bool:
            return fresh in screen.new()

        await eventually(heard)
        assert screen.new() == [fresh]
