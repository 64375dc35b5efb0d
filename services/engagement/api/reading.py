"""A member's consent, the signals that devices give under it, and what is kept of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.engagement import projections
from services.engagement.api.access import Engagement
from services.engagement.domain.consents import ChangeConsent, consents
from services.engagement.domain.signals import (
    GiveSignals,
    ItemKind,
    Signal,
    SignalKind,
    by_day,
    signals,
)
from services.engagement.projections import OpenedView, opened_key
from shared.kernel.events import Occasion
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    Input,
    PageSize,
    answer_behind,
    answer_commit,
)
from shared.runtime.store import Committed, EventStore, Idempotency, Part

#: Signals in one request: what a device collects in a minute of scrolling.
MOST_AT_ONCE = 100


class NewSignal(Input):
    """`view`: it was opened. `read`: it was stayed with. `at`: when, by the reader's clock."""

    kind: ItemKind
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]
    signal: SignalKind
    at: AwareDatetime


class NewSignals(Input):
    items: Annotated[list[NewSignal], Field(min_length=1, max_length=MOST_AT_ONCE)]


class NewConsent(Input):
    counted: bool


class Taken(BaseModel):
    """`counted` is the caller's consent: where it is false nothing was kept, and devices stop sending."""

    counted: bool


class ConsentAnswer(BaseModel):
    """Whether what the caller opens is counted. `decided_at` is null where they have not decided: then it is
    not."""

    counted: bool
    decided_at: datetime | None


class OpenedItem(BaseModel):
    """What is kept of one thing that the caller opened."""

    kind: ItemKind
    id: str
    first_at: datetime
    last_at: datetime
    days_opened: int
    days_read: int

    @classmethod
    def of(cls, view: OpenedView) -> "OpenedItem":
        return cls(id=view.item_id, **view.model_dump(exclude={"member_id", "item_id"}))


class OpenedList(BaseModel):
    items: list[OpenedItem]
    next: str | None = Field(description="The cursor of the next items, if there are more")


def router(room: Engagement) -> APIRouter:
    api = APIRouter()
    _consent(api, room)
    _signals(api, room)
    return api


def _consent(api: APIRouter, room: Engagement) -> None:
    @api.get("/consent")
    async def read_consent(caller: Caller, response: Response, after: After) -> ConsentAnswer:
        await room.readers.of(caller)
        answer_behind(response, await room.behind(after, projections.consents, key=caller.member_id))
        view = await room.consents.get(caller.member_id)
        if view is None:
            return ConsentAnswer(counted=False, decided_at=None)
        return ConsentAnswer(counted=view.counted, decided_at=view.decided_at)

    @api.put("/consent")
    async def change_consent(
        caller: Caller, new: NewConsent, doing: Doing, response: Response, key: IdempotencyKey
    ) -> NewConsent:
        """Takes effect at once: from a no on nothing more is kept."""
        await room.readers.of(caller)
        command = ChangeConsent(caller.member_id, new.counted)
        answer_commit(response, await room.store.handle(consents, command, doing, idempotency=key))
        return new


def _signals(api: APIRouter, room: Engagement) -> None:
    @api.post("/signals")
    async def give_signals(
        caller: Caller, given: NewSignals, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Taken:
        """What the caller's device saw them open and read, kept only if they let it be counted: each thing
        once a day. What is older than a week, or too much for a day, is left out."""
        await room.readers.of(caller)
        if not (await room.consent(caller.member_id)).counted:
            return Taken(counted=False)
        items = (
            Signal(kind=item.kind, item_id=item.id, signal=item.signal, at=item.at) for item in given.items
        )
        days = by_day(items, datetime.now(UTC))
        if days:
            commands = [GiveSignals(caller.member_id, day, of_day) for day, of_day in days.items()]
            answer_commit(response, await _give(room.store, commands, doing, key))
        return Taken(counted=True)

    @api.get("/signals")
    async def list_my_signals(
        caller: Caller, response: Response, limit: PageSize, cursor: Cursor, after: After
    ) -> OpenedList:
        """All that is kept of what the caller opened, the latest first. Nobody else can see it."""
        await room.readers.of(caller)
        answer_behind(response, await room.behind(after, projections.opened))
        found = await room.opened.find(
            {"member_id": caller.member_id},
            sort=[("last_at", -1), ("_id", -1)],
            limit=limit + 1,
            after=cursors.checked(cursor, datetime, str),
        )
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        key = [last.last_at, opened_key(last.member_id, last.kind, last.item_id)] if last else None
        return OpenedList(
            items=[OpenedItem.of(view) for view in shown], next=cursors.encode(key) if key else None
        )


async def _give(
    store: EventStore, days: Sequence[GiveSignals], doing: Occasion, key: Idempotency | None
) -> Committed:
    """Of all days, or of none. Answers the commit of the latest."""

    async def plan() -> Sequence[Part[Any, Any]]:
        return [Part(signals, day) for day in reversed(days)]

    if len(days) == 1:
        return await store.handle(signals, days[0], doing, idempotency=key)
    return await store.handle_together(plan, doing, idempotency=key)
