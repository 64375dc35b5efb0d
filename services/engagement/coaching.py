"""Whom may a coach be told of? Policies and objections as they are in the store at this moment, people and
what they did as figures know them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.engagement import Naming
from services.engagement.domain.coaching import MOST_LISTED, Offer, Shown, list_stream, lists
from services.engagement.domain.consents import consent_stream, consents
from services.engagement.domain.policies import policies, policy_stream
from services.engagement.domain.visibility import Visibility, visibilities, visibility_stream
from services.engagement.factbook import PORTION, Factbook
from services.engagement.metrics.definition import READING, By
from services.engagement.metrics.ladder import Rung, passive, rung
from services.engagement.metrics.passive_people import (
    MOST_INVITERS,
    LeftBehind,
    Liked,
    Survey,
    came_back,
    could_invite,
    likes,
    looked_at,
)
from services.engagement.metrics.people import UNKNOWN, People, State
from services.engagement.metrics.periods import months
from services.engagement.projections import ActivityView, OfferView
from services.engagement.projections.activity import activity_key
from services.engagement.projections.facts import Fact, seconds
from shared.kernel.errors import Forbidden, Refused
from shared.runtime.store import EventStore
from shared.runtime.views import Views

#: Members whose decisions are asked of the store at once.
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody as a coach is told of them. Where they did not let be seen what they open, `likes` is None and
    `rung` is that of what they did in the open; `inviters` are those who may be named."""

    who: LeftBehind
    rung: Rung
    likes: list[Liked] | None
    inviters: list[str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The first ones of a list; `more`: there are others."""

    listed: Sequence[Listed]
    more: bool

    @property
    def member_ids(self) -> tuple[str, ...]:
        return tuple(each.who.member_id for each in self.listed)

    @property
    def inviter_ids(self) -> tuple[str, ...]:
        return tuple(sorted({inviter for each in self.listed for inviter in each.inviters}))


@dataclass(frozen=True, slots=True)
class Coaching:
    store: EventStore
    activity: Views[ActivityView]
    book: Factbook

    async def naming(self, country: str) -> Naming:
        """As it is in the store: what is decided counts at the next request."""
        if country == UNKNOWN:
            return Naming.AGGREGATES_ONLY
        return (await self.store.state(policies, policy_stream(country)))[0]

    async def visibility(self, member_id: str) -> Visibility:
        """As it is in the store: an objection counts at the next request."""
        return (await self.store.state(visibilities, visibility_stream(member_id)))[0]

    async def list_of(self, list_id: str) -> Shown:
        return (await self.store.state(lists, list_stream(list_id)))[0]

    async def demand(self, country: str) -> None:
        """Raises Forbidden where names are not for coaches."""
        if await self.naming(country) is not Naming.NAMES_TO_COACHES:
            raise Forbidden(
                "names-not-allowed-here",
                "In this country nobody is named: figures of groups are all there is.",
                field="country",
            )

    async def check_country(self, country: str) -> None:
        """Raises Refused where there is none: what is decided all staff are shown. What was decided before
        this was asked can be taken back."""
        there = await self.book.is_group(By.COUNTRY, country)
        if not there and await self.naming(country) is Naming.AGGREGATES_ONLY:
            raise Refused(
                "country-unknown",
                "No country has this code. Give its two letters, such as SE.",
                field="country",
            )

    async def check_unit(self, unit_id: str) -> None:
        """Raises Refused where there is none: nobody on the list would read as that all are well."""
        if not await self.book.is_group(By.UNIT, unit_id):
            raise Refused("unit-unknown", "There is no such unit. Choose one from the list.", field="unit_id")

    async def may_be_named(self, member_id: str) -> bool:
        """Now, where they are now."""
        state = (await self.book.person(member_id)).at(_now())
        if not state.present or not state.staff:
            return False
        return (
            await self.naming(state.country) is Naming.NAMES_TO_COACHES
            and (await self.visibility(member_id)).listed
        )

    async def country_of(self, member_id: str) -> str:
        """Where they are now, as figures know it."""
        return (await self.book.person(member_id)).at(_now()).country

    async def countries(self) -> list[str]:
        """Where members of staff are now."""
        now, people = _now(), await self._people()
        states = (person.at(now) for person in people)
        return sorted({s.country for s in states if s.present and s.staff and s.country != UNKNOWN})

    async def choose(
        self, coach_id: str, country: str, unit_id: str | None, only: Collection[str] | None = None
    ) -> Chosen:
        """Staff who are there now; guests are looked after by whoever invited them. `only`: of these."""
        now, people = _now(), await self._people()
        behind = [
            each
            for each in await self._left_behind(people, now, country, unit_id)
            if each.member_id != coach_id and (only is None or each.member_id in only)
        ]
        willing = await self._willing(behind, MOST_LISTED + 1)
        first = willing[:MOST_LISTED]
        inviters = await self._inviters(first, people, now, coach_id)
        listed = [await self._listed(each, visibility, inviters) for each, visibility in first]
        return Chosen(listed, len(willing) > MOST_LISTED)

    async def came_back(self, offers: Iterable[OfferView]) -> dict[tuple[str, str, Offer], Fact]:
        """By list, member and offer: the first act of taking part after it."""
        now, wanted = _now(), {}
        for offer in offers:
            since = months(seconds_of(offer.at), now + 1)
            wanted[offer.list_id, offer.member_id, offer.offer] = (
                seconds_of(offer.at),
                [activity_key(offer.member_id, month) for month in since[:5]],
            )
        found = await self._documents({key for _, keys in wanted.values() for key in keys})
        told = {}
        for name, (at, keys) in wanted.items():
            facts = [fact for key in keys for fact in found.get(key, ())]
            if (fact := came_back(facts, at)) is not None:
                told[name] = fact
        return told

    async def _people(self) -> People:
        return await self.book.people(await self.book.ledger(), None)

    async def _left_behind(
        self, people: People, now: int, country: str, unit_id: str | None
    ) -> list[LeftBehind]:
        there = {}
        for person in people:
            state = person.at(now)
            within = unit_id is None or unit_id in state.units
            if within and state.present and state.staff and state.country == country:
                there[person.member_id] = person
        survey = Survey(there, now)
        for period in looked_at(now):
            survey.look(period, await self._acts(survey.asked, period.name))
        return survey.found()

    async def _willing(self, behind: Sequence[LeftBehind], most: int) -> list[tuple[LeftBehind, Visibility]]:
        """The first `most` who have not objected."""
        found: list[tuple[LeftBehind, Visibility]] = []
        for at in range(0, len(behind), AT_ONCE):
            asked = behind[at : at + AT_ONCE]
            said = await asyncio.gather(*(self.visibility(each.member_id) for each in asked))
            found += [pair for pair in zip(asked, said, strict=True) if pair[1].listed]
            if len(found) >= most:
                break
        return found[:most]

    async def _inviters(
        self,
        chosen: Sequence[tuple[LeftBehind, Visibility]],
        people: People,
        now: int,
        coach_id: str,
    ) -> dict[str, list[str]]:
        """Named under the same rules as those whom they could invite."""
        units = {each.state.unit for each, _ in chosen} - {UNKNOWN}
        states = {person.member_id: person.at(now) for person in people if person.at(now).unit in units}
        colleagues = {
            member_id: state
            for member_id, state in states.items()
            if state.present and state.staff and member_id != coach_id
        }
        active = await self._taking_part(colleagues, now)
        allowed: dict[str, bool] = {}
        found: dict[str, list[str]] = {}
        for each, _ in chosen:
            mine = found[each.member_id] = []
            for member_id in could_invite(each, active):
                if member_id not in allowed:
                    allowed[member_id] = await self.may_be_named(member_id)
                if allowed[member_id]:
                    mine.append(member_id)
                if len(mine) == MOST_INVITERS:
                    break
        return found

    async def _taking_part(self, colleagues: Mapping[str, State], now: int) -> dict[str, State]:
        """This month or the one before."""
        found: dict[str, State] = {}
        for period in looked_at(now)[:2]:
            acts = await self._acts(colleagues.keys() - found.keys(), period.name)
            found |= {member_id: colleagues[member_id] for member_id in acts if not passive(acts[member_id])}
        return found

    async def _listed(
        self, who: LeftBehind, visibility: Visibility, inviters: Mapping[str, list[str]]
    ) -> Listed:
        mine = inviters[who.member_id]
        if not await self._reading_seen(who.member_id, visibility):
            return Listed(who, rung(_in_the_open(who)), None, mine)
        refs = {fact.ref.partition(":")[2] for fact in who.facts}
        liked = likes(who.facts, await self.book.items(refs - {""}))
        return Listed(who, rung(who.facts), liked, mine)

    async def _reading_seen(self, member_id: str, visibility: Visibility) -> bool:
        """Only while they let reading be counted, and let coaches see it."""
        if not visibility.likes:
            return False
        return (await self.store.state(consents, consent_stream(member_id)))[0].counted

    async def _acts(self, member_ids: Collection[str], month: str) -> dict[str, list[Fact]]:
        keys = {activity_key(member_id, month): member_id for member_id in member_ids}
        return {keys[key]: facts for key, facts in (await self._documents(keys)).items()}

    async def _documents(self, keys: Collection[str]) -> dict[str, list[Fact]]:
        found: dict[str, list[Fact]] = {}
        asked = sorted(keys)
        for first in range(0, len(asked), PORTION):
            views = await self.activity.get_many(asked[first : first + PORTION])
            found |= {key: view.facts for key, view in views.items()}
        return found


def _in_the_open(who: LeftBehind) -> list[Fact]:
    """Without what they opened, and without what they decided on that: a no is no step up."""
    decided = consent_stream(who.member_id)
    return [fact for fact in who.facts if fact.kind not in READING and fact.stream != decided]


def seconds_of(at: datetime) -> int:
    return seconds(at.astimezone(UTC).replace(tzinfo=None))


def _now() -> int:
    return int(datetime.now(UTC).timestamp())
