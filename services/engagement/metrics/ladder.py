"""On which rung does everybody stand, and who moved?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum

from services.engagement.metrics.definition import (
    EVERYTHING,
    Counts,
    Definition,
    Measure,
    Privacy,
    Row,
    Values,
    Window,
    nothing,
    of_members,
    placed,
    share,
)
from services.engagement.metrics.privacy import COMPANY, FLOOR, Path
from services.engagement.projections.facts import Fact, Kind


class Rung(StrEnum):
    """From below. A member stands on the highest that anything they did within the period reaches."""

    NOT_SIGNED_IN = "not_signed_in"
    READER = "reader"
    REACTOR = "reactor"
    COMMENTER = "commenter"
    AUTHOR = "author"
    STARTER = "starter"


RUNGS = tuple(Rung)
_HEIGHT = {rung: height for height, rung in enumerate(RUNGS)}
_REACHES: Mapping[str, Rung] = {
    Kind.HERE: Rung.READER,
    Kind.OPENED: Rung.READER,
    Kind.READ: Rung.READER,
    Kind.ACKNOWLEDGEMENT: Rung.READER,
    Kind.GROUP_JOINED: Rung.READER,
    Kind.REACTION: Rung.REACTOR,
    Kind.COMMENT: Rung.COMMENTER,
    Kind.POST: Rung.AUTHOR,
    Kind.ANNOUNCEMENT: Rung.AUTHOR,
    Kind.PAGE_STARTED: Rung.AUTHOR,
    Kind.PAGE_REVISED: Rung.AUTHOR,
    Kind.PAGE_MOVED: Rung.AUTHOR,
    Kind.PAGE_DELETED: Rung.AUTHOR,
    Kind.PAGE_RESTORED: Rung.AUTHOR,
    Kind.GROUP_STARTED: Rung.STARTER,
    Kind.SPACE_OPENED: Rung.STARTER,
}
#: Where somebody stood who was no member in the period before.
NEW = "new"


def rung(facts: Iterable[Fact]) -> Rung:
    """The highest that these acts reach."""
    reached = (_REACHES[fact.kind] for fact in facts)
    return max(reached, key=_HEIGHT.__getitem__, default=Rung.NOT_SIGNED_IN)


def passive(facts: Iterable[Fact]) -> bool:
    """Whether these acts are nothing but reading, or none."""
    return _HEIGHT[rung(facts)] <= _HEIGHT[Rung.READER]


def _rows(window: Window) -> Iterator[Row]:
    """Members only."""
    earlier = window.people.present(window.period.before.start, window.start)
    members = window.members()
    for member_id, (at, facts) in placed(window, EVERYTHING).items():
        if member_id not in members:
            continue
        now = rung(facts)
        before: str = rung(window.before.get(member_id, ())) if member_id in earlier else NEW
        yield Row(member_id, at, {"members": 1, now.value: 1, moved(before, now): 1, **_way(before, now)})


def moved(before: str, now: str) -> str:
    """The column of a movement."""
    return f"{before}_to_{now}"


def _way(before: str, now: Rung) -> Counts:
    if before == NEW:
        return {"arrived": 1}
    steps = _HEIGHT[now] - _HEIGHT[Rung(before)]
    return {"rose": 1} if steps > 0 else {"fell": 1} if steps < 0 else {"stayed": 1}


def _withheld(path: Path, counts: Counts, whole: bool) -> frozenset[str]:
    """Movements from rungs of fewer than five: who arrived, or wrote last month, is known, so that where they
    went would be told of them by name. The smallest others go with them until five cannot be told apart, and
    how many rose, stayed and fell. Of groups no movement is told: a small one is the company's less the
    others'. Nor of a period that is cut: one day less the day before is whoever arrived between."""
    if path != COMPANY or not whole:
        return _MOVED
    sizes = sorted(
        (sum(counts.get(moved(before, now), 0) for now in RUNGS), before) for before in (NEW, *RUNGS)
    )
    left, hidden = 0, list[str]()
    for size, before in sizes:
        if size and (size < FLOOR or 0 < left < FLOOR):
            left, hidden = left + size, [*hidden, before]
    if not hidden:
        return frozenset()
    return _WAYS | {moved(before, now) for before in hidden for now in RUNGS}


_TITLES = {
    Rung.NOT_SIGNED_IN: "Not signed in",
    Rung.READER: "Readers",
    Rung.REACTOR: "Reactors",
    Rung.COMMENTER: "Commenters",
    Rung.AUTHOR: "Authors",
    Rung.STARTER: "Starters",
}
_MOVEMENTS = tuple(
    Measure(moved(before, now), f"From {before} to {now}".replace("_", " "), "people")
    for before in (NEW, *(rung.value for rung in RUNGS))
    for now in (rung.value for rung in RUNGS)
)

_WAYS = frozenset({"rose", "stayed", "fell"})
_MOVED = _WAYS | {measure.name for measure in _MOVEMENTS}

ladder = Definition(
    name="ladder",
    version=1,
    title="Ladder of participation",
    words=(
        "Every member stands on one rung a period: the highest that anything they did reaches. Not "
        "signed in: "
        "nothing was seen of them, neither in the open nor, where they let it be counted, opened. "
        "Reader: opened or "
        "read something, acknowledged, joined a group or changed their own profile. Reactor: reacted. "
        "Commenter: answered. Author: wrote a post or worked on a page. Starter: started a group or opened a "
        "space, where others can go on."
    ),
    formula=(
        "members by rung; movements are counted from the rung of the period before, and told of the whole "
        "company when a month is over, from rungs of five people and more"
    ),
    source=(
        "After Li and Bernoff, Groundswell (2008), and Preece and Shneiderman, The "
        "Reader-to-Leader Framework (2009)"
    ),
    kinds=EVERYTHING,
    measures=(
        Measure("members", "Members in the period", "people"),
        *(Measure(rung.value, _TITLES[rung], "people") for rung in RUNGS),
        Measure("rose", "Rose", "people"),
        Measure("stayed", "Stayed", "people"),
        Measure("fell", "Fell", "people"),
        Measure("arrived", "Arrived", "people"),
        *_MOVEMENTS,
    ),
    rows=_rows,
    counts=of_members,
    once=True,
    privacy=Privacy.READING,
    looks_back=True,
    withheld=_withheld,
)


def _passive(window: Window) -> Iterator[Row]:
    members = window.members()
    for member_id, (at, facts) in placed(window, EVERYTHING).items():
        if member_id in members:
            yield Row(member_id, at, {"members": 1, "passive": int(passive(facts))})


def _share(counts: Counts) -> Values:
    return {"passive_share": share(counts.get("passive", 0), counts.get("members", 0))}


passive_share = replace(
    ladder,
    name="passive-share",
    title="Passive share",
    words="Members who neither reacted, nor answered, nor wrote, nor started anything within the period.",
    formula="passive = members on the rungs not signed in and reader; share = passive / members",
    source="After Nielsen, Participation Inequality (2006): most read, few write",
    measures=(
        Measure("members", "Members in the period", "people"),
        Measure("passive", "Passive members", "people"),
    ),
    derived=(Measure("passive_share", "Share of members who are passive", "share"),),
    derive=_share,
    rows=_passive,
    looks_back=False,
    withheld=nothing,
)
