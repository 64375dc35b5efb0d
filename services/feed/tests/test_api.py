"""The feed over HTTP on real engines: writing, reading, and what stays hidden."""

import asyncio
import itertools

import httpx
import pytest

from contracts.groups import Openness
from contracts.identity import LanguageChanged, Role
from services.feed import newest, projections
from services.feed.tests.world import House, Person
from shared.kernel.audience import MOST_CLAUSES, MOST_CONJUNCTIONS_OF_ONE, Classification, Reader
from shared.runtime.auth import Actor
from shared.runtime.ids import new_id
from shared.runtime.sole import Sole
from shared.tests.company import refused
from shared.tests.eventually import eventually

#: One service for all of them: what each test says has ids of its own.
pytestmark = pytest.mark.asyncio(loop_scope="package")

SWEDISH = "Hej allihop, i dag har vi nybakade kanelbullar i köket på andra våningen!"


async def test_a_post_is_read_by_others_in_its_language(house: House) -> None:
    posted = await house.post("ann", f"{SWEDISH} #Fika @[bob]")
    post_id = posted.json()["id"]
    assert posted.headers["Location"] == f"/posts/{post_id}" and posted.headers["ETag"] == '"1"'
    page = (await house.get("bob", "/feed", posted)).json()
    first = page["items"][0]
    assert first["id"] == post_id
    assert (first["text"], first["author_id"]) == (f"{SWEDISH} #Fika @[bob]", "ann")
    assert (first["language"], first["language_source"]) == ("sv", "detected")
    assert first["language_confidence"] > 0.9
    assert (first["topics"], first["mentions"], first["audience"]) == (["fika"], ["bob"], ["staff"])
    assert (first["classification"], first["kind"], first["edition"]) == ("internal", "post", 1)
    assert first["may"] == {
        "comment": True,
        "react": True,
        "edit": False,
        "delete": False,
        "correct-language": False,
        "report": False,
    }
    assert page["may"] == {"post": True, "announce": False}
    alone = await house.get("bob", f"/posts/{post_id}")
    assert alone.json() == first and alone.headers["ETag"] == '"1"'


async def test_what_is_not_for_somebody_does_not_exist_for_them(house: House) -> None:
    posted = await house.post("ann", "For staff only, this one.")
    post_id = posted.json()["id"]
    assert post_id in await house.ids("bob", posted)
    assert post_id not in await house.ids("gil")
    hidden = [
        await house.ask("gil", method, path.format(post_id), **how)
        for method, path, how in (
            ("GET", "/posts/{}", {}),
            ("PUT", "/posts/{}", {"json": {"text": "x"}}),
            ("DELETE", "/posts/{}", {}),
            ("GET", "/posts/{}/comments", {}),
            ("POST", "/posts/{}/comments", {"json": {"text": "x"}}),
            ("PUT", "/posts/{}/reaction", {"json": {"kind": "like"}}),
            ("GET", "/posts/{}/reactions", {}),
            ("PUT", "/posts/{}/acknowledgement", {}),
            ("GET", "/posts/{}/acknowledgements", {}),
        )
    ]
    for answer in hidden:
        refused(answer, 404, "no-such-post")
    missing = await house.ask("gil", "GET", f"/posts/{new_id()}")
    assert {k: v for k, v in missing.json().items() if k != "correlation_id"} == {
        k: v for k, v in hidden[0].json().items() if k != "correlation_id"
    }


async def test_pages_of_the_feed_follow_each_other_without_gaps(house: House) -> None:
    group_id = await house.world.group(Openness.OPEN, "ann")
    await house.knows("ann", group_id)
    said = [(await house.post("ann", f"Number {n}", group_id=group_id)) for n in range(5)]
    for answer in said:
        await house.get("ann", "/feed", answer)
    wanted = [answer.json()["id"] for answer in reversed(said)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"group_id": group_id, "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await house.get("bob", "/feed", said[-1], params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == wanted


async def test_only_its_author_edits_a_post(house: House) -> None:
    posted = await house.post("ann", "First words of many to come")
    path = f"/posts/{posted.json()['id']}"
    refused(await house.ask("bob", "PUT", path, json={"text": "x"}), 403, "may-not-edit")
    edited = await house.ask(
        "ann", "PUT", path, json={"text": "Second words #later"}, headers={"If-Match": '"1"'}
    )
    assert edited.status_code == 200
    late = await house.ask("ann", "PUT", path, json={"text": "x"}, headers={"If-Match": '"1"'})
    refused(late, 409, "edited-meanwhile")
    shown = (await house.get("bob", path, edited)).json()
    assert (shown["text"], shown["edition"], shown["version"]) == ("Second words #later", 2, 2)
    assert shown["topics"] == ["later"] and shown["edited_at"] is not None


async def test_a_deleted_post_is_gone_everywhere_with_its_comments(house: House) -> None:
    posted = await house.post("ann", "Soon gone #fleeting")
    post_id = posted.json()["id"]
    comment = await house.comment("bob", post_id, "So soon?")
    refused(await house.ask("bob", "DELETE", f"/posts/{post_id}"), 403, "may-not-delete")
    gone = await house.ask("ann", "DELETE", f"/posts/{post_id}")
    assert gone.status_code == 200
    refused(await house.get("bob", f"/posts/{post_id}", gone), 404, "no-such-post")
    assert post_id not in await house.ids("bob", gone)
    assert post_id not in await house.ids("bob", gone, topic="fleeting")
    refused(await house.ask("bob", "GET", f"/posts/{post_id}/comments"), 404, "no-such-post")
    path = f"/comments/{comment.json()['id']}"
    refused(await house.ask("bob", "PUT", path, json={"text": "x"}), 404, "no-such-comment")
    refused(await house.ask("bob", "PUT", f"{path}/reaction", json={"kind": "like"}), 404, "no-such-comment")
    topics = (await house.get("ann", "/topics", params={"q": "fleet"})).json()
    assert topics["items"] == []


async def test_comments_are_read_in_threads(house: House) -> None:
    post_id = (await house.post("ann", "What do you drink?")).json()["id"]
    tea = (await house.comment("bob", post_id, "Tea")).json()["id"]
    coffee = (await house.comment("dag", post_id, "Kaffee")).json()["id"]
    green = (await house.comment("ann", post_id, "Green?", parent_id=tea)).json()["id"]
    last = await house.comment("bob", post_id, "Black.", parent_id=green)
    path = f"/posts/{post_id}/comments"
    page = (await house.get("dag", path, last, params={"limit": 3})).json()
    assert [item["id"] for item in page["items"]] == [tea, green, last.json()["id"]]
    assert [item["parent_id"] for item in page["items"]] == [None, tea, green]
    assert {item["thread_id"] for item in page["items"]} == {tea} and page["total"] == 4
    rest = (await house.get("dag", path, params={"limit": 3, "cursor": page["next"]})).json()
    assert [item["id"] for item in rest["items"]] == [coffee] and rest["next"] is None
    elsewhere = (await house.post("ann", "Another one")).json()["id"]
    refused(
        await house.ask("bob", "POST", f"/posts/{elsewhere}/comments", json={"text": "x", "parent_id": tea}),
        404,
        "no-such-comment",
    )


async def test_a_deleted_comment_keeps_its_place_for_its_answers(house: House) -> None:
    post_id = (await house.post("ann", "Think aloud")).json()["id"]
    comment_id = (await house.comment("bob", post_id, "Regretted")).json()["id"]
    await house.comment("ann", post_id, "Why?", parent_id=comment_id)
    refused(await house.ask("ann", "DELETE", f"/comments/{comment_id}"), 403, "may-not-delete")
    gone = await house.ask("bob", "DELETE", f"/comments/{comment_id}")
    page = (await house.get("dag", f"/posts/{post_id}/comments", gone)).json()
    first, answer = page["items"]
    assert (first["deleted"], first["text"], first["author_id"]) == (True, "", "")
    assert (answer["text"], answer["parent_id"], page["total"]) == ("Why?", comment_id, 1)
    refused(
        await house.ask("bob", "PUT", f"/comments/{comment_id}", json={"text": "x"}), 404, "no-such-comment"
    )


async def test_reactions_are_counted_once_for_each_member(house: House) -> None:
    post_id = (await house.post("ann", "Good news")).json()["id"]
    path = f"/posts/{post_id}/reaction"
    for kind in ("like", "love", "love"):
        last = await house.ask("bob", "PUT", path, json={"kind": kind})
        assert last.status_code == 200
    await house.get("bob", f"/posts/{post_id}", last)
    last = await house.ask("dag", "PUT", path, json={"kind": "like"})
    shown = (await house.get("bob", f"/posts/{post_id}", last)).json()
    assert (shown["reactions"], shown["my_reaction"]) == ({"like": 1, "love": 1}, "love")
    listed = (await house.get("ann", f"/posts/{post_id}/reactions", last)).json()
    assert [(item["member_id"], item["kind"]) for item in listed["items"]] == [
        ("dag", "like"),
        ("bob", "love"),
    ]
    assert listed["total"] == 2
    back = await house.ask("bob", "DELETE", path)
    shown = (await house.get("bob", f"/posts/{post_id}", back)).json()
    assert (shown["reactions"], shown["my_reaction"]) == ({"like": 1}, None)
    never = await house.ask("ann", "DELETE", path)
    assert (never.status_code, never.json()["version"]) == (200, 0)
    comment_id = (await house.comment("bob", post_id, "Indeed")).json()["id"]
    liked = await house.ask("ann", "PUT", f"/comments/{comment_id}/reaction", json={"kind": "thanks"})
    page = (await house.get("ann", f"/posts/{post_id}/comments", liked)).json()
    assert (page["items"][0]["reactions"], page["items"][0]["my_reaction"]) == ({"thanks": 1}, "thanks")


async def test_a_group_is_for_its_members_and_a_closed_one_does_not_exist_for_others(house: House) -> None:
    group_id = await house.world.group(Openness.CLOSED, "ann", "gil")
    await house.knows("gil", group_id)
    posted = await house.post("gil", "Hello from outside", group_id=group_id)
    post_id = posted.json()["id"]
    shown = (await house.get("ann", f"/posts/{post_id}", posted)).json()
    assert (shown["audience"], shown["classification"]) == ([f"group:{group_id}"], "open")
    answered = await house.post("ann", "Welcome", group_id=group_id)
    assert await house.ids("gil", answered, group_id=group_id) == [answered.json()["id"], post_id]
    assert (await house.comment("gil", post_id, "Thanks")).status_code == 201
    for who, group in (("bob", group_id), ("gus", group_id), ("bob", new_id())):
        asked = {"text": "x", "group_id": group}
        refused(await house.ask(who, "POST", "/posts", json=asked), 404, "no-such-group")
        feed = await house.ask(who, "GET", "/feed", params={"group_id": group})
        refused(feed, 404, "no-such-group")
        reach = await house.ask(who, "POST", "/reach", json={"group_id": group})
        refused(reach, 404, "no-such-group")
    aimed = {"text": "x", "audience": [f"group:{group_id}"]}
    refused(await house.ask("bob", "POST", "/posts", json=aimed), 422, "audience-unknown")
    await house.world.leave(group_id, "gil")
    await house.knows("gil", group_id, belongs=False)
    refused(await house.ask("gil", "GET", f"/posts/{post_id}"), 404, "no-such-post")
    refused(
        await house.ask("gil", "POST", "/posts", json={"text": "x", "group_id": group_id}),
        404,
        "no-such-group",
    )


async def test_an_owner_of_a_closed_group_deletes_what_somebody_wrote_who_is_gone(house: House) -> None:
    """Nobody else could: its author does not see it any more, and editors are not in the group."""
    group_id = await house.world.group(Openness.CLOSED, "ann", "bob", "dag")
    await house.knows("bob", group_id)
    await house.knows("dag", group_id)
    posted = await house.post("bob", "Something that should not stay", group_id=group_id)
    post_id = posted.json()["id"]
    said = await house.comment("bob", post_id, "Nor this")
    comment_id = said.json()["id"]
    await house.world.promote(group_id, "ann")
    await house.world.leave(group_id, "bob")
    await house.knows("bob", group_id, belongs=False)
    refused(await house.ask("edi", "DELETE", f"/posts/{post_id}"), 404, "no-such-post")
    refused(await house.ask("dag", "DELETE", f"/posts/{post_id}"), 403, "may-not-delete")
    await house.knows("ann", group_id)

    async def may_delete() -> bool:
        shown = (await house.get("ann", f"/posts/{post_id}", said)).json()
        return bool(shown["may"]["delete"]) and not shown["may"]["edit"]

    await eventually(may_delete)
    comments = (await house.get("ann", f"/posts/{post_id}/comments", said)).json()["items"]
    assert [item["may"]["delete"] for item in comments] == [True]
    assert (await house.ask("ann", "DELETE", f"/comments/{comment_id}")).status_code == 200
    gone = await house.ask("ann", "DELETE", f"/posts/{post_id}")
    assert gone.status_code == 200
    assert (await house.get("dag", f"/posts/{post_id}", gone)).status_code == 404


async def test_an_open_group_is_read_by_staff_and_written_by_its_members(house: House) -> None:
    group_id = await house.world.group(Openness.OPEN, "ann")
    await house.knows("ann", group_id)
    posted = await house.post("ann", "Open to all of us", group_id=group_id)
    assert await house.ids("bob", posted, group_id=group_id) == [posted.json()["id"]]
    asked = {"text": "x", "group_id": group_id}
    refused(await house.ask("bob", "POST", "/posts", json=asked), 403, "may-not-post-in-group")
    refused(await house.ask("gil", "GET", "/feed", params={"group_id": group_id}), 404, "no-such-group")
    wrong = {**asked, "audience": ["everyone"]}
    refused(await house.ask("ann", "POST", "/posts", json=wrong), 422, "group-has-its-audience")


async def test_guests_write_in_their_groups_only(house: House) -> None:
    refused(await house.ask("gil", "POST", "/posts", json={"text": "x"}), 403, "may-not-post")
    posted = await house.post("ann", "Visitors are welcome", audience=["everyone"], classification="open")
    post_id = posted.json()["id"]
    assert post_id in await house.ids("gil", posted)
    asked = {"text": "x"}
    refused(await house.ask("gil", "POST", f"/posts/{post_id}/comments", json=asked), 403, "may-not-comment")
    like = {"kind": "like"}
    refused(await house.ask("gil", "PUT", f"/posts/{post_id}/reaction", json=like), 403, "may-not-react")
    refused(await house.ask("gil", "POST", "/reach", json={}), 403, "may-not-post")


async def test_what_is_for_guests_too_is_open_unless_it_is_said_to_be_more(house: House) -> None:
    posted = await house.post("ann", "Everybody is invited", audience=["everyone"])
    assert posted.json()["id"] in await house.ids("gil", posted)
    read = (await house.get("ann", f"/posts/{posted.json()['id']}", posted)).json()
    assert read["classification"] == "open"
    kept = await house.post("ann", "Not for guests", audience=["everyone"], classification="internal")
    assert kept.json()["id"] not in await house.ids("gil", kept)
    usual = await house.post("ann", "Among us", audience=["staff"])
    read = (await house.get("ann", f"/posts/{usual.json()['id']}", usual)).json()
    assert read["classification"] == "internal"


async def test_an_announcement_to_one_country_is_acknowledged_and_its_report_is_right(house: House) -> None:
    asked = {
        "kind": "announcement",
        "title": "New travel rules",
        "audience": ["country:DE"],
        "must_acknowledge": True,
    }
    refused(await house.ask("ann", "POST", "/posts", json={"text": "x", **asked}), 403, "may-not-announce")
    reach = (await house.ask("edi", "POST", "/reach", json={"audience": ["country:DE"]})).json()
    before = reach["people"]
    posted = await house.post("edi", "Ab morgen gelten neue Regeln für alle Reisen.", **asked)
    post_id = posted.json()["id"]
    assert post_id in await house.ids("edi", posted), "who speaks to others sees it"
    assert post_id not in await house.ids("ann")
    shown = (await house.get("dag", f"/posts/{post_id}")).json()
    assert (shown["must_acknowledge"], shown["acknowledged"], shown["language"]) == (True, None, "de")
    done = await house.ask("dag", "PUT", f"/posts/{post_id}/acknowledgement")
    assert (done.status_code, done.json()["edition"], done.json()["language"]) == (200, 1, "de")
    again = await house.ask("dag", "PUT", f"/posts/{post_id}/acknowledgement", json={"edition": 1})
    assert again.json() == done.json()
    newcomer = f"new{new_id()[-8:]}"
    after = await house.world.member(newcomer, Person(country="DE", language="de"))
    path = f"/posts/{post_id}/acknowledgements"
    refused(await house.ask("dag", "GET", path), 403, "may-not-report")
    await house.get("edi", path, done)
    report = (await house.get("edi", path, after)).json()
    assert report["counts"] == {
        "people": before,
        "acknowledged": 1,
        "missing": before - 1,
        "left": 0,
        "joined": 1,
        "joined_acknowledged": 0,
        "current_edition": 1,
    }
    assert report["countries"] == {"DE": {"people": before, "acknowledged": 1}}
    states = {item["member_id"]: item for item in report["items"]}
    assert states["dag"]["acknowledged_at"] and states["dag"]["state"] == "present"
    assert states["lea"]["acknowledged_at"] is None
    assert states[newcomer]["state"] == "joined" and "edi" not in states
    missing = (await house.get("edi", path, params={"show": "missing"})).json()["items"]
    assert "dag" not in {item["member_id"] for item in missing}
    table = await house.get("edi", path, params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.text.splitlines()) == 1 + before + 1
    assert (await house.get("dag", f"/posts/{post_id}")).json()["acknowledged"]["edition"] == 1
    refused(await house.ask("ann", "GET", path), 404, "no-such-post")


async def test_a_report_tells_of_the_audience_as_it_was_at_the_publication(house: House) -> None:
    world, mine = house.world, new_id()[-8:]
    stays, moves, leaves, comes = (f"{name}{mine}" for name in ("stays", "moves", "leaves", "comes"))
    for member_id, person in (
        (stays, Person(country="SE", language="fr")),
        (moves, Person(country="SE", language="fr")),
        (leaves, Person(country="DE", language="fr")),
        (comes, Person(country="NO", language="nb")),
    ):
        before = await world.member(member_id, person)
    await house.get("edi", "/feed", before)
    posted = await house.post(
        "edi",
        "Un texte pour tous ceux qui lisent le français dans cette maison.",
        kind="announcement",
        title="A tous",
        audience=["language:fr"],
        must_acknowledge=True,
    )
    post_id = posted.json()["id"]
    path = f"/posts/{post_id}/acknowledgements"
    await world.moved(moves, "SE", "NO")
    changed = LanguageChanged(member_id=comes, old="nb", new="fr")
    await world.say(f"member-{comes}", changed)
    await world.moved(comes, "NO", "FI")
    after = await world.gone(leaves)
    await house.get("edi", path, posted)
    await house.get(moves, "/feed", posted)
    done = await house.ask(moves, "PUT", f"/posts/{post_id}/acknowledgement")
    assert done.status_code == 200
    await house.get("edi", path, done)

    report = (await house.get("edi", path, after)).json()
    assert report["counts"] == {
        "people": 3,
        "acknowledged": 1,
        "missing": 2,
        "left": 1,
        "joined": 1,
        "joined_acknowledged": 0,
        "current_edition": 1,
    }
    assert report["countries"] == {
        "DE": {"people": 1, "acknowledged": 0},
        "SE": {"people": 2, "acknowledged": 1},
    }
    assert report["languages"] == {"fr": {"people": 3, "acknowledged": 1}}
    assert {item["member_id"]: item["country"] for item in report["items"]} == {
        stays: "SE",
        moves: "SE",
        leaves: "DE",
        comes: "NO",
    }
    for show, whom in (("acknowledged", moves), ("missing", stays), ("left", leaves), ("joined", comes)):
        listed = (await house.get("edi", path, params={"show": show})).json()["items"]
        assert [item["member_id"] for item in listed] == [whom], show


async def test_reach_counts_people_languages_and_countries(house: House) -> None:
    group_id = await house.world.group(Openness.CLOSED, "ann", "bob", "gil")
    await house.knows("gil", group_id)

    async def counted() -> bool:
        answer = await house.ask("ann", "POST", "/reach", json={"group_id": group_id})
        return bool(
            answer.json()
            == {
                "people": 2,
                "languages": {"en": 1, "fi": 1},
                "countries": {"FI": 1, "SE": 1},
                "roles": {},
            }
        )

    await eventually(counted)
    asked = {"group_id": group_id, "classification": "internal"}
    internal = (await house.ask("ann", "POST", "/reach", json=asked)).json()
    assert internal["people"] == 1, "guests are cleared for what is open only"
    nobody = "audience-of-nobody"
    for clause, code in (
        *(
            (none, "audience-unknown")
            for none in ("country:ZZ", "unit:nowhere", "group:nowhere", "member:no")
        ),
        ("country:SE&role:leader", nobody),
        ("country:SE&group:nowhere", "audience-unknown"),
        (f"group:{group_id}&role:leader", nobody),
    ):
        for path, how in (("/reach", {}), ("/posts", {"text": "x"})):
            answer = await house.ask("ann", "POST", path, json={"audience": [clause], **how})
            assert refused(answer, 422, code)["field"] == "audience"


async def test_reach_counts_roles_where_that_is_asked_for(house: House) -> None:
    """Each under every role that they have, and only of those who would see it."""
    both, leads, neither = (f"m{new_id()}" for _ in range(3))
    roles = {both: (Role.LEADER, Role.EDITOR), leads: (Role.LEADER,), neither: ()}
    for who, theirs in roles.items():
        await house.world.member(who, Person(country="IS", roles=theirs))

    async def by_role(who: str, *clauses: str) -> dict[str, int]:
        answer = await house.ask(who, "POST", "/reach", json={"audience": [*clauses], "by_role": True})
        return dict(answer.json().get("roles", {}))

    async def known() -> None:
        assert await by_role("ann", "country:IS") == {"editor": 1, "leader": 2}

    await eventually(known)
    assert await by_role(both, "country:IS") == {"leader": 1}, "without who asks"
    assert await by_role("ann", "country:IS&role:editor") == {"editor": 1, "leader": 1}


async def test_one_of_each_kind_reaches_who_meets_one_whole_condition(house: House) -> None:
    """Also where nobody meets another yet: who leads there from tomorrow on sees it."""
    clauses = ["role:leader&country:DE", "country:SE&role:leader", "country:NO&role:leader"]
    reach = (await house.ask("edi", "POST", "/reach", json={"audience": clauses})).json()
    assert (reach["people"], reach["countries"]) == (1, {"DE": 1})
    how = {"kind": "announcement", "title": "Read this", "audience": clauses}
    told = await house.post("edi", "For those who lead in three countries", **how)
    post_id = told.json()["id"]
    for who, sees in (("lea", True), ("edi", True), ("dag", False), ("ann", False), ("tor", False)):
        assert (post_id in await house.ids(who, told)) is sees, who
    shown = (await house.get("lea", f"/posts/{post_id}", told)).json()
    assert set(shown["audience"]) >= {"country:DE&role:leader", "country:NO&role:leader"}
    comes = f"m{new_id()}"
    joined = await house.world.member(comes, Person(country="NO", roles=(Role.LEADER,)))
    assert post_id in await house.ids(comes, joined)


async def test_what_joins_a_group_with_a_condition_is_for_its_guests_too(house: House) -> None:
    """Whatever stands first in the clause, which is in the order of the alphabet."""
    group_id = await house.world.group(Openness.CLOSED, "edi", "gil")
    await house.knows("gil", group_id)
    await house.knows("edi", group_id)
    for clause, people in ((f"country:FI&group:{group_id}", 1), (f"group:{group_id}&language:fi", 1)):
        reach = (await house.ask("edi", "POST", "/reach", json={"audience": [clause]})).json()
        assert reach["people"] == people, clause
        posted = await house.post("edi", "For guests in Finland", audience=[clause])
        assert posted.json()["id"] in await house.ids("gil", posted)
    for_staff = {"audience": [f"group:{group_id}&staff"]}
    assert (await house.ask("edi", "POST", "/reach", json=for_staff)).json()["people"] == 0


async def test_asking_how_many_uses_up_nothing_of_what_may_be_joined(house: House) -> None:
    """Who chooses in a form asks after each choice."""
    mine = [f"group:{await house.world.group(Openness.CLOSED, 'dag')}" for _ in range(6)]
    for token in mine:
        await house.knows("dag", token.removeprefix("group:"))
    joined = ["&".join(each) for size in (2, 3) for each in itertools.combinations(mine, size)]
    asked = [f"{clause}&{more}" for clause in joined for more in ("language:de", "country:DE")]
    assert len(asked) + len(joined) > MOST_CONJUNCTIONS_OF_ONE
    for path, clauses, status in (("/reach", asked, 200), ("/posts", joined, 201)):
        for begin in range(0, len(clauses), MOST_CLAUSES):
            how = {"audience": clauses[begin : begin + MOST_CLAUSES]}
            answer = await house.ask(
                "dag", "POST", path, json=how | ({"text": "x"} if path == "/posts" else {})
            )
            assert answer.status_code == status, answer.text


async def test_an_audience_of_two_conditions_is_those_who_meet_both(house: House) -> None:
    clause = "country:DE&role:leader"
    posted = await house.post("ann", "For leaders in Germany", audience=["role:leader&country:DE"])
    post_id = posted.json()["id"]
    for who, sees in (("lea", True), ("ann", True), ("dag", False), ("edi", False), ("gil", False)):
        assert (post_id in await house.ids(who, posted)) is sees, who
        assert (await house.get(who, f"/posts/{post_id}", posted)).status_code == (200 if sees else 404)
    reach = (await house.ask("ann", "POST", "/reach", json={"audience": [clause]})).json()
    assert (reach["people"], reach["countries"]) == (1, {"DE": 1})
    how = {"kind": "announcement", "title": "Read this", "audience": [clause], "must_acknowledge": True}
    told = await house.post("edi", "Where we go", **how)
    report = f"/posts/{told.json()['id']}/acknowledgements"
    counts = (await house.get("edi", report, told)).json()["counts"]
    assert (counts["people"], counts["missing"]) == (1, 1)
    assert (await house.get("dag", report, told)).status_code == 404


async def test_nobody_uses_up_the_audiences_that_others_may_join(house: House) -> None:
    """Neither one after the other nor at once, and what they have used they may use again."""
    mine = [f"group:{await house.world.group(Openness.CLOSED, 'tor')}" for _ in range(7)]
    for token in mine:
        await house.knows("tor", token.removeprefix("group:"))
    joined = [
        "&".join(parts)
        for parts in itertools.chain(
            itertools.product(["staff"], mine),
            itertools.combinations(mine, 2),
            itertools.combinations(mine, 3),
            ((*each, "staff") for each in itertools.combinations(mine, 2)),
            ((*each, "staff") for each in itertools.combinations(mine, 3)),
        )
    ]
    assert len(joined) > MOST_CONJUNCTIONS_OF_ONE + 10
    portions = [joined[at : at + 10] for at in range(0, MOST_CONJUNCTIONS_OF_ONE + 10, 10)]

    async def post(who: str, *clauses: str, **how: str) -> httpx.Response:
        return await house.ask(who, "POST", "/posts", json={"text": "x", "audience": list(clauses), **how})

    answers = await asyncio.gather(*(post("tor", *portion) for portion in portions))
    taken = [portion for portion, answer in zip(portions, answers, strict=True) if answer.status_code == 201]
    assert len(taken) == MOST_CONJUNCTIONS_OF_ONE // 10
    for answer in answers:
        if answer.status_code != 201:
            assert refused(answer, 422, "audience-too-special")["field"] == "audience"

    async def known() -> None:
        assert set(await house.service.readers.conjunctions()) >= {
            "&".join(sorted(clause.split("&"))) for portion in taken for clause in portion
        }

    await eventually(known)
    refused(await post("tor", "country:NO&role:translator"), 422, "audience-too-special")
    assert (await post("tor", *taken[0])).status_code == 201
    told = await post("edi", "country:NO&role:translator", kind="announcement", title="Read this")
    assert told.status_code == 201, told.text
    assert (await post("tor", "country:NO&role:translator")).status_code == 201


async def test_an_audience_may_be_as_long_for_whoever_is_not_in_it(house: House) -> None:
    """Its writer sees what they wrote, and is not counted among its parts."""
    known = ["country:DE", "country:FI", "country:GB", "country:NO", "language:de", "language:en"]
    known += ["language:nb", "language:fi", "role:editor", "role:leader", "role:translator"]
    known += [f"member:{who}" for who in ("bob", "dag", "edi", "lea", "tor", "gil", "gus")]
    known += ["country:DE&role:leader", "language:de&role:leader"]
    assert len(known) == MOST_CLAUSES
    posted = await house.ask("ann", "POST", "/posts", json={"text": "x", "audience": known})
    assert posted.status_code == 201, posted.text
    shown = await house.get("ann", f"/posts/{posted.json()['id']}", posted)
    assert shown.json()["audience"] == sorted([*known, "member:ann"])
    longer = {"text": "x", "audience": [*known, "country:SE&role:leader"]}
    assert (await house.ask("ann", "POST", "/posts", json=longer)).status_code == 422


async def test_a_feed_remembers_how_far_it_was_seen(house: House) -> None:
    old = (await house.post("ann", "Seen already")).json()["id"]
    seen = await house.ask("tor", "PUT", "/feed/seen", json={})
    assert seen.status_code == 200
    new = await house.post("ann", "Not seen yet")
    await house.get("tor", "/feed", seen)
    page = (await house.get("tor", "/feed", new)).json()
    unread = {item["id"]: item["unread"] for item in page["items"]}
    assert unread[new.json()["id"]] and not unread[old]
    assert page["unread_after"] is not None
    back = await house.ask("tor", "PUT", "/feed/seen", json={"up_to": "2020-01-01T00:00:00Z"})
    assert back.json() == seen.json(), "it never goes back"
    future = await house.ask("tor", "PUT", "/feed/seen", json={"up_to": "2999-01-01T00:00:00Z"})
    assert future.json()["seen_at"] < "2999"


async def test_a_language_is_said_by_its_author_or_corrected_by_who_may(house: House) -> None:
    posted = await house.post("bob", "ok")
    path = f"/posts/{posted.json()['id']}"
    shown = (await house.get("ann", path, posted)).json()
    assert (shown["language"], shown["language_confidence"] < 0.6) == ("en", True)
    refused(
        await house.ask("ann", "PUT", f"{path}/language", json={"language": "sv"}),
        403,
        "may-not-correct-language",
    )
    corrected = await house.ask("tor", "PUT", f"{path}/language", json={"language": "sv"})
    shown = (await house.get("ann", path, corrected)).json()
    assert (shown["language"], shown["language_source"], shown["language_confidence"]) == (
        "sv",
        "corrected",
        None,
    )
    edited = await house.ask("bob", "PUT", path, json={"text": "This is clearly an English sentence."})
    assert (await house.get("ann", path, edited)).json()["language"] == "sv", "what somebody said stays"
    bad = await house.ask("bob", "POST", "/posts", json={"text": "x", "language": "Klingon!"})
    refused(bad, 422, "language-unknown")


async def none_held(self: newest.Newest, reader: Reader, limit: int) -> None:
    """Where another process follows the posts, too."""


async def test_topics_are_found_whatever_their_case_and_never_beyond_an_audience(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id = await house.world.group(Openness.CLOSED, "ann", "gil")
    await house.knows("gil", group_id)
    secret = await house.post("ann", "Hush #Kaffekvarn", group_id=group_id)
    public = await house.post("bob", "Loud #KAFFEKVARN")
    assert await house.ids("ann", public, topic="#kaffekvarn") == [public.json()["id"], secret.json()["id"]]
    assert await house.ids("bob", topic="Kaffekvarn") == [public.json()["id"]]
    assert await house.ids("gil", topic="kaffekvarn") == [secret.json()["id"]]
    assert await house.ids("gus", topic="kaffekvarn") == []
    for held in (True, False):
        if not held:
            monkeypatch.setattr(newest.Newest, "held", none_held)
        for who, posts in (("ann", 2), ("bob", 1), ("gil", 1)):
            found = (await house.get(who, "/topics", params={"q": "#Kaffek"})).json()
            assert found["items"] == [{"topic": "kaffekvarn", "posts": posts}], (who, held)
        assert (await house.get("gus", "/topics", params={"q": "kaffek"})).json()["items"] == []


async def test_mentions_reach_only_those_who_may_see_it(house: House) -> None:
    posted = await house.post("ann", "Ask @[bob], @[gil] and @[nobody], or @[bob]")
    shown = (await house.get("bob", f"/posts/{posted.json()['id']}", posted)).json()
    assert shown["mentions"] == ["bob"]
    bomb = " ".join(f"@[m{n}]" for n in range(21))
    refused(await house.ask("ann", "POST", "/posts", json={"text": bomb}), 422, "too-many-mentions")


async def test_nobody_writes_above_their_clearance(house: House) -> None:
    asked = {"text": "x", "classification": "confidential"}
    refused(await house.ask("ann", "POST", "/posts", json=asked), 422, "above-your-clearance")
    asked = {"text": "x", "classification": "secret"}
    refused(await house.ask("ann", "POST", "/posts", json=asked), 422, "secret-has-no-place-here")
    await house.world.cleared("lea", Classification.INTERNAL, Classification.CONFIDENTIAL)

    async def confidential() -> bool:
        asked = {"text": "Between us", "classification": "confidential"}
        answer = await house.ask("lea", "POST", "/posts", json=asked)
        if answer.status_code != 201:
            return False
        assert answer.json()["id"] in await house.ids("lea", answer)
        assert answer.json()["id"] not in await house.ids("ann", answer)
        return True

    await eventually(confidential)


async def test_who_is_erased_leaves_an_empty_text(house: House) -> None:
    member_id = f"gone{new_id()[-8:]}"
    await house.world.member(member_id, Person())

    async def posts() -> bool:
        return (await house.ask(member_id, "GET", "/feed")).status_code == 200

    await eventually(posts)
    posted = await house.post(member_id, "My words")
    path = f"/posts/{posted.json()['id']}"
    assert (await house.get("ann", path, posted)).json()["text"] == "My words"
    await house.world.erase(member_id)

    async def erased() -> bool:
        shown = (await house.get("ann", path)).json()
        return bool((shown["text"], shown["erased"]) == ("", True))

    await eventually(erased)


async def test_the_same_request_under_one_key_is_done_once(house: House) -> None:
    key = {"Idempotency-Key": new_id()}
    asked = {"text": "Once only, whatever happens"}
    first = await house.ask("ann", "POST", "/posts", json=asked, headers=key)
    again = await house.ask("ann", "POST", "/posts", json=asked, headers=key)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    other = await house.ask("ann", "POST", "/posts", json={"text": "Other"}, headers=key)
    refused(other, 422, "idempotency-key-reused")


async def test_a_deletion_that_is_sent_again_under_its_key_is_answered_as_before(house: House) -> None:
    posted = (await house.post("ann", "Not for long")).json()["id"]
    said = (await house.comment("ann", posted, "Nor this")).json()["id"]
    for path in (f"/comments/{said}", f"/posts/{posted}"):
        key = {"Idempotency-Key": new_id()}
        first, again = [await house.ask("ann", "DELETE", path, headers=key) for _ in range(2)]
        assert first.status_code == again.status_code == 200, again.text
        assert first.json() == again.json()
        assert first.headers["Fikarum-Commit"] == again.headers["Fikarum-Commit"]
        assert (await house.ask("ann", "DELETE", path)).status_code == 404
        assert (await house.ask("bob", "DELETE", path, headers=key)).status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "text-missing"),
        ({"text": "\u200b\u2060 \u3164\ufeff"}, "text-missing"),
        ({"text": "x" * 20_001}, "text-too-long"),
        ({"text": " ".join(f"#t{chr(97 + n)}" for n in range(11))}, "too-many-topics"),
        ({"text": "x", "title": "A title"}, "title-not-here"),
        ({"text": "x", "must_acknowledge": True}, "only-announcements-must-be-read"),
        ({"text": "x", "audience": []}, "audience-empty"),
        ({"text": "x", "audience": ["everybody"]}, "audience-unknown"),
        ({"text": "x", "pictures": [{"id": "nothing"}]}, "no-such-picture"),
    ],
)
async def test_bad_posts_are_refused_in_words(house: House, body: dict[str, object], code: str) -> None:
    answer = await house.ask("ann", "POST", "/posts", json=body)
    assert answer.json()["code"] == code and answer.status_code in (404, 413, 422), answer.text
    assert answer.json()["field"]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": 5}, {"text": "x", "kind": "shout"}, {"text": "x", "colour": "red"}, {"text": "a\x00b"}, []],
)
async def test_malformed_posts_name_the_field(house: House, body: object) -> None:
    answer = await house.ask("ann", "POST", "/posts", json=body)
    assert answer.status_code == 422 and answer.json()["errors"], answer.text


async def test_whoever_is_in_many_groups_sees_the_same_as_the_audience_index_says(house: House) -> None:
    member_id = f"many{new_id()[-8:]}"
    await house.world.member(member_id, Person())
    mine = [await house.world.group(Openness.CLOSED, "ann", member_id) for _ in range(22)]
    others = [await house.world.group(Openness.CLOSED, "ann") for _ in range(3)]
    for who, group_id in ((member_id, mine[-1]), ("ann", others[-1])):
        await house.knows(who, group_id)
    for group_id in [*mine, *others]:
        last = await house.post("ann", "To one of many groups", group_id=group_id)
    await house.get(member_id, "/feed", last)
    reader = await house.service.readers.of(Actor(member_id, frozenset(), "s1"))
    views = house.service.views(projections.posts)
    assert len(reader.tokens) > newest.FEW_TOKENS
    for limit in (5, 20):
        wanted = await views.find({}, sort=newest.NEWEST, limit=limit, reader=reader)
        assert await house.ids(member_id, last, limit=limit) == [view.post_id for view in wanted]
    asked = newest.Newest(views, Sole())
    assert await asked.page(reader, 100_000) is None, "too few are left to the other index"
