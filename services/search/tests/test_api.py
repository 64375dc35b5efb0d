"""Searching over HTTP on real engines."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from contracts.feed import (
    CommentDeleted,
    CommentEdited,
    LanguageSource,
    PostDeleted,
    PostEdited,
    PostPublished,
)
from contracts.groups import (
    GroupDescribed,
    GroupStarted,
    MemberJoinedGroup,
    Openness,
    Standing,
    group_audience,
)
from contracts.identity import (
    MemberDeactivated,
    MemberPlaced,
    MemberReactivated,
    MemberRenamed,
    Place,
    ProfileChanged,
)
from contracts.wiki import PageAudienceChanged, PageDeleted, PageMoved, PageRestored, PageRevised
from services.search import projections
from services.search.indexing import Indexing
from services.search.tests.world import House, published
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


def word() -> str:
    """A word that nobody else says."""
    return "zq" + new_id()[-10:].translate(str.maketrans("0123456789", "ghijklmnop"))


async def everything(house: House, who: str, q: str, ids: set[str], **params: Any) -> None:
    """Waits for what was said in several places of the log."""

    async def look() -> None:
        assert set(await house.found(who, q, **params)) == ids

    await eventually(look)


def found_pieces(item: dict[str, Any], field: str = "text") -> list[str]:
    return [
        piece["text"]
        for passage in item["highlights"]
        if passage["field"] == field
        for piece in passage["pieces"]
        if piece["found"]
    ]


async def test_what_is_said_is_found_by_its_words_with_them_marked(house: House) -> None:
    own = word()
    said = await house.world.post(f"The quarterly budget was approved by the <b>{own}</b> in Uppsala.")
    found = await house.search("bob", f"approve budgets {own}", said.after)
    assert found["total"] == 1
    item = found["items"][0]
    assert (item["kind"], item["id"], item["author_id"], item["language"]) == ("post", said.id, "ann", "en")
    assert item["title"].startswith("The quarterly budget")
    assert found_pieces(item) == ["budget", "approved", own]
    text = "".join(piece["text"] for passage in item["highlights"] for piece in passage["pieces"])
    assert text == f"The quarterly budget was approved by the <b>{own}</b> in Uppsala."


async def test_nobody_can_forge_a_mark(house: House) -> None:
    own = word()
    said = await house.world.post(f"\ue000not found\ue001 but {own} is")
    (item,) = (await house.search("bob", own, said.after))["items"]
    assert found_pieces(item) == [own]


async def test_an_edited_post_is_found_by_its_new_words_only(house: House) -> None:
    before, after = word(), word()
    said = await house.world.post(f"{before} in the kitchen")
    edited = PostEdited(
        post_id=said.id,
        author_id="ann",
        edition=2,
        title="",
        text=Personal(plain=f"{after} in the kitchen"),
        language="en",
        language_source=LanguageSource.AUTHOR,
    )
    seen = await house.world.say(f"post-{said.id}", edited)
    assert await house.found("bob", before, seen) == []
    assert await house.found("bob", after, seen) == [said.id]


async def test_a_deleted_post_takes_its_comments_with_it(house: House) -> None:
    own = word()
    post = await house.world.post(f"{own} is open")
    first = await house.world.comment(post.id, f"{own} indeed")
    second = await house.world.comment(post.id, f"so {own}")
    await everything(house, "bob", own, {post.id, first.id, second.id})
    await house.world.say(
        f"comment-{first.id}",
        CommentEdited(
            comment_id=first.id,
            post_id=post.id,
            author_id="ann",
            edition=2,
            text=Personal(plain=f"{own} it was"),
            language="en",
            language_source=LanguageSource.AUTHOR,
        ),
    )
    gone = PostDeleted(post_id=post.id, author_id="ann", deleted_by="ann")
    after = await house.world.say(f"post-{post.id}", gone)
    assert await house.found("bob", own, after) == []
    late = await house.world.comment(post.id, f"{own} says somebody who was too late")
    assert await house.found("bob", own, late.after) == []


async def test_a_deleted_comment_is_gone_and_its_post_stays(house: House) -> None:
    own = word()
    post = await house.world.post(f"{own} is open")
    said = await house.world.comment(post.id, f"{own} indeed", author="bob")
    (item,) = (await house.search("ann", own, said.after, kind="comment"))["items"]
    assert (item["post_id"], item["author_id"]) == (post.id, "bob")
    gone = CommentDeleted(comment_id=said.id, post_id=post.id, author_id="bob", deleted_by="bob")
    after = await house.world.say(f"comment-{said.id}", gone)
    await everything(house, "ann", own, {post.id})
    assert await house.found("ann", own, after) == [post.id]


async def test_a_page_is_found_as_it_is_now_and_where_it_is(house: House) -> None:
    own, newer = word(), word()
    body = f"---\nlayout: page\n---\n# {own}\n\nRead the [travel *policy*](https://hidden.example) first."
    page = await house.world.page(f"On {own}", body)
    stream = f"page-{page.id}"
    of: dict[str, Any] = {"page_id": page.id, "space_id": "handbook"}
    (item,) = (await house.search("bob", f"{own} policies", page.after))["items"]
    assert (item["title"], item["space_id"], item["path"]) == (f"On {own}", "handbook", f"{page.id}.md")
    assert found_pieces(item) == [own, "policy"] and found_pieces(item, "title") == [own]
    assert await house.found("bob", "hidden.example layout", page.after) == []
    await house.world.say(stream, PageRevised(**of, revision=2, title=f"On {own}", body=newer, note=""))
    moved = PageMoved(
        **of, revision=3, body_revision=2, from_path=f"{page.id}.md", to_path="new.md", title=newer, note=""
    )
    after = await house.world.say(stream, moved)
    (item,) = (await house.search("bob", newer, after))["items"]
    assert (item["title"], item["path"]) == (newer, "new.md")
    deleted = PageDeleted(**of, revision=4, body_revision=2, path="new.md", note="")
    after = await house.world.say(stream, deleted)
    assert await house.found("bob", newer, after) == []
    restored = PageRestored(**of, revision=5, body_revision=2, path="back.md", title=newer, note="")
    after = await house.world.say(stream, restored)
    (item,) = (await house.search("bob", newer, after))["items"]
    assert item["path"] == "back.md"


async def test_a_changed_audience_of_a_page_counts_at_once(house: House) -> None:
    own = word()
    page = await house.world.page(own, own)
    change = PageAudienceChanged(
        page_id=page.id,
        space_id="handbook",
        audience=("member:ann",),
        classification=Classification.CONFIDENTIAL,
        audience_before=(STAFF,),
        classification_before=Classification.INTERNAL,
    )
    after = await house.world.say(f"page-{page.id}", change)
    assert await house.found("bob", own, after) == []
    assert await house.found("ann", own, after) == [page.id]


async def test_a_group_and_what_is_said_there_belong_to_its_members(house: House) -> None:
    own, group = word(), new_id()
    started = GroupStarted(
        group_id=group,
        name=f"Sailing {own}",
        purpose="Boats and weather",
        openness=Openness.CLOSED,
        audience=group_audience(group, Openness.CLOSED),
        language="en",
        started_by="bob",
    )
    await house.world.say(f"group-{group}", started)
    closed = group_audience(group, Openness.CLOSED)
    how: dict[str, Any] = {"group_id": group, "audience": closed, "classification": Classification.OPEN}
    said = await house.world.post(f"{own} on Sunday", "bob", **how)
    assert (await house.search("gil", own, said.after))["total"] == 0
    joined = MemberJoinedGroup(group_id=group, member_id="gil", standing=Standing.MEMBER)
    await house.world.say(f"membership-{group}-gil", joined)

    async def both() -> bool:
        return set(await house.found("gil", own)) == {group, said.id}

    await eventually(both)
    assert await house.found("gil", own, group=group, kind="post") == [said.id]
    facets = (await house.search("gil", own))["facets"]
    assert facets["group"] == [{"value": group, "count": 2}]
    renamed = GroupDescribed(group_id=group, name="Rowing", purpose=own, language="en")
    after = await house.world.say(f"group-{group}", renamed)
    assert group in await house.found("gil", f"row {own}", after)
    assert (await house.search("ann", own, after))["facets"]["group"] == []


async def test_people_are_found_by_name_title_and_what_they_may_be_asked_about(house: House) -> None:
    own, member = word(), new_id()
    await house.world.member(member, f"Åsa {own.capitalize()}", language="sv")
    stream = f"member-{member}"
    place = Place(title="Elektriker", units=("nordics",))
    await house.world.say(stream, MemberPlaced(member_id=member, place=place, place_before=Place()))
    profile = ProfileChanged(
        member_id=member,
        about=Personal(plain="Seglar gärna"),
        ask_me_about=Personal.of_lines(["Solceller", "Kaffe"]),
        time_zone="UTC",
    )
    after = await house.world.say(stream, profile)
    for asked in (own, f"asa {own}", f"elektrikern {own}", f"solcell {own}", f"segla {own}"):
        (item,) = (await house.search("bob", asked, after, kind="person"))["items"]
        assert (item["id"], item["title"]) == (member, f"Åsa {own.capitalize()}"), asked
    assert await house.found("gil", own, after) == [], "guests do not see the directory"
    newer = word()
    after = await house.world.say(stream, MemberRenamed(member_id=member, name=Personal(plain=newer)))
    assert await house.found("bob", own, after) == [] and await house.found("bob", newer, after) == [member]
    after = await house.world.say(stream, MemberDeactivated(member_id=member))
    assert await house.found("bob", newer, after) == []
    after = await house.world.say(stream, MemberReactivated(member_id=member))
    assert await house.found("bob", newer, after) == [member]


async def test_who_is_erased_vanishes_with_all_that_they_said(house: House) -> None:
    own, member = word(), new_id()
    await house.world.member(member, f"Vera {own}")
    post = await house.world.post(f"{own} from Vera", member)
    comment = await house.world.comment(post.id, f"{own} again", member)
    answer = await house.world.comment(post.id, f"{own} from Ann", "ann")
    await everything(house, "bob", own, {member, post.id, comment.id, answer.id})
    after = await house.world.erase(member)

    async def vanished() -> bool:
        return await house.found("bob", own, after) == [answer.id]

    await eventually(vanished)
    assert (await house.ask("bob", "/suggestions", q=f"Vera {own}")).json()["items"] == []

    async def done() -> bool:
        return await house.service.database["purges"].count_documents({}) == 0

    await eventually(done)
    assert await house.found("bob", own, after) == [answer.id]


async def test_a_purge_is_completed_although_something_unexpected_went_wrong_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, failures = Indexing.again, list[str]()

    async def broken(indexing: Indexing) -> int:
        if not failures:
            failures.append("once")
            raise RuntimeError("nobody thought of this")
        return await again(indexing)

    monkeypatch.setattr(Indexing, "again", broken)

    async def failed() -> None:
        assert failures

    await eventually(failed)
    own, member = word(), new_id()
    await house.world.member(member, own)
    after = await house.world.erase(member)

    async def done() -> None:
        assert await house.service.database["purges"].count_documents({}) == 0

    await eventually(done)
    assert await house.found("bob", own, after) == []


async def test_comments_stay_while_their_post_is_parked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, post_id = word(), new_id()
    key = projections.key_of(projections.Kind.POST, post_id)
    comment = await house.world.comment(post_id, f"{own} too")
    await everything(house, "bob", own, {comment.id})
    begun = projections._begun

    def broken(event: Event, recorded: Recorded) -> projections.SearchItem | None:
        if isinstance(event, PostPublished):
            raise ValueError("nobody thought of this")
        return begun(event, recorded)

    with monkeypatch.context() as patched:
        patched.setattr(projections, "_begun", broken)
        await house.world.say(f"post-{post_id}", published(post_id, own, "ann"))

        async def parked() -> None:
            assert await house.service.database["parked"].count_documents({"key": key}) == 1
            assert await house.service.views(projections.items).is_parked(key)

        await eventually(parked)
    fold = house.service.viewings[projections.items.name].fold
    assert fold is not None and await fold.replay_parked(key)
    await everything(house, "bob", own, {post_id, comment.id})


async def test_an_audience_of_two_conditions_asks_for_both(house: House) -> None:
    own = word()
    both, one = new_id(), new_id()
    await house.world.member(both, "Both", country="NO", language="nb")
    await house.world.member(one, "One", country="NO", language="da")
    said = await house.world.post(own, audience=("country:NO&language:nb",))

    async def found() -> bool:
        return await house.found(both, own, said.after) == [said.id]

    await eventually(found)
    answer = await house.ask(one, "/search", said.after, q=own)
    assert answer.json()["total"] == 0


async def test_filters_and_facets_count_what_is_left(house: House) -> None:
    own = word()
    days = [datetime(2020, 5, day, 23, 30, tzinfo=UTC) for day in (1, 2, 3)]
    posts = [await house.world.post(f"{own} {n}", at=day) for n, day in enumerate(days)]
    comment = await house.world.comment(posts[0].id, own, language="sv")
    page = await house.world.page(own, own)
    await everything(house, "bob", own, {page.id, comment.id, *(post.id for post in posts)})
    found = await house.search("bob", own)
    assert found["total"] == 5
    assert found["facets"]["kind"] == [
        {"value": "post", "count": 3},
        {"value": "comment", "count": 1},
        {"value": "page", "count": 1},
    ]
    found = await house.search("bob", own, kind="post")
    assert found["total"] == 3 and len(found["facets"]["kind"]) == 3, "the other kinds can still be chosen"
    assert found["facets"]["language"] == [{"value": "en", "count": 3}]
    assert await house.found("bob", own, language="sv") == [comment.id]
    assert await house.found("bob", own, space="handbook") == [page.id]
    assert await house.found("bob", own, since="2020-05-02", to="2020-05-02") == [posts[1].id]
    assert await house.found("bob", own, to="2020-05-02", sort="newest") == [posts[1].id, posts[0].id]
    assert set(await house.found("bob", own, kind=["comment", "page"])) == {comment.id, page.id}


async def test_pages_of_hits_go_on_without_gap_or_doubling(house: House) -> None:
    own = word()
    said = [await house.world.post(f"{own} number {n}") for n in range(12)]
    await everything(house, "bob", own, {one.id for one in said})
    for sort in ("relevance", "newest"):
        ids, cursor = [], None
        while True:
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            found = await house.search("bob", own, limit=5, sort=sort, **more)
            assert found["total"] == 12 and (found["facets"] is None) == bool(cursor)
            ids += [item["id"] for item in found["items"]]
            if (cursor := found["next"]) is None:
                break
        assert sorted(ids) == sorted(one.id for one in said) and len(ids) == 12
        if sort == "newest":
            assert ids == [one.id for one in reversed(said)]


async def test_without_a_question_everything_visible_is_listed_newest_first(house: House) -> None:
    said = await house.world.post(word())
    found = await house.search("bob", None, said.after, limit=3)
    assert found["items"][0]["id"] == said.id and found["total"] > 3
    assert found["items"][0]["highlights"][0]["pieces"], "the beginning is shown"


async def test_phrases_and_left_out_words_are_understood(house: House) -> None:
    own = word()
    first = await house.world.post(f"{own} red house by the lake")
    second = await house.world.post(f"{own} house with a red roof")
    await everything(house, "bob", own, {first.id, second.id})
    assert await house.found("bob", f'{own} "red house"') == [first.id]
    assert await house.found("bob", f"{own} red -lake") == [second.id]
    assert await house.found("bob", f'{own} -"red roof"') == [first.id]


async def test_what_one_types_leads_to_titles_and_names(house: House) -> None:
    own, member = word(), new_id()
    await house.world.member(member, f"Örjan {own.capitalize()}")
    page = await house.world.page(f"Handbook of {own}", "Nothing else")
    await everything(house, "bob", own, {member, page.id})
    answer = (await house.ask("bob", "/suggestions", page.after, q=own[:7].upper())).json()
    assert {item["id"] for item in answer["items"]} == {member, page.id}
    people = (await house.ask("bob", "/suggestions", page.after, q=own[:7], kind="person")).json()
    assert [item["id"] for item in people["items"]] == [member]
    (item,) = (await house.ask("bob", "/suggestions", q=f"orj {own[:6]}")).json()["items"]
    assert item["title"] == f"Örjan {own.capitalize()}"
    marked = [piece["text"] for piece in item["pieces"] if piece["found"]]
    assert marked == ["Örj", own.capitalize()[:6]]
    assert (await house.ask("gil", "/suggestions", q=own)).json()["items"] == []


async def test_a_misspelled_word_is_mended_from_what_the_reader_sees(house: House) -> None:
    own = word()
    seen = await house.world.post(f"The {own}ella was repaired")
    found = await house.search("bob", f"repair {own}elka", seen.after)
    assert (found["total"], found["did_you_mean"]) == (0, f"repair {own}ella")
    assert (await house.search("bob", f"{own}ella"))["did_you_mean"] is None


async def test_a_number_is_never_taken_for_another_one(house: House) -> None:
    own = word()
    seen = await house.world.post(f"Machine {own}-4711 repaired by {own}ella")
    assert (await house.search("bob", f"{own}-4711", seen.after))["total"] == 1
    assert (await house.search("bob", f"{own}-4712"))["did_you_mean"] is None
    assert (await house.search("bob", f"4711 {own}elka"))["did_you_mean"] == f"4711 {own}ella"
    assert (await house.search("bob", f"4712x9 {own}elka"))["did_you_mean"] is None


async def test_a_word_that_the_reader_could_not_see_is_never_suggested(house: House) -> None:
    own = word()
    secret = await house.world.post(f"{own}ella", audience=("member:ann",))
    found = await house.search("bob", f"{own}elka", secret.after)
    assert (found["total"], found["did_you_mean"]) == (0, None)
    assert (await house.search("ann", f"{own}elka"))["did_you_mean"] == f"{own}ella"
    seen = await house.world.post(f"{own}ekka")
    found = await house.search("bob", f"{own}ella", seen.after)
    assert found["did_you_mean"] == f"{own}ekka", "a word known from elsewhere does not tell that it exists"


async def test_hidden_words_crowd_out_no_suggestion(house: House) -> None:
    own = word()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    nearer = " ".join(f"{own}elk{first}{second}" for first in letters for second in "ab")
    seen = await house.world.post(f"{own}emmas")
    hidden = await house.world.post(nearer, audience=("member:ann",))
    await house.search("ann", f"{own}elkaa", hidden.after)
    found = await house.search("bob", f"{own}elkas", seen.after)
    assert (found["total"], found["did_you_mean"]) == (0, f"{own}emmas")


async def test_a_word_like_more_than_a_question_may_hold_is_mended_too(
    house: House, search_settings: Settings
) -> None:
    """Words that nobody sees count for the limit as well: reaching it may not change what is suggested."""
    own = word()
    near = [f"{own}elk{first}{second}" for first in "abcdefghijklmnopqrstuvwxyz" for second in "ab"]
    seen = await house.world.post(f"{own}emmas")
    hidden = await house.world.post(" ".join(near), audience=("member:ann",))
    await house.search("ann", near[0], hidden.after)
    limit = {"transient": {"indices.query.bool.max_clause_count": 48}}
    async with httpx.AsyncClient(base_url=str(search_settings.opensearch_url)) as engine:
        (await engine.put("/_cluster/settings", json=limit)).raise_for_status()
        try:
            found = await house.search("bob", f"{own}elkas", seen.after)
        finally:
            again: dict[str, Any] = {"transient": {"indices.query.bool.max_clause_count": None}}
            (await engine.put("/_cluster/settings", json=again)).raise_for_status()
    assert (found["total"], found["did_you_mean"]) == (0, f"{own}emmas")


async def test_the_order_of_hits_does_not_tell_of_words_in_what_is_hidden(house: House) -> None:
    """By their rarity, words that fill hidden pages would count less than before."""
    one, other = word(), word()
    much_of_one = await house.world.page("x", f"{one} {one} {one} {one} {other}")
    much_of_other = await house.world.page("y", f"{one} {other} {other} {other}")
    expected = [much_of_one.id, much_of_other.id]
    assert await house.found("bob", f"{one} {other}", much_of_other.after) == expected
    last = ""
    for _ in range(40):
        last = (await house.world.page(one, f"{one} and more", audience=("member:ann",))).after
    assert len(await house.found("ann", one, last, limit=100)) == 42
    assert await house.found("bob", f"{one} {other}") == expected


async def test_what_is_about_a_word_comes_before_what_mentions_it(house: House) -> None:
    own = word()
    mentions = await house.world.page("Minutes", "About much else, " * 40 + own)
    about = await house.world.page("Notes", f"{own} is this. {own} again, and {own}.")
    titled = await house.world.page(own, "Whatever there is to say.")
    found = await house.found("bob", f"the {own}", titled.after)
    assert found == [titled.id, about.id, mentions.id]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("a" * 10_000, "search-too-long"),
        ("\u200b\u200d\u202e", "search-empty"),
        ("*** !!! ()", "search-empty"),
        ('""', "search-empty"),
        ("-lake", "search-only-without"),
        ("a " * 40, "search-too-many-words"),
        ("会議室" * 30, "search-too-many-words"),
        ("ﷺ" * 100, "search-too-long"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_refused_in_words(
    house: House, typed: str, code: str
) -> None:
    for path in ("/search", "/suggestions"):
        answer = await house.ask("bob", path, q=typed)
        assert (answer.status_code, answer.json()["code"]) == (422, code), (path, answer.text)
        assert answer.json()["field"] == "q"


@pytest.mark.parametrize(
    "typed",
    [
        "the",
        "och att det som en på är av för",
        "AND OR NOT",
        "title:secret^9 OR *:*",
        "/.*/ ~2 {1 TO 9} \\",
        'a"b"c" d',
        "ﷺ",
        "a-b" * 15,
        "会議室" * 10,
        "\u0301\u0301a",
        "🎉",
        "-- - -",
        "a" * 200,
    ],
)
async def test_whatever_is_typed_gets_an_answer(house: House, typed: str) -> None:
    for path in ("/search", "/suggestions"):
        answer = await house.ask("bob", path, q=typed)
        assert answer.status_code in (200, 422), (path, answer.text)
        assert answer.status_code == 200 or answer.json()["code"] in ("search-empty", "search-only-without")


async def test_stop_words_alone_find_the_words_themselves(house: House) -> None:
    own = word()
    said = await house.world.post(f"To be or not to be, {own}")
    assert said.id in await house.found("bob", "to be or not to be", said.after)
    assert said.id in await house.found("bob", f"the {own}")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"since": "2026-05-02", "to": "2026-05-01"}, "days-reversed"),
        ({"cursor": "bm9uc2Vuc2U"}, "bad-cursor"),
        ({"cursor": "W10"}, "bad-cursor"),
        ({"kind": "secret"}, None),
        ({"since": "yesterday"}, None),
        ({"language": "<script>"}, None),
        ({"group": "../x"}, None),
        ({"sort": "oldest"}, None),
        ({"limit": 0}, None),
    ],
)
async def test_bad_filters_are_refused_by_field(
    house: House, params: dict[str, Any], code: str | None
) -> None:
    answer = await house.ask("bob", "/search", **params)
    assert answer.status_code == 422, answer.text
    assert code is None or answer.json()["code"] == code


async def test_the_first_and_the_last_day_of_all_are_days(house: House) -> None:
    answer = await house.ask("bob", "/search", since="0001-01-01", to="9999-12-31")
    assert answer.status_code == 200, answer.text


async def test_many_ask_at_once(house: House) -> None:
    answers = await asyncio.gather(*(house.search("bob", "the board", limit=20) for _ in range(32)))
    assert len({answer["total"] for answer in answers}) == 1
