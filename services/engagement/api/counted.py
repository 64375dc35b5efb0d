"""What a figure counts, for those who may know; and what a member did themselves."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.engagement.api import asking
from services.engagement.api.access import Engagement
from services.engagement.api.answers import (
    CompleteUpTo,
    CountedEvent,
    CountedEvents,
    EventRef,
    MyFigures,
    MyPeriod,
)
from services.engagement.domain.permissions import demand
from services.engagement.figures import Asked
from services.engagement.metrics.definition import CONTRIBUTIONS, By, Definition, Window, placed
from services.engagement.metrics.ladder import rung
from services.engagement.metrics.people import Person
from services.engagement.metrics.periods import Every, Period, covering, day_of, months
from services.engagement.metrics.privacy import COMPANY, FLOOR, Path
from services.engagement.metrics.reckoning import way
from services.engagement.projections import space_key
from services.engagement.projections.activity import activity_key
from services.engagement.projections.facts import Fact, Kind, of_seconds
from shared.kernel.audience import Classification, Reader
from shared.kernel.errors import NotFound
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, PageSize, answer_behind

#: Acts in the open. What members opened, joined or decided for themselves is nobody's to list; who confirmed
#: an announcement, and so who did not, is told to its sender and to editors, by the feed.
LISTED = CONTRIBUTIONS | {Kind.REACTION, Kind.SPACE_OPENED, Kind.GROUP_STARTED}

#: Acts with what is said; the others are with a page, a space or a group.
_SAID = frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.COMMENT, Kind.REACTION})
#: Acts of which it is asked at once who may see them.
_LOOKED_AT = 500

_Key = tuple[int, str, int, str, str]


def counted_events(api: APIRouter, room: Engagement) -> None:
    @api.get("/{name}/events")
    async def list_counted_events(
        caller: Caller,
        response: Response,
        after: After,
        limit: PageSize,
        cursor: Cursor,
        name: str,
        period: Annotated[str, Query(description="2026-03, 2026-W10 or 2026-03-02", max_length=20)],
        group: Annotated[str | None, Query(description="unit:sales, country:SE, language:sv")] = None,
        as_of: Annotated[str | None, Query(description="As for the figure")] = None,
        known_on: Annotated[str | None, Query(description="As for the figure")] = None,
        version: Annotated[int | None, Query(ge=1, le=1_000)] = None,
    ) -> CountedEvents:
        """The events behind a figure that the caller may see, in the order of event time. For the board; for
        leaders those of their own unit."""
        definition, asked_period = asking.definition_of(name, version), asking.period_of(period)
        wanted = asking.group_of(group)
        answer_behind(response, await room.facts_behind(after))
        asker = await room.asker(caller)
        demand("metrics:events", asker, [asker.unit] if asker.unit is not None else [])
        complete = await room.figures.book.completeness()
        ledger = await room.figures.book.ledger()
        by = wanted[0] if wanted else None
        question = asking.question(
            ledger,
            definition,
            first=None,
            # its last day: all may have begun within it
            last=day_of(asked_period.end - 1).isoformat(),
            by=None,
            every=asked_period.every.value,
            as_of=as_of,
            known_on=known_on,
            last_is="period",
        )
        if asked_period.first > question.asked.as_of:
            raise asking.beyond(question.asked, "period")
        window = await room.figures.acts(question.asked, asked_period, ledger)
        path = _listed(window, *wanted) if wanted else COMPANY
        # Whoever may not know learns nothing of whether there is such a group.
        demand("metrics:events", asker, units_asked(by, path))
        if path is None:
            raise NotFound("no-such-group", "There is nobody in such a group then, or not enough to tell.")
        found = await asyncio.to_thread(lambda: sorted(acts_behind(definition, window, by, path), key=_key))
        past = cursors.checked(cursor, int, str, int, str, str)
        left = [each for each in found if past is None or list(_key(each)) > past]
        reader = await room.readers.of(caller)
        visible = await _visible(room, reader, left, limit + 1)
        shown = visible[:limit]
        return CountedEvents(
            metric=definition.name,
            version=definition.version,
            period=asked_period.name,
            group=group,
            group_name=await _called(room, question.asked, *wanted) if wanted else None,
            kinds=_named(definition.kinds & LISTED),
            never_listed=_named(definition.kinds - LISTED),
            words=why_fewer(definition, bool(shown) or past is not None),
            complete_up_to=CompleteUpTo(recorded_at=complete.recorded_at, behind=complete.behind),
            items=[_event(*each) for each in shown],
            next=cursors.encode(_key(shown[-1])) if len(visible) > limit else None,
        )


def _named(kinds: Collection[Kind]) -> list[str]:
    return sorted(kind.value for kind in kinds)


def why_fewer(definition: Definition, some: bool) -> str:
    """The rule, whoever asks: how many are left out, or whether any are, would say that something was done
    where the reader may not look. `some`: whether any are listed."""
    begin = "Listed is what you may see." if some else "Nothing that you may see was counted here."
    others = _named(definition.kinds - LISTED)
    never = f", and what is listed to nobody: {', '.join(others)}" if others else ""
    return (
        f"{begin} The figure also counts what was done where you may not look, such as in closed groups or "
        f"for other units{never}."
    )


async def _called(room: Engagement, asked: Asked, by: By, name: str) -> str | None:
    units = await room.figures.book.units() if by is By.UNIT else {}
    return asked.called(units[name]) if name in units else None


def units_asked(by: By | None, path: Path | None) -> Path:
    """The units that a question about a group is about, for who may know: none but where it is a unit."""
    return path if by is By.UNIT and path is not None else COMPANY


def _listed(window: Window, by: By, name: str) -> Path | None:
    """The way to the group, where it has enough members then. Whoever may ask sees who did it: by subtracting
    they learn nothing more."""
    ways = [way(window.people.at(member_id, at), by) for member_id, at in window.members().items()]
    within = [path[: path.index(name) + 1] for path in ways if name in path]
    return within[0] if len(within) >= FLOOR else None


def acts_behind(
    definition: Definition, window: Window, by: By | None, path: Path
) -> Iterator[tuple[str, Fact]]:
    """The acts that a figure of the group is made of: of those who were in it where the figure has them."""
    kinds, counts = definition.kinds & LISTED, definition.counts(window)
    places = placed(window, definition.kinds) if definition.once else {}
    for member_id, facts in window.acts.items():
        for fact in (fact for fact in facts if fact.kind in kinds):
            at = places[member_id][0] if definition.once else fact.at
            there = by is None or way(window.people.at(member_id, at), by)[: len(path)] == path
            if there and counts(member_id, fact):
                yield member_id, fact


async def _visible(
    room: Engagement, reader: Reader, acts: Sequence[tuple[str, Fact]], most: int
) -> list[tuple[str, Fact]]:
    """The first of them that were done with something that the reader may see; at most `most`."""
    found: list[tuple[str, Fact]] = []
    for first in range(0, len(acts), _LOOKED_AT):
        portion = acts[first : first + _LOOKED_AT]
        said = {_thing(fact) for _, fact in portion if fact.kind in _SAID}
        worked_on = {_thing(fact) for _, fact in portion if fact.kind not in _SAID}
        items = await room.figures.book.items(said)
        places = await room.places.get_many(sorted(worked_on))
        for member_id, fact in portion:
            there = (items if fact.kind in _SAID else places).get(_thing(fact))
            if there is not None and reader.may_see(there.audience, Classification(there.classification)):
                found.append((member_id, fact))
        if len(found) >= most:
            break
    return found[:most]


def _thing(fact: Fact) -> str:
    """What it was done with: a comment is its own, not what it answers."""
    if fact.kind == Kind.COMMENT:
        return fact.stream.removeprefix("comment-")
    return space_key(fact.ref) if fact.kind == Kind.SPACE_OPENED else fact.ref


def _key(each: tuple[str, Fact]) -> _Key:
    member_id, fact = each
    return fact.at, fact.stream, fact.version, member_id, fact.ref


def _event(member_id: str, fact: Fact) -> CountedEvent:
    return CountedEvent(
        kind=fact.kind,
        member_id=member_id,
        at=of_seconds(fact.at),
        recorded_at=of_seconds(fact.recorded),
        language=fact.language or None,
        event=EventRef(stream=fact.stream, version=fact.version),
    )


def my_figures(api: APIRouter, room: Engagement) -> None:
    @api.get("/mine")
    async def read_my_figures(
        caller: Caller,
        response: Response,
        after: After,
        first: asking.First = None,
        last: asking.Last = None,
        every: Annotated[str | None, Query(description="day, week or month")] = None,
    ) -> MyFigures:
        """What I did, and, where I let it be counted, opened and read. Shown to me alone. It begins with my
        registration, or with what I did where that is earlier; later periods in which I was no member and did
        nothing are left out."""
        await room.readers.of(caller)
        answer_behind(response, await room.facts_behind(after))
        kind = asking.length(every, Every.MONTH)
        complete = await room.figures.book.completeness()
        me = await room.figures.book.person(caller.member_id)
        begins = await _began(room, me)
        since, to = asking.span(first, last, kind, begins)
        periods = [] if since is None else asking.few(covering(since, to, kind))
        facts = await _mine(room, caller.member_id, periods)
        return MyFigures(
            member_id=caller.member_id,
            every=kind,
            from_=since,
            to=to,
            begins=begins,
            complete_up_to=CompleteUpTo(recorded_at=complete.recorded_at, behind=complete.behind),
            periods=[
                mine
                for period in periods
                if (mine := _my_period(period, facts, to)).acts
                or me.placed_in(period.start, period.end) is not None
            ],
        )


async def _began(room: Engagement, me: Person) -> date | None:
    """The day of their registration, or of the first that they did: pages that were brought in are older than
    their authors' registration. None where nothing is known of them (yet)."""
    theirs = {"$gte": activity_key(me.member_id, ""), "$lt": activity_key(me.member_id, "~")}
    first = await room.activity.find({"_id": theirs}, sort=[("_id", 1)], limit=1)
    times = [fact.at for view in first for fact in view.facts[:1]]
    times += [at for at, state in zip(me.moments, me.states, strict=True) if state.present][:1]
    return day_of(min(times)) if times else None


async def _mine(room: Engagement, member_id: str, periods: list[Period]) -> list[Fact]:
    if not periods:
        return []
    keys = [activity_key(member_id, month) for month in months(periods[0].start, periods[-1].end)]
    found = await room.activity.get_many(keys)
    return [fact for key in keys if key in found for fact in found[key].facts]


def _my_period(period: Period, facts: list[Fact], to: date) -> MyPeriod:
    mine = [fact for fact in facts if period.start <= fact.at < period.end]
    return MyPeriod(
        period=period.name,
        first=period.first,
        last=min(day_of(period.end - 1), to),
        acts=dict(sorted(Counter(fact.kind for fact in mine).items())),
        rung=rung(mine).value,
    )
