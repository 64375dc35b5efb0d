"""The year's talk: who says what to whom, who answers, who reacts. Everybody speaks where they may."""

import random
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from infra.demo import calendar
from infra.demo.calendar import BY_CODE, COUNTRIES, Days, moment
from infra.demo.organisation import BY_ID, ISLAND
from infra.demo.phrases import THEMES, Phrases, phrases
from infra.demo.shapes import FIRST_DAY, Group, Ledger, Member, weighted

#: Of what is said to everybody, how much stands in English where its author speaks another language at home.
_SHARED_ENGLISH = 0.95
_THEME_OF = {"demo-shops": "shop", "demo-logistics": "stock", "demo-it": "it", "demo-service": "customers"}
_KINDS = ("like", "love", "laugh", "thanks", "insight")
_FUN = (5, 4, 9, 1, 1)
_WORK = (9, 2, 1, 4, 4)
#: How far answers and reactions lie behind, in hours: most come within the day.
_SOON = (1, 2, 3, 4, 6, 8, 22, 26, 30, 50, 75)


@dataclass(frozen=True, slots=True)
class Post:
    """Something said, and who may see it: everybody in `readers`."""

    id: str
    author: Member
    at: datetime
    language: str
    readers: Sequence[Member]
    theme: str
    fun: bool = False
    group: Group | None = None


@dataclass(slots=True)
class Circle:
    """Those who may talk with each other: a unit, a country, a group, or all staff."""

    audience: list[str] | None
    group: Group | None
    people: list[Member]
    language: str | None = None


class Talk:
    """Writes the talk into the ledger; everybody may say something from the day on which they begin."""

    def __init__(
        self,
        ledger: Ledger,
        draw: random.Random,
        until: datetime,
        everybody: list[Member],
        groups: dict[str, Group],
    ) -> None:
        self.ledger, self.draw, self.until, self.everybody = ledger, draw, until, everybody
        self._said = 0
        self._by_id = {member.id: member for member in everybody}
        self._days = {c.code: Days(c, calendar.days(until)) for c in COUNTRIES}
        self._units: dict[str, Circle] = {}
        self._countries: dict[str, Circle] = {}
        self._groups: dict[str, Circle] = {}
        staff = [m for m in self.everybody if m.staff]
        outside = [m for m in staff if m.unit != ISLAND]
        self._staff = Circle(["staff"], None, outside)
        for member in staff:
            key = f"unit:{member.unit}"
            self._units.setdefault(member.unit, Circle([key], None, [])).people.append(member)
        for member in outside:
            key = f"country:{member.country}"
            self._countries.setdefault(member.country, Circle([key], None, [])).people.append(member)
        for name, group in groups.items():
            inside = [self._by_id[member_id] for member_id in group.members]
            self._groups[name] = Circle(None, group, inside, group.language)

    def circle(self, name: str) -> Circle:
        return self._groups[name]

    @property
    def staff(self) -> Circle:
        return self._staff

    def next_id(self, kind: str) -> str:
        self._said += 1
        return self.ledger.id(kind, self._said)

    def workdays(self, number: int) -> None:
        """The ordinary talk: as many posts as asked for, each with what follows from it."""
        authors = [m for m in self.everybody if m.habit == "author" and m.begins is not None]
        weights = [1.0 + int(m.id[:2], 16) % 5 for m in authors]
        islanders = [m for m in authors if m.unit == ISLAND]
        for _ in range(number):
            author = weighted(self.draw, authors, weights)
            if islanders and author.unit == ISLAND:
                author = self.draw.choice(islanders)
            assert author.begins is not None, "chosen so"
            day = self._days[author.country].draw(self.draw, author.begins.date() + timedelta(days=1))
            if day is not None:
                self._ordinary(author, moment(self.draw, BY_CODE[author.country], day))

    def _ordinary(self, author: Member, at: datetime) -> None:
        circle = self._where(author, at)
        if circle is None:
            return
        language = circle.language or (author.language if circle is not self._staff else self._shared(author))
        words = phrases(language)
        post = self.post(circle, author, at, words.post(self.draw, _theme(self.draw, author)), language)
        self.follows(post, comments=self.draw.choices((0, 1, 2, 3, 5), (5, 4, 3, 2, 1))[0], reactions=5)

    def _shared(self, author: Member) -> str:
        """To everybody most write English, if they speak another language at home."""
        return "en" if self.draw.random() < _SHARED_ENGLISH else author.language

    def _where(self, author: Member, at: datetime) -> Circle | None:
        mine = [
            circle
            for name, circle in self._groups.items()
            if name not in ("friday", "list") and circle.group and _in(circle.group, author, at)
        ]
        if not author.staff:
            return self.draw.choice(mine) if mine else None
        if author.unit == ISLAND:
            return self._units[ISLAND] if self.draw.random() < 0.5 or not mine else self.draw.choice(mine)
        chance = self.draw.random()
        if mine and chance < 0.4:
            return self.draw.choice(mine)
        if chance < 0.65:
            return self._units[author.unit]
        return self._countries[author.country] if chance < 0.85 else self._staff

    def post(
        self, circle: Circle, author: Member, at: datetime, text: str, language: str, *, fun: bool = False
    ) -> Post:
        post_id = self.next_id("post")
        said = {"post_id": post_id, "text": text, "language": language}
        if circle.group is not None:
            said["group_id"] = circle.group.id
        else:
            said["audience"] = circle.audience  # type: ignore[assignment]
        self.ledger.add("feed", "post", author.id, at, **said)
        return Post(post_id, author, at, language, circle.people, "shop", fun, circle.group)

    def follows(self, post: Post, *, comments: int, reactions: int) -> None:
        """Answers and reactions, from those who may see the post, who were there and who do such things."""
        talkers = self._around(post, ("author", "commenter"))
        written: list[tuple[datetime, str, Member]] = []
        for _ in range(comments if talkers else 0):
            self._comment(post, self.draw.choice(talkers), written)
        readers = self._around(post, ("author", "commenter", "reader"))
        number = min(len(readers), self.draw.randrange(reactions + 1) + (2 if post.fun else 0))
        for reader in self.draw.sample(readers, number):
            at = self._later(post.at)
            if at < self.until:
                kind = self.draw.choices(_KINDS, _FUN if post.fun else _WORK)[0]
                self.ledger.add("feed", "react", reader.id, at, post_id=post.id, kind=kind)
        if written and readers and self.draw.random() < 0.3:
            at, comment_id, by = self.draw.choice(written)
            others = [reader for reader in readers if reader.id != by.id]
            if others and (later := self._later(at)) < self.until:
                who = self.draw.choice(others)
                said = {"post_id": post.id, "comment_id": comment_id, "kind": "thanks"}
                self.ledger.add("feed", "react", who.id, later, **said)

    def _comment(self, post: Post, by: Member, written: list[tuple[datetime, str, Member]]) -> None:
        """Answers the post, or now and then somebody who answered it before."""
        parent = self.draw.choice(written) if written and self.draw.random() < 0.35 else None
        at = self._later(parent[0] if parent else post.at)
        if at >= self.until or (parent is None and by is post.author and self.draw.random() < 0.8):
            return
        answered = parent[2] if parent else post.author
        words = phrases(post.language if self.draw.random() < 0.85 else by.language)
        text = words.of("replies" if by is post.author else "comments", self.draw)
        if self.draw.random() < 0.15 and answered is not by:
            text = f"@[{answered.id}] {text}"
        self.comment(post, by, at, text, words, parent[1] if parent else None, written)

    def comment(
        self,
        post: Post,
        by: Member,
        at: datetime,
        text: str,
        words: Phrases,
        parent_id: str | None = None,
        written: list[tuple[datetime, str, Member]] | None = None,
    ) -> None:
        comment_id = self.next_id("comment")
        said = {"post_id": post.id, "comment_id": comment_id, "text": text, "language": words.language}
        if parent_id is not None:
            said["parent_id"] = parent_id
        self.ledger.add("feed", "comment", by.id, at, **said)
        if written is not None:
            insort(written, (at, comment_id, by), key=lambda one: one[0])

    def _around(self, post: Post, habits: tuple[str, ...]) -> list[Member]:
        """Those of the readers who take part by then; those of the author's own unit are there thrice."""
        found = [
            member
            for member in post.readers
            if member.habit in habits
            and member.begins is not None
            and member.begins <= post.at
            and (post.group is None or _in(post.group, member, post.at))
        ]
        if len(habits) > 2:
            return found
        near = [member for member in found if member.unit == post.author.unit]
        return found + near * 2

    def _later(self, at: datetime) -> datetime:
        return at + timedelta(hours=self.draw.choice(_SOON), minutes=self.draw.randrange(60))


def _in(group: Group, member: Member, at: datetime) -> bool:
    since = group.members.get(member.id)
    return since is not None and since < at


def _theme(draw: random.Random, author: Member) -> str:
    if author.unit in BY_ID and draw.random() < 0.7:
        unit = BY_ID[author.unit]
        return _THEME_OF.get(unit.parent or unit.id, "team")
    return draw.choice(THEMES)


def at_hour(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def share_of(span_of: datetime, share: float) -> date:
    """The day by which that share of the time until then has passed."""
    return (FIRST_DAY + (span_of - FIRST_DAY) * share).date()
