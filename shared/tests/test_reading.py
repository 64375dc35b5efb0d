"""Read your writes, and Audiences: what a reader sees, how soon, and never more than they may."""

import asyncio
import random
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pymongo.errors import PyMongoError

from shared.kernel.audience import (
    TOKENS_A_QUERY,
    Classification,
    MemberTokens,
    Reader,
    TokenChange,
    audience,
    held,
    tokens_projection,
)
from shared.kernel.errors import NotFound, Refused, Unavailable
from shared.kernel.events import Event, Occasion
from shared.kernel.projection import Index, Projection
from shared.kernel.testing import recorded
from shared.runtime import freshness
from shared.runtime.asked import ASKED, Asked
from shared.runtime.auth import Actor
from shared.runtime.ending import ended
from shared.runtime.freshness import encode_places
from shared.runtime.generations import Generation, Offsets, Registry
from shared.runtime.ids import new_id
from shared.runtime.readers import OLDEST_TOKENS
from shared.runtime.settings import Settings
from shared.runtime.views import Views
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.failpoints import failing
from shared.tests.rooms import Room, by_ann, serving
from shared.tests.walls import HANDS, WALLS, ChangeKeys, KeysHanded, Mark


async def test_what_i_did_is_there_when_i_look(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "PATIENCE", 30.0)
    async with serving(assemble(settings)) as service:
        for n in range(1, 11):
            done = await service.store.handle(HANDS, Mark("ann"), by_ann())
            assert not await service.behind(str(done), WALLS)
            wall = await service.views(WALLS).get("north")
            assert wall is not None and wall.marks == {"hand-ann": list(range(1, n + 1))}


async def test_every_view_of_a_request_waits_for_what_it_should_be_after(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that its route did not think of."""
    monkeypatch.setattr(freshness, "PATIENCE", 30.0)
    async with serving(assemble(settings)) as service:
        walls = service.views(WALLS)
        for n in range(1, 11):
            done = await service.store.handle(HANDS, Mark("ann"), by_ann())
            token = ASKED.set(Asked(str(done)))
            try:
                found = await walls.find({}, sort=(("_id", 1),), limit=1)
                assert [wall.marks for wall in found] == [{"hand-ann": list(range(1, n + 1))}]
                assert await walls.count({}) == 1
            finally:
                ASKED.reset(token)


async def test_places_say_the_same_as_the_commit(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        done = await service.store.handle(HANDS, Mark("ann"), by_ann())

        async def sent() -> list[dict[str, Any]]:
            return await service.freshness.places(done.stream, done.version) or []

        after = encode_places(await eventually(sent))

        async def there() -> bool:
            return not await service.behind(after, WALLS)

        await eventually(there)
        assert await service.views(WALLS).get("north") is not None


async def test_a_read_says_that_it_is_behind_and_does_not_wait_for_ever(
    room: Room, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing relays here, so the commit never reaches the log."""
    monkeypatch.setattr(freshness, "PATIENCE", 0.2)
    done = await room.do(Mark("ann"))
    service = assemble(settings)
    async with service.engines():
        assert await service.behind(str(done), WALLS)


async def test_what_a_view_holds_counts_here_at_once_and_elsewhere_once_it_is_saved(room: Room) -> None:
    here, elsewhere = Registry(room.database), Registry(room.database)
    here.note("walls.g1", {"t/0": 5, "t/1": 2})
    here.note("walls.g1", {"t/0": 4})
    assert await here.covers("walls.g1", "t/0", 4, 0.0)
    assert not await elsewhere.covers("walls.g1", "t/0", 4, 0.0)
    flushing = asyncio.create_task(here.keep_flushing())
    assert await elsewhere.covers("walls.g1", "t/0", 4, 30.0)
    assert await elsewhere.offsets("walls.g1") == {"t/0": 5, "t/1": 2}
    await ended(flushing)


async def test_an_idle_service_asks_no_view_how_far_it_is_and_a_busy_one_all_that_are_behind_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known to hold everything is not looked for again, so idle services cost the store little."""
    service = assemble(settings)
    looked: list[frozenset[str]] = []
    look = service.registry.offsets_of

    async def noted(generations: Collection[str]) -> dict[str, Offsets]:
        looked.append(frozenset(generations))
        return await look(generations)

    monkeypatch.setattr(service.registry, "offsets_of", noted)
    async with service.http.router.lifespan_context(service.http):
        await service.up.wait()
        await service.store.handle(HANDS, Mark("ann"), Occasion("ann", new_id()))
        viewing = service.viewings[WALLS.name]
        assert viewing.views.generation is not None
        name = viewing.views.generation.name

        async def idle() -> bool:
            return len(looked) > 2 and not any(looked[-2:])

        await eventually(idle)
        assert viewing.lag.events == 0
        ends = await service.ends()
        further = {key: end + 3 for key, end in ends.items()}
        assert viewing.passed(ends) and not viewing.passed(further)
        # another process folded what this one did not
        await Registry(service.database).save(name, further)
        assert viewing.passed(ends) and not viewing.passed(further)
        viewing.measure(further, (await look([name, "nothing.g1"]))[name])
        assert viewing.passed(further) and viewing.lag.events == 0
        assert await look(["nothing.g1"]) == {"nothing.g1": {}}


async def test_what_cannot_be_saved_is_saved_later(room: Room) -> None:
    registry = Registry(room.database)
    registry.note("walls.g1", {"t/0": 5})
    async with failing(room, "update", errorCode=11601):
        with pytest.raises(PyMongoError):
            await registry.flush()
    registry.note("walls.g1", {"t/1": 3})
    await registry.flush()
    assert await registry.offsets("walls.g1") == {"t/0": 5, "t/1": 3}


async def test_a_made_up_after_is_refused(settings: Settings) -> None:
    service = assemble(settings)
    async with service.engines():
        for made_up in ("nonsense", "proofs/hand-ann/x", "a:b:c", "other/hand-ann/1", "proofs/a/b/c"):
            with pytest.raises(Refused):
                await service.behind(made_up, WALLS)
        with pytest.raises(NotFound):
            await service.behind("proofs/hand-nobody/1", WALLS)


class ThingShown(Event):
    topic: ClassVar[str | None] = None

    n: int


class Thing(BaseModel):
    n: int
    audience: list[str]
    classification: str


THINGS = Projection(
    "proofs.things",
    1,
    Thing,
    (ThingShown,),
    lambda event: (),
    lambda view, event, recorded, key: None,
    (Index((("audience", 1), ("n", -1), ("_id", 1), ("classification", 1))),),
)
_TOKENS = ["staff", *(f"group:g{n}" for n in range(400)), *(f"member:m{n}" for n in range(50))]
_ORDER = (("n", -1), ("_id", 1))


async def _things(
    room: Room, number: int, chance: random.Random
) -> tuple[Views[Thing], list[dict[str, Any]]]:
    views: Views[Thing] = Views(THINGS, room.database)
    views.serve(Generation(THINGS.name, 1, 1))
    documents: list[dict[str, Any]] = [
        {
            "_id": f"t{n}",
            "_live": chance.random() > 0.05,
            "n": chance.randrange(number // 2),
            "audience": sorted(chance.sample(_TOKENS, chance.randint(1, 3))),
            "classification": chance.choice(list(Classification)).value,
        }
        for n in range(number)
    ]
    await views.collection.insert_many(documents)
    for index in THINGS.indexes:
        await views.collection.create_index(list(index.fields), partialFilterExpression={"_live": True})
    return views, documents


def _model(documents: Sequence[dict[str, Any]], reader: Reader) -> list[dict[str, Any]]:
    """Who may see what, by brute force."""
    seen = [
        d
        for d in documents
        if d["_live"] and reader.may_see(d["audience"], Classification(d["classification"]))
    ]
    return sorted(seen, key=lambda d: (-d["n"], d["_id"]))


async def test_queries_are_trimmed_as_a_brute_force_model_says(room: Room) -> None:
    """Pages, counts and single reads, with few tokens and with more than one query asks for."""
    chance = random.Random(20_260_301)
    views, documents = await _things(room, 600, chance)
    for size in (1, 5, 40, TOKENS_A_QUERY, TOKENS_A_QUERY + 1, 400):
        tokens = frozenset(chance.sample(_TOKENS, size))
        reader = Reader("ann", tokens, chance.choice(list(Classification)))
        wanted = _model(documents, reader)
        found: list[Thing] = []
        after: list[Any] | None = None
        while page := await views.find({}, sort=_ORDER, limit=17, reader=reader, after=after):
            found += page
            last = wanted[len(found) - 1]
            after = [last["n"], last["_id"]]
        assert [thing.model_dump() for thing in found] == [_content(d) for d in wanted], f"{size} tokens"
        assert await views.count({}, reader=reader) == len(wanted)
        for document in chance.sample(documents, 40):
            one = await views.get(document["_id"], reader)
            assert (one is not None) == (document in wanted), document


async def test_a_query_reads_what_it_shows_and_not_the_whole_organisation(room: Room) -> None:
    """With as many tokens as one query asks for, the index is merged: twenty items cost hundreds of keys."""
    views, documents = await _things(room, 20_000, random.Random(7))
    reader = Reader("ann", frozenset(_TOKENS[:TOKENS_A_QUERY]), Classification.CONFIDENTIAL)
    where = {"_live": True, "audience": {"$in": sorted(reader.tokens)}}
    plan = await views.collection.find(where).sort(list(_ORDER)).limit(20).explain()
    examined = plan["executionStats"]["totalKeysExamined"]
    assert examined < TOKENS_A_QUERY + 200, f"{examined} keys for 20 of {len(documents)} items"


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("n", "audience", "classification")}


async def test_tokens_handed_and_taken_count_at_the_next_look(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        ann = Actor("ann", frozenset(), "session")

        async def does(command: ChangeKeys) -> None:
            done = await service.store.handle(HANDS, command, by_ann())

            async def there() -> bool:
                return not await service.freshness.behind(str(done), service.viewings["proofs.tokens"])

            await eventually(there)

        await does(ChangeKeys("porter", "ann", ("staff", "group:choir")))
        assert (await service.readers.of(ann)).tokens == {"staff", "group:choir"}
        await does(ChangeKeys("porter", "ann", ("group:choir",), taken=True))
        assert (await service.readers.of(ann)).tokens == {"staff"}


async def test_tokens_that_are_too_old_are_not_believed(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await service.store.handle(HANDS, ChangeKeys("porter", "ann", ("staff",)), by_ann())
        ann = Actor("ann", frozenset(), "session")

        async def known() -> bool:
            try:
                return bool((await service.readers.of(ann)).tokens)
            except Unavailable:
                return False

        await eventually(known)
        service.viewings["proofs.tokens"].lag._passed -= OLDEST_TOKENS + 1
        with pytest.raises(Unavailable) as refused:
            await service.readers.of(ann)
        assert refused.value.code == "tokens-behind"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from("xyz")), st.booleans()), max_size=12)
)
def test_two_streams_may_grant_the_same_token(changes: list[tuple[str, set[str], bool]]) -> None:
    """What one stream takes away, another may still grant; the order between streams does not matter."""
    projection = tokens_projection("proofs", (KeysHanded,))

    def folded(order: list[tuple[str, set[str], bool]]) -> MemberTokens | None:
        view: MemberTokens | None = None
        for position, (stream, names, taken) in enumerate(order, 1):
            event = _Changed(names=sorted(names), taken=taken)
            view = projection.evolve(view, event, recorded(event, stream=stream, position=position), "ann")
        return view

    by_stream = sorted(changes, key=lambda change: change[0])
    assert folded(changes) == folded(by_stream)


class _Changed(Event):
    names: list[str]
    taken: bool

    def token_changes(self) -> Sequence[TokenChange]:
        tokens = frozenset(f"group:{name}" for name in self.names)
        nothing: frozenset[str] = frozenset()
        return [TokenChange("ann", nothing if self.taken else tokens, tokens if self.taken else nothing)]


def test_a_conjunction_is_held_by_who_holds_all_its_parts() -> None:
    clause = audience(["role:leader&country:SE"])[0]
    assert clause == "country:SE&role:leader"
    assert clause in held({"country:SE", "role:leader"}, [clause])
    assert clause not in held({"country:SE"}, [clause])
