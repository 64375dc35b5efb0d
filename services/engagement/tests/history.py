"""A company's history, as tests of figures tell it: events as they are recorded, folded by the service's own
views, and figures as the service works them out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from contracts.feed import (
    CommentPublished,
    LanguageSource,
    PostAcknowledged,
    PostKind,
    PostPublished,
    ReactionChanged,
    ReactionKind,
)
from contracts.groups import GroupStarted, MemberJoinedGroup, Openness, Standing
from contracts.identity import (
    Kind,
    MemberDeactivated,
    MemberPlaced,
    MemberRegistered,
    Place,
    Role,
    RolesChanged,
    UnitFounded,
    UnitRenamed,
)
from contracts.wiki import PageRevised, PageStarted, SpaceOpened
from services.engagement import projections
from services.engagement.api.counted import acts_behind
from services.engagement.domain.signals import ItemKind, Signal, SignalKind, SignalsGiven, signals_stream
from services.engagement.metrics import in_force, versions
from services.engagement.metrics.definition import By, Definition, Values, Window
from services.engagement.metrics.people import People
from services.engagement.metrics.periods import midnight, named
from services.engagement.metrics.privacy import COMPANY, Path
from services.engagement.metrics.reckoning import Sums, reckon
from services.engagement.metrics.windows import Reach
from services.engagement.projections.facts import Fact
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Occasion, Recorded
from shared.kernel.personal import Personal
from shared.kernel.projection import Projection
from shared.kernel.testing import recorded
from shared.runtime.codec import encode_commit
from shared.runtime.ids import new_id
from shared.runtime.store import EventStore

FACTS: tuple[Projection[Any], ...] = (
    projections.activity,
    projections.people,
    projections.items,
    projections.units,
)
START = datetime(2026, 1, 1, 9, tzinfo=UTC)
TEXT = Personal(plain="words")


def at(text: str) -> datetime:
    """A day, at noon; or a day and a time."""
    found = datetime.fromisoformat(text)
    return (found if len(text) > 10 else found + timedelta(hours=12)).replace(tzinfo=UTC)


def fold(projection: Projection[Any], events: Iterable[Recorded]) -> dict[str, BaseModel]:
    views: dict[str, BaseModel] = {}
    for each in events:
        event = each.event()
        if type(event) in projection.events:
            for key in projection.touched(event, each):
                view = projection.evolve(views.get(key), event, each, key)
                assert view is not None, "facts never go"
                views[key] = view
    return views


@dataclass
class History:
    """What happened, told in any order; each stream counts its own versions."""

    events: list[Recorded] = field(default_factory=list)
    positions: Counter[str] = field(default_factory=Counter)

    def tell(
        self,
        stream: str,
        event: Event,
        when: datetime,
        *,
        known: datetime | None = None,
        by: str | None = None,
        imported: bool = False,
    ) -> Recorded:
        self.positions[stream] += 1
        told = recorded(
            event,
            stream=stream,
            position=self.positions[stream],
            at=when,
            recorded_at=known or when,
            by=by,
            imported=imported,
        )
        self.events.append(told)
        return told

    def member(
        self,
        member_id: str,
        *units: str,
        country: str | None = "SE",
        language: str = "sv",
        roles: tuple[Role, ...] = (),
        kind: Kind = Kind.STAFF,
        when: datetime = START,
        signs_in: bool = True,
    ) -> None:
        event = MemberRegistered(
            member_id=member_id,
            kind=kind,
            name=TEXT,
            country=country,
            language=language,
            time_zone="UTC",
            roles=roles,
            clearance=Classification.CONFIDENTIAL,
            signs_in=signs_in,
        )
        self.tell(f"member-{member_id}", event, when, by="admin")
        if units:
            self.placed(member_id, *units, when=when)

    def staff(self, number: int, *units: str, prefix: str = "m", **how: Any) -> list[str]:
        names = [f"{prefix}{n}" for n in range(number)]
        for name in names:
            self.member(name, *units, **how)
        return names

    def placed(
        self,
        member_id: str,
        *units: str,
        when: datetime,
        known: datetime | None = None,
        country: str | None = None,
        office: str | None = None,
        before: Place | None = None,
    ) -> None:
        place = Place(units=units, country=country, office=office)
        event = MemberPlaced(member_id=member_id, place=place, place_before=before or Place())
        self.tell(f"member-{member_id}", event, when, known=known, by="admin")

    def trusted(self, member_id: str, *roles: Role, when: datetime, before: tuple[Role, ...] = ()) -> None:
        event = RolesChanged(member_id=member_id, old=before, new=roles)
        self.tell(f"member-{member_id}", event, when, by="admin")

    def left(self, member_id: str, when: datetime) -> None:
        self.tell(f"member-{member_id}", MemberDeactivated(member_id=member_id), when, by="admin")

    def founded(self, unit_id: str, name: str, *path: str, when: datetime = START) -> None:
        event = UnitFounded(unit_id=unit_id, name=name, parent_id=None, path=path or (unit_id,))
        self.tell(f"unit-{unit_id}", event, when, by="admin")

    def renamed(self, unit_id: str, name: str, when: datetime) -> None:
        self.tell(f"unit-{unit_id}", UnitRenamed(unit_id=unit_id, name=name), when, by="admin")

    def post(
        self,
        who: str,
        when: datetime,
        *,
        post_id: str = "",
        kind: PostKind = PostKind.POST,
        language: str = "sv",
        audience: tuple[str, ...] = ("staff",),
        group: str | None = None,
        mentions: tuple[str, ...] = (),
        must: bool = False,
        known: datetime | None = None,
    ) -> str:
        post_id = post_id or f"p{len(self.events)}"
        event = PostPublished(
            post_id=post_id,
            kind=kind,
            author_id=who,
            text=TEXT,
            language=language,
            language_source=LanguageSource.AUTHOR,
            audience=audience,
            classification=Classification.INTERNAL,
            group_id=group,
            mentions=mentions,
            must_acknowledge=must,
        )
        self.tell(f"post-{post_id}", event, when, known=known, by=who)
        return post_id

    def announce(self, who: str, when: datetime, **how: Any) -> str:
        return self.post(who, when, kind=PostKind.ANNOUNCEMENT, must=True, **how)

    def comment(self, who: str, post_id: str, when: datetime, **more: Any) -> str:
        comment_id: str = more.get("comment_id", f"c{len(self.events)}")
        event = CommentPublished(
            comment_id=comment_id,
            post_id=post_id,
            parent_id=more.get("parent"),
            author_id=who,
            text=TEXT,
            language=more.get("language", "sv"),
            language_source=LanguageSource.AUTHOR,
            audience=more.get("audience", ("staff",)),
            classification=Classification.INTERNAL,
            mentions=more.get("mentions", ()),
        )
        self.tell(f"comment-{comment_id}", event, when, by=who)
        return comment_id

    def react(self, who: str, item_id: str, when: datetime, *, taken_back: bool = False) -> None:
        kinds = (ReactionKind.LIKE, None) if taken_back else (None, ReactionKind.LIKE)
        event = ReactionChanged(item_id=item_id, post_id=item_id, member_id=who, old=kinds[0], new=kinds[1])
        self.tell(f"reaction-{item_id}-{who}", event, when, by=who)

    def acknowledge(self, who: str, post_id: str, when: datetime) -> None:
        event = PostAcknowledged(post_id=post_id, member_id=who, edition=1, language="sv")
        self.tell(f"acknowledgement-{post_id}-{who}", event, when, by=who)

    def read(self, who: str, item_id: str, when: datetime) -> None:
        items = (Signal(kind=ItemKind.POST, item_id=item_id, signal=SignalKind.READ, at=when),)
        event = SignalsGiven(member_id=who, day=when.date(), items=items)
        self.tell(signals_stream(who, when.date()), event, when, by=who)

    def joined(self, who: str, group: str, when: datetime) -> None:
        event = MemberJoinedGroup(group_id=group, member_id=who, standing=Standing.MEMBER)
        self.tell(f"membership-{group}-{who}", event, when, by=who)

    def started(self, who: str, group: str, when: datetime, *, audience: tuple[str, ...]) -> None:
        """A group and its space."""
        begun = GroupStarted(
            group_id=group,
            name="A group",
            purpose="",
            openness=Openness.CLOSED,
            audience=audience,
            language="sv",
            started_by=who,
        )
        self.tell(f"group-{group}", begun, when, by=who)
        space = SpaceOpened(
            space_id=group,
            name="A group",
            purpose="",
            audience=audience,
            classification=Classification.INTERNAL,
            language="sv",
            owner_id=who,
        )
        self.tell(f"space-{group}", space, when, by=who)

    def page(
        self,
        who: str,
        when: datetime,
        *,
        page_id: str = "",
        known: datetime | None = None,
        audience: tuple[str, ...] = ("staff",),
    ) -> str:
        page_id = page_id or f"w{len(self.events)}"
        event = PageStarted(
            page_id=page_id,
            space_id="s1",
            path=page_id,
            title="A page",
            body="",
            note="",
            language="sv",
            owner_id=who,
            audience=audience,
            classification=Classification.INTERNAL,
        )
        self.tell(f"page-{page_id}", event, when, known=known, by=who, imported=known is not None)
        return page_id

    def revised(self, who: str, page_id: str, when: datetime) -> None:
        event = PageRevised(page_id=page_id, space_id="s1", revision=2, title="A page", body="x", note="")
        self.tell(f"page-{page_id}", event, when, by=who)

    def figure(self, name: str, period: str, **how: Any) -> "Told":
        return told(self.events, name, period, **how)

    def figures(self, name: str, periods: Sequence[str], **how: Any) -> dict[str, "Told"]:
        """Folded once."""
        facts = Facts(self.events)
        return {period: facts.told(name, period, **how) for period in periods}


@dataclass(frozen=True)
class Told:
    """A figure of one period, with what was hidden."""

    definition: Definition
    sums: Sequence[Sums]

    @property
    def company(self) -> Values:
        return self.definition.values(self.sums[0].counts or {})

    @property
    def groups(self) -> dict[str, Values | None]:
        """By the last part of the way; None: hidden."""
        return {
            each.path[-1]: None if each.counts is None else self.definition.values(each.counts)
            for each in self.sums[1:]
        }

    def of(self, measure: str) -> dict[str, int | float | None]:
        """One measure by group, without hidden ones."""
        return {group: values[measure] for group, values in self.groups.items() if values is not None}


class Facts:
    """Events, folded."""

    def __init__(self, events: Sequence[Recorded]) -> None:
        activity, people, items, _ = (fold(projection, events) for projection in FACTS)
        self.months: dict[str, dict[str, list[Fact]]] = {}
        for view in activity.values():
            assert isinstance(view, projections.ActivityView)
            if view.member_id is not None:
                self.months.setdefault(view.month, {})[view.member_id] = view.facts
        views = ((key, view) for key, view in people.items() if isinstance(view, projections.PersonView))
        self.steps = [(key, view.steps) for key, view in views if view.steps]
        self.said = {key: view for key, view in items.items() if isinstance(view, projections.ItemView)}

    def told(
        self,
        name: str,
        period: str,
        *,
        by: By | None = None,
        as_of: date = date(2027, 12, 31),
        known_on: date | None = None,
        version: int | None = None,
    ) -> Told:
        definition = (
            in_force(name) if version is None else next(d for d in versions(name) if d.version == version)
        )
        return Told(definition, reckon(definition, self._window(definition, period, as_of, known_on))[by])

    def listed(self, name: str, period: str, by: By | None = None, path: Path = COMPANY) -> set[str]:
        """Who did what is listed behind a figure."""
        definition = in_force(name)
        window = self._window(definition, period)
        return {member_id for member_id, _ in acts_behind(definition, window, by, path)}

    def _window(
        self,
        definition: Definition,
        period: str,
        as_of: date = date(2027, 12, 31),
        known_on: date | None = None,
    ) -> Window:
        until = midnight(as_of + timedelta(days=1))
        known = None if known_on is None else midnight(known_on + timedelta(days=1))
        reach = Reach.of(definition, named(period), until)
        return reach.window(self.months, People(self.steps, known), known, self.said)


def told(events: Sequence[Recorded], name: str, period: str, **how: Any) -> Told:
    return Facts(events).told(name, period, **how)


async def appended(store: EventStore, history: History, topic: str) -> None:
    """What the history tells on a topic, as it was recorded then."""
    commits = [
        encode_commit(
            each.stream,
            each.version,
            [(each.id, each.event())],
            Occasion(by=each.by, correlation_id=new_id(), occurred_at=each.occurred_at),
            commit_id=new_id(),
            recorded_at=each.recorded_at,
        )
        for each in history.events
        if each.event().topic == topic
    ]
    if commits:
        await store.commits.insert_many([commit.document for commit in commits])
