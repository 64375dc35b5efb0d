"""How many were active? Two versions of the definition live side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from services.engagement.metrics.definition import (
    EVERYTHING,
    Counts,
    Definition,
    Measure,
    Privacy,
    Row,
    Values,
    Window,
    placed,
    share,
)
from services.engagement.metrics.periods import DAY_SECONDS, Every


def _rows(window: Window, days: int) -> Iterator[Row]:
    members = window.members()
    for member_id, (at, facts) in placed(window, EVERYTHING).items():
        acted_on = len({fact.at // DAY_SECONDS for fact in facts})
        is_member = int(member_id in members)
        active = int(acted_on >= days)
        yield Row(
            member_id,
            at,
            {
                "members": is_member,
                "active": active,
                "active_members": active & is_member,
                "fewer_days": int(0 < acted_on < days),
            },
        )


def _derive(counts: Counts) -> Values:
    return {"active_share": share(counts.get("active_members", 0), counts.get("members", 0))}


def _any(window: Window) -> Iterable[Row]:
    return _rows(window, 1)


def _two_days(window: Window) -> Iterable[Row]:
    return _rows(window, 2)


_MEASURES = (
    Measure("members", "Members in the period", "people"),
    Measure("active", "Active", "people"),
    Measure("active_members", "Active members", "people"),
)

monthly = Definition(
    name="monthly-active-members",
    version=1,
    title="Monthly active members",
    words=(
        "Who did anything that counts within the month: wrote, answered, reacted, acknowledged, "
        "changed a page, "
        "started or joined a group, changed their own profile; or opened or read something, where they let "
        "that be counted. Each once."
    ),
    formula="active = members with at least one counted act; share = active members / members",
    source="Monthly active users, as Yammer and others count them",
    kinds=EVERYTHING,
    measures=_MEASURES,
    derived=(Measure("active_share", "Share of members who were active", "share"),),
    derive=_derive,
    rows=_any,
    once=True,
    privacy=Privacy.READING,
)

monthly_two_days = replace(
    monthly,
    version=2,
    in_force=False,
    words=(
        "Who did anything that counts on at least two different days (UTC) within the month. What counts is "
        "the same as in version 1."
    ),
    formula="active = members with counted acts on at least two days; share = active members / members",
    source="Version 1, without those who came by once",
    measures=(*_MEASURES, Measure("fewer_days", "Seen on one day only", "people")),
    rows=_two_days,
    changed="Version 2 leaves out who was seen on a single day of the month; version 1 counts them.",
    explains="fewer_days",
)

weekly = replace(
    monthly,
    name="weekly-active-members",
    title="Weekly active members",
    words=monthly.words.replace("within the month", "within the week"),
    every=Every.WEEK,
)
