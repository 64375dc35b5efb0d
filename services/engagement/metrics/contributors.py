"""How many added something?"""

from collections.abc import Iterator

from services.engagement.metrics.definition import (
    CONTRIBUTIONS,
    Counts,
    Definition,
    Measure,
    Row,
    Values,
    Window,
    placed,
    share,
)


def _rows(window: Window) -> Iterator[Row]:
    members = window.members()
    for member_id, (at, facts) in placed(window, CONTRIBUTIONS).items():
        is_member, contributed = int(member_id in members), int(bool(facts))
        yield Row(
            member_id,
            at,
            {
                "members": is_member,
                "contributors": contributed,
                "contributing_members": is_member & contributed,
            },
        )


def _derive(counts: Counts) -> Values:
    return {"contributor_share": share(counts.get("contributing_members", 0), counts.get("members", 0))}


contributors = Definition(
    name="monthly-contributors",
    version=1,
    title="Monthly contributors",
    words=(
        "Who wrote a post, an announcement or a comment, or put, moved, deleted or restored a page, "
        "within the "
        "month. Each once; authors of imported pages too, who are no members."
    ),
    formula="contributors = distinct authors; share = contributing members / members",
    source="A direct count of the handbook's history gives the same",
    kinds=CONTRIBUTIONS,
    measures=(
        Measure("members", "Members in the period", "people"),
        Measure("contributors", "Contributors", "people"),
        Measure("contributing_members", "Members who contributed", "people"),
    ),
    derived=(Measure("contributor_share", "Share of members who contributed", "share"),),
    derive=_derive,
    rows=_rows,
    once=True,
)
