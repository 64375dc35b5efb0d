"""Coaching over HTTP: a list for a purpose, offers, and whether people came back; and for everybody who
looked at them. The list is not given as a file: it is for talking with people, not for keeping."""

import re
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response

from services.engagement import projections
from services.engagement.api import policies
from services.engagement.api.access import Engagement, opened_texts
from services.engagement.api.coaching_answers import (
    ListAnswer,
    ListedAnswer,
    LookAnswer,
    MadeAnswer,
    MyCoaching,
    NewList,
    NewOffer,
    NewVisibility,
    OfferAnswer,
    OfferedAnswer,
    OfferList,
    ShownList,
)
from services.engagement.domain.coaching import (
    MakeOffer,
    ShowList,
    Shown,
    list_stream,
    lists,
    note_of,
    offer_of,
    purpose_of,
)
from services.engagement.domain.permissions import demand
from services.engagement.domain.visibility import ChangeVisibility, visibilities
from services.engagement.metrics.people import UNKNOWN
from services.engagement.metrics.periods import Every, day_of, holding
from services.engagement.projections import OfferView, ShownView, offer_key, shown_key
from services.engagement.projections.facts import Fact
from shared.kernel.errors import NotFound
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    PageSize,
    answer_behind,
    answer_commit,
)
from shared.runtime.ids import new_id

_LIST = re.compile(r"[A-Za-z0-9]{1,64}")


def router(room: Engagement) -> APIRouter:
    api = APIRouter(prefix="/coaching")
    api.include_router(policies.router(room))
    _lists(api, room)
    _offers(api, room)
    _mine(api, room)
    return api


def _lists(api: APIRouter, room: Engagement) -> None:
    @api.post("/lists", status_code=201)
    async def show_coach_list(
        caller: Caller, new: NewList, doing: Doing, response: Response, key: IdempotencyKey
    ) -> ShownList:
        """Who is passive or new in a country, or in a unit there; for coaches, where the country lets them.
        It is written down whom that names before anybody is named: GET the list by its id."""
        demand("names:read", await room.asker(caller))
        purpose, note = purpose_of(new.purpose), note_of(new.note)
        await room.coaching.demand(new.country)
        if new.unit_id is not None:
            await room.coaching.check_unit(new.unit_id)
        chosen = await room.coaching.choose(caller.member_id, new.country, new.unit_id)
        command = ShowList(
            list_id=new_id(),
            coach_id=caller.member_id,
            purpose=purpose,
            note=note,
            country=new.country,
            unit_id=new.unit_id,
            member_ids=chosen.member_ids,
            inviter_ids=chosen.inviter_ids,
            at=datetime.now(UTC),
        )
        done = await room.store.handle(lists, command, doing, idempotency=key, begins=True)
        answer_commit(response, done)
        list_id = done.stream.removeprefix(list_stream(""))
        response.headers["Location"] = f"/coaching/lists/{list_id}"
        shown = await room.coaching.list_of(list_id)
        return ShownList(id=list_id, people=len(shown.member_ids), more=chosen.more)

    @api.get("/lists/{list_id}")
    async def read_coach_list(caller: Caller, list_id: str) -> ListAnswer:
        """Those whom it names, as far as they may still be named: whoever objects, or whose country decides
        otherwise, is left out at the next request."""
        demand("names:read", await room.asker(caller))
        shown = await _list(room, caller.member_id, list_id)
        assert shown.until is not None, "what is there ends"
        chosen = await room.coaching.choose(
            caller.member_id, shown.country, shown.unit_id, only=frozenset(shown.member_ids)
        )
        items = [ListedAnswer.of(each) for each in chosen.listed]
        named = frozenset(item.member_id for item in items)
        return ListAnswer(
            id=list_id,
            country=shown.country,
            unit_id=shown.unit_id,
            purpose=shown.purpose,
            until=shown.until,
            items=[_as_logged(item, shown) for item in items],
            offers=[
                MadeAnswer(member_id=member_id, offer=offer)
                for member_id, offer in sorted(shown.offers)
                if member_id in named
            ],
        )


async def _list(room: Engagement, coach_id: str, list_id: str) -> Shown:
    """The coach's, in a country that still lets them be named. Raises NotFound, Conflict, Forbidden."""
    if not _LIST.fullmatch(list_id):
        raise NotFound("no-such-list", "You have no such list.")
    shown = await room.coaching.list_of(list_id)
    shown.check(coach_id, datetime.now(UTC))
    await room.coaching.demand(shown.country)
    return shown


def _as_logged(item: ListedAnswer, shown: Shown) -> ListedAnswer:
    """Nobody is named of whom it was not written down."""
    kept = [member_id for member_id in item.inviters if member_id in shown.inviter_ids]
    return item.model_copy(update={"inviters": kept})


def _offers(api: APIRouter, room: Engagement) -> None:
    @api.post("/lists/{list_id}/offers", status_code=201)
    async def note_offer(
        caller: Caller, list_id: str, new: NewOffer, doing: Doing, response: Response, key: IdempotencyKey
    ) -> MadeAnswer:
        """That the caller offered something to somebody on the list, who can read so."""
        demand("names:read", await room.asker(caller))
        offer = offer_of(new.offer)
        shown = await _list(room, caller.member_id, list_id)
        if new.member_id not in shown.member_ids or not await room.coaching.may_be_named(new.member_id):
            raise NotFound("not-on-this-list", "They are not on this list.")
        command = MakeOffer(list_id, caller.member_id, new.member_id, offer, datetime.now(UTC))
        answer_commit(response, await room.store.handle(lists, command, doing, idempotency=key))
        return MadeAnswer(member_id=new.member_id, offer=offer)

    @api.get("/offers")
    async def list_my_offers(
        caller: Caller, response: Response, limit: PageSize, cursor: Cursor, after: After
    ) -> OfferList:
        """What the caller offered, the latest first, and whether people came back: yes or no, and when."""
        demand("names:read", await room.asker(caller))
        behind = await room.behind(after, projections.offers)
        answer_behind(response, await room.facts_behind(after) or behind)
        found = await room.offers.find(
            {"coach_id": caller.member_id},
            sort=[("at", -1), ("_id", -1)],
            limit=limit + 1,
            after=cursors.checked(cursor, datetime, str),
        )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        members = dict.fromkeys(view.member_id for view in page)
        may = {member_id: await room.coaching.may_be_named(member_id) for member_id in members}
        back = await room.coaching.came_back(view for view in page if may[view.member_id])
        return OfferList(
            items=[
                _offer(view, may[view.member_id], back.get((view.list_id, view.member_id, view.offer)))
                for view in page
            ],
            next=cursors.encode([last.at, offer_key(last.list_id, last.member_id, last.offer)])
            if last is not None
            else None,
        )


def _offer(view: OfferView, may: bool, back: Fact | None) -> OfferAnswer:
    return OfferAnswer(
        list_id=view.list_id,
        offer=view.offer,
        at=view.at,
        member_id=view.member_id if may else None,
        came_back=back is not None if may else None,
        week=holding(day_of(back.at), Every.WEEK).name if may and back is not None else None,
    )


def _mine(api: APIRouter, room: Engagement) -> None:
    @api.get("/mine")
    async def read_who_saw_me(
        caller: Caller, response: Response, limit: PageSize, cursor: Cursor, after: After
    ) -> MyCoaching:
        """Which coaches were told my name, when, for what, and what I was offered; whatever was decided
        since. Shown to me alone."""
        await room.readers.of(caller)
        answer_behind(response, await room.behind(after, projections.shown))
        where: dict[str, Any] = {"member_id": caller.member_id}
        found = await room.shown.find(
            where,
            sort=[("at", -1), ("_id", -1)],
            limit=limit + 1,
            after=cursors.checked(cursor, datetime, str),
        )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        notes = await opened_texts(room.keys, [view.note for view in page])
        visibility = await room.coaching.visibility(caller.member_id)
        country = await room.coaching.country_of(caller.member_id)
        return MyCoaching(
            country=None if country == UNKNOWN else country,
            naming=await room.coaching.naming(country),
            listed=visibility.listed,
            likes=visibility.likes,
            items=[_look(view, note) for view, note in zip(page, notes, strict=True)],
            next=cursors.encode([last.at, shown_key(last.list_id, last.member_id)])
            if last is not None
            else None,
        )

    @api.put("/mine")
    async def change_my_visibility(
        caller: Caller, new: NewVisibility, doing: Doing, response: Response, key: IdempotencyKey
    ) -> NewVisibility:
        """What coaches may see of me; counts at their next request."""
        await room.readers.of(caller)
        command = ChangeVisibility(caller.member_id, new.listed, new.likes)
        answer_commit(response, await room.store.handle(visibilities, command, doing, idempotency=key))
        return new


def _look(view: ShownView, note: str) -> LookAnswer:
    return LookAnswer(
        list_id=view.list_id,
        coach_id=view.coach_id,
        at=view.at,
        purpose=view.purpose,
        note=note,
        could_invite=view.could_invite,
        offers=[OfferedAnswer(offer=each.offer, at=each.at) for each in view.offers],
    )
