"""Do leaders take part?"""

from collections.abc import Iterator

from contracts.identity import Role
from services.engagement.metrics.definition import (
    CONTRIBUTIONS,
    Asking,
    Counts,
    Definition,
    Measure,
    Row,
    Values,
    Window,
    placed,
    share,
)
from services.engagement.projections.facts import Kind

_KINDS = CONTRIBUTIONS | {Kind.REACTION}


def _rows(window: Window) -> Iterator[Row]:
    leaders = _leaders(window)
    for member_id, (at, facts) in placed(window, _KINDS).items():
        if member_id in leaders:
            done = [fact.kind for fact in facts]
            yield Row(
                member_id,
                at,
                {
                    "leaders": 1,
                    "taking_part": int(bool(done)),
                    "posts": done.count(Kind.POST) + done.count(Kind.ANNOUNCEMENT),
                    "comments": done.count(Kind.COMMENT),
                    "reactions": done.count(Kind.REACTION),
                },
            )


def _leaders(window: Window) -> frozenset[str]:
    """Those with the role when their place is looked at."""
    return frozenset(
        member_id
        for member_id, at in window.members().items()
        if Role.LEADER.value in window.people.at(member_id, at).roles
    )


def _counts(window: Window) -> Asking:
    leaders = _leaders(window)
    return lambda member_id, fact: member_id in leaders


def _derive(counts: Counts) -> Values:
    return {"taking_part_share": share(counts.get("taking_part", 0), counts.get("leaders", 0))}


leaders_participation = Definition(
    name="leaders-participation",
    version=1,
    title="Leaders' participation",
    words=(
        "Of the members with the role of a leader, how many wrote, answered, reacted or worked on a page. A "
        "reaction that was taken back and given again counts each time."
    ),
    formula="share = leaders who did at least one of these / leaders",
    source="Leaders as role models: the first condition of every case that Fikarum draws on",
    kinds=_KINDS,
    measures=(
        Measure("leaders", "Leaders", "people"),
        Measure("taking_part", "Leaders who take part", "people"),
        Measure("posts", "Their posts"),
        Measure("comments", "Their comments"),
        Measure("reactions", "Their reactions"),
    ),
    derived=(Measure("taking_part_share", "Share of leaders who take part", "share"),),
    derive=_derive,
    rows=_rows,
    counts=_counts,
    once=True,
)
